//! Signing of Alibaba Cloud OSS requests and presigned URLs, without I/O.
//!
//! - [`v4::Signer`] signs by headers ([`v4::Signer::sign`]) or by URL ([`v4::Signer::presign`]).
//! - [`Signer`] is a signer of either version.
//! - [`RequestView`] is what it signs: a borrowed view of method, bucket, key, query and headers.
//! - `v4::PostPolicy` and `v4::Signer::sign_post` sign uploads by an HTML form (feature `post-policy`).
//! - [`v4::Authorization`] verifies a signature that was received.
//! - `v1` does the same with signature version 1 (feature `v1`), for services that do not support V4 yet.
//! - [`Resource`] is bucket and key of a URL that was built elsewhere, by its [`Addressing`].
//! - [`Refusal`] and [`credentials_for_retry`] decide after a response whether to sign and send once more.
//! - [`encode`], [`encode_path`], [`url_path`] and [`encode_query`] build the URL to send.
//!
//! The time is an argument, and nothing is read from anywhere else: calls with the same arguments return
//! the same bytes.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use oss_credentials_core::Credentials;
//! use oss_sign::{RequestView, v4::Signer};
//!
//! let signer = Signer::builder("cn-hangzhou").build()?;
//! let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
//! let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
//! let view = RequestView::new("GET").bucket("examplebucket").key("exampleobject.txt");
//!
//! let signed = signer.sign(&view, &credentials, time)?;
//! assert!(signed.authorization().starts_with("OSS4-HMAC-SHA256 Credential=FakeAccessKeyId0001/20260101/"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `v1` | yes | the module `v1`: signature version 1, HMAC-SHA1 |
//! | `http` | no | signing of an `http::request::Parts` in place; `&http::HeaderMap` in a [`RequestView`] |
//! | `post-policy` | no | `v4::PostPolicy`: signed policies for uploads by an HTML form |
//!
//! When something fails, `docs/errors.md#oss-sign` in the repository lists each error with cause and
//! fix.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(doctest, feature = "post-policy"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;

mod addressing;
mod encode;
mod error;
mod headers;
#[cfg(feature = "http")]
mod http;
mod list;
mod parameters;
mod presigned;
mod refusal;
mod signed;
mod signer;
mod time;
#[cfg(feature = "v1")]
pub mod v1;
pub mod v4;
mod view;
mod wipe;

pub use addressing::{Addressing, Resource, is_bucket_name};
pub use encode::{check_key_for_url, decode_query, encode, encode_path, encode_query, url_path};
pub use error::SignError;
pub use refusal::{CLOCK_REJECTED_CODES, KEY_REJECTED_CODES, Refusal, credentials_for_retry};
pub use signer::Signer;
pub use time::UtcTime;
pub use view::{Headers, Name, RequestView};
