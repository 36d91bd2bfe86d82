//! Uploads that are dropped before their end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream;
use oss_client::Body;
use oss_testkit::{Fault, LocalCloud, Service};

use super::cloud;
use super::common::of_cloud;
use super::files::{KIB, PART, content};
use super::log::Log;

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
