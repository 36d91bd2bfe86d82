//! The blocking client, in programs with and without a runtime.
#![cfg(all(
    feature = "blocking",
    any(
        feature = "rustls",
        feature = "native-tls",
        not(feature = "rustls-no-provider")
    )
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use bytes::Bytes;
use common::{Keys, Server, of_cloud, response};
use oss_client::{Body, Error, blocking};
use oss_credentials_http::HttpErrorKind;
use oss_testkit::{Fault, LocalCloud, Service};

const PART: u64 = 100 * 1024;

fn cloud() -> (LocalCloud, oss_client::Client, blocking::Client) {
    let cloud = LocalCloud::start_blocking().unwrap();
    let oss = of_cloud(&cloud).build().unwrap();
    let blocking = blocking::Client::new(oss.clone()).unwrap();
    (cloud, oss, blocking)
}

#[test]
fn objects_are_stored_read_listed_and_deleted_without_a_runtime() {
    let (cloud, oss, blocking) = cloud();
    let bucket = cloud.bucket();
    for key in ["a", "b", "c"] {
        let put = oss
            .put_object(bucket, key, key.repeat(100_000))
            .storage_class("IA");
        assert!(blocking.wait(put).unwrap().etag().is_some());
    }
    let mut reader = blocking.read(oss.get_object(bucket, "b")).unwrap();
    assert_eq!(reader.head().content_length(), Some(100_000));
    let mut text = String::new();
    assert_eq!(reader.read_to_string(&mut text).unwrap(), 100_000);
    assert_eq!(text, "b".repeat(100_000));
    assert_eq!(reader.read(&mut [0; 10]).unwrap(), 0);

    let listed = blocking.iter(oss.list_objects_v2(bucket).max_keys(1).objects());
    let keys: Vec<_> = listed.map(|object| object.unwrap().key).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    let size = blocking.run(async |oss| {
        oss.delete_object("example-bucket", "a").await?;
        Ok(oss.head_object("example-bucket", "b").await?.content_length())
    });
    assert_eq!(size.unwrap(), Some(100_000));
    assert!(cloud.object(bucket, "a").is_none());
    let url = blocking.wait(oss.presign_get(bucket, "b", Duration::from_secs(60)));
    assert_eq!(url.unwrap().method(), "GET");
    let missing = blocking.read(oss.get_object(bucket, "a")).unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchKey"));
    assert!(!blocking.wait(oss.object_exists(bucket, "a")).unwrap());
    assert!(blocking.wait(oss.bucket_exists(bucket)).unwrap());
    let deleted = blocking.wait(oss.delete_objects(bucket, ["b", "c"])).unwrap();
    assert_eq!(deleted.deleted.len(), 2);
    assert!(cloud.object(bucket, "b").is_none());
    blocking.wait(oss.put_bucket("new-bucket")).unwrap();
    blocking.wait(oss.delete_bucket("new-bucket")).unwrap();
}

#[cfg(feature = "post-policy")]
#[test]
fn forms_are_made_without_a_runtime() {
    let (cloud, oss, blocking) = cloud();
    let policy = oss_client::PostPolicy::new(cloud.bucket()).equals("key", "k");
    let form = blocking.wait(oss.presign_post(policy, Duration::from_secs(60)));
    assert_eq!(form.unwrap().fields().count(), 5);
}

#[cfg(feature = "download-file")]
#[test]
fn objects_go_to_files_without_a_runtime() {
    let (cloud, oss, blocking) = cloud();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("f");
    let content = vec![7; 600_000];
    cloud.put_object(cloud.bucket(), "k", content.clone());
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let received = std::sync::Arc::clone(&seen);
    let download = oss
        .download_file(cloud.bucket(), "k", &target)
        .on_progress(move |progress| received.store(progress.received, std::sync::atomic::Ordering::SeqCst));
    assert_eq!(blocking.wait(download).unwrap().size, 600_000);
    assert_eq!(std::fs::read(&target).unwrap(), content);
    assert_eq!(seen.load(std::sync::atomic::Ordering::SeqCst), 600_000);
}

#[test]
fn what_is_written_is_stored_when_it_is_finished() {
    let (cloud, oss, blocking) = cloud();
    let bucket = cloud.bucket();
    for length in [0_usize, 1, 100_000, 1_000_000] {
        let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let upload = |body: Body| {
            oss.upload(bucket, "k", body)
                .part_size(PART)
                .content_type("text/x")
        };
        let mut writer = blocking.write(upload).unwrap();
        for piece in content.chunks(777) {
            writer.write_all(piece).unwrap();
        }
        writer.flush().unwrap();
        let uploaded = writer.finish().unwrap();
        assert_eq!(uploaded.size, length as u64);
        assert_eq!(cloud.object(bucket, "k").unwrap(), content);
    }
    let mut writer = blocking
        .write(|body| oss.upload(bucket, "dropped", body))
        .unwrap();
    writer.write_all(b"half").unwrap();
    drop(writer);
    // What follows on the same thread comes behind the upload's end.
    let missing = blocking.wait(oss.head_object(bucket, "dropped")).unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchKey"));
    assert_eq!(
        cloud
            .requests()
            .iter()
            .filter(|r| r.path().contains("dropped"))
            .count(),
        1
    );
}

#[test]
fn failures_reach_reader_and_writer() {
    let (cloud, oss, blocking) = cloud();
    let bucket = cloud.bucket();
    cloud.fault(
        Service::Oss,
        Fault::error(403, "AccessDenied").action("UploadPart").always(),
    );
    let upload = |body: Body| oss.upload(bucket, "k", body).part_size(PART).parallel(1);
    let mut writer = blocking.write(upload).unwrap();
    let error = io::copy(&mut io::repeat(1), &mut writer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(writer.finish().unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(cloud.count(Service::Oss, "AbortMultipartUpload"), 1);

    let server = Server::start([response(200, &[("x-oss-hash-crc64ecma", "1")], "changed")]);
    let oss = common::client(&server, Keys::new(1));
    let blocking = blocking::Client::new(oss.clone()).unwrap();
    let mut reader = blocking.read(oss.get_object("examplebucket", "k")).unwrap();
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    let cause = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(cause, Error::Corrupted(_)), "{cause}");
    let panicked = blocking.run(|_| async { panic!("on the thread") as Result<(), Error> });
    assert!(panicked.unwrap_err().to_string().contains("panicked"));
}

/// Waits until something that nobody waits for has come about.
fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000_000 {
        if holds() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("it never holds");
}

#[test]
fn a_writer_that_outlives_its_client_is_aborted_when_it_is_dropped() {
    let (cloud, oss, blocking) = cloud();
    let bucket = cloud.bucket();
    let upload = |body: Body| oss.upload(bucket, "k", body).part_size(PART);
    let mut writer = blocking.write(upload).unwrap();
    drop(blocking);
    for _ in 0..10 {
        writer.write_all(&vec![7; 100 * 1024]).unwrap();
    }
    writer.flush().unwrap();
    until(|| cloud.count(Service::Oss, "UploadPart") > 1);
    drop(writer);
    // Carried out, and not only on its way.
    until(|| {
        let requests = cloud.requests();
        let abort = requests.iter().find(|r| r.action() == "AbortMultipartUpload");
        abort.is_some_and(|abort| abort.status() == Some(204))
    });
    // And that is so when the thread has ended: a bucket with unfinished uploads cannot be deleted.
    let delete = oss_client::Operation::new("DeleteBucket", reqwest::Method::DELETE).bucket(bucket);
    // With connections of its own: those of the client that was used end with its thread.
    let other = blocking::Client::new(of_cloud(&cloud).build().unwrap()).unwrap();
    other.run(async |oss| oss.send(delete).await.map(drop)).unwrap();
}

/// A response whose body ends early, or whose checksum is wrong.
fn broken_reader(response: Vec<u8>) -> blocking::Reader {
    let server = Server::start([response]);
    let oss = common::client(&server, Keys::new(1));
    let blocking = blocking::Client::new(oss.clone()).unwrap();
    blocking.read(oss.get_object("examplebucket", "k")).unwrap()
}

#[test]
fn a_reader_that_failed_never_comes_to_an_end() {
    let cut =
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\nhello".to_vec();
    let changed = response(200, &[("x-oss-hash-crc64ecma", "1")], "hello");
    for response in [cut, changed] {
        let mut reader = broken_reader(response);
        let mut text = String::new();
        let first = reader.read_to_string(&mut text).unwrap_err();
        let mut buffer = [0; 10];
        let mut first = first.downcast::<Error>().unwrap();
        for _ in 0..3 {
            let again = reader.read(&mut buffer).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::Other);
            let again = again.downcast::<Error>().unwrap();
            match (&first, &again) {
                (Error::Transport(first), Error::Transport(again)) => {
                    assert_eq!(first.kind(), HttpErrorKind::Interrupted);
                    assert_eq!(again.kind(), HttpErrorKind::Interrupted);
                    assert_eq!(first.to_string(), again.to_string());
                }
                (Error::Corrupted(first), Error::Corrupted(again)) => {
                    assert_eq!(first.to_string(), again.to_string());
                }
                _ => panic!("{first}, and then {again}"),
            }
            first = again;
        }
    }
    let server = Server::start([response(500, &[], "")]);
    let oss = common::client(&server, Keys::new(1));
    let blocking = blocking::Client::new(oss.clone()).unwrap();
    let mut listed = blocking.iter(oss.list_buckets().buckets());
    assert!(listed.next().unwrap().is_err());
    assert!(listed.next().is_none(), "it said why it ends");
}

#[test]
fn what_was_refused_inside_a_runtime_goes_on_outside() {
    let (cloud, oss, blocking) = cloud();
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "k", Bytes::from_static(b"hello"));
    let mut reader = blocking.read(oss.get_object(bucket, "k")).unwrap();
    let mut listed = blocking.iter(oss.list_objects_v2(bucket).objects());
    let mut writer = blocking.write(|body| oss.upload(bucket, "w", body)).unwrap();
    writer.write_all(b"hello ").unwrap();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(reader.read(&mut [0; 1]).is_err());
        assert!(is_refused(listed.next().unwrap()));
        // Whoever passes over errors comes to an end.
        assert!(listed.next().is_none());
        assert!(writer.flush().is_err());
    });
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
    assert_eq!(listed.next().unwrap().unwrap().key, "k");
    writer.write_all(b"world").unwrap();
    writer.finish().unwrap();
    assert_eq!(cloud.object(bucket, "w").unwrap(), "hello world");
}

fn is_refused<T>(outcome: Result<T, Error>) -> bool {
    outcome.is_err_and(|error| {
        error.to_string()
            == "oss-client: a blocking call inside a tokio runtime; await the async client there, in \
                `spawn_blocking` with `Handle::block_on`"
    })
}

#[test]
fn inside_a_runtime_each_call_is_an_error_and_no_deadlock() {
    let (cloud, oss, blocking) = cloud();
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "k", Bytes::from_static(b"x"));
    let mut reader = blocking.read(oss.get_object(bucket, "k")).unwrap();
    let mut writer = blocking.write(|body| oss.upload(bucket, "w", body)).unwrap();
    let unfinished = blocking.write(|body| oss.upload(bucket, "w", body)).unwrap();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    runtime.block_on(async {
        assert!(is_refused(blocking.wait(oss.head_object(bucket, "k"))));
        assert!(is_refused(blocking.run(async |oss| oss.list_buckets().await)));
        assert!(is_refused(blocking.read(oss.get_object(bucket, "k"))));
        assert!(is_refused(blocking.wait(oss.delete_objects(bucket, ["k"]))));
        assert!(is_refused(blocking.write(|body| oss.upload(bucket, "k", body))));
        assert!(is_refused(
            blocking.iter(oss.list_buckets().buckets()).next().unwrap()
        ));
        assert!(is_refused(unfinished.finish()));
        assert!(reader.read(&mut [0; 1]).is_err());
        writer.write_all(b"x").unwrap();
        assert!(writer.flush().is_err());
        // Making and dropping one is no blocking.
        drop(blocking::Client::new(oss.clone()).unwrap());
        // The same client, as it is used there.
        assert_eq!(
            oss.head_object(bucket, "k").await.unwrap().content_length(),
            Some(1)
        );
    });
}
