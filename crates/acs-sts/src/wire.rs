//! The service's responses on the wire. Pure.

use std::time::SystemTime;

use oss_credentials_core::body::{BodyDefect, json_object, required};
use oss_credentials_core::rfc3339;
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleAnswer {
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

/// A complete response: ID, secret and token are not empty.
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Zeroizing<String>,
    pub(crate) expires_at: SystemTime,
    pub(crate) arn: Option<String>,
    pub(crate) assumed_role_id: Option<String>,
}

/// Parses the response to a call that returns a session.
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
    })
}

/// The response to `GetCallerIdentity`.
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
}

/// Parses the response to `GetCallerIdentity`.
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
}
