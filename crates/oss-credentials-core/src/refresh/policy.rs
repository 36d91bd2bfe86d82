//! When to refresh, how long a value may be returned, how long to wait after a failure: only arithmetic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::moment::{Moment, Reading, Span};
use crate::credentials::Credentials;
use crate::detail::ErrorDetail;
use crate::entropy;
use crate::error::CredentialsError;
use crate::provider::Fetched;
use crate::time::ClockOffset;

/// Longest default expiration window in which a value is refreshed.
pub(super) const MAX_WINDOW: Duration = Duration::from_secs(15 * 60);
/// Longest default safety margin in which a value is no longer returned.
pub(super) const MAX_MARGIN: Duration = Duration::from_secs(10);
/// Without a usable value, no error is repeated from memory for longer than this.
pub(super) const MAX_WITHOUT: Duration = Duration::from_secs(60);
/// Minimum time between two successful fetches that were not forced.
pub(super) const MIN_INTERVAL: Duration = Duration::from_secs(10);
/// Minimum backoff after a failure, regardless of settings and jitter.
pub(super) const MIN_PAUSE: Duration = Duration::from_millis(100);
/// Default of the maximum duration of one attempt.
pub(super) const ATTEMPT_LIMIT: Duration = Duration::from_secs(30);
/// How long an adopted flight may make no progress before a fresh one replaces it.
pub(super) const STALL_LIMIT: Duration = Duration::from_secs(2);
/// How much later than announced a driver may be before it counts as absent.
pub(super) const DRIVER_GRACE: Duration = Duration::from_secs(30);
/// Default of how many rejected values may be dropped at once, and then one per this long.
pub(super) const INVALIDATE_LIMIT: (u32, Duration) = (5, Duration::from_secs(60));

/// The backoff of a [`RefreshingProvider`](crate::RefreshingProvider) after failed attempts.
///
/// The backoff doubles with each failure in a row, up to the maximum, and the actual wait is a random part of it
/// ("full jitter"), so that many processes do not return at the same moment. A failure that someone has
/// to fix (denied, wrongly configured, not configured) begins with a longer backoff, of which at most a tenth
/// is left out. No wait is shorter than 100 ms.
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::Backoff;
/// let backoff = Backoff::default().initial(Duration::from_secs(2)).jitter(false);
/// # let _ = backoff;
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    permanent_initial: Duration,
    jitter: bool,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(60),
            permanent_initial: Duration::from_secs(30),
            jitter: true,
        }
    }
}

impl Backoff {
    /// Sets the backoff after the first failure. Default: 1 s.
    pub fn initial(mut self, pause: Duration) -> Self {
        self.initial = pause;
        self
    }

    /// Sets the longest backoff. While there is no usable value, it is at most 60 s regardless of this setting: no
    /// error is repeated from memory for longer. Default: 60 s.
    pub fn max(mut self, pause: Duration) -> Self {
        self.max = pause;
        self
    }

    /// Sets the backoff after the first failure that someone has to fix. Default: 30 s.
    pub fn permanent_initial(mut self, pause: Duration) -> Self {
        self.permanent_initial = pause;
        self
    }

    /// Sets whether to wait a random part of the backoff instead of the whole. Default: yes.
    ///
    /// wasm32-unknown-unknown has no randomness: every instance of the program draws the same sequence of parts
    /// there, so instances that start together also retry together.
    pub fn jitter(mut self, on: bool) -> Self {
        self.jitter = on;
        self
    }

    pub(super) fn longest(&self) -> Duration {
        self.max.max(MIN_INTERVAL)
    }

    /// The backoff after the `count`th failure in a row (from 1), the last of which is `error`.
    fn pause(&self, count: u32, error: &CredentialsError) -> Duration {
        let first = if is_permanent(error) {
            self.permanent_initial
        } else {
            self.initial
        };
        let doublings = count.saturating_sub(1).min(31);
        let step = first.saturating_mul(1 << doublings).min(self.max);
        let random = if self.jitter { entropy::fraction() } else { 0.0 };
        // A failure that someone has to fix needs no spreading over the whole step, and must not cause a call every
        // few seconds.
        let part = if is_permanent(error) { 0.1 * random } else { random };
        let pause = scaled(step, 1.0 - part).max(MIN_PAUSE);
        // Otherwise a source that repeats an expired value would be called again at once.
        if matches!(error, CredentialsError::Expired(_)) {
            pause.max(MIN_INTERVAL)
        } else {
            pause
        }
    }
}

/// A part of a duration. `Duration::mul_f64` would panic for the longest ones.
fn scaled(duration: Duration, part: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * part).unwrap_or(duration)
}

fn is_permanent(error: &CredentialsError) -> bool {
    !error.is_retryable()
}

/// The settings of the builder.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) window: Option<Duration>,
    pub(super) jitter: f64,
    pub(super) margin: Option<Duration>,
    pub(super) backoff: Backoff,
    pub(super) attempt_limit: Duration,
    pub(super) invalidate_limit: (u32, Duration),
    pub(super) background_refresh: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: None,
            jitter: 0.1,
            margin: None,
            backoff: Backoff::default(),
            attempt_limit: ATTEMPT_LIMIT,
            invalidate_limit: INVALIDATE_LIMIT,
            background_refresh: false,
        }
    }
}

/// One generation of credentials, with the instants that matter already turned into local time, so that a
/// read compares and does not calculate.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) credentials: Credentials,
    /// When its attempt began: a wall clock that is set from then on makes the instants below uncertain.
    requested_at: Moment,
    arrived_at: Moment,
    /// While [`Snapshot::is_usable`] holds and the clocks agree.
    usable: Span,
    /// While it is not due either.
    fresh: Span,
    /// Whether the clocks have ever disagreed since the value was requested. If they agree again, a suspend may have
    /// made up for a wall clock that was set back.
    distrusted: AtomicBool,
    due_at: Option<Moment>,
    unusable_at: Option<Moment>,
    /// `None` if the credentials do not expire.
    life: Option<Life>,
    pub(super) offset: ClockOffset,
}

/// How long a value lives.
#[derive(Clone, Copy, Debug)]
struct Life {
    /// Time to live on arrival.
    left: Duration,
    /// Time to live when this key and expiry were first seen: a source may repeat a value, and the window and margin of
    /// its first appearance still hold.
    lifetime: Duration,
}

impl Life {
    /// With `left` by the wall clock. `repeated` is the snapshot that the source repeats. `unmeasured` is the present
    /// moment if the source has not compared the wall clock with its own: then a wall clock that was set back meanwhile
    /// extends no value's lifetime.
    fn new(left: Duration, repeated: Option<&Snapshot>, unmeasured: Option<Moment>) -> Self {
        let known = unmeasured.and_then(|now| repeated?.remaining(now));
        let left = known.map_or(left, |known| known.min(left));
        let first_seen = repeated.and_then(|snapshot| snapshot.life);
        let lifetime = first_seen.map_or(left, |first| first.lifetime.max(left));
        Self { left, lifetime }
    }
}

impl Snapshot {
    /// Whether the value is certainly usable. If not, ask [`Snapshot::is_usable`].
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn is_plainly_usable(&self, reading: Reading) -> bool {
        self.usable.contains(reading) && !self.is_distrusted()
    }

    /// Whether the value is certainly usable and not due. If not, ask [`Snapshot::is_usable`] and
    /// [`Snapshot::is_due`].
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn is_plainly_fresh(&self, reading: Reading) -> bool {
        self.fresh.contains(reading) && !self.is_distrusted()
    }

    /// Whether the value may still be returned. Where the clocks disagree on that, `now` needs
    /// [`Moment::with_since_boot`]; see [`Snapshot::trusts`] and [`Snapshot::expired_by_wall_clock_alone`].
    #[inline]
    pub(super) fn is_usable(&self, now: Moment) -> bool {
        self.unusable_at
            .is_none_or(|at| self.trusts(now) && !now.has_reached(at) || self.is_usable_by_boot_time(at, now))
    }

    /// Whether the clocks agree since the value was requested, and were never seen to disagree.
    pub(super) fn trusts(&self, now: Moment) -> bool {
        !self.is_distrusted() && now.agrees_with(self.requested_at)
    }

    /// Records that the clocks disagree.
    pub(super) fn distrust(&self) {
        self.distrusted.store(true, Ordering::Relaxed);
    }

    fn is_distrusted(&self) -> bool {
        self.distrusted.load(Ordering::Relaxed)
    }

    /// Whether the wall clock alone says that the value has expired. It may have been set forward by so little that the
    /// clocks still agree.
    pub(super) fn expired_by_wall_clock_alone(&self, now: Moment) -> bool {
        self.unusable_at
            .is_some_and(|at| now.wall >= at.wall && now.steady < at.steady)
    }

    /// The wall clock was set, by little or by much, or the machine was suspended. The clock that counts suspended time
    /// knows how much time has passed, so a wall clock that was set discards nothing. Without it, the clock that shows
    /// more elapsed time counts.
    #[cold]
    fn is_usable_by_boot_time(&self, at: Moment, now: Moment) -> bool {
        match now.since_with_suspends(self.arrived_at) {
            Some(age) => now.steady < at.steady && age < at.since(self.arrived_at),
            None => !now.has_reached(at),
        }
    }

    /// Whether a refresh is due: at its time, or once the clocks disagree. After a disagreement, nothing that was
    /// calculated from them can be trusted until the next fetch.
    #[inline]
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.due_at
            .is_some_and(|at| now.has_reached(at) || !self.trusts(now))
    }

    /// When a refresh is due; `None` if never.
    pub(super) fn due_at(&self) -> Option<Moment> {
        self.due_at
    }

    /// How long ago the value arrived, by the clocks that nobody sets.
    pub(super) fn age(&self, now: Moment) -> Duration {
        let with_suspends = now.since_with_suspends(self.arrived_at).unwrap_or_default();
        with_suspends.max(now.since(self.arrived_at))
    }

    /// How much longer the credentials live by the clocks that nobody sets; `None` if they do not expire.
    fn remaining(&self, now: Moment) -> Option<Duration> {
        Some(self.life?.left.saturating_sub(self.age(now)))
    }

    /// Whether a source that returns these credentials repeats this value.
    fn is_repeated_by(&self, credentials: &Credentials) -> bool {
        self.credentials.same_key_as(credentials) && self.credentials.expires_at() == credentials.expires_at()
    }
}

impl Settings {
    /// Makes a snapshot of a value from the moments of its request and its arrival.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Expired`] if the value has expired or is inside the margin already.
    pub(super) fn admit(
        &self,
        provider: &'static str,
        fetched: Fetched,
        (requested_at, now): (Moment, Moment),
        previous: Option<&Snapshot>,
    ) -> Result<Snapshot, CredentialsError> {
        let measured = fetched.clock_offset();
        // An offset holds until the local clock is set.
        let known = previous.filter(|snapshot| snapshot.trusts(now));
        let offset = measured
            .or(known.map(|snapshot| snapshot.offset))
            .unwrap_or_default();
        let mut due_after = fetched.refresh_after();
        let credentials = fetched.into_credentials();
        let mut usable_for = None;
        let life = credentials.expires_at().map(|expires_at| {
            let left = offset.to_local(expires_at).duration_since(now.wall);
            let repeated = previous.filter(|snapshot| snapshot.is_repeated_by(&credentials));
            Life::new(
                left.unwrap_or_default(),
                repeated,
                measured.is_none().then_some(now),
            )
        });
        if let Some(Life { left, lifetime }) = life {
            let margin = self.margin.unwrap_or(MAX_MARGIN.min(lifetime / 20));
            if left <= margin {
                return Err(dead_on_arrival(provider, left, offset));
            }
            usable_for = Some(left.saturating_sub(margin));
            let window_opens = left.saturating_sub(self.window(lifetime));
            due_after = Some(due_after.map_or(window_opens, |after| after.min(window_opens)));
        }
        let due_after = due_after.map(|after| after.max(MIN_INTERVAL));
        let later = |after: Option<Duration>| after.and_then(|after| now.plus(after));
        let (due_at, unusable_at) = (later(due_after), later(usable_for));
        let fresh_until = match credentials.expires_at() {
            Some(expires_at) => Some(offset.to_local(expires_at)),
            None => due_at.map(|at| at.wall),
        };
        let usable = Span::new(requested_at, unusable_at);
        Ok(Snapshot {
            credentials: credentials.kept_until(fresh_until),
            requested_at,
            arrived_at: now,
            usable,
            fresh: usable.until(due_at),
            distrusted: AtomicBool::new(false),
            due_at,
            unusable_at,
            life,
            offset,
        })
    }

    /// How long before the end of a lifetime of this length a refresh is due.
    fn window(&self, life: Duration) -> Duration {
        let window = match self.window {
            // A longer window would make the value due as soon as it arrived.
            Some(window) => window.min(life / 2),
            None => MAX_WINDOW.min(life / 5),
        };
        scaled(window, 1.0 - self.jitter * entropy::fraction())
    }
}

fn dead_on_arrival(provider: &'static str, remaining: Duration, offset: ClockOffset) -> CredentialsError {
    let what = if remaining.is_zero() {
        "the fetched credentials have already expired".to_owned()
    } else {
        format!(
            "the fetched credentials expire in {:.1} s, too soon to be used",
            remaining.as_secs_f64()
        )
    };
    let hint = if offset == ClockOffset::ZERO {
        "check this machine's clock, and whether the source issues new credentials".to_owned()
    } else {
        format!(
            "check whether the source issues new credentials; its clock is {} s ahead of this machine's, \
             which was taken into account",
            offset.as_secs()
        )
    };
    CredentialsError::expired(ErrorDetail::builder(provider, what).hint(hint))
}

/// Failures in a row, and when to retry.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) count: u32,
    at: Moment,
    pause: Duration,
    pub(super) error: CredentialsError,
}

impl Failure {
    /// The failure that follows `previous`.
    pub(super) fn next(
        previous: Option<&Failure>,
        error: CredentialsError,
        now: Moment,
        backoff: &Backoff,
    ) -> Self {
        let count = previous.map_or(0, |failure| failure.count).saturating_add(1);
        Self {
            count,
            at: now,
            pause: backoff.pause(count, &error),
            error,
        }
    }

    /// When the backoff is over: earlier if there is no `usable` value meanwhile.
    pub(super) fn until(&self, usable: bool) -> Moment {
        let pause = if usable {
            self.pause
        } else {
            self.pause.min(MAX_WITHOUT)
        };
        self.at.plus(pause).unwrap_or(self.at)
    }

    /// Whether the backoff still applies. A deadline further off than any backoff means that the clock was set
    /// back and that no other clock shows the time; it is void.
    pub(super) fn holds_back(&self, now: Moment, usable: bool, backoff: &Backoff) -> bool {
        let longest = if usable {
            backoff.longest()
        } else {
            backoff.longest().min(MAX_WITHOUT)
        };
        let until = self.until(usable);
        !now.has_reached(until) && until.since(now) <= longest
    }
}

/// Lets through a number of events at once, and then one per period.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    refilled_at: Option<SystemTime>,
}

impl Allowance {
    pub(super) fn full(limit: (u32, Duration)) -> Self {
        Self {
            left: limit.0,
            refilled_at: None,
        }
    }

    /// Whether one more event is let through at `now`.
    pub(super) fn take(&mut self, now: SystemTime, (burst, period): (u32, Duration)) -> bool {
        match self.refilled_at {
            Some(at) if at <= now => {
                let elapsed = now.duration_since(at).unwrap_or_default();
                let periods = if period.is_zero() {
                    u128::from(burst)
                } else {
                    elapsed.as_nanos() / period.as_nanos()
                };
                let periods = u32::try_from(periods).unwrap_or(u32::MAX);
                self.left = self.left.saturating_add(periods).min(burst);
                // What is left of a period is not lost.
                self.refilled_at = at.checked_add(period.saturating_mul(periods)).or(Some(now));
            }
            // First event, or the clock was set back: the period begins here.
            _ => self.refilled_at = Some(now),
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}
