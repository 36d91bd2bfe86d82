//! Waits between passes over the regions, and the random part of times.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::entropy;

/// A source of fractions from 0 up to 1.
#[derive(Clone)]
pub(crate) struct Random(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Random {
    pub(crate) fn new(fraction: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(fraction))
    }

    /// At least 0 and at most 1, regardless of the closure.
    fn fraction(&self) -> f64 {
        let fraction = (self.0)();
        if fraction.is_nan() {
            0.0
        } else {
            fraction.clamp(0.0, 1.0)
        }
    }

    /// A random part of a duration.
    pub(crate) fn part_of(&self, whole: Duration) -> Duration {
        whole.mul_f64(self.fraction())
    }

    /// The duration, half of it less to half of it more.
    pub(crate) fn around(&self, middle: Duration) -> Duration {
        middle / 2 + self.part_of(middle)
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new(entropy::fraction)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_random_part_is_spread_and_bounded() {
        let second = Duration::from_secs(1);
        let pauses: Vec<_> = (0..200).map(|_| Random::default().around(second)).collect();
        assert!(
            pauses.iter().all(|p| (500..1500).contains(&p.as_millis())),
            "{pauses:?}"
        );
        assert!(pauses.iter().min().unwrap().as_millis() < 600);
        assert!(pauses.iter().max().unwrap().as_millis() > 1400);
        for (fraction, expected) in [(f64::NAN, 500), (-3.0, 500), (9.0, 1500), (0.5, 1000)] {
            assert_eq!(Random::new(move || fraction).around(second).as_millis(), expected);
        }
    }
}
