//! Indented JSON, with every value exactly as in the response.

use std::fmt::Write as _;

use crate::terminal::push_json;

/// Spaces for each level.
const INDENT: usize = 2;
/// Deeper levels are indented no further, so that nesting cannot make a short response long.
const DEEPEST: usize = 32;

/// Breaks a valid JSON text into lines. Values keep their digits and their order; characters that would move the cursor
/// of a terminal or the direction of the text are written as escapes, which mean the same.
pub(super) fn indented(json: &str) -> String {
    let mut shown = Shown::default();
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => shown.string(&mut rest),
            '{' | '[' => {
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                shown.text.push(c);
                match rest.next_if(|c| matches!(c, '}' | ']')) {
                    Some(end) => shown.text.push(end),
                    None => shown.line(shown.depth + 1),
                }
            }
            '}' | ']' => {
                shown.line(shown.depth.saturating_sub(1));
                shown.text.push(c);
            }
            ',' => {
                shown.text.push(c);
                shown.line(shown.depth);
            }
            ':' => shown.text.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => shown.text.push(c),
        }
    }
    shown.text
}

#[derive(Default)]
struct Shown {
    text: String,
    depth: usize,
}

impl Shown {
    /// Begins a line at this level.
    fn line(&mut self, depth: usize) {
        self.depth = depth;
        // Writing to a String cannot fail.
        let _ = write!(self.text, "\n{:1$}", "", depth.min(DEEPEST) * INDENT);
    }

    /// Copies the rest of a string, with its quotation marks.
    fn string(&mut self, rest: &mut impl Iterator<Item = char>) {
        self.text.push('"');
        while let Some(c) = rest.next() {
            push_json(&mut self.text, c);
            match c {
                '"' => return,
                '\\' => self.text.extend(rest.next()),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_nesting_does_not_grow_beyond_measure() {
        const DEPTH: usize = 100_000;
        let json = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
        let shown = indented(&json);
        assert!(
            shown.len() < 2 * DEPTH * (DEEPEST * INDENT + 2),
            "{}",
            shown.len()
        );
        assert_eq!(shown.split_whitespace().collect::<String>(), json);
    }

    #[test]
    fn values_stay_as_they_were_written() {
        let json = r#" {"b": 12345678901234567890.10, "a":[1,{"c":"x, {\"y\"}\\"}, {} ,[ ]],"e":""} "#;
        let shown = indented(json.trim());
        assert_eq!(
            shown,
            "{\n  \"b\": 12345678901234567890.10,\n  \"a\": [\n    1,\n    {\n      \"c\": \"x, {\\\"y\\\"}\\\\\"\n    },\n    \
             {},\n    []\n  ],\n  \"e\": \"\"\n}"
        );
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(json));
    }

    #[test]
    fn no_character_moves_the_cursor_of_a_terminal() {
        let json = "[\"\u{9b}31m \u{202e} \u{7f} \u{e0041} ä\"]";
        let shown = indented(json);
        assert!(shown.contains(r"\u009b31m \u202e \u007f"), "{shown}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(json));
    }
}
