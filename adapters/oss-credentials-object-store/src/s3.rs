//! Credentials for the S3 store.

use std::fmt;
use std::sync::Arc;

use object_store::aws::AwsCredential;
use object_store::{CredentialProvider, Error, Result};
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, PerGeneration};

/// Name of the store in errors.
const STORE: &str = "S3";

/// A credentials provider for the S3 store of object_store, which calls it before each request.
///
/// Each generation of the credentials is converted once, regardless of how many stores share this value. The store does not
/// report a rejected key; [`S3Connector`](crate::S3Connector) does.
pub struct S3Credentials {
    provider: Arc<dyn CredentialsProvider>,
    values: PerGeneration<AwsCredential>,
}

impl S3Credentials {
    /// Creates credentials for the store that come from this provider.
    pub fn new(provider: impl CredentialsProvider) -> Self {
        Self {
            provider: Arc::new(provider),
            values: PerGeneration::new(),
        }
    }

    /// Reports that the service rejected the credentials that `signed` recognizes, and returns those for a second attempt.
    /// Returns `None` if the provider has no others.
    pub(crate) async fn replacement(
        &self,
        signed: impl FnOnce(&Credentials) -> bool,
    ) -> Option<Arc<AwsCredential>> {
        let mut current = self.provider.credentials().await.ok()?;
        if signed(&current) {
            if !self.provider.invalidate(&current).may_retry() {
                return None;
            }
            let other = self.provider.credentials().await.ok()?;
            if other.same_generation_as(&current) {
                return None;
            }
            current = other;
        }
        (!current.is_anonymous()).then(|| self.converted(&current))
    }

    fn converted(&self, credentials: &Credentials) -> Arc<AwsCredential> {
        self.values
            .get_or_derive(credentials, |credentials| AwsCredential {
                key_id: credentials.access_key_id().to_owned(),
                secret_key: credentials.access_key_secret().to_owned(),
                token: credentials.security_token().map(str::to_owned),
            })
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials")
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl CredentialProvider for S3Credentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>> {
        let credentials = self.provider.credentials().await.map_err(failed)?;
        if credentials.is_anonymous() {
            return Err(Error::Generic {
                store: STORE,
                source: "the provider returns anonymous credentials; set `with_skip_signature(true)` for public data"
                    .into(),
            });
        }
        Ok(self.converted(&credentials))
    }
}

/// The text is the provider's. A denial keeps its kind; object_store has no kind for the others.
fn failed(error: CredentialsError) -> Error {
    match error {
        CredentialsError::Denied(_) => Error::PermissionDenied {
            path: String::new(),
            source: error.into(),
        },
        _ => Error::Generic {
            store: STORE,
            source: error.into(),
        },
    }
}
