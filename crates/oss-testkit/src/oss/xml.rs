//! Reading the XML documents of requests.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element: its local name, its own text, and the elements in it.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    text: String,
    children: Vec<Node>,
}

impl Node {
    /// Reads a whole document; `None` if it is not well-formed.
    pub(super) fn parse(document: &[u8]) -> Option<Self> {
        let mut reader = Reader::from_str(std::str::from_utf8(document).ok()?);
        // The document itself is the outermost element here.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => open.push(Self::named(start.local_name().as_ref())),
                Event::Empty(start) => {
                    let empty = Self::named(start.local_name().as_ref());
                    open.last_mut()?.children.push(empty);
                }
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let c = match reference.resolve_char_ref().ok()? {
                        Some(c) => c,
                        None => predefined(reference.as_ref())?,
                    };
                    open.last_mut()?.text.push(c);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut document = open.pop().filter(|_| open.is_empty())?;
        document.children.pop()
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The elements of this name directly in this one.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Its own text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text of the first element of this name directly in this one.
    pub(super) fn child_text(&self, name: &str) -> Option<&str> {
        let child = self.children.iter().find(|child| child.name == name)?;
        Some(child.text.as_str())
    }
}

fn predefined(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_with_and_without_namespaces() {
        for document in [
            "<?xml version=\"1.0\"?>\n<A>\n <B><C>1 &lt; &quot;2&quot; &#xe9;</C></B><B/>\n</A>",
            "<A xmlns=\"urn:x\"><B><C><![CDATA[1 < \"2\" é]]></C></B><B></B></A>",
        ] {
            let root = Node::parse(document.as_bytes()).unwrap();
            assert_eq!(root.name, "A", "{document}");
            let texts: Vec<_> = root.children("B").map(|b| b.child_text("C")).collect();
            assert_eq!(texts, [Some("1 < \"2\" é"), None], "{document}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for document in ["", "text", "<A>", "<A></B>", "<A>&nope;</A>", "\u{1}"] {
            assert!(Node::parse(document.as_bytes()).is_none(), "{document}");
        }
        assert!(Node::parse(b"<A>\xff</A>").is_none());
    }
}
