//! Wakes everybody who waits for the same thing.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The wakers of all who wait, each under the id of its owner; itself the waker of what they wait for.
///
/// The lock is held for map operations alone. Wakers are woken and dropped outside of it, since both can run
/// foreign code, which may come back here.
#[derive(Debug, Default)]
pub(super) struct WakeSet {
    waiting: Mutex<BTreeMap<u64, Waker>>,
    woken: AtomicBool,
}

impl WakeSet {
    /// Has `waker` woken by the next wake-up, in place of what the same owner registered before.
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

    /// Forgets that there was a wake-up, before what is waited for is polled.
    pub(super) fn clear_woken(&self) {
        self.woken.store(false, Ordering::SeqCst);
    }

    /// Whether what is waited for has called since [`WakeSet::clear_woken`].
    pub(super) fn was_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for WakeSet {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.wake_all();
    }
}
