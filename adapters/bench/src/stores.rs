//! Clients that send.

use std::error::Error;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;

use benches::setting::{BUCKET, REGION};
use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::client::{HttpClient, HttpConnector};
use object_store::{ClientOptions, ObjectStoreExt as _};
use opendal::services::Oss;
use opendal::{HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use oss_credentials_middleware::Signing;
use oss_credentials_object_store::{OssConnector, S3Connector, S3Credentials};
use oss_credentials_opendal::OssTransport;

use crate::{KEY, Outcome, credentials, provider};

const SMALL: Bytes = Bytes::from_static(&[b'x'; 1024]);

/// The server as `localhost`, and a client that finds the bucket's host there.
struct Server {
    host: String,
    client: reqwest::Client,
}

impl Server {
    fn at(address: &str) -> Result<Self, Box<dyn Error>> {
        let address: SocketAddr = address.parse()?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .resolve(&format!("{BUCKET}.localhost"), address);
        Ok(Self {
            host: format!("localhost:{}", address.port()),
            client: client.build()?,
        })
    }

    fn signing(&self) -> Result<Signing, Box<dyn Error>> {
        Ok(Signing::oss(provider(), REGION, &self.host)?)
    }
}

pub(crate) async fn opendal(how: &str, what: &str, address: &str, count: usize) -> Outcome {
    let server = Server::at(address)?;
    let mut oss = Oss::default()
        .bucket(BUCKET)
        .endpoint(&format!("http://{}", server.host));
    let mut transport = HttpTransporter::new(ReqwestTransport::new(server.client.clone()));
    match how {
        "none" => oss = oss.skip_signature(),
        "own" => {
            let keys = credentials();
            oss = oss
                .access_key_id(keys.access_key_id())
                .access_key_secret(keys.access_key_secret())
                .security_token(keys.security_token().unwrap_or_default());
        }
        "ours" => {
            oss = oss.skip_signature();
            transport = HttpTransporter::new(OssTransport::new(server.signing()?, transport));
        }
        _ => return Ok(false),
    }
    let context = OperationContext::new().with_http_transport(transport);
    let operator = Operator::new(oss)?.with_context(context);
    for _ in 0..count {
        match what {
            "get" => drop(black_box(operator.read(KEY).await?)),
            "put" => drop(black_box(operator.write(KEY, SMALL).await?)),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Sends through the same client as the others.
#[derive(Debug)]
struct Local(reqwest::Client);

impl HttpConnector for Local {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

pub(crate) async fn object_store(how: &str, what: &str, address: &str, count: usize) -> Outcome {
    let server = Server::at(address)?;
    let builder = AmazonS3Builder::new()
        .with_region(REGION)
        .with_bucket_name(BUCKET)
        .with_endpoint(format!("http://{BUCKET}.{}", server.host))
        .with_virtual_hosted_style_request(true)
        .with_allow_http(true);
    let local = Local(server.client.clone());
    let builder = match how {
        "none" => builder.with_skip_signature(true).with_http_connector(local),
        "own" => {
            let keys = credentials();
            builder
                .with_access_key_id(keys.access_key_id())
                .with_secret_access_key(keys.access_key_secret())
                .with_token(keys.security_token().unwrap_or_default())
                .with_http_connector(local)
        }
        "s3" => builder
            .with_credentials(Arc::new(S3Credentials::new(provider())))
            .with_http_connector(local),
        "connector" => {
            let credentials = Arc::new(S3Credentials::new(provider()));
            let connector = S3Connector::new(Arc::clone(&credentials)).over(local);
            builder
                .with_credentials(credentials)
                .with_http_connector(connector)
        }
        "native" => builder
            .with_skip_signature(true)
            .with_http_connector(OssConnector::new(server.signing()?).over(local)),
        _ => return Ok(false),
    };
    let (store, path) = (builder.build()?, KEY.into());
    for _ in 0..count {
        match what {
            "get" => {
                let found = store.get(&path).await?;
                drop(black_box(found.bytes().await?));
            }
            "put" => drop(black_box(store.put(&path, SMALL.into()).await?)),
            _ => return Ok(false),
        }
    }
    Ok(true)
}
