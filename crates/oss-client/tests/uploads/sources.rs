//! What is uploaded: every source, its progress, and what is wrong with it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use oss_client::{Body, Error, UploadProgress};
use oss_testkit::{Fault, LocalCloud, Service};

use super::common::of_cloud;
use super::files::{KIB, PART, content};
use super::{cloud, uploads};

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
