//! Alibaba Cloud OpenAPI request signing: RPC (HMAC-SHA1, RSA client key) and ACS3-HMAC-SHA256; no I/O.
//!
//! Nothing here sends, reads a clock or draws random numbers. A signer takes the request, the credentials, the
//! time and a nonce, and returns what to add to the request; after an error there is nothing to add.
//!
//! | module | signature | used by |
//! |---|---|---|
//! | [`rpc`] | `SignatureVersion` 1.0, HMAC-SHA1, in the query | RPC-style services such as STS |
//! | [`rpc`] | the same with `SHA256withRSA`, by a [`ClientKeySigner`] | KMS Secrets Manager |
//! | [`acs3`] | ACS3-HMAC-SHA256 ("V3"), in headers | all OpenAPI services, including path-style ones |
//!
//! Both modules also offer the steps separately (canonical form, string to sign, signature), so that a
//! server can verify a request with the code that signed it.
//!
//! # Examples
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use acs_sign::{ApiRequest, rpc};
//! use oss_credentials_core::{Credentials, nonce};
//!
//! let credentials = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
//! let form = [("RoleArn", "acs:ram::123456789012:role/example"), ("RoleSessionName", "demo")];
//! let request = ApiRequest::new("POST", "sts.aliyuncs.com", "AssumeRole", "2015-04-01").form(&form);
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
//!
//! let signed = rpc::sign(&request, &credentials, now, &nonce())?;
//! let query = acs_sign::encode_pairs(signed.query().iter().map(|added| (added.name(), added.value())));
//! let url = format!("https://sts.aliyuncs.com/?{query}");
//! let body = acs_sign::encode_pairs(form);
//! assert!(url.contains("Signature="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `http` | no | the module `http`: signing of an `http::request::Parts` in place, by ACS3 |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod acs3;
mod client_key;
mod encode;
mod error;
#[cfg(feature = "http")]
pub mod http;
mod request;
pub mod rpc;
mod signed;

pub use client_key::ClientKeySigner;
pub use encode::{encode_pairs, percent_encode};
pub use error::SignError;
pub use request::ApiRequest;
pub use signed::{Addition, Signed};
