//! Clocks, waiting, and how far the local clock is from the service's.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::provider::BoxFuture;

/// Tells the wall-clock time. Everything in this family that needs the time asks one of these.
///
/// ```
/// use oss_credentials_core::{Clock, SystemClock};
/// assert!(SystemClock.now() > std::time::SystemTime::UNIX_EPOCH);
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The clock of the operating system: the default everywhere.
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
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> SystemTime {
        (**self).now()
    }
}

/// Waits without blocking a thread. Needed only for background refresh and for retries that wait.
///
/// Two traits, because most uses of a provider never wait: the lazy refresh runs when somebody asks.
pub trait Sleep: fmt::Debug + Send + Sync + 'static {
    /// A future that is done when `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl<T: Sleep + ?Sized> Sleep for Arc<T> {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }
}

/// Waits on tokio's timer. Its futures must be polled inside a tokio runtime with time enabled.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleep;

#[cfg(feature = "tokio")]
impl TokioSleep {
    /// `Some` inside a tokio runtime with time enabled, where its futures can be polled. Asking a runtime
    /// without is not cheap: tokio tells it only by panicking, which runs the program's panic hook.
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
        // The timer is looked up when the future is first polled, not when it is made.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// How far the service's clock is ahead of (or behind) the local one.
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
    /// The clocks agree.
    pub const ZERO: Self = Self {
        service_is_behind: false,
        by: Duration::ZERO,
    };

    /// The offset that two readings of the same instant show.
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

    /// A local reading as the service's clock shows it; unchanged where that cannot be represented.
    pub fn to_service(self, local: SystemTime) -> SystemTime {
        if self.service_is_behind {
            local.checked_sub(self.by)
        } else {
            local.checked_add(self.by)
        }
        .unwrap_or(local)
    }

    /// An instant of the service's clock as the local one shows it; unchanged where that cannot be
    /// represented.
    pub fn to_local(self, service: SystemTime) -> SystemTime {
        if self.service_is_behind {
            service.checked_add(self.by)
        } else {
            service.checked_sub(self.by)
        }
        .unwrap_or(service)
    }

    /// Whole seconds, positive if the service is ahead.
    pub fn as_secs(self) -> i64 {
        let secs = i64::try_from(self.by.as_secs()).unwrap_or(i64::MAX);
        if self.service_is_behind { -secs } else { secs }
    }

    /// The size of the offset, whatever its direction.
    pub fn abs(self) -> Duration {
        self.by
    }
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
