//! Uploads in parts against a local cloud that checks every signature.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/files.rs"]
mod files;
#[path = "common/log.rs"]
mod log;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{Keys, Server, client, of_cloud, refusal, response};
use files::{KIB, PART, content};
use futures_util::{StreamExt as _, stream};
use log::Log;
use oss_client::{Body, Client, Error, FixedDelay, Upload, UploadProgress};
use oss_testkit::{Fault, LocalCloud, Service};

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

#[tokio::test]
async fn every_source_and_size_arrives_whole() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    for (length, parts) in [
        (0, 0),
        (1, 0),
        (PART - 1, 0),
        (PART, 0),
        (PART + 1, 2),
        (5 * PART, 5),
        (7 * PART + 123, 8),
    ] {
        let content = content(length);
        std::fs::write(&file, &content).unwrap();
        for (way, upload) in uploads(&client, bucket, &content, &file).into_iter().enumerate() {
            cloud.forget_requests();
            let progress = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&progress);
            let uploaded = upload
                .part_size(PART)
                .parallel(2)
                .on_progress(move |progress| seen.lock().unwrap().push(progress))
                .await
                .unwrap();
            assert_eq!(cloud.object(bucket, "k").unwrap(), content, "{length} {way}");
            assert_eq!(uploaded.size, length);
            // A stream of unknown length that ends with its first part is seen to do so only by asking on.
            let expected = if way == 1 && length == PART { 1 } else { parts };
            assert_eq!(uploaded.parts, expected, "{length} {way}");
            let head = client.head_object(bucket, "k").await.unwrap();
            assert_eq!(
                (uploaded.crc64, uploaded.etag.as_deref()),
                (head.crc64(), head.etag())
            );
            let progress = progress.lock().unwrap();
            assert!(progress.len() >= usize::from(expected.max(1)));
            check_progress(&progress, length);
            let last = progress.last().unwrap();
            assert_eq!((last.sent, last.acknowledged), (length, length));
            assert_eq!(last.total, (way != 1).then_some(length), "{way}");
            let uploads = u64::from(expected > 0);
            assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 0);
            for request in cloud.requests() {
                assert_eq!(request.status(), Some(200), "{}", request.action());
            }
            let begun = cloud
                .requests()
                .iter()
                .filter(|r| r.action() == "InitiateMultipartUpload")
                .count();
            assert_eq!(begun as u64, uploads);
        }
    }
}

/// Each report tells more than the one before, and none too much.
fn check_progress(reports: &[UploadProgress], length: u64) {
    for pair in reports.windows(2) {
        let [before, after] = pair else { panic!() };
        assert!(before.sent <= after.sent, "{before:?} {after:?}");
        assert!(before.acknowledged <= after.acknowledged, "{before:?} {after:?}");
        assert_ne!(before, after);
    }
    for report in reports {
        assert!(report.acknowledged <= report.sent, "{report:?}");
        assert!(report.sent <= length, "{report:?}");
    }
}

#[tokio::test]
async fn progress_never_goes_back_and_never_beyond_the_total() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let part = 2 * PART;
    let content = content(2 * part + 1);
    std::fs::write(&file, &content).unwrap();
    let length = content.len() as u64;
    // In one request and in three; as it goes, and with a part that is sent three times.
    for (part, broken) in [(3 * part, false), (part, false), (part, true)] {
        for upload in uploads(&client, bucket, &content, &file) {
            if broken {
                let twice = Fault::error(500, "InternalError").action("UploadPart");
                cloud.fault(Service::Oss, twice.parameter("partNumber", "2").times(2));
            }
            let progress = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&progress);
            let uploaded = upload
                .part_size(part)
                .parallel(2)
                .on_progress(move |progress| seen.lock().unwrap().push(progress));
            assert_eq!(uploaded.await.unwrap().size, length);
            let progress = progress.lock().unwrap();
            check_progress(&progress, length);
            assert_eq!(progress.last().unwrap().acknowledged, length);
        }
    }
}

/// A policy that lets something happen before it tries again.
fn after(happens: impl Fn() + Send + Sync + 'static) -> impl oss_client::RetryPolicy {
    oss_client::retry_fn(move |failed| {
        happens();
        (failed.number() < 2).then_some(Duration::ZERO)
    })
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_uploaded_is_not_stored() {
    let cloud = LocalCloud::start().await.unwrap();
    let bucket = cloud.bucket();
    let dir = tempfile::tempdir().unwrap();
    for (length, action, from) in [(PART, "PutObject", 0), (3 * PART, "UploadPart", PART)] {
        let file = dir.path().join("file");
        std::fs::write(&file, content(length)).unwrap();
        let changed = file.clone();
        // As long as before, and other bytes.
        let change = move || {
            let mut content = content(length).to_vec();
            content[usize::try_from(from).unwrap() + 5] ^= 1;
            std::fs::write(&changed, content).unwrap();
            // The clock of the file system may not have moved.
            let file = std::fs::File::options().write(true).open(&changed).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
        };
        let client = of_cloud(&cloud).retry(after(change)).build().unwrap();
        let fault = Fault::error(500, "InternalError").action(action);
        cloud.fault(
            Service::Oss,
            if from > 0 {
                fault.parameter("partNumber", "2")
            } else {
                fault
            },
        );
        let upload = client.upload_file(bucket, "k", &file).part_size(PART).parallel(1);
        let text = upload.await.unwrap_err().to_string();
        assert!(text.contains("changed while it was uploaded"), "{text}");
        assert!(text.contains("upload files that nobody writes to"), "{text}");
        assert!(text.contains(file.to_str().unwrap()), "{text}");
        assert!(text.contains(action), "{text}");
        let place = format!("could not be read after byte {from}: ");
        assert!(text.contains(&place), "{text}");
        assert!(cloud.object(bucket, "k").is_none());
    }
    assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 1);
    // One that is as it was is stored without checksums, too.
    let file = dir.path().join("file");
    let client = of_cloud(&cloud).check_crc(false).build().unwrap();
    let uploaded = client.upload_file(bucket, "k", &file).await.unwrap();
    assert_eq!(uploaded.crc64, None);
}

#[tokio::test]
async fn what_cannot_fit_is_refused_before_anything_is_read_or_sent() {
    let (cloud, client) = cloud().await;
    let most = 10_000 * 5 * KIB * KIB * KIB;
    for length in [most + 1, u64::MAX] {
        let untouched = stream::poll_fn(|_| -> std::task::Poll<Option<io::Result<Bytes>>> {
            panic!("it is read");
        });
        let upload = client.upload(cloud.bucket(), "k", Body::sized_stream(untouched, length));
        let error = upload.await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "oss-client: the body has {length} bytes, and an object at most {most}: 10000 parts of 5 GiB; \
                 store it as several objects"
            )
        );
    }
    assert!(cloud.requests().is_empty());
}

#[tokio::test]
async fn what_goes_wrong_with_a_body_is_told_with_place_cause_and_cure() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let good = || Ok::<_, io::Error>(content(PART + 7));
    let broken = || stream::iter([good(), Err(io::Error::other("disk on fire"))]);
    let panicking = move || {
        stream::iter([true, false]).map(move |fine| {
            assert!(fine, "a bug of the caller's");
            good()
        })
    };
    let length = 5 * PART;
    let mut texts = Vec::new();
    for body in [
        Body::sized_stream(broken(), length),
        Body::sized_stream(panicking(), length),
    ] {
        let upload = client.upload(bucket, "k", body).part_size(PART);
        let error = upload.await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        texts.push(error.to_string());
    }
    assert_eq!(
        texts,
        [
            "oss-client: the body could not be read after byte 102407, in part 2: disk on fire; check its source",
            "oss-client: the body could not be read after byte 102407, in part 2: its stream panicked; check its source",
        ]
    );
    for (body, cause) in [
        (Body::sized_stream(broken(), length), "disk on fire"),
        (Body::stream(broken()), "disk on fire"),
        (Body::sized_stream(panicking(), length), "its stream panicked"),
        (Body::reopened(length, panicking), "its stream panicked"),
    ] {
        let error = client.put_object(bucket, "k", body).await.unwrap_err();
        let text = error.to_string();
        let place = format!(
            "oss-client: PutObject got no complete response (PUT {}/{bucket}/k): the request could not be made: ",
            cloud.oss_endpoint()
        );
        let expected = format!("{place}the body could not be read after byte 102407: {cause}; ");
        assert!(text.starts_with(&expected), "{text}");
    }
    let never = Body::reopened(length, || -> stream::Empty<io::Result<Bytes>> {
        panic!("no file")
    });
    let error = client.put_object(bucket, "k", never).await.unwrap_err();
    assert!(error.to_string().contains("its stream panicked"), "{error}");
}

#[test]
fn an_upload_that_is_dropped_where_no_runtime_is_is_aborted() {
    let cloud = LocalCloud::start_blocking().unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    cloud.fault(Service::Oss, Fault::hang().action("UploadPart").always());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let upload = client
        .upload(cloud.bucket(), "k", content(2 * PART))
        .part_size(PART);
    let mut upload = Box::pin(upload.send());
    runtime.block_on(async {
        let polled = std::future::poll_fn(|cx| {
            let polled = upload.as_mut().poll(cx);
            if cloud.count(Service::Oss, "UploadPart") > 0 {
                return std::task::Poll::Ready(polled.is_pending());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        });
        assert!(polled.await);
    });
    drop(upload);
    for _ in 0..10_000_000 {
        // Carried out, and not only on its way.
        let requests = cloud.requests();
        let abort = requests.iter().find(|r| r.action() == "AbortMultipartUpload");
        if abort.is_some_and(|abort| abort.status() == Some(204)) {
            break;
        }
        std::thread::yield_now();
    }
    assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 1);
    let delete = oss_client::Operation::new("DeleteBucket", reqwest::Method::DELETE).bucket(cloud.bucket());
    runtime.block_on(client.send(delete)).unwrap();
}

#[tokio::test]
async fn of_a_dropped_upload_only_what_is_left_is_told() {
    for (code, is_told) in [("NoSuchUpload", false), ("AccessDenied", true)] {
        let (cloud, client) = cloud().await;
        cloud.fault(Service::Oss, Fault::hang().action("UploadPart").always());
        cloud.fault(
            Service::Oss,
            Fault::error(404, code).action("AbortMultipartUpload").always(),
        );
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_writer(log.clone())
            .finish();
        let told = tracing::subscriber::set_default(subscriber);
        let upload = client.upload(cloud.bucket(), "k", content(3 * PART));
        let upload = tokio::runtime::Handle::current().spawn(upload.part_size(PART).send());
        until(|| cloud.count(Service::Oss, "UploadPart") > 0).await;
        upload.abort();
        assert!(upload.await.unwrap_err().is_cancelled());
        until(|| cloud.count(Service::Oss, "AbortMultipartUpload") > 0).await;
        for _ in 0..100_000 {
            tokio::task::yield_now().await;
        }
        drop(told);
        let log = log.text();
        assert_eq!(log.contains("could not be deleted"), is_told, "{log}");
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

#[tokio::test]
async fn files_that_cannot_be_read_are_told_by_name() {
    let (cloud, client) = cloud().await;
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.txt");
    for path in [missing.as_path(), dir.path()] {
        let error = client.upload_file(cloud.bucket(), "k", path).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    // Nobody writes to it, so that whoever opens it waits, even where the upload is dropped.
    let pipe = dir.path().join("pipe");
    if std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .is_ok_and(|status| status.success())
    {
        let error = client.upload_file(cloud.bucket(), "k", &pipe).await.unwrap_err();
        assert!(
            error.to_string().contains("pipe is not a regular file"),
            "{error}"
        );
    }
    assert!(cloud.requests().is_empty());
}

/// The kernel's files have the length 0 and content.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_with_more_content_than_its_length_is_refused() {
    let (cloud, client) = cloud().await;
    let error = client
        .upload_file(cloud.bucket(), "k", "/proc/self/status")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "oss-client: /proc/self/status has more than the 0 bytes that the file system reports; \
         upload a copy of it, or give it as a stream"
    );
    assert!(cloud.requests().is_empty());
}

/// Lets the tasks of this test run until something holds.
async fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never holds");
}

#[tokio::test]
async fn no_more_is_read_than_the_parts_on_their_way_and_a_dropped_upload_is_aborted() {
    let (cloud, client) = cloud().await;
    cloud.fault(Service::Oss, Fault::hang().action("UploadPart").always());
    let read = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&read);
    let endless = stream::repeat_with(move || {
        counter.fetch_add(KIB, Ordering::Relaxed);
        Ok::<_, io::Error>(Bytes::from_static(&[0; 1024]))
    });
    let upload = client.upload(cloud.bucket(), "k", Body::stream(endless));
    let runtime = tokio::runtime::Handle::current();
    let upload = runtime.spawn(upload.part_size(PART).parallel(2).send());
    until(|| cloud.count(Service::Oss, "UploadPart") == 2).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(read.load(Ordering::Relaxed), 2 * PART);
    assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 0);
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    until(|| cloud.count(Service::Oss, "AbortMultipartUpload") == 1).await;
}
