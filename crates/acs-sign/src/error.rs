//! Why a request cannot be signed.

use std::error::Error;
use std::fmt;

/// Why a request was not signed. Texts contain names, never values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// The request already has a parameter or header that the signer sets.
    Reserved {
        /// Its name in the request.
        name: String,
    },
    /// A name or value contains a character that would break the signed text or the header block.
    InvalidValue {
        /// Which part of the request.
        name: String,
    },
    /// The request lacks a header that the caller sets: `x-acs-action` or `x-acs-version`.
    MissingHeader {
        /// The missing header.
        name: String,
    },
    /// The time has no four-digit year.
    InvalidTime,
    /// No nonce can be generated on this target: see `NoEntropy` of `oss-credentials-core`.
    NoNonce,
    /// The RPC signature covers only form fields, and the request has another body.
    UnsupportedBody,
    /// The signer of a client key could not sign.
    Signer {
        /// Why, without any part of the key.
        reason: String,
    },
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved { name } => {
                write!(
                    f,
                    "acs-sign: the request already has {name:?}; leave it to the signer"
                )
            }
            Self::InvalidValue { name } => write!(
                f,
                "acs-sign: {name:?} is empty or contains a character that cannot be signed; remove it"
            ),
            Self::MissingHeader { name } => write!(
                f,
                "acs-sign: the request has no header {name}; set it to the action or version of the product's API"
            ),
            Self::InvalidTime => {
                f.write_str("acs-sign: the signing time is outside the years 0 to 9999; check the clock")
            }
            Self::NoNonce => f.write_str(
                "acs-sign: this target has no source of randomness for a nonce; sign with your own nonce",
            ),
            Self::Signer { reason } => {
                write!(
                    f,
                    "acs-sign: the client key cannot sign: {reason}; check the key file and its signer"
                )
            }
            Self::UnsupportedBody => f.write_str(
                "acs-sign: an rpc signature covers form fields only, and the request has another body; \
                 pass the body as form fields or sign with acs3",
            ),
        }
    }
}

impl Error for SignError {}
