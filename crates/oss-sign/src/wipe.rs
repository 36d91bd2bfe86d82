//! Memory that is overwritten as a whole. `zeroize` writes byte by byte, which takes as long as signing itself.

use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::optimization_barrier;

/// Overwrites a buffer up to its capacity.
pub(crate) fn wipe(buffer: &mut Vec<u8>) {
    let capacity = buffer.capacity();
    buffer.clear();
    buffer.resize(capacity, 0);
    optimization_barrier(buffer.as_slice());
    buffer.clear();
}

/// Text that is overwritten when it is dropped. Growing leaves a copy behind: reserve what it needs.
#[derive(Clone, Default)]
pub(crate) struct Wiped(String);

impl Wiped {
    /// The text by value; overwriting it is up to the caller.
    pub(crate) fn into_inner(mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Deref for Wiped {
    type Target = String;

    fn deref(&self) -> &String {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut String {
        &mut self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut std::mem::take(&mut self.0).into_bytes());
    }
}

impl fmt::Debug for Wiped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_overwritten_where_it_lies() {
        let mut buffer = Vec::with_capacity(64);
        buffer.extend_from_slice(b"canary canary canary");
        buffer.truncate(6);
        let place = buffer.as_ptr();
        wipe(&mut buffer);
        assert!(buffer.is_empty());
        // The same block, with nothing of the old text in what was spare.
        buffer.resize(buffer.capacity(), 0);
        assert_eq!(buffer.as_ptr(), place);
        let text = Wiped("canary".to_owned());
        assert_eq!(text.clone().into_inner(), "canary");
        assert!(!format!("{text:?}").contains("canary"));
    }
}
