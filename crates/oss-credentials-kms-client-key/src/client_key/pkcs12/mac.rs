//! The MAC that covers everything else.

use der::asn1::ObjectIdentifier;
use hmac::digest::Digest;
use hmac::digest::block_api::BlockSizeUser;
use hmac::{KeyInit as _, Mac as _, SimpleHmac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::asn1::{MacData, Pfx};
use super::cost::Cost;
use super::error::Error;
use super::kdf::{Purpose, derive};
use super::password::Password;

const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA_224: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.4");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// Checks the file against its MAC.
pub(super) fn verify(pfx: &Pfx<'_>, password: &Password, cost: &mut Cost) -> Result<(), Error> {
    let mac = pfx.mac.as_ref().ok_or(Error::NoMac)?;
    let check = match mac.digest_algorithm.oid {
        SHA_1 => check::<Sha1>,
        SHA_224 => check::<Sha224>,
        SHA_256 => check::<Sha256>,
        SHA_384 => check::<Sha384>,
        SHA_512 => check::<Sha512>,
        other => return Err(Error::UnknownAlgorithm(other)),
    };
    // The files that KMS issues leave the parameters out; most others write NULL.
    if mac
        .digest_algorithm
        .parameters
        .is_some_and(|parameters| !parameters.is_null())
    {
        return Err(Error::Malformed("the digest of its MAC has parameters"));
    }
    cost.spend(mac.iterations)?;
    check(mac, pfx.contents, password)
}

fn check<H: Digest + BlockSizeUser>(
    mac: &MacData<'_>,
    contents: &[u8],
    password: &Password,
) -> Result<(), Error> {
    let mut key = Zeroizing::new(vec![0; <H as Digest>::output_size()]);
    derive::<H>(password.bmp(), mac.salt, mac.iterations, Purpose::Mac, &mut key);
    SimpleHmac::<H>::new_from_slice(&key)
        .map_err(|_| Error::WrongPassword)?
        .chain_update(contents)
        // In constant time; a digest of another length is a mismatch too.
        .verify_slice(mac.digest)
        .map_err(|_| Error::WrongPassword)
}
