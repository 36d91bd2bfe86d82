//! The error of V1 alone.

use crate::SignError;
use crate::error::shown;

pub(super) fn ambiguous(part: &'static str, text: &[u8]) -> SignError {
    SignError::AmbiguousResource {
        part,
        text: shown(text),
    }
}
