//! Unpredictable enough for jitter and for nonces. Not for keys.

use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// 64 bits that no two calls in this process, and no two processes, are likely to share.
///
/// The standard library seeds `RandomState` from the operating system; using it spares the whole family a
/// random-number dependency.
fn word() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(CALLS.fetch_add(1, Ordering::Relaxed));
    hasher.finish()
}

/// A fraction, at least 0 and less than 1.
pub(crate) fn fraction() -> f64 {
    // 53 bits are what an f64 holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "both numbers fit the mantissa")]
    let fraction = (word() >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

/// A value to be used once: 32 hexadecimal digits of entropy and a counter that never repeats in a process.
///
/// Alibaba Cloud's RPC and ACS3 signatures want one per request, also on a retry.
///
/// ```
/// let nonce = oss_credentials_core::nonce();
/// assert!(nonce.len() > 32);
/// assert_ne!(nonce, oss_credentials_core::nonce());
/// ```
pub fn nonce() -> String {
    let mut nonce = String::with_capacity(48);
    let count = CALLS.fetch_add(1, Ordering::Relaxed);
    // Writing to a String cannot fail.
    let _ = write!(nonce, "{:016x}{:016x}{count:x}", word(), word());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nonces_do_not_repeat_and_fractions_stay_in_range() {
        let nonces: HashSet<String> = (0..10_000).map(|_| nonce()).collect();
        assert_eq!(nonces.len(), 10_000);
        let fractions: Vec<f64> = (0..10_000).map(|_| fraction()).collect();
        assert!(fractions.iter().all(|f| (0.0..1.0).contains(f)));
        let mean = fractions.iter().sum::<f64>() / 10_000.0;
        assert!((0.45..0.55).contains(&mean), "not spread evenly: {mean}");
    }
}
