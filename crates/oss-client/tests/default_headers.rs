//! Headers that are set for the whole client.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Keys, Server, builder, ok};

#[tokio::test]
async fn default_headers_are_sent_and_signed_unless_the_operation_has_them() {
    let server = Server::start([ok(), ok()]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .default_header("x-gateway", "one")
        .default_header("x-oss-request-payer", "requester")
        .default_header("X-Gateway", "two")
        .build()
        .unwrap();
    let head = || client.head_object("examplebucket", "k");
    head().send().await.unwrap();
    head().header("x-gateway", "three").send().await.unwrap();
    let received = server.received();
    assert_eq!(received[0].header("x-gateway"), Some("two"));
    assert_eq!(received[0].header("x-oss-request-payer"), Some("requester"));
    assert_eq!(received[1].header("x-gateway"), Some("three"));

    // Made by hand for others; bound by nothing, so it would be lost there.
    let signed = client.sign(head().into_operation()).await.unwrap();
    assert_eq!(signed.headers()["x-gateway"], "two");
    let url = client
        .presign_get("examplebucket", "k", Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(url.headers().count(), 0);

    // A service that checks signatures takes them.
    let cloud = oss_testkit::LocalCloud::start().await.unwrap();
    let client = common::of_cloud(&cloud)
        .default_header("x-oss-storage-class", "IA")
        .build()
        .unwrap();
    client.put_object(cloud.bucket(), "k", "text").await.unwrap();
    let stored = client.head_object(cloud.bucket(), "k").await.unwrap();
    assert_eq!(stored.headers()["x-oss-storage-class"], "IA");
}

/// The service refuses server-side encryption on operations that create no object (EC 0005-00000002), and `HeadObject`
/// with a traffic limit.
#[cfg(feature = "download-file")]
#[tokio::test]
async fn default_headers_reach_only_the_requests_that_they_are_for() {
    const OBJECT: &[&str] = &[
        "PutObject",
        "InitiateMultipartUpload",
        "CopyObject",
        "AppendObject",
    ];
    let rows: [(&str, &str, &[&str]); 7] = [
        ("x-oss-server-side-encryption", "AES256", OBJECT),
        ("x-oss-storage-class", "IA", OBJECT),
        ("x-oss-meta-author", "alice", OBJECT),
        ("cache-control", "no-cache", OBJECT),
        ("content-type", "text/x", OBJECT),
        (
            "x-oss-forbid-overwrite",
            "false",
            &[
                "PutObject",
                "InitiateMultipartUpload",
                "CompleteMultipartUpload",
                "CopyObject",
            ],
        ),
        (
            "x-oss-traffic-limit",
            "819200",
            &[
                "PutObject",
                "GetObject",
                "UploadPart",
                "CopyObject",
                "UploadPartCopy",
                "AppendObject",
            ],
        ),
    ];
    let cloud = oss_testkit::LocalCloud::start().await.unwrap();
    let bucket = cloud.bucket();
    let client = rows
        .iter()
        .fold(common::of_cloud(&cloud), |builder, (name, value, _)| {
            builder.default_header(*name, *value)
        })
        .default_header("x-gateway", "one")
        .build()
        .unwrap();
    let (folder, part) = (tempfile::tempdir().unwrap(), 100 * 1024);
    client.put_object(bucket, "small", "text").await.unwrap();
    client.append_object(bucket, "log", 0, "line").await.unwrap();
    let content = vec![7; 150 * 1024];
    client
        .upload(bucket, "k", content.clone())
        .part_size(part)
        .await
        .unwrap();
    let source = || oss_client::CopySource::new(bucket, "k");
    client.copy(bucket, "one", source()).await.unwrap();
    client
        .copy(bucket, "parts", source())
        .threshold(0)
        .part_size(part)
        .await
        .unwrap();
    let target = folder.path().join("f");
    client
        .download_file(bucket, "k", &target)
        .part_size(part)
        .parallel(2)
        .await
        .unwrap();
    assert_eq!(std::fs::read(target).unwrap(), content);
    client.list_objects_v2(bucket).await.unwrap();

    let requests = cloud.requests();
    for (name, value, operations) in rows {
        for request in &requests {
            let (has, action) = (request.header(name), request.action());
            let expected = operations.contains(&action).then_some(value);
            assert_eq!(has, expected, "{name} of {action}");
        }
        for operation in operations {
            assert!(
                requests.iter().any(|request| request.action() == *operation),
                "{operation}"
            );
        }
    }
    assert!(
        requests
            .iter()
            .all(|request| request.header("x-gateway") == Some("one"))
    );
    // A setting of the request takes precedence.
    client
        .put_object(bucket, "typed", "x")
        .content_type("text/y")
        .await
        .unwrap();
    let head = client.head_object(bucket, "typed").await.unwrap();
    assert_eq!(head.content_type(), Some("text/y"));
}

/// What the service does with them for a copy in one request.
#[tokio::test]
async fn default_headers_give_way_to_those_of_the_source_of_a_copy() {
    let cloud = oss_testkit::LocalCloud::start().await.unwrap();
    let bucket = cloud.bucket();
    let content = vec![7; 150 * 1024];
    let plain = common::of_cloud(&cloud).build().unwrap();
    let source = plain.put_object(bucket, "k", content).metadata("author", "alice");
    source.await.unwrap();
    let defaults = || {
        common::of_cloud(&cloud)
            .default_header("cache-control", "no-cache")
            .default_header("x-oss-meta-author", "bob")
            .default_header("x-oss-tagging", "a=b")
    };
    let replacing = defaults().default_header("x-oss-metadata-directive", "REPLACE");
    for (builder, author, cache_control) in
        [(defaults(), "alice", None), (replacing, "bob", Some("no-cache"))]
    {
        let client = builder.build().unwrap();
        for threshold in [0, u64::MAX] {
            let copy = client.copy(bucket, "copy", oss_client::CopySource::new(bucket, "k"));
            let copy = copy.threshold(threshold).part_size(100 * 1024);
            copy.header("x-oss-traffic-limit", "819200").await.unwrap();
            let head = plain.head_object(bucket, "copy").await.unwrap();
            assert_eq!(head.header("x-oss-meta-author"), Some(author), "{threshold}");
            assert_eq!(head.header("cache-control"), cache_control, "{threshold}");
            assert_eq!(head.header("x-oss-tagging-count"), None, "{threshold}");
        }
    }
    for request in cloud.requests() {
        let is_copy = ["CopyObject", "UploadPartCopy"].contains(&request.action());
        assert_eq!(
            request.header("x-oss-traffic-limit").is_some(),
            is_copy,
            "{}",
            request.action()
        );
    }
}
