//! The instance metadata, as a test sets it.

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::metadata::MetadataMode;
use crate::record::Service;

impl LocalCloud {
    /// Where the instance metadata is: `http://127.0.0.1:<port>`. Requests to it have the actions `PutToken`,
    /// `ListRoles`, `GetRoleCredentials` and `Unknown`.
    pub fn metadata_endpoint(&self) -> String {
        self.url(Service::Metadata)
    }

    /// The port of the metadata service.
    pub fn metadata_port(&self) -> u16 {
        self.port(Service::Metadata)
    }

    /// Changes how the metadata service treats requests from now on. Tokens stay good.
    pub fn set_metadata_mode(&self, mode: MetadataMode) {
        self.services.metadata.set_mode(mode);
    }

    /// Attaches these roles to the instance, in the order listed, in place of those it has. With none, the
    /// metadata service answers with HTTP 404.
    pub fn set_metadata_roles<N: Into<String>>(&self, roles: impl IntoIterator<Item = N>) {
        let roles = roles.into_iter().map(Into::into).collect();
        self.services.metadata.set_roles(roles);
    }

    /// Lets the metadata service hand out another key for each role from now on. The old ones stay good until
    /// their end; see [`LocalCloud::revoke`]. By itself it does so when less than a sixth of their life is
    /// left.
    pub fn rotate_role_credentials(&self) {
        self.services.metadata.rotate();
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
