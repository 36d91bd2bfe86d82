//! Signing an `http::request::Parts` in place by ACS3.

use std::time::SystemTime;

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use oss_credentials_core::Credentials;
use percent_encoding::percent_decode_str;

use crate::acs3;
use crate::error::SignError;
use crate::request::ApiRequest;
use crate::signed::Addition;

const ACTION: &str = "x-acs-action";
const VERSION: &str = "x-acs-version";
const TOKEN: &str = "x-acs-security-token";

/// Headers that the signer sets: those of an earlier attempt are replaced.
const REPLACED: [&str; 6] = [
    "authorization",
    "x-acs-content-sha256",
    "x-acs-date",
    "x-acs-security-token",
    "x-acs-signature-credentials",
    "x-acs-signature-nonce",
];

/// Signs a request to an OpenAPI by ACS3, in place.
///
/// The caller sets the headers `x-acs-action` and `x-acs-version`; path and query are those of the URI, and `body` is the
/// body, byte for byte. `host` is added if it is missing. `authorization` and `x-acs-security-token` are marked sensitive.
/// What an earlier attempt left is replaced, so that a request can be signed again. On an error nothing is changed, and
/// with [anonymous](Credentials::anonymous) credentials neither.
///
/// # Errors
///
/// Those of [`acs3::sign`], [`SignError::MissingHeader`] for a request without action or version, and
/// [`SignError::InvalidValue`] if the query holds a raw `+`, a `%` that begins no escape or bytes that are not UTF-8, or if
/// the header map is full.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use oss_credentials_core::{Credentials, nonce};
///
/// let credentials = Credentials::builder("example-id", "example-secret").build()?;
/// let (mut parts, body) = http::Request::post("https://sts.aliyuncs.com/")
///     .header("x-acs-action", "GetCallerIdentity")
///     .header("x-acs-version", "2015-04-01")
///     .body("")?
///     .into_parts();
/// acs_sign::http::sign_parts(&mut parts, body.as_bytes(), &credentials, SystemTime::UNIX_EPOCH, &nonce())?;
/// assert!(parts.headers["authorization"].is_sensitive());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_parts(
    parts: &mut Parts,
    body: &[u8],
    credentials: &Credentials,
    time: SystemTime,
    nonce: &str,
) -> Result<(), SignError> {
    if credentials.is_anonymous() {
        return Ok(());
    }
    let host = host(parts)?;
    let query = decoded(parts.uri.query().unwrap_or_default())?;
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    let headers = signed_headers(parts)?;
    let request = ApiRequest::new(
        parts.method.as_str(),
        host,
        required(parts, ACTION)?,
        required(parts, VERSION)?,
    );
    let request = request
        .path(parts.uri.path())
        .query(&query)
        .headers(&headers)
        .body(body);
    let signed = acs3::sign(&request, credentials, time, nonce)?;
    let host = HeaderValue::from_str(host).map_err(|_| invalid(HOST.as_str()))?;
    let added: Vec<(HeaderName, HeaderValue)> =
        signed.headers().iter().map(header).collect::<Result<_, _>>()?;
    let full = |_| invalid("headers");
    parts.headers.try_reserve(added.len() + 1).map_err(full)?;

    // From here on nothing can fail.
    parts.headers.remove(TOKEN);
    for (name, value) in added {
        parts.headers.insert(name, value);
    }
    parts.headers.entry(HOST).or_insert(host);
    Ok(())
}

/// What is sent as `Host`: the header, or the authority of the URI without user and password.
fn host(parts: &Parts) -> Result<&str, SignError> {
    if let Some(host) = parts.headers.get(HOST) {
        return text(HOST.as_str(), host);
    }
    let authority = parts.uri.authority().map_or("", |authority| authority.as_str());
    Ok(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// The caller's headers that ACS3 signs.
fn signed_headers(parts: &Parts) -> Result<Vec<(&str, &str)>, SignError> {
    let is_signed = |name: &HeaderName| {
        let text = name.as_str();
        let is_of_acs = text.starts_with("x-acs-") && text != ACTION && text != VERSION;
        (is_of_acs || *name == CONTENT_TYPE) && !REPLACED.contains(&text)
    };
    let given = parts.headers.iter().filter(|(name, _)| is_signed(name));
    given
        .map(|(name, value)| Ok((name.as_str(), text(name.as_str(), value)?)))
        .collect()
}

fn required<'a>(parts: &'a Parts, name: &str) -> Result<&'a str, SignError> {
    let missing = || SignError::MissingHeader {
        name: name.to_owned(),
    };
    text(name, parts.headers.get(name).ok_or_else(missing)?)
}

fn text<'a>(name: &str, value: &'a HeaderValue) -> Result<&'a str, SignError> {
    value.to_str().map_err(|_| invalid(name))
}

/// The pairs of an encoded query.
fn decoded(query: &str) -> Result<Vec<(String, String)>, SignError> {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let text = |part: &str| {
        if part.contains('+') || !part.split('%').skip(1).all(is_escape) {
            return Err(invalid("query"));
        }
        let text = percent_decode_str(part)
            .decode_utf8()
            .map_err(|_| invalid("query"))?;
        Ok(text.into_owned())
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| Ok((text(name)?, text(value)?)))
        .collect()
}

fn header(added: &Addition) -> Result<(HeaderName, HeaderValue), SignError> {
    let name = HeaderName::from_static(added.name());
    let mut value = HeaderValue::from_str(added.value()).map_err(|_| invalid(added.name()))?;
    value.set_sensitive(added.is_sensitive());
    Ok((name, value))
}

fn invalid(name: &str) -> SignError {
    SignError::InvalidValue {
        name: name.to_owned(),
    }
}
