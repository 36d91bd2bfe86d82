//! The URL form.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::canonical::{head_len, put_head, put_tail};
use super::key::Moment;
use super::names::{
    ADDITIONAL_HEADERS, CONTENT_SHA256, CREDENTIAL, DATE, EXPIRES, SECURITY_TOKEN, SIGNATURE,
    SIGNATURE_VERSION, UNSIGNED_PAYLOAD,
};
use super::sha256::sha256;
use super::sign::Explained;
use super::signer::Signer;
use crate::encode::encode;
use crate::headers::{Rules, SignedHeaders};
use crate::parameters::Parameters;
use crate::presigned::{Presigned, limits};
use crate::time::second_of;
use crate::view::put_method;
use crate::wipe::Wiped;
use crate::{RequestView, SignError};

/// Maximum lifetime of a presigned URL: 7 days.
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
    /// Signs a request by its URL: returns the query to send, and changes nothing itself.
    ///
    /// `expires` is from 1 second to 7 days ([`MAX_EXPIRES`]), in whole seconds; a fraction is dropped, as it
    /// is from `time`. The URL expires earlier if the credentials do: see [`Presigned::valid_until`].
    /// Authentication parameters of an earlier signature are replaced. Headers of the view that are signed
    /// must be sent with the URL: see [`Presigned::required_headers`]. With
    /// [anonymous](Credentials::anonymous) credentials, the query has no signature.
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
        let (second, seconds) = check_times(credentials, time, expires)?;
        let (valid_until, limited_by) = limits(credentials, second, seconds, Some(MAX_EXPIRES));
        let mut parameters = Parameters::new();
        parameters.collect(view, OWN)?;
        let mut presigned = Presigned {
            text: Wiped::default(),
            method_len: view.method().len(),
            query_start: view.method().len(),
            own: &[],
            header_lines: Vec::new(),
            valid_until,
            limited_by,
        };
        if credentials.is_anonymous() {
            presigned
                .text
                .reserve_exact(presigned.method_len + parameters.len());
            put_method(&mut *presigned.text, view);
            parameters.put(&mut *presigned.text, &[]);
            return Ok(presigned);
        }
        let bound = self.bind(view)?;
        self.with_moment(credentials, second, |moment| {
            let text = &mut *presigned.text;
            let query = put_start(text, view, &parameters, &bound, seconds, moment)?;
            let hash = if bound.lines.is_empty() {
                text.push_str(PLAIN_END);
                sha256(text.as_bytes())
            } else {
                let mut hash = Sha256::new();
                hash.update(text.as_bytes());
                hash.update(bound.end());
                hash.finalize().into()
            };
            let signature = moment.signature(&hash);
            // The canonical request stays where it is up to the query, which goes on.
            text.truncate(query.end);
            text.push_str(SIGNATURE_PREFIX);
            text.push_str(std::str::from_utf8(&signature).unwrap_or_default());
            presigned.query_start = query.start;
            Ok(())
        })?;
        presigned.header_lines = bound.lines;
        presigned.own = OWN;
        Ok(presigned)
    }

    /// Returns what [`Signer::presign`] hashes and signs, to compare with what a service reports.
    ///
    /// The result contains the security token: do not log it.
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
        let (second, seconds) = check_times(credentials, time, expires)?;
        let mut parameters = Parameters::new();
        parameters.collect(view, OWN)?;
        let bound = self.bind(view)?;
        self.with_moment(credentials, second, |moment| {
            let mut text = Wiped::default();
            put_start(&mut text, view, &parameters, &bound, seconds, moment)?;
            let canonical_request = Zeroizing::new([text.as_bytes(), &bound.end()].concat());
            Ok(Explained::new(
                &canonical_request,
                moment.stamp.iso(),
                &moment.key.scope,
            ))
        })
    }

    /// What the headers of the request contribute.
    fn bind<'a>(&self, view: &RequestView<'a>) -> Result<Bound<'a>, SignError> {
        let mut headers = SignedHeaders::new();
        let is_additional = |name: &str| self.is_additional(name);
        headers.collect(
            view,
            &Rules {
                is_additional,
                replaced: &[],
                keep_empty: false,
            },
        )?;
        let mut lines = Vec::with_capacity(headers.lines_len());
        headers.put_lines(&mut lines, &[]);
        let payload = headers.value(CONTENT_SHA256).filter(|value| !value.is_empty());
        Ok(Bound {
            lines,
            additional: headers.additional(),
            payload: payload.unwrap_or(UNSIGNED_PAYLOAD.as_bytes()),
        })
    }
}

/// What the headers of the request contribute to the signature of its URL.
struct Bound<'a> {
    lines: Vec<u8>,
    additional: String,
    payload: &'a [u8],
}

impl Bound<'_> {
    /// What follows the query in the canonical request.
    fn end(&self) -> Vec<u8> {
        let mut end = Vec::with_capacity(self.lines.len() + self.additional.len() + self.payload.len() + 3);
        end.push(b'\n');
        end.extend_from_slice(&self.lines);
        put_tail(&mut end, &self.additional, self.payload);
        end
    }
}

/// What the signature follows in the query.
const SIGNATURE_PREFIX: &str = "&x-oss-signature=";
const SIGNATURE_LEN: usize = SIGNATURE_PREFIX.len() + 64;

/// [`Bound::end`] of a request without signed headers.
const PLAIN_END: &str = "\n\n\nUNSIGNED-PAYLOAD";

/// The second to sign and the lifetime in seconds.
pub(super) fn check_times(
    credentials: &Credentials,
    time: SystemTime,
    expires: Duration,
) -> Result<(u64, u64), SignError> {
    let second = second_of(time)?;
    check_expires(expires)?;
    if credentials.is_expired_at(time) {
        return Err(SignError::CredentialsExpired);
    }
    Ok((second, expires.as_secs()))
}

/// Checks, before anything is signed, that a URL or a form can be valid for `expires`: 1 second to [`MAX_EXPIRES`].
///
/// # Errors
///
/// [`SignError::ExpiresOutOfRange`].
pub fn check_expires(expires: Duration) -> Result<(), SignError> {
    let whole = expires.as_secs();
    if whole > 0 && expires <= MAX_EXPIRES {
        return Ok(());
    }
    // A fraction that makes it too long counts: the error would name a lifetime that is allowed.
    let rest = u64::from(whole > 0 && expires.subsec_nanos() > 0);
    let seconds = whole.saturating_add(rest);
    Err(SignError::ExpiresOutOfRange { seconds })
}

/// Writes the canonical request up to the end of the query, and returns the position of the query.
fn put_start(
    out: &mut String,
    view: &RequestView<'_>,
    parameters: &Parameters<'_>,
    bound: &Bound<'_>,
    seconds: u64,
    moment: &Moment,
) -> Result<Range<usize>, SignError> {
    let additional = match bound.additional.as_str() {
        "" => String::new(),
        names => format!("{ADDITIONAL_HEADERS}={}", encode(names)),
    };
    let mut date = *b"x-oss-date=YYYYMMDDThhmmssZ";
    date[11..].copy_from_slice(moment.stamp.iso());
    let mut expires = *b"x-oss-expires=000000";
    let expires = put_decimal(&mut expires, 14, seconds);
    let key = &moment.key;
    let token = key
        .token_parameter
        .as_ref()
        .map_or("", |parameter| parameter.as_str());
    let own = [
        (ADDITIONAL_HEADERS, additional.as_str()),
        (CREDENTIAL, key.credential_parameter.as_str()),
        (DATE, std::str::from_utf8(&date).unwrap_or_default()),
        (EXPIRES, std::str::from_utf8(expires).unwrap_or_default()),
        (SECURITY_TOKEN, token),
        (SIGNATURE_VERSION, "x-oss-signature-version=OSS4-HMAC-SHA256"),
    ];
    let own_len: usize = own.iter().map(|(_, parameter)| parameter.len() + 1).sum();
    out.reserve_exact(head_len(view) + parameters.len() + own_len + SIGNATURE_LEN.max(PLAIN_END.len()));
    put_head(out, view)?;
    let start = out.len();
    parameters.put(out, &own);
    Ok(start..out.len())
}

/// Writes a number of at most six decimal digits at `at`, and cuts the text behind it.
fn put_decimal(text: &mut [u8; 20], at: usize, number: u64) -> &[u8] {
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    let mut rest = number;
    for place in text[at..at + digits].iter_mut().rev() {
        // A remainder of ten fits in a byte.
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    &text[..at + digits]
}
