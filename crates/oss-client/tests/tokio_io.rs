//! Bodies as tokio's readers and writers, against a local cloud that checks every signature.
#![cfg(all(
    feature = "tokio-util",
    any(
        feature = "rustls",
        feature = "native-tls",
        not(feature = "rustls-no-provider")
    )
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use bytes::Bytes;
use common::{Keys, Server, builder, client, of_cloud, response};
use oss_client::{Client, Error, UploadWriter};
use oss_testkit::{Fault, LocalCloud, Service};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};

/// The smallest part that the service takes.
const PART: usize = 100 * 1024;

async fn cloud() -> (LocalCloud, Client) {
    let cloud = LocalCloud::start().await.unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    (cloud, client)
}

/// Bytes of which no two parts are alike.
fn content(length: usize) -> Bytes {
    (0..length)
        .map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).unwrap())
        .collect()
}

#[tokio::test]
async fn a_body_is_read_whole_and_line_by_line() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    for length in [0, 1, 700_000] {
        let content = content(length);
        cloud.put_object(bucket, "k", content.clone());
        let object = client.get_object(bucket, "k").await.unwrap();
        let mut read = Vec::new();
        object.into_async_read().read_to_end(&mut read).await.unwrap();
        assert_eq!(read, content, "{length}");
    }
    cloud.put_object(bucket, "k", "one\ntwo\n\nfour");
    let object = client.get_object(bucket, "k").await.unwrap();
    let mut lines = object.into_body().into_async_read().lines();
    for line in ["one", "two", "", "four"] {
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some(line));
    }
    assert_eq!(lines.next_line().await.unwrap(), None);
}

#[tokio::test]
async fn there_is_no_end_after_a_failure() {
    // `hello world` has another CRC-64, as the vendor's SDK computes it.
    let changed = response(200, &[("x-oss-hash-crc64ecma", "1")], "hello world");
    let cut = String::from_utf8(response(200, &[("etag", "\"1\"")], "hello")).unwrap();
    let cut = cut.replace("Content-Length: 5", "Content-Length: 6").into_bytes();
    for (answer, is_expected) in [
        (
            changed,
            (|error| matches!(error, Error::Corrupted(_))) as fn(&Error) -> bool,
        ),
        (cut, |error| matches!(error, Error::Transport(_))),
    ] {
        let server = Server::start([answer]);
        let object = client(&server, Keys::new(1))
            .get_object("examplebucket", "k")
            .await;
        let mut reader = object.unwrap().into_async_read();
        let mut read = Vec::new();
        for _ in 0..3 {
            let error = reader.read_to_end(&mut read).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::Other);
            let error = error.into_inner().unwrap().downcast::<Error>().unwrap();
            assert!(is_expected(&error), "{error}");
            assert!(read.starts_with(b"hello"));
        }
    }
}

#[tokio::test]
async fn what_is_written_is_stored_when_it_is_finished() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    for length in [0, 1, PART - 1, 3 * PART, 1_000_000] {
        let content = content(length);
        let mut writer = UploadWriter::new(|body| {
            client
                .upload(bucket, "k", body)
                .part_size(PART as u64)
                .metadata("m", "1")
        });
        for piece in content.chunks(77_777) {
            writer.write_all(piece).await.unwrap();
        }
        let uploaded = writer.finish().await.unwrap();
        assert_eq!(uploaded.size, length as u64);
        assert_eq!(cloud.object(bucket, "k").unwrap(), content);
        let head = client.head_object(bucket, "k").await.unwrap();
        assert_eq!(
            (uploaded.crc64, head.header("x-oss-meta-m")),
            (head.crc64(), Some("1"))
        );
    }
    // As any other writer: `shutdown` is the end.
    let mut writer = UploadWriter::new(|body| client.upload(bucket, "copied", body));
    let copied = tokio::io::copy(&mut &content(300_000)[..], &mut writer)
        .await
        .unwrap();
    assert_eq!(copied, 300_000);
    assert!(cloud.object(bucket, "copied").is_none());
    writer.shutdown().await.unwrap();
    assert_eq!(cloud.object(bucket, "copied").unwrap(), content(300_000));
    writer.shutdown().await.unwrap();
    let error = writer.write_all(b"more").await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the upload takes no more bytes: it has ended"),
        "{error}"
    );
    assert_eq!(writer.finish().await.unwrap().size, 300_000);
}

#[tokio::test]
async fn what_is_flushed_is_on_its_way() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let mut writer = UploadWriter::new(|body| client.upload(bucket, "k", body).part_size(PART as u64));
    writer.write_all(&content(2 * PART)).await.unwrap();
    while cloud.count(Service::Oss, "UploadPart") == 0 {
        writer.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    drop(writer);
    while cloud.count(Service::Oss, "AbortMultipartUpload") == 0 {
        tokio::task::yield_now().await;
    }
    assert!(cloud.object(bucket, "k").is_none());
}

#[tokio::test]
async fn a_writer_that_is_dropped_stores_nothing() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let mut writer = UploadWriter::new(|body| client.upload(bucket, "k", body));
    writer.write_all(b"hello").await.unwrap();
    writer.flush().await.unwrap();
    drop(writer);
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(cloud.requests().is_empty());
}

#[tokio::test]
async fn an_upload_that_fails_tells_the_writer_why() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    // Of a part that fails, the others are deleted before the upload ends.
    for action in ["InitiateMultipartUpload", "UploadPart"] {
        cloud.fault(
            Service::Oss,
            Fault::error(403, "AccessDenied").action(action).always(),
        );
        let mut writer = UploadWriter::new(|body| client.upload(bucket, "k", body).part_size(PART as u64));
        let error = loop {
            if let Err(error) = writer.write_all(&content(PART)).await {
                break error;
            }
            tokio::task::yield_now().await;
        };
        let error = error.into_inner().unwrap().downcast::<Error>().unwrap();
        assert_eq!(error.code(), Some("AccessDenied"), "{error}");
        let later = writer.write_all(b"more").await.unwrap_err().to_string();
        let expected = format!("the upload takes no more bytes: oss-client: {action} was refused");
        assert!(later.contains(&expected), "{later}");
        let error = writer.finish().await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        cloud.clear_faults();
    }
    assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 1);

    // An upload of something else ends before what is written was taken.
    let mut writer = UploadWriter::new(|_| client.upload(bucket, "other", "bytes"));
    let error = loop {
        if let Err(error) = writer.write_all(&content(PART)).await {
            break error;
        }
        tokio::task::yield_now().await;
    };
    assert!(error.to_string().contains("it has ended"), "{error}");

    // What refuses the request itself is told at the end.
    let offline = builder("http://127.0.0.1:1", Keys::new(1)).build().unwrap();
    let writer = UploadWriter::new(|body| offline.upload("examplebucket", "k", body).part_size(1));
    let error = writer.finish().await.unwrap_err();
    assert!(error.to_string().contains("a part size of 1 bytes"), "{error}");
}
