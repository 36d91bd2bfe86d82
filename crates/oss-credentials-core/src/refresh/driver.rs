//! Background refresh. Correctness never depends on the driver; it only removes waiting.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use super::event::RefreshEvent;
use super::moment::Moment;
use super::report;
use super::shared::{Presence, Seat, Shared};
use super::slot::Slot;
use super::wake::WakeSet;
use crate::future::BoxFuture;
use crate::time::Sleep;

/// A future that refreshes a [`RefreshingProvider`](crate::RefreshingProvider) before its value expires.
///
/// Poll it on any executor, for example by spawning it. It ends when the last handle of the provider is
/// dropped, and holds none itself. Dropping it is harmless: callers then refresh when they need credentials.
///
/// It begins to refresh once a caller has fetched the first value.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{CredentialsSource, RefreshingProvider, Sleep};
///
/// /// Refreshes in the background on an executor that has a timer and takes futures.
/// fn start<S: CredentialsSource>(
///     provider: &RefreshingProvider<S>,
///     timer: impl Sleep,
///     spawn: impl FnOnce(oss_credentials_core::BoxFuture<'static, ()>),
/// ) {
///     if let Some(driver) = provider.driver(timer) {
///         spawn(Box::pin(driver));
///     }
/// }
/// ```
#[must_use = "a driver does nothing unless it is polled"]
pub struct RefreshDriver {
    shared: Weak<Shared>,
    wakes: Arc<WakeSet>,
    seat: Seat,
    sleep: Arc<dyn Sleep>,
    timer: Option<Timer>,
}

struct Timer {
    /// By the steady clock.
    target: Duration,
    done: BoxFuture<'static, ()>,
}

/// What the driver has to do now. Times are those of the steady clock.
enum Duty {
    /// Another driver has taken over.
    Leave,
    /// Attend to an attempt, until this instant at the latest; without end if the limit is beyond all time.
    Attend(Option<Duration>),
    /// Nothing until then.
    Rest(Option<Duration>),
}

impl RefreshDriver {
    /// Returns `None` if there is a driver already.
    pub(super) fn attach(shared: &Arc<Shared>, sleep: Arc<dyn Sleep>) -> Option<Self> {
        let now = shared.now();
        let seat = shared.new_seat();
        {
            let mut slot = shared.lock();
            if slot.driver.is_some() && shared.has_driver(now) {
                return None;
            }
            slot.driver = Some(seat.id);
            // Until it is first polled, it has promised nothing; the grace period covers that time.
            shared.announce_driver(Presence::ActsAt(now.steady), false);
        }
        Some(Self {
            shared: Arc::downgrade(shared),
            wakes: Arc::clone(&shared.wakes),
            seat,
            sleep,
            timer: None,
        })
    }

    /// Waits until `target`. `Err` if the timer panicked.
    fn poll_timer(&mut self, target: Duration, now: Moment, cx: &mut Context<'_>) -> Result<Poll<()>, ()> {
        let sleep = &self.sleep;
        let timer = &mut self.timer;
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if timer.as_ref().is_none_or(|timer| timer.target != target) {
                let wait = target.saturating_sub(now.steady);
                *timer = Some(Timer {
                    target,
                    done: sleep.sleep(wait),
                });
            }
            match timer {
                Some(timer) => timer.done.as_mut().poll(cx),
                None => Poll::Pending,
            }
        }));
        polled.map_err(|_| ())
    }
}

impl Shared {
    fn duty(&self, seat: &mut Seat, now: Moment) -> Duty {
        let mut slot = self.lock();
        if slot.driver != Some(seat.id) {
            return Duty::Leave;
        }
        let duty = if slot.attempt.is_some() {
            self.attend(&mut slot, seat)
        } else {
            match self.next_attempt_at(&slot, now) {
                Some(at) if at.steady <= now.steady => {
                    // There was no attempt, so that there is nothing to drop.
                    drop(slot.begin(self.new_flight(), seat.id, now));
                    self.attend(&mut slot, seat)
                }
                later => Duty::Rest(later.map(|at| at.steady)),
            }
        };
        let presence = match duty {
            Duty::Attend(Some(until)) | Duty::Rest(Some(until)) => Presence::ActsAt(until),
            Duty::Attend(None) | Duty::Rest(None) | Duty::Leave => Presence::WaitsForOthers,
        };
        let snapshot = self.snapshot.load();
        let is_due = snapshot.as_ref().is_none_or(|snapshot| snapshot.is_due(now));
        self.announce_driver(presence, matches!(duty, Duty::Rest(_)) && !is_due);
        duty
    }

    fn attend(&self, slot: &mut Slot, seat: &mut Seat) -> Duty {
        if seat.joined_at != Some(slot.completed) {
            seat.joined_at = Some(slot.join());
            seat.begin_anew();
        }
        Duty::Attend(self.deadline_for(slot, seat))
    }

    /// When the value should be fetched again; `None` if never, or not before a caller asks.
    pub(super) fn next_attempt_at(&self, slot: &Slot, now: Moment) -> Option<Moment> {
        if !slot.had_value {
            return None;
        }
        let due_at = match self.snapshot.load().as_deref() {
            Some(snapshot) if snapshot.is_due(now) => now,
            Some(snapshot) => snapshot.due_at()?,
            // The value was rejected.
            None => now,
        };
        match &slot.failure {
            Some(failure) if self.is_held_back(slot, now) => {
                let over = failure.until(self.usable(now).is_some());
                Some(if over.steady > due_at.steady { over } else { due_at })
            }
            _ => Some(due_at),
        }
    }
}

impl Future for RefreshDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = &mut *self;
        // The timer is monotonic and the clock may be set back: whichever comes first counts.
        let mut fired = None;
        loop {
            // Upgraded for each turn: a driver that rests keeps nothing alive.
            let Some(shared) = driver.shared.upgrade() else {
                return Poll::Ready(());
            };
            driver.wakes.register(driver.seat.id, cx.waker());
            let clock = shared.now();
            let now = fired.take().map_or(clock, |target| clock.at_least(target));
            let until = match shared.duty(&mut driver.seat, now) {
                Duty::Leave => return Poll::Ready(()),
                Duty::Attend(_) => match shared.advance(&mut driver.seat, now) {
                    Poll::Ready(()) => {
                        driver.seat.joined_at = None;
                        continue;
                    }
                    // It may have been adopted just now.
                    Poll::Pending => shared.attempt_deadline(&driver.seat),
                },
                Duty::Rest(until) => until,
            };
            let Some(target) = until else {
                driver.timer = None;
                return Poll::Pending;
            };
            match driver.poll_timer(target, now, cx) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => {
                    driver.timer = None;
                    fired = Some(target);
                }
                Err(()) => {
                    let provider = shared.name;
                    report::publish(&shared.observer, &RefreshEvent::DriverStopped { provider });
                    return Poll::Ready(());
                }
            }
        }
    }
}

impl Drop for RefreshDriver {
    fn drop(&mut self) {
        self.wakes.remove(self.seat.id);
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        shared.leave(&self.seat);
        let mut slot = shared.lock();
        if slot.driver == Some(self.seat.id) {
            slot.driver = None;
            shared.announce_driver(Presence::Absent, false);
        }
    }
}

impl fmt::Debug for RefreshDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshDriver")
            .field("attached", &(self.shared.strong_count() > 0))
            .finish_non_exhaustive()
    }
}
