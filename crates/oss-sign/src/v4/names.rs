//! Names of headers and parameters of V4, and values that never change.

/// Name of the algorithm, the beginning of the string to sign and of the `Authorization` header.
pub const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// Last part of every scope.
pub(crate) const TERMINATOR: &str = "aliyun_v4_request";

pub(crate) const DATE: &str = "x-oss-date";
pub(crate) const CONTENT_SHA256: &str = "x-oss-content-sha256";
pub(crate) const SECURITY_TOKEN: &str = "x-oss-security-token";
pub(crate) const SIGNATURE: &str = "x-oss-signature";
pub(crate) const SIGNATURE_VERSION: &str = "x-oss-signature-version";
pub(crate) const EXPIRES: &str = "x-oss-expires";
pub(crate) const CREDENTIAL: &str = "x-oss-credential";
pub(crate) const ADDITIONAL_HEADERS: &str = "x-oss-additional-headers";
/// Replaces the hash of the body, which OSS clients do not sign.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
