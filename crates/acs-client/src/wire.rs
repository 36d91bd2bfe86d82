//! Error responses on the wire. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use oss_credentials_core::body::json_text;
use oss_credentials_http::xml_text;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// The content of an error response. All fields are text from outside, and may repeat a secret.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) code: Option<Zeroizing<String>>,
    pub(crate) message: Option<Zeroizing<String>>,
    pub(crate) request_id: Option<Zeroizing<String>>,
    pub(crate) recommend: Option<Zeroizing<String>>,
}

/// The members of a JSON object as they are written, so that nothing is copied unnecessarily.
type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn members(body: &[u8]) -> Option<Members<'_>> {
    serde_json::from_slice(body).ok()
}

/// The text of a member that is not empty, under either spelling.
fn text(members: &Members<'_>, upper: &str, lower: &str) -> Option<Zeroizing<String>> {
    let value = members.get(upper).or_else(|| members.get(lower))?;
    json_text(value.get()).filter(|value| !value.is_empty())
}

/// Parses an error response, JSON (`Code` or `code`) or XML. `None` if it contains no error code: a proxy's page.
pub(crate) fn parse_error(body: &[u8]) -> Option<ServiceError> {
    let error = match members(body) {
        Some(members) => ServiceError {
            code: text(&members, "Code", "code"),
            message: text(&members, "Message", "message"),
            request_id: request_id_of(&members),
            recommend: text(&members, "Recommend", "recommend"),
        },
        None => parse_xml_error(std::str::from_utf8(body).ok()?)?,
    };
    error.code.is_some().then_some(error)
}

/// The request ID in the body of a response, JSON: RPC services write `RequestId`, ROA services also `requestId` or
/// `request_id`.
pub(crate) fn request_id(body: &[u8]) -> Option<Zeroizing<String>> {
    request_id_of(&members(body)?)
}

fn request_id_of(members: &Members<'_>) -> Option<Zeroizing<String>> {
    text(members, "RequestId", "requestId").or_else(|| text(members, "request_id", "requestid"))
}

/// `<Error>` with one element per field. Anything deeper is not an error of this kind.
fn parse_xml_error(text: &str) -> Option<ServiceError> {
    let (_, inside) = text.split_once("<Error>")?;
    let (inside, _) = inside.split_once("</Error>")?;
    let field = |name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let (_, value) = inside.split_once(&open)?;
        let (value, _) = value.split_once(&close)?;
        (!value.is_empty()).then(|| xml_text(value))
    };
    Some(ServiceError {
        code: field("Code"),
        message: field("Message"),
        request_id: field("RequestId"),
        recommend: field("Recommend"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_in_every_spelling() {
        let expected = ServiceError {
            code: Some("NoPermission".to_owned().into()),
            message: Some("a < b & \"c\"".to_owned().into()),
            request_id: Some("R-1".to_owned().into()),
            recommend: None,
        };
        for body in [
            r#"{"Code": "NoPermission", "Message": "a < b & \"c\"", "RequestId": "R-1", "AccessDeniedDetail": {}}"#,
            r#"{"code": "NoPermission", "message": "a < b & \"c\"", "requestId": "R-1"}"#,
            r#"{"code": "NoPermission", "message": "a < b & \"c\"", "request_id": "R-1", "status": 403}"#,
            "<?xml version='1.0'?><Error><RequestId>R-1</RequestId><Code>NoPermission</Code>\
             <Message>a &lt; b &amp; &quot;c&quot;</Message></Error>",
        ] {
            assert_eq!(parse_error(body.as_bytes()).as_ref(), Some(&expected), "{body}");
        }
        for body in [
            "",
            "boom",
            "<html><Code>x</Code></html>",
            "[]",
            r#"{"Code": 1}"#,
            "<Error><Code>x",
        ] {
            assert_eq!(parse_error(body.as_bytes()), None, "{body}");
        }
    }
}
