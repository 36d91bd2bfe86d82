//! Signature version 1, HMAC-SHA1: for services and tools that do not support [V4](crate::v4) yet.
//!
//! The interface is that of V4. V1 signs less: no region, no additional headers, and of the query only the
//! parameters that the service calls sub-resources. The vendor advises against it for new programs.
//!
//! V1 signs key and values unencoded. A request whose signature would also be valid for another request is refused
//! with [`SignError::AmbiguousResource`](crate::SignError::AmbiguousResource); V4 signs all of them.
//!
//! [`Signer`] signs; [`Authorization`] is for the other side, which verifies a signature it received.

mod ambiguity;
mod canonical;
mod error;
pub(crate) mod names;
mod presign;
mod sign;
mod signer;
mod sub_resources;
mod verify;

pub use canonical::Explained;
pub use names::SCHEME;
pub use signer::{Signer, SignerBuilder};
pub use verify::{Authorization, Verification, signature};

pub use crate::presigned::{LimitedBy, Presigned};
pub use crate::signed::{Signed, SignedHeader};
