//! Tokens of the OIDC provider that the account trusts, as a test makes them.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::LocalCloud;
use crate::builder::LocalCloudBuilder;
use crate::sts::oidc::{OidcToken, provider_arn};

/// Life of the token that [`LocalCloud::write_oidc_token`] writes.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

impl LocalCloud {
    /// ARN of the account's OIDC provider.
    pub fn oidc_provider_arn(&self) -> String {
        provider_arn(&self.state)
    }

    /// A token that AssumeRoleWithOIDC takes for this long; see [`OidcToken::lasting`].
    ///
    /// # Errors
    ///
    /// As [`LocalCloud::sign_oidc_token`].
    pub fn oidc_token(&self, lifetime: Duration) -> io::Result<String> {
        self.sign_oidc_token(&OidcToken::lasting(lifetime))
    }

    /// Signs a token with the key of the issuer, RS256. The key is made at the first call.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Other`] if no key or signature could be made, or the end is beyond what a clock can
    /// show.
    pub fn sign_oidc_token(&self, token: &OidcToken) -> io::Result<String> {
        let signed = self.services.sts.issuer.sign(token, self.state.now(0));
        signed.ok_or_else(|| io::Error::other("the OIDC token could not be signed"))
    }

    /// Writes a token that is good for an hour into a file, for
    /// `ALIBABA_CLOUD_OIDC_TOKEN_FILE`. A file that is there is replaced in one step.
    ///
    /// # Errors
    ///
    /// As [`LocalCloud::sign_oidc_token`], and what the file system says.
    pub fn write_oidc_token(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.write_oidc_token_lasting(path, DEFAULT_LIFETIME)
    }

    /// [`LocalCloud::write_oidc_token`] with another life of the token.
    ///
    /// # Errors
    ///
    /// As [`LocalCloud::write_oidc_token`].
    pub fn write_oidc_token_lasting(&self, path: impl AsRef<Path>, lifetime: Duration) -> io::Result<()> {
        let path = path.as_ref();
        let token = self.oidc_token(lifetime)?;
        // Beside the file, so that it can take the file's place in one step.
        let new = path.with_extension("new");
        std::fs::write(&new, token)?;
        std::fs::rename(&new, path)
    }
}

impl LocalCloudBuilder {
    /// The issuer (`iss`) of the tokens that the account's OIDC provider stands for. Default:
    /// `https://oidc.example.com`; nothing is ever asked of it.
    #[must_use]
    pub fn oidc_issuer(mut self, url: impl Into<String>) -> Self {
        self.oidc.issuer = Some(url.into());
        self
    }

    /// The client id (`aud`) of the account's OIDC provider. Default: `sts.aliyuncs.com`.
    #[must_use]
    pub fn oidc_audience(mut self, client_id: impl Into<String>) -> Self {
        self.oidc.audience = Some(client_id.into());
        self
    }
}
