//! Counts the dependencies of each crate against `budget.toml`.
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Budget {
    forbidden_without_defaults: Forbidden,
    #[serde(rename = "crate")]
    crates: Vec<Entry>,
    #[serde(rename = "example")]
    examples: Vec<Example>,
    single: Single,
}

#[derive(Deserialize)]
struct Forbidden {
    everywhere: Vec<String>,
    core: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    /// Another crate of the family that is counted together with this one.
    beside: Option<String>,
    /// Comma list, taken in place of the default features.
    features: Option<String>,
    /// Crates that are otherwise forbidden without default features.
    #[serde(default)]
    may_have: Vec<String>,
    without_defaults: Option<usize>,
    defaults: Option<usize>,
    #[serde(default)]
    core: bool,
}

impl Entry {
    /// Arguments that choose the packages which are counted.
    fn packages(&self) -> Vec<&str> {
        let names = std::iter::once(&self.name).chain(&self.beside);
        names.flat_map(|name| ["--package", name]).collect()
    }
}

/// A program that shows how little comes along.
#[derive(Deserialize)]
struct Example {
    name: String,
    /// Comma list; without it the default features are taken.
    features: Option<String>,
    /// Crates of the family in its tree: these, and no others.
    own: BTreeSet<String>,
    /// Third-party crates that are not in its tree.
    without: Vec<String>,
}

#[derive(Deserialize)]
struct Single {
    outside: String,
    crates: Vec<String>,
    providers: Vec<String>,
}

fn budget() -> Budget {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("budget.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What `cargo tree` lists: a crate a line, own ones with their folder behind.
fn tree(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Name and version of each third-party crate.
fn third_party(arguments: &[&str]) -> BTreeSet<(String, String)> {
    tree(arguments)
        .lines()
        .filter(|line| !line.contains("(/"))
        .filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
        })
        .collect()
}

#[test]
fn every_crate_keeps_its_budget() {
    let mut report = Vec::new();
    let mut over = false;
    for entry in budget().crates {
        let features = entry.features.as_deref().unwrap_or_default();
        for (limit, arguments, what) in [
            (
                entry.without_defaults,
                &["--no-default-features", "--features", features][..],
                format!("without default features, but [{features}]"),
            ),
            (entry.defaults, &[][..], "with default features".to_owned()),
        ] {
            let Some(limit) = limit else { continue };
            let mut all = entry.packages();
            all.extend(arguments);
            let found = third_party(&all);
            assert!(
                !found.is_empty(),
                "{} cannot have no dependency at all",
                entry.name
            );
            over |= found.len() > limit;
            report.push(format!("{} {what}: {} of {limit}", entry.name, found.len()));
        }
    }
    println!("{}", report.join("\n"));
    assert!(!over, "over budget:\n{}", report.join("\n"));
}

#[test]
fn no_stack_comes_along_unasked() {
    let budget = budget();
    for entry in budget
        .crates
        .iter()
        .filter(|entry| entry.without_defaults.is_some())
    {
        let features = entry.features.as_deref().unwrap_or_default();
        let mut arguments = entry.packages();
        arguments.extend(["--no-default-features", "--features", features]);
        let found = third_party(&arguments);
        let own = if entry.core {
            &budget.forbidden_without_defaults.core[..]
        } else {
            &[]
        };
        let forbidden = budget.forbidden_without_defaults.everywhere.iter().chain(own);
        for forbidden in forbidden.filter(|name| !entry.may_have.contains(name)) {
            assert!(
                !found.iter().any(|(name, _)| name == forbidden),
                "{} brings {forbidden} without being asked",
                entry.name
            );
        }
    }
}

/// The examples for those who take one part: what they do not use is not in their tree.
#[test]
fn examples_bring_only_what_they_use() {
    for example in budget().examples {
        let mut arguments = vec!["--package", &example.name];
        if let Some(features) = &example.features {
            arguments.extend(["--no-default-features", "--features", features]);
        }
        let own: BTreeSet<String> = tree(&arguments)
            .lines()
            .filter(|line| line.contains("(/"))
            .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
            .filter(|name| *name != example.name)
            .collect();
        assert_eq!(own, example.own, "{} {:?}", example.name, example.features);
        let found = third_party(&arguments);
        for name in &example.without {
            assert!(
                !found.iter().any(|(found, _)| found == name),
                "{} {:?} brings {name}",
                example.name,
                example.features
            );
        }
    }
}

#[test]
fn default_build_of_the_members_has_one_generation_of_each() {
    let budget = budget();
    let found = third_party(&["--workspace", "--exclude", &budget.single.outside]);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, version) in &found {
        versions.entry(name).or_default().insert(version);
    }
    for name in &budget.single.crates {
        let several = versions.get(name.as_str()).filter(|versions| versions.len() > 1);
        assert!(
            several.is_none(),
            "{name} stands in the tree in several versions: {several:?}"
        );
    }
    let everywhere = third_party(&["--workspace"]);
    let providers: Vec<&String> = budget
        .single
        .providers
        .iter()
        .filter(|own| everywhere.iter().any(|(name, _)| name == *own))
        .collect();
    assert!(
        providers.len() <= 1,
        "several providers of cryptography: {providers:?}"
    );
}
