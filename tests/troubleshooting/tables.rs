//! The tables of errors on the pages.

use crate::literals::{plain, words};

/// What is left away at both ends of a part.
pub(crate) const MARKS: [char; 7] = [' ', ':', ',', ';', '"', '.', '/'];

pub(crate) struct Row {
    pub(crate) place: String,
    /// What the first cell has in code font.
    pub(crate) texts: Vec<String>,
    pub(crate) is_complete: bool,
}

/// Reads the tables of a page whose first column is `error`.
pub(crate) fn rows(name: &str, page: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut is_inside = false;
    for (index, line) in page.lines().enumerate() {
        let Some(inside) = line.strip_prefix("| ") else {
            is_inside &= line.starts_with("|---");
            continue;
        };
        let cells: Vec<&str> = inside.trim_end_matches('|').split(" | ").map(str::trim).collect();
        if !is_inside {
            is_inside = cells == ["error", "variant", "cause", "what to do"];
            continue;
        }
        rows.push(Row {
            place: format!("docs/{name}.md:{}", index + 1),
            texts: in_code_font(cells[0]),
            is_complete: cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()),
        });
    }
    rows
}

fn in_code_font(cell: &str) -> Vec<String> {
    // A text that has backticks itself is set between two of them.
    let mark = if cell.contains("``") { "``" } else { "`" };
    cell.split(mark).skip(1).step_by(2).map(plain).collect()
}

/// The parts of a text that are the same each time: between placeholders and parentheses, and up to the advice.
pub(crate) fn fixed_parts(text: &str) -> Vec<&str> {
    let text = text.split("; ").find(|text| words(text) > 1).unwrap_or(text);
    let parts = text.split(['…', '(', ')', '<', '>']);
    let parts = parts.map(|part| part.trim_matches(MARKS));
    parts.filter(|part| words(part) > 0).collect()
}

/// The first place of some whole words.
pub(crate) fn whole_words(text: &str, words: &str) -> Option<usize> {
    let is_open = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let mut places = text.match_indices(words).map(|(at, _)| at);
    let is_whole = |at: &usize| {
        is_open(text[..*at].chars().next_back()) && is_open(text[at + words.len()..].chars().next())
    };
    places.find(is_whole)
}
