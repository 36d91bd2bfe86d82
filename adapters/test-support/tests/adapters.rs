//! Rules for all adapters: the README shows the programs that are compiled and run and names its limitations,
//! and an adapter stays small.
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use std::path::{Path, PathBuf};

/// Most lines of code that an adapter may have: what is more belongs into the family's crates, where its tests are.
const MOST_LINES: usize = 400;

/// The adapters' folders: not those of their benchmark and of what their tests share.
fn adapters() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let entries = std::fs::read_dir(workspace).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("oss-credentials-")
        })
        .collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The part of a program that a README shows: without its description and its lints.
fn shown(program: &str) -> String {
    let (_, rest) = program.split_once("\nuse ").unwrap();
    format!("```rust,ignore\nuse {rest}```\n")
}

#[test]
fn each_example_is_in_the_readme_of_its_adapter() {
    for adapter in adapters() {
        let readme = text(&adapter.join("README.md"));
        let examples = std::fs::read_dir(adapter.join("examples"));
        let examples = examples.unwrap_or_else(|error| panic!("{}: {error}", adapter.display()));
        let mut number = 0;
        for example in examples {
            let example = example.unwrap().path();
            assert!(
                readme.contains(&shown(&text(&example))),
                "{} is not shown",
                example.display()
            );
            number += 1;
        }
        let programs = readme.matches("#[tokio::main]").count();
        assert_eq!(programs, number, "{}: programs and examples", adapter.display());
    }
}

#[test]
fn each_readme_names_the_limits_and_stands_on_the_page() {
    let adapters = adapters();
    let page = text(&adapters[0].join("../../docs/adapters.md"));
    for adapter in &adapters {
        let name = adapter.file_name().unwrap().to_str().unwrap();
        let readme = text(&adapter.join("README.md"));
        assert!(readme.starts_with(&format!("# {name}\n")), "{name}");
        assert!(readme.contains("\n## Limitations\n\n- "), "{name}");
        assert!(page.contains(&format!("(../adapters/{name})")), "{name}");
    }
    assert!(adapters.len() > 4, "{adapters:?}");
}

#[test]
fn no_adapter_has_more_lines_of_code_than_an_adapter_needs() {
    for adapter in adapters() {
        let sources = std::fs::read_dir(adapter.join("src")).unwrap();
        let lines: usize = sources
            .map(|source| lines_of_code(&text(&source.unwrap().path())))
            .sum();
        assert!(
            (1..=MOST_LINES).contains(&lines),
            "{}: {lines} lines",
            adapter.display()
        );
    }
}

/// Lines that are neither empty nor comments, without the unit tests at the end.
fn lines_of_code(source: &str) -> usize {
    let (code, _) = source.split_once("#[cfg(test)]\n").unwrap_or((source, ""));
    let lines = code.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}
