//! Makes text from outside safe for a terminal, a log or an error: the only place where this is decided.

/// Maximum length of a service's own text in an error, in characters.
const MAX_SERVICE_TEXT: usize = 512;

/// Returns whether a terminal interprets a character instead of showing it, or shows what follows in another order or
/// on another line: control characters, the marks, embeddings, overrides and isolates of bidirectional text (Unicode
/// Standard Annex 9, section 2), and the separators of lines and paragraphs.
///
/// ```
/// use oss_credentials_core::text::is_unsafe;
/// assert!(is_unsafe('\u{1b}') && is_unsafe('\u{202e}') && !is_unsafe('é'));
/// ```
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the character, or a space instead of an [unsafe](is_unsafe) one.
///
/// ```
/// use oss_credentials_core::text::safe;
/// let name = "invoice\u{202e}fdp.exe\n";
/// assert_eq!(name.chars().map(safe).collect::<String>(), "invoice fdp.exe ");
/// ```
pub fn safe(c: char) -> char {
    if is_unsafe(c) { ' ' } else { c }
}

/// Returns text from outside as one line of a message: unsafe characters become spaces, and anything after
/// 512 characters is cut.
///
/// ```
/// use oss_credentials_core::text::clean;
/// assert_eq!(clean("denied\r\nfor now\n"), "denied  for now");
/// ```
pub fn clean(text: &str) -> String {
    let mut cleaned: String = text.chars().map(safe).take(MAX_SERVICE_TEXT + 1).collect();
    if let Some((cut, _)) = cleaned.char_indices().nth(MAX_SERVICE_TEXT) {
        cleaned.truncate(cut);
        cleaned.push('…');
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// Returns the text without the parts of its URLs that may be secret: user-info, query and fragment. Other words stay.
///
/// ```
/// use oss_credentials_core::text::without_secrets;
/// assert_eq!(without_secrets("GET https://u:p@vault.example/key?token=1"), "GET https://vault.example/key");
/// ```
pub fn without_secrets(place: &str) -> String {
    let mut cleaned = String::with_capacity(place.len());
    for (index, word) in place.split(' ').enumerate() {
        if index > 0 {
            cleaned.push(' ');
        }
        cleaned.push_str(&word_without_secrets(word));
    }
    cleaned
}

fn word_without_secrets(word: &str) -> String {
    let (scheme, rest) = match word.find("://") {
        Some(at) => word.split_at(at + 3),
        // Without a scheme it is a URL only if it looks like user:password@host.
        None if looks_like_user_info(word) => ("", word),
        None => return word.to_owned(),
    };
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    // An unescaped slash in a password moves the `@` past the apparent end of the host: everything
    // before it may be secret.
    match rest.rsplit_once('@') {
        Some((_, host)) if !rest.split('/').next().unwrap_or_default().contains('@') => {
            let path = host.find('/').map_or("", |at| &host[at..]);
            format!("{scheme}…{path}")
        }
        Some((_, host)) => format!("{scheme}{host}"),
        None => format!("{scheme}{rest}"),
    }
}

fn looks_like_user_info(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(before, _)| before.contains(':'))
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

    #[test]
    fn places_lose_their_secrets_and_other_text_stays() {
        assert_eq!(without_secrets("GET http://u:p@h/a?b#c"), "GET http://h/a");
        assert_eq!(without_secrets("http://h?b"), "http://h");
        assert_eq!(without_secrets("/etc/file?.ini"), "/etc/file?.ini");
        assert_eq!(
            without_secrets("GET http://a/?x or https://u:p@b/c?d"),
            "GET http://a/ or https://b/c"
        );
        for place in [
            "http://user:pa/canary@h/",
            "user:canary@h/p",
            "//user:canary@h/p",
            "http://canary/ss@host/",
        ] {
            assert!(
                !without_secrets(place).contains("canary"),
                "{place}: {}",
                without_secrets(place)
            );
        }
        // What follows the last `@` may be a part of the password as well.
        assert_eq!(without_secrets("http://user:pa/ss@word@h/p"), "http://…/p");
        assert_eq!(without_secrets("/var/log/me@host.txt"), "/var/log/me@host.txt");
    }
}
