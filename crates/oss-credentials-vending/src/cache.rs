//! The sessions that are kept: at most so many, and at most so many of each tenant.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use lru::LruCache;
use oss_credentials_core::RefreshingProvider;

use crate::allowance::{Allowance, Rate};
use crate::issue::Issue;
use crate::request::SessionKey;

/// Sessions by everything that makes them different, least recently used first out.
pub(crate) struct Cache {
    sessions: LruCache<SessionKey, RefreshingProvider<Issue>>,
    /// As many as sessions at most: when others need the room, the tenant is forgotten that has gone longest without a
    /// new session, and its limits begin again.
    tenants: LruCache<Arc<str>, Tenant>,
    sessions_per_tenant: usize,
    calls_per_tenant: Option<Rate>,
}

struct Tenant {
    calls: Arc<Mutex<Allowance>>,
    /// Oldest first.
    keys: VecDeque<SessionKey>,
}

impl Cache {
    pub(crate) fn new(
        capacity: NonZeroUsize,
        sessions_per_tenant: usize,
        calls_per_tenant: Option<Rate>,
    ) -> Self {
        Self {
            sessions: LruCache::new(capacity),
            tenants: LruCache::new(capacity),
            sessions_per_tenant: sessions_per_tenant.max(1),
            calls_per_tenant,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn get(&mut self, key: &SessionKey) -> Option<RefreshingProvider<Issue>> {
        self.sessions.get(key).cloned()
    }

    /// The limit on the tenant's calls.
    pub(crate) fn calls_of(&mut self, tenant: &Arc<str>) -> Arc<Mutex<Allowance>> {
        Arc::clone(&self.tenant(tenant).calls)
    }

    /// Keeps a session, and returns how many others were dropped for it.
    pub(crate) fn insert(&mut self, key: SessionKey, session: RefreshingProvider<Issue>) -> u64 {
        let mut dropped = 0;
        let limit = self.sessions_per_tenant;
        let tenant = self.tenant(&key.tenant);
        tenant.keys.push_back(key.clone());
        let oldest = (tenant.keys.len() > limit)
            .then(|| tenant.keys.pop_front())
            .flatten();
        if let Some(oldest) = oldest
            && self.sessions.pop(&oldest).is_some()
        {
            dropped += 1;
        }
        if let Some((evicted, _)) = self.sessions.push(key, session) {
            dropped += 1;
            if let Some(tenant) = self.tenants.peek_mut(&evicted.tenant) {
                tenant.keys.retain(|key| *key != evicted);
            }
        }
        dropped
    }

    fn tenant(&mut self, name: &Arc<str>) -> &mut Tenant {
        let rate = self.calls_per_tenant;
        self.tenants.get_or_insert_mut(Arc::clone(name), || Tenant {
            calls: Arc::new(Mutex::new(Allowance::new(rate))),
            keys: VecDeque::new(),
        })
    }
}
