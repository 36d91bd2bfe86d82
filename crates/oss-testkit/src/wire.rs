//! Requests and responses in the form that all services share.

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode;

use crate::measure::Measured;

/// A request, read completely and decoded once.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The `Host` header as sent, port included.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    /// The same, byte for byte.
    pub(crate) raw_headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) upload: Upload,
    /// The address of the sender.
    pub(crate) source_ip: Option<IpAddr>,
}

/// A body that is not kept as it came.
#[derive(Clone, Default)]
pub(crate) enum Upload {
    /// It is kept.
    #[default]
    No,
    /// It went into a sink: only its length and checksums are left.
    Sunk(Measured),
    /// A form with, it is hoped, a file.
    Form(Option<FormFile>),
    /// A form that cannot be read.
    Malformed,
    /// It was longer than the limit.
    TooLong,
}

/// The file of a `multipart/form-data` body.
#[derive(Clone)]
pub(crate) struct FormFile {
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) content: Bytes,
}

impl Request {
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let headers = as_text(&parts.headers);
        let host = first(&headers, "host")
            .map(str::to_owned)
            .or_else(|| {
                parts
                    .uri
                    .authority()
                    .map(|authority| authority.as_str().to_owned())
            })
            .unwrap_or_default();
        let is_form = first(&headers, "content-type").is_some_and(|kind| {
            kind.split(';')
                .next()
                .is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded")
        });
        Self {
            method: parts.method.as_str().to_owned(),
            host,
            path: parts.uri.path().to_owned(),
            query: decode_pairs(parts.uri.query().unwrap_or_default().as_bytes()),
            form: if is_form { decode_pairs(&body) } else { Vec::new() },
            headers,
            raw_headers: parts.headers.clone(),
            body,
            upload: Upload::No,
            source_ip: None,
        }
    }

    /// The same request with other headers.
    pub(crate) fn with_headers(self, headers: HeaderMap) -> Self {
        Self {
            headers: as_text(&headers),
            raw_headers: headers,
            ..self
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns whether it is a form upload.
    pub(crate) fn is_multipart_form(&self) -> bool {
        let kind = self
            .header("content-type")
            .and_then(|kind| kind.split(';').next());
        self.method == "POST"
            && kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"))
    }

    /// The value of a form's field; names are compared in any case.
    pub(crate) fn form_field(&self, name: &str) -> Option<&str> {
        let found = self.form.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query_value(name).or_else(|| first(&self.form, name))
    }
}

fn as_text(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.as_str())
}

/// Splits and decodes a query or a form. `+` is a space, as the services read it.
pub(crate) fn decode_pairs(encoded: &[u8]) -> Vec<(String, String)> {
    encoded
        .split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|&byte| byte == b'=');
            let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(encoded: &[u8]) -> String {
    let spaced: Vec<u8> = encoded
        .iter()
        .map(|&byte| if byte == b'+' { b' ' } else { byte })
        .collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// A response before faults are applied to it.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(Cow<'static, str>, Vec<u8>)>,
    pub(crate) body: Bytes,
    /// How many zero bytes follow the body.
    pub(crate) zeros: usize,
    /// The error code, kept in the record of the request.
    pub(crate) code: Option<String>,
    /// Value of `Content-Length` where it is not the body's own: the response to HEAD.
    pub(crate) length: Option<usize>,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), content_type.as_bytes().to_vec())],
            body: body.into(),
            zeros: 0,
            code: None,
            length: None,
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            zeros: 0,
            code: None,
            length: None,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// An XML element with its text escaped.
pub(crate) fn element(name: &str, text: &str) -> String {
    // XML has no way to write most control characters.
    let text: String = text
        .chars()
        .map(|c| {
            if c.is_control() && !"\t\n\r".contains(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    format!("<{name}>{}</{name}>", quick_xml::escape::partial_escape(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_forms_are_decoded_as_the_services_do() {
        let expected = [("a", "1 2"), ("b", "3 4"), ("c+", "é/="), ("acl", ""), ("d", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(decode_pairs(b"a=1%202&b=3+4&c%2B=%C3%A9%2F%3D&acl&&d="), expected);
    }

    #[test]
    fn a_form_is_read_only_if_it_is_one() {
        let request = |content_type: &str| {
            let (parts, ()) = http::Request::builder()
                .uri("/?a=1")
                .header("Host", "h:1")
                .header("Content-Type", content_type)
                .body(())
                .unwrap()
                .into_parts();
            Request::new(&parts, Bytes::from_static(b"b=2&a=3"))
        };
        let form = request("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!((form.parameter("a"), form.parameter("b")), (Some("1"), Some("2")));
        assert_eq!((form.host.as_str(), form.header("HOST")), ("h:1", Some("h:1")));
        assert_eq!(request("text/plain").parameter("b"), None);
    }

    #[test]
    fn text_cannot_break_out_of_its_element() {
        assert_eq!(element("a", "<b>&\u{1}\n"), "<a>&lt;b&gt;&amp;\u{fffd}\n</a>");
    }
}
