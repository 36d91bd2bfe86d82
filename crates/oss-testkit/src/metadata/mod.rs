//! Metadata of an ECS instance: tokens, the attached roles, and their credentials.
//!
//! Vendor document: "Instance metadata" (Elastic Compute Service, user guide), for paths, headers, the life of
//! a token and the two modes.

mod service;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::session::Rotation;
use crate::state::State;

/// The way in which the instance's metadata service treats requests with and without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataMode {
    /// Normal mode: issues tokens (`IMDSv2`), and also accepts requests without one (`IMDSv1`).
    #[default]
    Normal,
    /// Security hardening mode: a request without a token is rejected with HTTP 403.
    Hardened,
    /// Supports no tokens: responds to a request for one with HTTP 404, as an emulator may do.
    V1Only,
    /// Like [`MetadataMode::Normal`], but the response to the request for a token never arrives. This is what a
    /// container sees on an instance whose hop limit is 1.
    HopLimit,
}

/// What the builder sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) mode: MetadataMode,
    pub(crate) roles: Option<Vec<String>>,
}

/// The state of the metadata service.
pub(crate) struct Metadata {
    state: Arc<State>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    mode: MetadataMode,
    roles: Vec<String>,
    /// Each issued token, and when it expires.
    tokens: HashMap<String, SystemTime>,
    sessions: HashMap<String, Rotation>,
}

impl Metadata {
    /// `role` is attached if the settings name none.
    pub(crate) fn new(state: Arc<State>, settings: Settings, role: &str) -> Self {
        Self {
            state,
            inner: Mutex::new(Inner {
                mode: settings.mode,
                roles: settings.roles.unwrap_or_else(|| vec![role.to_owned()]),
                tokens: HashMap::new(),
                sessions: HashMap::new(),
            }),
        }
    }

    /// The role that the service lists first.
    pub(crate) fn first_role(&self) -> Option<String> {
        self.lock().roles.first().cloned()
    }

    /// Switches the mode.
    pub(crate) fn set_mode(&self, mode: MetadataMode) {
        self.lock().mode = mode;
    }

    /// Replaces the attached roles.
    pub(crate) fn set_roles(&self, roles: Vec<String>) {
        self.lock().roles = roles;
    }

    /// Issues other keys from now on.
    pub(crate) fn rotate(&self) {
        self.lock().sessions.values_mut().for_each(Rotation::rotate);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
