//! Where the client key of a target comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use oss_credentials_core::{CredentialsError, Env, MaskedId};
use zeroize::Zeroizing;

use crate::TRACING_TARGET;
use crate::client_key::{ClientKey, PasswordSource};
use crate::config::EXPIRY_NOTICE;
use crate::error::NAME;

/// The password of a client key file, or where to look for it each time the file is read.
#[derive(Clone)]
pub(crate) enum Password {
    Text(Zeroizing<String>),
    Source(PasswordSource, Captured),
}

/// The variables that were read when the environment was: later changes do not count.
#[derive(Clone, Default)]
pub(crate) struct Captured(BTreeMap<String, Zeroizing<String>>);

impl Captured {
    pub(crate) fn capture(&mut self, env: &dyn Env, name: &str) {
        if let Some(value) = env.var(name) {
            self.0.insert(name.to_owned(), Zeroizing::new(value));
        }
    }
}

impl Env for Captured {
    fn var(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| value.as_str().to_owned())
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A password may stand where a name belongs.
        f.write_str("Captured(..)")
    }
}

impl Password {
    fn open(&self, path: &Path) -> Result<ClientKey, CredentialsError> {
        match self {
            Self::Text(password) => from_file(path, password),
            Self::Source(source, captured) => from_file(path, source.read(captured)?.as_str()),
        }
    }
}

#[cfg(feature = "aws-lc-rs")]
fn from_file(path: &Path, password: &str) -> Result<ClientKey, CredentialsError> {
    ClientKey::from_file(path, password)
}

#[cfg(not(feature = "aws-lc-rs"))]
fn from_file(path: &Path, _password: &str) -> Result<ClientKey, CredentialsError> {
    Err(crate::error::invalid_at(
        crate::shown::path(path).unwrap_or(crate::config::ENV_CLIENT_KEY_FILE.into()),
        "nothing can sign with a client key file here",
        "turn on the feature `aws-lc-rs`, or open it with ClientKeyFile and pass client_key(..) with a signer of \
         your own",
    ))
}

/// A client key, or the file it is read from when it is first needed.
pub(crate) enum KeySource {
    Ready {
        key: ClientKey,
        noticed: AtomicBool,
    },
    File {
        path: PathBuf,
        password: Password,
        loaded: Mutex<Option<ClientKey>>,
        noticed: AtomicBool,
    },
}

impl KeySource {
    pub(crate) fn ready(key: ClientKey) -> Self {
        Self::Ready {
            key,
            noticed: AtomicBool::new(false),
        }
    }

    pub(crate) fn file(path: PathBuf, password: Password) -> Self {
        Self::File {
            path,
            password,
            loaded: Mutex::new(None),
            noticed: AtomicBool::new(false),
        }
    }

    /// The key at hand; a file is read the first time.
    pub(crate) fn get(&self, now: SystemTime) -> Result<ClientKey, CredentialsError> {
        let (key, noticed) = match self {
            Self::Ready { key, noticed } => (key.clone(), noticed),
            Self::File { loaded, noticed, .. } => {
                let at_hand = loaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let key = match at_hand {
                    Some(key) => key,
                    None => self.load()?,
                };
                (key, noticed)
            }
        };
        notice(&key, now, noticed);
        Ok(key)
    }

    /// Reads the file again after `rejected` was refused: the key, if it is another one by now. Of a file that
    /// cannot be read any more the next fetch will not tell either: the key at hand stays.
    pub(crate) fn replaced(&self, rejected: &ClientKey) -> Option<ClientKey> {
        let Self::File { noticed, .. } = self else {
            return None;
        };
        let before = rejected.key_id();
        let key = self.load().ok().filter(|key| key.key_id() != before)?;
        noticed.store(false, Ordering::Relaxed);
        Some(key)
    }

    fn load(&self) -> Result<ClientKey, CredentialsError> {
        match self {
            Self::Ready { key, .. } => Ok(key.clone()),
            Self::File {
                path,
                password,
                loaded,
                ..
            } => {
                let key = password.open(path)?;
                *loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
                Ok(key)
            }
        }
    }
}

/// Says once that a key ends soon: KMS rejects an expired one, and there is no way to renew it.
fn notice(key: &ClientKey, now: SystemTime, noticed: &AtomicBool) {
    let Some(not_after) = key.not_after() else {
        return;
    };
    let left = not_after.duration_since(now).unwrap_or_default();
    if left < EXPIRY_NOTICE && !noticed.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: TRACING_TARGET, provider = NAME, key_id = %MaskedId(key.key_id()),
            days_left = left.as_secs() / 86_400,
            "the client key ends soon: issue a new one and replace the file"
        );
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { key, .. } => key.fmt(f),
            Self::File { .. } => f.write_str("ClientKeyFile"),
        }
    }
}
