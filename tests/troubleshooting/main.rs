//! Each text of an error is documented once, in a table on the page of its crate, each text of a table is one that the
//! crate has, and each error says what to do. What is literal is compared: the sources' literals, and the tables.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod hints;
#[path = "../literals/mod.rs"]
mod literals;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use literals::{Literal, words};
use tables::{MARKS, Row, fixed_parts, rows, whole_words};

/// How literals begin that are no texts of errors.
const OTHERS: &str = include_str!("others.txt");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The pages whose tables list the texts of a crate.
fn pages(name: &str) -> Vec<&str> {
    match name.strip_prefix("oss-credentials-").unwrap_or(name) {
        "acs-sts" => vec!["oidc-rrsa", "sts-assume-role"],
        "oss-client" => vec!["oss-client-errors"],
        "oss-credentials" => vec!["default-chain"],
        short if root().join(format!("docs/{short}.md")).exists() => vec![short],
        _ => vec!["errors"],
    }
}

/// Whether texts of a crate may be part of those on a page.
fn adds_to(name: &str, page: &str) -> bool {
    let is_below = match name {
        "oss-credentials-core" | "oss-credentials-http" => true,
        "acs-client" => pages("acs-sts").contains(&page),
        "oss-sign" => page == "oss-client-errors",
        _ => false,
    };
    is_below || pages(name).contains(&page)
}

#[test]
fn every_text_is_documented_and_every_documented_text_exists() {
    let (mut problems, mut literals) = (Vec::new(), BTreeMap::new());
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let files = literals::files(&root().join("crates").join(&name).join("src"));
        problems.extend(files.iter().flat_map(hints::without_advice));
        let of_crate: Vec<Literal> = files.iter().flat_map(literals::literals).collect();
        literals.insert(name, of_crate);
    }
    let mut tables = BTreeMap::new();
    for page in literals.keys().flat_map(|name| pages(name)) {
        let text = std::fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
        let texts = literals.iter().filter(|(name, _)| adds_to(name, page));
        let texts: Vec<&Literal> = texts.flat_map(|(_, texts)| texts).collect();
        if tables.insert(page, rows(page, &text)).is_none() {
            problems.extend(stale(&tables[page], &texts));
        }
    }
    // The local cloud speaks as the services do: the services' own pages explain most of that.
    for (name, literals) in literals.iter().filter(|(name, _)| *name != "oss-testkit") {
        let rows: Vec<&Row> = pages(name).iter().flat_map(|page| &tables[page]).collect();
        problems.extend(undocumented(literals, &rows));
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Sentences that no row has.
fn undocumented(literals: &[Literal], rows: &[&Row]) -> Vec<String> {
    let (verbs, others) = OTHERS.split_once('\n').unwrap_or_default();
    let is_advice = |text: &str| {
        verbs
            .split(' ')
            .any(|verb| text.split([' ', ':', ';']).next() == Some(verb))
    };
    let is_other = |text: &str| is_advice(text) || others.lines().any(|start| text.starts_with(start));
    let is_text = |literal: &&Literal| !literal.is_internal && !is_other(&literal.text);
    let has = |literal: &&Literal| {
        rows.iter()
            .flat_map(|row| &row.texts)
            .any(|text| has(text, literal))
    };
    let lost = literals.iter().filter(is_text).filter(|literal| !has(literal));
    let problem = |literal: &Literal| format!("{}: no row has {:?}", literal.place, literal.text);
    lost.map(problem).collect()
}

/// Whether a text of a table has the fixed parts of a literal, in their order. If an error begins with the literal, the
/// text begins so, too; of other literals, two words are too few to look for.
fn has(text: &str, literal: &Literal) -> bool {
    let (start, _) = literal.text.split_once(": ").unwrap_or_default();
    let parts = fixed_parts(if words(start) > 2 { start } else { &literal.text });
    let is_start = literal.is_start && parts.first().is_some_and(|part| literal.text.starts_with(part));
    let mut rest = Some(text);
    let mut parts_are_there = parts.iter().all(|part| {
        rest = rest.and_then(|text| Some(&text[whole_words(text, part)? + part.len()..]));
        rest.is_some()
    });
    parts_are_there &= !is_start || text.starts_with(parts[0]);
    parts_are_there || !is_start && parts.iter().all(|part| words(part) < 3)
}

/// What rows have that no literal says: one with this part, or one that has it when others fill its gaps.
fn stale(rows: &[Row], literals: &[&Literal]) -> Vec<String> {
    let fills: BTreeSet<&str> = literals.iter().flat_map(|text| fixed_parts(&text.text)).collect();
    let is_said = |part: &str| {
        literals.iter().any(|Literal { text, .. }| {
            let text = text.split("; ").find(|text| words(text) > 1).unwrap_or(text);
            let pieces: Vec<&str> = text.split('…').map(|piece| piece.trim_matches(MARKS)).collect();
            let begins = words(text) > 0 && part.starts_with(pieces[0]);
            whole_words(text, part).is_some() || begins && is_filled(&pieces, part, &fills)
        })
    };
    let mut problems = Vec::new();
    for row in rows {
        if !row.is_complete {
            problems.push(format!("{}: an empty cell", row.place));
        }
        for part in row.texts.iter().flat_map(|text| fixed_parts(text)) {
            // The last part may be what a service says.
            let mut parts = part.split(": ").filter(|part| words(part) > 1);
            if words(part) > 1 && !is_said(part) && !parts.all(is_said) {
                problems.push(format!("{}: no literal has {part:?}", row.place));
            }
        }
    }
    problems
}

/// Whether a text is these pieces, with gaps that are filled by a word or by one of these.
fn is_filled(pieces: &[&str], text: &str, fills: &BTreeSet<&str>) -> bool {
    let fits = |gap: &str| !gap.trim_matches(MARKS).contains(' ') || fills.contains(gap.trim_matches(MARKS));
    let [piece, rest @ ..] = pieces else {
        return fits(text);
    };
    let mut places = text.match_indices(piece);
    places.any(|(at, _)| fits(&text[..at]) && is_filled(rest, &text[at + piece.len()..], fills))
}

/// A crate and a page that are made up: what the test is for, it finds.
#[test]
fn what_is_missing_on_either_side_is_found() {
    let source = r#"
        #[error("vault: the door is {state}; open it")]
        struct Closed;
        fn read(limit: usize) -> Wrong {
            tracing::warn!(target: TARGET, limit, "the file was passed over");
            tracing::debug!("the file was looked at");
            let mut detail = ErrorDetail::builder(NAME, format!("the file {} is empty", limit));
            detail = detail.hint("write a line of text");
            CredentialsError::denied(detail)
        }"#;
    let page = "| error | variant | cause | what to do |\n|---|---|---|---|\n\
        | `vault: the door is …` | `Closed` | a cause | a fix |\n\
        | `the file … is empty` | `Empty` | a cause | a fix |\n\
        | log: `the file was passed over` | warning | a cause | a fix |\n";
    let found = |source: &str, page: &str| {
        let file = (
            "crates/oss-credentials-vault/src/made_up.rs".to_owned(),
            source.parse().unwrap(),
        );
        let (literals, rows) = (literals::literals(&file), rows("made-up", page));
        let mut found = hints::without_advice(&file);
        found.extend(undocumented(&literals, &rows.iter().collect::<Vec<_>>()));
        found.extend(stale(&rows, &literals.iter().collect::<Vec<_>>()));
        found.join("\n")
    };
    assert_eq!(found(source, page), "");
    for line in page.lines().skip(2) {
        let found = found(source, &page.replace(&format!("{line}\n"), ""));
        assert!(found.contains("no row has"), "{line}: {found}");
    }
    for (text, other, problem) in [
        ("door is", "gate is", "no literal has"),
        ("is empty", "is full", "no literal has"),
        ("the file {}", "the old file {}", "no row has"),
        ("passed over", "skipped", "no literal has"),
        ("; open it", "", "no hint"),
        ("detail.hint(\"write a line of text\")", "detail", "no hint"),
        ("\"write a line of text\"", "\"\"", "no hint"),
    ] {
        let found = found(&source.replace(text, other), page);
        assert!(found.contains(problem), "{text}: {found}");
    }
    assert!(found(source, &page.replacen("a fix", "", 1)).contains("an empty cell"));
}
