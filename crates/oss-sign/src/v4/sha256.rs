//! SHA-256 and HMAC of a text that is there as a whole, by the library's compression function.
//!
//! Signing a request takes the hash of a few blocks and an HMAC of three. The library's hashers take text in
//! pieces and wipe their buffers, beside so few blocks a good part of the time; so what is done for each
//! request goes to the compression function itself. What is done more rarely stays with the hashers: deriving
//! keys, explaining a signature and checking one. So these two check each other.
//!
//! Standards: FIPS 180-4 (SHA-256) and RFC 2104 (HMAC).

use sha2::block_api::compress256;
use zeroize::Zeroizing;

use crate::headers::Scratch;

/// Length of a block in bytes.
const BLOCK: usize = 64;
/// Length of the number that ends the last block.
const NUMBER: usize = 8;

type State = [u32; 8];
pub(super) type Hash = [u8; 32];

/// FIPS 180-4, section 5.3.3.
const START: State = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The SHA-256 of a text.
pub(super) fn sha256(text: &[u8]) -> Hash {
    finish(START, 0, text)
}

/// The SHA-256 of a text that is not needed afterwards: it is padded in place, which saves a copy.
pub(super) fn sha256_of_scratch(text: &mut Scratch) -> Hash {
    let length = text.items().len();
    text.extend(&[0; BLOCK + NUMBER][..padded_len(length) - length]);
    pad(text.items_mut(), length, 0);
    let mut state = START;
    compress256(&mut state, text.items().as_chunks().0);
    hash(state)
}

/// The SHA-256 of `text` and what led to `state` before it: `before` bytes, whole blocks.
fn finish(mut state: State, before: usize, text: &[u8]) -> Hash {
    let (blocks, rest) = text.as_chunks();
    compress256(&mut state, blocks);
    let mut end = [[0; BLOCK]; 2];
    let length = padded_len(rest.len());
    let bytes = &mut end.as_flattened_mut()[..length];
    bytes[..rest.len()].copy_from_slice(rest);
    pad(bytes, rest.len(), before + blocks.as_flattened().len());
    compress256(&mut state, &end[..length / BLOCK]);
    hash(state)
}

/// Length of a padded text, in whole blocks.
fn padded_len(length: usize) -> usize {
    (length + 1 + NUMBER).next_multiple_of(BLOCK)
}

/// Pads a text of `length` bytes in a buffer of whole blocks whose rest is zero, by a one bit and the text's number of
/// bits (FIPS 180-4, section 5.1.1). `before` bytes of it were hashed before.
fn pad(blocks: &mut [u8], length: usize, before: usize) {
    let bits = 8 * (before + length) as u64;
    blocks[length] = 0x80;
    let number = blocks.len() - NUMBER;
    blocks[number..].copy_from_slice(&bits.to_be_bytes());
}

/// A state as bytes.
fn hash(state: State) -> Hash {
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// HMAC-SHA256 after its key. As good as the key: zeroized on drop.
pub(super) struct Keyed {
    inner: Zeroizing<State>,
    outer: Zeroizing<State>,
}

impl Keyed {
    pub(super) fn new(key: &Hash) -> Self {
        let after = |filler: u8| {
            let mut block = Zeroizing::new([filler; BLOCK]);
            block.iter_mut().zip(key).for_each(|(place, byte)| *place ^= byte);
            let mut state = Zeroizing::new(START);
            compress256(&mut state, std::slice::from_ref(&block));
            state
        };
        Self {
            inner: after(0x36),
            outer: after(0x5c),
        }
    }

    /// The HMAC of a text.
    #[cfg(any(test, feature = "post-policy"))]
    pub(super) fn mac(&self, text: &[u8]) -> Hash {
        self.finish(finish(*self.inner, BLOCK, text))
    }

    /// Takes what many texts begin with. Behind it each of them has [`LAST`] bytes.
    pub(super) fn begin(&self, text: &[u8]) -> Begun {
        let (blocks, rest) = text.as_chunks();
        let mut inner = self.inner.clone();
        compress256(&mut inner, blocks);
        let mut end = [[0; BLOCK]; 3];
        let length = padded_len(rest.len() + LAST);
        let bytes = &mut end.as_flattened_mut()[..length];
        bytes[..rest.len()].copy_from_slice(rest);
        pad(bytes, rest.len() + LAST, BLOCK + blocks.as_flattened().len());
        Begun {
            inner,
            end,
            blocks: length / BLOCK,
            last: rest.len(),
        }
    }

    /// The HMAC of a text, from its hash after the inner key.
    fn finish(&self, inner: Hash) -> Hash {
        let mut state = *self.outer;
        let mut block = [0; BLOCK];
        block[..inner.len()].copy_from_slice(&inner);
        pad(&mut block, inner.len(), BLOCK);
        compress256(&mut state, &[block]);
        hash(state)
    }
}

/// Length of what is behind the common beginning of texts: a hash in hex.
const LAST: usize = 64;

/// [`Keyed`] after the common beginning of texts; zeroized on drop like it.
pub(super) struct Begun {
    inner: Zeroizing<State>,
    /// The end of the texts, padded, with zeros in place of the part that they do not have in common.
    end: [[u8; BLOCK]; 3],
    /// How many blocks of it there are.
    blocks: usize,
    /// The place of that part in it.
    last: usize,
}

impl Begun {
    /// The HMAC of the beginning and `last`. `key` is what it was begun with.
    pub(super) fn mac(&self, key: &Keyed, last: &[u8; LAST]) -> Hash {
        let mut state = *self.inner;
        let mut end = self.end;
        end.as_flattened_mut()[self.last..self.last + LAST].copy_from_slice(last);
        compress256(&mut state, &end[..self.blocks]);
        key.finish(hash(state))
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Digest, Sha256};

    use super::*;

    /// Bytes of which no two neighbors are alike.
    fn text(length: usize) -> Vec<u8> {
        (0..=250).cycle().step_by(7).take(length).collect()
    }

    fn key() -> Hash {
        text(32).try_into().unwrap()
    }

    fn library(key: &Hash, text: &[u8]) -> Hash {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text);
        mac.finalize().into_bytes().into()
    }

    /// FIPS 180-2, appendices B.1 and B.2.
    #[test]
    fn known_hashes() {
        let hex = |text: &[u8]| {
            crate::v4::key::hex(&sha256(text))
                .map(char::from)
                .iter()
                .collect::<String>()
        };
        assert_eq!(
            hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }

    #[test]
    fn texts_of_every_length_hash_like_the_library() {
        for length in (0..=260).chain(1000..=1100) {
            let text = text(length);
            let expected = Hash::from(Sha256::digest(&text));
            assert_eq!(sha256(&text), expected, "{length}");
            let mut scratch = Scratch::new();
            scratch.extend(&text);
            assert_eq!(sha256_of_scratch(&mut scratch), expected, "{length} in place");
        }
    }

    #[test]
    fn macs_of_every_length_are_those_of_the_library() {
        let key = key();
        let keyed = Keyed::new(&key);
        for length in 0..=260 {
            let text = text(length);
            assert_eq!(keyed.mac(&text), library(&key, &text), "{length}");
        }
    }

    #[test]
    fn a_beginning_can_be_taken_once_for_many_texts() {
        let key = key();
        let keyed = Keyed::new(&key);
        for length in 0..=200 {
            let begun = keyed.begin(&text(length));
            for last in [[b'a'; LAST], [b'0'; LAST]] {
                let whole = [text(length), last.to_vec()].concat();
                assert_eq!(begun.mac(&keyed, &last), library(&key, &whole), "{length}");
            }
        }
    }
}
