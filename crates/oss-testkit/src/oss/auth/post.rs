//! V4 and V1 signatures of a form upload.
//!
//! Vendor documents: "A V4 signature in a `PostObject` request" and "A V1 signature in a `PostObject` request" (Object
//! Storage Service, API reference), and the pages about the EC codes 0002-00000702 to 0002-00000704 (support).

use std::time::{Duration, SystemTime};

use oss_sign::v4::{ALGORITHM, DEFAULT_PRODUCT, signature};

use super::super::error::Refusal;
use super::check::{check_token, invalid, key, mismatch, skewed};
use super::v1;
use crate::account::Key;
use crate::state::State;
use crate::time::{MAX_SKEW, parse_basic};
use crate::wire::Request;

/// How long after signing a form is accepted at most.
const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Id, day, region, product and the fixed end of a credential.
struct Credential<'a> {
    id: &'a str,
    day: &'a str,
    region: &'a str,
    product: &'a str,
}

impl<'a> Credential<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.rsplitn(5, '/');
        if parts.next()? != "aliyun_v4_request" {
            return None;
        }
        let (product, region, day) = (parts.next()?, parts.next()?, parts.next()?);
        let id = parts.next()?;
        Some(Self {
            id,
            day,
            region,
            product,
        })
    }
}

/// Returns whether the form claims to be signed, in any form.
pub(super) fn is_signed(request: &Request) -> bool {
    [
        "x-oss-signature",
        "x-oss-credential",
        "Signature",
        "OSSAccessKeyId",
    ]
    .iter()
    .any(|name| request.form_field(name).is_some())
}

/// Returns whether the form has a V1 signature, which names no version.
pub(in crate::oss) fn is_v1(request: &Request) -> bool {
    let has = |name| request.form_field(name).is_some();
    has("OSSAccessKeyId") && !has("x-oss-signature-version")
}

/// The signature over the policy as it was sent.
fn authenticate_v1(state: &State, request: &Request, now: SystemTime) -> Result<Key, Refusal> {
    let value = |name| request.form_field(name).filter(|value| !value.is_empty());
    let id = value("OSSAccessKeyId").unwrap_or_default();
    let policy = value("policy").ok_or_else(|| invalid("The form has no policy.", "0002-00000702"))?;
    let provided = request.form_field("Signature");
    let provided = provided.ok_or_else(|| invalid("The form has no Signature.", "0002-00000703"))?;
    if provided.is_empty() {
        return Err(invalid("The Signature of the form is empty.", "0002-00000704"));
    }
    let key = key(state, id)?;
    check_token(state, &key, value("x-oss-security-token"), now)?;
    if v1::sign(key.credentials.access_key_secret(), policy.as_bytes()) == provided {
        return Ok(key);
    }
    Err(mismatch(id, provided, policy.as_bytes(), "0002-00000705"))
}

pub(super) fn access_key_id(request: &Request) -> Option<String> {
    if is_v1(request) {
        return request.form_field("OSSAccessKeyId").map(str::to_owned);
    }
    let credential = Credential::parse(request.form_field("x-oss-credential")?)?;
    Some(credential.id.to_owned())
}

pub(super) fn authenticate(state: &State, request: &Request, now: SystemTime) -> Result<Key, Refusal> {
    if is_v1(request) {
        return authenticate_v1(state, request, now);
    }
    if request.form_field("x-oss-signature-version") != Some(ALGORITHM) {
        return Err(invalid(
            "The signature version of the form is not supported.",
            "0002-00000701",
        ));
    }
    let credential = request.form_field("x-oss-credential").and_then(Credential::parse);
    let credential = credential.ok_or_else(|| invalid("Invalid x-oss-credential.", "0002-00000710"))?;
    if credential.region != state.region {
        return Err(invalid("Invalid signing region in x-oss-credential.", ""));
    }
    if credential.product != DEFAULT_PRODUCT {
        return Err(invalid("Invalid signing product in x-oss-credential.", ""));
    }
    let date = request.form_field("x-oss-date").unwrap_or_default();
    let time = parse_basic(date).filter(|_| date.starts_with(credential.day));
    let time = time.ok_or_else(|| invalid("Invalid x-oss-date.", ""))?;
    let key = key(state, credential.id)?;
    check_token(state, &key, request.form_field("x-oss-security-token"), now)?;
    let ahead = time.duration_since(now).unwrap_or_default();
    let age = now.duration_since(time).unwrap_or_default();
    if ahead > MAX_SKEW || age > MAX_AGE {
        return Err(skewed(time, now));
    }
    let policy = request.form_field("policy").unwrap_or_default();
    let secret = key.credentials.access_key_secret();
    let expected = signature(
        secret,
        credential.day,
        credential.region,
        credential.product,
        policy,
    );
    let provided = request.form_field("x-oss-signature").unwrap_or_default();
    if expected == provided {
        return Ok(key);
    }
    Err(mismatch(
        credential.id,
        provided,
        policy.as_bytes(),
        "0002-00000705",
    ))
}
