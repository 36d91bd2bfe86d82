//! CRC-64/XZ: of bytes, and of a whole from those of its parts.

/// The CRC-64 of bytes that arrive in pieces.
#[derive(Clone)]
pub(crate) struct Digest(Implementation);

#[cfg(not(feature = "fast-crc"))]
type Implementation = crc64fast::Digest;
#[cfg(feature = "fast-crc")]
type Implementation = crc_fast::Digest;

#[cfg(not(feature = "fast-crc"))]
impl Digest {
    pub(crate) fn new() -> Self {
        Self(Implementation::new())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(crate) fn sum64(&self) -> u64 {
        self.0.sum64()
    }
}

#[cfg(feature = "fast-crc")]
impl Digest {
    pub(crate) fn new() -> Self {
        Self(Implementation::new(crc_fast::CrcAlgorithm::Crc64Xz))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn sum64(&self) -> u64 {
        self.0.finalize()
    }
}

/// The polynomial of CRC-64/XZ, with the lowest coefficient in the highest bit: `CRC-64/XZ` in the catalogue of
/// parametrised CRC algorithms, `x-oss-hash-crc64ecma` of the service.
const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;
/// The polynomial `1`, and `x` to the power of 8.
const ONE: u64 = 1 << 63;
const ONE_BYTE: u64 = ONE >> 8;

/// The CRC-64/XZ of two consecutive pieces, where the second one has this length in bytes.
///
/// The CRC of a piece is a remainder modulo the polynomial, so bytes that follow multiply it by a power of `x`. The
/// values that this CRC adds at the beginning and at the end are the same and cancel out.
pub(crate) fn combined(first: u64, second: u64, length: u64) -> u64 {
    product(first, power(length)) ^ second
}

/// `x` to the power of eight times `bytes`.
fn power(mut bytes: u64) -> u64 {
    let (mut result, mut square) = (ONE, ONE_BYTE);
    while bytes > 0 {
        if bytes & 1 == 1 {
            result = product(result, square);
        }
        square = product(square, square);
        bytes >>= 1;
    }
    result
}

fn product(first: u64, mut second: u64) -> u64 {
    let mut result = 0;
    for at in (0..u64::BITS).rev() {
        if (first >> at) & 1 == 1 {
            result ^= second;
        }
        let carry = second & 1;
        second = (second >> 1) ^ (carry * POLYNOMIAL);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crc(bytes: &[u8]) -> u64 {
        let mut digest = Digest::new();
        digest.write(bytes);
        digest.sum64()
    }

    #[test]
    fn the_parts_have_the_crc_of_the_whole() {
        // The check value of the catalogue for `123456789`.
        assert_eq!(combined(crc(b"1234"), crc(b"56789"), 5), 0x995d_c9bb_df19_39fa);
        let whole: Vec<u8> = (0..70_000_u32)
            .map(|at| (at ^ (at >> 8)).to_le_bytes()[0])
            .collect();
        for middle in [0, 1, 2, 7, 8, 255, 256, 65_535, 69_999, 70_000] {
            let (first, second) = whole.split_at(middle);
            let length = second.len() as u64;
            assert_eq!(combined(crc(first), crc(second), length), crc(&whole), "{middle}");
        }
    }
}
