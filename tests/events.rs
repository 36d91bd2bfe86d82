//! Log events have names that are a contract: `docs/events.md` lists those that the code has, and no others.
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]
#![allow(clippy::string_slice, reason = "at borders that were found")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Crates whose events have no names.
const WITHOUT: [&str; 2] = ["oss-credentials-cli", "oss-testkit"];
/// Stands above the constants that are names of events.
const MARK: &str = "as in `docs/events.md`";
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The source files of all crates whose events have names.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(workspace().join("crates")).unwrap() {
        let entry = entry.unwrap();
        if !WITHOUT.iter().any(|name| entry.file_name() == *name) {
            rust_files(&entry.path().join("src"), &mut files);
        }
    }
    let read = |path: PathBuf| (path.clone(), std::fs::read_to_string(path).unwrap());
    files.into_iter().map(read).collect()
}

/// Without documentation, whose examples log under names of their own.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("///"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_name(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
    };
    text.split_once('.')
        .is_some_and(|(area, event)| is_word(area) && is_word(event))
}

fn names_in_code() -> BTreeSet<String> {
    let sources = sources();
    let marked = sources.iter().filter(|(_, text)| text.contains(MARK));
    let lines = marked.flat_map(|(_, text)| text.lines());
    let values = lines.filter_map(|line| line.split_once(": &str = \"")?.1.strip_suffix("\";"));
    values.filter(|value| is_name(value)).map(str::to_owned).collect()
}

fn names_in_page() -> BTreeSet<String> {
    let page = std::fs::read_to_string(workspace().join("docs/events.md")).unwrap();
    let cells = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    cells
        .map(|(name, _)| name.to_owned())
        .filter(|name| is_name(name))
        .collect()
}

/// The calls of the macros of `tracing` that log an event.
fn calls(text: &str) -> Vec<&str> {
    let macros = text.match_indices("tracing::").map(|(at, _)| &text[at..]);
    let events = macros.filter(|rest| {
        let name = rest.trim_start_matches("tracing::").split_once("!(");
        name.is_some_and(|(name, _)| LEVELS.contains(&name))
    });
    events.map(|rest| &rest[..end_of_call(rest)]).collect()
}

fn end_of_call(text: &str) -> usize {
    let mut depth = 0;
    let end = text.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ')' && depth == 0
    });
    end.unwrap()
}

/// The path of a constant after a label.
fn constant<'a>(call: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = call.split_once(label)?;
    rest.split([',', ' ']).next()
}

#[test]
fn each_name_is_in_the_page_and_each_name_of_the_page_in_the_code() {
    let (code, page) = (names_in_code(), names_in_page());
    assert!(code.len() > 20, "{code:?}");
    assert_eq!(code, page);
}

#[test]
fn each_event_has_its_name_as_metadata_and_as_a_field() {
    let mut seen = 0;
    for (path, text) in sources() {
        for call in calls(&code(&text)) {
            seen += 1;
            let name = constant(call, "name: ");
            assert!(name.is_some(), "{}: no name: {call}", path.display());
            assert_eq!(name, constant(call, "event = "), "{}: {call}", path.display());
        }
    }
    assert!(seen > 30, "{seen} events");
}
