//! The source of a target's client key.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use oss_credentials_core::{CredentialsError, MaskedId};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::variables::Variables;
use super::{ClientKey, ClientKeyFile, PasswordSource};
use crate::config::EXPIRY_NOTICE;
use crate::error::NAME;
use crate::{TRACING_TARGET, events};

/// The password of a client key file, or where to look for it each time the file is read.
#[derive(Clone)]
pub(crate) enum Password {
    Text(Zeroizing<String>),
    Source(PasswordSource, Variables),
}

impl Password {
    /// Where to look for it. The variables were read already, so that one which only they may hold is missed now.
    pub(crate) fn source(source: PasswordSource, variables: Variables) -> Result<Self, CredentialsError> {
        if !source.has_file() {
            source.read(&variables)?;
        }
        Ok(Self::Source(source, variables))
    }

    /// The password as it is now.
    fn read(&self) -> Result<Zeroizing<String>, CredentialsError> {
        match self {
            Self::Text(password) => Ok(password.clone()),
            Self::Source(source, variables) => {
                Ok(Zeroizing::new(source.read(variables)?.as_str().to_owned()))
            }
        }
    }
}

#[cfg(feature = "aws-lc-rs")]
fn open(path: &Path, json: &[u8], password: &str) -> Result<ClientKey, CredentialsError> {
    ClientKey::from_text_of(path, json, password)
}

#[cfg(not(feature = "aws-lc-rs"))]
fn open(path: &Path, _json: &[u8], _password: &str) -> Result<ClientKey, CredentialsError> {
    Err(crate::error::invalid_at(
        crate::settings::shown::path(path).unwrap_or(crate::config::ENV_CLIENT_KEY_FILE.into()),
        "nothing can sign with a client key file here",
        "enable the feature `aws-lc-rs`, or open it with ClientKeyFile and pass client_key(..) with your own signer",
    ))
}

/// The results of opening a file, by its content: opening takes up to a second of computing, so the same content
/// is not opened twice with the same password.
#[derive(Default)]
pub(crate) struct Opened {
    /// The cached key.
    key: Option<(Content, ClientKey)>,
    /// The last failure, until the content changes.
    failure: Option<(Content, CredentialsError)>,
}

/// Digest of a client key file and its password. The file's modification time is not reliable enough.
type Content = [u8; 32];

fn content(json: &[u8], password: &str) -> Content {
    Sha256::new()
        .chain_update(Sha256::digest(password))
        .chain_update(json)
        .finalize()
        .into()
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
        opened: Box<Mutex<Opened>>,
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
            opened: Box::default(),
            noticed: AtomicBool::new(false),
        }
    }

    /// Returns the cached key; a file is read the first time.
    pub(crate) fn get(&self, now: SystemTime) -> Result<ClientKey, CredentialsError> {
        let (key, noticed) = match self {
            Self::Ready { key, noticed } => (key.clone(), noticed),
            Self::File {
                path,
                password,
                opened,
                noticed,
            } => {
                let at_hand = lock(opened).key.as_ref().map(|(_, key)| key.clone());
                let key = match at_hand {
                    Some(key) => key,
                    None => load(path, password, opened)?,
                };
                (key, noticed)
            }
        };
        notice(&key, now, noticed);
        Ok(key)
    }

    /// Reads the file again after `rejected` was refused, and returns the key if it has changed. If the file cannot
    /// be opened any more, the cached key stays.
    ///
    /// # Errors
    ///
    /// Why the file cannot be opened.
    pub(crate) fn replaced(&self, rejected: &ClientKey) -> Result<Option<ClientKey>, CredentialsError> {
        let Self::File {
            path,
            password,
            opened,
            noticed,
        } = self
        else {
            return Ok(None);
        };
        let key = load(path, password, opened)?;
        if key.key_id() == rejected.key_id() {
            return Ok(None);
        }
        noticed.store(false, Ordering::Relaxed);
        Ok(Some(key))
    }
}

fn lock(opened: &Mutex<Opened>) -> MutexGuard<'_, Opened> {
    opened.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the file, and opens it unless that was done.
fn load(path: &Path, password: &Password, opened: &Mutex<Opened>) -> Result<ClientKey, CredentialsError> {
    let password = password.read()?;
    let json = ClientKeyFile::read(path)?;
    let content = content(&json, &password);
    {
        let opened = lock(opened);
        if let Some((_, key)) = opened.key.as_ref().filter(|(own, _)| *own == content) {
            return Ok(key.clone());
        }
        if let Some((_, error)) = opened.failure.as_ref().filter(|(own, _)| *own == content) {
            return Err(error.clone());
        }
    }
    let outcome = open(path, &json, &password);
    let mut opened = lock(opened);
    match &outcome {
        Ok(key) => opened.key = Some((content, key.clone())),
        Err(error) => opened.failure = Some((content, error.clone())),
    }
    outcome
}

/// Logs once that a key expires soon: KMS rejects an expired one, and it cannot be renewed.
fn notice(key: &ClientKey, now: SystemTime, noticed: &AtomicBool) {
    let Some(not_after) = key.not_after() else {
        return;
    };
    let left = not_after.duration_since(now).unwrap_or_default();
    if left < EXPIRY_NOTICE && !noticed.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            name: events::CLIENT_KEY_EXPIRES, target: TRACING_TARGET, provider = NAME,
            key_id = %MaskedId(key.key_id()), days_left = left.as_secs() / 86_400,
            event = events::CLIENT_KEY_EXPIRES,
            "the client key expires soon: issue a new one and replace the file"
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

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_opened_once_whether_it_opens_or_not() {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kms/client-keys");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let copy = |name: &str| std::fs::copy(vectors.join(name), &path).unwrap();
        let opened = Mutex::default();
        let load = |password: &str| load(&path, &Password::Text(password.to_owned().into()), &opened);
        copy("kms-shape-2048.json");
        let right = "7d1c2b0f5e9a4463b8a1f0c2d3e4f506";
        let wrong = |error: CredentialsError| error.detail().unwrap().clone();
        // Clones of one error share its text; two that are made anew do not.
        let first = wrong(load("wrong").unwrap_err());
        let again = wrong(load("wrong").unwrap_err());
        assert!(std::ptr::eq(first.place().unwrap(), again.place().unwrap()));
        let other = wrong(load("other").unwrap_err());
        assert!(!std::ptr::eq(first.place().unwrap(), other.place().unwrap()));
        let same = |a: &ClientKey, b: &ClientKey| std::ptr::eq(a.key_id(), b.key_id());
        let key = load(right).unwrap();
        assert!(same(&key, &load(right).unwrap()));
        copy("openssl-legacy-2048.json");
        assert!(load(right).is_err());
        let other = load("Throw-Away_01").unwrap();
        assert!(!same(&key, &other) && same(&other, &load("Throw-Away_01").unwrap()));
    }
}
