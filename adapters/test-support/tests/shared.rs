//! One provider behind several libraries at once: a rotation and a revocation cost one fetch each.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use futures_util::future::{join, join_all};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStoreExt as _};
use opendal::services::Oss;
use opendal::{HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use oss_credentials_middleware::Signing;
use oss_credentials_object_store::{OssConnector, S3Connector, S3Credentials};
use oss_credentials_opendal::OssTransport;
use test_support::Case;

/// Stores and operators of each kind.
const EACH: usize = 8;

/// Finds the bucket's virtual host on loopback.
#[derive(Debug)]
struct Local(reqwest::Client);

impl HttpConnector for Local {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

fn signing(case: &Case) -> Signing {
    let endpoint = format!("localhost:{}", case.cloud.oss_port());
    Signing::oss(Arc::clone(&case.provider), case.cloud.region(), &endpoint).unwrap()
}

fn store(case: &Case) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_region(case.cloud.region())
        .with_bucket_name(case.cloud.bucket())
        .with_endpoint(case.bucket_url())
        .with_virtual_hosted_style_request(true)
        .with_allow_http(true)
}

fn s3(case: &Case) -> AmazonS3 {
    let credentials = Arc::new(S3Credentials::new(Arc::clone(&case.provider)));
    let connector = S3Connector::new(Arc::clone(&credentials));
    store(case)
        .with_credentials(credentials)
        .with_http_connector(connector.over(Local(case.http_client())))
        .build()
        .unwrap()
}

fn native(case: &Case) -> AmazonS3 {
    let connector = OssConnector::new(signing(case)).over(Local(case.http_client()));
    store(case)
        .with_skip_signature(true)
        .with_http_connector(connector)
        .build()
        .unwrap()
}

fn operator(case: &Case) -> Operator {
    let http = HttpTransporter::new(ReqwestTransport::new(case.http_client()));
    let transport = HttpTransporter::new(OssTransport::new(signing(case), http));
    let oss = Oss::default()
        .bucket(case.cloud.bucket())
        .endpoint(&format!("http://localhost:{}", case.cloud.oss_port()))
        .skip_signature();
    let context = OperationContext::new().with_http_transport(transport);
    Operator::new(oss).unwrap().with_context(context)
}

/// Reads the object with all of them at once.
async fn read(stores: &[AmazonS3], operators: &[Operator]) {
    let path = &Path::from("k");
    let from_stores = stores.iter().map(|store| async move {
        let found = store.get(path).await.unwrap();
        found.bytes().await.unwrap()
    });
    let from_operators = operators
        .iter()
        .map(|operator| async { operator.read("k").await.unwrap().to_bytes() });
    let (some, others) = join(join_all(from_stores), join_all(from_operators)).await;
    assert_eq!(some.len() + others.len(), stores.len() + operators.len());
    assert!(some.iter().chain(&others).all(|found| *found == "v"));
}

#[tokio::test]
async fn a_rotation_and_a_revocation_cost_one_fetch_each_whatever_shares_the_provider() {
    for case in Case::all() {
        let stores = (0..EACH).flat_map(|_| [native(&case), s3(&case)]);
        let stores: Vec<AmazonS3> = stores.collect();
        let operators: Vec<Operator> = (0..EACH).map(|_| operator(&case)).collect();
        operators[0].write("k", "v").await.unwrap();
        assert_eq!(case.fetches(), 1);

        case.rotate();
        read(&stores, &operators).await;
        assert_eq!(case.fetches(), 2);

        case.revoke();
        read(&stores, &operators).await;
        assert_eq!(case.fetches(), 3);
    }
}
