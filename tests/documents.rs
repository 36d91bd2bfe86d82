//! What the documents say is what the code says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The examples package compiles these programs; this holds the pages to them.
#[test]
fn the_examples_that_are_shown_are_those_that_are_compiled() {
    for (page, program) in [
        ("README.md", "examples/minimal.rs"),
        ("docs/acs-client.md", "examples/pages/acs_client.rs"),
        ("docs/acs-client.md", "examples/pages/acs_client_local.rs"),
        ("docs/acs-client.md", "examples/pages/acs_client_tests.rs"),
        ("docs/chain.md", "examples/pages/chain.rs"),
        ("docs/custom.md", "examples/pages/custom.rs"),
        ("docs/custom.md", "examples/pages/custom_tests.rs"),
        (
            "docs/custom.md",
            "examples/existing_http_stack/tests/own_client.rs",
        ),
        ("docs/profile.md", "examples/pages/profile_tests.rs"),
        ("docs/default-chain.md", "examples/pages/default_chain.rs"),
        ("docs/default-chain.md", "examples/pages/default_chain_tests.rs"),
        ("docs/default-chain.md", "examples/pages/vendor_chain.rs"),
    ] {
        shows(page, program);
    }
}

/// The pages on the client, each of them short enough to read at once.
const CLIENT: [&str; 4] = [
    "docs/oss-client.md",
    "docs/oss-client-operations.md",
    "docs/oss-client-settings.md",
    "docs/oss-client-transfers.md",
];

/// The pages on the client have a piece of code for each task: each stands in this program, which runs them.
#[test]
fn the_tasks_of_the_clients_pages_are_compiled() {
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let page: String = CLIENT.into_iter().map(read).collect();
    let program = squeeze(&read("examples/pages/oss_client.rs"));
    let pieces: Vec<&str> = page
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    for piece in &pieces {
        assert!(program.contains(&squeeze(piece)), "not compiled: {piece}");
    }
    assert!(pieces.len() > 20, "only {} pieces", pieces.len());
}

/// Each Rust program on the page of a provider is in this example, whole.
#[test]
fn the_programs_of_the_providers_pages_are_compiled() {
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let programs = squeeze(&read("examples/pages/providers.rs")).replace("pub(super)", "");
    let others = squeeze(&read("examples/pages/profile_tests.rs"));
    let pages = [
        "ecs-ram-role",
        "env",
        "fc-context",
        "kms-client-key",
        "oidc-rrsa",
        "process",
        "profile",
        "static",
        "sts-assume-role",
        "uri",
        "vending",
    ];
    for name in pages {
        let page = read(format!("docs/{name}.md"));
        let mut pieces = 0;
        for piece in page
            .split("```rust\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
        {
            let piece = squeeze(piece);
            assert!(
                programs.contains(&piece) || others.contains(&piece),
                "{name}: not compiled: {piece}"
            );
            pieces += 1;
        }
        assert!(
            pieces > 0 && page.contains("```toml\n[dependencies]\n"),
            "{name} shows no program"
        );
    }
}

/// Programs that a page runs against the local cloud read its variables: without them, `builder()` calls the real
/// service.
#[test]
fn programs_for_the_local_cloud_read_its_variables() {
    for name in ["ecs-ram-role", "oidc-rrsa", "sts-assume-role", "uri"] {
        let page = read(format!("docs/{name}.md"));
        assert!(
            page.contains("-- PROGRAM`"),
            "{name} does not name the local cloud"
        );
        assert!(
            page.contains("`cargo install --path crates/oss-testkit`"),
            "{name} does not state how to install the local cloud"
        );
        for program in page
            .split("```rust\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
        {
            assert!(program.contains("::from_env("), "{name}: {program}");
        }
    }
}

/// Links of the pages on the client to their own sections.
#[test]
fn sections_of_the_clients_pages_exist() {
    let mut links = 0;
    for name in CLIENT {
        let page = read(name);
        let sections = anchors(&page);
        for link in page
            .split("](#")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            assert!(
                sections.iter().any(|section| section == link),
                "{name} has no section {link:?}"
            );
            links += 1;
        }
    }
    assert!(links > 15, "only {links} links");
}

fn shows(page: &str, program: &str) {
    let page_text = read(page);
    let blocks = page_text.split("```rust\n").skip(1);
    let compiled = read(program);
    let (_, compiled) = compiled.split_once("\nuse ").unwrap();
    let lines = |text: &str| {
        text.lines()
            .map(|line| line.trim().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    // Formatting may differ in where lines break.
    let squeeze = |text: &str| lines(text).split_whitespace().collect::<String>();
    let compiled = squeeze(&format!("use {compiled}"));
    let mut shown = blocks.map(|rest| squeeze(rest.split("```").next().unwrap()));
    assert!(
        shown.any(|shown| shown == compiled),
        "{page} does not show {program}"
    );
}

#[test]
fn every_crate_has_a_readme_and_stands_in_the_root_one() {
    let readme = read("README.md");
    let mut crates = 0;
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            readme.contains(&format!("(crates/{name})")),
            "README.md does not name {name}"
        );
        assert!(
            read(format!("crates/{name}/README.md")).starts_with(&format!("# {name}\n")),
            "{name}"
        );
        crates += 1;
    }
    assert!(crates > 5);
}

/// A feature has the same name in each crate.
#[test]
fn features_that_add_a_crate_of_the_family_are_named_like_it() {
    let mut seen = 0;
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let text = read(&manifest);
        let (_, features) = text.split_once("[features]\n").unwrap_or_default();
        let features = features.split("\n[").next().unwrap_or_default();
        let mut feature = "";
        for line in features.lines() {
            feature = line.split_once(" = [").map_or(feature, |(name, _)| name);
            for added in line.split("\"dep:oss-credentials-").skip(1) {
                let added = added.split('"').next().unwrap();
                assert_eq!(feature, added, "{}", manifest.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Sources and pages name sections that exist, as `docs/env.md#errors` or `env.md#errors`.
#[test]
fn sections_that_are_named_exist() {
    let mut pages = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            pages.insert(name, anchors(&std::fs::read_to_string(path).unwrap()));
        }
    }
    let mut named = 0;
    let mut folders = vec![root().join("crates"), root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !path
                .extension()
                .is_some_and(|extension| extension == "rs" || extension == "md")
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for (page, section) in named_sections(&text) {
                let Some(sections) = pages.get(page) else {
                    continue;
                };
                assert!(
                    sections.iter().any(|anchor| anchor == section),
                    "{}: {page} has no section {section:?}",
                    path.display()
                );
                named += 1;
            }
        }
    }
    assert!(named > 60, "only {named} sections are named");
}

/// Each `name.md#section` of a text.
fn named_sections(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.match_indices(".md#").map(move |(at, mark)| {
        let (before, behind) = (&text[..at + mark.len() - 1], &text[at + mark.len()..]);
        let page = before.rsplit(|c| !is_of_a_name(c)).next().unwrap_or_default();
        let end = behind
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .unwrap_or(behind.len());
        (page, &behind[..end])
    })
}

/// How the headings of a page are linked to.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .replace(' ', "-");
        title
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            .collect()
    };
    headings.map(anchor).collect()
}

/// Whoever looks for a variable finds it on one page: each name that the sources of a crate hold in a constant
/// `ENV_…`, in a row that names this crate.
#[test]
fn every_variable_stands_on_the_page_of_variables() {
    let page = read("docs/environment.md");
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .collect();
    let mut found = 0;
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let inside = path.strip_prefix(root().join("crates")).unwrap();
            let name = inside.iter().next().unwrap().to_str().unwrap();
            let reader = match name {
                "oss-client" => name,
                _ => name.strip_prefix("oss-credentials-").unwrap_or("the chain"),
            };
            for rest in text.split("const ENV_").skip(1) {
                let Some((_, value)) = rest.split(';').next().unwrap().split_once(": &str = \"") else {
                    continue;
                };
                let variable = value.trim_end_matches('"');
                let row = rows.iter().find(|(name, _)| *name == variable);
                let (_, read_by) = row.unwrap_or_else(|| panic!("{name}: no row for {variable}"));
                assert!(
                    read_by.split(" | ").next().unwrap().contains(reader),
                    "the row for {variable} does not say that {reader} reads it: {read_by}"
                );
                found += 1;
            }
        }
    }
    assert!(found > 30, "only {found} variables");
}

/// Names of events and spans are a contract: each stands on the page of events.
#[test]
fn every_event_stands_on_the_page_of_events() {
    let page = read("docs/events.md");
    for file in [
        "crates/oss-client/src/observe.rs",
        "crates/oss-credentials-core/src/chain.rs",
        "crates/oss-credentials-core/src/refresh/event.rs",
    ] {
        let text = read(file);
        let (_, names) = text.split_once("mod names {").unwrap();
        let (names, _) = names.split_once('}').unwrap();
        let mut found = 0;
        for name in names.split('"').skip(1).step_by(2) {
            assert!(
                page.contains(&format!("| `{name}` |")),
                "{file}: no row for {name}"
            );
            found += 1;
        }
        assert!(found > 3, "{file}: only {found} names");
    }
}

/// Relative links in the Markdown files lead somewhere.
#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    let mut pages = vec![
        PathBuf::from("README.md"),
        "CONTRIBUTING.md".into(),
        "SECURITY.md".into(),
    ];
    for folder in ["docs", "docs/adr"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = PathBuf::from(entry.unwrap().file_name());
            if name.extension().is_some_and(|extension| extension == "md") {
                pages.push(Path::new(folder).join(name));
            }
        }
    }
    for page in pages {
        let text = read(&page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || link.contains(' ') {
                continue;
            }
            let target = root().join(page.parent().unwrap()).join(target);
            assert!(
                target.exists(),
                "{}: the link {link} leads nowhere",
                page.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} links");
}
