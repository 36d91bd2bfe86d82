//! A local Alibaba Cloud for tests: STS, OSS and KMS on loopback, checking signatures like the services do.
//!
//! [`LocalCloud`] checks every key, signature, token, time and nonce and refuses with the services' own error
//! codes; keeps objects in memory; records what it was asked ([`LocalCloud::requests`]); and goes wrong on
//! demand ([`Fault`]). It does not check who may do what: every key of the account may use every bucket.
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
//! As a program, `oss-testkit` prints the variables to set and serves until it is stopped.
//!
//! | service | operations |
//! |---|---|
//! | STS, RPC and ACS3 signatures | `AssumeRole`, `GetCallerIdentity` |
//! | KMS, shared and instance gateway, with a client key | `GetSecretValue` |
//! | OSS, V4 in header and URL | `PutObject`, `GetObject`, `HeadObject`, `GetObjectMeta`, `DeleteObject` |
//!
//! Not as in the cloud: an `ETag` is no MD5, session policies are not enforced, the precise `EC` of an OSS
//! error is given only where it is documented, and KMS answers in JSON whatever `Format` asks for, serves the
//! same secrets in all regions, and speaks plain HTTP.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | none | | the crate has no optional parts |

mod account;
mod cloud;
mod conn;
mod control;
mod fault;
mod kms;
mod oss;
mod record;
mod server;
mod state;
mod sts;
mod time;
mod wire;

pub use account::Role;
pub use cloud::{LocalCloud, LocalCloudBuilder};
pub use fault::Fault;
pub use kms::ClientKeyFiles;
pub use oss::BucketAcl;
pub use record::{RecordedRequest, Service};
