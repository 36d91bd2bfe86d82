//! Downloads in ranges, against a local cloud that checks every signature.

use std::fs;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{Handler, Keys, Server, builder, response};
use crate::files::{PART, content, names};
use crate::place::Place;
use oss_client::{Error, FixedDelay};
use oss_testkit::{Fault, Service};

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
    let answer = move || -> Handler {
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

/// A response whose body ends with the connection, as of a client that may decompress.
fn without_length(headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let head = String::from_utf8(response(206, headers, "")).unwrap();
    (head.replace("Content-Length: 0\r\n", "") + body).into_bytes()
}

#[tokio::test]
async fn a_range_of_unknown_length_ends_where_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let etag = ("etag", "\"1\"");
    let part = |range: &str, length: usize| {
        let range = format!("bytes {range}/102405");
        without_length(&[etag, ("content-range", &range)], &"a".repeat(length))
    };
    let head = String::from_utf8(response(200, &[etag], "")).unwrap();
    let head = head.replace("Content-Length: 0", "Content-Length: 102405");
    for (first, is_long) in [(51_200, false), (102_403, true)] {
        let server = Server::start([
            head.clone().into_bytes(),
            part("0-102399", first),
            part("51200-102399", 51_200),
            part("102400-102404", 5),
        ]);
        let client = builder(&server.endpoint(), Keys::new(1))
            .unchecked_client(reqwest::Client::new())
            .retry(FixedDelay::new(if is_long { 1 } else { 2 }, Duration::ZERO))
            .build()
            .unwrap();
        let download = client
            .download_file("examplebucket", "k", &target)
            .part_size(PART);
        let downloaded = download.checkpoint(folder.path().join("c")).await;
        if is_long {
            let error = downloaded.unwrap_err().to_string();
            assert!(error.contains("has more than the 102400 bytes"), "{error}");
            continue;
        }
        downloaded.unwrap();
        assert_eq!(fs::read(&target).unwrap(), vec![b'a'; 102_405]);
        let received = server.received();
        let ranges: Vec<_> = received
            .iter()
            .filter_map(|request| request.header("range"))
            .collect();
        assert_eq!(ranges, ["bytes=0-102399", "bytes=51200-102399", "bytes=102400-"]);
    }
}
