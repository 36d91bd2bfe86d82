//! Decides which settings may be shown. A password or a whole key may be in place of the name of a variable or a path:
//! one of the vendor's clients even accepts it there.

use std::borrow::Cow;
use std::path::Path;

/// Maximum length of the name of a variable, and of a path, in bytes.
const MAX_NAME: usize = 64;
const MAX_PATH: usize = 1024;
/// A name with more digits may be a password of KMS: 32 hexadecimal digits.
const MAX_DIGITS: usize = 4;
const MAX_EXTENSION: usize = 8;

/// Returns a name that is written as variables are, in letters of one case, and not as passwords are.
pub(crate) fn variable(name: &str) -> Option<&str> {
    let has = |is: fn(&u8) -> bool| name.bytes().any(|byte| is(&byte));
    let is_name = (1..=MAX_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !(has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase))
        && name.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS;
    is_name.then_some(name)
}

/// Returns a path that has a separator or an extension, unlike every password of KMS (letters, digits and
/// `~!@#$%^&*?_-`), and no brace, quote or control character, unlike the content of a key file.
pub(crate) fn path(path: &Path) -> Option<Cow<'_, str>> {
    let text = path.to_string_lossy();
    let is_extension = |end: &str| {
        (1..=MAX_EXTENSION).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let extension = text.rsplit_once('.').filter(|(_, end)| is_extension(end));
    let is_path = text.len() <= MAX_PATH
        && (text.contains(['/', '\\']) || extension.is_some())
        && !text.contains(['{', '}', '"'])
        && !text.chars().any(char::is_control);
    is_path.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        for name in ["PW", "MY_CLIENT_KEY_PASSWORD_2", "client_key_password", "_a"] {
            assert_eq!(variable(name), Some(name));
        }
        for name in [
            "",
            "Canary-Pass_1",
            "Throw_Away_01",
            "1PW",
            "d1c2b0f5e9a4463b8a1f0c2d3e4f506a",
            "A B",
            "ü",
            &"A".repeat(65),
        ] {
            assert_eq!(variable(name), None, "{name}");
        }
    }

    #[test]
    fn what_may_be_a_password_or_a_key_is_no_path() {
        for text in [
            "/a/b",
            "key.json",
            "C:\\dir\\key",
            "./key",
            "dir with space/key.json",
        ] {
            assert_eq!(path(Path::new(text)).as_deref(), Some(text));
        }
        for text in [
            "Canary-Pass_1",
            "7d1c2b0f5e9a4463b8a1f0c2d3e4f506",
            r#"{"KeyId":"KAAP.1","PrivateKeyData":"a/b"}"#,
            "a.",
            "a.no extension",
            "-----BEGIN/\nKEY",
            &"MIIC/".repeat(300),
        ] {
            assert_eq!(path(Path::new(text)), None, "{text}");
        }
    }
}
