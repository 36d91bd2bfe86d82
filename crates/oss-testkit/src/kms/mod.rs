//! KMS Secrets Manager: `GetSecretValue` with a client key, on the gateway that all customers share and on the
//! gateway of a KMS instance.
//!
//! Vendor documents: "`GetSecretValue`" (Key Management Service, API reference, version 2016-01-20); "Common
//! error codes" of the same reference and of the KMS instance API. Signatures as observed from the vendor's
//! clients `aliyun-secret-manager-client` and `alibabacloud-dkms-gcs`.

mod client_key;
mod cloud;
pub(crate) mod instance;
mod message;
mod secrets;
pub(crate) mod shared;

pub use client_key::ClientKeyFiles;
pub(crate) use cloud::{Addresses, Settings};
pub(crate) use secrets::Store;

/// The only operation.
const ACTION: &str = "GetSecretValue";
