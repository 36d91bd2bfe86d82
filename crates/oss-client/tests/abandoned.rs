//! Uploads that failed and could not be aborted: continued, or aborted later.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/files.rs"]
mod files;

use bytes::Bytes;
use files::{PART, content};
use oss_client::{AbandonedUpload, Body, Client, Error};
use oss_testkit::{Fault, LocalCloud, Service};

const KEY: &str = "a b/\u{76ee}.bin";

/// An upload of three parts and a bit, whose last step and whose abort were refused.
async fn abandoned() -> (LocalCloud, Client, Bytes, Box<AbandonedUpload>) {
    let cloud = LocalCloud::start().await.unwrap();
    let client = common::of_cloud(&cloud).build().unwrap();
    let content = content(3 * PART + 10);
    let refusal = |action| Fault::error(403, "AccessDenied").action(action).always();
    cloud.fault(Service::Oss, refusal("AbortMultipartUpload"));
    cloud.fault(Service::Oss, refusal("CompleteMultipartUpload"));
    let upload = client
        .upload(cloud.bucket(), KEY, content.clone())
        .part_size(PART)
        .metadata("author", "alice");
    let Err(Error::AbandonedUpload(left)) = upload.await else {
        panic!("the parts are left behind");
    };
    cloud.clear_faults();
    cloud.forget_requests();
    (cloud, client, content, left)
}

/// The numbers of the parts that were sent.
fn sent(cloud: &LocalCloud) -> Vec<String> {
    let requests = cloud.requests();
    let mut numbers: Vec<_> = requests
        .iter()
        .filter(|request| request.action() == "UploadPart")
        .map(|request| request.query_value("partNumber").unwrap().to_owned())
        .collect();
    numbers.sort();
    numbers
}

async fn replace_part(client: &Client, left: &AbandonedUpload, number: u16, body: Bytes) {
    let part = client.upload_part(left.bucket(), left.key(), left.upload_id(), number, body);
    part.await.unwrap();
}

#[tokio::test]
async fn only_what_the_service_does_not_have_is_sent() {
    let (cloud, client, content, left) = abandoned().await;
    // One part has other bytes of the same length, and one has another length.
    replace_part(&client, &left, 2, Bytes::from(vec![9; 100 * 1024])).await;
    replace_part(&client, &left, 3, Bytes::from(vec![9; 100 * 1024 + 1])).await;
    // And one is of no use.
    replace_part(&client, &left, 9, Bytes::from(vec![9; 100 * 1024])).await;
    cloud.forget_requests();
    let done = left
        .continue_from(&client, content.clone())
        .part_size(PART)
        .await
        .unwrap();
    assert_eq!((done.size, done.parts), (3 * PART + 10, 4));
    assert_eq!(sent(&cloud), ["2", "3"]);
    assert_eq!(cloud.object(cloud.bucket(), KEY).unwrap(), content);
    // Settings are those with which the upload began.
    let head = client.head_object(cloud.bucket(), KEY).await.unwrap();
    assert_eq!(head.header("x-oss-meta-author"), Some("alice"));
    assert_eq!(head.crc64(), done.crc64);
    // It has ended.
    let again = left.continue_from(&client, content).await.unwrap_err();
    assert_eq!(again.code(), Some("NoSuchUpload"));
    left.abort(&client).await.unwrap();
    assert!(cloud.object(cloud.bucket(), KEY).is_some());
}

#[tokio::test]
async fn files_and_streams_continue_an_upload_too() {
    for is_file in [true, false] {
        let (cloud, client, content, left) = abandoned().await;
        let folder = tempfile::tempdir().unwrap();
        let continued = if is_file {
            let path = folder.path().join("content");
            std::fs::write(&path, &content).unwrap();
            left.continue_from_file(&client, path)
        } else {
            let pieces: Vec<_> = content.chunks(70_000).map(Bytes::copy_from_slice).collect();
            let pieces = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
            left.continue_from(&client, Body::stream(pieces))
        };
        let done = continued.part_size(PART).parallel(1).await.unwrap();
        assert_eq!((done.size, done.parts), (3 * PART + 10, 4));
        assert_eq!(sent(&cloud), Vec::<String>::new(), "{is_file}");
        assert_eq!(cloud.object(cloud.bucket(), KEY).unwrap(), content);
    }
}

#[tokio::test]
async fn parts_of_another_size_are_replaced() {
    let (cloud, client, content, left) = abandoned().await;
    let done = left
        .continue_from(&client, content.clone())
        .part_size(2 * PART)
        .await
        .unwrap();
    assert_eq!(
        (done.parts, sent(&cloud)),
        (2, vec!["1".to_owned(), "2".to_owned()])
    );
    assert_eq!(cloud.object(cloud.bucket(), KEY).unwrap(), content);
}

#[tokio::test]
async fn a_continuation_that_fails_can_be_continued() {
    let (cloud, client, content, left) = abandoned().await;
    replace_part(&client, &left, 1, Bytes::from(vec![9; 100 * 1024])).await;
    cloud.fault(
        Service::Oss,
        Fault::error(403, "AccessDenied").action("UploadPart"),
    );
    let error = left
        .continue_from(&client, content.clone())
        .part_size(PART)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    // The content is stored already, and somebody else ends the upload.
    client
        .put_object(cloud.bucket(), KEY, content.clone())
        .await
        .unwrap();
    cloud.fault(
        Service::Oss,
        Fault::error(404, "NoSuchUpload").action("CompleteMultipartUpload"),
    );
    let continued = left.continue_from(&client, content.clone()).part_size(PART);
    assert_eq!(continued.await.unwrap_err().code(), Some("NoSuchUpload"));
    // The object is made, and the response to that is lost.
    cloud.fault(Service::Oss, Fault::reset().action("CompleteMultipartUpload"));
    let client = common::of_cloud(&cloud)
        .retry(oss_client::FixedDelay::new(2, std::time::Duration::ZERO))
        .build()
        .unwrap();
    let done = left
        .continue_from(&client, content.clone())
        .part_size(PART)
        .await
        .unwrap();
    assert_eq!(done.parts, 4);
    assert_eq!(cloud.object(cloud.bucket(), KEY).unwrap(), content);
}

#[tokio::test]
async fn an_abort_ends_when_the_service_has_nothing_any_more() {
    let (cloud, client, _, left) = abandoned().await;
    cloud.fault(
        Service::Oss,
        Fault::error(403, "AccessDenied").action("AbortMultipartUpload"),
    );
    let error = left.abort(&client).await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    left.abort(&client).await.unwrap();
    let uploads = client
        .list_multipart_uploads(cloud.bucket())
        .await
        .unwrap()
        .uploads;
    assert_eq!(uploads, []);
    left.abort(&client).await.unwrap();
}

/// A service that has the upload still, as where parts arrive late.
#[tokio::test]
async fn an_abort_is_repeated_while_parts_arrive() {
    let (_cloud, _, _, left) = abandoned().await;
    let listed = |parts: &str| {
        let body = format!("<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>");
        common::response(200, &[("x-oss-request-id", "R1")], &body)
    };
    let part = "<Part><PartNumber>1</PartNumber><ETag>\"e\"</ETag><Size>5</Size></Part>";
    let gone = || common::refusal(404, "NoSuchUpload");
    let deleted = || common::response(204, &[("x-oss-request-id", "R1")], "");
    let server = common::Server::start([deleted(), listed(part), deleted(), gone()]);
    let client = common::client(&server, common::Keys::new(1));
    left.abort(&client).await.unwrap();
    assert_eq!(server.count(), 4);

    let server = common::Server::start([
        deleted(),
        listed(part),
        gone(),
        listed(""),
        deleted(),
        listed(part),
        gone(),
    ]);
    let client = common::client(&server, common::Keys::new(1));
    let error = left.abort(&client).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the service still has the upload after 3 aborts"),
        "{error}"
    );
    assert_eq!(server.count(), 6);
}
