//! Methods for tests: the credentials URI.

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::record::Service;

impl LocalCloud {
    /// Returns the credentials URI, with user and password or with the token in its path if the builder requires them.
    /// Requests to it have the action `GetCredentials`, those to another path `Unknown`.
    ///
    /// It returns the same key of the first role until less than a sixth of the key's lifetime of one hour is
    /// left.
    pub fn credentials_uri(&self) -> String {
        self.services
            .credentials_uri
            .uri(self.address(Service::CredentialsUri))
    }

    /// Returns the port of the credentials URI.
    pub fn credentials_uri_port(&self) -> u16 {
        self.port(Service::CredentialsUri)
    }

    /// Makes the credentials URI return another key from now on. The old one stays valid until it expires.
    pub fn rotate_credentials_uri(&self) {
        self.services.credentials_uri.rotate();
    }
}

impl LocalCloudBuilder {
    /// Sets the port of the credentials URI on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn credentials_uri_port(mut self, port: u16) -> Self {
        self.uri.port = port;
        self
    }

    /// Sets the user and password that requests to the credentials URI must send as Basic authorization; others get
    /// HTTP 401. The user name has no colon. Default: none is required.
    #[must_use]
    pub fn credentials_uri_user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.uri.user = Some((user.into(), password.into()));
        self
    }

    /// Sets a token that must be at the end of the URI's path; other requests get HTTP 403. Default: none is required.
    #[must_use]
    pub fn credentials_uri_token(mut self, token: impl Into<String>) -> Self {
        self.uri.token = Some(token.into());
        self
    }
}
