//! The structures of RFC 7292 and of the parts it takes from PKCS #7 and #8, as far as they are read here.

use der::asn1::{AnyRef, ContextSpecific, ObjectIdentifier, OctetStringRef};
use der::{
    Decode as _, DecodeValue, ErrorKind, Header, Reader, Sequence, Tag, TagMode, TagNumber, Tagged as _,
};
use spki::AlgorithmIdentifierRef;

pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    pub(in super::super) const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
    pub(in super::super) const ENCRYPTED_DATA: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6");
    pub(in super::super) const KEY_BAG: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.1");
    pub(in super::super) const SHROUDED_KEY_BAG: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
    pub(in super::super) const CERT_BAG: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
    pub(in super::super) const X509_CERTIFICATE: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
}

const VERSION: u8 = 3;

/// The whole file, of version 3, with its contents under a password.
pub(super) struct Pfx<'a> {
    /// What the MAC covers: DER of a list of [`Content`].
    pub(super) contents: &'a [u8],
    pub(super) mac: Option<MacData<'a>>,
}

impl<'a> DecodeValue<'a> for Pfx<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        if u8::decode(reader)? != VERSION {
            return Err(reader.error(Tag::Integer.value_error()));
        }
        let Content::Data(contents) = Content::decode(reader)? else {
            return Err(reader.error(ErrorKind::OidUnknown { oid: oid::DATA }));
        };
        let mac = Option::<MacData<'a>>::decode(reader)?;
        Ok(Self { contents, mac })
    }
}

impl Sequence<'_> for Pfx<'_> {}

pub(super) struct MacData<'a> {
    pub(super) digest_algorithm: AlgorithmIdentifierRef<'a>,
    pub(super) digest: &'a [u8],
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

impl<'a> DecodeValue<'a> for MacData<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let (digest_algorithm, digest) = reader
            .sequence(|info| Ok::<_, der::Error>((AlgorithmIdentifierRef::decode(info)?, octets(info)?)))?;
        Ok(Self {
            digest_algorithm,
            digest,
            salt: octets(reader)?,
            // KMS leaves it out.
            iterations: Option::<u32>::decode(reader)?.unwrap_or(1),
        })
    }
}

impl Sequence<'_> for MacData<'_> {}

/// `ContentInfo`.
pub(super) enum Content<'a> {
    /// The octets of a `data`.
    Data(&'a [u8]),
    /// An `encryptedData`.
    Encrypted {
        algorithm: AlgorithmIdentifierRef<'a>,
        ciphertext: &'a [u8],
    },
    /// Anything else, by its type.
    Other(ObjectIdentifier),
}

impl<'a> DecodeValue<'a> for Content<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let content_type = ObjectIdentifier::decode(reader)?;
        match content_type {
            oid::DATA => Ok(Self::Data(explicit::<&OctetStringRef, R>(reader)?.as_bytes())),
            oid::ENCRYPTED_DATA => {
                let data: EncryptedData<'a> = explicit(reader)?;
                Ok(Self::Encrypted {
                    algorithm: data.algorithm,
                    ciphertext: data.ciphertext,
                })
            }
            other => {
                while !reader.is_finished() {
                    AnyRef::decode(reader)?;
                }
                Ok(Self::Other(other))
            }
        }
    }
}

impl Sequence<'_> for Content<'_> {}

/// `EncryptedData` of PKCS #7, which knows no attributes, with the `EncryptedContentInfo` in it.
struct EncryptedData<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    ciphertext: &'a [u8],
}

impl<'a> DecodeValue<'a> for EncryptedData<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        if u8::decode(reader)? != 0 {
            return Err(reader.error(Tag::Integer.value_error()));
        }
        reader.sequence(|info| {
            let content_type = ObjectIdentifier::decode(info)?;
            if content_type != oid::DATA {
                return Err(info.error(ErrorKind::OidUnknown { oid: content_type }));
            }
            let algorithm = AlgorithmIdentifierRef::decode(info)?;
            let ciphertext = info
                .context_specific::<&OctetStringRef>(TagNumber(0), TagMode::Implicit)?
                .ok_or_else(|| info.error(Tag::OctetString.value_error()))?;
            Ok(Self {
                algorithm,
                ciphertext: ciphertext.as_bytes(),
            })
        })
    }
}

impl Sequence<'_> for EncryptedData<'_> {}

pub(super) struct SafeBag<'a> {
    pub(super) id: ObjectIdentifier,
    /// DER of the value.
    pub(super) value: &'a [u8],
}

impl<'a> DecodeValue<'a> for SafeBag<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let id = ObjectIdentifier::decode(reader)?;
        let Encoded(value) = explicit(reader)?;
        // Names for people and ids that link bags: nothing here depends on them.
        if let Some(attributes) = Option::<AnyRef<'a>>::decode(reader)? {
            attributes.tag().assert_eq(Tag::Set)?;
        }
        Ok(Self { id, value })
    }
}

impl Sequence<'_> for SafeBag<'_> {}

/// `EncryptedPrivateKeyInfo` of PKCS #8; the type of `pkcs8` takes the schemes of PKCS #5 only.
pub(super) struct EncryptedPrivateKey<'a> {
    pub(super) algorithm: AlgorithmIdentifierRef<'a>,
    pub(super) ciphertext: &'a [u8],
}

impl<'a> DecodeValue<'a> for EncryptedPrivateKey<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        Ok(Self {
            algorithm: AlgorithmIdentifierRef::decode(reader)?,
            ciphertext: octets(reader)?,
        })
    }
}

impl Sequence<'_> for EncryptedPrivateKey<'_> {}

pub(super) struct CertBag<'a> {
    /// DER of an X.509 certificate; `None` for another kind.
    pub(super) x509: Option<&'a [u8]>,
}

impl<'a> DecodeValue<'a> for CertBag<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        let id = ObjectIdentifier::decode(reader)?;
        let value: AnyRef<'a> = explicit(reader)?;
        let x509 = match id {
            oid::X509_CERTIFICATE => Some(value.decode_as::<&OctetStringRef>()?.as_bytes()),
            _ => None,
        };
        Ok(Self { x509 })
    }
}

impl Sequence<'_> for CertBag<'_> {}

/// `pkcs-12PbeParams`.
pub(super) struct PbeParameters<'a> {
    pub(super) salt: &'a [u8],
    pub(super) iterations: u32,
}

impl<'a> DecodeValue<'a> for PbeParameters<'a> {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, _: Header) -> der::Result<Self> {
        Ok(Self {
            salt: octets(reader)?,
            iterations: u32::decode(reader)?,
        })
    }
}

impl Sequence<'_> for PbeParameters<'_> {}

/// One element as it is encoded.
struct Encoded<'a>(&'a [u8]);

impl<'a> der::Decode<'a> for Encoded<'a> {
    type Error = der::Error;

    fn decode<R: Reader<'a>>(reader: &mut R) -> der::Result<Self> {
        reader.tlv_bytes().map(Self)
    }
}

fn octets<'a, R: Reader<'a>>(reader: &mut R) -> der::Result<&'a [u8]> {
    <&OctetStringRef>::decode(reader).map(OctetStringRef::as_bytes)
}

/// The content of `[0] EXPLICIT`.
fn explicit<'a, T: der::Decode<'a, Error = der::Error>, R: Reader<'a>>(reader: &mut R) -> der::Result<T> {
    match ContextSpecific::<T>::decode_explicit(reader, TagNumber(0))? {
        Some(field) => Ok(field.value),
        None => Err(reader.error(
            Tag::ContextSpecific {
                constructed: true,
                number: TagNumber(0),
            }
            .value_error(),
        )),
    }
}
