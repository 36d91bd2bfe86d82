//! Values that are unpredictable enough for jitter and for nonces, but not for keys.

use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Returns 64 bits that no two calls in this process, and no two processes, are likely to share.
///
/// The standard library seeds `RandomState` from the operating system; using it saves the whole family a
/// random-number dependency.
fn word() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(CALLS.fetch_add(1, Ordering::Relaxed));
    hasher.finish()
}

/// Returns a random fraction, at least 0 and less than 1, for jitter: it spreads the retries of many processes over
/// time. Do not use it for keys.
///
/// wasm32-unknown-unknown has no randomness, so every instance of the program draws the same sequence there. This is
/// acceptable for jitter, and nothing else should depend on it.
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::entropy;
///
/// // Full jitter: wait a random part of the pause.
/// let pause = Duration::from_secs(4).mul_f64(entropy::fraction());
/// assert!(pause < Duration::from_secs(4));
/// ```
pub fn fraction() -> f64 {
    // 53 bits are what an f64 holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "both numbers fit the mantissa")]
    let fraction = (word() >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

/// Whether the standard library seeds `RandomState` in each process. Without an operating system, its keys are fixed.
const IS_SEEDED: bool = !cfg!(all(target_family = "wasm", target_os = "unknown"));

/// This target, such as wasm32-unknown-unknown, has no source of randomness: every instance of the program would
/// generate the same nonces, and a service refuses a nonce that it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this target has no source of randomness, so a nonce would repeat; make one with the host's randomness and pass it to the signer")
    }
}

impl std::error::Error for NoEntropy {}

/// Returns a value to be used once, as [`nonce`] does, on every target.
///
/// # Errors
///
/// [`NoEntropy`] on wasm32-unknown-unknown, where the standard library has no randomness. Signers accept any
/// nonce: generate one there with the host's randomness, such as `crypto.randomUUID()`.
///
/// ```
/// assert!(oss_credentials_core::try_nonce()?.len() > 32);
/// # Ok::<(), oss_credentials_core::NoEntropy>(())
/// ```
pub fn try_nonce() -> Result<String, NoEntropy> {
    made(IS_SEEDED)
}

fn made(is_seeded: bool) -> Result<String, NoEntropy> {
    if !is_seeded {
        return Err(NoEntropy);
    }
    let mut nonce = String::with_capacity(48);
    let count = CALLS.fetch_add(1, Ordering::Relaxed);
    // Writing to a String cannot fail.
    let _ = write!(nonce, "{:016x}{:016x}{count:x}", word(), word());
    Ok(nonce)
}

/// Returns a value to be used once: 32 hexadecimal digits of entropy and a counter that never repeats in a process.
///
/// Alibaba Cloud's RPC and ACS3 signatures require one per request, also on a retry. Not available on
/// wasm32-unknown-unknown; see [`try_nonce`].
///
/// ```
/// let nonce = oss_credentials_core::nonce();
/// assert!(nonce.len() > 32);
/// assert_ne!(nonce, oss_credentials_core::nonce());
/// ```
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub fn nonce() -> String {
    made(true).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_target_without_entropy_gets_an_error_and_no_nonce() {
        assert_eq!(made(false), Err(NoEntropy));
        assert_ne!(made(true), made(true));
        // Documented: 32 hexadecimal digits and a counter.
        let (first, second) = (try_nonce().unwrap(), try_nonce().unwrap());
        assert!(
            first.len() > 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{first}"
        );
        assert_ne!(first, second);
        // This is where tests run.
        const { assert!(IS_SEEDED) };
        assert!(NoEntropy.to_string().contains("no source of randomness"));
    }

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
