//! Writes the documents of requests.

use std::io;

use http::HeaderValue;
use quick_xml::Writer;
use quick_xml::events::{BytesRef, BytesText, Event};

/// `Content-Type` of documents, as observed from the vendor's Python SDK V2.
pub(super) const XML: HeaderValue = HeaderValue::from_static("application/xml");

/// A document that is written into memory.
pub(super) type Document = Writer<Vec<u8>>;

/// Writes a document with this root. Writing into memory cannot fail.
pub(super) fn document(root: &str, write: impl FnOnce(&mut Document) -> io::Result<()>) -> Vec<u8> {
    let mut document = Writer::new(Vec::new());
    let _ = document.create_element(root).write_inner_content(write);
    document.into_inner()
}

/// Writes an element with this text.
///
/// Control characters are written as references, as observed from the vendor's Python SDK V2: most of them cannot
/// stand in a document as they are, and line ends would be read as others.
pub(super) fn text(document: &mut Document, name: &str, text: &str) -> io::Result<()> {
    let write = |document: &mut Document| {
        for piece in text.split_inclusive(is_control) {
            let control = piece.chars().next_back().filter(|c| is_control(*c));
            let plain = piece.trim_end_matches(is_control);
            document.write_event(Event::Text(BytesText::new(plain)))?;
            if let Some(control) = control {
                let reference = format!("#{}", u32::from(control));
                document.write_event(Event::GeneralRef(BytesRef::new(reference)))?;
            }
        }
        Ok(())
    };
    document.create_element(name).write_inner_content(write)?;
    Ok(())
}

fn is_control(c: char) -> bool {
    c < ' '
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let written = document("A", |document| {
            text(document, "B", "a&b<c>d\"e")?;
            text(document, "B", "\u{1}\r\n\tx\u{1f}")?;
            text(document, "B", "")?;
            text(document, "B", " 报告 ")
        });
        // Observed from the vendor's Python SDK V2, but for `&#01;` and `&#09;`, which are the same characters.
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "<A><B>a&amp;b&lt;c&gt;d&quot;e</B><B>&#1;&#13;&#10;&#9;x&#31;</B><B></B><B> 报告 </B></A>"
        );
    }
}
