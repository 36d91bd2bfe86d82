//! Wakes everyone who waits for the same thing.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The wakers of all who wait, each under the ID of its owner.
///
/// The lock is held only for map operations. Wakers are woken and dropped outside of it, since both can run
/// foreign code, which may call back.
#[derive(Debug, Default)]
pub(super) struct WakeSet {
    waiting: Mutex<BTreeMap<u64, Waker>>,
}

impl WakeSet {
    /// Registers `waker` for the next wake-up, replacing what the same owner registered before.
    ///
    /// Register before looking at the state that is waited for: a change after the look then finds the waker.
    pub(super) fn register(&self, owner: u64, waker: &Waker) {
        let waker = waker.clone();
        let replaced = self.lock().insert(owner, waker);
        drop(replaced);
    }

    /// Forgets the owner's waker.
    pub(super) fn remove(&self, owner: u64) {
        let removed = self.lock().remove(&owner);
        drop(removed);
    }

    /// Wakes all who are registered; each has to register again.
    pub(super) fn wake_all(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        for waker in waiting.into_values() {
            // One that panics must not keep the others asleep.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of one flight: wakes all who wait for it.
///
/// Each flight has its own: a flight that was taken out and is polled late, after another has replaced it, must
/// not clear a wake-up of that other one.
#[derive(Debug)]
pub(super) struct FlightWaker {
    waiting: Arc<WakeSet>,
    woken: AtomicBool,
}

impl FlightWaker {
    pub(super) fn new(waiting: &Arc<WakeSet>) -> Arc<Self> {
        Arc::new(Self {
            waiting: Arc::clone(waiting),
            woken: AtomicBool::new(false),
        })
    }

    /// Forgets that there was a wake-up, before the flight is polled.
    pub(super) fn clear_woken(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }

    /// Whether the flight has called since [`FlightWaker::clear_woken`].
    pub(super) fn was_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }
}

impl Wake for FlightWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.waiting.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counted(std::sync::atomic::AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A flight times out while a caller holds it, the next one begins and calls, and only then does that caller get
    /// to poll the old one.
    #[test]
    fn a_late_poll_of_one_flight_forgets_no_wake_up_of_the_next() {
        let waiting = Arc::<WakeSet>::default();
        let counted = Arc::<Counted>::default();
        let (old, next) = (FlightWaker::new(&waiting), FlightWaker::new(&waiting));
        waiting.register(1, &Waker::from(Arc::clone(&counted)));
        next.clear_woken();
        Waker::from(Arc::clone(&next)).wake();
        assert_eq!(counted.0.load(Ordering::SeqCst), 1);
        old.clear_woken();
        assert!(next.was_woken(), "its poller passes the wake-up on");
        assert!(!old.was_woken(), "which the poller of the old one need not");
    }
}
