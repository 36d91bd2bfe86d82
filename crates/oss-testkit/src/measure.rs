//! Length and checksums of bytes that are not kept.

use md5::{Digest as _, Md5};

/// The measurements of bytes that are not kept.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) length: usize,
    pub(crate) md5: [u8; 16],
    /// CRC-64/XZ.
    pub(crate) crc64: u64,
}

/// Measures bytes that pass by.
#[derive(Default)]
pub(crate) struct Meter {
    length: usize,
    md5: Md5,
    crc64: crc64fast::Digest,
}

impl Meter {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        self.md5.update(bytes);
        self.crc64.write(bytes);
    }

    pub(crate) fn finish(self) -> Measured {
        Measured {
            length: self.length,
            md5: self.md5.finalize().into(),
            crc64: self.crc64.sum64(),
        }
    }
}
