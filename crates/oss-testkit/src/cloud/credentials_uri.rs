//! The credentials URI, as a test sets it.

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::record::Service;

impl LocalCloud {
    /// The credentials URI, with user and password or with the token in its path if the builder asks for them.
    /// Requests to it have the action `GetCredentials`, those to another path `Unknown`.
    ///
    /// It hands out the same key of the first role until less than a sixth of the key's life of one hour is
    /// left.
    pub fn credentials_uri(&self) -> String {
        self.services
            .credentials_uri
            .uri(self.address(Service::CredentialsUri))
    }

    /// The port of the credentials URI.
    pub fn credentials_uri_port(&self) -> u16 {
        self.port(Service::CredentialsUri)
    }

    /// Lets the credentials URI hand out another key from now on. The old one stays good until its end.
    pub fn rotate_credentials_uri(&self) {
        self.services.credentials_uri.rotate();
    }
}

impl LocalCloudBuilder {
    /// The port of the credentials URI on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn credentials_uri_port(mut self, port: u16) -> Self {
        self.uri.port = port;
        self
    }

    /// User and password that requests to the credentials URI must send as Basic authorization; others get
    /// HTTP 401. The user has no colon. Default: none is asked for.
    #[must_use]
    pub fn credentials_uri_user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.uri.user = Some((user.into(), password.into()));
        self
    }

    /// A token that must stand at the end of the URI's path; others get HTTP 403. Default: none is asked for.
    #[must_use]
    pub fn credentials_uri_token(mut self, token: impl Into<String>) -> Self {
        self.uri.token = Some(token.into());
        self
    }
}
