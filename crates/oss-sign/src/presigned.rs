//! The result of presigning.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use percent_encoding::percent_decode_str;

use crate::encode::split_query;
use crate::time::{UtcTime, instant};
use crate::wipe::Wiped;

/// What limits the validity of a presigned URL or form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitedBy {
    /// The requested lifetime.
    Asked,
    /// The credentials expire earlier. Presign again with newer credentials for a longer lifetime.
    Credentials,
    /// The limit of 7 days, which was requested: a longer lifetime is not possible. V1 has no such limit.
    SevenDays,
}

/// Returns when something that was signed in `second` for `seconds` expires, and why. `longest` is the limit of the
/// signature version.
pub(crate) fn limits(
    credentials: &Credentials,
    second: u64,
    seconds: u64,
    longest: Option<Duration>,
) -> (SystemTime, LimitedBy) {
    let asked = Duration::from_secs(seconds);
    let end = instant(second, asked);
    match credentials.expires_at() {
        Some(earlier) if earlier < end => (earlier, LimitedBy::Credentials),
        _ if longest == Some(asked) => (end, LimitedBy::SevenDays),
        _ => (end, LimitedBy::Asked),
    }
}

/// A presigned query, with everything that is needed to use it.
///
/// The URL is a secret: anyone who has it can make the request until it expires. `Debug` does not show the query.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::v4::{LimitedBy, Signer};
/// use oss_sign::{RequestView, url_path};
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
/// let credentials = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
///     .security_token("FakeSecurityToken0002")
///     .expires_at(time + Duration::from_secs(600))
///     .build()?;
/// let view = RequestView::new("GET").bucket("examplebucket").key("a b.txt");
/// let signer = Signer::builder("cn-hangzhou").build()?;
/// let presigned = signer.presign(&view, &credentials, time, Duration::from_secs(3600))?;
///
/// // The URL expires with the credentials, 50 minutes before the requested end.
/// assert_eq!(presigned.valid_until(), time + Duration::from_secs(600));
/// assert_eq!(presigned.limited_by(), LimitedBy::Credentials);
/// let path = url_path(None, Some("a b.txt"));
/// let url = presigned.url(&format!("https://examplebucket.oss-cn-hangzhou.aliyuncs.com{path}"));
/// assert_eq!(presigned.method(), "GET");
/// # assert!(url.contains("/a%20b.txt?x-oss-credential=STS"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Presigned {
    /// Begins with the method and ends with the query. What is between them, if anything, is left of the text
    /// that was signed.
    pub(crate) text: Wiped,
    pub(crate) method_len: usize,
    pub(crate) query_start: usize,
    /// Names of the parameters that signing adds; none if nothing was signed.
    pub(crate) own: &'static [&'static str],
    /// `name:value` of each header that is signed, with its line end.
    pub(crate) header_lines: Vec<u8>,
    pub(crate) valid_until: SystemTime,
    pub(crate) limited_by: LimitedBy,
}

impl Presigned {
    /// Returns the method that was signed, in upper case. The URL works for no other.
    pub fn method(&self) -> &str {
        self.text.get(..self.method_len).unwrap_or_default()
    }

    /// Returns the whole URL: `base` is scheme, host and path, as with [`url_path`](crate::url_path).
    pub fn url(&self, base: &str) -> String {
        match self.query() {
            "" => base.to_owned(),
            query => [base, "?", query].concat(),
        }
    }

    /// Returns the complete query of the URL, encoded, without `?`: the parameters of the view and those of the
    /// signature.
    pub fn query(&self) -> &str {
        self.text.get(self.query_start..).unwrap_or_default()
    }

    /// Converts the result into [`Presigned::query`].
    pub fn into_query(mut self) -> String {
        self.text.drain(..self.query_start);
        self.text.into_inner()
    }

    /// Returns the parameters that signing added, decoded, for a client that encodes them itself (by the rules of
    /// [`encode`](crate::encode)). Empty for anonymous credentials.
    pub fn added(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        split_query(self.query())
            .filter(|(name, _)| self.own.contains(name))
            .map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy()))
    }

    /// Returns whether the query has a signature: false for anonymous credentials.
    pub fn is_signed(&self) -> bool {
        !self.own.is_empty()
    }

    /// Returns the headers that the signature binds, in lower case, with trimmed values. The URL works only for a
    /// request that has exactly these, and no other `x-oss-*`, `Content-Type` or `Content-MD5` header.
    pub fn required_headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.header_lines.split(|byte| *byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((
                std::str::from_utf8(line.get(..colon)?).ok()?,
                line.get(colon + 1..)?,
            ))
        })
    }

    /// Returns when the URL stops working: the earliest of the requested end, the expiry of the credentials and, in V4,
    /// 7 days. Anonymous credentials put no expiry into the URL; for them this is only the requested end.
    pub fn valid_until(&self) -> SystemTime {
        self.valid_until
    }

    /// Returns [`Presigned::valid_until`] for display: it prints as UTC.
    pub fn valid_until_utc(&self) -> UtcTime {
        self.valid_until.into()
    }

    /// Returns what determines [`Presigned::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.limited_by
    }
}

impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presigned")
            .field("method", &self.method())
            .field("query", &format_args!("<redacted>"))
            .field("valid_until", &self.valid_until_utc())
            .field("limited_by", &self.limited_by)
            .finish_non_exhaustive()
    }
}
