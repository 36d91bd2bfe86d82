//! The buckets of the local cloud, and the state of all its services beside them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bucket::Bucket;
use crate::state::State;

/// Buckets by their names.
pub(crate) type Buckets = BTreeMap<String, Bucket>;

/// The service.
pub(crate) struct Oss {
    pub(super) state: Arc<State>,
    /// Host names that stand for a bucket.
    pub(super) cnames: HashMap<String, String>,
    buckets: Mutex<Buckets>,
}

impl Oss {
    pub(crate) fn new(state: Arc<State>, cnames: HashMap<String, String>, buckets: Buckets) -> Self {
        Self {
            state,
            cnames,
            buckets: Mutex::new(buckets),
        }
    }

    /// The lock is held for bookkeeping only; its holder may lock the state of all services, and not the other way
    /// round.
    pub(crate) fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
