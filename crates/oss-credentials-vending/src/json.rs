//! Documents that contain secrets.

use std::io;

use serde::Serialize;

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0 += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a document that contains secrets. The text has room for all of it from the start: growing would leave copies
/// behind in memory that is given back.
pub(crate) fn to_json(document: &impl Serialize) -> String {
    let mut length = Length(0);
    // Texts, numbers and maps with texts as keys become JSON, and both writers take it, without fail.
    let _ = serde_json::to_writer(&mut length, document);
    let mut text = Vec::with_capacity(length.0);
    let _ = serde_json::to_writer(&mut text, document);
    String::from_utf8(text).unwrap_or_default()
}
