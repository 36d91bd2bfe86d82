//! No phrase that the rules of style replace is left in the texts of errors and logs, in the documentation of items, in
//! the README files, and on the pages and decisions. `phrases.txt` lists the phrases, `allowed.txt` the places where one
//! of them is meant.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

#[path = "../literals/mod.rs"]
mod literals;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A phrase, and what to write instead.
type Phrase<'p> = (&'p str, &'p str);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn fields(line: &str) -> (&str, &str) {
    line.split_once('\t')
        .unwrap_or_else(|| panic!("no tab in {line:?}"))
}

/// Lines of a list that are not comments.
fn entries(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = list
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(fields)
}

#[test]
fn no_phrase_is_left() {
    let phrases: Vec<Phrase<'_>> = entries(include_str!("phrases.txt")).collect();
    let allowed: Vec<(&str, &str)> = entries(include_str!("allowed.txt"))
        .map(|(place, rest)| (place, fields(rest).0))
        .collect();
    let mut used = BTreeSet::new();
    let mut problems = Vec::new();
    for (place, text) in texts() {
        for (found, instead) in hits(&text, &phrases) {
            let known = allowed
                .iter()
                .position(|(file, part)| place.starts_with(file) && found.contains(part));
            match known {
                Some(index) => _ = used.insert(index),
                None => problems.push(format!("{place}: \"{found}\"; write {instead}")),
            }
        }
    }
    let unused = (0..allowed.len()).filter(|index| !used.contains(index));
    problems.extend(unused.map(|index| format!("allowed.txt: nothing has {:?} any more", allowed[index])));
    assert!(problems.is_empty(), "{problems:#?}");
}

/// What is read: pages and documentation as prose, without code, and the literals of sources.
fn texts() -> Vec<(String, String)> {
    // CONTRIBUTING.md lists the phrases.
    let mut pages: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "SECURITY.md", "benches/README.md"]
        .map(PathBuf::from)
        .to_vec();
    let mut texts = Vec::new();
    for folder in ["docs", "docs/adr"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            pages.push(Path::new(folder).join(entry.unwrap().file_name()));
        }
    }
    for folder in ["adapters", "tests"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let page = Path::new(folder)
                .join(entry.unwrap().file_name())
                .join("README.md");
            pages.extend(root().join(&page).exists().then_some(page));
        }
    }
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let folder = Path::new("crates").join(entry.unwrap().file_name());
        let files = literals::files(&root().join(&folder).join("src"));
        let literals = files
            .iter()
            .flat_map(literals::literals)
            .filter(|literal| !literal.is_internal && literals::words(&literal.text) > 1);
        let place = |place: String| {
            place
                .replace(root().to_str().unwrap(), "")
                .trim_start_matches('/')
                .to_owned()
        };
        texts.extend(literals.map(|literal| (place(literal.place), literal.text)));
        for (path, _) in &files {
            let documentation = documentation(&std::fs::read_to_string(path).unwrap());
            texts.extend(documentation.into_iter().map(|text| (place(path.clone()), text)));
        }
        pages.push(folder.join("README.md"));
    }
    for page in pages.into_iter().filter(|page| page.extension().is_some()) {
        let text = std::fs::read_to_string(root().join(&page)).unwrap();
        texts.push((page.to_str().unwrap().to_owned(), prose(&text)));
    }
    texts
}

/// The documentation in a source: one text for each item.
fn documentation(source: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    for line in source.lines().map(str::trim_start) {
        let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        match (text, texts.last_mut()) {
            (Some(text), Some(last)) => last.extend([text, "\n"]),
            _ => texts.push(String::new()),
        }
    }
    texts.retain(|text| !text.is_empty());
    texts.iter().map(|text| prose(text)).collect()
}

/// A page on one line, with `…` for each piece of code.
fn prose(page: &str) -> String {
    let mut text = page.to_owned();
    for mark in ["```", "``", "`"] {
        text = text.split(mark).step_by(2).collect::<Vec<_>>().join("…");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each place of a phrase, with a few words around.
fn hits<'p>(text: &str, phrases: &[Phrase<'p>]) -> Vec<(String, &'p str)> {
    let mut hits = Vec::new();
    for (phrase, instead) in phrases {
        let (first, rest) = phrase.split_at(1);
        for spelling in [(*phrase).to_owned(), first.to_uppercase() + rest] {
            let found = text.match_indices(&spelling);
            let found = found.filter(|(at, spelling)| is_meant(text, *at, spelling));
            hits.extend(found.map(|(at, spelling)| (around(text, at, spelling.len()), *instead)));
            if first.to_uppercase() == first {
                break;
            }
        }
    }
    hits
}

/// Whether a phrase begins and ends here, and is not part of a good one.
fn is_meant(text: &str, at: usize, phrase: &str) -> bool {
    let (before, after) = (&text[..at], &text[at + phrase.len()..]);
    let is_inside =
        |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '#' | '/' | '.'));
    let next = after.chars().next().filter(|c| *c != '.');
    if is_inside(before.chars().next_back()) || is_inside(next) {
        return false;
    }
    let is_of_there = before.trim_end().to_lowercase().ends_with("there") || after.starts_with(" longer");
    !(phrase.ends_with(" no") && is_of_there)
}

fn around(text: &str, at: usize, length: usize) -> String {
    let start = text[..at]
        .char_indices()
        .rev()
        .nth(30)
        .map_or(0, |(start, _)| start);
    let rest = &text[at + length..];
    let end = rest.char_indices().nth(30).map_or(rest.len(), |(end, _)| end);
    text[start..at + length + end].to_owned()
}

#[test]
fn a_phrase_is_found() {
    let phrases = [("is no", "is not a"), ("time-out", "timeout"), ("stands", "is")];
    for (text, count) in [
        ("this is no list", 1),
        ("There is no list, and it is no longer there", 0),
        ("a time-out, and time-outs", 1),
        ("Stands there", 1),
        ("it withstands", 0),
    ] {
        assert_eq!(hits(text, &phrases).len(), count, "{text}");
    }
    let source = "/// One\n/// `text`.\nfn one() {}\n// no documentation\n//! Another.";
    assert_eq!(documentation(source), ["One ….", "Another."]);
    assert_eq!(
        prose("a `b` c\n```text\nd\n```\ne ``f ` g``,\nh"),
        "a … c … e …, h"
    );
}
