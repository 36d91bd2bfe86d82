//! URLs of all operations, used by others, and how long they last.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use common::{Keys, NOW, builder, of_cloud};
use oss_client::{Error, LimitedBy, Presign, PresignedRequest, SignatureVersion};
use oss_credentials_core::{Credentials, CredentialsError, ErrorDetail};
use oss_testkit::LocalCloud;
use reqwest::{Method, Response};

const HOUR: Duration = Duration::from_secs(3600);

async fn used(url: PresignedRequest, body: &'static str) -> Response {
    let method = Method::from_bytes(url.method().as_bytes()).unwrap();
    let mut request = reqwest::Client::new().request(method, url.url()).body(body);
    for (name, value) in url.headers() {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

/// What stands in an element of a document.
fn element<'a>(document: &'a str, name: &str) -> &'a str {
    let (_, rest) = document.split_once(&format!("<{name}>")).unwrap();
    rest.split_once("</").unwrap().0
}

#[tokio::test]
async fn others_can_do_each_operation_by_its_url() {
    let cloud = LocalCloud::start().await.unwrap();
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = of_cloud(&cloud).signature_version(version).build().unwrap();
        let (bucket, key) = (cloud.bucket(), "/a b+c/100%/报告.txt");
        let put = client
            .put_object(bucket, key, "")
            .content_type("text/x")
            .metadata("m", "1");
        let put = put.presign(HOUR).await.unwrap();
        assert_eq!(put.headers().count(), 2);
        assert_eq!(used(put, "hello").await.status(), 200);
        let get = client.get_object(bucket, key).response_content_type("text/y");
        let answer = used(get.presign(HOUR).await.unwrap(), "").await;
        assert_eq!(answer.headers()["content-type"], "text/y");
        assert_eq!(answer.text().await.unwrap(), "hello");
        let head = client.head_object(bucket, key).presign(HOUR).await.unwrap();
        assert_eq!(head.method(), "HEAD");
        assert_eq!(used(head, "").await.headers()["x-oss-meta-m"], "1");

        let first_step = client
            .initiate_multipart_upload(bucket, key)
            .presign(HOUR)
            .await
            .unwrap();
        assert_eq!((first_step.method(), first_step.headers().count()), ("POST", 0));
        let document = used(first_step, "").await.text().await.unwrap();
        let id = element(&document, "UploadId");
        let part = client
            .upload_part(bucket, key, id, 7, "")
            .presign(HOUR)
            .await
            .unwrap();
        let answer = used(part, "part").await;
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        let complete = client.complete_multipart_upload(bucket, key, id);
        let url = complete.complete_all().presign(HOUR).await.unwrap();
        assert_eq!(
            url.headers().collect::<Vec<_>>(),
            [("x-oss-complete-all", &b"yes"[..])]
        );
        let document = used(url, "").await.text().await.unwrap();
        assert!(document.contains("CompleteMultipartUploadResult"), "{document}");
        assert_eq!(cloud.object(bucket, key).unwrap(), "part");
        assert!(etag.starts_with('"'));

        let begun = client.initiate_multipart_upload(bucket, key).await.unwrap();
        let abort = client.abort_multipart_upload(bucket, key, &begun.upload_id);
        let abort = abort.presign(HOUR).await.unwrap();
        assert_eq!(abort.method(), "DELETE");
        assert_eq!(used(abort, "").await.status(), 204);
        let again = client.abort_multipart_upload(bucket, key, &begun.upload_id).await;
        assert_eq!(again.unwrap_err().code(), Some("NoSuchUpload"));
    }
}

fn key(number: usize, lifetime: u64) -> Credentials {
    Credentials::builder(format!("STS.FakeTempKeyId000{number}"), "canary-secret")
        .security_token("canary-token")
        .expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + lifetime))
        .build()
        .unwrap()
}

/// A URL for an hour by a key that lasts so many seconds.
fn presign(lifetime: u64) -> Presign {
    let client = builder("http://127.0.0.1:1", Keys::of([key(1, lifetime)]))
        .build()
        .unwrap();
    client.presign_get("examplebucket", "k", HOUR)
}

/// How long the URL lasts, in seconds, and by which key.
fn lasts(url: &PresignedRequest) -> (u64, char) {
    let until = url.valid_until().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let (_, rest) = url.url().split_once("STS.FakeTempKeyId000").unwrap();
    (until.as_secs() - NOW, rest.chars().next().unwrap())
}

#[tokio::test]
async fn a_url_ends_with_its_credentials_unless_that_is_not_wanted() {
    let url = presign(600).await.unwrap();
    assert_eq!(
        (lasts(&url), url.limited_by()),
        ((600, '1'), LimitedBy::Credentials)
    );
    let error = presign(600).must_last().await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)));
    assert_eq!(
        error.to_string(),
        "oss-client: the credentials end before the URL is to end; ask for a shorter life, or sign with credentials \
         that last longer"
    );
    let url = presign(3600).must_last().await.unwrap();
    assert_eq!((lasts(&url), url.limited_by()), ((3600, '1'), LimitedBy::Asked));
}

#[tokio::test]
async fn credentials_are_refreshed_first_where_that_helps() {
    let refreshes = Arc::new(AtomicUsize::new(0));
    let to = |answer: Result<Credentials, CredentialsError>| {
        let refreshes = Arc::clone(&refreshes);
        move || {
            refreshes.fetch_add(1, Ordering::SeqCst);
            std::future::ready(answer)
        }
    };
    let failed = || {
        let detail = ErrorDetail::builder("keys", "throttled").build();
        Err(CredentialsError::unavailable(detail))
    };
    for (url, expected) in [
        (presign(600).refresh_first(to(Ok(key(2, 7200)))), (3600, '2')),
        (presign(600).refresh_first(to(Ok(key(2, 1200)))), (1200, '2')),
        // A source that repeats what it has, or does not answer, takes nothing away.
        (presign(600).refresh_first(to(Ok(key(2, 300)))), (600, '1')),
        (presign(600).refresh_first(to(failed())), (600, '1')),
    ] {
        assert_eq!(lasts(&url.await.unwrap()), expected);
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 4);
    let enough = presign(3600).refresh_first(to(failed())).must_last();
    assert_eq!(lasts(&enough.await.unwrap()), (3600, '1'));
    assert_eq!(refreshes.load(Ordering::SeqCst), 4);
    let both = |answer| presign(600).refresh_first(to(answer)).must_last();
    assert_eq!(lasts(&both(Ok(key(2, 7200))).await.unwrap()), (3600, '2'));
    for short in [Ok(key(2, 1200)), failed()] {
        assert!(matches!(both(short).await, Err(Error::InvalidInput(_))));
    }
}
