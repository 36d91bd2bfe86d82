//! KMS Secrets Manager: `GetSecretValue` with a client key, on the gateway that all customers share and on the
//! gateway of a KMS instance.
//!
//! Vendor documents: "`GetSecretValue`" (Key Management Service, API reference, version 2016-01-20); "Common
//! error codes" of the same reference and of the KMS instance API. Signatures as observed from the vendor's
//! clients `aliyun-secret-manager-client` and `alibabacloud-dkms-gcs`.

pub(crate) mod client_key;
pub(crate) mod instance;
mod message;
pub(crate) mod secrets;
pub(crate) mod settings;
pub(crate) mod shared;
