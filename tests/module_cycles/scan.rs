//! Reading the modules of a crate: what each of them declares, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Segments of a path in the source.
pub(crate) type Segments = Vec<String>;

/// One file.
#[derive(Default)]
pub(crate) struct Module {
    /// What `use` brings into it: the name, and where it comes from.
    pub(crate) imports: BTreeMap<String, Segments>,
    /// All paths that it names, those of `use` included.
    pub(crate) paths: BTreeSet<Segments>,
    children: Vec<String>,
}

/// The modules under a root file, by their paths without `crate`; the root is the empty path.
pub(crate) fn modules(root: &Path) -> BTreeMap<String, Module> {
    let mut found = BTreeMap::new();
    let folder = root.parent().unwrap_or(root).to_owned();
    add(root, &folder, String::new(), &mut found);
    found
}

fn add(file: &Path, folder: &Path, name: String, found: &mut BTreeMap<String, Module>) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let tokens: TokenStream = text
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let module = Module::read(tokens);
    for child in &module.children {
        let path = if name.is_empty() {
            child.clone()
        } else {
            format!("{name}::{child}")
        };
        let candidates: [PathBuf; 2] = [
            folder.join(format!("{child}.rs")),
            folder.join(child).join("mod.rs"),
        ];
        if let Some(file) = candidates.iter().find(|file| file.exists()) {
            add(file, &folder.join(child), path, found);
        }
    }
    found.insert(name, module);
}

impl Module {
    fn read(tokens: TokenStream) -> Self {
        let mut flat = Vec::new();
        flatten(tokens, &mut flat);
        let mut module = Self::default();
        let mut at = 0;
        while at < flat.len() {
            at = module.step(&flat, at);
        }
        module
    }

    /// Reads what begins at a token, and returns where the next thing begins.
    fn step(&mut self, flat: &[String], at: usize) -> usize {
        let token = |at: usize| flat.get(at).map_or("", String::as_str);
        match token(at) {
            "mod" if token(at + 2) == ";" => {
                self.children.push(token(at + 1).to_owned());
                at + 3
            }
            // `pub(in path)` says who may need this, not what it needs.
            "pub" if token(at + 2) == "in" => {
                let rest = flat.get(at..).unwrap_or_default();
                at + rest.iter().position(|token| token == ")").unwrap_or(1)
            }
            "use" if token(at + 1) != "<" => {
                let mut end = at + 1;
                self.import(flat, &mut end, &Vec::new());
                end + 1
            }
            name if is_name(name) && token(at + 1) == "::" => {
                let (path, end) = path(flat, at);
                self.paths.insert(path);
                end
            }
            _ => at + 1,
        }
    }

    /// Reads one tree of `use`.
    fn import(&mut self, flat: &[String], at: &mut usize, before: &Segments) {
        let token = |at: usize| flat.get(at).map_or("", String::as_str);
        let mut segments = before.clone();
        loop {
            match token(*at) {
                "{" => {
                    *at += 1;
                    while !matches!(token(*at), "}" | "") {
                        self.import(flat, at, &segments);
                        if token(*at) == "," {
                            *at += 1;
                        }
                    }
                    *at += 1;
                    return;
                }
                "*" => {
                    *at += 1;
                    self.paths.insert(segments);
                    return;
                }
                "::" => *at += 1,
                "as" => {
                    let alias = token(*at + 1).to_owned();
                    *at += 2;
                    self.add_import(alias, segments);
                    return;
                }
                "," | ";" | "}" | "" => {
                    let name = segments.last().cloned().unwrap_or_default();
                    self.add_import(name, segments);
                    return;
                }
                "self" if !before.is_empty() => *at += 1,
                name => {
                    segments.push(name.to_owned());
                    *at += 1;
                }
            }
        }
    }

    fn add_import(&mut self, name: String, segments: Segments) {
        self.paths.insert(segments.clone());
        self.imports.insert(name, segments);
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// A path that begins at a token, and the end of it.
fn path(flat: &[String], mut at: usize) -> (Segments, usize) {
    let mut segments = vec![flat[at].clone()];
    at += 1;
    while flat.get(at).is_some_and(|token| token == "::") {
        match flat.get(at + 1) {
            Some(name) if is_name(name) => segments.push(name.clone()),
            _ => return (segments, at + 1),
        }
        at += 2;
    }
    (segments, at)
}

/// Names, `::` and other signs in their order, without strings, and without what is compiled for tests only.
fn flatten(tokens: TokenStream, flat: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        if is_for_tests(&tokens, at) {
            at = end_of_item(&tokens, at + 2);
            continue;
        }
        match &tokens[at] {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                flat.push(open.to_owned());
                flatten(group.stream(), flat);
                flat.push(close.to_owned());
            }
            TokenTree::Ident(name) => flat.push(name.to_string()),
            TokenTree::Punct(sign) if sign.as_char() == ':' && is_colon(tokens.get(at + 1)) => {
                flat.push("::".to_owned());
                at += 1;
            }
            TokenTree::Punct(sign) => flat.push(sign.as_char().to_string()),
            TokenTree::Literal(_) => flat.push("\"\"".to_owned()),
        }
        at += 1;
    }
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(sign)) if sign.as_char() == ':')
}

/// Whether `#[cfg(test)]` or the like begins here.
fn is_for_tests(tokens: &[TokenTree], at: usize) -> bool {
    let (Some(TokenTree::Punct(sign)), Some(TokenTree::Group(attribute))) =
        (tokens.get(at), tokens.get(at + 1))
    else {
        return false;
    };
    let text = attribute.to_string().replace(' ', "");
    sign.as_char() == '#' && text == "[cfg(test)]"
}

/// The end of an item: after its braces, or its semicolon.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        let ends = match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(sign) => sign.as_char() == ';',
            _ => false,
        };
        if ends {
            break;
        }
    }
    at
}
