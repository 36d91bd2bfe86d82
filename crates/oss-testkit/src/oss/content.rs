//! The stored content of a body, and its return.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::error::Refusal;
use crate::measure::{Measured, Meter};
use crate::wire::{Answer, Request, Upload};

/// The content of an object or of a part.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// `None` for a sink: nothing but the figures below is kept.
    bytes: Option<Bytes>,
    pub(super) length: usize,
    pub(super) md5: [u8; 16],
    /// CRC-64/XZ; `None` where it is not known: an object put together from parts of a sink.
    pub(super) crc64: Option<u64>,
}

impl Content {
    /// Keeps the bytes.
    pub(super) fn of(bytes: Bytes) -> Self {
        let mut meter = Meter::default();
        meter.add(&bytes);
        Self {
            bytes: Some(bytes),
            ..Self::sunk(&meter.finish())
        }
    }

    /// The content of a sink.
    fn sunk(measured: &Measured) -> Self {
        Self {
            bytes: None,
            length: measured.length,
            md5: measured.md5,
            crc64: Some(measured.crc64),
        }
    }

    /// The content of a request.
    pub(super) fn of_request(request: &Request) -> Self {
        match &request.upload {
            Upload::Sunk(measured) => Self::sunk(measured),
            _ => Self::of(request.body.clone()),
        }
    }

    /// Several contents, one after the other.
    pub(super) fn join(parts: &[&Self]) -> Self {
        let bytes: Option<Vec<&[u8]>> = parts.iter().map(|part| part.bytes.as_deref()).collect();
        match bytes {
            Some(bytes) => Self::of(bytes.concat().into()),
            None => Self {
                bytes: None,
                length: parts.iter().map(|part| part.length).sum(),
                md5: [0; 16],
                crc64: None,
            },
        }
    }

    /// A range of a content; of a sink the length alone is known.
    pub(super) fn part_of(whole: &Self, range: std::ops::Range<usize>) -> Self {
        match &whole.bytes {
            Some(bytes) => Self::of(bytes.slice(range)),
            None => Self {
                bytes: None,
                length: range.len(),
                md5: [0; 16],
                crc64: None,
            },
        }
    }

    /// The bytes; `None` for a sink.
    pub(super) fn bytes(&self) -> Option<&Bytes> {
        self.bytes.as_ref()
    }

    /// The MD5 in hexadecimal.
    pub(super) fn md5_hex(&self) -> String {
        hex(&self.md5)
    }

    /// Refuses an upload that is not what its `Content-MD5` says.
    pub(super) fn check_digest(&self, stated: Option<&str>) -> Result<(), Refusal> {
        let Some(stated) = stated else {
            return Ok(());
        };
        if STANDARD.decode(stated.trim()).ok().as_deref() == Some(self.md5.as_slice()) {
            return Ok(());
        }
        let message = "The Content-MD5 you specified is invalid.";
        Err(Refusal::new(400, "InvalidDigest", message, "")
            .field("Content-MD5", stated)
            .field("Content-MD5-Computed", &STANDARD.encode(self.md5)))
    }

    /// The headers that tell a caller what has arrived.
    pub(super) fn acknowledge(&self, answer: Answer) -> Answer {
        let answer = answer.with("content-md5", STANDARD.encode(self.md5));
        self.with_crc64(answer)
    }

    pub(super) fn with_crc64(&self, answer: Answer) -> Answer {
        match self.crc64 {
            Some(crc64) => answer.with("x-oss-hash-crc64ecma", crc64.to_string()),
            None => answer,
        }
    }

    /// Writes these bytes into a response; a sink returns zeros.
    pub(super) fn fill(&self, answer: &mut Answer, range: std::ops::Range<usize>) {
        match &self.bytes {
            Some(bytes) => answer.body = bytes.slice(range),
            None => answer.zeros = range.len(),
        }
    }
}

/// Two hexadecimal digits in upper case for each byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_references() {
        // Of RFC 1321, appendix A.5, and of the catalogue of CRC algorithms.
        for (text, md5, crc64) in [
            ("", "D41D8CD98F00B204E9800998ECF8427E", 0),
            (
                "123456789",
                "25F9E794323B453885F5181F1B624D0B",
                11_051_210_869_376_104_954,
            ),
        ] {
            let content = Content::of(Bytes::from_static(text.as_bytes()));
            assert_eq!(
                (content.md5_hex().as_str(), content.crc64),
                (md5, Some(crc64)),
                "{text}"
            );
        }
    }

    #[test]
    fn parts_of_a_sink_are_joined_by_their_lengths() {
        let part = |text: &[u8]| {
            let mut meter = Meter::default();
            meter.add(text);
            Content::sunk(&meter.finish())
        };
        let (one, two) = (part(b"abc"), part(b"defgh"));
        let joined = Content::join(&[&one, &two]);
        assert_eq!((joined.length, joined.crc64, joined.bytes()), (8, None, None));
        let kept = Content::of(Bytes::from_static(b"123456789"));
        assert_eq!(Content::join(&[&kept]).crc64, kept.crc64);
    }
}
