//! Whether each error that is made says what to do.

use proc_macro2::{TokenStream, TokenTree};

use crate::literals::literals;

const ADVICE: [&str; 3] = [".hint(", ".with_hint(", ".advice_of("];
/// Functions that return a detail for their callers to complete: each call needs a hint.
const OPEN: [&str; 5] = [
    ".detail(",
    "detail_at(",
    ".refused_detail(",
    "about_role_name(",
    "about_token_file(",
];
/// Functions that add a hint to the detail that they are given.
const COMPLETING: [&str; 2] = [".no_role(", ".refused("];
/// The text of this one lists the errors of the members, each with its hint.
const LIST: &str = "nobody_answered(";
/// This text is written in several steps, of which the last one writes the hint.
const SEVERAL: &str = " was refused (";

/// The functions of a file that make an error without a hint, and its errors that name the crate and have none.
pub(crate) fn without_advice(file: &(String, TokenStream)) -> Vec<String> {
    let text = joined(file.1.clone());
    let name = |function: &str| function.split(['(', '<']).next().unwrap_or_default().to_owned() + "(";
    let is_listed = |name: &str| OPEN.iter().any(|call| call.trim_start_matches('.') == name);
    let is_open = |text: &str| text.contains("->ErrorDetailBuilder{") && is_listed(&name(text));
    let functions = text.split("\nfn ").skip(1).filter(|text| !is_open(text));
    let bare = functions.filter(|text| name(text) != LIST && makes_bare(text));
    let is_bare = |text: &str| !text.contains("; ") && !text.contains(SEVERAL);
    let texts = literals(file).into_iter().filter(|text| text.is_named);
    let texts = texts.map(|text| text.text).filter(|text| is_bare(text));
    let found = bare.map(name).chain(texts);
    found
        .map(|what| format!("{}: {what:?} has no hint", file.0))
        .collect()
}

fn makes_bare(function: &str) -> bool {
    let mut places = Vec::new();
    for call in OPEN.iter().chain(&["ErrorDetail::builder("]) {
        places.extend(function.match_indices(call).map(|(at, call)| at + call.len()));
    }
    places.sort_unstable();
    places.dedup();
    places.push(function.len());
    places.windows(2).any(|places| {
        let (before, rest) = function.split_at(places[0]);
        let mut statements = rest[..places[1] - places[0]].split(';');
        let statement = statements.next().unwrap_or_default();
        let mut begins = before.rsplit([';', '{', '}']);
        let binding = begins.next().and_then(|begin| begin.strip_prefix("let "));
        let name = binding.and_then(|binding| binding.trim_start_matches("mut ").split('=').next());
        let mut later = rest.split(';').skip(1);
        let later = name.is_some_and(|name| later.any(|later| later.contains(name) && is_advised(later)));
        // Without a word, it is that of an error, or made to have a place cleaned. Another one may follow within it.
        let made = statement.split(").").next().unwrap_or_default();
        let is_made =
            !statement.starts_with(')') && !made.ends_with("\"\"") && made != "ErrorDetail::builder(";
        is_made && !later && !is_advised(statement)
    })
}

fn is_advised(statement: &str) -> bool {
    let mut hints = ADVICE.iter().flat_map(|method| statement.match_indices(method));
    let is_completed = COMPLETING.iter().any(|call| statement.contains(call));
    is_completed || hints.any(|(at, method)| !statement[at + method.len()..].starts_with("\"\""))
}

/// Tokens without spaces and without what literals say; each function begins a line.
fn joined(tokens: TokenStream) -> String {
    tokens.into_iter().fold(String::new(), |text, token| match token {
        TokenTree::Group(group) => {
            let around = group.to_string();
            text + &around[..1] + &joined(group.stream()) + &around[around.len() - 1..]
        }
        TokenTree::Ident(name) if name == "fn" => text + "\nfn ",
        TokenTree::Ident(name) if name == "let" || name == "mut" => text + &format!("{name} "),
        TokenTree::Literal(literal) if literal.to_string() != "\"\"" => text + "\"…\"",
        token => text + &token.to_string(),
    })
}
