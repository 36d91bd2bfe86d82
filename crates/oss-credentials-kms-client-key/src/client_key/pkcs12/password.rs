//! The password in the two forms that the file's algorithms want.

use zeroize::Zeroizing;

pub(super) struct Password {
    utf8: Zeroizing<String>,
    /// Big-endian UTF-16 with two zero bytes at the end (RFC 7292, B.1).
    bmp: Zeroizing<Vec<u8>>,
}

impl Password {
    pub(super) fn new(password: &str) -> Self {
        // Room for all of it: growing would leave copies behind.
        let mut bmp = Zeroizing::new(Vec::with_capacity(2 * password.len() + 2));
        for unit in password.encode_utf16().chain([0]) {
            bmp.extend_from_slice(&unit.to_be_bytes());
        }
        Self {
            utf8: Zeroizing::new(password.to_owned()),
            bmp,
        }
    }

    /// For PBES2.
    pub(super) fn utf8(&self) -> &[u8] {
        self.utf8.as_bytes()
    }

    /// For the MAC and the older schemes.
    pub(super) fn bmp(&self) -> &[u8] {
        &self.bmp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_schemes_take_two_bytes_per_character_and_an_end() {
        // The example of RFC 7292, B.1.
        assert_eq!(
            Password::new("Beavis").bmp(),
            [0, 0x42, 0, 0x65, 0, 0x61, 0, 0x76, 0, 0x69, 0, 0x73, 0, 0]
        );
        assert_eq!(Password::new("密").bmp(), [0x5b, 0xc6, 0, 0]);
        assert_eq!(Password::new("密").utf8(), "密".as_bytes());
    }
}
