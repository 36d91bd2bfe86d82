//! Reading the service's error documents.

use quick_xml::Reader;
use quick_xml::events::Event;

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
            Event::GeneralRef(reference) if depth == 2 => {
                let Ok(resolved) = reference.resolve_char_ref() else {
                    break;
                };
                match (resolved, reference.as_ref()) {
                    (Some(c), _) => push(&mut child, c.encode_utf8(&mut [0; 4])),
                    (None, "lt") => push(&mut child, "<"),
                    (None, "gt") => push(&mut child, ">"),
                    (None, "amp") => push(&mut child, "&"),
                    (None, "apos") => push(&mut child, "'"),
                    (None, "quot") => push(&mut child, "\""),
                    // Nothing else is defined without a document type, which nobody sends.
                    _ => {}
                }
            }
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
