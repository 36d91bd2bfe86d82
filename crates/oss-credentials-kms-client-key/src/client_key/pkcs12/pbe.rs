//! What is encrypted under the password.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, InnerIvInit as _, KeyIvInit as _};
use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{Decode as _, ErrorKind};
use pkcs5::pbes2::{self, Pbkdf2Params};
use rc2::Rc2;
use sha1::Sha1;
use spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::asn1::PbeParameters;
use super::cost::Cost;
use super::error::Error;
use super::kdf::{Purpose, derive};
use super::password::Password;

/// `pbeWithSHAAnd3-KeyTripleDES-CBC`.
const SHA1_3DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
/// `pbeWithSHAAnd40BitRC2-CBC`.
const SHA1_RC2_40: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.6");

/// Length of the initialization vectors of 3DES and RC2.
const IV: usize = 8;
const RC2_KEY_BITS: usize = 40;

/// Decrypts one part of the file.
pub(super) fn decrypt(
    algorithm: &AlgorithmIdentifierRef<'_>,
    ciphertext: &[u8],
    password: &Password,
    cost: &mut Cost,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = match algorithm.oid {
        SHA1_3DES => {
            let (key, iv) = key_and_iv::<24>(algorithm, password, cost)?;
            let cipher = cbc::Decryptor::<des::TdesEde3>::new((&*key).into(), (&*iv).into());
            unpadded(cipher, &mut buffer)
        }
        SHA1_RC2_40 => {
            let (key, iv) = key_and_iv::<{ RC2_KEY_BITS / 8 }>(algorithm, password, cost)?;
            let block = Rc2::new_with_eff_key_len(&*key, RC2_KEY_BITS);
            unpadded(cbc::Decryptor::inner_iv_init(block, (&*iv).into()), &mut buffer)
        }
        pbes2::PBES2_OID => pbes2_parameters(algorithm, cost)?
            .decrypt_in_place(password.utf8(), &mut buffer)
            .ok()
            .map(<[u8]>::len),
        other => return Err(Error::UnknownAlgorithm(other)),
    };
    // The MAC was right: the file was written this way.
    buffer.truncate(length.ok_or(Error::Malformed("a part of it cannot be decrypted"))?);
    Ok(buffer)
}

type Derived<const N: usize> = Zeroizing<[u8; N]>;

fn key_and_iv<const N: usize>(
    algorithm: &AlgorithmIdentifierRef<'_>,
    password: &Password,
    cost: &mut Cost,
) -> Result<(Derived<N>, Derived<IV>), Error> {
    let parameters = algorithm.parameters.ok_or(NO_PARAMETERS)?;
    let PbeParameters { salt, iterations } = parameters.decode_as()?;
    cost.spend(iterations)?;
    let (mut key, mut iv) = (Zeroizing::new([0; N]), Zeroizing::new([0; IV]));
    derive::<Sha1>(password.bmp(), salt, iterations, Purpose::Key, &mut *key);
    derive::<Sha1>(password.bmp(), salt, iterations, Purpose::Iv, &mut *iv);
    Ok((key, iv))
}

const NO_PARAMETERS: Error = Error::Malformed("an encryption has no parameters");

/// Returns the length of the plaintext, which is then at the beginning of the buffer.
fn unpadded(cipher: impl BlockModeDecrypt, buffer: &mut [u8]) -> Option<usize> {
    cipher.decrypt_padded::<Pkcs7>(buffer).ok().map(<[u8]>::len)
}

/// The parameters of PBES2, after a look at what `pkcs5` takes on trust.
fn pbes2_parameters(
    algorithm: &AlgorithmIdentifierRef<'_>,
    cost: &mut Cost,
) -> Result<pbes2::Parameters, Error> {
    let parameters = algorithm.parameters.ok_or(NO_PARAMETERS)?;
    let (derivation, encryption) = parameters.sequence(|parts| {
        Ok::<_, der::Error>((
            AlgorithmIdentifierRef::decode(parts)?,
            AlgorithmIdentifierRef::decode(parts)?,
        ))
    })?;
    // Its other derivation, scrypt, can ask for any amount of memory.
    if derivation.oid != pbes2::PBKDF2_OID {
        return Err(Error::UnknownAlgorithm(derivation.oid));
    }
    let iterations = derivation.parameters.ok_or(NO_PARAMETERS)?;
    cost.spend(
        Pbkdf2Params::try_from(iterations)
            .map_err(unknown_or_malformed)?
            .iteration_count,
    )?;
    if encryption.oid == pbes2::DES_EDE3_CBC_OID {
        let iv: &OctetStringRef = encryption.parameters.ok_or(NO_PARAMETERS)?.decode_as()?;
        // It takes the first eight bytes without asking whether they are there.
        if iv.as_bytes().len() != IV {
            return Err(Error::Malformed("an initialization vector has the wrong length"));
        }
    }
    pbes2::Parameters::try_from(parameters).map_err(unknown_or_malformed)
}

fn unknown_or_malformed(error: der::Error) -> Error {
    match error.kind() {
        ErrorKind::OidUnknown { oid } => Error::UnknownAlgorithm(oid),
        _ => error.into(),
    }
}
