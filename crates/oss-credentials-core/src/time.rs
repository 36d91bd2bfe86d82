//! Clocks, timers, and the offset between the local clock and the service's.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use crate::future::BoxFuture;

/// How far apart two clocks that agree may be, and how far a wall clock may move relative to the monotonic one without
/// having been set: 30 seconds.
///
/// Offsets are learned where a service refuses a time, at a quarter of an hour; drift, leap seconds and the whole
/// seconds of a `Date` header are far smaller.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);

/// Returns the wall-clock time. All code of this family that needs the time calls a clock.
///
/// ```
/// use oss_credentials_core::{Clock, SystemClock};
/// assert!(SystemClock.now() > std::time::SystemTime::UNIX_EPOCH);
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;

    /// Returns how long ago some fixed instant was, by a clock that cannot be set. Compared with [`Clock::now`], it
    /// shows whether the wall clock was set. Default: `None`, there is no such clock, and setting the wall clock is
    /// not detected.
    fn monotonic(&self) -> Option<Duration> {
        None
    }

    /// Returns how long ago the machine was started, including the time that it was suspended.
    ///
    /// Compared with [`Clock::monotonic`], which may stop during a suspend, it shows whether the machine was
    /// suspended: it proves that a wall clock that has jumped forward was set, and that no time has passed unnoticed.
    /// It is read only when the other two disagree, and may be slower than they are. Default: `None`, there is no
    /// such clock, and a jump forward counts as time that has passed.
    fn since_boot(&self) -> Option<Duration> {
        None
    }
}

/// The clock of the operating system: the default everywhere.
///
/// [`Clock::since_boot`] is available on Linux and Android, where `/proc` is mounted, and on Apple's systems.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    #[inline]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's monotonic clock"
    )]
    fn monotonic(&self) -> Option<Duration> {
        static START: OnceLock<Instant> = OnceLock::new();
        Some(START.get_or_init(Instant::now).elapsed())
    }

    fn since_boot(&self) -> Option<Duration> {
        boot_time::since_boot()
    }
}

/// Linux provides the time since boot in a file: two numbers of seconds, the first of which counts suspended time
/// (`CLOCK_BOOTTIME`; see `proc_uptime(5)`). The file needs no dependency, and is read rarely.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod boot_time {
    use std::io::Read;
    use std::time::Duration;

    pub(super) fn since_boot() -> Option<Duration> {
        // Two numbers of at most 20 digits; a cached read may come here, and allocates nothing.
        let mut buffer = [0; 64];
        let mut file = std::fs::File::open("/proc/uptime").ok()?;
        let length = file.read(&mut buffer).ok()?;
        parse(str::from_utf8(buffer.get(..length)?).ok()?)
    }

    pub(super) fn parse(uptime: &str) -> Option<Duration> {
        let seconds = uptime.split_ascii_whitespace().next()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// On Apple's systems `CLOCK_MONOTONIC` continues while the machine sleeps; `Instant` does not (`clock_gettime(3)`).
#[cfg(target_vendor = "apple")]
mod boot_time {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn since_boot() -> Option<Duration> {
        Duration::try_from(clock_gettime(ClockId::Monotonic)).ok()
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod boot_time {
    use std::time::Duration;

    pub(super) fn since_boot() -> Option<Duration> {
        None
    }
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }

    fn monotonic(&self) -> Option<Duration> {
        (**self).monotonic()
    }

    fn since_boot(&self) -> Option<Duration> {
        (**self).since_boot()
    }
}

/// Waits without blocking a thread. Needed only for background refresh and for backoff between retries.
///
/// It is separate from [`Clock`] because most uses of a provider never wait: the lazy refresh runs when a caller
/// needs it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::{BoxFuture, Sleep};
///
/// # mod my_executor {
/// #     pub async fn sleep(_: std::time::Duration) {}
/// # }
/// /// The timer of an executor other than tokio, for which there is `TokioSleep`.
/// #[derive(Debug)]
/// struct MySleep;
///
/// impl Sleep for MySleep {
///     fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
///         Box::pin(my_executor::sleep(duration))
///     }
/// }
/// ```
pub trait Sleep: fmt::Debug + Send + Sync + 'static {
    /// Returns a future that completes when `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl<T: Sleep + ?Sized> Sleep for Arc<T> {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }
}

/// Returns the timer to use: the caller's own, otherwise tokio's (feature `tokio`) inside a runtime that has one.
///
/// ```
/// use oss_credentials_core::sleeper;
///
/// // Outside of a runtime there is nothing to wait on.
/// assert!(sleeper(None).is_none());
/// ```
pub fn sleeper(own: Option<&Arc<dyn Sleep>>) -> Option<Arc<dyn Sleep>> {
    if let Some(own) = own {
        return Some(Arc::clone(own));
    }
    #[cfg(feature = "tokio")]
    if let Some(timer) = TokioSleep::try_current() {
        return Some(Arc::new(timer));
    }
    None
}

/// A timer over tokio's. Its futures must be polled inside a tokio runtime with time enabled.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleep;

#[cfg(feature = "tokio")]
impl TokioSleep {
    /// Returns `Some` inside a tokio runtime with time enabled, where its futures can be polled. In a runtime
    /// without time this is expensive: tokio reports it only by panicking, which runs the program's panic hook.
    ///
    /// ```
    /// use oss_credentials_core::TokioSleep;
    /// assert!(TokioSleep::try_current().is_none());
    /// ```
    pub fn try_current() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "made and dropped, never waited for")]
        let probe = || drop(tokio::time::sleep(Duration::ZERO));
        let has_runtime = tokio::runtime::Handle::try_current().is_ok();
        (has_runtime && std::panic::catch_unwind(probe).is_ok()).then_some(Self)
    }
}

#[cfg(feature = "tokio")]
impl Sleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that waits on tokio's timer"
        )]
        // The timer is looked up when the future is first polled, not when it is created.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// The offset by which the service's clock is ahead of (or behind) the local one.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::ClockOffset;
///
/// let local = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
/// let service = local + Duration::from_secs(7_200);
/// let offset = ClockOffset::between(local, service);
/// assert_eq!(offset.as_secs(), 7_200);
/// assert_eq!(offset.to_service(local), service);
/// assert_eq!(offset.to_local(service), local);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockOffset {
    service_is_behind: bool,
    by: Duration,
}

impl ClockOffset {
    /// No offset: the clocks agree.
    pub const ZERO: Self = Self {
        service_is_behind: false,
        by: Duration::ZERO,
    };

    /// Returns the offset between two readings of the same instant.
    pub fn between(local: SystemTime, service: SystemTime) -> Self {
        match service.duration_since(local) {
            Ok(by) => Self {
                service_is_behind: false,
                by,
            },
            Err(error) => Self {
                service_is_behind: true,
                by: error.duration(),
            },
        }
    }

    /// Converts a local reading to the service's clock; unchanged if the result cannot be represented.
    pub fn to_service(self, local: SystemTime) -> SystemTime {
        if self.service_is_behind {
            local.checked_sub(self.by)
        } else {
            local.checked_add(self.by)
        }
        .unwrap_or(local)
    }

    /// Converts an instant of the service's clock to the local one; unchanged if the result cannot be
    /// represented.
    pub fn to_local(self, service: SystemTime) -> SystemTime {
        if self.service_is_behind {
            service.checked_add(self.by)
        } else {
            service.checked_sub(self.by)
        }
        .unwrap_or(service)
    }

    /// Returns whole seconds, positive if the service is ahead.
    pub fn as_secs(self) -> i64 {
        let secs = i64::try_from(self.by.as_secs()).unwrap_or(i64::MAX);
        if self.service_is_behind { -secs } else { secs }
    }

    /// Returns the size of the offset, regardless of its direction.
    pub fn abs(self) -> Duration {
        self.by
    }
}

/// Parses a date in RFC 3339, such as `2026-01-02T04:04:05Z`, the form in which services write an expiry; an offset
/// or a fraction is allowed. `None` if it is malformed, or outside the range of `SystemTime` on this platform.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::rfc3339;
///
/// let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_326_645);
/// assert_eq!(rfc3339("2026-01-02T12:04:05+08:00"), Some(at));
/// assert_eq!(rfc3339("tomorrow"), None);
/// ```
#[cfg(feature = "chrono")]
pub fn rfc3339(text: &str) -> Option<SystemTime> {
    to_system(&chrono::DateTime::parse_from_rfc3339(text).ok()?)
}

/// Parses a date in RFC 2822, such as `Fri, 02 Jan 2026 04:04:05 GMT`, the form of a `Date` header; `None` if it is
/// malformed, or outside the range of `SystemTime` on this platform.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::rfc2822;
///
/// let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_326_645);
/// assert_eq!(rfc2822("Fri, 02 Jan 2026 04:04:05 GMT"), Some(at));
/// assert_eq!(rfc2822("2026-01-02T04:04:05Z"), None);
/// ```
#[cfg(feature = "chrono")]
pub fn rfc2822(text: &str) -> Option<SystemTime> {
    to_system(&chrono::DateTime::parse_from_rfc2822(text).ok()?)
}

/// Converts like `SystemTime::from`, which panics if the platform's range is smaller than chrono's.
#[cfg(feature = "chrono")]
fn to_system<Z: chrono::TimeZone>(date: &chrono::DateTime<Z>) -> Option<SystemTime> {
    let since = Duration::from_secs(date.timestamp().unsigned_abs());
    let whole = if date.timestamp() < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(since)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(since)?
    };
    // A leap second has more than a thousand million of them.
    whole.checked_add(Duration::from_nanos(date.timestamp_subsec_nanos().into()))
}

#[cfg(feature = "chrono")]
pub(crate) fn to_utc(at: SystemTime) -> Option<chrono::DateTime<chrono::Utc>> {
    let (secs, nanos) = match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).ok()?, after.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let secs = i64::try_from(before.as_secs()).ok()?.checked_neg()?;
            match before.subsec_nanos() {
                0 => (secs, 0),
                nanos => (secs.checked_sub(1)?, 1_000_000_000 - nanos),
            }
        }
    };
    chrono::DateTime::from_timestamp(secs, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds by `date --utc --date=… +%s` of coreutils.
    #[cfg(all(feature = "chrono", unix))]
    #[test]
    fn dates_far_away_are_instants_and_no_panic() {
        let epoch = SystemTime::UNIX_EPOCH;
        for (text, instant) in [
            (
                "9999-12-31T23:59:59Z",
                epoch.checked_add(Duration::from_secs(253_402_300_799)),
            ),
            (
                "0001-01-01T00:00:00Z",
                epoch.checked_sub(Duration::from_secs(62_135_596_800)),
            ),
            (
                "1969-12-31T23:59:59.250Z",
                epoch.checked_sub(Duration::from_millis(750)),
            ),
            (
                "2016-12-31T23:59:60Z",
                epoch.checked_add(Duration::from_secs(1_483_228_800)),
            ),
            ("2026-01-02 04:04:05", None),
        ] {
            assert_eq!(rfc3339(text), instant, "{text}");
        }
        // Farther than any platform holds is none.
        let _ = (
            to_system(&chrono::DateTime::<chrono::Utc>::MAX_UTC),
            to_system(&chrono::DateTime::<chrono::Utc>::MIN_UTC),
        );
    }

    /// Seconds by `date --utc --date=… +%s` of coreutils; the first date is the example of RFC 2822, appendix A.1.1.
    #[cfg(feature = "chrono")]
    #[test]
    fn dates_of_headers_are_instants() {
        let epoch = SystemTime::UNIX_EPOCH;
        for (text, instant) in [
            (
                "Fri, 21 Nov 1997 09:55:06 -0600",
                epoch.checked_add(Duration::from_secs(880_127_706)),
            ),
            ("2026-01-02T04:04:05Z", None),
            ("", None),
        ] {
            assert_eq!(rfc2822(text), instant, "{text}");
        }
    }

    /// Only the wall clock, and the defaults of the trait.
    #[derive(Debug)]
    struct WallOnly;

    impl Clock for WallOnly {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }
    }

    #[test]
    fn a_clock_has_no_other_clocks_by_default() {
        assert_eq!((WallOnly.monotonic(), WallOnly.since_boot()), (None, None));
    }

    #[test]
    fn a_timer_that_is_given_is_used() {
        #[derive(Debug)]
        struct AtOnce;
        impl Sleep for AtOnce {
            fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
                Box::pin(std::future::ready(()))
            }
        }
        let given: Arc<dyn Sleep> = Arc::new(AtOnce);
        assert!(Arc::ptr_eq(&sleeper(Some(&given)).unwrap(), &given));
        assert!(sleeper(None).is_none());
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_offset_works_in_both_directions() {
        let local = SystemTime::UNIX_EPOCH + 10 * HOUR;
        let behind = ClockOffset::between(local, local - HOUR);
        assert_eq!(behind.as_secs(), -3600);
        assert_eq!(behind.to_service(local), local - HOUR);
        assert_eq!(behind.to_local(local - HOUR), local);
        assert_eq!(behind.abs(), HOUR);
        assert_eq!(ClockOffset::between(local, local), ClockOffset::ZERO);
    }

    #[test]
    fn the_systems_monotonic_clock_moves() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let first = clock.monotonic().unwrap();
        while clock.monotonic().unwrap() == first {}
        assert!(clock.monotonic().unwrap() > first);
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn the_time_since_the_start_is_the_first_number_of_proc_uptime() {
        // Line from `proc_uptime(5)`: up for 350735.47 s, and 234388.90 s of idle time.
        let up = Duration::from_millis(350_735_470);
        assert_eq!(boot_time::parse("350735.47 234388.90\n"), Some(up));
        for other in ["", "\n", "up", "-1 0", "nan 0", "inf 0", "1e300 0"] {
            assert_eq!(boot_time::parse(other), None, "{other}");
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        assert!(clock.since_boot() >= Some(Duration::from_millis(10)));
    }

    #[test]
    fn arithmetic_outside_the_range_changes_nothing() {
        let far = ClockOffset {
            service_is_behind: false,
            by: Duration::MAX,
        };
        let local = SystemTime::UNIX_EPOCH + HOUR;
        assert_eq!(far.to_service(local), local);
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn tokios_timer_is_there_inside_a_runtime_that_has_one() {
        let new = tokio::runtime::Builder::new_current_thread;
        let timer_in =
            |runtime: tokio::runtime::Runtime| runtime.block_on(async { TokioSleep::try_current() });
        assert!(TokioSleep::try_current().is_none());
        assert!(timer_in(new().build().unwrap()).is_none());
        assert!(timer_in(new().enable_time().build().unwrap()).is_some());
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn instants_become_utc_on_both_sides_of_the_epoch() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_256_200_500);
        assert_eq!(to_utc(at).unwrap().to_rfc3339(), "2026-01-01T08:30:00.500+00:00");
        let before = SystemTime::UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(
            to_utc(before).unwrap().to_rfc3339(),
            "1969-12-31T23:59:59.500+00:00"
        );
    }
}
