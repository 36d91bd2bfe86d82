//! V4 signatures in the header and in the URL.

use std::time::{Duration, SystemTime};

use oss_sign::RequestView;
use oss_sign::v4::{ALGORITHM, Authorization, DEFAULT_PRODUCT, MAX_EXPIRES};

use super::super::address::Target;
use super::super::error::Refusal;
use super::check::{check_token, expired, hex_bytes, invalid, key, mismatch, skewed};
use crate::account::Key;
use crate::state::State;
use crate::time::{MAX_SKEW, apart, basic_day, parse_basic, parse_http_date};
use crate::wire::Request;

/// The access key ID that the request names.
pub(super) fn access_key_id(request: &Request) -> Option<String> {
    let query = pairs(request);
    let signed = read(request, &query).ok().flatten()?;
    Some(signed.authorization.access_key_id().to_owned())
}

/// A signature with what belongs to it.
struct Signed<'a> {
    authorization: Authorization<'a>,
    date: &'a str,
    /// The time in `date`, if it can be parsed.
    time: Option<SystemTime>,
    token: Option<&'a str>,
    /// The URL form's lifetime in seconds.
    expires: Option<u64>,
}

/// Checks a signed request as the service does.
pub(super) fn authenticate(
    state: &State,
    request: &Request,
    target: &Target,
    now: SystemTime,
) -> Result<Key, Refusal> {
    let query = pairs(request);
    let signed = read(request, &query)?;
    let signed =
        signed.ok_or_else(|| invalid("The authentication parameters of the URL are invalid.", ""))?;
    let authorization = &signed.authorization;
    check_scope(state, &signed)?;
    check_additional(request, authorization)?;
    let key = key(state, authorization.access_key_id())?;
    check_token(state, &key, signed.token, now)?;
    check_time(&signed, now)?;
    check_signature(request, target, &query, authorization, &key)?;
    Ok(key)
}

/// The query as pairs of borrowed text.
fn pairs(request: &Request) -> Vec<(&str, &str)> {
    request
        .query
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn read<'a>(request: &'a Request, query: &[(&'a str, &'a str)]) -> Result<Option<Signed<'a>>, Refusal> {
    if let Some(header) = request.header("authorization") {
        if !header.starts_with(ALGORITHM) {
            return Err(invalid("Unsupported Authorization Type", "0002-00000002"));
        }
        let authorization =
            Authorization::parse(header).map_err(|_| invalid("Authorization header is invalid.", ""))?;
        // Each header has a format of its own: EC 0002-00000502 (Object Storage Service, support).
        let date = request.header("x-oss-date");
        let (date, time) = match (date, request.header("date")) {
            (Some(date), _) => (date, parse_basic(date)),
            (None, date) => (date.unwrap_or_default(), date.and_then(parse_http_date)),
        };
        let token = request.header("x-oss-security-token");
        // The vendor's pages name no other value; that another one is refused, and how, is a guess.
        if request.header("x-oss-content-sha256") != Some("UNSIGNED-PAYLOAD") {
            return Err(invalid("Invalid x-oss-content-sha256 header.", ""));
        }
        return Ok(Some(Signed {
            authorization,
            date,
            time,
            token,
            expires: None,
        }));
    }
    let malformed = |_| invalid("The authentication parameters of the URL are invalid.", "");
    let Some(authorization) = Authorization::parse_query(query).map_err(malformed)? else {
        return Ok(None);
    };
    let value = |name: &str| {
        query
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| *value)
    };
    let date = value("x-oss-date").unwrap_or_default();
    Ok(Some(Signed {
        date,
        time: parse_basic(date),
        token: value("x-oss-security-token"),
        expires: value("x-oss-expires").and_then(|seconds| seconds.parse().ok()),
        authorization,
    }))
}

fn check_scope(state: &State, signed: &Signed<'_>) -> Result<(), Refusal> {
    let scope = &signed.authorization;
    if scope.region() != state.region {
        return Err(invalid(
            "Invalid signing region in Authorization header.",
            "0002-00000226",
        ));
    }
    if scope.product() != DEFAULT_PRODUCT {
        return Err(invalid(
            "Invalid signing product in Authorization header.",
            "0002-00000227",
        ));
    }
    if signed.time.is_some_and(|time| basic_day(time) != scope.day()) {
        return Err(invalid("Invalid signing date in Authorization header.", ""));
    }
    Ok(())
}

/// The additional headers are sorted, each is named once, and the request has it.
///
/// That such a list is malformed follows from the vendor's page about the V4 signature; the code is a guess.
fn check_additional(request: &Request, authorization: &Authorization<'_>) -> Result<(), Refusal> {
    let names: Vec<&str> = authorization.additional_headers().collect();
    if !names.is_sorted_by(|one, next| one < next) {
        return Err(invalid(
            "AdditionalHeaders must be sorted and name each header once.",
            "",
        ));
    }
    if names.iter().any(|name| request.header(name).is_none()) {
        return Err(invalid(
            "AdditionalHeaders names a header that the request lacks.",
            "",
        ));
    }
    Ok(())
}

fn check_time(signed: &Signed<'_>, now: SystemTime) -> Result<(), Refusal> {
    let Some(time) = signed.time else {
        let missing = signed.date.is_empty();
        return Err(invalid(
            "Invalid date.",
            if missing { "0002-00000503" } else { "0002-00000502" },
        ));
    };
    let Some(seconds) = signed.expires else {
        return if apart(time, now) <= MAX_SKEW {
            Ok(())
        } else {
            Err(skewed(time, now))
        };
    };
    let lifetime = Duration::from_secs(seconds);
    if lifetime.is_zero() || lifetime > MAX_EXPIRES {
        return Err(invalid("x-oss-expires must be from 1 to 604800 seconds.", ""));
    }
    let end = time + lifetime;
    if end < now {
        return Err(expired(end, now));
    }
    // Signed by a clock that is ahead.
    if time.duration_since(now).is_ok_and(|ahead| ahead > MAX_SKEW) {
        return Err(skewed(time, now));
    }
    Ok(())
}

fn check_signature(
    request: &Request,
    target: &Target,
    query: &[(&str, &str)],
    authorization: &Authorization<'_>,
    key: &Key,
) -> Result<(), Refusal> {
    let headers: Vec<(&str, &[u8])> = request
        .raw_headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let view = RequestView::new(&request.method)
        .bucket(target.bucket.as_str())
        .key(target.key.as_str())
        .query(query)
        .headers(&headers);
    let verification = authorization
        .verify(&view, key.credentials.access_key_secret())
        .map_err(|error| invalid(&error.to_string(), ""))?;
    if verification.matches() {
        return Ok(());
    }
    let explained = verification.explained();
    let canonical = String::from_utf8_lossy(explained.canonical_request());
    let text = explained.string_to_sign().as_bytes();
    let (id, provided) = (authorization.access_key_id(), authorization.signature());
    Err(mismatch(id, provided, text, "0002-00000040")
        .field("CanonicalRequest", &canonical)
        .field("CanonicalRequestBytes", &hex_bytes(explained.canonical_request())))
}
