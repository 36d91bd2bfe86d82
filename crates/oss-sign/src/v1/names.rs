//! Names of parameters of V1, and a value that never changes.

/// First word of the `Authorization` header.
pub const SCHEME: &str = "OSS";

/// Parameters of the URL form.
pub(crate) const ACCESS_KEY_ID: &str = "OSSAccessKeyId";
pub(crate) const EXPIRES: &str = "Expires";
pub(crate) const SIGNATURE: &str = "Signature";
/// Holds the token in the URL form; a header has another name.
pub(crate) const TOKEN_PARAMETER: &str = "security-token";
