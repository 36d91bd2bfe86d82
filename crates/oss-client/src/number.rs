//! Numbers as headers and documents write them.

/// A number of digits alone: `parse` would take a sign, too.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| !text.starts_with('+'))
}
