//! Signature Version 4 of AWS, in the header and in the URL: what clients of Amazon S3 send.
//!
//! Written from the description in the Amazon S3 API reference ("Authenticating Requests: Using the Authorization
//! Header" and "Using Query Parameters"), with its published examples as tests. What OSS refuses, and how: vendor
//! documents "Access OSS by using AWS SDKs", "Compatibility with Amazon S3" and the pages about the EC codes
//! 0002-00000403 to 0002-00000427 and 0017-00000804 (support).

use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use oss_sign::v4::MAX_EXPIRES;

use super::super::content::hex;
use super::super::error::Refusal;
use super::check::{check_token, expired, hex_bytes, invalid, key, mismatch, skewed};
use crate::account::Key;
use crate::state::State;
use crate::time::{MAX_SKEW, apart, basic_day, parse_basic, parse_http_date};
use crate::wire::{Request, Upload};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";
/// The end of each scope.
const TERMINATOR: &str = "aws4_request";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const HASH_HEADER: &str = "x-amz-content-sha256";
/// The one value with which OSS reads a body in chunks, which the local cloud does not.
const CHUNKED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
/// The parameters of a signed URL, in the order of the first one that is missed.
const PARAMETERS: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

/// Returns whether the request claims to have such a signature.
pub(super) fn is_signed(request: &Request) -> bool {
    match request.header("authorization") {
        Some(header) => header.starts_with(ALGORITHM),
        None => PARAMETERS.iter().any(|name| request.query_value(name).is_some()),
    }
}

/// The access key ID that the request names.
pub(super) fn access_key_id(request: &Request) -> Option<String> {
    let signed = Signed::read(request).ok()?;
    Some(signed.credential.id.to_owned())
}

/// Id, day, region and service of a scope.
struct Credential<'a> {
    id: &'a str,
    day: &'a str,
    /// Any: the vendor's pages sign requests to Hangzhou for `us-east-1` and for `aws-global`.
    region: &'a str,
}

impl<'a> Credential<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.rsplitn(5, '/');
        let (end, service) = (parts.next()?, parts.next()?);
        let (region, day, id) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = end == TERMINATOR && service == SERVICE && !id.is_empty() && day.len() == 8;
        whole.then_some(Self { id, day, region })
    }

    fn scope(&self) -> String {
        format!("{}/{}/{SERVICE}/{TERMINATOR}", self.day, self.region)
    }
}

/// A signature with what belongs to it.
struct Signed<'a> {
    credential: Credential<'a>,
    headers: Vec<&'a str>,
    signature: &'a str,
    time: SystemTime,
    token: Option<&'a str>,
    /// The URL form's lifetime.
    expires: Option<Duration>,
    /// The value that is signed instead of the body.
    payload: &'a str,
}

impl<'a> Signed<'a> {
    fn read(request: &'a Request) -> Result<Self, Refusal> {
        match request.header("authorization") {
            Some(header) => Self::in_header(request, header),
            None => Self::in_query(request),
        }
    }

    fn in_header(request: &'a Request, header: &'a str) -> Result<Self, Refusal> {
        let malformed = || invalid("Authorization header is invalid.", "0002-00000406");
        let fields = header.strip_prefix(ALGORITHM).ok_or_else(malformed)?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
            fields.find(|(own, _)| *own == name).map(|(_, value)| value)
        };
        let missing = || invalid("The Credential field is missing.", "0002-00000403");
        let incomplete = || invalid("The Credential field is incomplete.", "0002-00000404");
        let credential = field("Credential").ok_or_else(missing)?;
        let date = request.header("x-amz-date");
        let time = match date {
            Some(date) => parse_basic(date),
            None => request.header("date").and_then(parse_http_date),
        };
        let payload = request.header(HASH_HEADER);
        Ok(Self {
            credential: Credential::parse(credential).ok_or_else(incomplete)?,
            headers: field("SignedHeaders").ok_or_else(malformed)?.split(';').collect(),
            signature: field("Signature").ok_or_else(malformed)?,
            time: time.ok_or_else(|| invalid("Invalid date.", ""))?,
            token: request.header("x-amz-security-token"),
            expires: None,
            payload: payload.ok_or_else(|| invalid("Missing x-amz-content-sha256 header.", ""))?,
        })
    }

    fn in_query(request: &'a Request) -> Result<Self, Refusal> {
        let [algorithm, credential, date, expires, headers, signature] =
            PARAMETERS.map(|name| request.query_value(name));
        let missing = |name: &str, ec| invalid(&format!("The {name} parameter is missing or invalid."), ec);
        if algorithm != Some(ALGORITHM) {
            return Err(missing("X-Amz-Algorithm", "0002-00000410"));
        }
        let credential = credential.and_then(Credential::parse);
        let expires = expires.and_then(|seconds| seconds.parse().ok());
        let expires = expires.map(Duration::from_secs);
        let expires = expires.filter(|life| !life.is_zero() && *life <= MAX_EXPIRES);
        Ok(Self {
            credential: credential.ok_or_else(|| missing("X-Amz-Credential", "0002-00000413"))?,
            time: date
                .and_then(parse_basic)
                .ok_or_else(|| missing("X-Amz-Date", "0002-00000415"))?,
            expires: Some(expires.ok_or_else(|| missing("X-Amz-Expires", ""))?),
            headers: headers
                .ok_or_else(|| missing("X-Amz-SignedHeaders", ""))?
                .split(';')
                .collect(),
            signature: signature
                .filter(|signature| signature.len() == 64)
                .ok_or_else(|| missing("X-Amz-Signature", "0002-00000423"))?,
            token: request.query_value("X-Amz-Security-Token"),
            payload: request.header(HASH_HEADER).unwrap_or(UNSIGNED_PAYLOAD),
        })
    }
}

/// Checks a signed request as the service does.
pub(super) fn authenticate(state: &State, request: &Request, now: SystemTime) -> Result<Key, Refusal> {
    check_chunks(request)?;
    let signed = Signed::read(request)?;
    if basic_day(signed.time) != signed.credential.day {
        return Err(invalid("Invalid signing date in the credential.", ""));
    }
    check_headers(request, &signed)?;
    check_payload(request, signed.payload)?;
    let key = key(state, signed.credential.id)?;
    check_token(state, &key, signed.token, now)?;
    check_time(&signed, now)?;
    check_signature(request, &signed, &key)?;
    Ok(key)
}

/// Refuses bodies in signed chunks.
fn check_chunks(request: &Request) -> Result<(), Refusal> {
    let hash = request.header(HASH_HEADER).unwrap_or_default();
    if hash == CHUNKED {
        let message = "Aws MultiChunkedEncoding is not supported.";
        return Err(Refusal::new(400, "NotImplemented", message, ""));
    }
    let coding = request.header("content-encoding").unwrap_or_default();
    let is_chunked = coding.split(',').any(|one| one.trim() == "aws-chunked");
    if !is_chunked && !hash.starts_with("STREAMING-") {
        return Ok(());
    }
    let (name, value) = if is_chunked {
        ("Content-Encoding", coding)
    } else {
        (HASH_HEADER, hash)
    };
    let message = "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.";
    Err(invalid(message, "0017-00000804")
        .field("ArgumentName", name)
        .field("ArgumentValue", value))
}

/// `Host` and all headers of S3 have to be signed.
fn check_headers(request: &Request, signed: &Signed<'_>) -> Result<(), Refusal> {
    let names = request.headers.iter().map(|(name, _)| name.as_str());
    let mut needed = names.filter(|name| *name == "host" || name.starts_with("x-amz-"));
    match needed.find(|name| !signed.headers.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let message = "There were headers present in the request which were not signed.";
            Err(Refusal::new(403, "AccessDenied", message, "").field("HeadersNotSigned", name))
        }
    }
}

/// The hash is that of the body. The body of a sink is gone when its signature is checked.
fn check_payload(request: &Request, stated: &str) -> Result<(), Refusal> {
    let is_sunk = matches!(request.upload, Upload::Sunk(_));
    let is_hash = stated.len() == 64 && stated.bytes().all(|byte| byte.is_ascii_hexdigit());
    if stated == UNSIGNED_PAYLOAD
        || (is_hash && (is_sunk || acs_sign::acs3::content_sha256(&request.body) == stated))
    {
        return Ok(());
    }
    Err(invalid("Invalid X-Amz-Content-SHA256.", "0002-00000427")
        .field("ArgumentName", HASH_HEADER)
        .field("ArgumentValue", stated))
}

fn check_time(signed: &Signed<'_>, now: SystemTime) -> Result<(), Refusal> {
    let is_ahead = signed
        .time
        .duration_since(now)
        .is_ok_and(|ahead| ahead > MAX_SKEW);
    let Some(life) = signed.expires else {
        return if apart(signed.time, now) <= MAX_SKEW {
            Ok(())
        } else {
            Err(skewed(signed.time, now))
        };
    };
    let end = signed.time + life;
    if end < now {
        return Err(expired(end, now));
    }
    if is_ahead {
        return Err(skewed(signed.time, now));
    }
    Ok(())
}

fn check_signature(request: &Request, signed: &Signed<'_>, key: &Key) -> Result<(), Refusal> {
    let canonical = canonical_request(request, signed);
    let date = signed.time;
    let hash = acs_sign::acs3::content_sha256(&canonical);
    let scope = signed.credential.scope();
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{hash}", basic(date));
    let secret = key.credentials.access_key_secret();
    if signature(secret, &signed.credential, text.as_bytes()) == signed.signature {
        return Ok(());
    }
    let (id, provided) = (signed.credential.id, signed.signature);
    Err(mismatch(id, provided, text.as_bytes(), "")
        .field("CanonicalRequest", &String::from_utf8_lossy(&canonical))
        .field("CanonicalRequestBytes", &hex_bytes(&canonical)))
}

/// `20130524T000000Z`.
fn basic(at: SystemTime) -> String {
    crate::time::iso(at).replace(['-', ':'], "")
}

fn signature(secret: &str, credential: &Credential<'_>, text: &[u8]) -> String {
    let mac = |key: &[u8], text: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, text).as_ref().to_vec()
    };
    let start = format!("AWS4{secret}").into_bytes();
    let parts = [credential.day, credential.region, SERVICE, TERMINATOR];
    let key = parts.iter().fold(start, |key, part| mac(&key, part.as_bytes()));
    hex(&mac(&key, text)).to_ascii_lowercase()
}

/// Bytes, since values of headers need not be UTF-8.
fn canonical_request(request: &Request, signed: &Signed<'_>) -> Vec<u8> {
    let path = percent_encoding::percent_decode_str(&request.path).decode_utf8_lossy();
    let path = oss_sign::encode_path(&path);
    let mut pairs: Vec<(String, String)> = request
        .query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| (oss_sign::encode(name), oss_sign::encode(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let query = pairs.join("&");
    let mut text = format!("{}\n{path}\n{query}\n", request.method).into_bytes();
    for name in &signed.headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(&canonical_value(request, name));
        text.push(b'\n');
    }
    let names = signed.headers.join(";");
    text.extend_from_slice(format!("\n{names}\n{}", signed.payload).as_bytes());
    text
}

/// The values of a header with commas between them, without blanks around them and with single ones within.
fn canonical_value(request: &Request, name: &str) -> Vec<u8> {
    let values = request.raw_headers.get_all(name).iter();
    let values: Vec<Vec<u8>> = values
        .map(|value| {
            let words = value.as_bytes().split(|byte| *byte == b' ');
            let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
            words.join(&b' ')
        })
        .collect();
    values.join(&b',')
}
