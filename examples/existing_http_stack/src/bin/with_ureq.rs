//! A program without any async runtime, whose HTTP client is ureq, takes its credentials from a URI.
//!
//! Reads `ALIBABA_CLOUD_CREDENTIALS_URI`. Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p existing-http-stack --bin with-ureq`

use std::error::Error;

use oss_credentials_core::{CredentialsProvider as _, ProcessEnv, blocking};
use oss_credentials_ureq::UreqClient;
use oss_credentials_uri::CredentialsUri;

fn main() -> Result<(), Box<dyn Error>> {
    // The agent that the program uses for everything else, too.
    let agent = ureq::Agent::new_with_defaults();
    let provider = CredentialsUri::from_env(&ProcessEnv)?
        .http_client(UreqClient::from_agent(agent))
        .build()?;

    // The first call fetches. From then on they are cached, also for code that may not wait.
    let credentials = blocking::wait(provider.credentials())?;
    println!("credentials from the URI: {credentials:?}");
    assert!(
        provider
            .cached()
            .is_some_and(|cached| cached.same_key_as(&credentials))
    );
    Ok(())
}
