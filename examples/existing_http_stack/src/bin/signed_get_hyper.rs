//! A signed GET of an object over hyper, without a client of this family.
//!
//! Run it against a local cloud, which sets the keys and prints its endpoint and region:
//! `cargo run -p oss-testkit -- cargo run -p existing-http-stack --bin signed-get-hyper -- ENDPOINT REGION BUCKET KEY`

use std::error::Error;
use std::time::SystemTime;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oss_credentials_core::{Credentials, CredentialsProvider as _};
use oss_credentials_env::EnvProvider;
use oss_sign::v4::Signer;

/// The object to read.
struct Object<'a> {
    endpoint: &'a str,
    bucket: &'a str,
    key: &'a str,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, region, bucket, key] = arguments.as_slice() else {
        return Err("usage: signed-get-hyper ENDPOINT REGION BUCKET KEY".into());
    };
    // hyper follows no redirect, so a signature never reaches another host.
    let hyper = Client::builder(TokioExecutor::new()).build_http();
    let provider = EnvProvider::new();
    let signer = Signer::builder(region.as_str()).build()?;
    let object = Object {
        endpoint,
        bucket,
        key,
    };

    let credentials = provider.credentials().await?;
    let (mut status, mut body) = get(&hyper, &signer, &object, &credentials).await?;
    // Repeated once if the key was rejected and the provider has another one.
    if let Some(fresh) = oss_sign::credentials_for_retry(&provider, &credentials, status, &body).await {
        (status, body) = get(&hyper, &signer, &object, &fresh).await?;
    }
    let text = String::from_utf8_lossy(&body);
    if status != 200 {
        return Err(format!("HTTP {status}: {text}").into());
    }
    println!("{text}");
    Ok(())
}

async fn get(
    hyper: &Client<HttpConnector, Empty<Bytes>>,
    signer: &Signer,
    object: &Object<'_>,
    credentials: &Credentials,
) -> Result<(u16, Bytes), Box<dyn Error>> {
    let Object {
        endpoint,
        bucket,
        key,
    } = *object;
    // Path style, which an IP address needs. With a host of the service, the bucket is in front of the host.
    let path = oss_sign::url_path(Some(bucket), Some(key));
    let request = hyper::Request::get(format!("{endpoint}{path}")).body(Empty::new())?;
    let (mut parts, body) = request.into_parts();
    signer.sign_parts(
        &mut parts,
        Some(bucket),
        Some(key),
        credentials,
        SystemTime::now(),
    )?;
    let response = hyper.request(hyper::Request::from_parts(parts, body)).await?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}
