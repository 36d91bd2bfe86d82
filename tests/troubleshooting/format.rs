//! Format strings.

use crate::evaluate::ANYTHING;

/// A part of a format string.
pub(crate) enum Piece {
    Text(String),
    Argument { name: String, is_debug: bool },
}

/// Takes a format string apart.
pub(crate) fn pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' | '}' if rest.peek() == Some(&c) => {
                rest.next();
                text.push(c);
            }
            '{' => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                let inside: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let (name, how) = inside.split_once(':').unwrap_or((&inside, ""));
                pieces.push(Piece::Argument {
                    name: name.trim().to_owned(),
                    is_debug: how.ends_with('?'),
                });
            }
            _ => text.push(c),
        }
    }
    pieces.push(Piece::Text(text));
    pieces
}

/// A format string whose arguments nobody knows.
pub(crate) fn with_anything(format: &str) -> String {
    pieces(format)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Argument { is_debug: true, .. } => format!("\"{ANYTHING}\""),
            Piece::Argument { .. } => ANYTHING.to_owned(),
        })
        .collect()
}
