//! Whether there is a driver that will act in time, so that callers do not have to.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{NO_DRIVER, Presence, Shared};
use crate::refresh::moment::Moment;
use crate::refresh::policy::DRIVER_GRACE;

impl Shared {
    pub(in crate::refresh) fn has_driver(&self, now: Moment) -> bool {
        now.steady.as_secs() < self.driver_overdue_at.load(Ordering::Acquire)
    }

    /// Publishes when the driver will act, and whether it waits for the value to be due.
    pub(in crate::refresh) fn announce_driver(&self, presence: Presence, rests: bool) {
        let overdue_at = match presence {
            Presence::Absent => NO_DRIVER,
            Presence::WaitsForOthers => u64::MAX,
            Presence::ActsAt(at) => overdue_at(at),
        };
        self.driver_overdue_at.store(overdue_at, Ordering::Release);
        self.driver_rests.store(rests, Ordering::Release);
    }

    /// Wakes a driver that rests although the value is due, and gives it the grace period from now on: its timer stops
    /// while the machine is suspended, and does not notice that the wall clock is set.
    pub(super) fn call_driver(&self, now: Moment) {
        let in_time = self.driver_overdue_at.load(Ordering::Acquire) <= overdue_at(now.steady);
        if in_time || !self.driver_rests.load(Ordering::Acquire) {
            return;
        }
        // Whoever holds the lock is about to begin or end an attempt, which wakes the driver as well.
        let Ok(slot) = self.slot.try_lock() else {
            return;
        };
        let rests = self.driver_rests.swap(false, Ordering::AcqRel);
        if rests {
            self.driver_overdue_at
                .store(overdue_at(now.steady), Ordering::Release);
        }
        drop(slot);
        if rests {
            self.wakes.wake_all();
        }
    }
}

/// When a driver counts as absent that means to act at `at`.
fn overdue_at(at: Duration) -> u64 {
    at.as_secs().saturating_add(DRIVER_GRACE.as_secs())
}
