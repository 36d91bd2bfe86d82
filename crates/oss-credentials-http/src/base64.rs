//! The base64 form of a secret, to find it in a text.

use zeroize::Zeroizing;

/// Bits of one character.
const BITS: usize = 6;

/// Returns the letters and digits, in lower case, that every base64 text (RFC 4648, either alphabet) contains if the
/// secret begins `before` bytes (modulo 3) after the start. Characters that also depend on other bytes are left out.
pub(super) fn letters_and_digits(secret: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    let first = (8 * before).div_ceil(BITS);
    let end = 8 * (before + secret.len()) / BITS;
    let byte = |at: usize| {
        at.checked_sub(before)
            .and_then(|at| secret.get(at))
            .copied()
            .unwrap_or_default()
    };
    // As large as it can become: growing would leave copies in memory.
    let mut letters = Zeroizing::new(Vec::with_capacity(end.saturating_sub(first)));
    letters.extend((first..end).filter_map(|at| {
        let (start, offset) = (BITS * at / 8, BITS * at % 8);
        let pair = u16::from_be_bytes([byte(start), byte(start + 1)]);
        character(pair >> (16 - BITS - offset) & 0x3f)
    }));
    letters
}

/// `None` for the two characters in which the alphabets differ.
fn character(value: u16) -> Option<u8> {
    let value = u8::try_from(value).ok()?;
    Some(match value {
        0..26 => b'a' + value,
        26..52 => b'a' + (value - 26),
        52..62 => b'0' + (value - 52),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(secret: &str, before: usize) -> String {
        String::from_utf8(letters_and_digits(secret.as_bytes(), before).to_vec()).unwrap()
    }

    /// By coreutils' `base64`, of the secret, of `xcanary?>Secret` and of `xycanary?>Secret`.
    #[test]
    fn the_characters_are_those_of_the_secret_alone() {
        // Y2FuYXJ5Pz5TZWNyZXQ=
        assert_eq!(letters("canary?>Secret", 0), "y2fuyxj5pz5tzwnyzx");
        // eGNhbmFyeT8+U2VjcmV0
        assert_eq!(letters("canary?>Secret", 1), "nhbmfyet8u2vjcmv0");
        // eHljYW5hcnk/PlNlY3JldA==
        assert_eq!(letters("canary?>Secret", 2), "jyw5hcnkplnly3jld");
        assert_eq!(letters("", 2), "");
    }
}
