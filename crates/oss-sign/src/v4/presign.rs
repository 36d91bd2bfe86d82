//! The URL form.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use percent_encoding::percent_decode_str;

use super::canonical::{
    CanonicalQuery, HashSink, Parameters, Rules, SignedHeaders, Sink, UNSIGNED_PAYLOAD, Value, put_request,
};
use super::key::DayKey;
use super::sign::{Explained, push_ascii};
use super::{
    ADDITIONAL_HEADERS, ALGORITHM, CONTENT_SHA256, CREDENTIAL, DATE, EXPIRES, SECURITY_TOKEN, SIGNATURE,
    SIGNATURE_VERSION, Signer,
};
use crate::encode::{Text, split_query};
use crate::list::List;
use crate::time::Stamp;
use crate::{RequestView, SignError};

/// Longest lifetime of a presigned URL: 7 days.
pub const MAX_EXPIRES: Duration = Duration::from_secs(604_800);

/// Parameters that a caller may have left from an earlier signature.
const OWN: &[&str] = &[
    ADDITIONAL_HEADERS,
    CREDENTIAL,
    DATE,
    EXPIRES,
    SECURITY_TOKEN,
    SIGNATURE,
    SIGNATURE_VERSION,
];

impl Signer {
    /// Signs a request by its URL: gives the query to send, and changes nothing itself.
    ///
    /// `expires` is from 1 second to 7 days ([`MAX_EXPIRES`]), in whole seconds; a fraction is dropped, as it is
    /// from `time`. The URL ends earlier if the credentials do: see [`Presigned::valid_until`]. Authentication
    /// parameters of an earlier signature are replaced. Headers of the view that are signed must be sent with the
    /// URL: see [`Presigned::required_headers`]. With [anonymous](Credentials::anonymous) credentials the query
    /// stays without signature.
    ///
    /// # Errors
    ///
    /// [`SignError::ExpiresOutOfRange`], [`SignError::CredentialsExpired`], and those of [`Signer::sign`].
    pub fn presign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        let (stamp, seconds) = check_times(credentials, time, expires)?;
        let mut presigned = Presigned::limited(credentials, &stamp, seconds);
        if credentials.is_anonymous() {
            let parameters = Parameters::collect(view, OWN, &[])?;
            presigned.query.reserve_exact(parameters.len());
            parameters.put(&mut presigned.query);
            return Ok(presigned);
        }
        let headers = self.bound_headers(view)?;
        if headers.lines_len() > 0 {
            presigned.header_lines.reserve_exact(headers.lines_len());
            headers.put_lines(&mut presigned.header_lines);
        }
        self.inner.keys.with(
            credentials,
            &stamp,
            &self.inner.region,
            &self.inner.product,
            |key| {
                let digits = Decimal::new(seconds);
                let own = own_parameters(credentials, &stamp, &digits, key, &headers);
                let parameters = Parameters::collect(view, OWN, own.items())?;
                let query = &mut presigned.query;
                query.reserve_exact(parameters.len() + SIGNATURE.len() + 66);
                parameters.put(query);
                let mut sink = HashSink::new();
                put_canonical(&mut sink, view, &CanonicalQuery::Written(query), &headers)?;
                let signature = key.signature(&stamp, &sink.finish());
                query.push('&');
                query.push_str(SIGNATURE);
                query.push('=');
                push_ascii(query, &signature);
                presigned.signed = true;
                Ok(())
            },
        )?;
        Ok(presigned)
    }

    /// What [`Signer::presign`] hashes and signs, to compare with what a service says it got.
    ///
    /// The result holds the security token: do not log it.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::presign`].
    pub fn explain_presign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Explained, SignError> {
        let (stamp, seconds) = check_times(credentials, time, expires)?;
        let headers = self.bound_headers(view)?;
        let mut canonical = Vec::new();
        self.inner.keys.with(
            credentials,
            &stamp,
            &self.inner.region,
            &self.inner.product,
            |key| {
                let digits = Decimal::new(seconds);
                let own = own_parameters(credentials, &stamp, &digits, key, &headers);
                let parameters = Parameters::collect(view, OWN, own.items())?;
                put_canonical(
                    &mut canonical,
                    view,
                    &CanonicalQuery::Parameters(&parameters),
                    &headers,
                )
            },
        )?;
        Ok(self.explained(credentials, &stamp, canonical))
    }

    fn bound_headers<'a>(&self, view: &RequestView<'a>) -> Result<SignedHeaders<'a>, SignError> {
        let rules = Rules {
            is_additional: |name: &str| self.is_additional(name),
            replaced: &[],
            keep_empty: false,
        };
        SignedHeaders::collect(view, &rules, &[])
    }
}

fn check_times(
    credentials: &Credentials,
    time: SystemTime,
    expires: Duration,
) -> Result<(Stamp, u64), SignError> {
    let stamp = Stamp::new(time)?;
    let seconds = expires.as_secs();
    if seconds == 0 || expires > MAX_EXPIRES {
        return Err(SignError::ExpiresOutOfRange { seconds });
    }
    if credentials.is_expired_at(time) {
        return Err(SignError::CredentialsExpired);
    }
    Ok((stamp, seconds))
}

/// The parameters that are added, all but the signature.
fn own_parameters<'a>(
    credentials: &'a Credentials,
    stamp: &'a Stamp,
    expires: &'a Decimal,
    key: &'a DayKey,
    headers: &'a SignedHeaders<'a>,
) -> List<(&'static str, Value<'a>), 6> {
    let plain = |bytes| Value::Text(Text::Plain(bytes));
    let mut own = List::new((SIGNATURE_VERSION, plain(ALGORITHM.as_bytes())));
    if headers.has_additional() {
        own.push((ADDITIONAL_HEADERS, Value::Additional(headers)));
    }
    own.push((
        CREDENTIAL,
        Value::Joined(credentials.access_key_id(), key.scope_with_slash()),
    ));
    own.push((DATE, plain(stamp.iso())));
    own.push((EXPIRES, plain(expires.digits())));
    if let Some(token) = credentials.security_token() {
        own.push((SECURITY_TOKEN, plain(token.as_bytes())));
    }
    own.push((SIGNATURE_VERSION, plain(ALGORITHM.as_bytes())));
    own
}

fn put_canonical<S: Sink>(
    out: &mut S,
    view: &RequestView<'_>,
    query: &CanonicalQuery<'_>,
    headers: &SignedHeaders<'_>,
) -> Result<(), SignError> {
    let payload = headers.value(CONTENT_SHA256).filter(|value| !value.is_empty());
    put_request(
        out,
        view,
        query,
        headers,
        |out| headers.each_additional_byte(|byte| out.put(&[byte])),
        payload.unwrap_or(UNSIGNED_PAYLOAD.as_bytes()),
    )
}

/// A number up to [`MAX_EXPIRES`] in decimal digits.
struct Decimal {
    places: [u8; 6],
    first: usize,
}

impl Decimal {
    fn new(mut number: u64) -> Self {
        let mut decimal = Self {
            places: [b'0'; 6],
            first: 6,
        };
        for (at, place) in decimal.places.iter_mut().enumerate().rev() {
            if number == 0 {
                break;
            }
            // A remainder of ten fits in a byte.
            *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
            decimal.first = at;
            number /= 10;
        }
        decimal
    }

    fn digits(&self) -> &[u8] {
        self.places.get(self.first..).unwrap_or_default()
    }
}

/// What ends a presigned URL first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitedBy {
    /// The lifetime that was asked for.
    Asked,
    /// The credentials expire before that. Ask again with fresher ones for a longer URL.
    Credentials,
    /// The limit of 7 days, which is what was asked for: a longer URL cannot be had.
    SevenDays,
}

/// A presigned query, and what one has to know to use it.
///
/// The URL is a secret: whoever has it can do the request until it ends. `Debug` does not show the query.
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
/// let presigned =
///     Signer::builder("cn-hangzhou").build()?.presign(&view, &credentials, time, Duration::from_secs(3600))?;
///
/// // The URL dies with the credentials, 50 minutes before what was asked.
/// assert_eq!(presigned.valid_until(), time + Duration::from_secs(600));
/// assert_eq!(presigned.limited_by(), LimitedBy::Credentials);
/// let path = url_path(None, Some("a b.txt"));
/// let url = format!("https://examplebucket.oss-cn-hangzhou.aliyuncs.com{path}?{}", presigned.query());
/// # assert!(url.contains("/a%20b.txt?x-oss-credential=STS"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Presigned {
    query: String,
    header_lines: Vec<u8>,
    signed: bool,
    valid_until: SystemTime,
    limited_by: LimitedBy,
}

impl Presigned {
    fn limited(credentials: &Credentials, stamp: &Stamp, seconds: u64) -> Self {
        let asked = stamp.plus(Duration::from_secs(seconds));
        let (valid_until, limited_by) = match credentials.expires_at() {
            Some(end) if end < asked => (end, LimitedBy::Credentials),
            _ if seconds == MAX_EXPIRES.as_secs() => (asked, LimitedBy::SevenDays),
            _ => (asked, LimitedBy::Asked),
        };
        Self {
            query: String::new(),
            header_lines: Vec::new(),
            signed: false,
            valid_until,
            limited_by,
        }
    }

    /// The complete query of the URL, encoded, without `?`: the parameters of the view and those of the signature.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// [`Presigned::query`] by value.
    pub fn into_query(self) -> String {
        self.query
    }

    /// The parameters that signing added, decoded, for a client that encodes them itself (by the rules of
    /// [`encode`](crate::encode)). Empty for anonymous credentials.
    pub fn added(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        split_query(&self.query)
            .filter(|(name, _)| self.signed && OWN.contains(name))
            .map(|(name, value)| (name, percent_decode_str(value).decode_utf8_lossy()))
    }

    /// Whether the query carries a signature: false for anonymous credentials.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// The headers that the signature binds, in lower case, with trimmed values. The URL works only for a request
    /// that has exactly these, and no other `x-oss-*`, `Content-Type` or `Content-MD5` header.
    pub fn required_headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.header_lines.split(|byte| *byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((
                std::str::from_utf8(line.get(..colon)?).ok()?,
                line.get(colon + 1..)?,
            ))
        })
    }

    /// When the URL stops working: the earliest of what was asked, the end of the credentials and 7 days. Anonymous
    /// credentials put no end into the URL; for them this is only what was asked.
    pub fn valid_until(&self) -> SystemTime {
        self.valid_until
    }

    /// What sets [`Presigned::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.limited_by
    }
}

impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presigned")
            .field("query", &format_args!("<redacted>"))
            .field("valid_until", &self.valid_until)
            .field("limited_by", &self.limited_by)
            .finish_non_exhaustive()
    }
}
