//! A bound on how often something happens.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Allows a burst at once, and then a number a second.
#[derive(Debug)]
pub(super) struct Limit {
    burst: f64,
    per_second: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    left: f64,
    at: Duration,
    refused: u64,
}

impl Limit {
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        Self {
            burst: burst.into(),
            per_second: per_second.into(),
            state: Mutex::new(State {
                left: burst.into(),
                at: Duration::ZERO,
                refused: 0,
            }),
        }
    }

    /// Takes one, and returns how many were refused since the last one; `None` if there is none left. `now` is a
    /// reading of a monotonic clock.
    pub(super) fn take(&self, now: Duration) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_sub(state.at).as_secs_f64();
        state.left = (state.left + passed * self.per_second).min(self.burst);
        state.at = now;
        if state.left < 1.0 {
            state.refused += 1;
            return None;
        }
        state.left -= 1.0;
        Some(std::mem::take(&mut state.refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_followed_by_a_rate() {
        let limit = Limit::new(2, 1);
        let at = Duration::from_secs;
        assert_eq!(limit.take(at(10)), Some(0));
        assert_eq!(limit.take(at(10)), Some(0));
        assert_eq!(limit.take(at(10)), None);
        assert_eq!(limit.take(at(10)), None);
        assert_eq!(limit.take(at(11)), Some(2), "two were refused meanwhile");
        assert_eq!(limit.take(at(11)), None);
        assert_eq!(limit.take(at(100)), Some(1));
    }
}
