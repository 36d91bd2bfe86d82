//! Common parts of the XML documents in responses, and the parameters that affect them.

use super::error::{Refusal, invalid_argument};
use crate::wire::{Answer, Request, element};

/// An XML document as the response.
pub(super) fn document(root: &str, inner: &str) -> Answer {
    let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{inner}</{root}>\n");
    Answer::new(200, "application/xml", xml)
}

/// Elements with their texts, one after the other.
pub(super) fn elements(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, text)| element(name, text)).collect()
}

/// `true` or `false`.
pub(super) fn flag(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

/// The owner of buckets and objects: the account.
pub(super) fn owner(account: &str) -> String {
    let fields = elements(&[("ID", account), ("DisplayName", account)]);
    format!("<Owner>{fields}</Owner>")
}

/// A number in the query between two bounds, both included. Sent without a value, as one of the vendor's
/// clients does, it is as good as not sent.
pub(super) fn number_parameter(
    request: &Request,
    name: &str,
    bounds: std::ops::RangeInclusive<usize>,
    default: usize,
) -> Result<usize, Refusal> {
    let Some(value) = request.query_value(name).filter(|value| !value.is_empty()) else {
        return Ok(default);
    };
    let number = value.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        let message = format!("Argument {name} must be an integer between {least} and {most}.");
        invalid_argument(&message, name, value)
    })
}

/// The encoding of names in a response: none, or percent-encoding if the request asks for it.
#[derive(Clone, Copy)]
pub(super) struct Encoding {
    url: bool,
}

impl Encoding {
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        match request.query_value("encoding-type") {
            None | Some("") => Ok(Self { url: false }),
            Some("url") => Ok(Self { url: true }),
            Some(other) => Err(invalid_argument(
                "Invalid Encoding Method specified in Request.",
                "encoding-type",
                other,
            )),
        }
    }

    pub(super) fn write(self, name: &str) -> String {
        if self.url {
            oss_sign::encode(name)
        } else {
            name.to_owned()
        }
    }

    /// The element that says how names are written.
    pub(super) fn element(self) -> String {
        if self.url {
            element("EncodingType", "url")
        } else {
            String::new()
        }
    }
}
