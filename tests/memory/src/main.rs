//! Searches the memory that is freed for copies of secrets: no crate of this repository leaves one, and the copies that
//! third-party code leaves are exactly those that `docs/security.md` names.
//!
//! `cargo run --manifest-path tests/memory/Cargo.toml` runs all scenarios. `-- --trace WORD` runs those whose name holds
//! the word, and prints where each copy was freed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod allocator;
mod scenarios;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use allocator::Hit;
use scenarios::Scenario;

#[global_allocator]
static ALLOCATOR: allocator::Watching = allocator::Watching;

/// Crates that free memory for others: the copy is that of the code that called them.
const PASSED_OVER: [&str; 9] = [
    "alloc",
    "core",
    "dyn",
    "hashbrown",
    "std",
    "str",
    "u8",
    "rustc_std_workspace_core",
    "zeroize",
];

fn main() -> ExitCode {
    let mut trace = false;
    let mut wanted = String::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--trace" => trace = true,
            _ => wanted = argument,
        }
    }
    let (mut ran, mut failed) = (0, 0);
    let mut owners = BTreeSet::new();
    for scenario in scenarios::all() {
        owners.extend(scenario.expected.iter().map(|(_, owner)| *owner));
        if scenario.name.contains(wanted.as_str()) {
            ran += 1;
            failed += usize::from(!run(scenario, trace));
        }
    }
    println!("{ran} scenarios, {failed} with a copy of a secret that is not accounted for");
    let is_documented = owners == documented();
    if !is_documented {
        println!(
            "docs/security.md names other crates than {owners:?}: {:?}",
            documented()
        );
    }
    ExitCode::from(u8::from(failed > 0 || ran == 0 || !is_documented))
}

/// The crates that leave copies, as users read it.
fn documented() -> BTreeSet<&'static str> {
    let page = include_str!("../../../docs/security.md");
    let (_, section) = page.split_once("### Copies inside third-party code").unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    // The first cell: names in backticks.
    let names = rows.flat_map(|row| {
        row.split('|')
            .nth(1)
            .unwrap_or_default()
            .split('`')
            .skip(1)
            .step_by(2)
    });
    names.collect()
}

/// Whether the scenario left exactly the copies that are expected of it.
fn run(scenario: Scenario, trace: bool) -> bool {
    let Scenario { name, expected, work } = scenario;
    let hits = allocator::watch(secrets::Needles::new, work);
    let found: BTreeSet<(&str, String)> = hits.iter().map(|hit| (hit.secret, owner(hit))).collect();
    let expected: BTreeSet<(&str, String)> = expected
        .iter()
        .map(|(secret, owner)| (*secret, (*owner).to_owned()))
        .collect();
    let is_good = found == expected;
    println!("{} {name}", if is_good { "ok  " } else { "FAIL" });
    for (secret, owner) in expected.difference(&found) {
        println!(
            "     {secret}: expected from {owner}, not found: take it off the list and off docs/security.md"
        );
    }
    let mut shown = BTreeMap::new();
    for hit in &hits {
        let owner = owner(hit);
        if trace || !expected.contains(&(hit.secret, owner.clone())) {
            *shown.entry((hit.secret, hit.size, owner)).or_insert(0) += 1;
        }
        if trace {
            println!("{}: {} bytes\n{}", hit.secret, hit.size, hit.at);
        }
    }
    for ((secret, size, owner), times) in shown {
        println!("     {secret}: in a freed block of {size} bytes, from {owner} ({times} pieces)");
    }
    is_good
}

/// The crate that freed the block.
fn owner(hit: &Hit) -> String {
    let frames = hit.at.to_string();
    let mut owners = frames
        .lines()
        .filter_map(|line| Some(crate_of(line.split_once(": ")?.1)));
    // Up to the allocator, everything is about noting the hit.
    owners.by_ref().find(|owner| owner.as_str() == "__rustc");
    owners
        .find(|owner| !PASSED_OVER.contains(&owner.as_str()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The crate of a function, by its path; of a trait's method, the crate of the type; of a drop, the crate of what is
/// dropped.
fn crate_of(function: &str) -> String {
    let function = function
        .strip_prefix("core::ptr::drop_in_place::<")
        .unwrap_or(function);
    let function = function
        .strip_prefix("core::ptr::drop_in_place<")
        .unwrap_or(function);
    // `<T as Trait>::method`, `<&mut T as Trait>::method`, `<[T] as Trait>::method`.
    let bare = function
        .trim_start_matches(['<', '&', '[', '*'])
        .trim_start_matches("mut ")
        .trim_start_matches("const ");
    bare.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default()
        .to_owned()
}
