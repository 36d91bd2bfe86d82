//! Reading the service's documents.

use std::borrow::Cow;
use std::time::SystemTime;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::date;
use crate::number::number;

/// How deep a document is read. Those of the service have four levels.
const MAX_DEPTH: usize = 16;

/// How many elements of a document are kept: 65 for each entry of the longest page, which has 1000. This bounds the
/// memory that a document takes, since the shortest elements are smaller in it than here.
const MAX_ELEMENTS: usize = 65_536;

/// Accepts a root of any name.
pub(crate) const ANY_ROOT: &str = "*";

/// Which document is expected, and what is read of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) root: &'static str,
    /// Names of the elements that are read, whatever their level; the others are skipped. `None`: all are kept.
    pub(crate) read: Option<&'static [&'static str]>,
}

impl From<&'static str> for Shape {
    /// A document that is kept as a whole.
    fn from(root: &'static str) -> Self {
        Self { root, read: None }
    }
}

/// An element of a document of the service, with its text or the elements in it; see
/// [`Response::xml`](crate::Response::xml).
///
/// Names have no namespace: some servers put one on the root.
///
/// # Examples
///
/// ```no_run
/// use oss_client::{Method, Operation};
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let operation = Operation::new("GetBucketWorm", Method::GET)
///     .bucket("examplebucket")
///     .query("worm", "")
///     .expect_xml();
/// let worm = client.send(operation).await?.xml().await?;
/// println!("{:?} for {:?} days", worm.text_of("State"), worm.number_of("RetentionPeriodInDays"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    pub(crate) name: String,
    /// Empty if it has children: no element of the service has both.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
    /// Whether there are elements in it, also skipped ones.
    is_parent: bool,
}

impl Element {
    /// Reads a whole document of this shape; else says what is wrong with it.
    pub(crate) fn parse(document: &str, shape: impl Into<Shape>) -> Result<Self, &'static str> {
        let mut parser = Parser {
            shape: shape.into(),
            open: Vec::new(),
            skipped: 0,
            kept: 0,
            root: None,
        };
        if document.trim_ascii().is_empty() {
            return Err("it is empty");
        }
        let mut reader = Reader::from_str(document);
        loop {
            let event = reader.read_event().map_err(|_| MALFORMED)?;
            if matches!(event, Event::Eof) {
                return parser.root.ok_or(MALFORMED);
            }
            parser.take(&event)?;
        }
    }

    /// Returns the name, without namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text; empty if there are elements in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the elements in it, in order.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.children.iter()
    }

    /// Returns the first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the text of the first child of this name, if it is not empty.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.as_str();
        (!text.is_empty()).then_some(text)
    }

    /// Returns the first child of this name as a whole number; `None` also if it is not one. Blanks around it do not
    /// count.
    pub fn number_of(&self, name: &str) -> Option<u64> {
        number(self.text_of(name)?.trim())
    }

    /// Returns the first child of this name as `true` or `false`; `None` also if it is neither. Blanks around it do not
    /// count.
    pub fn bool_of(&self, name: &str) -> Option<bool> {
        self.text_of(name)?.trim().parse().ok()
    }

    /// Returns the first child of this name as a time, such as `2026-01-01T08:30:00.000Z`; `None` also if it is not
    /// one.
    pub fn time_of(&self, name: &str) -> Option<SystemTime> {
        date::from_iso(self.text_of(name)?)
    }

    /// Takes text, of which there is none beside elements but blanks.
    fn append(&mut self, text: &str) -> Result<(), &'static str> {
        if !self.is_parent {
            self.text.push_str(text);
            return Ok(());
        }
        is_blank(text).then_some(()).ok_or(MIXED)
    }

    /// Notes that there is an element in this one.
    fn becomes_parent(&mut self) -> Result<(), &'static str> {
        self.is_parent = true;
        let text = std::mem::take(&mut self.text);
        is_blank(&text).then_some(()).ok_or(MIXED)
    }
}

const MALFORMED: &str = "it is malformed or was cut";
const MIXED: &str = "an element in it has both text and elements";
const UNKNOWN_ENTITY: &str = "it contains an entity that XML does not define";

/// A document as far as it has been read.
struct Parser {
    shape: Shape,
    /// The last one is the innermost element that is open.
    open: Vec<Element>,
    /// How many elements that are skipped are open.
    skipped: usize,
    kept: usize,
    root: Option<Element>,
}

impl Parser {
    fn take(&mut self, event: &Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Start(start) => self.start(start),
            Event::Empty(empty) => {
                self.start(empty)?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(&resolve(reference).ok_or(UNKNOWN_ENTITY)?),
            // The declaration, comments, and a document type, whose entities nobody knows.
            _ => Ok(()),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), &'static str> {
        if self.open.len().saturating_add(self.skipped) >= MAX_DEPTH {
            return Err("it is deeper than any document of the service");
        }
        if self.skipped > 0 {
            self.skipped += 1;
            return Ok(());
        }
        let name = start.local_name();
        let name = name.as_ref();
        let is_root = |root: &str| root == ANY_ROOT || name == root;
        match self.open.last_mut() {
            Some(parent) => parent.becomes_parent()?,
            None if self.root.is_some() => return Err(MALFORMED),
            None if !is_root(self.shape.root) => return Err("its root is another element"),
            None => {}
        }
        if !self.open.is_empty() && self.shape.read.is_some_and(|read| !read.contains(&name)) {
            self.skipped = 1;
            return Ok(());
        }
        self.kept += 1;
        if self.kept > MAX_ELEMENTS {
            return Err("it has more than 65536 elements");
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), &'static str> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return Ok(());
        }
        let closed = self.open.pop().ok_or(MALFORMED)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        match self.open.last_mut() {
            _ if self.skipped > 0 => Ok(()),
            Some(element) => element.append(text),
            None => is_blank(text).then_some(()).ok_or(MALFORMED),
        }
    }
}

/// Whether this is nothing but what XML takes for blanks, and the mark that a document may begin with.
fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{feff}'))
}

/// The text that `&name;` represents; `None` for a character that there is not, and for names beyond the five of XML:
/// those would need a document type, which the service does not send, and to leave them out would change a key.
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
        _ => return None,
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
        match (depth, event) {
            (0, Event::Start(start)) if start.local_name().as_ref() != "Error" => return None,
            (_, Event::Start(start)) => {
                if depth == 1 {
                    child = Some((start.local_name().as_ref().to_owned(), String::new()));
                }
                depth += 1;
            }
            (0 | 1, Event::End(_)) => {
                depth = 0;
                break;
            }
            (_, Event::End(_)) => {
                depth -= 1;
                fields.extend(child.take_if(|_| depth == 1));
            }
            // Text of deeper elements belongs to none of the children.
            (2, Event::Text(text)) => push(&mut child, &text.xml10_content()),
            (2, Event::CData(text)) => push(&mut child, &text.xml10_content()),
            // One that nobody knows is left out: the rest of the text still helps.
            (2, Event::GeneralRef(reference)) => match resolve(&reference) {
                Some(text) => push(&mut child, &text),
                None if reference.is_char_ref() => break,
                None => {}
            },
            (_, Event::Eof) => break,
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
        let expected = "A(B(x < y & z é)C()C(D(1)))";
        for document in [
            "<?xml version=\"1.0\"?>\n<A>\n <B>x &lt; y &amp; z &#xe9;</B><C/>\n<C><D>1</D></C></A>\n",
            "<A xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\"><B><![CDATA[x < y & z é]]></B><C></C>\
             <C><D>1</D></C></A>",
            "<o:A xmlns:o=\"urn:x\"><o:B>x &lt; y &amp; z é</o:B><o:C/><o:C><o:D>1</o:D></o:C></o:A>",
            "\u{feff}\r\n <!-- x --><A><B>x &lt; y <!-- x -->&amp; z é</B><C/><C>\n\t<D>1</D>\n</C></A><!-- x -->\n",
        ] {
            let read = Element::parse(document, "A").map(|root| shown(&root));
            assert_eq!(read, Ok(expected.to_owned()), "{document}");
        }
        let root = Element::parse("<A><B>1</B><B>2</B><C/></A>", "A").unwrap();
        assert_eq!((root.text_of("B"), root.text_of("C")), (Some("1"), None));
        assert_eq!(root.all("B").count(), 2);
    }

    #[test]
    fn documents_that_cannot_be_read_are_refused() {
        let deep = format!("{}{}", "<A>".repeat(17), "</A>".repeat(17));
        for (document, expected) in [
            ("", "empty"),
            (" \r\n", "empty"),
            ("text", "malformed"),
            ("<A><B>1</B>", "malformed"),
            ("<A></B>", "malformed"),
            ("<A/><A/>", "malformed"),
            ("<A/>text", "malformed"),
            ("text<A/>", "malformed"),
            ("<html></html>", "root"),
            ("{\"A\":1}", "malformed"),
            ("<\0A\0>\0", "root"),
            ("<A>&#xFFFFFFF;</A>", "entity"),
            ("<A>&foo;</A>", "entity"),
            ("<!DOCTYPE A [<!ENTITY foo \"x\">]><A>&foo;</A>", "entity"),
            ("<A>x<B/></A>", "both"),
            ("<A><B/>x</A>", "both"),
            (&deep, "deeper"),
        ] {
            let error = Element::parse(document, "A").unwrap_err();
            assert!(error.contains(expected), "{document}: {error}");
        }
    }

    #[test]
    fn what_is_not_read_is_skipped() {
        const SHAPE: Shape = Shape {
            root: "A",
            read: Some(&["B", "C"]),
        };
        let document = "<A><X><B>1</B>&amp;<Y/></X><B>2<X/></B><Z/>\n<C><B>3</B><X>4</X></C></A>";
        assert_eq!(Element::parse(document, SHAPE), Err(MIXED));
        let document = document.replace("2<X/>", "2");
        let read = Element::parse(&document, SHAPE).unwrap();
        assert_eq!(shown(&read), "A(B(2)C(B(3)))");
        // They may be as many as there is room for.
        let document = format!("<A>{}<B>1</B></A>", "<X/>".repeat(MAX_ELEMENTS));
        assert_eq!(shown(&Element::parse(&document, SHAPE).unwrap()), "A(B(1))");
        let document = format!("<A>{}</A>", "<B/>".repeat(MAX_ELEMENTS));
        assert_eq!(
            Element::parse(&document, SHAPE),
            Err("it has more than 65536 elements")
        );
        let deep = format!("<A>{}{}</A>", "<X>".repeat(16), "</X>".repeat(16));
        assert!(Element::parse(&deep, SHAPE).unwrap_err().contains("deeper"));
        // What is wrong in them is wrong in the document.
        assert_eq!(Element::parse("<A><X>&foo;</X></A>", SHAPE), Err(UNKNOWN_ENTITY));
    }

    #[test]
    fn a_document_takes_no_more_memory_than_a_few_times_its_length() {
        const MIB: u64 = 1 << 20;
        const SHAPE: Shape = Shape {
            root: "A",
            read: Some(&["B"]),
        };
        // A document of this length, made of nothing but `inner`.
        let peak = |inner: &str, length: u64, shape: Shape| {
            let count = usize::try_from(length).unwrap() / inner.len();
            let document = format!("<A>{}</A>", inner.repeat(count));
            allocation_counter::measure(|| drop(Element::parse(&document, shape))).bytes_max
        };
        for inner in ["<X/>", "<X>1</X>", "<X><B/></X>", "\n<X y=\"1\">2</X>"] {
            let taken = peak(inner, MIB, SHAPE);
            assert!(taken < MIB / 16, "{taken} bytes for {inner}");
        }
        // The longest document is one of 16 MiB.
        for (inner, length) in [
            ("<B/>", 16 * MIB),
            ("<B>1</B>", 16 * MIB),
            ("<B>&#65;<X/></B>", 16 * MIB),
            ("x", 16 * MIB),
            ("&amp;", 2 * MIB),
            ("\n<!---->", 2 * MIB),
        ] {
            for shape in [SHAPE, Shape::from("A")] {
                let taken = peak(inner, length, shape);
                assert!(taken < 3 * length, "{taken} bytes for {inner}");
            }
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
