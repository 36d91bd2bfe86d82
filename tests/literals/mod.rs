//! The sources of a crate: their tokens, and the literals that may be texts of errors or warnings. For the tests
//! `troubleshooting` and `style`.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::Lit;

/// A literal, with `…` for each argument of a format.
pub(crate) struct Literal {
    pub(crate) text: String,
    pub(crate) place: String,
    /// It is for developers, as that of `debug!` or `assert!`.
    pub(crate) is_internal: bool,
    /// An error begins with it.
    pub(crate) is_start: bool,
    /// It begins with the name of the crate.
    pub(crate) is_named: bool,
}

/// Whose first literal is the beginning of an error.
const STARTS: [&str; 5] = ["builder", "detail", "error", "other", "warn!"];

/// The path and the tokens of each source below a folder, without tests.
pub(crate) fn files(folder: &Path) -> Vec<(String, TokenStream)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy();
        if name == "test_util" || name == "tests" || name.ends_with("_tests") {
            // Not shown to users.
        } else if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("mod tests {").next().unwrap();
            files.push((path.display().to_string(), source.parse().unwrap()));
        }
    }
    files
}

/// The literals of a file. Of attributes only `#[error("…")]` has texts.
pub(crate) fn literals((place, tokens): &(String, TokenStream)) -> Vec<Literal> {
    let mut literals = Vec::new();
    walk(tokens.clone(), place, [false; 2], &mut literals);
    literals
}

fn walk(tokens: TokenStream, place: &str, [is_internal, mut start]: [bool; 2], literals: &mut Vec<Literal>) {
    let mut name = String::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => name = ident.to_string(),
            TokenTree::Punct(mark) if mark.as_char() == '!' => name.push('!'),
            TokenTree::Punct(mark) => name = mark.to_string(),
            TokenTree::Group(group) => {
                let text = group.to_string();
                let has_texts = !name.starts_with('#') || text.starts_with("[error");
                let parts = ["debug", "info", "trace", "span", "assert", "unreachable"];
                let is_macro = name.ends_with('!') && parts.iter().any(|part| name.contains(part));
                let starts = text.starts_with('(') && STARTS.contains(&&*name) || start && name == "format!";
                if has_texts {
                    walk(group.stream(), place, [is_internal || is_macro, starts], literals);
                }
                name.clear();
            }
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                if let Lit::Str(literal) = Lit::new(literal) {
                    let (text, folder) = (literal.value(), place.split("/src/").next().unwrap());
                    let named = text.split_once(": ").filter(|(_, text)| words(text) > 2);
                    let is_named = named.is_some_and(|(name, _)| !name.is_empty() && folder.ends_with(name));
                    let (text, place) = (plain(&with_gaps(&text)), format!("{place}:{line}"));
                    // One word is the name of who says it.
                    let is_start = start && words(&text) > 1;
                    start &= !is_start;
                    literals.push(Literal {
                        text,
                        place,
                        is_internal,
                        is_start,
                        is_named,
                    });
                }
            }
        }
    }
}

fn with_gaps(format: &str) -> String {
    let format = format.replace("{{", "(").replace("}}", ")");
    let mut parts = format.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    let after = |part: &str| {
        part.split_once('}')
            .map_or(String::new(), |(_, after)| after.to_owned())
    };
    parts.fold(first, |text, part| text + "…" + &after(part))
}

/// The text on one line, with one kind of quotation mark, and without the name of who says it.
pub(crate) fn plain(text: &str) -> String {
    let text = text.trim();
    let named = text
        .split_once(": ")
        .filter(|(name, _)| !name.contains(' ') && *name != "retry");
    let text = named
        .map_or(text, |(_, text)| text)
        .replace(['`', '\''], "\"")
        .replace('{', "(");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn words(text: &str) -> usize {
    let words = text.split_whitespace();
    words.filter(|word| word.contains(char::is_alphabetic)).count()
}
