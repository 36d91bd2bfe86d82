//! Splits a command line into words, without a shell.
//!
//! The rules are those that the vendor's Go and Java clients share: no expansion and no comments.

/// The reason why a command line cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SplitError {
    UnclosedQuote,
    TrailingBackslash,
}

/// The context before an escaped character, which decides what the backslash means.
#[derive(Clone, Copy, PartialEq)]
enum Quote {
    None,
    Single,
    Double,
}

/// Splits at white space. `'…'` is literal; in `"…"` a backslash escapes `"`, `\`, `$` and a backtick only; elsewhere
/// it escapes any character. A backslash before a line end removes both, but not in `'…'`.
///
/// On Windows, where paths contain many of them, a backslash is an ordinary character, except for `\"` in `"…"`.
pub(crate) fn split(line: &str, windows: bool) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    // `Some` from the first character or quote on: `""` is a word, too.
    let mut word: Option<String> = None;
    let mut quote = Quote::None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Quote::Single, '\'') | (Quote::Double, '"') => quote = Quote::None,
            (Quote::Double, '\\') => match rest.next_if(|next| is_escaped_in_quotes(*next, windows)) {
                Some('\n') => {}
                escaped => word.get_or_insert_default().push(escaped.unwrap_or('\\')),
            },
            (Quote::None, '\'' | '"') => {
                quote = if c == '"' { Quote::Double } else { Quote::Single };
                word.get_or_insert_default();
            }
            (Quote::None, '\\') if !windows => match rest.next() {
                Some('\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err(SplitError::TrailingBackslash),
            },
            (Quote::None, _) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quote != Quote::None {
        return Err(SplitError::UnclosedQuote);
    }
    words.extend(word);
    Ok(words)
}

/// Whether a backslash in `"…"` escapes this character.
fn is_escaped_in_quotes(c: char, windows: bool) -> bool {
    c == '"' || (!windows && matches!(c, '\\' | '$' | '`' | '\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(line: &str) -> Result<Vec<String>, SplitError> {
        split(line, false)
    }

    fn words(line: &str) -> Vec<String> {
        unix(line).unwrap()
    }

    #[test]
    fn words_are_split_as_the_vendors_clients_do() {
        for (line, expected) in [
            ("", &[][..]),
            ("  \t\n ", &[]),
            ("helper", &["helper"]),
            (" helper  --json\t-p\nx ", &["helper", "--json", "-p", "x"]),
            ("'a b' \"c d\" e\\ f", &["a b", "c d", "e f"]),
            ("a'b'\"c\"d", &["abcd"]),
            ("'' \"\" x", &["", "", "x"]),
            (r#"'a\b' "a\b" a\b"#, &[r"a\b", r"a\b", "ab"]),
            (r#""\" \\ \$ \` \'""#, &[r#"" \ $ ` \'"#]),
            ("a\\\nb \"c\\\nd\" 'e\\\nf'", &["ab", "cd", "e\\\nf"]),
            (
                "$HOME ~ *.json `id` # no comment",
                &["$HOME", "~", "*.json", "`id`", "#", "no", "comment"],
            ),
            ("报告 ünï", &["报告", "ünï"]),
        ] {
            assert_eq!(words(line), expected, "{line:?}");
        }
        for line in ["'a", "\"a", "a 'b\"", "\"a\\\""] {
            assert_eq!(unix(line), Err(SplitError::UnclosedQuote), "{line:?}");
        }
        assert_eq!(unix("a\\"), Err(SplitError::TrailingBackslash));
    }

    #[test]
    fn on_windows_backslashes_are_kept() {
        assert_eq!(
            split(r#"C:\dir\helper.exe "C:\a b\c" "say \"hi\"" a\"#, true).unwrap(),
            [r"C:\dir\helper.exe", r"C:\a b\c", r#"say "hi""#, r"a\"]
        );
    }
}
