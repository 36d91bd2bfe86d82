//! What the body of a response has to be: its length, and its CRC-64.

use http::HeaderName;
use oss_credentials_http::{HttpError, HttpErrorKind};

use crate::error::{CorruptionError, Error, TransportError};
use crate::request_context::RequestContext;

pub(crate) const CRC64: HeaderName = HeaderName::from_static("x-oss-hash-crc64ecma");

/// What of a response's body is known before it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// How many bytes it has.
    pub(crate) length: Option<u64>,
    /// Its CRC-64/XZ.
    pub(crate) crc: Option<u64>,
}

/// What the body has to be.
pub(crate) struct Check {
    pub(crate) expected: Expected,
    received: u64,
    digest: crate::crc::Digest,
    request_id: Option<String>,
}

impl Check {
    pub(crate) fn new(expected: Expected, request_id: Option<&str>) -> Self {
        Self {
            expected,
            received: 0,
            digest: crate::crc::Digest::new(),
            request_id: request_id.map(str::to_owned),
        }
    }

    /// Takes a piece; an error if there are more bytes than expected.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<(), HttpError> {
        let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.received = self.received.saturating_add(bytes);
        if self.expected.crc.is_some() {
            self.digest.write(piece);
        }
        match self.expected.length {
            Some(length) if self.received > length => {
                let what = format!("the body has more than the {length} bytes that were announced");
                Err(HttpError::new(HttpErrorKind::Other, what))
            }
            _ => Ok(()),
        }
    }

    /// What the end of the body says.
    pub(crate) fn end(self, context: RequestContext) -> Option<Error> {
        match self.expected.length {
            Some(length) if self.received < length => {
                let what = format!("the body ended after {} of {length} bytes", self.received);
                let error = HttpError::new(HttpErrorKind::Interrupted, what);
                return Some(Error::Transport(Box::new(TransportError::new(context, error))));
            }
            _ => {}
        }
        let (stored, received) = (self.expected.crc?, self.digest.sum64());
        (received != stored).then(|| {
            let error = CorruptionError::received(context, received, stored, self.request_id);
            Error::Corrupted(Box::new(error))
        })
    }
}
