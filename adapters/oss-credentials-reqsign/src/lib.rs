//! Alibaba Cloud credentials for [reqsign](https://docs.rs/reqsign-core): its OSS and AWS signers take them from any
//! provider of the family.
//!
//! ```
//! use oss_credentials_core::Credentials;
//! use oss_credentials_reqsign::OssCredentials;
//! use reqsign_aliyun_oss::{RequestSigner, SigningVersion};
//! use reqsign_core::{Context, Signer};
//!
//! let provider = Credentials::builder("example-id", "example-secret").build()?;
//! let request_signer = RequestSigner::new("examplebucket")
//!     .with_region("cn-hangzhou")
//!     .with_signing_version(SigningVersion::V4);
//! let signer = Signer::new(Context::new(), OssCredentials::new(provider), request_signer);
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # How long reqsign keeps a key
//!
//! reqsign's signer keeps a copy of the credentials until two minutes before they expire. Credentials without an expiry are
//! given one: [`Credentials::fresh_until`](oss_credentials_core::Credentials::fresh_until) plus those two minutes, so that a
//! rotated key is noticed; `keep_for` of `OssCredentials` and `AwsCredentials` sets a later one. The same time limits how
//! long a presigned URL may be valid.
//!
//! A key that the service rejects stays in reqsign's copy until then: reqsign cannot be notified. Report the key with
//! [`CredentialsProvider::invalidate`](oss_credentials_core::CredentialsProvider::invalidate), and create a new signer with
//! `with_credential_provider`, which drops the copy.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `oss` | yes | `OssCredentials`, for reqsign-aliyun-oss |
//! | `aws` | no | `AwsCredentials`, for reqsign-aws-v4 and OSS's S3-compatible endpoint |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(any(feature = "oss", feature = "aws"))]
mod provide;

#[cfg(feature = "aws")]
pub use provide::AwsCredentials;
#[cfg(feature = "oss")]
pub use provide::OssCredentials;
