//! A signed GET of an object over ureq, without async code and without a client of this family.
//!
//! Run it against a local cloud, which sets the keys and prints its endpoint and region:
//! `cargo run -p oss-testkit -- cargo run -p existing-http-stack --bin signed-get-ureq -- ENDPOINT REGION BUCKET KEY`

use std::error::Error;
use std::time::SystemTime;

use oss_credentials_core::{Credentials, CredentialsProvider as _, blocking};
use oss_credentials_env::EnvProvider;
use oss_sign::v4::Signer;
use ureq::Agent;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, region, bucket, key] = arguments.as_slice() else {
        return Err("usage: signed-get-ureq ENDPOINT REGION BUCKET KEY".into());
    };
    // An error document is read like an object, and a signature never reaches another host by a redirect.
    let settings = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false);
    let agent = Agent::from(settings.build());
    let provider = EnvProvider::new();
    let signer = Signer::builder(region.as_str()).build()?;

    let get = |credentials: &Credentials| -> Result<(u16, Vec<u8>), Box<dyn Error>> {
        // Path style, which an IP address needs. With a host of the service, the bucket is in front of the host.
        let path = oss_sign::url_path(Some(bucket), Some(key));
        let request = ureq::http::Request::get(format!("{endpoint}{path}")).body(())?;
        let (mut parts, ()) = request.into_parts();
        signer.sign_parts(
            &mut parts,
            Some(bucket),
            Some(key),
            credentials,
            SystemTime::now(),
        )?;
        let mut response = agent.run(ureq::http::Request::from_parts(parts, ()))?;
        let body = response.body_mut().read_to_vec()?;
        Ok((response.status().as_u16(), body))
    };

    let credentials = blocking::wait(provider.credentials())?;
    let (mut status, mut body) = get(&credentials)?;
    // Repeated once if the key was rejected and the provider has another one.
    let fresh = oss_sign::credentials_for_retry(&provider, &credentials, status, &body);
    if let Some(fresh) = blocking::wait(fresh) {
        (status, body) = get(&fresh)?;
    }
    let text = String::from_utf8_lossy(&body);
    if status != 200 {
        return Err(format!("HTTP {status}: {text}").into());
    }
    println!("{text}");
    Ok(())
}
