//! Downloads to files, against a local cloud that checks every signature.
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
#[path = "common/files.rs"]
mod files;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Handler, Keys, NOW, Server, builder, client, of_cloud, response};
use files::{KIB, content, names};
use oss_client::{Client, Download, Error, FixedDelay};
use oss_credentials_core::test_util::ManualClock;
use oss_testkit::{Fault, LocalCloud, RecordedRequest, Service};
use tempfile::TempDir;

const MIB: u64 = 1024 * KIB;

/// Every request is sent up to three times.
async fn cloud() -> (LocalCloud, Client, TempDir) {
    let cloud = LocalCloud::start().await.unwrap();
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = of_cloud(&cloud).retry(retry).build().unwrap();
    (cloud, client, tempfile::tempdir().unwrap())
}

fn ranges(requests: &[RecordedRequest]) -> Vec<Option<&str>> {
    requests.iter().map(|request| request.header("range")).collect()
}

/// A download onto an earlier file, which has to stay if it fails.
async fn failed(download: Download, target: &Path) -> Error {
    fs::write(target, "earlier").unwrap();
    let error = download.await.unwrap_err();
    assert_eq!(fs::read_to_string(target).unwrap(), "earlier", "{error}");
    let name = target.file_name().unwrap().to_str().unwrap();
    assert_eq!(names(target.parent().unwrap()), [name], "{error}");
    error
}

#[tokio::test]
async fn objects_of_every_size_arrive_whole() {
    let (cloud, client, folder) = cloud().await;
    let (bucket, target) = (cloud.bucket(), folder.path().join("目录 a+b"));
    for length in [0, 1, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 3 * MIB + 7] {
        let content = content(length);
        cloud.put_object(bucket, "k", content.clone());
        let progress = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&progress);
        let downloaded = client
            .download_file(bucket, "k", &target)
            .on_progress(move |progress| seen.lock().unwrap().push(progress))
            .await
            .unwrap();
        assert_eq!(fs::read(&target).unwrap(), content, "{length}");
        assert_eq!(names(folder.path()), ["目录 a+b"]);
        let head = client.head_object(bucket, "k").await.unwrap();
        assert_eq!((downloaded.size, downloaded.crc64), (length, head.crc64()));
        assert_eq!(downloaded.head.etag(), head.etag());
        let progress = progress.lock().unwrap();
        assert!(progress.is_sorted_by_key(|progress| progress.received));
        assert!(progress.iter().all(|progress| progress.total == Some(length)));
        let last = progress.last().map_or(0, |progress| progress.received);
        assert_eq!(last, length);
        assert_eq!(progress.is_empty(), length == 0);
    }
    // Beside the target, in the folder that the program runs in.
    let bare = client.download_file(bucket, "missing", "no-such-object.txt");
    assert_eq!(bare.await.unwrap_err().code(), Some("NoSuchKey"));
    assert!(!Path::new("no-such-object.txt").exists());
}

#[tokio::test]
async fn a_transfer_that_breaks_is_continued() {
    let (cloud, client, folder) = cloud().await;
    let (bucket, target) = (cloud.bucket(), folder.path().join("f"));
    let content = content(600 * KIB);
    cloud.put_object(bucket, "k", content.clone());
    cloud.fault(Service::Oss, Fault::cut_body().times(2));
    let downloaded = client
        .download_file(bucket, "k", &target)
        .if_none_match("\"0\"")
        .traffic_limit(819_200)
        .await
        .unwrap();
    assert_eq!(fs::read(&target).unwrap(), content);
    assert_eq!(downloaded.size, 600 * KIB);
    let requests = cloud.requests();
    // Half of the whole, and half of what was left.
    let (half, more) = ("bytes=307200-", "bytes=460800-");
    assert_eq!(ranges(&requests), [None, Some(half), Some(more)]);
    let matched = |request: &RecordedRequest| request.header("if-match").map(str::to_owned);
    let etag = downloaded.head.etag().map(str::to_owned);
    assert_eq!(
        requests.iter().map(matched).collect::<Vec<_>>(),
        [None, etag.clone(), etag]
    );
    assert_eq!(requests[0].header("if-none-match"), Some("\"0\""));
    assert_eq!(requests[1].header("if-none-match"), None);
    for request in &requests {
        assert_eq!(request.header("x-oss-traffic-limit"), Some("819200"));
    }

    // Before a first byte there is no range to ask for.
    let length = |content: &str| content.len().to_string();
    let cut = |content: &str| {
        let head = response(
            200,
            &[("etag", "\"1\""), ("content-length", &length(content))],
            "",
        );
        String::from_utf8(head)
            .unwrap()
            .replace("Content-Length: 0\r\n", "")
            .into_bytes()
    };
    let server = Server::start([cut("hello"), response(200, &[("etag", "\"1\"")], "hello")]);
    let retry = FixedDelay::new(2, Duration::ZERO);
    let scripted = builder(&server.endpoint(), Keys::new(1))
        .retry(retry)
        .build()
        .unwrap();
    scripted
        .download_file("examplebucket", "k", &target)
        .await
        .unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "hello");
    let second = &server.received()[1];
    assert_eq!(
        (second.header("range"), second.header("if-match")),
        (None, Some("\"1\""))
    );
}

#[tokio::test]
async fn the_policy_limits_how_often_it_is_continued_without_progress() {
    let (cloud, client, folder) = cloud().await;
    let (bucket, target) = (cloud.bucket(), folder.path().join("f"));
    cloud.put_object(bucket, "small", content(600 * KIB));
    cloud.put_object(bucket, "large", content(10 * MIB));
    cloud.fault(Service::Oss, Fault::cut_body().always());
    let error = failed(client.download_file(bucket, "small", &target), &target).await;
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert_eq!(cloud.count(Service::Oss, "GetObject"), 3);

    // 5 MiB, 2.5 and 1.25 are progress; behind them two attempts are left to the three.
    cloud.forget_requests();
    failed(client.download_file(bucket, "large", &target), &target).await;
    let halves = [5120, 7680, 8960, 9600].map(|kib| format!("bytes={}-", kib * KIB));
    let mut expected = vec![None];
    expected.extend(halves.iter().map(|half| Some(half.as_str())));
    assert_eq!(ranges(&cloud.requests()), expected);

    // Each request has its own attempts.
    cloud.clear_faults();
    cloud.forget_requests();
    cloud.fault(Service::Oss, Fault::cut_body());
    cloud.fault(Service::Oss, Fault::error(503, "ServiceUnavailable").times(2));
    client.download_file(bucket, "small", &target).await.unwrap();
    assert_eq!(cloud.count(Service::Oss, "GetObject"), 4);
}

#[tokio::test]
async fn an_object_that_is_replaced_meanwhile_is_not_mixed() {
    let (cloud, client, folder) = cloud().await;
    let cloud = Arc::new(cloud);
    let (bucket, target) = (cloud.bucket().to_owned(), folder.path().join("f"));
    cloud.put_object(&bucket, "k", content(600 * KIB));
    cloud.fault(Service::Oss, Fault::cut_body());
    let (replacing, name) = (Arc::clone(&cloud), bucket.clone());
    let download = client
        .download_file(&bucket, "k", &target)
        .on_progress(move |_| assert!(replacing.put_object(&name, "k", vec![0; 614_400])));
    let error = failed(download, &target).await;
    assert_eq!(error.code(), Some("PreconditionFailed"));
    assert_eq!(cloud.count(Service::Oss, "GetObject"), 2);
}

/// The first response ends after `hel`; the second is this one.
async fn continued_with(first: &[(&str, &str)], second: Vec<u8>, target: &Path) -> Error {
    let mut headers = vec![("content-length", "5")];
    headers.extend(first);
    let head = String::from_utf8(response(200, &headers, "")).unwrap();
    let cut = head.replace("Content-Length: 0\r\n", "") + "hel";
    let server = Server::start([cut.into_bytes(), second]);
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = builder(&server.endpoint(), Keys::new(1)).retry(retry).build();
    let download = client.unwrap().download_file("examplebucket", "k", target);
    failed(download, target).await
}

#[tokio::test]
async fn what_is_not_the_rest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let rest = |range: &str, etag: &str| response(206, &[("content-range", range), ("etag", etag)], "lo");
    let whole = response(200, &[("etag", "\"1\"")], "hello");
    for (second, word) in [
        (rest("bytes 3-4/6", "\"1\""), "another range was requested"),
        (rest("bytes 2-3/5", "\"1\""), "another range was requested"),
        (rest("bytes 3-4/5", "\"2\""), "not the rest of the object"),
        (whole, "the whole object instead of the range"),
    ] {
        let error = continued_with(&[("etag", "\"1\"")], second, &target).await;
        assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    // Without a name for what it was, nothing can be continued. `If-Match` takes no weak one (RFC 9110).
    for first in [&[("x-oss-request-id", "R1")][..], &[("etag", "W/\"1\"")]] {
        let error = continued_with(first, rest("bytes 3-4/5", "W/\"1\""), &target).await;
        assert!(matches!(error, Error::Transport(_)), "{error}");
    }
    // What came together has to have the checksum of the whole.
    let first = [("etag", "\"1\""), ("x-oss-hash-crc64ecma", "1")];
    let error = continued_with(&first, rest("bytes 3-4/5", "\"1\""), &target).await;
    assert!(matches!(error, Error::Corrupted(_)), "{error}");
}

/// Without a length and a checksum, only the length of the first response shows that bytes are missing.
#[tokio::test]
async fn a_rest_of_unknown_length_is_continued_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let etag = ("etag", "\"1\"");
    let cut = |status, headers: &[(&str, &str)], length: &str, body: &str| {
        let head = String::from_utf8(response(status, headers, "")).unwrap();
        (head.replace("Content-Length: 0\r\n", length) + body).into_bytes()
    };
    let rest = |range, body| cut(206, &[etag, ("content-range", range)], "", body);
    let server = Server::start([
        cut(200, &[etag], "Content-Length: 5\r\n", "hel"),
        rest("bytes 3-4/5", "l"),
        rest("bytes 4-4/5", "o"),
    ]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .unchecked_client(reqwest::Client::new())
        .retry(FixedDelay::new(3, Duration::ZERO))
        .build()
        .unwrap();
    client.download_file("examplebucket", "k", &target).await.unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "hello");
}

#[tokio::test]
async fn changed_bytes_are_an_error_unless_nobody_wants_to_know() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let changed = || {
        response(
            200,
            &[("x-oss-hash-crc64ecma", "5981764153023615707")],
            "hello world",
        )
    };
    let server = Server::start([changed(), changed(), changed()]);
    let checking = client(&server, Keys::new(1));
    let error = failed(checking.download_file("examplebucket", "k", &target), &target).await;
    let Error::Corrupted(error) = error else {
        panic!("{error}")
    };
    // The first is the CRC-64/XZ of these bytes, as the vendor's SDK computes it.
    assert_eq!(
        (error.local(), error.stored(), error.operation()),
        (5_981_764_153_023_615_706, 5_981_764_153_023_615_707, "GetObject")
    );
    let trusting = builder(&server.endpoint(), Keys::new(1)).check_crc(false).build();
    let downloaded = trusting
        .unwrap()
        .download_file("examplebucket", "k", &target)
        .await;
    assert_eq!(downloaded.unwrap().crc64, None);
    // Of what the service made of the object, the checksum is not known.
    let processed = checking
        .download_file("examplebucket", "k", &target)
        .process("image/info");
    processed.await.unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "hello world");
}

#[tokio::test]
async fn an_object_of_unknown_length_has_the_services_checksum_or_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    // Ends with the connection, so that nothing else shows that it was cut.
    let body = |crc: &str, bytes: &str| {
        let head = String::from_utf8(response(200, &[("x-oss-hash-crc64ecma", crc)], "")).unwrap();
        (head.replace("Content-Length: 0\r\n", "") + bytes).into_bytes()
    };
    // The CRC-64/XZ of `hello world`, as the vendor's SDK computes it.
    let crc = "5981764153023615706";
    let server = Server::start([
        body(crc, "hello"),
        body("none", "hello"),
        body(crc, "hello world"),
    ]);
    let client = client(&server, Keys::new(1));
    let download = || client.download_file("examplebucket", "k", &target);
    let error = failed(download(), &target).await;
    assert!(matches!(error, Error::Corrupted(_)), "{error}");
    let error = failed(download(), &target).await;
    assert!(
        error.to_string().contains("x-oss-hash-crc64ecma is not a number"),
        "{error}"
    );
    assert_eq!(download().await.unwrap().size, 11);
}

#[tokio::test]
async fn what_cannot_be_a_target_is_refused_before_anything_is_sent() {
    let (cloud, client, folder) = cloud().await;
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "k", "x");
    let missing = folder.path().join("missing/f");
    let mut targets = vec![
        (folder.path().to_owned(), "is not a regular file"),
        (missing, "cannot be written: "),
        ("".into(), "names no file"),
        ("..".into(), "names no file"),
        ("/".into(), "names no file"),
        (folder.path().join("new/"), "names no file"),
    ];
    if cfg!(unix) {
        targets.push(("/dev/null".into(), "is not a regular file"));
        targets.push((folder.path().join("x".repeat(256)), "cannot be written: "));
        targets.push((folder.path().join("a\0b"), "cannot be written: "));
    }
    for (target, word) in targets {
        let error = client.download_file(bucket, "k", &target).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert!(error.to_string().contains(word), "{target:?}: {error}");
    }
    let target = folder.path().join("f");
    for name in ["range", "accept-encoding"] {
        let download = client
            .download_file(bucket, "k", &target)
            .header(name, "bytes=0-1");
        let error = failed(download, &target).await;
        assert_eq!(
            error.to_string(),
            format!(
                "oss-client: the header {name:?} is set for a download to a file; leave it out, or read with \
                 `get_object`"
            )
        );
    }
    assert!(cloud.requests().is_empty());
    let missing = failed(client.download_file(bucket, "missing", &target), &target).await;
    assert_eq!(missing.code(), Some("NoSuchKey"));
    let unmet = client.download_file(bucket, "k", &target).if_match("\"0\"");
    assert_eq!(failed(unmet, &target).await.code(), Some("PreconditionFailed"));
}

#[tokio::test]
async fn a_folder_that_vanishes_is_an_error() {
    let (cloud, client, folder) = cloud().await;
    cloud.put_object(cloud.bucket(), "k", content(KIB));
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    let target = inside.join("f");
    let download = client
        .download_file(cloud.bucket(), "k", &target)
        .on_progress(move |_| fs::remove_dir_all(&inside).unwrap());
    let error = download.await.unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error, Error::InvalidInput(_)) && text.contains("inside/f cannot be written: "),
        "{text}"
    );
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn a_download_that_is_dropped_leaves_nothing() {
    let (cloud, client, folder) = cloud().await;
    let target = folder.path().join("f");
    fs::write(&target, "earlier").unwrap();
    // One write, and a rest that is not written yet.
    cloud.put_object(cloud.bucket(), "k", content(600 * KIB));
    cloud.fault(Service::Oss, Fault::hang_in_body());
    let (wrote, written) = tokio::sync::oneshot::channel();
    let mut wrote = Some(wrote);
    let download = client
        .download_file(cloud.bucket(), "k", &target)
        .on_progress(move |_| wrote.take().unwrap().send(()).unwrap());
    let inside = names(folder.path());
    assert_eq!(inside, ["f"]);
    tokio::select! {
        outcome = download.send() => panic!("{outcome:?}"),
        told = written => told.unwrap(),
    }
    assert_eq!(names(folder.path()), ["f"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), "earlier");
}

#[tokio::test]
async fn while_it_runs_the_target_is_not_touched() {
    let (cloud, client, folder) = cloud().await;
    let target = folder.path().join("f");
    fs::write(&target, "earlier").unwrap();
    cloud.put_object(cloud.bucket(), "k", "later");
    let (seen, path) = (Arc::new(Mutex::new(None)), target.clone());
    let noted = Arc::clone(&seen);
    let download = client
        .download_file(cloud.bucket(), "k", &target)
        .on_progress(move |_| {
            let inside = names(path.parent().unwrap());
            *noted.lock().unwrap() = Some((fs::read_to_string(&path).unwrap(), inside));
        });
    download.await.unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "later");
    let (before, inside) = seen.lock().unwrap().take().unwrap();
    assert_eq!((before.as_str(), inside.len()), ("earlier", 2));
    assert!(inside[0].starts_with(".oss-download-"), "{inside:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_has_the_usual_permissions_and_replaces_a_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let (cloud, client, folder) = cloud().await;
    cloud.put_object(cloud.bucket(), "k", "later");
    let (linked, target) = (folder.path().join("linked"), folder.path().join("f"));
    // What any program gets.
    fs::File::create(&linked).unwrap().write_all(b"linked").unwrap();
    symlink(&linked, &target).unwrap();
    client.download_file(cloud.bucket(), "k", &target).await.unwrap();
    let about = fs::symlink_metadata(&target).unwrap();
    assert!(about.is_file());
    let usual = fs::metadata(&linked).unwrap().permissions().mode();
    assert_eq!(about.permissions().mode(), usual);
    assert_eq!(fs::read_to_string(&linked).unwrap(), "linked");
    // A link to a folder is no place for a file.
    let folder_link = folder.path().join("l");
    symlink(folder.path(), &folder_link).unwrap();
    let error = client.download_file(cloud.bucket(), "k", &folder_link).await;
    assert!(error.unwrap_err().to_string().contains("is not a regular file"));
}

#[tokio::test]
async fn silence_in_the_middle_is_a_break() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let first: Handler = Box::new(|_, stream| {
        let head = b"HTTP/1.1 200 X\r\nETag: \"1\"\r\nContent-Length: 262146\r\n\r\n";
        stream.write_all(head).unwrap();
        stream.write_all(&vec![b'a'; 262_144]).unwrap();
        // Until the client gives up.
        let _ = stream.read(&mut [0]);
    });
    let second: Handler = Box::new(|_, stream| {
        let headers = [("content-range", "bytes 262144-262145/262146"), ("etag", "\"1\"")];
        stream.write_all(&response(206, &headers, "lo")).unwrap();
    });
    let server = Server::with_handlers([first, second]);
    let clock = ManualClock::at_unix(NOW);
    let client = builder(&server.endpoint(), Keys::new(1))
        .clock(clock.clone())
        .sleep(clock.clone())
        .retry(FixedDelay::new(2, Duration::ZERO))
        .build()
        .unwrap();
    let (wrote, written) = tokio::sync::oneshot::channel();
    let mut wrote = Some(wrote);
    let download = client
        .download_file("examplebucket", "k", &target)
        .on_progress(move |_| {
            if let Some(wrote) = wrote.take() {
                wrote.send(()).unwrap();
            }
        });
    // All that there is has arrived: from here on it is the service that is silent.
    let silence = async {
        written.await.unwrap();
        clock.advance(Duration::from_secs(20));
    };
    let (downloaded, ()) = tokio::join!(download.send(), silence);
    assert_eq!(downloaded.unwrap().size, 262_146);
    assert_eq!(server.received()[1].header("range"), Some("bytes=262144-"));
}

#[tokio::test]
async fn the_page_of_a_portal_replaces_no_file() {
    let (cloud, client, folder) = cloud().await;
    cloud.put_object(cloud.bucket(), "k", "content");
    cloud.fault(Service::Oss, Fault::html(200).always());
    let target = folder.path().join("k");
    let error = failed(client.download_file(cloud.bucket(), "k", &target), &target).await;
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    assert!(
        error.to_string().contains("it has none of the headers of OSS"),
        "{error}"
    );
    assert_eq!(cloud.requests().len(), 1);
}
