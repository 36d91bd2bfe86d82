//! Text from outside as a terminal may show it: the one place where this is decided.

/// Whether a terminal obeys a character in place of showing it, or shows what follows in another order or on another
/// line: control characters, the marks, embeddings, overrides and isolates of bidirectional text (Unicode Standard Annex
/// 9, section 2), and the separators of lines and paragraphs.
///
/// ```
/// use oss_credentials_core::terminal::is_unsafe;
/// assert!(is_unsafe('\u{1b}') && is_unsafe('\u{202e}') && !is_unsafe('é'));
/// ```
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The character, or a space in place of an [unsafe](is_unsafe) one.
///
/// ```
/// use oss_credentials_core::terminal::safe;
/// let name = "invoice\u{202e}fdp.exe\n";
/// assert_eq!(name.chars().map(safe).collect::<String>(), "invoice fdp.exe ");
/// ```
pub fn safe(c: char) -> char {
    if is_unsafe(c) { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_becomes_a_space() {
        let marks = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
        let controls = ('\0'..' ').chain('\u{7f}'..='\u{9f}');
        let directions = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        for c in controls.chain(directions).chain(marks) {
            assert_eq!(safe(c), ' ', "{c:?}");
        }
        for c in [
            'a', ' ', '~', '\u{a0}', 'é', '图', '😀', '\u{200d}', '\u{202f}', '\u{2065}', '\u{206a}',
        ] {
            assert_eq!(safe(c), c, "{c:?}");
        }
    }
}
