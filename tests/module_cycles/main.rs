//! No module needs itself by way of others: the modules of a crate are read one after the other, and changed so.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests, outside of test functions, and a hint for who ends a cycle"
)]

mod graph;
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crates without any cycle.
const WITHOUT: [&str; 7] = [
    "oss-credentials-core",
    "oss-credentials-http",
    "acs-sign",
    "acs-sts",
    "oss-sign",
    "acs-client",
    "oss-testkit",
];

/// Most modules of the others that may need each other.
const MAX_GROUP: usize = 3;

/// Groups that are larger than allowed, each in a line that only gets shorter.
const EXCEPTIONS: &str = include_str!("exceptions.txt");

fn crates() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut crates: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    crates.retain(|path| path.join("src").is_dir());
    crates.sort();
    crates
}

/// The groups of a crate that are too large.
fn groups(path: &Path) -> Vec<BTreeSet<String>> {
    let limit = if WITHOUT.contains(&name(path).as_str()) {
        1
    } else {
        MAX_GROUP
    };
    let mut found = Vec::new();
    for root in ["lib.rs", "main.rs"] {
        let root = path.join("src").join(root);
        if !root.exists() {
            continue;
        }
        let modules = scan::modules(&root);
        let groups = graph::groups(&graph::needs(&modules)).into_iter();
        let large = groups.filter(|group| group.len() > limit);
        found.extend(large.map(|group| group.into_iter().map(str::to_owned).collect()));
    }
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Whether a line of the exceptions allows a group: it names the crate, and all modules of the group.
fn allows(line: &str, krate: &str, group: &BTreeSet<String>) -> bool {
    let Some((_, names)) = line.split_once(": ").filter(|(own, _)| *own == krate) else {
        return false;
    };
    group.iter().all(|module| {
        names.split(' ').any(|name| match name.strip_suffix('*') {
            Some(start) => module.starts_with(start),
            None => module == name,
        })
    })
}

#[test]
fn modules_do_not_need_each_other() {
    let mut unused: Vec<&str> = EXCEPTIONS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let lines = unused.clone();
    let mut new = Vec::new();
    for path in crates() {
        let krate = name(&path);
        for group in groups(&path) {
            let line = lines.iter().find(|line| allows(line, &krate, &group));
            match line {
                Some(line) => unused.retain(|other| other != line),
                None => new.push(format!("{krate}: {}", Vec::from_iter(group).join(" "))),
            }
        }
    }
    assert!(
        unused.is_empty(),
        "these lines of tests/module_cycles/exceptions.txt are no longer needed; remove them: {unused:#?}"
    );
    assert!(
        new.is_empty(),
        "groups of modules that need each other, and are not in tests/module_cycles/exceptions.txt: {new:#?}"
    );
}

/// What the check is made of, with sources of its own.
#[test]
fn names_are_followed_to_the_module_that_defines_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("module_cycles/example/lib.rs");
    let modules = scan::modules(&folder);
    let needs = graph::needs(&modules);
    let expected: BTreeMap<&str, BTreeSet<&str>> = [
        ("", &["one", "two", "two::inner"][..]),
        ("one", &["two::inner"]),
        ("two", &["one", "two::inner"]),
        ("two::inner", &["two"]),
    ]
    .into_iter()
    .map(|(name, needs)| (name, needs.iter().copied().collect()))
    .collect();
    assert_eq!(needs, expected);
    let group: BTreeSet<&str> = ["one", "two", "two::inner"].into_iter().collect();
    assert_eq!(graph::groups(&needs), [group]);
}
