//! Signing with the private key of a KMS client key.

use std::fmt;

use crate::error::SignError;

/// Signs with an RSA private key that stays where it is: in memory, in a hardware module, in a service.
pub trait ClientKeySigner: fmt::Debug + Send + Sync + 'static {
    /// Returns RSASSA-PKCS1-v1_5 with SHA-256 over `message`: as many bytes as the modulus has, 256 for RSA-2048.
    ///
    /// # Errors
    ///
    /// [`SignError::Signer`] if the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}
