//! The caller of an operation.

use std::fmt;
#[cfg(feature = "signed")]
use std::sync::Arc;

#[cfg(feature = "signed")]
use acs_sign::ClientKeySigner;
#[cfg(feature = "signed")]
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, MaskedId};

/// The caller of an operation, and what to do when the service rejects the key.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "signed")] {
/// use acs_client::{AcsClient, Call, Caller};
/// use oss_credentials_core::{Credentials, blocking};
/// # use oss_credentials_http::{HttpResponse, http_fn};
///
/// # let http = http_fn(|_| async { Ok(HttpResponse::new(200, b"{}".to_vec())) });
/// // Without a provider of its own: each call names its caller.
/// let sts = AcsClient::builder("sts", "2015-04-01").endpoint("sts.aliyuncs.com").http_client(http).build()?;
/// let call = Call::rpc("GetCallerIdentity");
/// for secret in ["example-secret-1", "example-secret-2"] {
///     let key = Credentials::builder("LTAI5tExampleKeyId01", secret).build()?;
///     blocking::wait(sts.call_as(Caller::Credentials(&key), &call))?;
/// }
/// # }
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Caller<'a> {
    /// There is no caller: the request is not signed, as for `AssumeRoleWithOIDC`. Pass the values of parameters that
    /// are secrets: no message repeats them.
    Unsigned(&'a [&'a str]),
    /// The provider is called for credentials. A key that the service rejects is reported to it
    /// ([`CredentialsProvider::invalidate`]), and the call is repeated once if it then has another key.
    #[cfg(feature = "signed")]
    Provider(&'a dyn CredentialsProvider),
    /// These credentials. A key that the service rejects fails the call.
    #[cfg(feature = "signed")]
    Credentials(&'a Credentials),
    /// The holder of a KMS client key, which signs only in the RPC style. When the service rejects it, the source is
    /// called once for a replacement.
    #[cfg(feature = "signed")]
    ClientKey(&'a dyn ClientKeySource),
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(_) => f.write_str("Unsigned"),
            #[cfg(feature = "signed")]
            Self::Provider(provider) => f.debug_tuple("Provider").field(&provider.name()).finish(),
            #[cfg(feature = "signed")]
            Self::Credentials(credentials) => f.debug_tuple("Credentials").field(credentials).finish(),
            #[cfg(feature = "signed")]
            Self::ClientKey(_) => f.write_str("ClientKey"),
        }
    }
}

/// A KMS client key: its ID, and its signer.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use acs_client::{Caller, ClientKey};
/// use acs_sign::{ClientKeySigner, SignError};
///
/// /// An RSA key in a hardware module.
/// #[derive(Debug)]
/// struct Module;
///
/// impl ClientKeySigner for Module {
///     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
///         // RSASSA-PKCS1-v1_5 with SHA-256 over the message.
/// #       let _ = message;
///         Ok(vec![0; 256])
///     }
/// }
///
/// let key = ClientKey::new("KAAP.00000000-0000-0000-0000-000000000001", Arc::new(Module), "hsm");
/// let caller = Caller::ClientKey(&key);
/// # let _ = caller;
/// ```
#[cfg(feature = "signed")]
#[derive(Clone)]
pub struct ClientKey {
    id: Arc<str>,
    signer: Arc<dyn ClientKeySigner>,
    source: &'static str,
}

#[cfg(feature = "signed")]
impl ClientKey {
    /// Creates a key with this ID (`KAAP.<uuid>`). `source` names its origin in errors, such as `"client-key-file"`.
    pub fn new(id: impl Into<Arc<str>>, signer: Arc<dyn ClientKeySigner>, source: &'static str) -> Self {
        Self {
            id: id.into(),
            signer,
            source,
        }
    }

    /// Returns the ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn signer(&self) -> &dyn ClientKeySigner {
        &*self.signer
    }

    pub(crate) fn source(&self) -> &'static str {
        self.source
    }
}

#[cfg(feature = "signed")]
impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientKey({} from {})", MaskedId(&self.id), self.source)
    }
}

/// A source of a client key, which may be loaded again while the program runs.
///
/// # Examples
///
/// ```
/// use acs_client::{ClientKey, ClientKeySource};
/// use oss_credentials_core::CredentialsError;
///
/// /// A key, and the one that replaces it.
/// struct TwoKeys([ClientKey; 2]);
///
/// impl ClientKeySource for TwoKeys {
///     fn current(&self) -> Result<ClientKey, CredentialsError> {
///         Ok(self.0[0].clone())
///     }
///
///     fn replacement(&self, rejected: &ClientKey) -> Result<Option<ClientKey>, CredentialsError> {
///         let [first, second] = &self.0;
///         Ok((rejected.id() == first.id()).then(|| second.clone()))
///     }
/// }
/// ```
#[cfg(feature = "signed")]
pub trait ClientKeySource: Send + Sync {
    /// Returns the key to sign with.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn current(&self) -> Result<ClientKey, CredentialsError>;

    /// Returns another key, after the service rejected this one; `None` if there is no other. Default: none.
    ///
    /// # Errors
    ///
    /// Why it cannot be loaded; the call then fails with the rejection.
    fn replacement(&self, rejected: &ClientKey) -> Result<Option<ClientKey>, CredentialsError> {
        let _ = rejected;
        Ok(None)
    }
}

#[cfg(feature = "signed")]
impl ClientKeySource for ClientKey {
    fn current(&self) -> Result<ClientKey, CredentialsError> {
        Ok(self.clone())
    }
}
