//! Answers of the service as they are on the wire. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use oss_credentials_core::body::{BodyDefect, json_object, json_text, required};
use oss_credentials_core::rfc3339;
use oss_credentials_http::xml_text;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleAnswer {
    request_id: Option<String>,
    credentials: Option<WireCredentials>,
    assumed_role_user: Option<AssumedRoleUser>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCredentials {
    access_key_id: Option<String>,
    access_key_secret: Option<Zeroizing<String>>,
    security_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: Option<String>,
    assumed_role_id: Option<String>,
}

/// A complete answer: id, secret and token are not empty.
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Zeroizing<String>,
    pub(crate) expires_at: SystemTime,
    pub(crate) arn: Option<String>,
    pub(crate) assumed_role_id: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// Reads the answer to a call that hands out a session.
pub(crate) fn parse(body: &[u8]) -> Result<Session, BodyDefect> {
    let answer: AssumeRoleAnswer = json(body)?;
    let credentials = answer.credentials.ok_or(BodyDefect::Missing("Credentials"))?;
    let access_key_id = required(credentials.access_key_id, "Credentials.AccessKeyId")?;
    let access_key_secret = required(credentials.access_key_secret, "Credentials.AccessKeySecret")?;
    let security_token = required(credentials.security_token, "Credentials.SecurityToken")?;
    let expiration = required(credentials.expiration, "Credentials.Expiration")?;
    // RFC 3339: `Z` or an offset, with or without a fraction.
    let expires_at = rfc3339(&expiration).ok_or(BodyDefect::Unreadable("Credentials.Expiration"))?;
    let user = answer.assumed_role_user;
    let (arn, assumed_role_id) = user.map_or((None, None), |user| (user.arn, user.assumed_role_id));
    Ok(Session {
        access_key_id,
        access_key_secret,
        security_token,
        expires_at,
        arn,
        assumed_role_id,
        request_id: answer.request_id,
    })
}

/// The answer to `GetCallerIdentity`.
#[cfg(feature = "signed")]
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Identity {
    pub(crate) account_id: Option<String>,
    pub(crate) arn: Option<String>,
    pub(crate) principal_id: Option<String>,
    #[serde(rename = "IdentityType")]
    pub(crate) kind: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) role_id: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// Reads the answer to `GetCallerIdentity`.
#[cfg(feature = "signed")]
pub(crate) fn parse_identity(body: &[u8]) -> Result<Identity, BodyDefect> {
    let identity: Identity = json(body)?;
    required(identity.account_id.as_deref(), "AccountId")?;
    required(identity.arn.as_deref(), "Arn")?;
    Ok(identity)
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyDefect> {
    serde_json::from_slice(json_object(body)?).map_err(|error| BodyDefect::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

/// What an error answer says. All fields are text from outside, and may repeat a secret.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) code: Option<Zeroizing<String>>,
    pub(crate) message: Option<Zeroizing<String>>,
    pub(crate) request_id: Option<Zeroizing<String>>,
    pub(crate) recommend: Option<Zeroizing<String>>,
}

/// The members of a JSON object as they are written, so that nothing is copied that is not asked for.
type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Reads an error answer, JSON (`Code` or `code`) or XML. `None` if it holds no error code: a proxy's page.
pub(crate) fn parse_error(body: &[u8]) -> Option<ServiceError> {
    let error = match serde_json::from_slice::<Members<'_>>(body) {
        Ok(fields) => {
            let field = |upper: &str, lower: &str| {
                let value = fields.get(upper).or_else(|| fields.get(lower))?;
                let value = json_text(value.get())?;
                (!value.is_empty()).then_some(value)
            };
            ServiceError {
                code: field("Code", "code"),
                message: field("Message", "message"),
                request_id: field("RequestId", "requestId"),
                recommend: field("Recommend", "recommend"),
            }
        }
        Err(_) => parse_xml_error(std::str::from_utf8(body).ok()?)?,
    };
    error.code.is_some().then_some(error)
}

/// `<Error>` with one element per field. Anything deeper is not an error of this service.
fn parse_xml_error(text: &str) -> Option<ServiceError> {
    let start = text.find("<Error>")?;
    let inside = &text[start..];
    let inside = &inside[..inside.find("</Error>")?];
    let field = |name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let from = inside.find(&open)? + open.len();
        let value = &inside[from..];
        let value = &value[..value.find(&close)?];
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
    fn defects_quote_nothing_of_the_answer() {
        for body in [
            &br#"{"Credentials": "canary"}"#[..],
            br#"{"Credentials": {"AccessKeyId": "canary", "AccessKeySecret": ["canary"]}}"#,
            br#"{"Credentials": {"AccessKeySecret": "canary"#,
            b"\xEF\xBB\xBF{\"canary\": 1}",
            b"canary",
            b"<html>canary</html>",
            b"\xff\xfecanary",
            br#"{"Credentials": {"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": "canary"}}"#,
        ] {
            let Err(defect) = parse(body) else { panic!("{body:?} is not an answer") };
            assert!(!defect.to_string().contains("canary") && !format!("{defect:?}").contains("canary"));
        }
        assert_eq!(parse(b"<html>").err(), Some(BodyDefect::Markup));
        assert_eq!(parse(b" \n").err(), Some(BodyDefect::Empty));
        let array = br#"[null, {"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t",
            "Expiration": "2099-01-01T00:00:00Z"}, null]"#;
        assert_eq!(parse(array).err(), Some(BodyDefect::NotObject));
        assert_eq!(parse(b"{}").err(), Some(BodyDefect::Missing("Credentials")));
        let no_id = br#"{"Credentials": {"AccessKeyId": ""}}"#;
        assert_eq!(
            parse(no_id).err(),
            Some(BodyDefect::Missing("Credentials.AccessKeyId"))
        );
    }

    #[test]
    fn every_documented_form_of_expiration_is_read() {
        for (text, unix) in [
            ("2026-01-02T04:04:05Z", 1_767_326_645_000),
            ("2026-01-02T04:04:05.123Z", 1_767_326_645_123),
            ("2026-01-02T12:04:05+08:00", 1_767_326_645_000),
            ("2026-01-02t04:04:05z", 1_767_326_645_000),
        ] {
            let body = format!(
                r#"{{"Credentials": {{"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t",
                   "Expiration": "{text}"}}}}"#
            );
            let session = parse(body.as_bytes()).ok().unwrap();
            let since = session.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(since.as_millis(), unix, "{text}");
        }
    }

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
