//! opendal's OSS service against the local cloud.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use opendal::layers::RetryLayer;
use opendal::services::Oss;
use opendal::{ErrorKind, HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use oss_credentials_core::{CredentialsError, CredentialsProvider, ErrorDetail, provider_fn};
use oss_credentials_middleware::Signing;
use oss_credentials_opendal::OssTransport;
use oss_testkit::Service;
use test_support::Case;

fn transport(case: &Case, provider: impl CredentialsProvider) -> OssTransport {
    let endpoint = format!("localhost:{}", case.cloud.oss_port());
    let signing = Signing::oss(provider, case.cloud.region(), &endpoint).unwrap();
    let http = ReqwestTransport::new(case.http_client());
    OssTransport::new(signing, HttpTransporter::new(http))
}

/// An operator that finds the bucket's virtual host on loopback.
fn operator(case: &Case, provider: impl CredentialsProvider) -> Operator {
    let transport = HttpTransporter::new(transport(case, provider));
    let oss = Oss::default()
        .bucket(case.cloud.bucket())
        .endpoint(&format!("http://localhost:{}", case.cloud.oss_port()))
        .skip_signature();
    Operator::new(oss)
        .unwrap()
        .with_context(OperationContext::new().with_http_transport(transport))
}

/// The versions of the signatures that the cloud has received.
fn signature_versions(case: &Case) -> Vec<String> {
    let requests = case.cloud.requests();
    let of_oss = requests
        .iter()
        .filter_map(|request| request.header("authorization"));
    let mut versions: Vec<String> = of_oss
        .filter_map(|value| Some(value.split_once(' ')?.0.to_owned()))
        .collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// What a program does with an operator.
async fn works(case: &Case, operator: &Operator) {
    for key in ["a b+c", "名字/é", "dir/plain.txt"] {
        operator.write(key, "0123456789").await.unwrap();
        assert_eq!(case.cloud.object(case.cloud.bucket(), key).unwrap(), "0123456789");
        assert_eq!(operator.read(key).await.unwrap().to_vec(), b"0123456789");
        assert_eq!(operator.stat(key).await.unwrap().content_length(), 10);
        operator.copy(key, &format!("copies/{key}")).await.unwrap();
    }
    let found = operator.list_with("copies/").recursive(true).await.unwrap();
    let files = found.iter().filter(|entry| entry.metadata().is_file()).count();
    assert_eq!(files, 3);

    let mut writer = operator
        .writer_with("large")
        .chunk(5 * 1024 * 1024)
        .await
        .unwrap();
    writer.write(vec![b'a'; 6 * 1024 * 1024]).await.unwrap();
    writer.close().await.unwrap();
    assert_eq!(
        operator.stat("large").await.unwrap().content_length(),
        6 * 1024 * 1024
    );

    operator.delete("large").await.unwrap();
    assert_eq!(
        operator.stat("large").await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    operator
        .delete_iter(found.into_iter().map(|entry| entry.path().to_owned()))
        .await
        .unwrap();
    let left = operator.list_with("copies/").recursive(true).await.unwrap();
    assert!(left.iter().all(|entry| !entry.metadata().is_file()), "{left:?}");
}

#[tokio::test]
async fn an_operator_works_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let operator = operator(&case, Arc::clone(&case.provider));
        works(&case, &operator).await;
        case.rotate();
        works(&case, &operator).await;
        assert_eq!(case.fetches(), 2);
        case.revoke();
        works(&case, &operator).await;
        assert_eq!(case.fetches(), 3);
        assert_eq!(signature_versions(&case), ["OSS4-HMAC-SHA256"]);
    }
}

#[tokio::test]
async fn errors_keep_the_texts_of_the_provider() {
    let case = Case::assume_role();
    let fails = provider_fn("vault", || {
        let detail = ErrorDetail::builder("vault", "the vault is locked").hint("unlock it");
        Err(CredentialsError::denied(detail))
    });
    let error = operator(&case, fails).read("k").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error
            .to_string()
            .contains("vault: the vault is locked; unlock it"),
        "{error}"
    );
}

/// As `write` and `read`, a request in the middle of an upload heals.
#[tokio::test]
async fn a_key_that_is_revoked_between_two_parts_is_replaced() {
    let case = Case::oidc();
    let operator = operator(&case, Arc::clone(&case.provider));
    let mut writer = operator.writer_with("large").chunk(5 << 20).await.unwrap();
    let mut written = 0;
    while case.cloud.count(Service::Oss, "UploadPart") == 0 {
        writer.write(vec![b'a'; 5 << 20]).await.unwrap();
        written += 5 << 20;
    }
    case.revoke();
    writer.write(vec![b'b'; 6 << 20]).await.unwrap();
    writer.close().await.unwrap();
    let size = operator.stat("large").await.unwrap().content_length();
    assert_eq!(size, written + (6 << 20));
    assert_eq!(case.fetches(), 2);
}

#[tokio::test]
async fn other_refusals_keep_their_kind_and_cost_no_fetch() {
    let case = Case::assume_role();
    let operator = operator(&case, Arc::clone(&case.provider));
    let error = operator.read("none").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("NoSuchKey"), "{error}");
    operator
        .write_with("once", "first")
        .if_not_exists(true)
        .await
        .unwrap();
    let error = operator
        .write_with("once", "second")
        .if_not_exists(true)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConditionNotMatch);
    assert_eq!(case.fetches(), 1);
}

#[tokio::test]
async fn presigned_urls_of_version_4_are_accepted_until_they_expire() {
    let expires = Duration::from_mins(10);
    for case in Case::all() {
        let operator = operator(&case, Arc::clone(&case.provider));
        let transport = transport(&case, Arc::clone(&case.provider));
        let unsigned = operator.presign_write("a b+名", expires).await.unwrap();
        let write = transport.presign(unsigned, expires).await.unwrap();
        let mut headers = write.header().clone();
        // opendal cannot know it.
        headers.remove("content-length");
        let request = case.http_client().put(write.uri().to_string()).headers(headers);
        assert_eq!(request.body("shared").send().await.unwrap().status(), 200);

        let unsigned = operator.presign_read("a b+名", expires).await.unwrap();
        let read = transport.presign(unsigned, expires).await.unwrap();
        let url = read.uri().to_string();
        assert!(url.contains("x-oss-signature-version=OSS4-HMAC-SHA256"), "{url}");
        assert!(url.contains("x-oss-expires=600"), "{url}");
        let response = case.http_client().get(url).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "shared");
    }
}

/// The provider's own retries are over when it returns such an error.
#[tokio::test]
async fn the_retry_layer_asks_again_where_a_later_attempt_may_succeed() {
    use std::sync::atomic::{AtomicU32, Ordering};

    let case = Case::assume_role();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let key = case.provider.credentials().await.unwrap();
    let recovers = provider_fn("vault", move || {
        if counted.fetch_add(1, Ordering::SeqCst) > 0 {
            return Ok(key.clone());
        }
        let detail = ErrorDetail::builder("vault", "the vault is restarting");
        Err(CredentialsError::unavailable(detail))
    });
    let retries = RetryLayer::new().with_min_delay(Duration::from_nanos(1));
    let operator = operator(&case, recovers).layer(retries);
    operator.write("k", "v").await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
