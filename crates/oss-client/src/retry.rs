//! Which failures are retried, and when.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// Maximum number of requests, including the first.
///
/// This and the two delays are those that the vendor's guide states for its Python SDK V2.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
/// The base of the backoff before the second attempt.
pub const DEFAULT_BASE_DELAY: Duration = Duration::from_millis(200);
/// Longest backoff between two attempts.
pub const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(20);

/// A failed attempt, as a [`RetryPolicy`] sees it.
#[derive(Debug)]
pub struct FailedAttempt<'a> {
    operation: &'a str,
    error: &'a Error,
    number: u32,
}

impl<'a> FailedAttempt<'a> {
    pub(crate) fn new(operation: &'a str, error: &'a Error, number: u32) -> Self {
        Self {
            operation,
            error,
            number,
        }
    }

    /// Returns the name of the operation, such as `GetObject`.
    pub fn operation(&self) -> &str {
        self.operation
    }

    /// Returns why it failed. [`Error::is_retryable`] returns whether the official clients would retry.
    pub fn error(&self) -> &Error {
        self.error
    }

    /// Returns how many attempts there were, including this one: 1 after the first.
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// Decides which failures are retried.
///
/// It is called after a failed attempt whose body can be sent again. It is not called for a rejected key or a wrong
/// clock the first time: those are corrected and retried at once.
///
/// The client does not know whether an operation may be repeated safely, and the policies of this crate do
/// not consider it, like those of the official clients: a `PUT` whose response was lost is sent again.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_client::{FailedAttempt, RetryPolicy};
///
/// /// Never repeats an append, and everything else twice.
/// #[derive(Debug)]
/// struct Careful;
///
/// impl RetryPolicy for Careful {
///     fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration> {
///         let again = failed.error().is_retryable() && failed.operation() != "AppendObject" && failed.number() < 3;
///         again.then_some(Duration::from_millis(100))
///     }
/// }
/// # let _ = oss_client::Client::builder().retry(Careful);
/// ```
pub trait RetryPolicy: fmt::Debug + Send + Sync + 'static {
    /// Returns how long to wait before the next attempt; `None` ends the operation with this error.
    fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration>;
}

impl<T: RetryPolicy + ?Sized> RetryPolicy for Arc<T> {
    fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration> {
        (**self).delay(failed)
    }
}

impl<T: RetryPolicy + ?Sized> RetryPolicy for Box<T> {
    fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration> {
        (**self).delay(failed)
    }
}

/// Retries [retryable](Error::is_retryable) failures after a random part of a backoff that doubles. This is the
/// default.
///
/// Before attempt `n + 1` it waits for a random part, from nothing to all, of `base_delay × 2ⁿ`, at most
/// `max_delay` ("full jitter", as observed from the vendor's Python SDK V2): up to 0.4 seconds before the second
/// attempt, up to 0.8 before the third. A response's `Retry-After` does not count.
///
/// # Examples
///
/// ```
/// use oss_client::{Client, StandardRetry};
///
/// let builder = Client::builder().retry(StandardRetry::new().max_attempts(5));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct StandardRetry {
    max_attempts: u32,
    base_delay: Duration,
    max_delay: Duration,
}

impl StandardRetry {
    /// Creates a policy with three attempts and a base delay of 0.2 seconds, at most 20 seconds.
    pub fn new() -> Self {
        Self {
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            base_delay: DEFAULT_BASE_DELAY,
            max_delay: DEFAULT_MAX_DELAY,
        }
    }

    /// Sets the maximum number of requests, including the first; 0 and 1 mean once. Default: 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the base delay: half of the longest backoff before the second attempt. Default: 0.2 seconds.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// Sets the longest backoff between two attempts. Default: 20 seconds.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// The longest backoff after this many attempts.
    fn ceiling(&self, attempts: u32) -> Duration {
        let factor = 2_u32.checked_pow(attempts).unwrap_or(u32::MAX);
        self.base_delay.saturating_mul(factor).min(self.max_delay)
    }
}

impl Default for StandardRetry {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryPolicy for StandardRetry {
    fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration> {
        let again = failed.number < self.max_attempts && failed.error.is_retryable();
        again.then(|| part_of(self.ceiling(failed.number), random()))
    }
}

/// Retries [retryable](Error::is_retryable) failures, always after the same delay.
#[derive(Clone, Debug)]
pub struct FixedDelay {
    max_attempts: u32,
    delay: Duration,
}

impl FixedDelay {
    /// Creates a policy with a maximum number of requests, including the first, and the delay between them.
    pub fn new(max_attempts: u32, delay: Duration) -> Self {
        Self { max_attempts, delay }
    }
}

impl RetryPolicy for FixedDelay {
    fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration> {
        let again = failed.number < self.max_attempts && failed.error.is_retryable();
        again.then_some(self.delay)
    }
}

/// Never retries.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRetry;

impl RetryPolicy for NoRetry {
    fn delay(&self, _: &FailedAttempt<'_>) -> Option<Duration> {
        None
    }
}

/// A [`RetryPolicy`] in one expression.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_client::{Client, retry_fn};
///
/// let only_busy = retry_fn(|failed| {
///     let busy = failed.error().code() == Some("ServiceUnavailable") && failed.number() < 10;
///     busy.then_some(Duration::from_secs(1))
/// });
/// let builder = Client::builder().retry(only_busy);
/// ```
pub fn retry_fn<F>(delay: F) -> impl RetryPolicy
where
    F: Fn(&FailedAttempt<'_>) -> Option<Duration> + Send + Sync + 'static,
{
    FromFn(delay)
}

struct FromFn<F>(F);

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("retry_fn")
    }
}

impl<F> RetryPolicy for FromFn<F>
where
    F: Fn(&FailedAttempt<'_>) -> Option<Duration> + Send + Sync + 'static,
{
    fn delay(&self, failed: &FailedAttempt<'_>) -> Option<Duration> {
        (self.0)(failed)
    }
}

/// 32 bits that no two calls are likely to share: the standard library gives each state a new seed.
fn random() -> u32 {
    let word = RandomState::new().hash_one(0_u8);
    u32::try_from(word >> 32).unwrap_or_default()
}

/// `part` in 2³² of a duration.
fn part_of(whole: Duration, part: u32) -> Duration {
    let nanos = whole.as_nanos().saturating_mul(u128::from(part)) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::InvalidInput;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_longest_pause_doubles_up_to_its_limit() {
        let standard = StandardRetry::new();
        for (attempts, ms) in [
            (1, 400),
            (2, 800),
            (3, 1_600),
            (6, 12_800),
            (7, 20_000),
            (32, 20_000),
            (u32::MAX, 20_000),
        ] {
            assert_eq!(standard.ceiling(attempts), ms * MS, "{attempts}");
        }
        let long = StandardRetry::new()
            .base_delay(Duration::MAX)
            .max_delay(Duration::MAX);
        assert_eq!(long.ceiling(40), Duration::MAX);
    }

    #[test]
    fn pauses_are_spread_from_nothing_to_the_longest() {
        assert_eq!(part_of(400 * MS, 0), Duration::ZERO);
        assert_eq!(part_of(400 * MS, 1 << 31), 200 * MS);
        assert!(part_of(400 * MS, u32::MAX) < 400 * MS);
        let parts: Vec<f64> = (0..2_000)
            .map(|_| f64::from(random()) / 4_294_967_296.0)
            .collect();
        let mean = parts.iter().sum::<f64>() / 2_000.0;
        assert!((0.45..0.55).contains(&mean), "not spread evenly: {mean}");
        for tenth in 0..10_i32 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let inside = parts.iter().filter(|part| (from..to).contains(*part)).count();
            assert!(inside > 100, "{inside} of 2000 from {from} to {to}");
        }
    }

    #[test]
    fn what_cannot_succeed_is_not_repeated_and_attempts_are_counted() {
        let broken = Error::InvalidInput(InvalidInput::new("a", "b"));
        let failed = |number| FailedAttempt::new("GetObject", &broken, number);
        let patient = StandardRetry::new().max_attempts(9);
        assert_eq!(patient.delay(&failed(1)), None);
        assert_eq!(FixedDelay::new(9, MS).delay(&failed(1)), None);
        let stubborn = retry_fn(|failed| (failed.number() < 4).then_some(failed.number() * MS));
        assert_eq!(stubborn.delay(&failed(3)), Some(3 * MS));
        assert_eq!(stubborn.delay(&failed(4)), None);
        assert_eq!(NoRetry.delay(&failed(1)), None);
    }

    #[test]
    fn a_policy_behind_a_pointer_decides_as_it_does_itself() {
        let broken = Error::InvalidInput(InvalidInput::new("a", "b"));
        let failed = |number| FailedAttempt::new("GetObject", &broken, number);
        let policy = || retry_fn(|failed| (failed.number() < 4).then_some(5 * MS));
        let shared: Arc<dyn RetryPolicy> = Arc::new(policy());
        let boxed: Box<dyn RetryPolicy> = Box::new(policy());
        for policy in [&shared as &dyn RetryPolicy, &boxed] {
            assert_eq!(policy.delay(&failed(3)), Some(5 * MS));
            assert_eq!(policy.delay(&failed(4)), None);
        }
    }
}
