//! The client key file: JSON with an ID and a PKCS#12 in base64.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use acs_sign::ClientKeySigner;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::{CredentialsError, ErrorDetail, MaskedId};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::ClientKey;
use super::pkcs12::{self, Opened};
use crate::config::ENV_CLIENT_KEY_FILE;
use crate::error::NAME;
use crate::settings::disk;

const KEY_ID: &str = "KeyId";
const PRIVATE_KEY_DATA: &str = "PrivateKeyData";

/// The file as KMS issues it has about 4 KiB.
const KIND: disk::Kind = disk::Kind {
    name: "client key file",
    setting: "the path of the client key, `client_key_private_key_path`",
    key: ENV_CLIENT_KEY_FILE,
    limit: 1024 * 1024,
};

const DOWNLOAD: &str = "use the file as KMS handed it out, or make a new client key";

/// A decrypted client key file, for a custom signer, if [`ClientKey::from_file`] is not wanted or its
/// feature is disabled.
///
/// The private key is overwritten on drop. `Debug` shows neither it nor the whole ID.
///
/// # Examples
///
/// ```
/// use acs_sign::{ClientKeySigner, SignError};
/// use oss_credentials_kms_client_key::{ClientKey, ClientKeyFile};
///
/// #[derive(Debug)]
/// struct MyRsa { /* … */ }
///
/// impl ClientKeySigner for MyRsa {
///     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
///         # let _ = message;
///         Ok(vec![/* RSASSA-PKCS1-v1_5 with SHA-256 over the message */])
///     }
/// }
///
/// fn client_key(json: &[u8], password: &str) -> Result<ClientKey, oss_credentials_core::CredentialsError> {
///     let file = ClientKeyFile::open(json, password)?;
///     let _pkcs8_der: &[u8] = file.pkcs8();
///     Ok(file.with_signer(MyRsa { /* from the PKCS#8 */ }))
/// }
/// # assert!(client_key(b"[]", "password").is_err());
/// ```
pub struct ClientKeyFile {
    key_id: String,
    opened: Opened,
}

impl ClientKeyFile {
    /// Opens the text of a client key file.
    ///
    /// The text is JSON in UTF-8, with or without a byte order mark; members other than `KeyId` and
    /// `PrivateKeyData` are ignored. The PKCS#12 in it has to have a MAC and at most 1 000 000 iterations in all.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if the password is empty or wrong, if the text is not such a file,
    /// or if the key in it is not RSA with at least 2048 bits.
    pub fn open(json: &[u8], password: &str) -> Result<Self, CredentialsError> {
        Self::open_from(json, password, None)
    }

    /// Opens a client key file of at most 1 MiB. It blocks while it reads.
    ///
    /// # Errors
    ///
    /// Those of [`ClientKeyFile::open`], now with the path in them; [`CredentialsError::InvalidConfig`] if
    /// there is no such file or it may not be read, [`CredentialsError::Unavailable`] if reading fails.
    pub fn open_path(path: impl AsRef<Path>, password: &str) -> Result<Self, CredentialsError> {
        let path = path.as_ref();
        let json = Self::read(path)?;
        Self::open_from(&json, password, Some(path))
    }

    /// The text of a client key file.
    pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialsError> {
        KIND.read(path)
    }

    /// Opens the text of the file at `path`.
    pub(super) fn open_from(
        json: &[u8],
        password: &str,
        path: Option<&Path>,
    ) -> Result<Self, CredentialsError> {
        if password.is_empty() {
            return Err(invalid(
                path,
                "the password of the client key is empty",
                "give the password that KMS showed beside the client key",
            ));
        }
        let (key_id, encoded) = members(json).map_err(|what| {
            let what = format!("the client key is malformed: {what}");
            invalid(path, what, DOWNLOAD)
        })?;
        let der = decode(&encoded).ok_or_else(|| {
            let what = format!("`{PRIVATE_KEY_DATA}` of the client key is not base64");
            invalid(path, what, DOWNLOAD)
        })?;
        let opened = pkcs12::open(&der, password).map_err(|error| refused(path, &error))?;
        Ok(Self { key_id, opened })
    }

    /// Returns the ID of the client key, `KAAP.<uuid>`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Returns the private key as PKCS#8 in DER: an RSA key of at least 2048 bits. It is secret.
    pub fn pkcs8(&self) -> &[u8] {
        &self.opened.pkcs8
    }

    /// Returns when the key's certificate expires; KMS rejects the key from then on. `None` if there is no
    /// certificate that belongs to the key.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.opened.not_after
    }

    /// Combines the client key with a signer that was made from [`ClientKeyFile::pkcs8`].
    pub fn with_signer(self, signer: impl ClientKeySigner) -> ClientKey {
        ClientKey {
            not_after: self.not_after(),
            ..ClientKey::new(self.key_id, signer)
        }
    }
}

impl fmt::Debug for ClientKeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeyFile")
            .field("key_id", &MaskedId(&self.key_id))
            .field("not_after", &self.not_after())
            .finish_non_exhaustive()
    }
}

/// An error about a client key, with the path if it came from a file.
pub(super) fn invalid(
    path: Option<&Path>,
    what: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    let detail = ErrorDetail::builder(NAME, what).hint(hint);
    CredentialsError::invalid_config(match path {
        Some(path) => detail.place(KIND.place(path)),
        None => detail,
    })
}

#[derive(Deserialize)]
struct Members {
    #[serde(rename = "KeyId")]
    key_id: Option<String>,
    #[serde(rename = "PrivateKeyData")]
    private_key_data: Option<Zeroizing<String>>,
}

/// Returns `KeyId`, and `PrivateKeyData` as it is written; otherwise what is wrong, in words of our own.
fn members(json: &[u8]) -> Result<(String, Zeroizing<String>), Cow<'static, str>> {
    let json = json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json);
    // serde would take a list of two strings for the members, too.
    let is_object = json.trim_ascii_start().starts_with(b"{");
    let members: Members = serde_json::from_slice(json)
        .ok()
        .filter(|_| is_object)
        .ok_or_else(|| defect(json))?;
    let missing = |name| format!("it has no `{name}`");
    let key_id = members.key_id.ok_or_else(|| missing(KEY_ID))?;
    if key_id.is_empty() {
        return Err(format!("`{KEY_ID}` is empty").into());
    }
    if !key_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("`{KEY_ID}` contains a space or a character that no ID has").into());
    }
    let data = members
        .private_key_data
        .ok_or_else(|| missing(PRIVATE_KEY_DATA))?;
    Ok((key_id, data))
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is wrong with a text that [`Members`] does not fit. serde's own words may quote a value, which can be
/// the key: only the place is kept.
fn defect(json: &[u8]) -> Cow<'static, str> {
    match serde_json::from_slice(json) {
        Ok(Value::Object(members)) => {
            let is_no_text = |name: &&str| members.get(*name).is_some_and(|value| !value.is_string());
            match [KEY_ID, PRIVATE_KEY_DATA].iter().find(|name| is_no_text(name)) {
                Some(name) => format!("`{name}` is not a string").into(),
                None => "a member is there twice".into(),
            }
        }
        Ok(_) => "it is not a JSON object".into(),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            format!("it is not JSON (line {line}, column {column})").into()
        }
    }
}

/// Base64 of the standard alphabet with padding; ASCII whitespace in it is passed over.
fn decode(encoded: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut dense = Zeroizing::new(Vec::with_capacity(encoded.len()));
    dense.extend(encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    STANDARD.decode(&*dense).ok().map(Zeroizing::new)
}

fn refused(path: Option<&Path>, error: &pkcs12::Error) -> CredentialsError {
    use pkcs12::Error;
    match error {
        Error::WrongPassword => invalid(
            path,
            "the password does not open the client key, or the file is damaged",
            "use the password that KMS showed beside this very client key",
        ),
        Error::UnsupportedKey(reason) => unsupported(path, reason),
        Error::UnknownAlgorithm(_) | Error::NoMac => invalid(
            path,
            format!("the PKCS#12 in `{PRIVATE_KEY_DATA}` of the client key is refused: {error}"),
            DOWNLOAD,
        ),
        Error::Malformed(_) | Error::TooManyIterations | Error::NoKey => invalid(
            path,
            format!("`{PRIVATE_KEY_DATA}` of the client key is not a valid PKCS#12 file: {error}"),
            DOWNLOAD,
        ),
    }
}

/// The error about a key that cannot sign for KMS.
pub(super) fn unsupported(path: Option<&Path>, reason: &str) -> CredentialsError {
    invalid(
        path,
        format!("the private key of the client key is not supported: {reason}"),
        "make a client key in KMS, of the type RSA_2048",
    )
}
