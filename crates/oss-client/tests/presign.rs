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
use oss_client::oss_sign::SignError;
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
        let (bucket, key) = (cloud.bucket(), "a b+c/100%/报告.txt");
        let put = client
            .put_object(bucket, key, "")
            .content_type("text/x")
            .metadata("m", "1");
        let put = put.presign(HOUR).await.unwrap();
        assert_eq!(put.headers().count(), 2);
        assert_eq!(used(put, "hello").await.status(), 200);
        let get = client.get_object(bucket, key).response_content_type("text/y");
        let response = used(get.presign(HOUR).await.unwrap(), "").await;
        assert_eq!(response.headers()["content-type"], "text/y");
        assert_eq!(response.text().await.unwrap(), "hello");
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
        let response = used(part, "part").await;
        let etag = response.headers()["etag"].to_str().unwrap().to_owned();
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
        "oss-client: the credentials expire before the URL should; request a shorter lifetime, or sign with credentials \
         that last longer"
    );
    let url = presign(3600).must_last().await.unwrap();
    assert_eq!((lasts(&url), url.limited_by()), ((3600, '1'), LimitedBy::Asked));
}

#[tokio::test]
async fn credentials_are_refreshed_first_where_that_helps() {
    let refreshes = Arc::new(AtomicUsize::new(0));
    let to = |response: Result<Credentials, CredentialsError>| {
        let refreshes = Arc::clone(&refreshes);
        move || {
            refreshes.fetch_add(1, Ordering::SeqCst);
            std::future::ready(response)
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
    let both = |response| presign(600).refresh_first(to(response)).must_last();
    assert_eq!(lasts(&both(Ok(key(2, 7200))).await.unwrap()), (3600, '2'));
    for short in [Ok(key(2, 1200)), failed()] {
        assert!(matches!(both(short).await, Err(Error::InvalidInput(_))));
    }
}

/// What an attacker, or a hurried caller, may hand in. Where it is not refused, the URL leads to exactly this object.
#[tokio::test]
async fn odd_keys_lead_to_themselves() {
    let cloud = LocalCloud::start().await.unwrap();
    let bucket = cloud.bucket();
    let keys = [
        "a\r\nx-oss-acl: public-read\r\n\r\nb",
        "a?x-oss-process=1&b=c",
        "a#b",
        "a%2Fb",
        "a%2fb",
        "%2e%2e/b",
        "a//b",
        "/a",
        "//a",
        "a/",
        " ",
        "\\",
        "a\\..\\b",
        "\u{0}\u{7f}",
        "a+b",
        "@host/a",
        "http://elsewhere.example/a",
        "...",
    ];
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = of_cloud(&cloud).signature_version(version).build().unwrap();
        for key in keys {
            let put = match client.presign_put(bucket, key, HOUR).await {
                // With V1, the URL of this key would also be that of the key `a` with a parameter.
                Err(Error::Sign(SignError::AmbiguousResource { .. })) => {
                    assert_eq!((version, key), (SignatureVersion::V1, "a?x-oss-process=1&b=c"));
                    continue;
                }
                presigned => presigned.unwrap(),
            };
            assert!(!put.url().contains(['\r', '\n', ' ', '#', '\\']), "{}", put.url());
            if key.starts_with(['/', '\\']) {
                // The service knows no such object, and reads no other key in the URL.
                assert_eq!(used(put, key).await.status(), 400, "{key:?}");
                continue;
            }
            assert_eq!(used(put, key).await.status(), 200, "{key:?}");
            assert_eq!(cloud.object(bucket, key).unwrap(), key, "{key:?}");
            let get = client.presign_get(bucket, key, HOUR).await.unwrap();
            assert_eq!(used(get, "").await.text().await.unwrap(), key);
        }
    }
}

#[tokio::test]
async fn what_a_url_cannot_say_is_refused_before_credentials_are_fetched() {
    let keys = Keys::new(1);
    let client = builder("http://127.0.0.1:1", keys.clone())
        .additional_headers(["if-match", "cache-control"])
        .build()
        .unwrap();
    let get = || client.presign_get("examplebucket", "k", HOUR);
    let put = || client.put_object("examplebucket", "k", "");
    let unbound = |name: &str| {
        format!(
            "oss-client: a URL cannot bind the header {name:?}; leave it out, since the user of the URL may send it, or \
             list it in `additional_headers` (V4)"
        )
    };
    let own = |name: &str| {
        format!(
            "oss-client: the query parameter {name:?} is part of the signature of a URL; leave it out: the signature \
             is made here"
        )
    };
    for (presign, expected) in [
        (get().query("x-oss-signature", "s"), own("x-oss-signature")),
        (get().query("x-oss-expires", "604800"), own("x-oss-expires")),
        (get().query("Expires", "1"), own("Expires")),
        (get().query("security-token", "t"), own("security-token")),
        (
            client.get_object("examplebucket", "k").range(..9).presign(HOUR),
            unbound("range"),
        ),
        (
            put().content_disposition("attachment").presign(HOUR),
            unbound("content-disposition"),
        ),
        // Listed, and not signed without a value.
        (put().cache_control(" ").presign(HOUR), unbound("cache-control")),
    ] {
        let error = presign.await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(keys.asked(), 0);
    let bound = get().header("If-Match", "e").header("X-OSS-Meta-A", "1").await;
    let bound = bound.unwrap();
    let headers: Vec<_> = bound.headers().collect();
    assert_eq!(headers, [("if-match", &b"e"[..]), ("x-oss-meta-a", b"1")]);
}

#[tokio::test]
async fn the_version_of_the_signature_says_how_long_a_url_can_live() {
    let client = |version| {
        let client = builder("http://127.0.0.1:1", Keys::new(1)).signature_version(version);
        client.build().unwrap()
    };
    let refused = async |version, expires| {
        let url = client(version).presign_get("examplebucket", "k", expires);
        url.await.unwrap_err().to_string()
    };
    let over = Duration::from_secs(7 * 86_400) + Duration::from_nanos(1);
    assert_eq!(
        refused(SignatureVersion::V4, over).await,
        "oss-sign: a presigned URL cannot live for 604801 seconds; use 1 to 604800 (7 days)"
    );
    let short = Duration::from_millis(999);
    assert_eq!(
        refused(SignatureVersion::V1, short).await,
        "oss-sign: a V1 URL cannot live for 0 seconds; use at least 1, and an expiry before the year 10000"
    );
    assert!(
        client(SignatureVersion::V1)
            .presign_get("examplebucket", "k", over)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn ended_credentials_make_no_url() {
    let error = presign(0).await.unwrap_err();
    assert!(
        error.to_string().contains("the credentials have expired"),
        "{error}"
    );
}
