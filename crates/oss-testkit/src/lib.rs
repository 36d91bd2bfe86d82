//! A local Alibaba Cloud for tests: STS, OSS, KMS, instance metadata, a credentials URI and the CLI's logins on
//! loopback. It checks signatures and tokens as the services do.
//!
//! [`LocalCloud`] checks every key, signature, token, time and nonce, and rejects requests with the services' own error
//! codes. It keeps objects in memory, records requests ([`LocalCloud::requests`]), and fails on demand ([`Fault`]). OSS
//! enforces the session policy of a temporary key; every other key of the account may use every bucket. Other local
//! users can reach the ports: see the README.
//!
//! ```
//! use oss_testkit::{Fault, LocalCloud, Service};
//!
//! let cloud = LocalCloud::start_blocking()?;
//! cloud.fault(Service::Oss, Fault::error(503, "ServiceUnavailable").times(2));
//! cloud.put_object(cloud.bucket(), "greeting.txt", "hello");
//! // Run the code under test with the settings of `cloud.env()`, and look at `cloud.requests()`.
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`LocalCloud::write_profiles`] writes configuration files of the CLI and the SDKs for these services, and
//! [`LocalCloud::routed`] makes the services available under their public names.
//!
//! The program `oss-testkit` prints the variables to set, and serves until it is stopped.
//!
//! | service | operations |
//! |---|---|
//! | STS, RPC and ACS3 signatures | `AssumeRole`, `GetCallerIdentity` |
//! | STS, OIDC tokens | `AssumeRoleWithOIDC` |
//! | KMS, shared and instance gateway, with a client key | `GetSecretValue` |
//! | OSS: objects | `PutObject`, `AppendObject`, `GetObject`, `HeadObject`, `GetObjectMeta`, `CopyObject`, `DeleteObject` |
//! | OSS: object properties | ACL, tagging, symbolic links, `RestoreObject` |
//! | OSS: many objects | `ListObjects`, `ListObjectsV2`, `ListObjectVersions`, `DeleteMultipleObjects` |
//! | OSS: parts | `InitiateMultipartUpload`, `UploadPart`, `UploadPartCopy`, `ListParts`, `ListMultipartUploads` |
//! | OSS: completing uploads | `CompleteMultipartUpload`, `AbortMultipartUpload` |
//! | OSS: buckets | `ListBuckets`, `PutBucket`, `DeleteBucket`, ACL, CORS, versioning, `GetBucketInfo`, `GetBucketLocation`, `GetBucketStat` |
//! | OSS: forms, cross-origin requests | `PostObject`, preflights |
//! | ECS, RPC and ACS3 signatures | `DescribeRegions` |
//! | RAM, RPC and ACS3 signatures | `GetPolicy` |
//! | Container Service, ACS3 signatures (ROA) | `DescribeClusters`, `DescribeClustersV1` |
//! | instance metadata, `IMDSv1` and `IMDSv2` | token, list of roles, credentials of a role |
//! | credentials URI | its document, for anyone, for a user with a password, or for the holder of a token |
//! | `CloudSSO`, OAuth | exchange of a login for credentials; renewal of an OAuth login |
//!
//! OSS accepts V4 and V1 signatures in the header, in the URL and in forms, and the signatures of Amazon S3 clients
//! ([`LocalCloud::s3_endpoint`]).
//!
//! Differences from the real services:
//!
//! - Only OSS enforces session policies. Permissions of users are not enforced, and ACLs only for unsigned requests.
//! - Images are not processed; `x-oss-process` is returned as the header `x-oss-testkit-process`.
//! - OSS errors have a precise `EC` only where it is documented.
//! - KMS responds in JSON regardless of `Format`, serves the same secrets in all regions, and uses plain HTTP.
//!
//! Objects are kept in memory. For larger ones there are buckets that keep only lengths and checksums:
//! [`LocalCloudBuilder::sink_bucket`].
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | none | | the crate has no optional parts |
#![forbid(unsafe_code)]

mod account;
mod body;
mod builder;
mod cloud;
mod conn;
mod control;
mod credentials_uri;
mod fault;
mod kms;
mod login;
mod measure;
mod metadata;
mod openapi;
mod oss;
mod policy;
mod record;
mod route;
mod server;
mod service;
mod session;
mod state;
mod sts;
mod time;
mod wire;

pub use account::Role;
pub use builder::LocalCloudBuilder;
pub use cloud::LocalCloud;
pub use cloud::profiles::ProfileFiles;
pub use fault::Fault;
pub use kms::client_key::ClientKeyFiles;
pub use login::cloud_sso::CloudSsoLogin;
pub use login::oauth::{OAuthLogin, OAuthSite};
pub use metadata::MetadataMode;
pub use oss::BucketAcl;
pub use record::{RecordedRequest, Service};
pub use route::RoutedClient;
pub use sts::oidc::OidcToken;
