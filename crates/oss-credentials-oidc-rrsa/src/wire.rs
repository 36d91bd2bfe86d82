//! Parses a token file. Pure.

/// Why the file contains no token. Never contains a piece of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Empty,
    NotUtf8,
}

impl Defect {
    /// The end of the sentence "the OIDC token file …".
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::NotUtf8 => "is not UTF-8 text",
        }
    }
}

/// Returns the token without the white space around it: most tools end a file with a line feed, which the service would
/// consider part of the token. The byte order mark of some editors is removed too.
pub(crate) fn parse(file: &[u8]) -> Result<&str, Defect> {
    let text = std::str::from_utf8(file).map_err(|_| Defect::NotUtf8)?;
    let token = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    if token.is_empty() {
        return Err(Defect::Empty);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_a_token_is_no_part_of_it() {
        for file in [
            "a.b.c",
            "a.b.c\n",
            " \t\r\na.b.c\r\n\r\n",
            "\u{feff}a.b.c\n",
            "\u{feff} a.b.c",
        ] {
            assert_eq!(parse(file.as_bytes()), Ok("a.b.c"), "{file:?}");
        }
    }

    #[test]
    fn what_is_inside_stays_for_the_one_who_judges_it() {
        assert_eq!(parse(b"a.b.c\nd.e.f\n"), Ok("a.b.c\nd.e.f"));
        assert_eq!(parse("a\u{feff}b".as_bytes()), Ok("a\u{feff}b"));
    }

    #[test]
    fn a_file_without_a_token_is_told_apart() {
        for file in [
            &b""[..],
            b" \r\n\t",
            "\u{feff}".as_bytes(),
            "\u{feff}\n".as_bytes(),
        ] {
            assert_eq!(parse(file), Err(Defect::Empty), "{file:?}");
        }
        // UTF-16 as some editors write it, and a key store.
        for file in [&b"\xff\xfea\0.\0b\0"[..], b"\x30\x82\x04\xa4"] {
            assert_eq!(parse(file), Err(Defect::NotUtf8), "{file:?}");
        }
    }
}
