//! Extracts the private key from a PKCS#12 file (RFC 7292), strictly and without I/O.
//!
//! Strict means: DER to the last byte, no trailing bytes anywhere, and a MAC that is present and verified before
//! anything is decrypted. Structures are decoded with `der`; ciphers and digests come from its sister crates.
//! Everything that is derived or decrypted here is overwritten on drop. The one exception is the key that `pkcs5`
//! derives for PBES2, which stays on that crate's stack.

mod asn1;
mod certificate;
mod cost;
mod error;
mod kdf;
mod mac;
mod password;
mod pbe;
mod rsa_key;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use der::Decode as _;
use zeroize::Zeroizing;

use self::asn1::{CertBag, Content, EncryptedPrivateKey, Pfx, SafeBag, oid};
use self::cost::Cost;
pub(super) use self::error::Error;
use self::password::Password;
use self::rsa_key::RsaKey;

/// What a file was opened for.
pub(super) struct Opened {
    /// PKCS#8 in DER: rsaEncryption, two primes, at least 2048 bits.
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
    /// End of the certificate for this very key, if there is one that can be read.
    pub(super) not_after: Option<SystemTime>,
}

/// Takes out the first private key.
pub(super) fn open(der: &[u8], password: &str) -> Result<Opened, Error> {
    if der.is_empty() {
        return Err(Error::Malformed("it is empty"));
    }
    let pfx = Pfx::from_der(der)?;
    let password = Password::new(password);
    let mut cost = Cost::default();
    mac::verify(&pfx, &password, &mut cost)?;

    let mut found = Found::default();
    for content in Vec::<Content<'_>>::from_der(pfx.contents)? {
        let safe = match safe_contents(&content, &password, &mut cost) {
            Ok(safe) => safe,
            Err(Error::UnknownAlgorithm(algorithm)) => {
                found.skipped.get_or_insert(algorithm);
                continue;
            }
            Err(error) => return Err(error),
        };
        for bag in Vec::<SafeBag<'_>>::from_der(&safe)? {
            found.take(&bag, &password, &mut cost)?;
        }
    }
    found.finish()
}

/// The bags of one content, decrypted.
fn safe_contents(
    content: &Content<'_>,
    password: &Password,
    cost: &mut Cost,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    match content {
        Content::Data(bags) => Ok(Zeroizing::new(bags.to_vec())),
        Content::Encrypted {
            algorithm,
            ciphertext,
        } => pbe::decrypt(algorithm, ciphertext, password, cost),
        Content::Other(content_type) => Err(Error::UnknownAlgorithm(*content_type)),
    }
}

#[derive(Default)]
struct Found {
    key: Option<Zeroizing<Vec<u8>>>,
    certificates: Vec<Vec<u8>>,
    /// The first algorithm that is not known here.
    skipped: Option<der::asn1::ObjectIdentifier>,
}

impl Found {
    fn take(&mut self, bag: &SafeBag<'_>, password: &Password, cost: &mut Cost) -> Result<(), Error> {
        match bag.id {
            oid::KEY_BAG if self.key.is_none() => {
                self.key = Some(Zeroizing::new(bag.value.to_vec()));
            }
            oid::SHROUDED_KEY_BAG if self.key.is_none() => {
                let shrouded = EncryptedPrivateKey::from_der(bag.value)?;
                match pbe::decrypt(&shrouded.algorithm, shrouded.ciphertext, password, cost) {
                    Ok(key) => self.key = Some(key),
                    Err(Error::UnknownAlgorithm(algorithm)) => {
                        self.skipped.get_or_insert(algorithm);
                    }
                    Err(error) => return Err(error),
                }
            }
            oid::CERT_BAG => {
                let CertBag { x509 } = CertBag::from_der(bag.value)?;
                self.certificates.extend(x509.map(<[u8]>::to_vec));
            }
            // Lists of revoked certificates, secrets, bags in bags: nothing that a client key has.
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Opened, Error> {
        let pkcs8 = self
            .key
            .ok_or_else(|| self.skipped.map_or(Error::NoKey, Error::UnknownAlgorithm))?;
        let key = RsaKey::from_pkcs8(&pkcs8)?;
        let not_after = self
            .certificates
            .iter()
            .find_map(|certificate| certificate::not_after_if_for(certificate, &key));
        Ok(Opened { pkcs8, not_after })
    }
}
