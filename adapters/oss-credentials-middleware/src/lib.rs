//! Signs the requests of an HTTP stack that a program already has, with any Alibaba Cloud credentials provider.
//!
//! [`Signing`] says what is signed and with whose credentials. It is put into
//!
//! - [`SignLayer`], a tower `Layer` over [`http::Request`] (feature `tower`), or
//! - [`SignMiddleware`], a `Middleware` of the crate `reqwest-middleware` (feature `reqwest-middleware`).
//!
//! For other stacks, combine [`Signing::sign`], [`may_reject_key`], [`rejects_key`] and [`Signing::replaces`].
//!
//! Each request is signed when it is sent. If the service rejects the key or the token, that is reported to the
//! provider, and the request is signed with the new credentials and sent once more, provided its body can be repeated.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tower` | yes | [`SignLayer`] |
//! | `reqwest-middleware` | no | [`SignMiddleware`] |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod address;
mod error;
mod refusal;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
mod signing;
#[cfg(feature = "tower")]
mod tower;

pub use error::Error;
pub use refusal::{MAX_ERROR_BODY, may_reject_key, rejects_key};
pub use signing::Signing;

#[cfg(feature = "reqwest-middleware")]
pub use self::reqwest_middleware::SignMiddleware;
#[cfg(feature = "tower")]
pub use self::tower::{BoxError, ResponseBody, SignLayer, SignService};
