//! The secrets of the scenarios, and how they are recognized.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_credentials_kms_client_key::ClientKeyFile;
use sha2::Sha256;

pub const REGION: &str = "cn-hangzhou";
/// 2026-03-08T10:42:40Z
pub const NOW: u64 = 1_772_966_560;
pub const DAY: &str = "20260308";

/// Made of letters and digits, which no encoding changes; kept forever, so that the test itself frees none.
pub struct Secrets {
    pub secret: &'static str,
    pub token: &'static str,
    /// What a service issues.
    pub issued_secret: &'static str,
    pub issued_token: &'static str,
    pub oidc_token: &'static str,
    pub access_token: &'static str,
    pub refresh_token: &'static str,
    pub new_access_token: &'static str,
    pub new_refresh_token: &'static str,
    /// Of a URL's user information.
    pub password: &'static str,
    /// Of a URL's query.
    pub query: &'static str,
    pub metadata_token: &'static str,
    /// A client key file of the test vectors, its password and its private key.
    pub client_key_file: PathBuf,
    pub client_key_password: &'static str,
    pub private_key: &'static [u8],
}

/// The first client key of the test vectors, and its password.
const CLIENT_KEY: (&str, &str) = (
    "client-keys/kms-shape-2048.json",
    "7d1c2b0f5e9a4463b8a1f0c2d3e4f506",
);

pub static SECRETS: LazyLock<Secrets> = LazyLock::new(|| {
    let (file, password) = CLIENT_KEY;
    let client_key_file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/kms")
        .join(file);
    let opened = ClientKeyFile::open_path(&client_key_file, password).unwrap();
    let private_key = opened.pkcs8().to_vec().leak();
    secrets(client_key_file, password, private_key)
});

fn secrets(
    client_key_file: PathBuf,
    client_key_password: &'static str,
    private_key: &'static [u8],
) -> Secrets {
    Secrets {
        secret: random(1, 30),
        token: random(2, 1400),
        issued_secret: random(3, 44),
        issued_token: random(4, 700),
        oidc_token: random(5, 900),
        access_token: random(6, 300),
        refresh_token: random(7, 300),
        new_access_token: random(8, 300),
        new_refresh_token: random(9, 300),
        password: random(10, 32),
        query: random(11, 32),
        metadata_token: random(12, 56),
        client_key_file,
        client_key_password,
        private_key,
    }
}

pub fn leak(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

/// Letters and digits; the same ones for the same seed.
fn random(seed: u64, length: usize) -> &'static str {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // Far apart: seeds close to each other would give shifted pieces of the same text.
    let mut state = seed << 32;
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        text.push(char::from(ALPHABET[usize::try_from(word % 62).unwrap()]));
    }
    leak(text)
}

/// Pieces of eight bytes of each secret, one after another: whatever holds fifteen bytes of a secret in a row holds one.
pub struct Needles {
    pieces: Vec<(u64, &'static str)>,
    /// By the lowest 16 bits.
    filter: Vec<bool>,
}

impl Needles {
    pub fn new() -> Self {
        let mut needles = Self {
            pieces: Vec::new(),
            filter: vec![false; 1 << 16],
        };
        let secrets = &*SECRETS;
        for (name, secret) in [
            ("access key secret", secrets.secret),
            ("security token", secrets.token),
            ("issued secret", secrets.issued_secret),
            ("issued token", secrets.issued_token),
            ("OIDC token", secrets.oidc_token),
            ("access token", secrets.access_token),
            ("refresh token", secrets.refresh_token),
            ("new access token", secrets.new_access_token),
            ("new refresh token", secrets.new_refresh_token),
            ("password", secrets.password),
            ("query", secrets.query),
            ("metadata token", secrets.metadata_token),
        ] {
            needles.add(name, secret.as_bytes());
            needles.add(
                leak(format!("{name} in lower case")),
                secret.to_ascii_lowercase().as_bytes(),
            );
            for skipped in 0..3 {
                let encoded = STANDARD.encode(&secret.as_bytes()[skipped..]);
                needles.add(leak(format!("{name} in base64")), encoded.as_bytes());
            }
        }
        needles.add("client key password", secrets.client_key_password.as_bytes());
        // As PKCS#12 derives keys from it.
        let wide: Vec<u8> = secrets
            .client_key_password
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        needles.add("client key password in UTF-16", &wide);
        // Behind the modulus, which is no secret: the certificate has it, too.
        needles.add("private key", &secrets.private_key[320..]);
        for (name, key) in [
            ("HMAC key of RPC", [secrets.secret, "&"].concat().into_bytes()),
            ("HMAC key of ACS3 and V1", secrets.secret.as_bytes().to_vec()),
            (
                "HMAC key of V4",
                ["aliyun_v4", secrets.secret].concat().into_bytes(),
            ),
        ] {
            needles.add_blocks(name, &key);
        }
        let mut key = ["aliyun_v4", secrets.secret].concat().into_bytes();
        for (name, text) in [
            ("V4 date key", DAY),
            ("V4 region key", REGION),
            ("V4 product key", "oss"),
            ("V4 signing key", "aliyun_v4_request"),
        ] {
            key = Hmac::<Sha256>::new_from_slice(&key)
                .unwrap()
                .chain_update(text)
                .finalize()
                .into_bytes()
                .to_vec();
            needles.add(name, &key);
            needles.add_blocks(leak(format!("HMAC key of {name}")), &key);
        }
        needles.pieces.sort_unstable();
        needles
    }

    fn add(&mut self, name: &'static str, secret: &[u8]) {
        for piece in secret.as_chunks().0 {
            let word = u64::from_le_bytes(*piece);
            self.pieces.push((word, name));
            self.filter[(word & 0xffff) as usize] = true;
        }
    }

    /// The key as HMAC mixes it into its two blocks.
    fn add_blocks(&mut self, name: &'static str, key: &[u8]) {
        for filler in [0x36, 0x5c] {
            let block: Vec<u8> = key.iter().map(|byte| byte ^ filler).collect();
            self.add(name, &block);
        }
    }

    /// The secret that this is a piece of.
    pub fn find(&self, word: u64) -> Option<&'static str> {
        if !self.filter[(word & 0xffff) as usize] {
            return None;
        }
        let at = self.pieces.partition_point(|(piece, _)| *piece < word);
        self.pieces
            .get(at)
            .filter(|(piece, _)| *piece == word)
            .map(|(_, name)| *name)
    }
}
