//! Runs every vector file of the repository, and those in the folder that `EXTRA_VECTORS` names.
//!
//! A vector file is JSON with a top-level `kind` and a list `vectors` (`client_keys` in the list of
//! those). For each kind a line `KIND: N passed, M failed` is printed. The run fails on a mismatch, on a file that
//! cannot be read, on an unknown kind, and when nothing ran.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

mod kms;
mod kms_instance;
mod oss_v1;
mod oss_v4;
mod oss_v4_post;
mod sts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use oss_credentials_core::{Env, ProcessEnv};
use serde_json::Value;

/// What one vector says about our code: nothing, or what differs.
type Verdict = Result<(), String>;

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

fn main() -> ExitCode {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors"),
        &mut files,
        &mut problems,
    );
    if let Some(extra) = ProcessEnv.non_empty("EXTRA_VECTORS") {
        let before = files.len();
        collect(Path::new(&extra), &mut files, &mut problems);
        println!("EXTRA_VECTORS: {} files", files.len() - before);
    }
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (path, document) in &files {
        run_file(path, document, &mut tallies, &mut problems);
    }
    for (kind, tally) in &tallies {
        println!("{kind}: {} passed, {} failed", tally.passed, tally.failed);
    }
    for problem in &problems {
        println!("{problem}");
    }
    let passed: usize = tallies.values().map(|tally| tally.passed).sum();
    let failed: usize = tallies.values().map(|tally| tally.failed).sum::<usize>();
    println!("vectors: {passed} passed, {failed} failed");
    if passed == 0 {
        println!("no vector ran");
    }
    if passed == 0 || !problems.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Finds the JSON files with a `kind` below a folder.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, Value)>, problems: &mut Vec<String>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return problems.push(format!("{}: {error}", folder.display())),
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files, problems);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            // Some fixtures are broken JSON on purpose; those are no vector files.
            let document = std::fs::read(&path)
                .ok()
                .and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            if let Some(document) = document.filter(|document| document["kind"].is_string()) {
                files.push((path, document));
            }
        }
    }
}

fn run_file(
    path: &Path,
    document: &Value,
    tallies: &mut BTreeMap<String, Tally>,
    problems: &mut Vec<String>,
) {
    let kind = document["kind"].as_str().unwrap_or_default();
    let vectors = document["vectors"]
        .as_array()
        .or(document["client_keys"].as_array())
        .map(Vec::as_slice)
        .unwrap_or_default();
    let run: &dyn Fn(&Value) -> Verdict = match kind {
        "oss-v4-header" => &oss_v4::header,
        "oss-v1-header" => &oss_v1::header,
        "oss-v1-query" => &oss_v1::query,
        "oss-v4-post-policy" => &oss_v4_post::policy,
        "oss-v4-query" => &oss_v4::query,
        "sts-rpc" => &sts::rpc,
        "sts-acs3" => &sts::acs3,
        "kms-rpc" => &|vector| kms::rpc(path, vector),
        "kms-instance" => &|vector| kms_instance::request(path, vector),
        "kms-client-keys" => &|vector| kms::client_key(path, vector),
        _ => return problems.push(format!("{}: the kind {kind:?} is unknown", path.display())),
    };
    if vectors.is_empty() {
        problems.push(format!("{}: there are no vectors in it", path.display()));
    }
    let tally = tallies.entry(kind.to_owned()).or_default();
    for vector in vectors {
        match run(vector) {
            Ok(()) => tally.passed += 1,
            Err(difference) => {
                tally.failed += 1;
                let name = vector["id"]
                    .as_str()
                    .or(vector["name"].as_str())
                    .unwrap_or("without a name");
                problems.push(format!("{kind} {name}: {difference}"));
            }
        }
    }
    if kind == "sts-rpc" {
        for row in document["percent_encoding"].as_array().into_iter().flatten() {
            if let Err(difference) = sts::percent_encoding(row) {
                tally.failed += 1;
                problems.push(format!("{kind}: {difference}"));
            }
        }
    }
}

/// Fields of a vector.
mod field {
    use serde_json::Value;

    pub(crate) fn text<'a>(object: &'a Value, name: &str) -> Result<&'a str, String> {
        object[name]
            .as_str()
            .ok_or_else(|| format!("the vector has no text field {name:?}"))
    }

    /// An object's members, or a list of pairs.
    pub(crate) fn pairs<'a>(object: &'a Value, name: &str) -> Result<Vec<(&'a str, &'a str)>, String> {
        let bad = || format!("the field {name:?} is no list of pairs of texts");
        match &object[name] {
            Value::Null => Ok(Vec::new()),
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| Ok((key.as_str(), value.as_str().ok_or_else(bad)?)))
                .collect(),
            Value::Array(items) => items
                .iter()
                .map(|item| {
                    Ok((
                        item[0].as_str().ok_or_else(bad)?,
                        item[1].as_str().ok_or_else(bad)?,
                    ))
                })
                .collect(),
            _ => Err(bad()),
        }
    }

    /// Compares one computed value with the expected one.
    pub(crate) fn same(expected: &Value, name: &str, got: &str) -> Result<(), String> {
        let wanted = text(expected, name)?;
        if wanted == got {
            Ok(())
        } else {
            Err(format!("{name} differs\n  wanted {wanted:?}\n  got    {got:?}"))
        }
    }
}
