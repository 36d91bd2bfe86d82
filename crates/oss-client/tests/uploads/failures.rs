//! Parts and completions that fail.

use std::io;
use std::time::Duration;

use futures_util::stream;
use oss_client::{Body, Error};
use oss_testkit::{Fault, Service};

use super::common::{Keys, Server, client, of_cloud, refusal, response};
use super::files::{PART, content};
use super::{cloud, pieces, uploads};

#[tokio::test]
async fn a_part_that_fails_is_sent_again_alone() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let content = content(3 * PART);
    std::fs::write(&file, &content).unwrap();
    for fault in [
        Fault::error(500, "InternalError"),
        Fault::reset(),
        Fault::error(400, "BadRequest"),
    ] {
        for (way, upload) in uploads(&client, bucket, &content, &file).into_iter().enumerate() {
            cloud.forget_requests();
            let twice = fault
                .clone()
                .action("UploadPart")
                .parameter("partNumber", "2")
                .times(2);
            cloud.fault(Service::Oss, twice);
            upload.part_size(PART).await.unwrap();
            assert_eq!(cloud.object(bucket, "k").unwrap(), content, "{way}");
            let mut parts: Vec<_> = cloud
                .requests()
                .iter()
                .filter_map(|request| Some(request.query_value("partNumber")?.to_owned()))
                .collect();
            parts.sort();
            assert_eq!(parts, ["1", "2", "2", "2", "3"], "{way}");
        }
    }
}

#[tokio::test]
async fn an_upload_that_fails_is_aborted() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let broken = || {
        let pieces = [Ok(content(2 * PART)), Err(io::Error::other("disk on fire"))];
        stream::iter(pieces)
    };
    let upload = |body: Body| client.upload(bucket, "k", body).part_size(PART).send();
    let refused = Fault::error(403, "AccessDenied")
        .action("UploadPart")
        .parameter("partNumber", "3");
    cloud.fault(Service::Oss, refused);
    let error = upload(content(3 * PART).into()).await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    for (body, expected) in [
        (
            Body::stream(broken()),
            "the body could not be read after byte 204800, in part 3: disk on fire",
        ),
        (
            Body::sized_stream(pieces(&content(3 * PART)), 4 * PART),
            "the body ended after 307200 of 409600 bytes",
        ),
        (
            Body::sized_stream(pieces(&content(3 * PART)), 3 * PART - 1),
            "the body has more than the 307199 bytes",
        ),
    ] {
        let error = upload(body).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let refused = Fault::error(403, "AccessDenied").action("CompleteMultipartUpload");
    cloud.fault(Service::Oss, refused);
    let error = upload(content(2 * PART).into()).await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 5);
    assert_eq!(cloud.count(Service::Oss, "InitiateMultipartUpload"), 5);
    assert!(cloud.object(bucket, "k").is_none());
    // Nothing is left, or the bucket could not be deleted.
    let delete = oss_client::Operation::new("DeleteBucket", reqwest::Method::DELETE).bucket(bucket);
    client.send(delete).await.unwrap();
}

#[tokio::test]
async fn parts_that_cannot_be_deleted_are_told() {
    let (cloud, client) = cloud().await;
    for (action, code) in [
        ("UploadPart", "AccessDenied"),
        ("AbortMultipartUpload", "QuotaExceeded"),
    ] {
        cloud.fault(Service::Oss, Fault::error(403, code).action(action).always());
    }
    let upload = client
        .upload(cloud.bucket(), "k", content(2 * PART))
        .part_size(PART);
    let error = upload.await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    let text = error.to_string();
    let Error::AbandonedUpload(left) = error else {
        panic!("{error}");
    };
    assert_eq!(left.abort_error().code(), Some("QuotaExceeded"));
    assert_eq!((left.bucket(), left.key()), (cloud.bucket(), "k"));
    assert!(text.contains("; the parts of upload "), "{text}");
    // A report that walks the sources shows the cause once.
    assert!(std::error::Error::source(&left).is_none());
    cloud.clear_faults();
    let abort = client.abort_multipart_upload(cloud.bucket(), "k", left.upload_id());
    abort.await.unwrap();
    // It is gone, so there is nothing to abort any more.
    left.abort(&client).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_to_the_last_step_is_no_failure() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    cloud.fault(Service::Oss, Fault::reset().action("CompleteMultipartUpload"));
    let content = content(2 * PART);
    let uploaded = client
        .upload(bucket, "k", content.clone())
        .part_size(PART)
        .await
        .unwrap();
    assert_eq!((uploaded.parts, uploaded.size), (2, 2 * PART));
    assert_eq!(cloud.object(bucket, "k").unwrap(), content);
    let last: Vec<_> = cloud
        .requests()
        .iter()
        .rev()
        .take(2)
        .map(|r| r.action().to_owned())
        .collect();
    assert_eq!(last, ["HeadObject", "CompleteMultipartUpload"]);
    let codes: Vec<_> = cloud
        .requests()
        .iter()
        .filter_map(|r| r.error_code().map(str::to_owned))
        .collect();
    assert_eq!(codes, ["NoSuchUpload"]);
    // But of an upload that somebody else ended.
    let other = Fault::error(404, "NoSuchUpload").action("CompleteMultipartUpload");
    cloud.fault(Service::Oss, other);
    let mut changed = content.to_vec();
    changed[0] ^= 1;
    let other = client.upload(bucket, "k", changed).part_size(PART).await;
    assert_eq!(other.unwrap_err().code(), Some("NoSuchUpload"));
}

/// The same content is stored already, and somebody else aborts the upload.
#[tokio::test]
async fn an_aborted_upload_is_not_taken_for_an_earlier_object_of_the_same_content() {
    let (cloud, client) = cloud().await;
    let (bucket, content) = (cloud.bucket(), content(3 * PART));
    let upload = || client.upload(bucket, "k", content.clone()).part_size(PART);
    let aborted = || Fault::error(404, "NoSuchUpload").action("CompleteMultipartUpload");
    let lost = || Fault::error(503, "ServiceUnavailable").action("CompleteMultipartUpload");
    upload().await.unwrap();
    // No response was lost.
    cloud.fault(Service::Oss, aborted());
    assert_eq!(upload().await.unwrap_err().code(), Some("NoSuchUpload"));
    // A response was lost, but that object has another number of parts.
    cloud.fault(Service::Oss, lost());
    cloud.fault(Service::Oss, aborted());
    let error = upload().part_size(2 * PART).await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchUpload"));
    // Or its ETag does not say, and it is older.
    for (seconds, is_new) in [(-5, false), (5, true)] {
        cloud.set_clock_offset(seconds);
        cloud.put_object(bucket, "k", content.clone());
        cloud.set_clock_offset(0);
        cloud.fault(Service::Oss, lost());
        cloud.fault(Service::Oss, aborted());
        match upload().await {
            Ok(uploaded) => assert!(is_new, "{uploaded:?}"),
            Err(error) => assert!(!is_new && error.code() == Some("NoSuchUpload"), "{error}"),
        }
    }
}

/// The same content is stored already, the completion is refused for its key, and then somebody else ends the upload.
#[tokio::test]
async fn a_completion_that_was_refused_for_its_key_did_not_end_the_upload() {
    let (cloud, _) = cloud().await;
    let (bucket, content) = (cloud.bucket(), content(3 * PART));
    let keys = [0, 0].map(|_| cloud.issue(Duration::from_secs(3600)).unwrap());
    let client = of_cloud(&cloud).credentials(Keys::of(keys)).build().unwrap();
    let upload = || client.upload(bucket, "k", content.clone()).part_size(PART);
    upload().await.unwrap();
    let refused = |status, code| Fault::error(status, code).action("CompleteMultipartUpload");
    cloud.fault(Service::Oss, refused(403, "InvalidAccessKeyId"));
    cloud.fault(Service::Oss, refused(404, "NoSuchUpload"));
    cloud.forget_requests();
    assert_eq!(upload().await.unwrap_err().code(), Some("NoSuchUpload"));
    assert_eq!(cloud.count(Service::Oss, "CompleteMultipartUpload"), 2);
}

#[tokio::test]
async fn an_object_that_was_stored_wrong_is_an_error() {
    let begun = "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>";
    let done = "<CompleteMultipartUploadResult><ETag>\"3\"</ETag></CompleteMultipartUploadResult>";
    let part = response(200, &[("etag", "\"1\"")], "");
    let server = Server::start([
        response(200, &[], begun),
        part.clone(),
        part,
        response(200, &[("x-oss-hash-crc64ecma", "1")], done),
        // Another upload, whose part is stored wrong.
        response(200, &[], begun),
        response(200, &[("etag", "\"1\""), ("x-oss-hash-crc64ecma", "1")], ""),
        response(204, &[], ""),
        // And one whose part has no ETag.
        response(200, &[], begun),
        response(200, &[], ""),
        refusal(404, "NoSuchUpload"),
    ]);
    let client = client(&server, Keys::new(1));
    let upload = || {
        let upload = client.upload("examplebucket", "k", content(2 * PART));
        upload.part_size(PART).parallel(1).send()
    };
    let Error::Corrupted(error) = upload().await.unwrap_err() else {
        panic!("of the whole object");
    };
    assert_eq!(
        (error.operation(), error.stored()),
        ("CompleteMultipartUpload", 1)
    );
    assert_eq!(server.count(), 4);
    let Error::Corrupted(error) = upload().await.unwrap_err() else {
        panic!("of the part");
    };
    assert_eq!((error.operation(), error.stored()), ("UploadPart", 1));
    let error = upload().await.unwrap_err();
    assert!(error.to_string().contains("it has no ETag"), "{error}");
    let lines: Vec<_> = server
        .received()
        .into_iter()
        .map(|request| request.line)
        .collect();
    assert_eq!(lines[6], "DELETE /examplebucket/k?uploadId=U");
    assert_eq!(lines[9], "DELETE /examplebucket/k?uploadId=U");
}
