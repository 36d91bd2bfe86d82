//! Which module needs which, and which need each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::scan::Module;

/// How often a name is followed to where it comes from.
const MAX_DEPTH: usize = 8;

/// The modules of a crate, by their paths.
pub(crate) type Modules = BTreeMap<String, Module>;

/// For each module those that it needs. A name that a module passes on counts for the module that defines it. That a
/// module needs the root of the crate does not count: the root names all others, and holds constants for them.
pub(crate) fn needs(modules: &Modules) -> BTreeMap<&str, BTreeSet<&str>> {
    let needs = modules.iter().map(|(name, module)| {
        let targets = module
            .paths
            .iter()
            .filter_map(|path| resolve(modules, name, path, 0))
            .filter(|target| target != name && !target.is_empty());
        (name.as_str(), targets.collect())
    });
    needs.collect()
}

/// The module that defines what a path names; `None` outside of the crate.
fn resolve<'a>(modules: &'a Modules, from: &str, path: &[String], depth: usize) -> Option<&'a str> {
    if depth == MAX_DEPTH {
        return None;
    }
    let mut at = match path.first()?.as_str() {
        "crate" => "",
        "self" => from,
        "super" => parent(from),
        first => {
            let child = join(from, first);
            if let Some((child, _)) = modules.get_key_value(&child) {
                child.as_str()
            } else {
                let import = modules.get(from)?.imports.get(first)?;
                let is_itself = import.first().is_some_and(|start| start == first);
                (!is_itself).then(|| resolve(modules, from, import, depth + 1))??
            }
        }
    };
    for segment in &path[1..] {
        if segment == "super" {
            at = parent(at);
            continue;
        }
        let child = join(at, segment);
        if let Some((child, _)) = modules.get_key_value(&child) {
            at = child;
            continue;
        }
        let import = modules.get(at)?.imports.get(segment);
        let origin = import.and_then(|import| resolve(modules, at, import, depth + 1));
        return known(modules, origin.unwrap_or(at));
    }
    known(modules, at)
}

fn known<'a>(modules: &'a Modules, name: &str) -> Option<&'a str> {
    modules.get_key_value(name).map(|(name, _)| name.as_str())
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

fn join(module: &str, child: &str) -> String {
    if module.is_empty() {
        child.to_owned()
    } else {
        format!("{module}::{child}")
    }
}

/// Groups of modules each of which needs all others, directly or not.
pub(crate) fn groups<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<BTreeSet<&'a str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        needs.keys().map(|name| (*name, reachable(needs, name))).collect();
    let mut groups: Vec<BTreeSet<&str>> = Vec::new();
    for (name, others) in &reached {
        if !others.contains(name) || groups.iter().any(|group| group.contains(name)) {
            continue;
        }
        let mutual = others.iter().filter(|other| reached[**other].contains(name));
        groups.push(mutual.copied().collect());
    }
    groups
}

/// What a module needs, directly or not: itself only on a way that leads back.
fn reachable<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = needs[start].iter().copied().collect();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(needs[name].iter().copied());
        }
    }
    found
}
