//! Why something was not signed.

use std::fmt;

use oss_credentials_core::text;

/// Longest part of a caller's value that is repeated in an error, in characters.
const SHOWN: usize = 64;

/// The reason why a request was not signed, or a received signature could not be parsed.
///
/// Nothing is changed when one of these is returned. The texts name parameters and headers,
/// never their values, and never a secret or a token.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The region is empty or contains a character other than `a-z`, `0-9` and `-`.
    #[error(
        "oss-sign: the region {region:?} is malformed; \
         pass the bare region such as cn-hangzhou, or the ID of a cloud box"
    )]
    InvalidRegion {
        /// What was given, cut at 64 characters.
        region: String,
    },
    /// The product is empty or contains a character other than `a-z`, `0-9` and `-`.
    #[error("oss-sign: the product {product:?} is malformed; pass oss, or oss-cloudbox for a cloud box")]
    InvalidProduct {
        /// What was given, cut at 64 characters.
        product: String,
    },
    /// A name in the list of additional headers is not a header name, or is `authorization`.
    #[error(
        "oss-sign: {name:?} cannot be an additional signed header; list only names of headers that are sent"
    )]
    InvalidAdditionalHeader {
        /// What was given, cut at 64 characters.
        name: String,
    },
    /// A name in the list of extra V1 sub-resources is empty, or is a parameter that carries the signature.
    #[error(
        "oss-sign: {name:?} cannot be a signed sub-resource; \
         list only names of query parameters that are sent"
    )]
    InvalidSubResource {
        /// What was given, cut at 64 characters.
        name: String,
    },
    /// The V1 signature of this request would also be valid for another request, since V1 signs key and values
    /// unencoded: for example, the key `?policy` and the bucket's policy have the same signature.
    #[error(
        "oss-sign: the {part} {text:?} makes the V1 signature valid for another request, too; \
         sign with V4, which is not affected"
    )]
    AmbiguousResource {
        /// The part of the request that can be read in two ways.
        part: &'static str,
        /// The bucket, the key, or the name of the parameter, cut at 64 characters.
        text: String,
    },
    /// A query parameter occurs twice in the request. Official clients differ in how they sign this,
    /// so no signature is certain to be right.
    #[error("oss-sign: the query parameter {name:?} appears twice; send each parameter once")]
    DuplicateParameter {
        /// Name of the parameter, cut at 64 characters.
        name: String,
    },
    /// The encoded query cannot be decoded unambiguously.
    #[error(
        "oss-sign: the query of the URL contains {what}; \
         encode a space as %20, a plus as %2B and a percent sign as %25"
    )]
    InvalidQuery {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The request goes to a host whose bucket is not known; see `Resource::of_uri`.
    #[error(
        "oss-sign: the host {host:?} does not belong to the endpoint {endpoint:?}; \
         name the bucket of a custom domain"
    )]
    UnknownHost {
        /// The host of the request, cut at 64 characters.
        host: String,
        /// The endpoint, cut at 64 characters.
        endpoint: String,
    },
    /// A key was given without a bucket.
    #[error("oss-sign: the request has a key but no bucket; name the bucket, also for a custom domain")]
    KeyWithoutBucket,
    /// The key has a segment `.` or `..`; see [`check_key_for_url`](crate::check_key_for_url).
    #[error(
        "oss-sign: the key has a segment . or .., which URL libraries remove after signing; \
         use another key or a stack that keeps the path"
    )]
    DotSegment,
    /// A header name or value cannot be sent over HTTP.
    #[error(
        "oss-sign: the header {name:?} cannot be sent; remove control characters from its name and value"
    )]
    InvalidHeader {
        /// Name of the header, cut at 64 characters.
        name: String,
    },
    /// The header map cannot take the headers to add.
    #[error("oss-sign: the request has too many headers; send fewer")]
    TooManyHeaders,
    /// The lifetime of a presigned URL is not within 1 and 604 800 seconds.
    #[error("oss-sign: a presigned URL cannot live for {seconds} seconds; use 1 to 604800 (7 days)")]
    ExpiresOutOfRange {
        /// Requested seconds: 0 for less than one, rounded up for more than 7 days.
        seconds: u64,
    },
    /// A presigned V1 URL would be valid for less than a second, or beyond the year 9999.
    #[error(
        "oss-sign: a V1 URL cannot live for {seconds} seconds; \
         use at least 1, and an expiry before the year 10000"
    )]
    EndOutOfRange {
        /// Requested whole seconds.
        seconds: u64,
    },
    /// A condition of a POST policy is contradictory, or is one that the signer adds itself.
    #[error("oss-sign: in the POST policy, {field:?} {what}; correct this condition")]
    InvalidPostPolicy {
        /// The form field, or the kind of condition, cut at 64 characters.
        field: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The signing time is before 1970 or after 9999.
    #[error("oss-sign: the signing time is outside the years 1970 to 9999; check the clock")]
    TimeOutOfRange,
    /// The credentials have expired at the signing time, so the URL would never work.
    #[error("oss-sign: the credentials have expired; refresh them, or check the clock")]
    CredentialsExpired,
    /// The new URI is not one that the `http` crate accepts.
    #[error("oss-sign: the signed URL is not accepted by the HTTP library; shorten key and query")]
    InvalidUri,
    /// A received signature, date or credential cannot be parsed.
    #[error(
        "oss-sign: the received {what} is missing or malformed; \
         compare it with the vendor's description of that signature version"
    )]
    MalformedAuthorization {
        /// The part that cannot be read.
        what: &'static str,
    },
}

impl fmt::Debug for SignError {
    /// The text of `Display`: a `main` that returns an error shows it this way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A caller's value as it may stand in an error.
pub(crate) fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.chars().map(text::safe).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_cut_and_a_terminal_obeys_nothing_of_it() {
        assert_eq!(shown("a\u{1b}\u{202e}b\u{2028}".as_bytes()), "a  b ");
        assert_eq!(shown("\u{56fe}".repeat(100).as_bytes()).chars().count(), 64);
    }
}
