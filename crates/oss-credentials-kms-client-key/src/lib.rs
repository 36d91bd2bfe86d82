//! Alibaba Cloud credentials from a RAM secret that KMS rotates, fetched with a client key.

mod builder;
mod client_key;
mod config;
mod error;
mod gateway;
#[cfg(feature = "instance-gateway")]
mod instance;
mod key;
mod outcome;
mod properties;
mod region;
mod schedule;
mod scrub;
mod secret_data;
mod settings;
mod source;
mod wait;
mod wire;

pub use builder::KmsClientKeyBuilder;
pub use client_key::{ClientKey, ClientKeyFile, ClientKeyPassword, ENV_CLIENT_KEY_PASSWORD, PasswordSource};
pub use config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_PROPERTIES_FILE, DEFAULT_REFRESH_INTERVAL, DEFAULT_TIMEOUT,
    ENV_CLIENT_KEY_FILE, ENV_CREDENTIALS_TYPE, ENV_INSTANCES, ENV_PASSWORD_FILE, ENV_PASSWORD_VARIABLE,
    ENV_REGIONS, ENV_SECRET_NAMES,
};
#[cfg(feature = "instance-gateway")]
pub use gateway::instance as instance_gateway;
#[cfg(feature = "instance-gateway")]
pub use instance::KmsInstance;
pub use region::KmsRegion;
pub use source::{KmsClientKey, KmsClientKeyProvider};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_kms_client_key";
