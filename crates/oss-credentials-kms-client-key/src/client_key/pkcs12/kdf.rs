//! Keys from passwords, as RFC 7292 does it in appendix B.

use hmac::digest::block_api::BlockSizeUser;
use hmac::digest::{Digest, Output};
use zeroize::{Zeroize as _, Zeroizing};

/// What a derived key is for; the same password and salt give another one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// Fills `out` with a key. `password` is in the form of [`super::Password::bmp`].
pub(super) fn derive<H: Digest + BlockSizeUser>(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    purpose: Purpose,
    out: &mut [u8],
) {
    // The appendix calls these v, D, I, A and B.
    let block_size = H::block_size();
    let diversifier = vec![purpose as u8; block_size];
    let mut input = Zeroizing::new(Vec::with_capacity(
        padded(salt, block_size) + padded(password, block_size),
    ));
    for part in [salt, password] {
        input.extend(part.iter().cycle().take(padded(part, block_size)));
    }
    let mut digest = Output::<H>::default();
    for chunk in out.chunks_mut(<H as Digest>::output_size()) {
        H::new_with_prefix(&diversifier)
            .chain_update(input.as_slice())
            .finalize_into(&mut digest);
        for _ in 1..iterations {
            let hash = H::new_with_prefix(&digest);
            hash.finalize_into(&mut digest);
        }
        for (to, from) in chunk.iter_mut().zip(&digest) {
            *to = *from;
        }
        let term: Zeroizing<Vec<u8>> =
            Zeroizing::new(digest.iter().copied().cycle().take(block_size).collect());
        for block in input.chunks_exact_mut(block_size) {
            add_one_and(block, &term);
        }
    }
    digest.as_mut_slice().zeroize();
}

/// The length of a text that is repeated to a multiple of `block`; nothing stays nothing.
fn padded(text: &[u8], block: usize) -> usize {
    text.len().div_ceil(block) * block
}

/// `number` = `number` + `term` + 1, big-endian, without the overflow.
fn add_one_and(number: &mut [u8], term: &[u8]) {
    let mut carry = 1;
    for (digit, term) in number.iter_mut().zip(term).rev() {
        let [high, low] = (u16::from(*digit) + u16::from(*term) + carry).to_be_bytes();
        *digit = low;
        carry = u16::from(high);
    }
}
