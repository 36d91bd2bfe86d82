//! Methods for tests: tokens of the OIDC provider that the account trusts.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::sts::oidc::{OidcToken, provider_arn};

/// Lifetime of the token that [`LocalCloud::write_oidc_token`] writes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

impl LocalCloud {
    /// Returns the ARN of the account's OIDC provider.
    pub fn oidc_provider_arn(&self) -> String {
        provider_arn(&self.state)
    }

    /// Creates a token that AssumeRoleWithOIDC accepts for this long; see [`OidcToken::lasting`].
    ///
    /// # Errors
    ///
    /// As [`LocalCloud::sign_oidc_token`].
    pub fn oidc_token(&self, lifetime: Duration) -> io::Result<String> {
        self.sign_oidc_token(&OidcToken::lasting(lifetime))
    }

    /// Signs a token with the key of the issuer, RS256. The key is generated at the first call.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Other`] if no key or signature could be generated, or the expiry is beyond what a clock can
    /// show.
    pub fn sign_oidc_token(&self, token: &OidcToken) -> io::Result<String> {
        let signed = self.services.sts.issuer.sign(token, self.state.now(0));
        signed.ok_or_else(|| io::Error::other("the OIDC token could not be signed"))
    }

    /// Writes a token that is valid for an hour into a file, for
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE`. An existing file is replaced in one step.
    ///
    /// # Errors
    ///
    /// As [`LocalCloud::sign_oidc_token`], and the errors of the file system.
    pub fn write_oidc_token(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.write_oidc_token_lasting(path, DEFAULT_LIFETIME)
    }

    /// Writes a token like [`LocalCloud::write_oidc_token`], with another lifetime.
    ///
    /// # Errors
    ///
    /// As [`LocalCloud::write_oidc_token`].
    pub fn write_oidc_token_lasting(&self, path: impl AsRef<Path>, lifetime: Duration) -> io::Result<()> {
        let path = path.as_ref();
        let token = self.oidc_token(lifetime)?;
        // Next to the file, so that it can replace the file in one step.
        let new = path.with_extension("new");
        std::fs::write(&new, token)?;
        std::fs::rename(&new, path)
    }
}

impl LocalCloudBuilder {
    /// Sets the issuer (`iss`) of the tokens of the account's OIDC provider. Default:
    /// `https://oidc.example.com`; no request is ever sent to it.
    #[must_use]
    pub fn oidc_issuer(mut self, url: impl Into<String>) -> Self {
        self.oidc.issuer = Some(url.into());
        self
    }

    /// Sets the client ID (`aud`) of the account's OIDC provider. Default: `sts.aliyuncs.com`.
    #[must_use]
    pub fn oidc_audience(mut self, client_id: impl Into<String>) -> Self {
        self.oidc.audience = Some(client_id.into());
        self
    }
}
