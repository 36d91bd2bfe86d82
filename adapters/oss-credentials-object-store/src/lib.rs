//! Alibaba Cloud credentials for [object_store](https://docs.rs/object_store): its S3 store, at OSS's S3-compatible
//! endpoint, takes them from any provider of the family.
//!
//! ```
//! # #[cfg(feature = "s3")] {
//! use std::sync::Arc;
//! use object_store::aws::AmazonS3Builder;
//! use oss_credentials_core::Credentials;
//! use oss_credentials_object_store::{S3Connector, S3Credentials};
//!
//! let provider = Credentials::builder("example-id", "example-secret").build()?;
//! let credentials = Arc::new(S3Credentials::new(provider));
//! let store = AmazonS3Builder::new()
//!     .with_region("cn-hangzhou")
//!     .with_bucket_name("examplebucket")
//!     .with_endpoint("https://examplebucket.s3.oss-cn-hangzhou.aliyuncs.com")
//!     .with_virtual_hosted_style_request(true)
//!     .with_http_connector(S3Connector::new(credentials.clone()))
//!     .with_credentials(credentials)
//!     .build()?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `s3` | yes | `S3Credentials`, for OSS's S3-compatible endpoint, and `S3Connector`, which replaces rejected keys |
//! | `native` | no | `OssConnector`, with which the S3 store speaks OSS's own protocol |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "native")]
mod native;
#[cfg(feature = "s3")]
mod resign;
#[cfg(feature = "s3")]
mod s3;

#[cfg(feature = "native")]
pub use native::OssConnector;
#[cfg(feature = "s3")]
pub use resign::S3Connector;
#[cfg(feature = "s3")]
pub use s3::S3Credentials;
