//! The string literals of a crate that may be texts of errors or warnings.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::Lit;

use crate::tables::plain;

/// A literal, with `…` for each argument of a format.
pub(crate) struct Literal {
    pub(crate) text: String,
    pub(crate) place: String,
    /// It is for developers, as that of `debug!` or `assert!`.
    pub(crate) is_internal: bool,
}

/// Reads all sources below a folder but those of tests.
pub(crate) fn read(folder: &Path, literals: &mut Vec<Literal>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "test_util" || name == "tests" || name.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            read(&path, literals);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            walk(
                source.parse().unwrap(),
                &path.display().to_string(),
                false,
                literals,
            );
        }
    }
}

/// Reads the literals of some tokens. Of attributes only `#[error("…")]` has texts, and tests have none.
pub(crate) fn walk(tokens: TokenStream, place: &str, is_internal: bool, literals: &mut Vec<Literal>) {
    let mut tokens = tokens.into_iter().peekable();
    let mut name = String::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) => name = ident.to_string(),
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                tokens.next_if(|next| next.to_string() == "!");
                let Some(TokenTree::Group(group)) = tokens.next() else {
                    continue;
                };
                let attribute = group.stream().to_string();
                if attribute.starts_with("error") {
                    walk(group.stream(), place, is_internal, literals);
                } else if attribute == "test" || attribute.replace(' ', "").starts_with("cfg(test") {
                    let is_end = |token: &TokenTree| match token {
                        TokenTree::Group(group) => group.delimiter() == proc_macro2::Delimiter::Brace,
                        token => token.to_string() == ";",
                    };
                    tokens.by_ref().find(is_end);
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == '!' => name.push('!'),
            TokenTree::Punct(_) => name.clear(),
            TokenTree::Group(group) => {
                let parts = ["debug", "info", "trace", "span", "assert", "unreachable"];
                let is_internal =
                    is_internal || name.ends_with('!') && parts.iter().any(|part| name.contains(part));
                walk(group.stream(), place, is_internal, literals);
                name.clear();
            }
            TokenTree::Literal(literal) => {
                if let Lit::Str(literal) = Lit::new(literal) {
                    literals.push(Literal {
                        text: plain(&with_gaps(&literal.value())),
                        place: format!("{place}:{}", literal.span().start().line),
                        is_internal,
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
    parts.fold(first, |text, part| {
        text + "…" + part.split_once('}').map_or("", |(_, after)| after)
    })
}
