//! The default signer, on `aws-lc-rs`.

use std::fmt;
use std::path::Path;

use acs_sign::{ClientKeySigner, SignError};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use oss_credentials_core::CredentialsError;

use super::ClientKey;
use super::file::{ClientKeyFile, unsupported};

struct RsaSigner(KeyPair);

/// The key of the file with the default signer. `path` is for the error.
pub(super) fn client_key(file: ClientKeyFile, path: Option<&Path>) -> Result<ClientKey, CredentialsError> {
    // It checks that the numbers belong together.
    let pair = KeyPair::from_pkcs8(file.pkcs8()).map_err(|rejected| {
        // One word, such as `InvalidComponent`.
        unsupported(path, &format!("aws-lc-rs rejects it as {rejected}"))
    })?;
    Ok(file.with_signer(RsaSigner(pair)))
}

impl ClientKeySigner for RsaSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        // This padding takes no random numbers.
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignError::Signer {
                reason: "aws-lc-rs reports an unspecified error".to_owned(),
            })?;
        Ok(signature)
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaSigner(<redacted>)")
    }
}
