//! A limit on calls per period, and the backoff after the service throttled one.

use std::time::Duration;

/// The backoff after a throttled call; doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest backoff after a throttled call.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many calls are allowed: some at once, and then one per interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) interval: Duration,
}

impl Rate {
    /// Creates a limit of `calls` in each period of `per`, which may all be made at once. At least one call is allowed.
    pub(crate) fn new(calls: u32, per: Duration) -> Self {
        let calls = calls.max(1);
        Self {
            burst: calls,
            interval: per / calls,
        }
    }
}

/// The state of a limit. Calls reserve their turn in advance, so those that wait are served in order.
///
/// Times are readings of a monotonic clock.
#[derive(Debug)]
pub(crate) struct Allowance {
    rate: Option<Rate>,
    /// When the next call would be due if calls were spread evenly (the generic cell rate algorithm).
    due: Duration,
    /// No call begins before this: the service has throttled one.
    not_before: Duration,
    /// How many calls in a row were throttled.
    pauses: u32,
    /// How long the queue has stood still in all pauses together.
    held: Duration,
}

impl Allowance {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            due: Duration::ZERO,
            not_before: Duration::ZERO,
            pauses: 0,
            held: Duration::ZERO,
        }
    }

    /// How long a call would have to wait that came now.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        let turn = match self.rate {
            None => Duration::ZERO,
            // The burst is what a call may be early by.
            Some(rate) => self
                .due
                .saturating_sub(rate.interval.saturating_mul(rate.burst.saturating_sub(1))),
        };
        turn.saturating_sub(now).max(self.pause(now))
    }

    /// How long the service's throttling lasts from now.
    pub(crate) fn pause(&self, now: Duration) -> Duration {
        self.not_before.saturating_sub(now)
    }

    /// Takes the turn that [`Allowance::wait`] returned.
    pub(crate) fn take(&mut self, now: Duration) {
        if let Some(rate) = self.rate {
            let start = now + self.wait(now);
            self.due = self.due.max(start).saturating_add(rate.interval);
        }
    }

    /// The total duration of all backoff: a call that waits for its turn waits longer by what is added meanwhile.
    pub(crate) fn held(&self) -> Duration {
        self.held
    }

    /// The service throttled a call. Calls that were in progress at the same time lengthen the backoff only once. Those that
    /// wait for their turn are delayed by it, so that they do not all begin at its end.
    pub(crate) fn throttled(&mut self, now: Duration) {
        if now < self.not_before {
            return;
        }
        let pause = FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(self.pauses))
            .min(LONGEST_PAUSE);
        self.not_before = now.saturating_add(pause);
        self.due = self.due.saturating_add(pause);
        self.held = self.held.saturating_add(pause);
        self.pauses = self.pauses.saturating_add(1);
    }

    pub(crate) fn succeeded(&mut self) {
        self.pauses = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn taken(allowance: &mut Allowance, now: Duration) -> Duration {
        let wait = allowance.wait(now);
        allowance.take(now);
        wait
    }

    #[test]
    fn a_burst_passes_and_the_rest_is_spread() {
        let mut allowance = Allowance::new(Some(Rate::new(2, SECOND)));
        let now = Duration::from_secs(100);
        let waits: Vec<_> = (0..5).map(|_| taken(&mut allowance, now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500, 1000, 1500]);
        // What nobody used is not saved up beyond the burst.
        let later = now + Duration::from_secs(60);
        let waits: Vec<_> = (0..3).map(|_| taken(&mut allowance, later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500]);
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let mut allowance = Allowance::new(None);
        assert!((0..1000).all(|_| taken(&mut allowance, SECOND).is_zero()));
    }

    #[test]
    fn pauses_double_once_per_round_and_end_with_a_success() {
        let mut allowance = Allowance::new(None);
        let mut now = SECOND;
        let mut pauses = Vec::new();
        for _ in 0..7 {
            allowance.throttled(now);
            allowance.throttled(now + Duration::from_millis(1));
            let pause = allowance.wait(now);
            pauses.push(pause.as_secs());
            now += pause;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        allowance.succeeded();
        allowance.throttled(now);
        assert_eq!(allowance.wait(now), SECOND);
    }

    #[test]
    fn a_limit_of_nothing_allows_one() {
        assert_eq!(Rate::new(0, SECOND).burst, 1);
    }
}
