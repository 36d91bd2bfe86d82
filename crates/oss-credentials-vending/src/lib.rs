//! Hands out access to Alibaba Cloud: narrow policies, and sessions of a role for tenants.
//!
//! A backend that lets browsers, apps or other services use one bucket needs three things: a policy that allows one
//! prefix and nothing else, temporary credentials for each tenant without calling STS for each request, and the true
//! time until which they work. [`PolicyBuilder`] makes the first, [`Vendor`] the second and [`Session`] states the
//! third. [`Grant`] turns a session into what a browser uses without any SDK: presigned URLs and forms.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! # use oss_credentials_http::{HttpResponse, http_fn};
//! # let http = http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
//! use oss_credentials_core::Credentials;
//! use oss_credentials_sts_assume_role::StsAssumeRole;
//! use oss_credentials_vending::{PolicyBuilder, SessionRequest, Vendor};
//!
//! # async fn example(role: StsAssumeRole) -> Result<(), Box<dyn std::error::Error>> {
//! let vendor = Vendor::builder(role).build();
//!
//! let policy = PolicyBuilder::new("uploads").prefix("tenants/42/").read().write().build()?;
//! let request = SessionRequest::new("tenant-42")
//!     .policy(policy)
//!     .lasts_at_least(Duration::from_secs(20 * 60));
//! let session = vendor.session(&request).await?;
//! println!("works until {:?}", session.expires_at());
//! # Ok(())
//! # }
//! # let base = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
//! # let role = StsAssumeRole::builder(base).role_arn("acs:ram::123456789012:role/tenants").http_client(http).build_source()?;
//! # oss_credentials_core::blocking::wait(example(role)).unwrap_err();
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `rustls` | yes | `reqwest`, with TLS by rustls |
//! | `rustls-no-provider`, `native-tls` | no | `reqwest`, with TLS by a provider that the program installs, or by the platform |
//! | `reqwest` | with `rustls` | an HTTP client for the role's calls, without TLS of its own; implies `tokio` |
//! | `tokio` | with `reqwest` | waiting for the limits on calls with tokio's timer |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod allowance;
mod cache;
mod error;
mod grant;
mod issue;
mod json;
mod metrics;
mod policy;
mod request;
mod session;
mod vendor;

pub use error::VendingError;
pub use grant::{
    BucketAddress, FormRequest, Grant, GrantBuilder, GrantError, GrantedForm, GrantedUrl, UrlRequest,
};
pub use metrics::VendorMetrics;
pub use oss_sign::v4::LimitedBy;
pub use policy::{POLICY_MAX_CHARS, Policy, PolicyBuilder, PolicyError};
pub use request::SessionRequest;
pub use session::Session;
pub use vendor::{Vendor, VendorBuilder};
