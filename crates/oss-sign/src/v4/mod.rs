//! Signature version 4, `OSS4-HMAC-SHA256`: in headers and in presigned URLs.
//!
//! [`Signer`] signs; [`Authorization`] is for the other side, which verifies a signature it received.

mod canonical;
mod key;
pub(crate) mod names;
#[cfg(feature = "post-policy")]
mod post;
mod presign;
mod sha256;
mod sign;
mod signer;
mod verify;

pub use names::ALGORITHM;
#[cfg(feature = "post-policy")]
pub use post::{PostForm, PostPolicy};
pub use presign::{MAX_EXPIRES, check_expires};
pub use sign::Explained;
pub use signer::{DEFAULT_PRODUCT, Signer, SignerBuilder};
pub use verify::{Authorization, Verification, signature, string_to_sign};

pub use crate::presigned::{LimitedBy, Presigned};
pub use crate::signed::{Signed, SignedHeader};
