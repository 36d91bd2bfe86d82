//! Parses what an invocation passes: headers or a JSON context. Pure.

use serde::Deserialize;
use zeroize::Zeroizing;

/// Access key ID, secret and token, as far as they are present.
#[derive(Default, Deserialize)]
pub(crate) struct Fields {
    #[serde(rename = "accessKeyId", alias = "access_key_id")]
    pub(crate) access_key_id: Option<Zeroizing<String>>,
    #[serde(rename = "accessKeySecret", alias = "access_key_secret")]
    pub(crate) access_key_secret: Option<Zeroizing<String>>,
    #[serde(rename = "securityToken", alias = "security_token")]
    pub(crate) security_token: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Context {
    credentials: Option<Fields>,
}

/// What is wrong with a JSON context. serde's own text may quote a key, so only the place is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    NotObject,
    NotContext { line: usize, column: usize },
}

/// Reads a JSON context. Without `credentials` all fields are missing.
pub(crate) fn parse(json: &[u8]) -> Result<Fields, Defect> {
    // serde would take an array for a structure, too.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(Defect::NotObject);
    }
    let context: Context = serde_json::from_slice(json).map_err(|error| Defect::NotContext {
        line: error.line(),
        column: error.column(),
    })?;
    Ok(context.credentials.unwrap_or_default())
}

/// Takes the header `name` from one `(name, value)` of a request.
pub(crate) fn take(
    field: &mut Option<Zeroizing<String>>,
    name: &'static str,
    header: (&[u8], &[u8]),
) -> Result<(), String> {
    if !header.0.eq_ignore_ascii_case(name.as_bytes()) {
        return Ok(());
    }
    let value = std::str::from_utf8(header.1).map_err(|_| format!("the header {name} is not text"))?;
    match field {
        // Which of them the platform set cannot be known.
        Some(first) if first.as_str() != value => Err(format!("the header {name} is there twice")),
        _ => {
            *field = Some(Zeroizing::new(value.to_owned()));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defects_quote_nothing_of_the_context() {
        for json in [
            &br#"{"credentials": "canary"}"#[..],
            br#"{"credentials": {"accessKeyId": ["canary"]}}"#,
            br#"{"credentials": {"accessKeyId": "a", "access_key_id": "canary"}}"#,
            br#"{"credentials": {"accessKeySecret": "canary"#,
            b"canary",
            b"",
            b"[{\"accessKeyId\": \"canary\"}]",
        ] {
            let Err(defect) = parse(json) else {
                panic!("{json:?} is no context")
            };
            assert!(!format!("{defect:?}").contains("canary"));
        }
    }
}
