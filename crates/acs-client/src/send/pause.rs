//! Backoff before a retry.

use std::time::Duration;

use oss_credentials_core::entropy;

/// First backoff of a call, before the jitter; doubled for the next.
const FIRST: Duration = Duration::from_millis(400);
/// Longest backoff. If a service asks for more, there is no retry: the caller backs off anyway.
const LONGEST: Duration = Duration::from_secs(5);

/// How long to wait before retry number `repeat` (from 0); `None` if the service asks for more time than a
/// call should take.
pub(super) fn pause(repeat: u32, asked: Option<Duration>) -> Option<Duration> {
    if let Some(asked) = asked.filter(|asked| !asked.is_zero()) {
        // Callers that got the same response should not return at the same moment.
        return (asked <= LONGEST).then(|| asked.saturating_add(asked.mul_f64(entropy::fraction() / 10.0)));
    }
    let full = FIRST.saturating_mul(2_u32.saturating_pow(repeat)).min(LONGEST);
    Some(full / 2 + (full / 2).mul_f64(entropy::fraction()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_spread() {
        let pauses: Vec<_> = (0..200).filter_map(|_| pause(0, None)).collect();
        assert!(
            pauses.iter().all(|p| (200..400).contains(&p.as_millis())),
            "{pauses:?}"
        );
        assert!(pauses.iter().min().unwrap().as_millis() < 250);
        assert!(pauses.iter().max().unwrap().as_millis() > 350);
        assert!((400..800).contains(&pause(1, None).unwrap().as_millis()));
        assert!(pause(40, None).unwrap() <= LONGEST);
    }

    #[test]
    fn what_the_service_asks_for_is_waited_if_it_is_sane() {
        let asked = Duration::from_secs(2);
        let waited = pause(0, Some(asked)).unwrap();
        assert!(
            waited >= asked && waited < Duration::from_millis(2200),
            "{waited:?}"
        );
        assert!(pause(0, Some(Duration::ZERO)).unwrap() >= Duration::from_millis(200));
        assert_eq!(pause(0, Some(Duration::from_secs(6))), None);
        assert_eq!(pause(0, Some(Duration::MAX)), None);
    }
}
