//! Three ways to use credentials from a source that no crate of the family supports.
//!
//! `cargo run -p oss-testkit -- cargo run --example custom`

mod whoami;

use std::error::Error;
use std::time::Duration;

use oss_credentials_core::{
    BoxFuture, Credentials, CredentialsError, CredentialsSource, Fetched, RefreshingProvider, provider_fn,
    source_fn,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // 1. Long-lived keys that are always available: a closure, called for every request.
    let settings = provider_fn("settings", || {
        let (id, secret) = vault::lookup()?;
        Credentials::builder(id, secret).build()
    });
    whoami::show(&settings).await?;

    // 2. Keys that expire: an async closure that fetches, inside the cache that refreshes in time.
    let source = source_fn("vault", || async {
        // Blocking code must not run on the threads of tasks.
        let (id, secret, ends) = tokio::task::spawn_blocking(vault::lease)
            .await
            .map_err(|error| vault::unavailable().source(error))
            .map_err(CredentialsError::unavailable)??;
        Ok(Fetched::from(
            Credentials::builder(id, secret).expires_at(ends).build()?,
        ))
    });
    let leased = RefreshingProvider::builder(source)
        .background_refresh(true)
        .build();
    whoami::show(&leased).await?;

    // 3. Your own type, for settings, state or a crate to publish.
    let source = Vault {
        refresh_after: Duration::from_secs(600),
    };
    whoami::show(&RefreshingProvider::new(source)).await
}

/// Fetches from the vault, and fetches again after a while although the keys do not expire.
#[derive(Debug)]
struct Vault {
    refresh_after: Duration,
}

impl CredentialsSource for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async {
            let (id, secret) = vault::lookup()?;
            let credentials = Credentials::builder(id, secret).build()?;
            Ok(Fetched::new(credentials).with_refresh_after(self.refresh_after))
        })
    }
}

/// Represents a third-party client library, which blocks.
mod vault {
    use std::time::{Duration, SystemTime};

    use oss_credentials_core::{
        Clock as _, CredentialsError, Env as _, ErrorDetail, ErrorDetailBuilder, ProcessEnv, SystemClock,
    };

    pub(crate) fn lookup() -> Result<(String, String), CredentialsError> {
        let entry = |name: &'static str| {
            ProcessEnv.non_empty(name).ok_or_else(|| {
                // Reports errors like the family's own providers; a chain continues after this one.
                CredentialsError::not_configured(
                    ErrorDetail::builder("vault", "there is no such entry")
                        .place(name)
                        .hint("store the key under this name"),
                )
            })
        };
        Ok((
            entry("ALIBABA_CLOUD_ACCESS_KEY_ID")?,
            entry("ALIBABA_CLOUD_ACCESS_KEY_SECRET")?,
        ))
    }

    pub(crate) fn lease() -> Result<(String, String, SystemTime), CredentialsError> {
        let (id, secret) = lookup()?;
        Ok((id, secret, SystemClock.now() + Duration::from_secs(3600)))
    }

    pub(crate) fn unavailable() -> ErrorDetailBuilder {
        ErrorDetail::builder("vault", "the vault did not answer").hint("retry later")
    }
}
