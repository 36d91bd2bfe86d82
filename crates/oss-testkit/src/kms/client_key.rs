//! Client keys: the one included in the local cloud, and the check of signatures by any of them.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A client key file in the exact layout that KMS issues, which no Rust writer of PKCS#12 produces. The key was created
/// for tests and is part of every copy of this crate: it is valid only for local clouds.
pub(crate) const JSON: &str = include_str!("client_key.json");
pub(crate) const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
pub(crate) const PASSWORD: &str = "7d1c2b0f5e9a4463b8a1f0c2d3e4f506";
/// Its public half, as `SubjectPublicKeyInfo` in DER.
pub(super) const PUBLIC_KEY: &[u8] = include_bytes!("client_key.pub.der");

/// The files to which [`LocalCloud::write_client_key`](crate::LocalCloud::write_client_key) wrote a client key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKeyFiles {
    pub(super) key: PathBuf,
    pub(super) password: PathBuf,
}

impl ClientKeyFiles {
    /// The client key: JSON with the key ID and a PKCS#12 file.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// Its password, without a line break.
    pub fn password(&self) -> &Path {
        &self.password
    }
}

/// Writes the client key and its password into a directory, with the file names that the console uses.
pub(crate) fn write(dir: &Path) -> io::Result<ClientKeyFiles> {
    let files = ClientKeyFiles {
        key: dir.join(format!("clientKey_{KEY_ID}.json")),
        password: dir.join(format!("clientKey_{KEY_ID}_Password.txt")),
    };
    std::fs::write(&files.key, JSON)?;
    std::fs::write(&files.password, PASSWORD)?;
    Ok(files)
}

/// Returns whether this is the RSASSA-PKCS1-v1_5 signature with SHA-256 of the text, in padded base64.
pub(super) fn verify(public_key: &[u8], text: &str, signature: &str) -> bool {
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key);
    STANDARD
        .decode(signature)
        .is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
}
