//! Text for people: colors and line breaks where there is a terminal, plain lines everywhere else.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use oss_credentials::text;
use serde_json::Value;

use crate::failure::Failure;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();
pub(crate) const TITLE: Style = Style::new().bold();

/// Narrower windows are not broken into lines: there would be a word on each.
const NARROWEST: usize = 40;

/// Lines for people, collected before they are shown.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    width: Option<usize>,
}

impl Page {
    /// As wide as the terminal; lines are not broken where there is none.
    pub(crate) fn new() -> Self {
        let size = terminal_size::terminal_size_of(io::stdout());
        Self::of_width(size.map(|(width, _)| usize::from(width.0)))
    }

    fn of_width(width: Option<usize>) -> Self {
        Self {
            text: String::new(),
            width: width.filter(|width| *width >= NARROWEST),
        }
    }

    /// Adds a line, with a style for one word or phrase in it. Where the line is too long for the terminal, it is
    /// continued with `indent` spaces.
    pub(crate) fn line(&mut self, line: &str, indent: usize, mark: Option<(&str, Style)>) {
        // Names and messages come from services and files.
        let line = safe(line);
        let broken = match self.width {
            Some(width) => break_line(&line, width, indent),
            None => line,
        };
        let marked = mark.and_then(|(word, style)| {
            let (before, after) = broken.split_once(word)?;
            Some(format!("{before}{style}{word}{style:#}{after}"))
        });
        self.text.push_str(&marked.unwrap_or(broken));
        self.text.push('\n');
    }

    /// Adds a name and its value, in two columns.
    pub(crate) fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("  {name:<10}{value}"), 12, None);
    }

    /// Writes everything to standard output.
    pub(crate) fn print(self) -> io::Result<()> {
        print(&self.text)
    }
}

/// One line of text, in which no character moves the cursor of a terminal or changes the direction of the text.
pub(crate) fn safe(text: &str) -> String {
    text.chars().map(text::safe).collect()
}

/// Breaks a line between words, so that no part is wider than `width` if words allow it.
fn break_line(line: &str, width: usize, indent: usize) -> String {
    let lead = line.len() - line.trim_start_matches(' ').len();
    let (lead, words) = line.split_at(lead);
    let indent = indent.min(width / 2);
    let mut broken = lead.to_owned();
    let mut column = lead.len();
    for (number, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        // A word that would begin no further left stays where it is.
        let is_broken = column + 1 + length > width && column + 1 > indent && length > 0;
        if number > 0 && is_broken {
            broken.truncate(broken.trim_end_matches(' ').len());
            let _ = write!(broken, "\n{:indent$}", "");
            column = indent;
        } else if number > 0 {
            broken.push(' ');
            column += 1;
        }
        broken.push_str(word);
        column += length;
    }
    broken
}

/// Writes text to standard output, without its colors where there is no terminal or `NO_COLOR` is set.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes an indented JSON document to standard output. Characters that would move the cursor of a terminal are written
/// as escapes, which mean the same.
pub(crate) fn print_json(document: &Value) -> io::Result<()> {
    print(&format!("{}\n", shown_json(document)))
}

fn shown_json(document: &Value) -> String {
    let mut shown = String::new();
    for c in format!("{document:#}").chars() {
        // The line breaks are between values: inside of them they are escapes.
        match c {
            '\n' => shown.push(c),
            c => push_json(&mut shown, c),
        }
    }
    shown
}

/// Adds a character of a string in JSON, as an escape if it would move the cursor of a terminal or change the direction
/// of the text.
pub(crate) fn push_json(text: &mut String, c: char) {
    if text::safe(c) == c {
        text.push(c);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// Writes a remark to standard error, where it is not taken for a part of the output.
pub(crate) fn print_note(text: &str) {
    // Nobody is left to be told.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes a failure and its causes to standard error.
pub(crate) fn print_failure(failure: &Failure) {
    let mut shown = format!("{failure}");
    let mut cause = failure.source();
    while let Some(error) = cause {
        let text = safe(&error.to_string());
        // Layers repeat each other.
        if !shown.contains(&text) {
            let _ = write!(shown, "\n  because: {text}");
        }
        cause = error.source();
    }
    // Nobody is left to be told.
    let _ = writeln!(anstream::stderr().lock(), "{shown}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_keep_their_indent() {
        let line = "  env  not configured: no AccessKey pair is set; set both variables";
        assert_eq!(
            break_line(line, 40, 7),
            "  env  not configured: no AccessKey pair\n       is set; set both variables"
        );
        assert_eq!(break_line(line, 200, 7), line);
        let word = "x".repeat(60);
        assert_eq!(break_line(&word, 40, 7), word, "a word is never broken");
        let fact = format!("  identity  {word}");
        assert_eq!(break_line(&fact, 40, 12), fact, "and never moved in vain");
        let gap = format!("  a  {word}");
        assert_eq!(break_line(&gap, 40, 2), format!("  a\n  {word}"));
    }

    #[test]
    fn a_page_without_a_terminal_has_plain_lines() {
        let mut page = Page::of_width(None);
        page.line("  env  in use", 7, None);
        page.fact("account", "1");
        assert_eq!(page.text, "  env  in use\n  account   1\n");
    }

    #[test]
    fn no_character_moves_the_cursor() {
        let mut page = Page::of_width(None);
        page.fact("identity", "acs:\u{1b}[2J\u{9b}31m\u{202e}");
        assert_eq!(page.text, "  identity  acs: [2J 31m \n");
        let document = serde_json::json!({ "key": "a\u{1b}b\u{9b}c\u{202e}d\n" });
        let shown = shown_json(&document);
        assert_eq!(shown, "{\n  \"key\": \"a\\u001bb\\u009bc\\u202ed\\n\"\n}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), document);
    }

    #[test]
    fn a_word_is_marked_once() {
        let mut page = Page::of_width(Some(80));
        page.line("env in use, in use", 0, Some(("in use", TITLE)));
        assert_eq!(page.text, format!("env {TITLE}in use{TITLE:#}, in use\n"));
    }
}
