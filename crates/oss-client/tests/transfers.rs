//! Downloads in ranges, and transfers that a later process continues, against a local cloud that checks every
//! signature.
#![cfg(all(
    feature = "download-file",
    any(
        feature = "rustls",
        feature = "native-tls",
        not(feature = "rustls-no-provider")
    )
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{Keys, Server, builder, of_cloud, response};
use oss_client::{Client, Download, Error, FixedDelay, MultipartUpload, Upload};
use oss_testkit::{Fault, LocalCloud, RecordedRequest, Service};
use serde_json::Value;
use tempfile::TempDir;

const KIB: u64 = 1024;
/// The smallest that is taken.
const PART: u64 = 100 * KIB;

/// A cloud, a folder, and what there is in them.
struct Place {
    cloud: Arc<LocalCloud>,
    folder: TempDir,
    target: PathBuf,
    checkpoint: PathBuf,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            cloud: Arc::new(LocalCloud::start().await.unwrap()),
            target: folder.path().join("f"),
            checkpoint: folder.path().join("c"),
            folder,
        }
    }

    /// A client of its own, as a later process has: requests are sent up to three times.
    fn client(&self) -> Client {
        let retry = FixedDelay::new(3, Duration::ZERO);
        of_cloud(&self.cloud).retry(retry).build().unwrap()
    }

    /// A download of this place's object by a process of its own.
    fn download(&self) -> Download {
        self.client()
            .download_file(self.cloud.bucket(), "k", &self.target)
            .part_size(PART)
            .checkpoint(&self.checkpoint)
    }

    /// An upload of this place's file by a process of its own.
    fn upload(&self) -> Upload {
        self.client()
            .upload_file(self.cloud.bucket(), "k", &self.target)
            .part_size(PART)
            .parallel(1)
            .checkpoint(&self.checkpoint)
    }

    /// A download that fails when two ranges of five have arrived, and half of the third.
    async fn broken_download(&self) -> Bytes {
        let content = content(5 * PART - 7);
        self.cloud.put_object(self.cloud.bucket(), "k", content.clone());
        let cloud = Arc::clone(&self.cloud);
        let mut is_broken = false;
        let broken = self.download().on_progress(move |progress| {
            if progress.received >= 2 * PART && !std::mem::replace(&mut is_broken, true) {
                cloud.fault(Service::Oss, Fault::error(500, "InternalError").always());
            }
        });
        let error = broken.await.unwrap_err();
        assert_eq!(error.code(), Some("InternalError"));
        self.cloud.clear_faults();
        self.cloud.forget_requests();
        content
    }

    /// An upload that fails when two parts of five are there.
    async fn broken_upload(&self) -> Bytes {
        let content = content(5 * PART - 7);
        fs::write(&self.target, &content).unwrap();
        let third = Fault::error(500, "InternalError").action("UploadPart");
        self.cloud
            .fault(Service::Oss, third.parameter("partNumber", "3").always());
        let error = self.upload().await.unwrap_err();
        assert_eq!(error.code(), Some("InternalError"));
        assert!(matches!(error, Error::Service(_)), "{error}");
        assert_eq!(self.cloud.count(Service::Oss, "AbortMultipartUpload"), 0);
        self.cloud.clear_faults();
        self.cloud.forget_requests();
        content
    }

    /// Continues, and gives what the log warned of.
    async fn downloaded(&self, content: &Bytes) -> String {
        let (log, downloaded) = warnings(self.download().send()).await;
        let downloaded = downloaded.unwrap();
        assert_eq!(fs::read(&self.target).unwrap(), *content);
        assert_eq!(downloaded.size, content.len() as u64);
        let head = self.client().head_object(self.cloud.bucket(), "k").await.unwrap();
        assert_eq!(downloaded.crc64, head.crc64());
        assert_eq!(names(self.folder.path()), ["f"]);
        log
    }

    async fn uploaded(&self, content: &Bytes) -> String {
        let (log, uploaded) = warnings(self.upload().send()).await;
        let uploaded = uploaded.unwrap();
        assert_eq!(self.cloud.object(self.cloud.bucket(), "k").unwrap(), *content);
        assert_eq!((uploaded.size, uploaded.parts), (content.len() as u64, 5));
        assert_eq!(names(self.folder.path()), ["f"]);
        assert_eq!(self.uploads().await, []);
        log
    }

    /// Uploads that have not ended.
    async fn uploads(&self) -> Vec<MultipartUpload> {
        let mut listed = self
            .client()
            .list_multipart_uploads(self.cloud.bucket())
            .uploads();
        let mut uploads = Vec::new();
        while let Some(upload) = listed.try_next().await.unwrap() {
            uploads.push(upload);
        }
        uploads
    }

    fn noted(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.checkpoint).unwrap()).unwrap()
    }

    /// Changes a field of the checkpoint.
    fn note(&self, name: &str, value: impl Into<Value>) {
        let mut noted = self.noted();
        noted[name] = value.into();
        fs::write(&self.checkpoint, noted.to_string()).unwrap();
    }

    /// The ranges that were asked for.
    fn ranges(&self) -> Vec<String> {
        let requests = self.cloud.requests();
        let range = |request: &RecordedRequest| request.header("range").map(str::to_owned);
        let mut ranges: Vec<_> = requests.iter().filter_map(range).collect();
        ranges.sort();
        ranges
    }

    /// The parts that were sent.
    fn parts(&self) -> Vec<String> {
        let requests = self.cloud.requests();
        let sent = requests.iter().filter(|request| request.action() == "UploadPart");
        sent.map(|request| request.query_value("partNumber").unwrap().to_owned())
            .collect()
    }
}

/// Bytes of which no two parts are alike.
fn content(length: u64) -> Bytes {
    (0..length)
        .map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).unwrap())
        .collect()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs this, and gives what the log warned of meanwhile.
async fn warnings<T>(run: impl Future<Output = T>) -> (String, T) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(move || Log(Arc::clone(&written)))
        .finish();
    let told = tracing::subscriber::set_default(subscriber);
    let done = run.await;
    drop(told);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    (log.replace('\\', ""), done)
}

struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn ranges_of_every_size_make_up_the_object() {
    let place = Place::new().await;
    let (cloud, bucket) = (&place.cloud, place.cloud.bucket());
    for (length, count) in [
        (0, 1),
        (1, 1),
        (PART - 1, 1),
        (PART, 1),
        (PART + 1, 2),
        (7 * PART + 3, 8),
    ] {
        let content = content(length);
        cloud.put_object(bucket, "k", content.clone());
        cloud.forget_requests();
        let progress = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&progress);
        let downloaded = place
            .client()
            .download_file(bucket, "k", &place.target)
            .part_size(PART)
            .parallel(3)
            .if_none_match("\"0\"")
            .traffic_limit(819_200)
            .on_progress(move |progress| seen.lock().unwrap().push(progress))
            .await
            .unwrap();
        assert_eq!(fs::read(&place.target).unwrap(), content, "{length}");
        assert_eq!(names(place.folder.path()), ["f"]);
        let requests = cloud.requests();
        let head = place.client().head_object(bucket, "k").await.unwrap();
        assert_eq!((downloaded.size, downloaded.crc64), (length, head.crc64()));
        // `HeadObject` alone for nothing.
        assert_eq!(
            requests.len(),
            if length == 0 { 1 } else { 1 + count },
            "{length}"
        );
        assert_eq!(requests[0].action(), "HeadObject");
        assert_eq!(requests[0].header("if-none-match"), Some("\"0\""));
        assert_eq!(requests[0].header("x-oss-traffic-limit"), None);
        for request in &requests[1..] {
            assert_eq!(request.header("if-match"), head.etag());
            assert_eq!(request.header("if-none-match"), None);
            assert_eq!(request.header("x-oss-traffic-limit"), Some("819200"));
        }
        let progress = progress.lock().unwrap();
        assert!(
            progress
                .windows(2)
                .all(|pair| pair[0].received < pair[1].received)
        );
        assert!(progress.iter().all(|progress| progress.total == Some(length)));
        assert_eq!(progress.last().map_or(0, |last| last.received), length);
    }
    assert_eq!(
        place.ranges()[..3],
        ["bytes=0-102399", "bytes=102400-204799", "bytes=204800-307199"]
    );
}

#[tokio::test]
async fn a_range_that_breaks_is_continued_by_itself() {
    let place = Place::new().await;
    let bucket = place.cloud.bucket();
    let content = content(3 * PART);
    place.cloud.put_object(bucket, "k", content.clone());
    place
        .cloud
        .fault(Service::Oss, Fault::cut_body().action("GetObject").times(2));
    let download = place.client().download_file(bucket, "k", &place.target);
    download.part_size(PART).parallel(2).await.unwrap();
    assert_eq!(fs::read(&place.target).unwrap(), content);
    // Half of the first and of the second had arrived.
    assert_eq!(
        place.ranges(),
        [
            "bytes=0-102399",
            "bytes=102400-204799",
            "bytes=153600-204799",
            "bytes=204800-",
            "bytes=51200-102399",
        ]
    );
    place
        .cloud
        .fault(Service::Oss, Fault::cut_body().action("GetObject").always());
    fs::write(&place.target, "earlier").unwrap();
    let download = place.client().download_file(bucket, "k", &place.target);
    let error = download.part_size(PART).parallel(2).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert_eq!(fs::read_to_string(&place.target).unwrap(), "earlier");
}

#[tokio::test]
async fn an_object_that_changes_between_its_ranges_is_an_error() {
    let place = Place::new().await;
    let bucket = place.cloud.bucket().to_owned();
    place.cloud.put_object(&bucket, "k", content(5 * PART));
    let (cloud, name) = (Arc::clone(&place.cloud), bucket.clone());
    fs::write(&place.target, "earlier").unwrap();
    let download = place
        .client()
        .download_file(&bucket, "k", &place.target)
        .part_size(PART)
        .parallel(2)
        .on_progress(move |_| assert!(cloud.put_object(&name, "k", vec![0; 512_000])));
    let error = download.await.unwrap_err();
    assert_eq!(error.code(), Some("PreconditionFailed"));
    assert_eq!(fs::read_to_string(&place.target).unwrap(), "earlier");
}

#[tokio::test]
async fn ranges_of_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let head = |headers: &[(&str, &str)]| {
        let text = String::from_utf8(response(200, headers, "")).unwrap();
        text.replace("Content-Length: 0\r\n", "Content-Length: 5\r\n")
            .into_bytes()
    };
    // Changed bytes: that is the CRC-64/XZ of other ones.
    let good = head(&[("etag", "\"1\""), ("x-oss-hash-crc64ecma", "1")]);
    let whole = |etag: &str| response(200, &[("etag", etag), ("x-oss-hash-crc64ecma", "1")], "hello");
    for (head, second, word) in [
        (good.clone(), whole("\"2\""), "not the rest of the object"),
        (good, whole("\"1\""), "differs from what is stored"),
        (
            head(&[("etag", "W/\"1\"")]),
            whole("W/\"1\""),
            "it has no ETag or no length",
        ),
    ] {
        for checkpoint in [false, true] {
            let server = Server::start([head.clone(), second.clone()]);
            let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
            let mut download = client.download_file("examplebucket", "k", &target).parallel(2);
            if checkpoint {
                download = download.checkpoint(folder.path().join("c"));
            }
            let error = download.await.unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
            if !checkpoint {
                assert_eq!(names(folder.path()), Vec::<String>::new(), "{error}");
            }
            for left in names(folder.path()) {
                fs::remove_file(folder.path().join(left)).unwrap();
            }
        }
    }
    let client = builder("http://127.0.0.1:1", Keys::new(1)).build().unwrap();
    let download = || {
        client
            .download_file("examplebucket", "k", &target)
            .process("image/info")
    };
    for refused in [
        download().parallel(2),
        download().checkpoint("c"),
        download().part_size(1),
    ] {
        let error = refused.await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
    }
}

#[tokio::test]
async fn ranges_that_do_not_make_up_the_object_leave_nothing_to_continue() {
    let folder = tempfile::tempdir().unwrap();
    let (target, total) = (folder.path().join("f"), PART + 1);
    // That is the CRC-64/XZ of other bytes.
    let stored = [("etag", "\"1\""), ("x-oss-hash-crc64ecma", "1")];
    let answer = move || -> common::Handler {
        Box::new(move |request, stream| {
            let length = format!("Content-Length: {total}\r\n");
            let answer = match request.header("range") {
                None => {
                    let head = String::from_utf8(response(200, &stored, "")).unwrap();
                    head.replace("Content-Length: 0\r\n", &length).into_bytes()
                }
                Some(range) => {
                    let is_first = range.starts_with("bytes=0-");
                    let content = "a".repeat(if is_first { 102_400 } else { 1 });
                    let part = if is_first {
                        "bytes 0-102399/102401"
                    } else {
                        "bytes 102400-102400/102401"
                    };
                    response(206, &[stored[0], stored[1], ("content-range", part)], &content)
                }
            };
            stream.write_all(&answer).unwrap();
        })
    };
    for checkpoint in [None, Some(folder.path().join("c"))] {
        let server = Server::with_handlers([answer(), answer(), answer()]);
        let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
        let mut download = client.download_file("examplebucket", "k", &target);
        download = download.part_size(PART).parallel(2);
        if let Some(checkpoint) = checkpoint {
            download = download.checkpoint(checkpoint);
        }
        let error = download.await.unwrap_err();
        let Error::Corrupted(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.stored(), 1);
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_download_is_continued_by_a_later_process() {
    let place = Place::new().await;
    let content = place.broken_download().await;
    let left = names(place.folder.path());
    assert!(
        left.len() == 2 && left[0].starts_with(".oss-download-") && left[1] == "c",
        "{left:?}"
    );
    let noted = fs::read_to_string(&place.checkpoint).unwrap();
    let key = place.cloud.access_key();
    assert!(!noted.contains(key.access_key_id()), "{noted}");
    assert!(!noted.contains(key.access_key_secret()), "{noted}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&place.checkpoint).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(place.downloaded(&content).await, "");
    assert_eq!(
        place.ranges(),
        ["bytes=204800-307199", "bytes=307200-409599", "bytes=409600-"]
    );
}

#[tokio::test]
async fn a_download_that_is_dropped_is_continued_too() {
    let place = Place::new().await;
    let content = content(3 * PART);
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    let cloud = Arc::clone(&place.cloud);
    let (told, arrived) = tokio::sync::oneshot::channel();
    let mut told = Some(told);
    let download = place.download().on_progress(move |progress| {
        if progress.received >= 2 * PART
            && let Some(told) = told.take()
        {
            cloud.fault(Service::Oss, Fault::hang().always());
            told.send(()).unwrap();
        }
    });
    let noted = async {
        arrived.await.unwrap();
        // The request for the third range shows that the second was noted.
        while place.cloud.count(Service::Oss, "GetObject") < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = download.send() => panic!("{outcome:?}"),
        () = noted => {}
    }
    place.cloud.clear_faults();
    place.cloud.forget_requests();
    assert_eq!(place.downloaded(&content).await, "");
    assert_eq!(place.ranges(), ["bytes=204800-"]);
}

#[tokio::test]
async fn ranges_that_the_disk_does_not_have_are_fetched_again() {
    let place = Place::new().await;
    let content = place.broken_download().await;
    let unfinished = place.folder.path().join(place.noted()["file"].as_str().unwrap());
    let mut bytes = fs::read(&unfinished).unwrap();
    bytes[5] ^= 1;
    fs::write(&unfinished, bytes).unwrap();
    assert_eq!(place.downloaded(&content).await, "");
    assert_eq!(place.ranges().len(), 4);
    assert_eq!(place.ranges()[0], "bytes=0-102399");
}

#[tokio::test]
async fn a_checkpoint_of_another_download_is_discarded() {
    type Change = Box<dyn Fn(&Place, &mut Bytes)>;
    let noted = |name: &'static str, value: Value| -> Change {
        Box::new(move |place, _| place.note(name, value.clone()))
    };
    let changes: [(Change, &str); 10] = [
        (
            Box::new(|place, content| {
                *content = vec![7; content.len()].into();
                place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
            }),
            r#"its field "etag" differs"#,
        ),
        (noted("size", 1.into()), r#"its field "size" differs"#),
        (
            noted("modified", "1.000000000".into()),
            r#"its field "modified" differs"#,
        ),
        (noted("key", "other".into()), r#"its field "key" differs"#),
        (noted("target", "other".into()), r#"its field "target" differs"#),
        (
            noted("kind", "oss-client/upload/1".into()),
            r#"its field "kind" differs"#,
        ),
        (noted("file", "../f".into()), "it has no ranges that fit"),
        (
            noted("file", ".oss-download-gone".into()),
            "its unfinished file is gone",
        ),
        (noted("part_size", 0.into()), "it has no ranges that fit"),
        (
            noted("parts", vec![vec![9, 1]].into()),
            "it has no ranges that fit",
        ),
    ];
    for (change, why) in changes {
        let place = Place::new().await;
        let mut content = place.broken_download().await;
        change(&place, &mut content);
        let (log, downloaded) = warnings(place.download().send()).await;
        downloaded.unwrap();
        assert_eq!(fs::read(&place.target).unwrap(), content, "{why}");
        assert!(log.contains(why), "{why}: {log}");
        assert!(log.contains("a checkpoint is discarded"), "{log}");
        assert_eq!(place.ranges().len(), 5, "{why}");
        assert!(!place.checkpoint.exists());
        // The earlier file goes where it is certainly that of the earlier download.
        if ["etag", "size", "modified", "key"]
            .iter()
            .any(|field| why.contains(&format!("\"{field}\"")))
        {
            assert_eq!(names(place.folder.path()), ["f"], "{why}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_no_checkpoint_is_refused_and_kept() {
    let content = content(5 * PART);
    for foreign in ["{", "[]", "\u{0}\u{0}", "{\"kind\": \"mine\"}"] {
        let place = Place::new().await;
        place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
        fs::write(&place.checkpoint, foreign).unwrap();
        let error = place.download().await.unwrap_err().to_string();
        assert!(
            error.contains("/c cannot be used: it is not a checkpoint; "),
            "{error}"
        );
        fs::write(&place.target, &content).unwrap();
        let error = place.upload().await.unwrap_err().to_string();
        assert!(
            error.contains("/c cannot be used: it is not a checkpoint; "),
            "{error}"
        );
        assert_eq!(fs::read(&place.checkpoint).unwrap(), foreign.as_bytes());
    }
    // An empty file holds nothing that could be lost.
    let place = Place::new().await;
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    fs::write(&place.checkpoint, "").unwrap();
    assert!(place.downloaded(&content).await.contains("it is empty"));
    fs::write(&place.checkpoint, "").unwrap();
    assert!(place.uploaded(&content).await.contains("it is empty"));
}

#[tokio::test]
async fn the_file_that_is_transferred_cannot_be_its_checkpoint() {
    let mut place = Place::new().await;
    let content = content(5 * PART);
    place.cloud.put_object(place.cloud.bucket(), "k", content.clone());
    place.checkpoint = place.folder.path().join(".").join("f");
    assert_eq!(place.checkpoint.file_name(), place.target.file_name());
    let error = place.download().await.unwrap_err().to_string();
    assert!(error.contains("it is the file of the transfer itself"), "{error}");
    fs::write(&place.target, &content).unwrap();
    let error = place.upload().await.unwrap_err().to_string();
    assert!(error.contains("it is the file of the transfer itself"), "{error}");
    assert_eq!(fs::read(&place.target).unwrap(), content);
}

#[tokio::test]
async fn what_is_no_file_cannot_be_a_checkpoint() {
    let place = Place::new().await;
    fs::create_dir(&place.checkpoint).unwrap();
    fs::write(&place.target, content(2 * PART)).unwrap();
    let error = place.upload().await.unwrap_err().to_string();
    assert!(
        error.contains("/c cannot be used: it is not a regular file; name a file"),
        "{error}"
    );
    assert!(place.cloud.requests().is_empty());
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_written_ends_the_transfer() {
    let mut place = Place::new().await;
    place.checkpoint = place.folder.path().join("missing/c");
    fs::write(&place.target, content(2 * PART)).unwrap();
    let error = place.upload().await.unwrap_err();
    assert!(
        error.to_string().contains("missing/c cannot be used: "),
        "{error}"
    );
    assert_eq!(place.uploads().await, []);
    place
        .cloud
        .put_object(place.cloud.bucket(), "k", content(2 * PART));
    let error = place.download().await.unwrap_err();
    assert!(
        error.to_string().contains("missing/c cannot be used: "),
        "{error}"
    );
    assert_eq!(names(place.folder.path()), ["f"]);
    let client = place.client();
    let upload = client
        .upload(place.cloud.bucket(), "k", "bytes")
        .checkpoint(&place.checkpoint);
    let error = upload.await.unwrap_err().to_string();
    assert!(
        error.contains("a checkpoint is set for an upload that is not of a file"),
        "{error}"
    );
}

#[tokio::test]
async fn an_upload_is_continued_by_a_later_process() {
    let place = Place::new().await;
    let content = place.broken_upload().await;
    assert_eq!(names(place.folder.path()), ["c", "f"]);
    assert_eq!(place.uploads().await.len(), 1);
    place.cloud.forget_requests();
    assert_eq!(place.uploaded(&content).await, "");
    assert_eq!(place.parts(), ["3", "4", "5"]);
    assert_eq!(place.cloud.count(Service::Oss, "InitiateMultipartUpload"), 0);
}

#[tokio::test]
async fn progress_of_a_continued_upload_counts_what_is_there() {
    let place = Place::new().await;
    place.broken_upload().await;
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let upload = place
        .upload()
        .on_progress(move |progress| seen.lock().unwrap().push(progress));
    upload.await.unwrap();
    let progress = progress.lock().unwrap();
    let there = |progress: &oss_client::UploadProgress| (progress.sent, progress.acknowledged);
    assert!(
        progress
            .iter()
            .any(|progress| there(progress) == (2 * PART, 2 * PART)),
        "{progress:?}"
    );
    let last = progress.last().unwrap();
    assert_eq!((last.sent, last.acknowledged), (5 * PART - 7, 5 * PART - 7));
}

#[tokio::test]
async fn a_part_that_is_another_one_is_sent_again() {
    let place = Place::new().await;
    let content = place.broken_upload().await;
    let id = place.uploads().await.pop().unwrap().upload_id;
    let other = vec![0; usize::try_from(PART).unwrap()];
    let replaced = place
        .client()
        .upload_part(place.cloud.bucket(), "k", id, 2, other);
    replaced.await.unwrap();
    place.cloud.forget_requests();
    assert_eq!(place.uploaded(&content).await, "");
    assert_eq!(place.parts(), ["2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_checkpoint_of_another_upload_is_discarded() {
    type Change = Box<dyn Fn(&Place, &mut Bytes)>;
    let noted = |name: &'static str, value: Value| -> Change {
        Box::new(move |place, _| place.note(name, value.clone()))
    };
    let changes: [(Change, &str, u64); 7] = [
        (
            Box::new(|place, content| {
                let modified = fs::metadata(&place.target).unwrap().modified().unwrap();
                *content = vec![7; content.len() - 1].into();
                fs::write(&place.target, content).unwrap();
                let file = fs::File::options().write(true).open(&place.target).unwrap();
                file.set_modified(modified).unwrap();
            }),
            r#"its field "size" differs"#,
            1,
        ),
        (
            Box::new(|place, content| {
                *content = vec![7; content.len()].into();
                fs::write(&place.target, &*content).unwrap();
                let file = fs::File::options().write(true).open(&place.target).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            }),
            r#"its field "modified" differs"#,
            1,
        ),
        (
            noted("settings", "0".into()),
            r#"its field "settings" differs"#,
            1,
        ),
        (
            noted("source", "other".into()),
            r#"its field "source" differs"#,
            1,
        ),
        // Not ours to abort.
        (noted("key", "other".into()), r#"its field "key" differs"#, 0),
        (noted("part_size", 1.into()), "it has no upload that fits", 0),
        (
            noted("upload_id", "0".into()),
            "the service does not have the upload any more",
            0,
        ),
    ];
    for (change, why, aborted) in changes {
        let place = Place::new().await;
        let mut content = place.broken_upload().await;
        change(&place, &mut content);
        let (log, uploaded) = warnings(place.upload().send()).await;
        uploaded.unwrap();
        assert_eq!(
            place.cloud.object(place.cloud.bucket(), "k").unwrap(),
            content,
            "{why}"
        );
        assert!(log.contains(why), "{why}: {log}");
        assert_eq!(place.parts().len(), 5, "{why}");
        assert_eq!(
            place.cloud.count(Service::Oss, "AbortMultipartUpload"),
            aborted,
            "{why}"
        );
        assert_eq!(place.uploads().await.len() as u64, 1 - aborted, "{why}");
        assert_eq!(log.contains("are left behind"), why.contains("\"key\""), "{log}");
        assert_eq!(names(place.folder.path()), ["f"]);
    }
}

#[tokio::test]
async fn an_upload_whose_parts_cannot_be_listed_stays_as_it_is() {
    let place = Place::new().await;
    place.broken_upload().await;
    let refused = Fault::error(403, "AccessDenied").action("ListParts");
    place.cloud.fault(Service::Oss, refused.always());
    assert_eq!(place.upload().await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(names(place.folder.path()), ["c", "f"]);
    assert_eq!(place.uploads().await.len(), 1);
}
