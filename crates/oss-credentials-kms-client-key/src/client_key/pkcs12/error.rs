//! Why a PKCS#12 file was not opened.

use std::fmt;

use der::asn1::ObjectIdentifier;

use super::cost;

/// Why a file was not opened. Texts contain nothing of the file except algorithm identifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client_key) enum Error {
    /// It is not a PKCS#12, or a part of it is broken.
    Malformed(&'static str),
    /// It has no MAC, which protects it against changes.
    NoMac,
    /// The MAC differs: the password or a byte of the file is wrong, and the two cannot be distinguished.
    WrongPassword,
    /// The file asks for more iterations than any real one.
    TooManyIterations,
    /// An algorithm or kind of content that is required to read the file.
    UnknownAlgorithm(ObjectIdentifier),
    /// Everything could be read, and there was no key.
    NoKey,
    /// There is a key, but of a kind that KMS does not issue.
    UnsupportedKey(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(part) => f.write_str(part),
            Self::NoMac => f.write_str("it has no MAC"),
            Self::WrongPassword => f.write_str("its MAC differs"),
            Self::TooManyIterations => write!(
                f,
                "it specifies more than {} iterations in all",
                cost::MAX_ITERATIONS
            ),
            Self::UnknownAlgorithm(algorithm) => write!(f, "it uses {algorithm}, which is not supported"),
            Self::NoKey => f.write_str("there is no private key in it"),
            Self::UnsupportedKey(reason) => f.write_str(reason),
        }
    }
}

impl From<der::Error> for Error {
    fn from(_: der::Error) -> Self {
        Self::Malformed("a part of it is not valid DER")
    }
}
