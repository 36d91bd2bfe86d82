//! Parses a `.properties` file. Pure.

use configparser::ini::{Ini, IniDefault};
use zeroize::Zeroizing;

const FLAT: &str = "flat";

/// Why a file cannot be parsed. Never contains a piece of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    NotUtf8,
    /// A line begins with `[` or `=`, as no setting does.
    NotProperties,
}

impl Defect {
    /// The end of the sentence "the properties file …".
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "is not UTF-8 text",
            Self::NotProperties => "has a line that begins with `[` or `=`",
        }
    }
}

/// The settings of a file, by their flat names.
pub(crate) struct Properties(Ini);

impl Properties {
    /// Parses lines of `name=value`.
    ///
    /// The vendor's clients differ in almost everything. Here the first `=` separates name and value, spaces around
    /// both are ignored, a `#` or `!` begins a comment only as the first character of a line, there are
    /// no escapes and no continuation lines, names are flat even with a dot, and the last of equal names wins.
    pub(crate) fn parse(file: &[u8]) -> Result<Self, Defect> {
        let text = std::str::from_utf8(file).map_err(|_| Defect::NotUtf8)?;
        let text = Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned());
        let mut defaults = IniDefault::default();
        FLAT.clone_into(&mut defaults.default_section);
        defaults.comment_symbols = vec!['#', '!'];
        defaults.delimiters = vec!['='];
        defaults.multiline = false;
        defaults.case_sensitive = true;
        defaults.enable_inline_comments = false;
        let mut ini = Ini::new_from_defaults(defaults);
        ini.read(text.as_str().to_owned())
            .map_err(|_| Defect::NotProperties)?;
        if ini.sections().iter().any(|section| section != FLAT) {
            return Err(Defect::NotProperties);
        }
        Ok(Self(ini))
    }

    /// Whether the file contains something, but nothing under any of these names: it is in another format.
    pub(crate) fn is_foreign(&self, names: &[&str]) -> bool {
        let lines = self.0.get_map_ref().get(FLAT);
        lines.is_some_and(|lines| !lines.is_empty() && !names.iter().any(|name| lines.contains_key(*name)))
    }

    /// Returns a setting; an empty one counts as unset.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.get(FLAT, name).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(file: &str, name: &str) -> Option<String> {
        Properties::parse(file.as_bytes()).unwrap().get(name)
    }

    #[test]
    fn each_point_where_the_official_clients_differ_is_settled() {
        for (file, name, expected) in [
            ("# a=1\na=2", "a", Some("2")),
            ("  ! a=1\n\t# a=3\na=2", "a", Some("2")),
            ("a=b#c!d ; e", "a", Some("b#c!d ; e")),
            ("a=b=c:d", "a", Some("b=c:d")),
            ("a:b=c", "a:b", Some("c")),
            (" a \t=  b c \t\r\n", "a", Some("b c")),
            ("a=C:\\dir\\new", "a", Some("C:\\dir\\new")),
            ("a=b\\\n  c=d", "a", Some("b\\")),
            ("a=b\\\n  c=d", "c", Some("d")),
            ("a=1\n  indented\n", "a", Some("1")),
            ("\u{feff}a=图", "a", Some("图")),
            ("a.b=1", "a.b", Some("1")),
            ("a=1\na=2", "a", Some("2")),
            ("A=1", "a", None),
            ("a=", "a", None),
            ("a", "a", None),
            ("a=[1]", "a", Some("[1]")),
            ("", "a", None),
        ] {
            assert_eq!(get(file, name).as_deref(), expected, "{file:?} {name}");
        }
    }

    #[test]
    fn what_is_no_properties_file_is_refused() {
        assert_eq!(Properties::parse(b"a=\xff").err(), Some(Defect::NotUtf8));
        for file in ["[default]\na=1", "[x", "=1", "a=1\n = 2"] {
            assert_eq!(
                Properties::parse(file.as_bytes()).err(),
                Some(Defect::NotProperties),
                "{file:?}"
            );
        }
    }
}
