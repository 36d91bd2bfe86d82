//! Methods for tests: the instance metadata.

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::metadata::MetadataMode;
use crate::record::Service;

impl LocalCloud {
    /// Returns the endpoint of the instance metadata, `http://127.0.0.1:<port>`. Requests to it have the actions
    /// `PutToken`,
    /// `ListRoles`, `GetRoleCredentials` and `Unknown`.
    pub fn metadata_endpoint(&self) -> String {
        self.url(Service::Metadata)
    }

    /// Returns the port of the metadata service.
    pub fn metadata_port(&self) -> u16 {
        self.port(Service::Metadata)
    }

    /// Changes how the metadata service treats requests from now on. Tokens stay valid.
    pub fn set_metadata_mode(&self, mode: MetadataMode) {
        self.services.metadata.set_mode(mode);
    }

    /// Attaches these roles to the instance, in the given order, replacing the existing ones. With none, the
    /// metadata service responds with HTTP 404.
    pub fn set_metadata_roles<N: Into<String>>(&self, roles: impl IntoIterator<Item = N>) {
        let roles = roles.into_iter().map(Into::into).collect();
        self.services.metadata.set_roles(roles);
    }

    /// Makes the metadata service return another key for each role from now on. The old ones stay valid until
    /// they expire; see [`LocalCloud::revoke`]. It does so automatically when less than a sixth of their lifetime is
    /// left.
    pub fn rotate_role_credentials(&self) {
        self.services.metadata.rotate();
    }
}

impl LocalCloudBuilder {
    /// Sets the port of the metadata service on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn metadata_port(mut self, port: u16) -> Self {
        self.metadata.port = port;
        self
    }

    /// Sets how the metadata service treats requests with and without a token. Default: [`MetadataMode::Normal`].
    #[must_use]
    pub fn metadata_mode(mut self, mode: MetadataMode) -> Self {
        self.metadata.mode = mode;
        self
    }

    /// Sets the roles attached to the instance, in the given order; a real instance has at most one. They need
    /// not be roles of the account. Default: the first role.
    #[must_use]
    pub fn metadata_roles<N: Into<String>>(mut self, roles: impl IntoIterator<Item = N>) -> Self {
        self.metadata.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }
}
