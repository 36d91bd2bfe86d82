//! The client key of an application access point: what signs the calls to KMS.

use std::fmt;
use std::sync::Arc;

use acs_sign::ClientKeySigner;

/// The client key of an application access point: its id, and what signs with its private key.
#[derive(Clone)]
pub struct ClientKey {
    key_id: Arc<str>,
    signer: Arc<dyn ClientKeySigner>,
}

impl ClientKey {
    /// A key whose private half is behind a signer of your own, such as a hardware module.
    pub fn new(key_id: impl Into<Arc<str>>, signer: impl ClientKeySigner) -> Self {
        Self {
            key_id: key_id.into(),
            signer: Arc::new(signer),
        }
    }

    /// The id of the client key, `KAAP.<uuid>`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// What signs with the private key.
    pub fn signer(&self) -> &dyn ClientKeySigner {
        &*self.signer
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey").finish_non_exhaustive()
    }
}
