//! A program without an async runtime, with ureq as its HTTP client, that gets its credentials from a URI.
//!
//! Reads `ALIBABA_CLOUD_CREDENTIALS_URI`. Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p existing-http-stack --bin with-ureq`

use std::error::Error;

use oss_credentials_core::{CredentialsProvider as _, ProcessEnv, blocking};
use oss_credentials_ureq::UreqClient;
use oss_credentials_uri::CredentialsUri;

fn main() -> Result<(), Box<dyn Error>> {
    // The agent that the program also uses for everything else.
    let agent = ureq::Agent::new_with_defaults();
    let provider = CredentialsUri::from_env(&ProcessEnv)?
        .http_client(UreqClient::from_agent(agent))
        .build()?;

    // The first call fetches. After that, the credentials are cached, also for code that must not wait.
    let credentials = blocking::wait(provider.credentials())?;
    println!("credentials from the URI: {credentials:?}");
    assert!(
        provider
            .cached()
            .is_some_and(|cached| cached.same_key_as(&credentials))
    );
    Ok(())
}
