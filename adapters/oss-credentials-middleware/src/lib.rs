//! Signs the requests of an HTTP stack that a program already has, with any Alibaba Cloud credentials provider.
//!
//! [`Signing`] holds the provider and what is signed. Pass it to
//!
//! - [`SignLayer`], a tower `Layer` over [`http::Request`] (feature `tower`), or
//! - [`SignMiddleware`], a `Middleware` of the crate `reqwest-middleware` (feature `reqwest-middleware`).
//!
//! For other stacks, combine [`Signing::sign`], [`ResponseBody::of`], [`Signing::replacement`] and
//! [`Signing::sign_with`].
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

mod body;
mod error;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
mod signing;
#[cfg(feature = "tower")]
mod tower;

pub use body::{MAX_ERROR_BODY, ResponseBody};
pub use error::Error;
pub use signing::Signing;

#[cfg(feature = "reqwest-middleware")]
pub use self::reqwest_middleware::SignMiddleware;
#[cfg(feature = "tower")]
pub use self::tower::{BoxError, SignLayer, SignService};
