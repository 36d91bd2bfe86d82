//! Finds Alibaba Cloud credentials: the default chain, and every provider of the family behind a feature.
//!
//! ```no_run
//! use oss_credentials::CredentialsProvider;
//!
//! # async fn example() -> Result<(), oss_credentials::CredentialsError> {
//! let provider = oss_credentials::default_provider()?;
//! let credentials = provider.credentials().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Members, in order
//!
//! | order | member | configured by |
//! |---|---|---|
//! | 1 | `env` | `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET`, or `ALIBABA_CLOUD_ACCESS_KEY_ID` and `…_SECRET` |
//! | 2 | `oidc-rrsa` | `ALIBABA_CLOUD_OIDC_PROVIDER_ARN`, `…_OIDC_TOKEN_FILE` and `…_ROLE_ARN` |
//! | 3 | `profile` | `~/.aliyun/config.json`, then `~/.alibabacloud/credentials.ini` |
//! | 4 | `uri` | `ALIBABA_CLOUD_CREDENTIALS_URI` |
//! | 5 | `ecs-ram-role` | being an ECS instance with a RAM role |
//!
//! The chain uses the first member that is configured, and stays with it. A partially configured or failing member
//! stops the chain: continuing would silently switch to a different identity. [`DefaultProvider::builder`] reorders,
//! removes, adds or pins members; [`ENV_CREDENTIALS_PROVIDER`] pins one from outside. [`DefaultProvider::explain`]
//! reports for each member what was looked for, what is wrong, and whose key is in use.
//!
//! Any HTTP stack can replace reqwest:
//!
//! ```
//! use oss_credentials::http::{HttpRequest, HttpResponse, http_fn};
//! use oss_credentials::DefaultProvider;
//!
//! let http = http_fn(|request: HttpRequest| async move {
//!     // Hand `request` to your stack here.
//! #   Ok(HttpResponse::new(404, Vec::new()))
//! });
//! let provider = DefaultProvider::builder().http_client(http).build()?;
//! # Ok::<(), oss_credentials::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `env`, `oidc-rrsa`, `profile`, `uri`, `ecs-ram-role` | yes | the members of the default chain, and a module for each |
//! | `static` | no | the module [`static_keys`] |
//! | `fc-context`, `kms-client-key`, `process`, `sts-assume-role` | no | a module for each |
//! | `reqwest` | through `rustls` | an HTTP client over reqwest, so that none need be passed; implies `tokio` |
//! | `rustls` | yes | https through rustls with aws-lc-rs; implies `reqwest` |
//! | `rustls-no-provider`, `native-tls` | no | https through rustls with the crypto provider that the program installs, or through the system's TLS library; each implies `reqwest` |
//! | `ureq` | no | a blocking HTTP client over ureq with rustls, for programs without an async runtime; `reqwest` takes precedence |
//! | `tokio` | through `reqwest` | background refresh, and retries with backoff inside a tokio runtime |
//! | `json` | no | `Explanation::to_json` |
//! | `http` | no | conversions of [`http::HttpRequest`] and [`http::HttpResponse`] to and from the types of the `http` crate |
//! | `test-util` | no | `test_util`: a manual clock, variables, sources and services for tests |
//!
//! A library that depends on this crate should set `default-features = false` and leave the choice to the
//! program; a library that only accepts credentials needs just `oss-credentials-core`.
//!
//! When it fails: `docs/default-chain.md#errors` in the repository.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod config;
mod explain;
#[cfg(feature = "json")]
mod json;
mod members;
mod provider;

pub use builder::DefaultProviderBuilder;
pub use config::{DEFAULT_ORDER, ENV_CREDENTIALS_PROVIDER};
pub use explain::{Explanation, MemberReport, Standing};
pub use provider::{DefaultProvider, default_provider};

#[doc(inline)]
pub use oss_credentials_core::*;
#[cfg(feature = "ecs-ram-role")]
#[doc(inline)]
pub use oss_credentials_ecs_ram_role as ecs_ram_role;
#[cfg(feature = "env")]
#[doc(inline)]
pub use oss_credentials_env as env;
#[cfg(feature = "fc-context")]
#[doc(inline)]
pub use oss_credentials_fc_context as fc_context;
pub use oss_credentials_http as http;
#[cfg(feature = "kms-client-key")]
#[doc(inline)]
pub use oss_credentials_kms_client_key as kms_client_key;
#[cfg(feature = "oidc-rrsa")]
#[doc(inline)]
pub use oss_credentials_oidc_rrsa as oidc_rrsa;
#[cfg(feature = "process")]
#[doc(inline)]
pub use oss_credentials_process as process;
#[cfg(feature = "profile")]
#[doc(inline)]
pub use oss_credentials_profile as profile;
#[cfg(feature = "reqwest")]
#[doc(inline)]
pub use oss_credentials_reqwest as reqwest;
#[cfg(feature = "static")]
#[doc(inline)]
pub use oss_credentials_static as static_keys;
#[cfg(feature = "sts-assume-role")]
#[doc(inline)]
pub use oss_credentials_sts_assume_role as sts_assume_role;
#[cfg(feature = "ureq")]
#[doc(inline)]
pub use oss_credentials_ureq as ureq;
#[cfg(feature = "uri")]
#[doc(inline)]
pub use oss_credentials_uri as uri;

/// Name of the default chain as a provider, and in its errors.
const NAME: &str = "default";
