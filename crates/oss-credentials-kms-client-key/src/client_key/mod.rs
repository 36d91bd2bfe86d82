//! The client key of an application access point, which signs the calls to KMS.

mod file;
mod password;
mod pkcs12;
#[cfg(feature = "aws-lc-rs")]
mod rsa;
pub(crate) mod source;
pub(crate) mod variables;

use std::fmt;
#[cfg(feature = "aws-lc-rs")]
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use acs_sign::ClientKeySigner;
use oss_credentials_core::MaskedId;

pub use self::file::ClientKeyFile;
pub(crate) use self::password::NOT_PROVIDED;
pub use self::password::{ClientKeyPassword, ENV_CLIENT_KEY_PASSWORD, PasswordSource};

/// The client key of an application access point: its ID, and a signer with its private key.
///
/// KMS issues it once, as a JSON file with a separate password. [`ClientKey::from_file`] reads that file;
/// [`ClientKey::new`] takes a key that is kept elsewhere. Cloning is cheap, and all clones share one key.
///
/// Client keys are documented in the vendor's documentation on application access points,
/// <https://www.alibabacloud.com/help/en/kms/key-management-service/security-and-compliance/use-aap-for-access-control>.
/// The PKCS#12 in the file omits parts that most writers include; this is observed from files that KMS issued.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "aws-lc-rs")] {
/// use oss_credentials_kms_client_key::ClientKey;
///
/// let error = ClientKey::from_json(b"{}", "its password").unwrap_err();
/// assert!(error.to_string().contains("KeyId"));
/// # }
/// ```
#[derive(Clone)]
pub struct ClientKey {
    key_id: Arc<str>,
    not_after: Option<SystemTime>,
    signer: Arc<dyn ClientKeySigner>,
}

impl ClientKey {
    /// Creates a client key whose private half is behind a custom signer, such as a hardware module.
    pub fn new(key_id: impl Into<Arc<str>>, signer: impl ClientKeySigner) -> Self {
        Self {
            key_id: key_id.into(),
            not_after: None,
            signer: Arc::new(signer),
        }
    }

    /// Reads the text of a client key file and signs with `aws-lc-rs`.
    ///
    /// Feature `aws-lc-rs`; without it see [`ClientKeyFile`].
    ///
    /// # Errors
    ///
    /// Those of [`ClientKeyFile::open`], and [`InvalidConfig`](oss_credentials_core::CredentialsError::InvalidConfig)
    /// if the numbers of the key are inconsistent or it has more than 8192 bits.
    #[cfg(feature = "aws-lc-rs")]
    pub fn from_json(json: &[u8], password: &str) -> Result<Self, oss_credentials_core::CredentialsError> {
        rsa::client_key(ClientKeyFile::open(json, password)?, None)
    }

    /// Reads a client key file, at most 1 MiB, and signs with `aws-lc-rs`. It blocks while it reads.
    ///
    /// Feature `aws-lc-rs`; without it see [`ClientKeyFile`]. [`PasswordSource`] reads the password.
    ///
    /// # Errors
    ///
    /// Those of [`ClientKeyFile::open_path`], and
    /// [`InvalidConfig`](oss_credentials_core::CredentialsError::InvalidConfig) if the numbers of the key are
    /// inconsistent or it has more than 8192 bits.
    #[cfg(feature = "aws-lc-rs")]
    pub fn from_file(
        path: impl AsRef<Path>,
        password: &str,
    ) -> Result<Self, oss_credentials_core::CredentialsError> {
        let path = path.as_ref();
        Self::from_text_of(path, &ClientKeyFile::read(path)?, password)
    }

    /// Opens what was read from a client key file.
    #[cfg(feature = "aws-lc-rs")]
    pub(crate) fn from_text_of(
        path: &Path,
        json: &[u8],
        password: &str,
    ) -> Result<Self, oss_credentials_core::CredentialsError> {
        rsa::client_key(ClientKeyFile::open_from(json, password, Some(path))?, Some(path))
    }

    /// Returns the ID of the client key, `KAAP.<uuid>`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Returns when the key's certificate expires; KMS rejects the key from then on. `None` if that is not known.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.not_after
    }

    /// Returns the signer with the private key.
    pub fn signer(&self) -> &dyn ClientKeySigner {
        &*self.signer
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey")
            .field("key_id", &MaskedId(&self.key_id))
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}
