//! Alibaba Cloud credentials from a RAM secret that KMS rotates, fetched with a client key.
//!
//! KMS Secrets Manager can store the access key pair of a RAM user and replace it regularly. A *client key* of an
//! application access point, a file protected by a password, lets a program fetch the current pair. Nothing else is
//! stored on the machine, and the provider follows the rotations of the pair.
//!
//! # What it reads
//!
//! The client key file and its password, when a fetch first needs them. Settings come from the
//! builder; with [`KmsClientKeyBuilder::env`] from the variables [`ENV_CREDENTIALS_TYPE`], [`ENV_CLIENT_KEY_FILE`],
//! [`ENV_PASSWORD_VARIABLE`], [`ENV_PASSWORD_FILE`], [`ENV_CLIENT_KEY_PASSWORD`], [`ENV_REGIONS`],
//! [`ENV_INSTANCES`] and [`ENV_SECRET_NAMES`] for what is not set there; and with
//! [`KmsClientKeyBuilder::properties`] from a file in the format of [`DEFAULT_PROPERTIES_FILE`] for what is set in
//! neither. Lists of regions replace each other and are never joined.
//!
//! # Examples
//!
//! With the features `reqwest` and `aws-lc-rs`, inside a tokio runtime, with the configuration of the vendor's clients:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), oss_credentials_core::CredentialsError> {
//! use oss_credentials_core::{CredentialsProvider, ProcessEnv};
//! use oss_credentials_kms_client_key::KmsClientKey;
//!
//! let provider = KmsClientKey::from_properties("secretsmanager.properties")?
//!     .env(&ProcessEnv)
//!     .secret_name("acs/ram/user/oss-reader")
//!     .build()?;
//! let credentials = provider.credentials().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With explicit values, any other HTTP stack, and a key that is kept elsewhere:
//!
//! ```
//! use acs_sign::{ClientKeySigner, SignError};
//! use oss_credentials_http::{HttpRequest, HttpResponse, http_fn};
//! use oss_credentials_core::{CredentialsProvider, blocking};
//! use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsRegion};
//!
//! #[derive(Debug)]
//! struct HardwareModule;
//!
//! impl ClientKeySigner for HardwareModule {
//!     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
//!         // Have `message` signed with RSASSA-PKCS1-v1_5 and SHA-256 here.
//! #       let _ = message;
//! #       Ok(vec![0; 256])
//!     }
//! }
//!
//! let http = http_fn(|request: HttpRequest| async move {
//!     // Hand `request` to your stack here.
//! #   let _ = request;
//! #   let answer = br#"{"SecretData": "{\"AccessKeyId\": \"id\", \"AccessKeySecret\": \"secret\"}"}"#;
//! #   Ok(HttpResponse::new(200, answer.to_vec()))
//! });
//! let provider = KmsClientKey::builder()
//!     .secret_name("acs/ram/user/oss-reader")
//!     .client_key(ClientKey::new("KAAP.00000000-0000-0000-0000-000000000001", HardwareModule))
//!     .region(KmsRegion::new("cn-hangzhou"))
//!     .http_client(http)
//!     .build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.source(), "kms-client-key");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | through `rustls` | an HTTP client over reqwest, so that `build()` needs none; implies `tokio` |
//! | `rustls` | yes | https through rustls with aws-lc-rs; implies `reqwest` |
//! | `rustls-no-provider`, `native-tls` | no | https through rustls with the crypto provider that the program installs, or through the system's TLS library; each implies `reqwest` |
//! | `tokio` | through `reqwest` | background refresh, and more passes over the regions, inside a tokio runtime |
//! | `aws-lc-rs` | yes | RSA signatures with the key of a client key file |
//! | `instance-gateway` | no | the dedicated gateway of a KMS instance, in addition to the shared one of a region |
//!
//! A library that depends on this crate should set `default-features = false` and leave the choice to the
//! program.
//!
//! When it fails: `docs/kms-client-key.md#errors` in the repository.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod client_key;
mod config;
mod error;
mod events;
mod exchange;
mod secret;
mod settings;
mod source;

pub use builder::KmsClientKeyBuilder;
pub use client_key::{ClientKey, ClientKeyFile, ClientKeyPassword, ENV_CLIENT_KEY_PASSWORD, PasswordSource};
pub use config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_PROPERTIES_FILE, DEFAULT_REFRESH_INTERVAL, DEFAULT_TIMEOUT,
    ENV_CLIENT_KEY_FILE, ENV_CREDENTIALS_TYPE, ENV_INSTANCES, ENV_PASSWORD_FILE, ENV_PASSWORD_VARIABLE,
    ENV_REGIONS, ENV_SECRET_NAMES,
};
#[cfg(feature = "instance-gateway")]
pub use exchange::gateway::instance as instance_gateway;
#[cfg(feature = "instance-gateway")]
pub use settings::instance::KmsInstance;
pub use settings::region::KmsRegion;
pub use source::{KmsClientKey, KmsClientKeyProvider};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_kms_client_key";
