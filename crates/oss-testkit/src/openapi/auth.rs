//! Authentication: the checks of key, time, token, signature and nonce.

use std::time::SystemTime;

use acs_sign::{acs3, rpc};

use super::product::Refusal;
use crate::account::Key;
use crate::service::Judgement;
use crate::state::State;
use crate::time::{MAX_SKEW, apart, parse_iso};
use crate::wire::Request;

/// The fields that both forms of a signed request have.
struct Signed<'a> {
    access_key_id: &'a str,
    token: Option<&'a str>,
    time: &'a str,
    nonce: &'a str,
    signature: &'a str,
    form: Form<'a>,
}

enum Form<'a> {
    Rpc,
    Acs3 { signed_headers: &'a str },
}

/// Checks the request as the service does; returns the caller's key.
pub(crate) fn authenticate(state: &State, request: &Request, judgement: Judgement) -> Result<Key, Refusal> {
    let now = state.now(judgement.clock_offset);
    let signed = if request.header("authorization").is_some() {
        read_acs3(request)
    } else {
        read_rpc(request)
    }?;
    check_time(signed.time, now)?;
    let key = state.key(signed.access_key_id).ok_or_else(|| {
        Refusal::new(
            404,
            "InvalidAccessKeyId.NotFound",
            "Specified access key is not found.",
        )
    })?;
    check_key(&key, signed.token, now)?;
    check_signature(request, &signed, &key)?;
    if !state.lock().use_nonce(signed.access_key_id, signed.nonce, now) {
        return Err(Refusal::new(
            400,
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        ));
    }
    Ok(key)
}

fn read_rpc(request: &Request) -> Result<Signed<'_>, Refusal> {
    let access_key_id = mandatory(request, "AccessKeyId", "MissingAccessKeyId")?;
    let signature = request
        .parameter(rpc::SIGNATURE)
        .filter(|signature| !signature.is_empty());
    let method = request.parameter("SignatureMethod");
    let version = request.parameter("SignatureVersion");
    let (Some(signature), Some(rpc::SIGNATURE_METHOD), Some(rpc::SIGNATURE_VERSION)) =
        (signature, method, version)
    else {
        return Err(incomplete());
    };
    Ok(Signed {
        access_key_id,
        token: request.parameter("SecurityToken"),
        time: mandatory(request, "Timestamp", "MissingTimestamp")?,
        nonce: mandatory(request, "SignatureNonce", "MissingSignatureNonce")?,
        signature,
        form: Form::Rpc,
    })
}

fn read_acs3(request: &Request) -> Result<Signed<'_>, Refusal> {
    let parsed = request
        .header("authorization")
        .and_then(acs3::Authorization::parse);
    let parsed = parsed.ok_or_else(incomplete)?;
    let listed = |name: &str| parsed.signed_headers.split(';').any(|own| own == name);
    // Content-Type has to be signed where there is a body.
    let must = |name: &str| acs3::is_signed(name) && (name != "content-type" || !request.body.is_empty());
    if request
        .headers
        .iter()
        .any(|(name, _)| must(name) && !listed(name))
    {
        return Err(incomplete());
    }
    let header = |name: &str, code| {
        request
            .header(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| missing(name, code))
    };
    Ok(Signed {
        access_key_id: parsed.access_key_id,
        token: request.header("x-acs-security-token"),
        time: header("x-acs-date", "MissingTimestamp")?,
        nonce: header("x-acs-signature-nonce", "MissingSignatureNonce")?,
        signature: parsed.signature,
        form: Form::Acs3 {
            signed_headers: parsed.signed_headers,
        },
    })
}

pub(crate) fn mandatory<'a>(
    request: &'a Request,
    name: &str,
    code: &'static str,
) -> Result<&'a str, Refusal> {
    request
        .parameter(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| missing(name, code))
}

fn missing(name: &str, code: &'static str) -> Refusal {
    Refusal::new(400, code, format!("{name} is mandatory for this action."))
}

fn incomplete() -> Refusal {
    let message = "The request signature does not conform to Aliyun standards.";
    Refusal::new(400, "IncompleteSignature", message)
}

pub(crate) fn check_time(text: &str, now: SystemTime) -> Result<(), Refusal> {
    let time = parse_iso(text).ok_or_else(|| {
        let message = "Specified time stamp or date value is not well formatted.";
        Refusal::new(400, "InvalidTimeStamp.Format", message)
    })?;
    if apart(time, now) > MAX_SKEW {
        let message = "Specified time stamp or date value is expired.";
        return Err(Refusal::new(400, "InvalidTimeStamp.Expired", message));
    }
    Ok(())
}

fn check_key(key: &Key, token: Option<&str>, now: SystemTime) -> Result<(), Refusal> {
    let token = token.filter(|token| !token.is_empty());
    match (key.credentials.security_token(), token) {
        (Some(_), None) => {
            let message = "SecurityToken is mandatory for this action.";
            return Err(Refusal::new(400, "MissingSecurityToken", message));
        }
        (own, Some(_)) if own != token => {
            let message = "Specified SecurityToken mismatch with the AccessKey.";
            return Err(Refusal::new(
                400,
                "InvalidSecurityToken.MismatchWithAccessKey",
                message,
            ));
        }
        _ => {}
    }
    if key.credentials.is_expired_at(now) {
        let message = "Specified SecurityToken is expired.";
        return Err(Refusal::new(400, "InvalidSecurityToken.Expired", message));
    }
    if key.revoked {
        let message = "Specified access key is disabled.";
        return Err(Refusal::new(400, "InvalidAccessKeyId.Inactive", message));
    }
    Ok(())
}

fn check_signature(request: &Request, signed: &Signed<'_>, key: &Key) -> Result<(), Refusal> {
    let secret = key.credentials.access_key_secret();
    let (string_to_sign, expected, detail) = match signed.form {
        Form::Rpc => {
            let all: Vec<(&str, &str)> = pairs(&request.query).chain(pairs(&request.form)).collect();
            let text = rpc::string_to_sign(&request.method, &all);
            let signature = rpc::signature(secret, &text);
            (text, signature, String::new())
        }
        Form::Acs3 { signed_headers } => {
            let listed = |name: &str| signed_headers.split(';').any(|own| own == name);
            let headers: Vec<(&str, &str)> =
                pairs(&request.headers).filter(|(name, _)| listed(name)).collect();
            let query: Vec<(&str, &str)> = pairs(&request.query).collect();
            let hash = acs3::content_sha256(&request.body);
            let canonical = acs3::canonical_request(&request.method, &request.path, &query, &headers, &hash);
            let text = acs3::string_to_sign(&canonical);
            let signature = acs3::signature(secret, &text);
            (
                text,
                signature,
                format!(" server CanonicalRequest is:{canonical}"),
            )
        }
    };
    if expected.is_empty() || expected != signed.signature {
        // The official core SDK compares what follows the first colon with its own text.
        let message = format!(
            "Specified signature is not matched with our calculation. server string to sign is:\
             {string_to_sign}{detail}"
        );
        return Err(Refusal::new(400, "SignatureDoesNotMatch", message));
    }
    Ok(())
}

fn pairs(owned: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    owned.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}
