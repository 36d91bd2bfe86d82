//! The meaning of OpenAPI error codes that are common to all products.
//!
//! A code is a family, and often details after a dot: `InvalidAccessKeyId.NotFound`. The sets name families. Vendor
//! document: "Common error codes" of the OpenAPI,
//! <https://www.alibabacloud.com/help/en/openapi/error-codes>; `IllegalTimestamp` is in the error codes of KMS.

/// Families of codes with which the service rejects the key, whatever the operation: the access key ID is unknown
/// or disabled, or the security token has expired or belongs to another key. Another key may be accepted.
pub const KEY_REJECTED: [&str; 2] = ["InvalidAccessKeyId", "InvalidSecurityToken"];

/// Families of codes with which the service rejects the time of the request.
pub const CLOCK_REJECTED: [&str; 2] = ["InvalidTimeStamp", "IllegalTimestamp"];

/// The family of the code for a nonce that was seen before: the same request with a new one may be accepted.
pub const NONCE_USED: &str = "SignatureNonceUsed";

/// Families of codes, in addition to [`KEY_REJECTED`], whose error names the refused key.
const ABOUT_THE_CALLER: [&str; 8] = [
    "AccessDenied",
    "AuthenticationFail",
    "Forbidden",
    "IncompleteSignature",
    "MissingAccessKeyId",
    "MissingSecurityToken",
    "NoPermission",
    "SignatureDoesNotMatch",
];

/// Returns the family of a code: the part before its first dot.
///
/// ```
/// assert_eq!(acs_client::codes::family("InvalidAccessKeyId.NotFound"), "InvalidAccessKeyId");
/// ```
pub fn family(code: &str) -> &str {
    code.split('.').next().unwrap_or(code)
}

/// Returns whether the code means that the key is rejected: see [`KEY_REJECTED`].
///
/// ```
/// use acs_client::codes::rejects_key;
/// assert!(rejects_key("InvalidSecurityToken.Expired") && !rejects_key("SignatureDoesNotMatch"));
/// ```
pub fn rejects_key(code: &str) -> bool {
    KEY_REJECTED.contains(&family(code))
}

/// Returns whether the code means that the time of the request is wrong: see [`CLOCK_REJECTED`].
///
/// ```
/// assert!(acs_client::codes::rejects_clock("InvalidTimeStamp.Expired"));
/// ```
pub fn rejects_clock(code: &str) -> bool {
    CLOCK_REJECTED.contains(&family(code))
}

/// Whether an error with this status and code concerns the caller.
pub(crate) fn is_about_the_caller(status: u16, code: &str) -> bool {
    matches!(status, 401 | 403) || rejects_key(code) || ABOUT_THE_CALLER.contains(&family(code))
}
