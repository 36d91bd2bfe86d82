//! Reading the service's documents.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// How deep a document is read. Those of the service have four levels.
const MAX_DEPTH: usize = 16;

/// An element with its text and the elements in it. Names have no namespace: some servers put one on the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    /// Without that of the children.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a whole document; `None` if it is malformed, was cut, or is deeper than any document of the service.
    pub(crate) fn parse(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document);
        // The last one is the innermost element that is open.
        let mut open: Vec<Self> = Vec::new();
        loop {
            let closed = match reader.read_event().ok()? {
                Event::Start(_) if open.len() >= MAX_DEPTH => return None,
                Event::Start(start) => {
                    open.push(Self::named(start.local_name().as_ref()));
                    continue;
                }
                Event::Empty(empty) => Self::named(empty.local_name().as_ref()),
                Event::End(_) => open.pop()?,
                Event::Text(text) => {
                    append(&mut open, &text.xml10_content());
                    continue;
                }
                Event::CData(text) => {
                    append(&mut open, &text.xml10_content());
                    continue;
                }
                Event::GeneralRef(reference) => {
                    append(&mut open, &resolve(&reference)?);
                    continue;
                }
                Event::Eof => return None,
                _ => continue,
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Some(closed),
            }
        }
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child of this name, if it is not empty.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.as_str();
        (!text.is_empty()).then_some(text)
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// What `&name;` stands for; `None` for a character that there is not. Names beyond the five of XML are nothing: they
/// would need a document type, which nobody sends.
fn resolve(reference: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    let named = match reference.resolve_char_ref().ok()? {
        Some(c) => return Some(c.to_string().into()),
        None => reference.as_ref(),
    };
    Some(Cow::Borrowed(match named {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => "",
    }))
}

/// The children of the root element `Error`: local name and text, in order.
///
/// Names are compared without their namespace, since some servers put one on the root. What cannot be read ends
/// the list, so that a document that was cut still says what came before. `None` if the root is another element.
pub(crate) fn error_fields(document: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(document);
    let mut fields = Vec::new();
    let mut depth = 0_usize;
    let mut child: Option<(String, String)> = None;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => {
                match depth {
                    0 if start.local_name().as_ref() != "Error" => return None,
                    1 => child = Some((start.local_name().as_ref().to_owned(), String::new())),
                    _ => {}
                }
                depth += 1;
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                match depth {
                    0 => break,
                    1 => fields.extend(child.take()),
                    _ => {}
                }
            }
            // Text of deeper elements belongs to none of the children.
            Event::Text(text) if depth == 2 => push(&mut child, &text.xml10_content()),
            Event::CData(text) if depth == 2 => push(&mut child, &text.xml10_content()),
            Event::GeneralRef(reference) if depth == 2 => match resolve(&reference) {
                Some(text) => push(&mut child, &text),
                None => break,
            },
            Event::Eof => break,
            _ => {}
        }
    }
    (depth > 0 || !fields.is_empty()).then_some(fields)
}

fn push(child: &mut Option<(String, String)>, text: &str) {
    if let Some((_, value)) = child {
        value.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields as one text: `name=value|name=value`.
    fn pairs(document: &str) -> Option<String> {
        let fields = error_fields(document)?;
        let shown: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Some(shown.join("|"))
    }

    /// The document in brackets: `name(text, child…)`.
    fn shown(element: &Element) -> String {
        let children: String = element.children.iter().map(shown).collect();
        format!("{}({}{children})", element.name, element.text.trim())
    }

    #[test]
    fn documents_are_read_whatever_their_namespace() {
        let expected = Some("A(B(x < y & z é)C()C(D(1)))");
        for document in [
            "<?xml version=\"1.0\"?>\n<A>\n <B>x &lt; y &amp; z &#xe9;</B><C/>\n<C><D>1</D></C></A>\n",
            "<A xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><B><![CDATA[x < y & z é]]></B><C></C>\
             <C><D>1</D></C></A>",
            "<o:A xmlns:o=\"urn:x\"><o:B>x &lt; y &amp; z é</o:B><o:C/><o:C><o:D>1</o:D></o:C></o:A>",
        ] {
            assert_eq!(
                Element::parse(document).as_ref().map(shown).as_deref(),
                expected,
                "{document}"
            );
        }
        let root = Element::parse("<A><B>1</B><B>2</B><C/></A>").unwrap();
        assert_eq!((root.text_of("B"), root.text_of("C")), (Some("1"), None));
        assert_eq!(root.all("B").count(), 2);
    }

    #[test]
    fn documents_that_are_not_whole_are_none() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        for document in ["", "text", "<A><B>1</B>", "<A></B>", "<A>&#xFFFFFFF;</A>", &deep] {
            assert_eq!(Element::parse(document), None, "{document}");
        }
    }

    #[test]
    fn children_are_found_with_and_without_namespaces() {
        let expected = Some("Code=NoSuchKey|Message=a < b & c é");
        for document in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n <Code>NoSuchKey</Code>\n \
             <Message>a &lt; b &amp; c &#xe9;</Message>\n</Error>\n",
            "<Error xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><Code>NoSuchKey</Code>\
             <Message><![CDATA[a < b & c é]]></Message></Error>",
            "<o:Error xmlns:o=\"urn:x\"><o:Code>NoSuchKey</o:Code><o:Message>a &lt; b &amp; c é</o:Message></o:Error>",
        ] {
            assert_eq!(pairs(document).as_deref(), expected, "{document}");
        }
    }

    #[test]
    fn deeper_and_empty_elements_do_no_harm() {
        assert_eq!(
            pairs("<Error><Code>A</Code><Details><Code>B</Code>x</Details><HostId/><EC></EC></Error>")
                .as_deref(),
            Some("Code=A|Details=x|EC=")
        );
    }

    #[test]
    fn a_document_that_was_cut_keeps_its_beginning() {
        assert_eq!(
            pairs("<Error><Code>A</Code><Message>b").as_deref(),
            Some("Code=A")
        );
        assert_eq!(pairs("<Error><Code>A</Code></Wrong>").as_deref(), Some("Code=A"));
    }

    #[test]
    fn other_documents_are_none() {
        for other in [
            "",
            "plain",
            "{\"Error\":{\"Code\":\"A\"}}",
            "<html><Code>A</Code></html>",
            "\u{0}<",
            "<Error/>",
        ] {
            assert_eq!(pairs(other), None, "{other}");
        }
    }
}
