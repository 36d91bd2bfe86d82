//! The signing key of one day, and the cache that holds the last one.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hmac::{Hmac, KeyInit, Mac};
use oss_credentials_core::Credentials;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::names::{ALGORITHM, CREDENTIAL, SECURITY_TOKEN, TERMINATOR};
use super::sha256::{Begun, Keyed};
#[cfg(feature = "http")]
use crate::SignError;
use crate::encode::{encode, put_encoded};
use crate::time::Stamp;

type HmacSha256 = Hmac<Sha256>;

/// Block length of SHA-256, to which HMAC pads its keys.
const BLOCK: usize = 64;

/// HMAC with a key of any length, without the error that HMAC cannot have.
pub(crate) fn mac(key_parts: &[&[u8]]) -> HmacSha256 {
    let mut block = Zeroizing::new([0_u8; BLOCK]);
    let length: usize = key_parts.iter().map(|part| part.len()).sum();
    if length > BLOCK {
        let mut hash = Sha256::new();
        for part in key_parts {
            hash.update(part);
        }
        let mut key = hash.finalize();
        block[..key.len()].copy_from_slice(&key);
        key.as_mut_slice().zeroize();
    } else {
        let bytes = key_parts.iter().flat_map(|part| part.iter());
        block
            .iter_mut()
            .zip(bytes)
            .for_each(|(place, byte)| *place = *byte);
    }
    HmacSha256::new((&*block).into())
}

fn hmac(key_parts: &[&[u8]], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = mac(key_parts);
    mac.update(message);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The four keys, each derived from the one before.
pub(crate) struct Keys {
    #[cfg(test)]
    pub(crate) date: Zeroizing<[u8; 32]>,
    #[cfg(test)]
    pub(crate) region: Zeroizing<[u8; 32]>,
    #[cfg(test)]
    pub(crate) product: Zeroizing<[u8; 32]>,
    pub(crate) signing: Zeroizing<[u8; 32]>,
}

impl Keys {
    pub(crate) fn derive(secret: &str, day: &[u8], region: &str, product: &str) -> Self {
        let date = hmac(&[b"aliyun_v4", secret.as_bytes()], day);
        let region = hmac(&[&*date], region.as_bytes());
        let product = hmac(&[&*region], product.as_bytes());
        let signing = hmac(&[&*product], TERMINATOR.as_bytes());
        Self {
            #[cfg(test)]
            date,
            #[cfg(test)]
            region,
            #[cfg(test)]
            product,
            signing,
        }
    }
}

/// What signs on one day with one set of credentials: the HMAC state after its key, and text that stays the
/// same all day. The state and the texts with the token are zeroized on drop; a header value, as every sent
/// one, is not.
pub(crate) struct DayKey {
    credentials: Credentials,
    day: [u8; 8],
    keyed: Keyed,
    /// `day/region/product/aliyun_v4_request`
    pub(crate) scope: String,
    /// `x-oss-security-token:token` and a line end.
    pub(crate) token_line: Option<Zeroizing<String>>,
    /// `x-oss-credential=...`, encoded.
    pub(crate) credential_parameter: String,
    /// `x-oss-security-token=...`, encoded.
    pub(crate) token_parameter: Option<Zeroizing<String>>,
    /// The token as a header value, checked once.
    #[cfg(feature = "http")]
    pub(crate) token_header: Result<Option<http::HeaderValue>, SignError>,
}

impl DayKey {
    fn derive(credentials: &Credentials, stamp: &Stamp, region: &str, product: &str) -> Self {
        let keys = Keys::derive(credentials.access_key_secret(), stamp.day(), region, product);
        let mut day = [0; 8];
        day.copy_from_slice(stamp.day());
        let scope = format!(
            "{}/{region}/{product}/{TERMINATOR}",
            String::from_utf8_lossy(&day)
        );
        let token = credentials.security_token();
        let id = encode(credentials.access_key_id());
        Self {
            keyed: Keyed::new(&keys.signing),
            token_line: token.map(token_line),
            credential_parameter: format!("{CREDENTIAL}={id}%2F{}", encode(&scope)),
            token_parameter: token.map(token_parameter),
            #[cfg(feature = "http")]
            token_header: token
                .map(|token| header_value(SECURITY_TOKEN, token.as_bytes(), true))
                .transpose(),
            credentials: credentials.clone(),
            scope,
            day,
        }
    }

    /// The signature over a text, in lower-case hex.
    #[cfg(feature = "post-policy")]
    pub(crate) fn signature(&self, text: &[u8]) -> [u8; 64] {
        hex(&self.keyed.mac(text))
    }
}

// Both are long enough from the start: growing would leave a copy behind.

fn token_line(token: &str) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(SECURITY_TOKEN.len() + 2 + token.len()));
    for piece in [SECURITY_TOKEN, ":", token, "\n"] {
        line.push_str(piece);
    }
    line
}

fn token_parameter(token: &str) -> Zeroizing<String> {
    let mut parameter = Zeroizing::new(String::with_capacity(SECURITY_TOKEN.len() + 1 + 3 * token.len()));
    parameter.push_str(SECURITY_TOKEN);
    parameter.push('=');
    put_encoded(&mut *parameter, token);
    parameter
}

#[cfg(feature = "http")]
fn header_value(name: &str, value: &[u8], sensitive: bool) -> Result<http::HeaderValue, SignError> {
    let shared = if sensitive {
        bytes::Bytes::from_owner(Zeroizing::new(value.to_vec()))
    } else {
        bytes::Bytes::copy_from_slice(value)
    };
    let mut value = http::HeaderValue::from_maybe_shared(shared).map_err(|_| SignError::InvalidHeader {
        name: name.to_owned(),
    })?;
    value.set_sensitive(sensitive);
    Ok(value)
}

/// What signs in one second: a busy program signs many requests in each.
pub(crate) struct Moment {
    pub(crate) key: Arc<DayKey>,
    pub(crate) stamp: Stamp,
    /// The HMAC of the string to sign up to the hash.
    begun: Begun,
    /// The beginning of `Authorization`, up to the scope.
    pub(crate) authorization: String,
    #[cfg(feature = "http")]
    pub(crate) date_headers: Result<(http::HeaderValue, http::HeaderValue), SignError>,
}

impl Moment {
    fn new(key: Arc<DayKey>, stamp: Stamp) -> Self {
        let iso = String::from_utf8_lossy(stamp.iso());
        let id = key.credentials.access_key_id();
        Self {
            begun: key
                .keyed
                .begin(format!("{ALGORITHM}\n{iso}\n{}\n", key.scope).as_bytes()),
            authorization: format!("{ALGORITHM} Credential={id}/{}", key.scope),
            #[cfg(feature = "http")]
            date_headers: header_value(super::names::DATE, stamp.iso(), false)
                .and_then(|iso| Ok((iso, header_value("date", stamp.http(), false)?))),
            key,
            stamp,
        }
    }

    /// The signature over a canonical request with this hash, in lower-case hex.
    pub(crate) fn signature(&self, request_hash: &[u8; 32]) -> [u8; 64] {
        hex(&self.begun.mac(&self.key.keyed, &hex(request_hash)))
    }
}

/// The string to sign.
pub(crate) fn string_to_sign(iso: &[u8], scope: &str, request_hash: &[u8; 32]) -> Vec<u8> {
    [ALGORITHM.as_bytes(), iso, scope.as_bytes(), &hex(request_hash)].join(&b'\n')
}

/// Lower-case hex digits. Written so that the compiler makes many at once of it, which matters: a signature
/// is short, and hex by table takes a tenth as long as hashing it.
pub(crate) fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut out = [0; 64];
    for (digits, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        // Both nibbles in a word of two bytes, and a one in each byte that holds ten or more: it gets a
        // letter.
        let nibbles = u16::from(byte >> 4) | u16::from(byte & 15) << 8;
        let letters = (nibbles + 0x0606) >> 4 & 0x0101;
        *digits = (nibbles + 0x3030 + letters * u16::from(b'a' - b'0' - 10)).to_le_bytes();
    }
    out
}

/// Holds the key used last. Other credentials or another day replace it, so a rotated secret is not kept.
///
/// Not a [`PerGeneration`](oss_credentials_core::PerGeneration): a signature depends on the second as well, and one cell
/// for both costs a single load per signature.
pub(crate) struct KeyCache(ArcSwapOption<Moment>);

impl KeyCache {
    pub(crate) fn new() -> Self {
        Self(ArcSwapOption::empty())
    }

    /// Runs `sign` with what signs with these credentials in this second, which is made if it is not the
    /// cached one.
    pub(crate) fn with<R>(
        &self,
        credentials: &Credentials,
        second: u64,
        region: &str,
        product: &str,
        sign: impl FnOnce(&Moment) -> R,
    ) -> R {
        let cached = self.0.load();
        let is_current = |moment: &&Moment| moment.key.credentials.same_generation_as(credentials);
        let cached = cached.as_deref().filter(is_current);
        if let Some(moment) = cached
            && moment.stamp.second() == second
        {
            return sign(moment);
        }
        let stamp = Stamp::new(second);
        let key = match cached {
            Some(moment) if moment.key.day == stamp.day() => Arc::clone(&moment.key),
            _ => Arc::new(DayKey::derive(credentials, &stamp, region, product)),
        };
        let moment = Arc::new(Moment::new(key, stamp));
        self.0.store(Some(Arc::clone(&moment)));
        sign(&moment)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    #[test]
    fn keys_of_all_vectors() {
        for file in ["v4-header.json", "v4-query.json"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/vectors/oss-sign")
                .join(file);
            let whole: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            for vector in whole["vectors"].as_array().unwrap() {
                let (input, expected) = (&vector["input"], &vector["expected"]);
                let text = |name: &str| input[name].as_str().unwrap();
                let day = text("signing_time")[..10].replace('-', "");
                let keys = Keys::derive(
                    text("access_key_secret"),
                    day.as_bytes(),
                    text("region"),
                    text("product"),
                );
                let shown = |key: &[u8; 32]| String::from_utf8(hex(key).to_vec()).unwrap();
                assert_eq!(shown(&keys.date), expected["date_key"].as_str().unwrap());
                assert_eq!(shown(&keys.region), expected["region_key"].as_str().unwrap());
                assert_eq!(shown(&keys.product), expected["product_key"].as_str().unwrap());
                assert_eq!(shown(&keys.signing), expected["signing_key"].as_str().unwrap());
            }
        }
    }

    #[test]
    fn every_byte_in_hex() {
        for start in (0..=255_u8).step_by(32) {
            let bytes: [u8; 32] = std::array::from_fn(|at| start + u8::try_from(at).unwrap());
            for (digits, byte) in hex(&bytes).chunks(2).zip(bytes) {
                assert_eq!(digits, format!("{byte:02x}").as_bytes());
            }
        }
    }

    /// RFC 4231, test cases 2 and 6: a short key, and one longer than a block.
    #[test]
    fn keys_of_any_length() {
        let short = hmac(&[b"Je", b"fe"], b"what do ya want for nothing?");
        assert_eq!(
            hex(&short).as_slice(),
            b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let long = hmac(
            &[&[0xaa; 131]],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        );
        assert_eq!(
            hex(&long).as_slice(),
            b"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
