//! Access key IDs, masked for display.

use std::fmt;

/// An access key ID, masked for display: the first four and the last four characters, with `****` in between.
///
/// IDs under 16 characters are shown as `****`, since eight of their characters would be most of them.
///
/// ```
/// use oss_credentials_core::MaskedId;
/// assert_eq!(MaskedId("LTAI5tExampleKeyId01").to_string(), "LTAI****Id01");
/// assert_eq!(MaskedId("short").to_string(), "****");
/// ```
#[derive(Clone, Copy)]
pub struct MaskedId<'a>(pub &'a str);

impl fmt::Display for MaskedId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.0;
        if id.chars().count() < 16 {
            return f.write_str("****");
        }
        let head_end = id.char_indices().nth(4).map_or(0, |(at, _)| at);
        let tail_start = id.char_indices().nth_back(3).map_or(id.len(), |(at, _)| at);
        write!(f, "{}****{}", &id[..head_end], &id[tail_start..])
    }
}

impl fmt::Debug for MaskedId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_characters_are_the_fewest_that_are_shown() {
        assert_eq!(MaskedId("ABCDEFGHIJKLMNO").to_string(), "****");
        assert_eq!(MaskedId("ABCDEFGHIJKLMNOP").to_string(), "ABCD****MNOP");
        assert_eq!(format!("{:?}", MaskedId("ABCDEFGHIJKLMNOP")), "ABCD****MNOP");
    }
}
