//! The example of docs/custom.md; a test holds the two together.

use std::error::Error;
use std::time::{Duration, SystemTime};

use oss_credentials_core::{
    Clock, Credentials, CredentialsError, CredentialsProvider, ErrorDetail, Fetched, RefreshingProvider,
    SystemClock, source_fn,
};

/// Represents your library, which blocks.
fn lease() -> std::io::Result<(String, String, SystemTime)> {
    let ends = SystemClock.now() + Duration::from_secs(3600);
    Ok(("example-id".to_owned(), "example-secret".to_owned(), ends))
}

fn unavailable(error: std::io::Error) -> CredentialsError {
    let what = "the vault did not answer";
    let detail = ErrorDetail::builder("vault", what).hint("retry later");
    CredentialsError::unavailable(detail.source(error))
}

fn provider() -> impl CredentialsProvider {
    let source = source_fn("vault", || async {
        // Blocking code must not run on the threads of tasks. The first error is the thread's, the second the vault's.
        let leased = tokio::task::spawn_blocking(lease).await;
        let (id, secret, ends) = leased
            .map_err(std::io::Error::from)
            .map_err(unavailable)?
            .map_err(unavailable)?;
        let credentials = Credentials::builder(id, secret).expires_at(ends).build()?;
        Ok(Fetched::from(credentials))
    });
    RefreshingProvider::builder(source)
        .background_refresh(true)
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{:?}", provider().credentials().await?);
    Ok(())
}
