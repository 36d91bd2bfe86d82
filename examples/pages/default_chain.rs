//! The first example of docs/default-chain.md; a test holds the two together.

use std::error::Error;

use oss_credentials::{Credentials, CredentialsError, CredentialsProvider, DefaultProvider, provider_fn};

/// Uses the vault first, then two of the default members, and no others.
fn with_a_vault() -> Result<DefaultProvider, CredentialsError> {
    let vault = provider_fn("vault", || {
        Credentials::builder("example-id", "example-secret").build()
    });
    DefaultProvider::builder()
        .member("vault", Ok(vault))
        .order(["vault", "env", "profile"])
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = oss_credentials::default_provider()?;
    match provider.credentials().await {
        Ok(credentials) => println!("{credentials:?}, from {:?}", provider.answered()),
        // Member by member: what was looked for, what is wrong, and what to set.
        Err(_) => println!("{}", provider.explain().await),
    }
    println!("{}", with_a_vault()?.explain().await);
    Ok(())
}
