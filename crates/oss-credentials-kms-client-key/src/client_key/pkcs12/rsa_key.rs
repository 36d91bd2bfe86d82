//! The private key, as far as it is looked at here.

use der::asn1::UintRef;
use der::{Decode as _, DecodeValue, Header, Reader, Sequence};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::ObjectIdentifier;

use super::error::Error;

/// `rsaEncryption`.
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

const MIN_BITS: usize = 2048;

pub(super) struct RsaKey<'a> {
    /// Big-endian, without leading zeros.
    pub(super) modulus: &'a [u8],
}

impl<'a> RsaKey<'a> {
    /// Reads PKCS#8; whether the numbers belong together is for the signer to check.
    pub(super) fn from_pkcs8(pkcs8: &'a [u8]) -> Result<Self, Error> {
        let info = PrivateKeyInfoRef::from_der(pkcs8)
            .map_err(|_| Error::Malformed("its private key is not PKCS#8"))?;
        if info.algorithm.oid != RSA {
            return Err(Error::UnsupportedKey("it is not an RSA key"));
        }
        let RsaPrivateKey { modulus } = RsaPrivateKey::from_der(info.private_key.as_bytes())
            .map_err(|_| Error::UnsupportedKey("it is not an RSA key of two primes"))?;
        if bits(modulus) < MIN_BITS {
            return Err(Error::UnsupportedKey("it has less than 2048 bits"));
        }
        Ok(Self { modulus })
    }
}

fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    (8 * number.len()).saturating_sub(unused)
}

/// `RSAPrivateKey` of RFC 8017, A.1.2, for two primes.
struct RsaPrivateKey<'a> {
    modulus: &'a [u8],
}

impl<'a> DecodeValue<'a> for RsaPrivateKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        if u8::decode(reader)? != 0 {
            return Err(reader.error(der::Tag::Integer.value_error()));
        }
        let modulus = UintRef::decode(reader)?.as_bytes();
        // Both exponents, the primes, their exponents, the coefficient.
        for _ in 0..7 {
            UintRef::decode(reader)?;
        }
        Ok(Self { modulus })
    }
}

impl Sequence<'_> for RsaPrivateKey<'_> {}
