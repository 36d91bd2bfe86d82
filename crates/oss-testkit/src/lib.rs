//! A local Alibaba Cloud for tests: STS, OSS, KMS, instance metadata, a credentials URI and the CLI's logins on
//! loopback, checking signatures and tokens like the services do.
//!
//! [`LocalCloud`] checks every key, signature, token, time and nonce and refuses with the services' own error
//! codes; keeps objects in memory; records what it was asked ([`LocalCloud::requests`]); and goes wrong on
//! demand ([`Fault`]). OSS enforces the session policy of a temporary key; every other key of the account may use every
//! bucket. Other local users can reach the ports: see the README.
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
//! [`LocalCloud::write_profiles`] writes the files of the CLI and the SDKs that lead to all of it, and
//! [`LocalCloud::routed`] finds it under the services' public names.
//!
//! As a program, `oss-testkit` prints the variables to set and serves until it is stopped.
//!
//! | service | operations |
//! |---|---|
//! | STS, RPC and ACS3 signatures | `AssumeRole`, `GetCallerIdentity` |
//! | STS, OIDC tokens | `AssumeRoleWithOIDC` |
//! | KMS, shared and instance gateway, with a client key | `GetSecretValue` |
//! | OSS: objects | `PutObject`, `AppendObject`, `GetObject`, `HeadObject`, `GetObjectMeta`, `CopyObject`, `DeleteObject` |
//! | OSS: about objects | ACL, tagging, symbolic links, `RestoreObject` |
//! | OSS: many objects | `ListObjects`, `ListObjectsV2`, `ListObjectVersions`, `DeleteMultipleObjects` |
//! | OSS: parts | `InitiateMultipartUpload`, `UploadPart`, `UploadPartCopy`, `ListParts`, `ListMultipartUploads` |
//! | OSS: ends of uploads | `CompleteMultipartUpload`, `AbortMultipartUpload` |
//! | OSS: buckets | `ListBuckets`, `PutBucket`, `DeleteBucket`, ACL, CORS, versioning, `GetBucketInfo`, `GetBucketLocation`, `GetBucketStat` |
//! | OSS: forms, other origins | `PostObject`, preflights |
//! | ECS, RPC and ACS3 signatures | `DescribeRegions` |
//! | RAM, RPC and ACS3 signatures | `GetPolicy` |
//! | Container Service, ACS3 signatures (ROA) | `DescribeClusters`, `DescribeClustersV1` |
//! | instance metadata, `IMDSv1` and `IMDSv2` | token, list of roles, credentials of a role |
//! | credentials URI | its document, for everybody, a user with a password, or the holder of a token |
//! | `CloudSSO`, OAuth | exchange of a login for credentials; renewal of an OAuth login |
//!
//! OSS takes V4 and V1 signatures in the header, in the URL and in forms, and those of clients of Amazon S3
//! ([`LocalCloud::s3_endpoint`]).
//!
//! Not as in the cloud: session policies are enforced by OSS alone, permissions of users are not enforced and ACLs only
//! for unsigned requests, pictures are not processed (`x-oss-process` comes back as the header `x-oss-testkit-process`), the
//! precise `EC` of an OSS error is given only where it is documented, and KMS answers in JSON whatever `Format` asks
//! for, serves the same secrets in all regions, and speaks plain HTTP.
//!
//! Objects are kept in memory. For those that are larger there are buckets that keep only figures:
//! [`LocalCloudBuilder::sink_bucket`].
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | none | | the crate has no optional parts |

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
