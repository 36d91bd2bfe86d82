//! Whole operations against a local cloud that checks every signature.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use oss_client::{Body, Client, Error, NoRetry};
use oss_credentials_core::{CredentialsProvider, Fetched, RefreshingProvider, source_fn};
use oss_credentials_static::StaticProvider;
use oss_testkit::{BucketAcl, Fault, LocalCloud, Service};

fn client(cloud: &LocalCloud, provider: impl CredentialsProvider) -> Client {
    Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(provider)
        .retry(NoRetry)
        .build()
        .unwrap()
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn objects_with_odd_keys_are_stored_read_and_deleted() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = client(&cloud, cloud.access_key());
    for (key, path) in [
        ("plain.txt", "/plain.txt"),
        ("my dir/a b  c.txt", "/my%20dir/a%20b%20%20c.txt"),
        ("a+b/c++.txt", "/a%2Bb/c%2B%2B.txt"),
        ("100%/a%2Fb%20c", "/100%25/a%252Fb%2520c"),
        (
            "目录/文件名.txt",
            "/%E7%9B%AE%E5%BD%95/%E6%96%87%E4%BB%B6%E5%90%8D.txt",
        ),
        ("dir//sub/", "/dir//sub/"),
        ("what?is#this", "/what%3Fis%23this"),
    ] {
        cloud.forget_requests();
        let bucket = cloud.bucket();
        let stored = client
            .put_object(bucket, key, key)
            .content_type("text/x")
            .send()
            .await;
        let etag = stored.unwrap().etag().unwrap().to_owned();
        assert_eq!(cloud.object(bucket, key).unwrap(), key, "{key}");
        let head = client.head_object(bucket, key).send().await.unwrap();
        assert_eq!(
            head.content_length(),
            Some(u64::try_from(key.len()).unwrap()),
            "{key}"
        );
        assert_eq!((head.etag(), head.content_type()), (Some(&*etag), Some("text/x")));
        let object = client.get_object(bucket, key).send().await.unwrap();
        assert!(object.request_id().is_some());
        assert_eq!(object.bytes().await.unwrap(), key);
        assert_eq!(
            client.delete_object(bucket, key).send().await.unwrap().status(),
            204
        );
        assert!(cloud.object(bucket, key).is_none());
        for request in cloud.requests() {
            assert_eq!(request.path(), format!("/{bucket}{path}"));
        }
    }
}

#[tokio::test]
async fn bodies_stream_in_both_directions() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = client(&cloud, cloud.access_key());
    let bucket = cloud.bucket();
    let piece = Bytes::from(vec![9; 300_000]);
    let pieces = || stream::iter(vec![piece.clone(); 10]).map(Ok::<_, io::Error>);
    for body in [
        Body::sized_stream(pieces(), 3_000_000),
        Body::stream(pieces()),
        vec![9; 3_000_000].into(),
    ] {
        client.put_object(bucket, "big", body).send().await.unwrap();
        let object = client.get_object(bucket, "big").send().await.unwrap();
        assert_eq!(object.head().content_length(), Some(3_000_000));
        let (head, mut body) = object.into_parts();
        assert_eq!(head.status(), 200);
        let mut length = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.unwrap();
            assert!(piece.iter().all(|byte| *byte == 9));
            length += piece.len();
        }
        assert_eq!(length, 3_000_000);
        client.delete_object(bucket, "big").send().await.unwrap();
    }
    client.put_object(bucket, "empty", "").send().await.unwrap();
    let object = client.get_object(bucket, "empty").send().await.unwrap();
    assert!(object.bytes().await.unwrap().is_empty());
    let part = client.put_object(bucket, "digits", "0123456789").send().await;
    part.unwrap();
    let part = client.get_object(bucket, "digits").header("range", "bytes=2-4");
    let part = part.send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), "234");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_by_a_refreshing_provider() {
    let cloud = Arc::new(LocalCloud::start().await.unwrap());
    let issuer = Arc::clone(&cloud);
    let provider = RefreshingProvider::new(source_fn("issuer", move || {
        let key = issuer.issue(60 * MINUTE);
        async move { Ok(Fetched::from(key.unwrap())) }
    }));
    let client = client(&cloud, provider.clone());
    client.put_object(cloud.bucket(), "k", "1").send().await.unwrap();
    let first = provider.cached().unwrap();
    assert!(cloud.revoke(first.access_key_id()));
    client.put_object(cloud.bucket(), "k", "2").send().await.unwrap();
    assert!(!provider.cached().unwrap().same_key_as(&first));
    assert_eq!(cloud.count(Service::Oss, "PutObject"), 3);
    assert_eq!(cloud.requests()[1].error_code(), Some("InvalidSecurityToken"));
}

#[tokio::test]
async fn a_skewed_clock_costs_one_request() {
    let cloud = LocalCloud::start().await.unwrap();
    cloud.set_clock_offset(-7200);
    let client = client(&cloud, cloud.access_key());
    for _ in 0..3 {
        client.put_object(cloud.bucket(), "k", "x").send().await.unwrap();
    }
    assert_eq!(cloud.count(Service::Oss, "PutObject"), 4);
    assert_eq!(cloud.requests()[0].error_code(), Some("RequestTimeTooSkewed"));
    // The URL is made for the service's clock.
    let url = client.presign_get(cloud.bucket(), "k", MINUTE).await.unwrap();
    assert_eq!(reqwest::get(url.url()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn errors_carry_code_request_id_and_ec() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = client(&cloud, cloud.access_key());
    let get = client
        .get_object(cloud.bucket(), "nope")
        .send()
        .await
        .unwrap_err();
    let head = client
        .head_object(cloud.bucket(), "nope")
        .send()
        .await
        .unwrap_err();
    for error in [get, head] {
        let error = error.service().unwrap();
        assert_eq!((error.status().as_u16(), error.code()), (404, "NoSuchKey"));
        assert_eq!(error.request_id().unwrap().len(), 24);
        assert_eq!(error.ec(), Some("0026-00000001"));
        assert_eq!(error.message(), "The specified key does not exist.");
    }
    let error = client.get_object("no-such-bucket", "k").send().await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchBucket"));

    let id = cloud.access_key().access_key_id().to_owned();
    let wrong = StaticProvider::access_key(id, "wrong-secret").unwrap();
    let refused = self::client(&cloud, wrong)
        .get_object(cloud.bucket(), "k")
        .send()
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Some("SignatureDoesNotMatch"));
    assert!(
        refused
            .service()
            .unwrap()
            .field("StringToSign")
            .unwrap()
            .starts_with("OSS4-HMAC-SHA256")
    );
}

#[tokio::test]
async fn presigned_urls_work_for_others_until_they_are_changed() {
    let cloud = LocalCloud::start().await.unwrap();
    let temporary = cloud.issue(60 * MINUTE).unwrap();
    let client = client(&cloud, temporary);
    let bucket = cloud.bucket();
    let http = reqwest::Client::new();

    let url = client
        .presign_put(bucket, "a b+c.txt", MINUTE)
        .content_type("text/plain")
        .header("x-oss-meta-author", "alice")
        .await
        .unwrap();
    let upload = || {
        let mut request = http.put(url.url()).body("hello");
        for (name, value) in url.headers() {
            request = request.header(name, value);
        }
        request
    };
    assert_eq!(upload().send().await.unwrap().status(), 200);
    assert_eq!(cloud.object(bucket, "a b+c.txt").unwrap(), "hello");
    let other = upload().header("x-oss-meta-other", "x").send().await.unwrap();
    assert_eq!(other.status(), 403);

    let disposition = "attachment; filename=\"a b+c 报告.pdf\"";
    let url = client
        .presign_get(bucket, "a b+c.txt", MINUTE)
        .query("response-content-disposition", disposition)
        .await
        .unwrap();
    assert_eq!(url.headers().count(), 0);
    let read = http.get(url.url()).send().await.unwrap();
    assert_eq!(
        read.headers()["content-disposition"].as_bytes(),
        disposition.as_bytes()
    );
    assert_eq!(read.text().await.unwrap(), "hello");
    let changed = url.url().replace("a%20b", "a%20c");
    assert_eq!(http.get(changed).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn public_buckets_are_read_without_keys() {
    let cloud = LocalCloud::builder()
        .another_bucket("public-bucket", BucketAcl::PublicRead)
        .start()
        .await
        .unwrap();
    cloud.put_object("public-bucket", "k", "open");
    let client = client(&cloud, StaticProvider::anonymous());
    let object = client.get_object("public-bucket", "k").send().await.unwrap();
    assert_eq!(object.bytes().await.unwrap(), "open");
    let error = client
        .put_object("public-bucket", "k", "x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    assert_eq!(cloud.requests()[0].access_key_id(), None);
}

#[tokio::test]
async fn the_bucket_goes_into_the_host_unless_that_is_an_address() {
    let cloud = LocalCloud::start().await.unwrap();
    let port = cloud.oss_port();
    let service = format!("oss-{}.aliyuncs.com", cloud.region());
    let host = format!("{}.{service}", cloud.bucket());
    let name = host.clone();
    let resolving = move || reqwest::Client::builder().resolve(&name, ([127, 0, 0, 1], port).into());
    let client = Client::builder()
        .region(cloud.region())
        .endpoint(format!("http://{service}:{port}"))
        .no_proxy()
        .credentials(cloud.access_key())
        .client_builder(resolving)
        .build()
        .unwrap();
    client
        .put_object(cloud.bucket(), "a b", "x")
        .send()
        .await
        .unwrap();
    let request = &cloud.requests()[0];
    assert_eq!(request.path(), "/a%20b");
    assert_eq!(request.header("host"), Some(&*format!("{host}:{port}")));
}

#[tokio::test]
async fn answers_that_are_not_the_services_are_told_apart() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = client(&cloud, cloud.access_key());
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "k", vec![1; 100_000]);
    let get = || client.get_object(bucket, "k").send();

    cloud.fault(Service::Oss, Fault::html(502));
    let error = get().await.unwrap_err();
    assert_eq!(error.code(), Some("BadErrorResponse"));
    assert!(
        error
            .to_string()
            .contains("it begins with: <html>  <head><title>503"),
        "{error}"
    );
    cloud.fault(Service::Oss, Fault::error(503, "ServiceUnavailable"));
    assert_eq!(get().await.unwrap_err().code(), Some("ServiceUnavailable"));
    cloud.fault(Service::Oss, Fault::reset());
    assert!(matches!(get().await.unwrap_err(), Error::Transport(_)));
    cloud.fault(Service::Oss, Fault::cut_body());
    let error = get().await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert_eq!(get().await.unwrap().bytes().await.unwrap().len(), 100_000);
}

/// The service limits metadata by its size alone.
#[tokio::test]
async fn objects_with_many_metadata_entries_are_stored_and_read() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = client(&cloud, cloud.access_key());
    let (bucket, key) = (cloud.bucket(), "k");
    for count in [98, 400] {
        let mut put = client.put_object(bucket, key, "hello");
        for number in 0..count {
            put = put.metadata(format!("n{number}"), "v");
        }
        put.send().await.unwrap();
        let head = client.head_object(bucket, key).send().await.unwrap();
        assert_eq!(head.metadata().count(), count);
        let object = client.get_object(bucket, key).send().await.unwrap();
        assert_eq!(object.head().metadata().count(), count);
        assert_eq!(object.bytes().await.unwrap(), "hello");
        assert!(client.object_exists(bucket, key).await.unwrap());
    }
}
