//! Copies of any size, and versions, against the local cloud.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Keys, Server, response};
use http::Method;
use oss_client::{Client, CopySource, Error, FixedDelay, Operation};
use oss_testkit::{Fault, LocalCloud, Service};

const BUCKET: &str = "examplebucket";
const OTHER: &str = "backup-bucket";
const KEY: &str = "a b/\u{76ee}.bin";
const SIZE: usize = 350 * 1024;

async fn cloud() -> (LocalCloud, Client, Vec<u8>) {
    let cloud = LocalCloud::builder().bucket(BUCKET).start().await.unwrap();
    let client = common::of_cloud(&cloud).build().unwrap();
    client.put_bucket(OTHER).await.unwrap();
    let content: Vec<u8> = (0..SIZE).map(|at| u8::try_from(at % 251).unwrap()).collect();
    client
        .put_object(BUCKET, KEY, content.clone())
        .content_type("application/x-test")
        .content_disposition("attachment")
        .header("content-language", "zh-CN")
        .metadata("author", "alice")
        .tagging([("env", "a b")])
        .await
        .unwrap();
    (cloud, client, content)
}

fn source() -> CopySource {
    CopySource::new(BUCKET, KEY)
}

fn sends<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn a_copy_keeps_what_belongs_to_its_source_however_it_is_made() {
    let (cloud, client, content) = cloud().await;
    for (threshold, parts) in [(u64::MAX, 0), (100 * 1024, 4)] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let reports = Arc::clone(&told);
        let copied = client
            .copy(OTHER, "copy", source())
            .threshold(threshold)
            .part_size(100 * 1024)
            .on_progress(move |progress| reports.lock().unwrap().push(progress.copied))
            .await
            .unwrap();
        let size = u64::try_from(SIZE).unwrap();
        assert_eq!((copied.size, copied.parts), (size, parts));
        assert_eq!(told.lock().unwrap().last(), Some(&size));
        assert_eq!(told.lock().unwrap().len(), usize::from(parts.max(1)));
        let read = client.get_object(OTHER, "copy").await.unwrap();
        let head = read.head().clone();
        assert_eq!(head.content_type(), Some("application/x-test"));
        assert_eq!(head.header("content-disposition"), Some("attachment"));
        assert_eq!(head.header("content-language"), Some("zh-CN"));
        assert_eq!(head.header("x-oss-meta-author"), Some("alice"));
        assert_eq!(head.etag(), copied.etag.as_deref());
        assert_eq!(read.bytes().await.unwrap(), content);
        let tags = client.get_object_tagging(OTHER, "copy").await.unwrap().tags;
        assert_eq!(tags, [("env".to_owned(), "a b".to_owned())]);
        client.delete_object(OTHER, "copy").await.unwrap();
    }
    assert_eq!(cloud.count(Service::Oss, "UploadPartCopy"), 4);
}

#[tokio::test]
async fn a_copy_in_parts_can_have_properties_of_its_own() {
    let (_cloud, client, _) = cloud().await;
    client
        .copy(BUCKET, "copy", source())
        .threshold(0)
        .metadata_directive("REPLACE")
        .tagging_directive("Replace")
        .content_type("text/x-new")
        .metadata("reviewer", "bob")
        .tagging([("new", "1")])
        .storage_class("IA")
        .await
        .unwrap();
    let head = client.head_object(BUCKET, "copy").await.unwrap();
    assert_eq!(head.content_type(), Some("text/x-new"));
    assert_eq!(head.header("x-oss-meta-reviewer"), Some("bob"));
    assert_eq!(
        (head.header("x-oss-meta-author"), head.storage_class()),
        (None, Some("IA"))
    );
    let tags = client.get_object_tagging(BUCKET, "copy").await.unwrap().tags;
    assert_eq!(tags, [("new".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn every_request_of_a_copy_says_who_pays() {
    let (cloud, client, _) = cloud().await;
    let before = cloud.requests().len();
    client
        .copy(OTHER, "copy", source())
        .threshold(0)
        .part_size(200 * 1024)
        .request_payer()
        .await
        .unwrap();
    let requests = cloud.requests();
    let payers = requests
        .iter()
        .skip(before)
        .map(|request| request.header("x-oss-request-payer"));
    // The source's headers and tags, the beginning, two parts, and the end.
    assert_eq!(payers.collect::<Vec<_>>(), [Some("requester"); 6]);
}

#[tokio::test]
async fn a_part_size_of_a_copy_is_one_that_parts_can_have() {
    let (cloud, client, _) = cloud().await;
    let before = cloud.requests().len();
    for bytes in [100 * 1024 - 1, 5 * 1024 * 1024 * 1024 + 1] {
        let refused = client.copy(OTHER, "copy", source()).part_size(bytes).await;
        assert!(matches!(refused, Err(Error::InvalidInput(_))), "{bytes}");
    }
    assert_eq!(cloud.requests().len(), before);
}

#[tokio::test]
async fn a_copy_that_fails_leaves_no_parts() {
    let (cloud, client, _) = cloud().await;
    for action in ["UploadPartCopy", "CompleteMultipartUpload"] {
        cloud.fault(Service::Oss, Fault::error(403, "AccessDenied").action(action));
        let copy = client
            .copy(OTHER, "copy", source())
            .threshold(0)
            .part_size(100 * 1024);
        assert_eq!(copy.await.unwrap_err().code(), Some("AccessDenied"), "{action}");
        assert_eq!(client.list_multipart_uploads(OTHER).await.unwrap().uploads, []);
        assert!(!client.object_exists(OTHER, "copy").await.unwrap());
    }
    let missing = client
        .copy(OTHER, "copy", CopySource::new(BUCKET, "missing"))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchKey"));
    let small = client
        .copy(OTHER, "copy", source())
        .part_size(1)
        .await
        .unwrap_err();
    assert!(matches!(small, Error::InvalidInput(_)), "{small}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_changes_during_the_copy_ends_it() {
    let (cloud, client, _) = cloud().await;
    let other = client.clone();
    let runtime = tokio::runtime::Handle::current();
    let copy = client
        .copy(OTHER, "copy", source())
        .threshold(0)
        .part_size(100 * 1024)
        .parallel(1)
        .on_progress(move |progress| {
            if progress.copied == 100 * 1024 {
                let put = other.put_object(BUCKET, KEY, vec![7; SIZE]);
                tokio::task::block_in_place(|| runtime.block_on(put.send())).unwrap();
            }
        });
    let error = copy.await.unwrap_err();
    assert_eq!(error.code(), Some("PreconditionFailed"), "{error}");
    assert_eq!(
        cloud.count(Service::Oss, "UploadPartCopy"),
        2,
        "no part of the new content is copied"
    );
    assert_eq!(client.list_multipart_uploads(OTHER).await.unwrap().uploads, []);
    assert!(!client.object_exists(OTHER, "copy").await.unwrap());
}

/// Responses of a service that stores something else than the source, by the CRC-64 of both.
fn copying(crc_of_copy: &str) -> Server {
    let head = response(
        200,
        &[
            ("x-oss-request-id", "R1"),
            ("ETag", "\"e\""),
            ("x-oss-hash-crc64ecma", "11"),
        ],
        "",
    );
    let document = |body: &str, headers: &[(&str, &str)]| {
        let all = [&[("x-oss-request-id", "R1")][..], headers].concat();
        response(200, &all, body)
    };
    let begun = "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>";
    let part = "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>";
    let done = "<CompleteMultipartUploadResult><ETag>\"d\"</ETag></CompleteMultipartUploadResult>";
    // Of 200 KiB, as HEAD tells without a body.
    let head = String::from_utf8(head)
        .unwrap()
        .replace("Content-Length: 0", "Content-Length: 204800");
    Server::start([
        head.into_bytes(),
        document(begun, &[]),
        document(part, &[]),
        document(part, &[]),
        document(done, &[("x-oss-hash-crc64ecma", crc_of_copy)]),
    ])
}

#[tokio::test]
async fn a_copy_with_another_checksum_is_an_error() {
    for (crc, check, expected) in [("11", true, true), ("12", true, false), ("12", false, true)] {
        let server = copying(crc);
        let client = common::builder(&server.endpoint(), Keys::new(1))
            .check_crc(check)
            .build()
            .unwrap();
        let copy = client
            .copy(OTHER, "copy", source())
            .threshold(0)
            .part_size(100 * 1024)
            .parallel(1);
        match copy.await {
            Ok(copied) => assert_eq!((copied.parts, expected), (2, true), "{crc} {check}"),
            Err(Error::Corrupted(error)) => {
                assert!(!expected, "{crc} {check}: {error}");
                assert_eq!(error.request_id(), Some("R1"));
            }
            Err(error) => panic!("{error}"),
        }
        // The object is there, so nothing is aborted.
        assert_eq!(server.count(), 5);
    }
}

#[tokio::test]
async fn a_copy_in_one_request_with_another_checksum_is_an_error() {
    let ids = ("x-oss-request-id", "R1");
    let done = "<CopyObjectResult><ETag>\"d\"</ETag></CopyObjectResult>";
    for (crc, kind, check, is_wrong) in [
        ("11", "Normal", true, false),
        ("12", "Normal", true, true),
        ("12", "Normal", false, false),
        // A link is copied as a link.
        ("12", "Symlink", true, false),
    ] {
        let kind = ("x-oss-object-type", kind);
        let server = Server::start([
            response(
                200,
                &[ids, kind, ("ETag", "\"e\""), ("x-oss-hash-crc64ecma", "11")],
                "",
            ),
            response(200, &[ids, ("x-oss-hash-crc64ecma", crc)], done),
        ]);
        let client = common::builder(&server.endpoint(), Keys::new(1)).check_crc(check);
        let copied = client.build().unwrap().copy(OTHER, "copy", source()).await;
        match copied {
            Ok(copied) => assert_eq!((copied.parts, is_wrong), (0, false), "{crc} {check} {kind:?}"),
            Err(Error::Corrupted(error)) => {
                assert!(is_wrong, "{crc} {check} {kind:?}: {error}");
                assert_eq!((error.operation(), error.stored()), ("CopyObject", 12));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn versions_are_listed_with_their_delete_markers() {
    let (_cloud, client, _) = cloud().await;
    let enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let operation = Operation::new("PutBucketVersioning", Method::PUT)
        .bucket(OTHER)
        .query("versioning", "")
        .body(enabled);
    client.send(operation).await.unwrap();
    for body in ["1", "22"] {
        client.put_object(OTHER, "k &\u{76ee}", body).await.unwrap();
    }
    client.delete_object(OTHER, "k &\u{76ee}").await.unwrap();
    client.put_object(OTHER, "z/deep", "x").await.unwrap();
    for page_size in [1, 1000] {
        let mut versions = client.list_object_versions(OTHER).max_keys(page_size).versions();
        let mut seen = Vec::new();
        while let Some(version) = versions.try_next().await.unwrap() {
            assert!(!version.version_id.is_empty() && version.last_modified.is_some());
            seen.push((
                version.key,
                version.size,
                version.is_latest,
                version.is_delete_marker,
            ));
        }
        let key = "k &\u{76ee}".to_owned();
        let expected = [
            (key.clone(), 0, true, true),
            (key.clone(), 2, false, false),
            (key, 1, false, false),
            ("z/deep".to_owned(), 1, true, false),
        ];
        assert_eq!(seen, expected);
    }
    let page = client.list_object_versions(OTHER).delimiter("/").await.unwrap();
    assert_eq!(
        (page.versions.len(), page.common_prefixes.as_slice()),
        (3, &["z/".to_owned()][..])
    );
    // The marker itself has no content.
    let marker = page.versions[0].version_id.clone();
    let refused = client
        .get_object(OTHER, "k &\u{76ee}")
        .version_id(marker)
        .await
        .unwrap_err();
    let hint = "; check the operation, and whether the version is a delete marker, which has no content";
    assert!(refused.to_string().ends_with(hint), "{refused}");
    // A version that is named is read behind the marker.
    let oldest = page.versions[2].version_id.clone();
    let read = client
        .get_object(OTHER, "k &\u{76ee}")
        .version_id(&*oldest)
        .await
        .unwrap();
    assert_eq!(read.bytes().await.unwrap(), "1");
    // Also by who has no keys.
    let minute = Duration::from_secs(60);
    let link = client
        .get_object(OTHER, "k &\u{76ee}")
        .version_id(&*oldest)
        .presign(minute);
    let same = client
        .presign_get(OTHER, "k &\u{76ee}", minute)
        .query("versionId", &*oldest);
    for url in [link.await.unwrap(), same.await.unwrap()] {
        let bare = reqwest::Client::builder().no_proxy().build().unwrap();
        let read = bare.get(url.url()).send().await.unwrap();
        assert_eq!(read.text().await.unwrap(), "1");
    }
    let from_old = CopySource::new(OTHER, "k &\u{76ee}").version_id(oldest);
    client
        .copy(OTHER, "restored", from_old)
        .threshold(0)
        .await
        .unwrap();
    let restored = client
        .get_object(OTHER, "restored")
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(restored, "1");
}

#[tokio::test]
async fn a_lost_response_to_the_last_step_is_no_failure() {
    let (cloud, _, content) = cloud().await;
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = common::of_cloud(&cloud).retry(retry).build().unwrap();
    cloud.fault(Service::Oss, Fault::reset().action("CompleteMultipartUpload"));
    let copy = || {
        client
            .copy(OTHER, "copy", source())
            .threshold(0)
            .part_size(200 * 1024)
    };
    // A task that runs on several threads can await it.
    let copied = sends(copy().send()).await.unwrap();
    assert_eq!((copied.parts, copied.size), (2, u64::try_from(SIZE).unwrap()));
    let read = client.get_object(OTHER, "copy").await.unwrap();
    assert_eq!(read.bytes().await.unwrap(), content);
    // But of an upload that somebody else ended, even if that copy is still there.
    for other in [None, Some("other")] {
        if let Some(other) = other {
            client.put_object(OTHER, "copy", other).await.unwrap();
        }
        cloud.fault(
            Service::Oss,
            Fault::error(404, "NoSuchUpload").action("CompleteMultipartUpload"),
        );
        assert_eq!(copy().await.unwrap_err().code(), Some("NoSuchUpload"));
    }
}

#[tokio::test]
async fn a_condition_on_the_source_holds_however_it_is_copied() {
    let (_cloud, client, _) = cloud().await;
    for threshold in [0, u64::MAX] {
        let copy = |value: &str| {
            let copy = client.copy(OTHER, "copy", source()).threshold(threshold);
            copy.header("x-oss-copy-source-if-match", value).send()
        };
        let refused = copy("\"another\"").await.unwrap_err();
        assert_eq!(refused.service().unwrap().status(), 412, "{refused}");
        let head = client.head_object(BUCKET, KEY).await.unwrap();
        copy(head.etag().unwrap()).await.unwrap();
    }
}
