//! Uploads in parts against a local cloud that checks every signature.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod dropped;
mod failures;
#[path = "../common/files.rs"]
mod files;
#[path = "../common/log.rs"]
mod log;
mod sources;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use common::of_cloud;
use files::{KIB, PART, content};
use futures_util::{StreamExt as _, stream};
use oss_client::{Body, Client, Error, FixedDelay, Upload};
use oss_testkit::LocalCloud;

async fn cloud() -> (LocalCloud, Client) {
    let cloud = LocalCloud::start().await.unwrap();
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = of_cloud(&cloud).retry(retry).build().unwrap();
    (cloud, client)
}

/// As a stream of pieces that fit to no part.
fn pieces(content: &Bytes) -> impl futures_util::Stream<Item = io::Result<Bytes>> + Send + use<> {
    let pieces: Vec<_> = content.chunks(77_777).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces).map(Ok)
}

#[tokio::test]
async fn the_steps_of_an_upload_in_parts() {
    let (cloud, client) = cloud().await;
    let (bucket, key) = (cloud.bucket(), "a b+c/100%/报告.txt");
    let begun = client
        .initiate_multipart_upload(bucket, key)
        .content_type("text/x")
        .metadata("m", "1")
        .await
        .unwrap();
    let id = begun.upload_id.as_str();
    let content = content(250 * KIB);
    let mut parts = Vec::new();
    for (number, part) in [(3, 200..250), (1, 0..100), (2, 100..200)] {
        let part = content.slice(part.start * 1024..part.end * 1024);
        parts.push(client.upload_part(bucket, key, id, number, part).await.unwrap());
    }
    let complete = || client.complete_multipart_upload(bucket, key, id);
    assert!(matches!(complete().await, Err(Error::InvalidInput(_))));
    let both = complete().parts(&parts).complete_all().await;
    assert!(matches!(both, Err(Error::InvalidInput(_))));
    let wrong = complete().parts(&parts).part(2, "\"0\"").await.unwrap_err();
    assert_eq!(wrong.code(), Some("InvalidPart"));
    let done = complete().parts(&parts).await.unwrap();
    let sent = cloud.requests().pop().unwrap();
    let document = String::from_utf8(sent.body().to_vec()).unwrap();
    let etag = parts[1].etag.trim_matches('"');
    let first = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"
    );
    assert!(document.starts_with(&first), "{document}");
    assert_eq!(cloud.object(bucket, key).unwrap(), content);
    let head = client.head_object(bucket, key).await.unwrap();
    assert_eq!(
        (head.etag(), head.content_type()),
        (done.etag.as_deref(), Some("text/x"))
    );
    assert_eq!(done.head.crc64(), head.crc64());
    assert!(done.location.unwrap().contains("/100%25/"));

    let begun = client.initiate_multipart_upload(bucket, "all").await.unwrap();
    let id = begun.upload_id.as_str();
    client.upload_part(bucket, "all", id, 10_000, "x").await.unwrap();
    let done = client.complete_multipart_upload(bucket, "all", id).complete_all();
    done.await.unwrap();
    assert_eq!(cloud.object(bucket, "all").unwrap(), "x");

    let begun = client.initiate_multipart_upload(bucket, "none").await.unwrap();
    let id = begun.upload_id.as_str();
    let ended = client.abort_multipart_upload(bucket, "none", id).await.unwrap();
    assert_eq!(ended.status(), 204);
    let gone = client.upload_part(bucket, "none", id, 1, "x").await.unwrap_err();
    assert_eq!(gone.code(), Some("NoSuchUpload"));
    for number in [0, 10_001] {
        let bad = client.upload_part(bucket, "none", id, number, "x").await;
        assert!(matches!(bad, Err(Error::InvalidInput(_))), "{number}");
    }
}

#[tokio::test]
async fn settings_go_to_the_steps_that_take_them() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let upload = client
        .upload(bucket, "photo.jpg", content(2 * PART))
        .part_size(PART)
        .metadata("m", "1")
        .storage_class("IA")
        .forbid_overwrite(true)
        .traffic_limit(819_200)
        .request_payer();
    upload.await.unwrap();
    let head = client.head_object(bucket, "photo.jpg").await.unwrap();
    assert_eq!(head.storage_class(), Some("IA"));
    assert_eq!(head.metadata().count(), 1);
    let guessed = if cfg!(feature = "content-type") {
        "image/jpeg"
    } else {
        "application/octet-stream"
    };
    assert_eq!(head.content_type(), Some(guessed));
    let with = |header: &str| -> Vec<_> {
        let requests = cloud.requests().into_iter();
        requests
            .filter(|request| request.header(header).is_some())
            .map(|request| request.action().to_owned())
            .collect()
    };
    assert_eq!(with("x-oss-traffic-limit"), ["UploadPart", "UploadPart"]);
    assert_eq!(
        with("x-oss-forbid-overwrite"),
        ["InitiateMultipartUpload", "CompleteMultipartUpload"]
    );
    assert_eq!(with("x-oss-storage-class"), ["InitiateMultipartUpload"]);
    assert_eq!(with("x-oss-request-payer").len(), 4);
    for bad in [PART - 1, 5 * KIB * KIB * KIB + 1] {
        let refused = client.upload(bucket, "k", "x").part_size(bad).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{bad}");
    }
}

/// Uploads this in every way that there is.
fn uploads(client: &Client, bucket: &str, content: &Bytes, file: &std::path::Path) -> Vec<Upload> {
    let length = content.len() as u64;
    let again = content.clone();
    vec![
        client.upload(bucket, "k", content.clone()),
        client.upload(bucket, "k", Body::stream(pieces(content))),
        client.upload(bucket, "k", Body::sized_stream(pieces(content), length)),
        client.upload(bucket, "k", Body::reopened(length, move || pieces(&again))),
        client.upload_file(bucket, "k", file),
    ]
}
