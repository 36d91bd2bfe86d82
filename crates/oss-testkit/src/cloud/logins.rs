//! Methods for tests: CloudSSO and OAuth logins.

use std::time::Duration;

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::login::cloud_sso::CloudSsoLogin;
use crate::login::oauth::{OAuthLogin, OAuthSite};
use crate::record::Service;

/// CloudSSO.
impl LocalCloud {
    /// Returns the sign-in URL, `cloud_sso_sign_in_url` of a profile: `http://127.0.0.1:<port>/device/login`. Requests
    /// for credentials have the action `GetCloudCredentials`, all others `Unknown`.
    pub fn cloud_sso_sign_in_url(&self) -> String {
        format!("{}/device/login", self.url(Service::CloudSso))
    }

    /// Returns the port of CloudSSO.
    pub fn cloud_sso_port(&self) -> u16 {
        self.port(Service::CloudSso)
    }

    /// Returns the ID of the access configuration that logins may use: `cloud_sso_access_config` of a profile.
    pub fn cloud_sso_access_configuration(&self) -> &str {
        &self.services.cloud_sso.access_configuration
    }

    /// Logs in, as a person does in a browser. The login is valid for the cloud's
    /// [account](LocalCloud::account_id) and access configuration, and returns keys of the first role.
    pub fn cloud_sso_login(&self) -> CloudSsoLogin {
        self.services.cloud_sso.login()
    }

    /// Ends all logins of CloudSSO at once, as an administrator can.
    pub fn end_cloud_sso_logins(&self) {
        self.services.cloud_sso.end_logins();
    }
}

/// CloudSSO.
impl LocalCloudBuilder {
    /// Sets the port of CloudSSO on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn cloud_sso_port(mut self, port: u16) -> Self {
        self.cloud_sso.port = port;
        self
    }

    /// Sets how long a CloudSSO login is valid; whole seconds. Default: 8 hours.
    #[must_use]
    pub fn cloud_sso_login_lifetime(mut self, lifetime: Duration) -> Self {
        self.cloud_sso.lifetime = Some(lifetime);
        self
    }

    /// Sets the ID of the access configuration that logins may use. Default: `ac-example`.
    #[must_use]
    pub fn cloud_sso_access_configuration(mut self, id: impl Into<String>) -> Self {
        self.cloud_sso.access_configuration = Some(id.into());
        self
    }
}

/// The OAuth service.
impl LocalCloud {
    /// Returns the endpoint of the OAuth service, `http://127.0.0.1:<port>`, for both sites. Its requests have the
    /// actions
    /// `RefreshToken` and `Exchange`, all others `Unknown`.
    ///
    /// A profile names a site and no host, so a client that reads one reaches this endpoint only through
    /// [`LocalCloud::routed`].
    pub fn oauth_endpoint(&self) -> String {
        self.url(Service::OAuth)
    }

    /// Returns the port of the OAuth service.
    pub fn oauth_port(&self) -> u16 {
        self.port(Service::OAuth)
    }

    /// Logs in, as a person does in a browser. The login returns keys of the first role.
    pub fn oauth_login(&self, site: OAuthSite) -> OAuthLogin {
        self.services.oauth.login(site)
    }

    /// Returns the logins with their currently valid tokens, in the order in which they were made.
    pub fn oauth_logins(&self) -> Vec<OAuthLogin> {
        self.services.oauth.current_logins()
    }

    /// Ends all OAuth logins at once, as their user can: both tokens are refused from now on.
    pub fn end_oauth_logins(&self) {
        self.services.oauth.end_logins();
    }
}

/// The OAuth service.
impl LocalCloudBuilder {
    /// Sets the port of the OAuth service on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn oauth_port(mut self, port: u16) -> Self {
        self.oauth.port = port;
        self
    }

    /// Sets how long an access token of an OAuth login is valid; whole seconds. Default: 3 hours.
    #[must_use]
    pub fn oauth_access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth.access_lifetime = Some(lifetime);
        self
    }

    /// Sets how long an OAuth login can be renewed; whole seconds. Default: 30 days.
    #[must_use]
    pub fn oauth_login_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth.login_lifetime = Some(lifetime);
        self
    }

    /// Sets whether the names of the credentials' fields begin with a capital letter: the vendor's clients disagree.
    /// Default: no, `accessKeyId`.
    #[must_use]
    pub fn oauth_pascal_case(mut self, yes: bool) -> Self {
        self.oauth.pascal_case = yes;
        self
    }
}
