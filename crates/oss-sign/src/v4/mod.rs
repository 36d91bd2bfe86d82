//! Signature version 4, `OSS4-HMAC-SHA256`: in headers and in presigned URLs.
//!
//! [`Signer`] signs; [`Authorization`] is for the other side, which verifies a signature it received.

mod canonical;
mod key;
#[cfg(feature = "post-policy")]
mod post;
mod presign;
mod sha256;
mod sign;
mod signer;
mod verify;

pub(crate) use canonical::UNSIGNED_PAYLOAD;
#[cfg(feature = "post-policy")]
pub use post::{PostForm, PostPolicy};
pub use presign::{MAX_EXPIRES, check_expires};
pub use sign::Explained;
pub use signer::{DEFAULT_PRODUCT, Signer, SignerBuilder};
pub use verify::{Authorization, Verification, signature, string_to_sign};

pub use crate::presigned::{LimitedBy, Presigned};
pub use crate::signed::{Signed, SignedHeader};

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
