//! Responses of KMS in the format of the shared gateway. Pure.
//!
//! Vendor document: `GetSecretValue` of the Key Management Service,
//! <https://www.alibabacloud.com/help/en/kms/key-management-service/developer-reference/api-getsecretvalue>.

use oss_credentials_core::body::{BodyDefect, json_object};
use oss_credentials_http::xml_text;
use serde_json::Value;
use zeroize::Zeroizing;

use super::quote::is_code;
use crate::secret::data::{Members, text};

/// The only required field of a response.
pub(crate) const SECRET_DATA: &str = "SecretData";

/// A secret, from either gateway. Only the data is needed; everything else is a hint.
#[derive(Default)]
pub(crate) struct Secret {
    pub(crate) data: Zeroizing<String>,
    pub(crate) kind: Option<String>,
    pub(crate) data_type: Option<String>,
    /// `None` if the response does not state them.
    pub(crate) stages: Vec<String>,
    pub(crate) automatic_rotation: Option<String>,
    pub(crate) next_rotation: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl Secret {
    pub(crate) fn is_type(&self, name: &str) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Parses a response of the shared gateway.
pub(crate) fn parse(body: &[u8]) -> Result<Secret, BodyDefect> {
    let members: Members<'_> =
        serde_json::from_slice(json_object(body)?).map_err(|error| BodyDefect::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
    let hint = |name| text(&members, name).map(|text| text.as_str().to_owned());
    let data = match members.get(SECRET_DATA).map(|raw| raw.get()) {
        None | Some("null" | "\"\"") => return Err(BodyDefect::Missing(SECRET_DATA)),
        Some(_) => text(&members, SECRET_DATA).ok_or(BodyDefect::Unreadable(SECRET_DATA))?,
    };
    Ok(Secret {
        data,
        kind: hint("SecretType"),
        data_type: hint("SecretDataType"),
        stages: stages(&members).unwrap_or_default(),
        automatic_rotation: hint("AutomaticRotation"),
        next_rotation: hint("NextRotationDate"),
        request_id: hint("RequestId"),
    })
}

/// An array inside an object of its own, here only.
fn stages(members: &Members<'_>) -> Option<Vec<String>> {
    let wrapped: Value = serde_json::from_str(members.get("VersionStages")?.get()).ok()?;
    let stages = wrapped.get("VersionStage")?.as_array()?;
    let text = |stage: &Value| Some(stage.as_str()?.to_owned());
    Some(stages.iter().filter_map(text).collect())
}

/// The content of an error response. All fields are text from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceError {
    /// Only letters and dots.
    pub(crate) code: String,
    pub(crate) message: Option<Zeroizing<String>>,
    pub(crate) request_id: Option<Zeroizing<String>>,
}

/// Parses an error response, JSON or XML. `None` if it contains no error code, like a proxy's page, or if it contains a
/// secret: that is not an error, whatever its status.
pub(crate) fn parse_error(body: &[u8]) -> Option<ServiceError> {
    let fields = serde_json::from_slice::<Members<'_>>(body);
    if fields
        .as_ref()
        .is_ok_and(|fields| fields.contains_key(SECRET_DATA))
    {
        return None;
    }
    let field = |name: &str| match &fields {
        Ok(fields) => text(fields, name),
        Err(_) => xml_field(std::str::from_utf8(body).ok()?, name),
    };
    let filled = |name: &str| field(name).filter(|text| !text.is_empty());
    Some(ServiceError {
        code: filled("Code").filter(|code| is_code(code))?.as_str().to_owned(),
        message: filled("Message"),
        request_id: filled("RequestId"),
    })
}

/// The text of one element of `<KMS>` or `<Error>`. Anything deeper is not an error of this service.
fn xml_field(text: &str, name: &str) -> Option<Zeroizing<String>> {
    let inside = ["KMS", "Error"].iter().find_map(|root| element(text, root))?;
    element(inside, name).map(xml_text)
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inside, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defects_quote_nothing_of_the_answer() {
        let missing = BodyDefect::Missing("SecretData");
        let at = |column| BodyDefect::NotJson { line: 1, column };
        for (body, expected) in [
            (&b" \n"[..], BodyDefect::Empty),
            (b"<html>canary</html>", BodyDefect::Markup),
            (b"{}", missing.clone()),
            (br#"{"SecretData": ""}"#, missing.clone()),
            (br#"{"SecretData": null}"#, missing),
            (
                br#"{"SecretData": ["canary"]}"#,
                BodyDefect::Unreadable("SecretData"),
            ),
            (b"canary", BodyDefect::NotObject),
            // What serde would take for the fields in their order.
            (
                br#"["canary", null, null, null, null, null, null]"#,
                BodyDefect::NotObject,
            ),
            (b"{\"SecretData\": \"canary", at(22)),
        ] {
            let defect = parse(body).err().unwrap();
            assert_eq!(defect, expected);
            assert!(!format!("{defect:?} {defect}").contains("canary"));
        }
    }

    #[test]
    fn hints_of_a_wrong_type_do_not_cost_the_secret() {
        let body =
            br#"{"SecretData": "x", "SecretType": 1, "SecretDataType": null, "VersionStages": "ACSCurrent",
            "AutomaticRotation": {}, "NextRotationDate": [], "RequestId": false, "ExtendedConfig": 1e400,
            "SecretType": 1e400, "RotationInterval": 1e400}"#;
        let secret = parse(body).ok().unwrap();
        assert_eq!(*secret.data, "x");
        assert_eq!((secret.kind, secret.stages), (None, vec![]));
        assert_eq!((secret.next_rotation, secret.request_id), (None, None));
    }

    #[test]
    fn errors_are_read_as_json_and_as_xml() {
        let expected = ServiceError {
            code: "Rejected.Throttling".into(),
            message: Some("a < b & \"c\"".to_owned().into()),
            request_id: Some("R-1".to_owned().into()),
        };
        for body in [
            r#"{"HttpStatus":400,"Code":"Rejected.Throttling","Message":"a < b & \"c\"","RequestId":"R-1"}"#,
            "<?xml version='1.0'?><KMS><RequestId>R-1</RequestId><Code>Rejected.Throttling</Code>\
             <Message>a &lt; b &amp; &quot;c&quot;</Message></KMS>",
        ] {
            assert_eq!(parse_error(body.as_bytes()).as_ref(), Some(&expected), "{body}");
        }
        for body in [
            "",
            "boom",
            "<html><Code>x</Code></html>",
            "[]",
            r#"{"Code": 1}"#,
            r#"{"Code": "two words"}"#,
            r#"{"Code": "Success", "SecretData": "canary", "Message": "canary"}"#,
            "<KMS><Code>x",
        ] {
            assert_eq!(parse_error(body.as_bytes()), None, "{body}");
        }
    }
}
