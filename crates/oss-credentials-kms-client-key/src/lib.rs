//! Alibaba Cloud credentials from a RAM secret that KMS rotates, fetched with a client key.

mod client_key;

pub use client_key::{ClientKey, ClientKeyFile, ClientKeyPassword, ENV_CLIENT_KEY_PASSWORD, PasswordSource};
