//! Instance metadata of an ECS instance: tokens, the attached roles, and their credentials.
//!
//! Vendor document: "Instance metadata" (Elastic Compute Service, user guide), for paths, headers, the life of
//! a token and the two modes.

mod service;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::builder::LocalCloudBuilder;
use crate::cloud::LocalCloud;
use crate::session::Rotation;
pub(crate) use service::{action, error, handle, loses_answer};

/// How the instance's metadata service treats requests with and without a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataMode {
    /// Normal mode: hands out tokens (`IMDSv2`), and answers without one, too (`IMDSv1`).
    #[default]
    Normal,
    /// Security hardening mode: a request without a token is refused with HTTP 403.
    Hardened,
    /// Knows no tokens: the request for one is answered with HTTP 404. An emulator may do so.
    V1Only,
    /// As [`MetadataMode::Normal`], but the answer to the request for a token never arrives: a container on an
    /// instance whose hop limit is 1 sees this.
    HopLimit,
}

/// What the builder sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    mode: MetadataMode,
    roles: Option<Vec<String>>,
}

/// What the metadata service knows.
#[derive(Debug)]
pub(crate) struct Metadata {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    mode: MetadataMode,
    roles: Vec<String>,
    /// Each token handed out, and its end.
    tokens: HashMap<String, SystemTime>,
    sessions: HashMap<String, Rotation>,
}

impl Metadata {
    /// `role` is attached if the settings name none.
    pub(crate) fn new(settings: Settings, role: &str) -> Self {
        Self {
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

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalCloud {
    /// Where the instance metadata is: `http://127.0.0.1:<port>`. Requests to it have the actions `PutToken`,
    /// `ListRoles`, `GetRoleCredentials` and `Unknown`.
    pub fn metadata_endpoint(&self) -> String {
        format!("http://{}", self.metadata)
    }

    /// The port of the metadata service.
    pub fn metadata_port(&self) -> u16 {
        self.metadata.port()
    }

    /// Changes how the metadata service treats requests from now on. Tokens stay good.
    pub fn set_metadata_mode(&self, mode: MetadataMode) {
        self.state.metadata.lock().mode = mode;
    }

    /// Attaches these roles to the instance, in the order listed, in place of those it has. With none, the
    /// metadata service answers with HTTP 404.
    pub fn set_metadata_roles<N: Into<String>>(&self, roles: impl IntoIterator<Item = N>) {
        self.state.metadata.lock().roles = roles.into_iter().map(Into::into).collect();
    }

    /// Lets the metadata service hand out another key for each role from now on. The old ones stay good until
    /// their end; see [`LocalCloud::revoke`]. By itself it does so when less than a sixth of their life is
    /// left.
    pub fn rotate_role_credentials(&self) {
        let mut metadata = self.state.metadata.lock();
        metadata.sessions.values_mut().for_each(Rotation::rotate);
    }
}

impl LocalCloudBuilder {
    /// The port of the metadata service on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn metadata_port(mut self, port: u16) -> Self {
        self.metadata.port = port;
        self
    }

    /// How the metadata service treats requests with and without a token. Default: [`MetadataMode::Normal`].
    #[must_use]
    pub fn metadata_mode(mut self, mode: MetadataMode) -> Self {
        self.metadata.mode = mode;
        self
    }

    /// The roles attached to the instance, in the order listed; a real instance has one at most. They need
    /// not be roles of the account. Default: the first role.
    #[must_use]
    pub fn metadata_roles<N: Into<String>>(mut self, roles: impl IntoIterator<Item = N>) -> Self {
        self.metadata.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }
}
