//! Calls to the Alibaba Cloud Security Token Service over any HTTP client.
//!
//! [`StsClient`] assumes roles, with a key or an OIDC token, and finds out which identity a key belongs to.
//! Endpoint rules, checks before sending, signing, retries, and parsing of responses and errors are the same for
//! every call. It reads no environment, keeps no credentials and caches nothing.
//!
//! Vendor documents: "AssumeRole" and "AssumeRoleWithOIDC" of the Security Token Service,
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>,
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>.
//!
//! # Examples
//!
//! ```
//! # #[cfg(feature = "signed")] {
//! use std::sync::Arc;
//! use std::time::Duration;
//! use acs_sts::{AssumeRole, StsClient};
//! use oss_credentials_core::{Credentials, blocking};
//! use oss_credentials_http::{HttpResponse, http_fn};
//!
//! // Any HTTP stack; `oss-credentials-reqwest` has a ready one.
//! let http = http_fn(|_request| async {
//!     let answer = br#"{"Credentials": {"AccessKeyId": "STS.example", "AccessKeySecret": "secret",
//!         "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}}"#;
//!     Ok(HttpResponse::new(200, answer.to_vec()))
//! });
//! let client = StsClient::builder(Arc::new(http)).region("cn-hangzhou").build()?;
//! let caller = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
//! // A token for another program, with fewer permissions than the role has:
//! let request = AssumeRole::new("acs:ram::123456789012:role/reader", "alice")
//!     .duration(Duration::from_secs(900))
//!     .policy(r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}]}"#);
//! let role = blocking::wait(client.assume_role(&caller, &request))?;
//! assert_eq!(role.credentials().access_key_id(), "STS.example");
//! # }
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `signed` | yes | `StsClient::assume_role` and `StsClient::get_caller_identity`, which are signed |
//! | without any | | [`StsClient::assume_role_with_oidc`], which is not signed |
//! | `tokio` | no | backoff between attempts on tokio's timer, inside a runtime |
//!
//! When a call fails, `docs/sts-assume-role.md#errors` in the repository lists each error with cause and fix.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "signed")]
mod assume_role;
mod assume_role_with_oidc;
#[cfg(feature = "signed")]
mod caller_identity;
mod client;
mod config;
mod endpoint;
mod error;
mod events;
mod hints;
mod session;
mod wire;

#[cfg(feature = "signed")]
pub use acs_client::SignatureVersion;
pub use acs_client::{DEFAULT_CONNECT_TIMEOUT, DEFAULT_TIMEOUT};
#[cfg(feature = "signed")]
pub use assume_role::AssumeRole;
pub use assume_role_with_oidc::{AssumeRoleWithOidc, validate_oidc_provider_arn, validate_oidc_token};
#[cfg(feature = "signed")]
pub use caller_identity::CallerIdentity;
pub use client::{StsClient, StsClientBuilder};
pub use config::{
    DEFAULT_SESSION_NAME_PREFIX, ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT, ENV_STS_REGION,
    ENV_VPC_ENDPOINT_ENABLED,
};
pub use endpoint::GLOBAL_HOST;
pub use error::StsError;
pub use session::{
    AssumedRole, DEFAULT_DURATION, MAX_DURATION, MIN_DURATION, made_up_session_name, validate_role_arn,
    validate_session_name,
};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "acs_sts";
