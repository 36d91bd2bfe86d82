//! When the certificate of the key ends. It is a hint: one that cannot be read counts as none.

use std::time::SystemTime;

use der::asn1::{AnyRef, BitStringRef, ContextSpecific, GeneralizedTime, UintRef, UtcTime};
use der::{Decode as _, DecodeValue, Header, Reader, Sequence, Tag, TagNumber};
use spki::SubjectPublicKeyInfo;

use super::rsa_key::{RSA, RsaKey};

/// The end of this certificate, given as DER, if it was issued for `key`.
pub(super) fn not_after_if_for(certificate: &[u8], key: &RsaKey<'_>) -> Option<SystemTime> {
    let Certificate(certificate) = Certificate::from_der(certificate).ok()?;
    if certificate.public_key.algorithm.oid != RSA {
        return None;
    }
    let public_key = certificate.public_key.subject_public_key.as_bytes()?;
    let RsaPublicKey { modulus } = RsaPublicKey::from_der(public_key).ok()?;
    (modulus == key.modulus).then_some(certificate.not_after)
}

/// `Certificate` of RFC 5280, 4.1: what was signed, and the signature, which nothing depends on here.
struct Certificate<'a>(TbsCertificate<'a>);

impl<'a> DecodeValue<'a> for Certificate<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let signed = TbsCertificate::decode(reader)?;
        rest(reader)?;
        Ok(Self(signed))
    }
}

impl Sequence<'_> for Certificate<'_> {}

struct TbsCertificate<'a> {
    not_after: SystemTime,
    public_key: SubjectPublicKeyInfo<AnyRef<'a>, BitStringRef<'a>>,
}

impl<'a> DecodeValue<'a> for TbsCertificate<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        ContextSpecific::<u8>::decode_explicit(reader, TagNumber(0))?;
        // Serial number, algorithm of the signature, issuer.
        for _ in 0..3 {
            AnyRef::decode(reader)?;
        }
        let not_after = reader.sequence(|validity| {
            AnyRef::decode(validity)?;
            time(validity)
        })?;
        // The subject.
        AnyRef::decode(reader)?;
        let public_key = SubjectPublicKeyInfo::decode(reader)?;
        rest(reader)?;
        Ok(Self {
            not_after,
            public_key,
        })
    }
}

impl Sequence<'_> for TbsCertificate<'_> {}

fn time<'a, R: Reader<'a>>(reader: &mut R) -> der::Result<SystemTime> {
    let since_epoch = match Tag::peek(reader)? {
        Tag::GeneralizedTime => GeneralizedTime::decode(reader)?.to_unix_duration(),
        _ => UtcTime::decode(reader)?.to_unix_duration(),
    };
    SystemTime::UNIX_EPOCH
        .checked_add(since_epoch)
        .ok_or_else(|| reader.error(der::ErrorKind::DateTime))
}

fn rest<'a, R: Reader<'a>>(reader: &mut R) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}

/// `RSAPublicKey` of RFC 8017, A.1.1.
struct RsaPublicKey<'a> {
    modulus: &'a [u8],
}

impl<'a> DecodeValue<'a> for RsaPublicKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let modulus = UintRef::decode(reader)?.as_bytes();
        UintRef::decode(reader)?;
        Ok(Self { modulus })
    }
}

impl Sequence<'_> for RsaPublicKey<'_> {}
