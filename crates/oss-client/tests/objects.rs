//! Operations on single objects against a local cloud that checks every signature.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::{Duration, SystemTime};

use common::{Keys, Server, client, of_cloud, ok, response};
use oss_client::{Client, CopySource, Error, SignatureVersion};
use oss_testkit::{Fault, LocalCloud, Service};

const NEVER: Duration = Duration::from_secs(365 * 86_400);

async fn cloud() -> (LocalCloud, Client) {
    let cloud = LocalCloud::start().await.unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    (cloud, client)
}

fn status(error: &Error) -> u16 {
    error.service().unwrap().status().as_u16()
}

#[tokio::test]
async fn what_an_object_is_stored_with_comes_back() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let stored = client
        .put_object(bucket, "a.txt", "hello world")
        .content_type("text/x-own")
        // MD5 of "hello world", of RFC 1321's `md5 -s` in base64.
        .content_md5("XrY7u+Ae7tCTyyK7j1rNww==")
        .cache_control("no-cache")
        .content_disposition("attachment; filename=\"b c.txt\"")
        .content_encoding("identity")
        .expires(expires)
        .metadata("Author", "报告")
        .acl("private")
        .storage_class("IA")
        .tagging([("k 1", "v&1"), ("k2", "")])
        .server_side_encryption("AES256")
        .traffic_limit(819_200)
        .request_payer()
        .send()
        .await
        .unwrap();
    assert_eq!(stored.crc64(), Some(5_981_764_153_023_615_706));
    let sent = &cloud.requests()[0];
    for (name, value) in [
        ("x-oss-object-acl", "private"),
        ("x-oss-tagging", "k%201=v%261&k2="),
        ("x-oss-traffic-limit", "819200"),
        ("x-oss-request-payer", "requester"),
        ("expires", "Sun, 06 Nov 1994 08:49:37 GMT"),
    ] {
        assert_eq!(sent.header(name), Some(value));
    }
    let head = client.head_object(bucket, "a.txt").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/x-own"));
    assert_eq!(head.header("cache-control"), Some("no-cache"));
    assert_eq!(
        head.header("content-disposition"),
        Some("attachment; filename=\"b c.txt\"")
    );
    assert_eq!(head.storage_class(), Some("IA"));
    assert_eq!(head.object_type(), Some("Normal"));
    assert_eq!(head.header("x-oss-server-side-encryption"), Some("AES256"));
    assert_eq!(
        head.metadata().collect::<Vec<_>>(),
        [("author", "报告".as_bytes())]
    );
    assert!(head.last_modified().is_some());
    let meta = client.get_object_meta(bucket, "a.txt").await.unwrap();
    assert_eq!((meta.content_length(), meta.etag()), (Some(11), stored.etag()));
    assert_eq!(cloud.count(Service::Oss, "GetObjectMeta"), 1);

    let wrong = client
        .put_object(bucket, "a.txt", "other")
        .content_md5("XrY7u+Ae7tCTyyK7j1rNww==")
        .await
        .unwrap_err();
    assert_eq!(wrong.code(), Some("InvalidDigest"));
    let exists = client
        .put_object(bucket, "a.txt", "")
        .forbid_overwrite(true)
        .await;
    assert_eq!(exists.unwrap_err().code(), Some("FileAlreadyExists"));
    assert_eq!(cloud.object(bucket, "a.txt").unwrap(), "hello world");
}

#[tokio::test]
async fn the_type_is_guessed_from_the_key() {
    let (cloud, client) = cloud().await;
    for (key, expected) in [
        ("photo.JPG", "image/jpeg"),
        ("a b/page.html", "text/html"),
        ("data.json", "application/json"),
        ("README", "application/octet-stream"),
    ] {
        client.put_object(cloud.bucket(), key, "x").await.unwrap();
        let head = client.head_object(cloud.bucket(), key).await.unwrap();
        let expected = if cfg!(feature = "content-type") {
            expected
        } else {
            "application/octet-stream"
        };
        assert_eq!(head.content_type(), Some(expected), "{key}");
    }
}

#[tokio::test]
async fn conditions_decide() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let stored = client.put_object(bucket, "k", "x").await.unwrap();
    let etag = stored.etag().unwrap();
    let head = client.head_object(bucket, "k").await.unwrap();
    let modified = head.last_modified().unwrap();
    let get = || client.get_object(bucket, "k");
    for good in [
        get().if_match(etag),
        get().if_none_match("\"other\""),
        get().if_modified_since(modified - NEVER),
        get().if_unmodified_since(modified + NEVER),
    ] {
        assert_eq!(good.await.unwrap().bytes().await.unwrap(), "x");
    }
    for (bad, expected) in [
        (get().if_match("\"other\""), 412),
        (get().if_none_match(etag), 304),
        (get().if_modified_since(modified), 304),
        (get().if_unmodified_since(modified - NEVER), 412),
    ] {
        assert_eq!(status(&bad.await.unwrap_err()), expected);
    }
    let head = || client.head_object(bucket, "k");
    assert_eq!(status(&head().if_none_match(etag).await.unwrap_err()), 304);
    let failed = head().if_match("\"other\"").await.unwrap_err();
    assert_eq!(status(&failed), 412);
    let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    let error = get().if_modified_since(early).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "oss-client: the time of the header \"if-modified-since\" cannot be written; use one between 1970 and 9999"
    );
}

#[tokio::test]
async fn ranges_bring_their_part_or_an_error() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "k", "0123456789");
    let get = || client.get_object(bucket, "k");
    for (request, text, range) in [
        (get().range(2..5), "234", "bytes 2-4/10"),
        (get().range(2..=5), "2345", "bytes 2-5/10"),
        (get().range(7..), "789", "bytes 7-9/10"),
        (get().range(..3), "012", "bytes 0-2/10"),
        (get().range(8..1000), "89", "bytes 8-9/10"),
        (get().last(2), "89", "bytes 8-9/10"),
    ] {
        let response = request.await.unwrap();
        assert_eq!(response.status(), 206);
        assert_eq!(response.head().content_range(), Some(range));
        assert_eq!(response.bytes().await.unwrap(), text);
    }
    let whole = get().range(..).await.unwrap();
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.bytes().await.unwrap(), "0123456789");
    assert_eq!(get().range(10..).await.unwrap_err().code(), Some("InvalidRange"));
    for empty in [get().range(5..5), get().range(0..0)] {
        assert!(matches!(empty.await, Err(Error::InvalidInput(_))));
    }
    // Without the standard behaviour the service sends all, which is not what was asked for.
    let error = get().header("range", "bytes=5-100").await.unwrap_err();
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("it has the whole object instead of the range"),
        "{error}"
    );
    assert!(error.request_id().is_some());
}

#[tokio::test]
async fn answers_are_overridden_processed_and_limited() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "k", "x");
    let response = client
        .get_object(bucket, "k")
        .version_id("null")
        .response_content_type("text/y")
        .response_content_language("zh-CN")
        .response_expires("Thu, 01 Jan 2026 08:30:00 GMT")
        .response_cache_control("no-store")
        .response_content_disposition("inline")
        .response_content_encoding("identity")
        .process("image/resize,w_100")
        .traffic_limit(245_760)
        .await
        .unwrap();
    for (name, value) in [
        ("content-type", "text/y"),
        ("content-language", "zh-CN"),
        ("expires", "Thu, 01 Jan 2026 08:30:00 GMT"),
        ("cache-control", "no-store"),
        ("content-disposition", "inline"),
        ("content-encoding", "identity"),
        ("x-oss-testkit-process", "image/resize,w_100"),
    ] {
        assert_eq!(response.head().header(name), Some(value));
    }
    assert_eq!(cloud.requests()[0].query_value("versionId"), Some("null"));
    for limit in [245_759, 838_860_801] {
        let error = client.get_object(bucket, "k").traffic_limit(limit).await;
        assert!(matches!(error, Err(Error::InvalidInput(_))), "{limit}");
    }
}

#[tokio::test]
async fn objects_are_copied() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    let key = "dir/报告 1+/100%?.txt";
    client
        .put_object(bucket, key, "text")
        .content_type("text/a")
        .metadata("m", "1")
        .await
        .unwrap();
    let source = || CopySource::new(bucket, key);
    let copied = client.copy_object(bucket, "plain", source()).await.unwrap();
    let head = client.head_object(bucket, "plain").await.unwrap();
    assert_eq!(copied.etag.as_deref(), head.etag());
    assert!(copied.last_modified.is_some());
    assert_eq!(head.content_type(), Some("text/a"));
    assert_eq!(cloud.object(bucket, "plain").unwrap(), "text");

    let replaced = client
        .copy_object(bucket, "replaced", source().version_id("null"))
        .metadata_directive("REPLACE")
        .content_type("text/b")
        .metadata("n", "2");
    replaced.await.unwrap();
    let head = client.head_object(bucket, "replaced").await.unwrap();
    assert_eq!(head.content_type(), Some("text/b"));
    assert_eq!(head.metadata().collect::<Vec<_>>(), [("n", &b"2"[..])]);

    let etag = head.etag().unwrap().to_owned();
    let modified = head.last_modified().unwrap();
    let copy = || client.copy_object(bucket, "conditional", CopySource::new(bucket, "replaced"));
    for good in [
        copy().if_source_match(&etag),
        copy().if_source_none_match("\"other\""),
        copy().if_source_modified_since(modified - NEVER),
        copy().if_source_unmodified_since(modified + NEVER),
    ] {
        good.await.unwrap();
    }
    for (bad, expected) in [
        (copy().if_source_match("\"other\""), 412),
        (copy().if_source_none_match(&etag), 304),
        (copy().if_source_modified_since(modified + NEVER), 304),
        (copy().if_source_unmodified_since(modified - NEVER), 412),
    ] {
        assert_eq!(status(&bad.await.unwrap_err()), expected);
    }
    let missing = client
        .copy_object(bucket, "x", CopySource::new(bucket, "nope"))
        .await;
    assert_eq!(missing.unwrap_err().code(), Some("NoSuchKey"));
    for bad in [CopySource::new("Bad", "k"), CopySource::new(bucket, "")] {
        assert!(matches!(
            client.copy_object(bucket, "x", bad).await,
            Err(Error::InvalidInput(_))
        ));
    }
}

#[tokio::test]
async fn keys_that_urls_cannot_hold_are_refused_everywhere() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    for key in [".", "..", "a/../b", "a/."] {
        let errors = [
            client.put_object(bucket, key, "x").await.unwrap_err(),
            client.get_object(bucket, key).await.unwrap_err(),
            client.head_object(bucket, key).await.unwrap_err(),
            client.get_object_meta(bucket, key).await.unwrap_err(),
            client.delete_object(bucket, key).await.unwrap_err(),
            client.initiate_multipart_upload(bucket, key).await.unwrap_err(),
            client.upload(bucket, key, "x").await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::InvalidInput(_)), "{key}: {error}");
        }
    }
    assert!(cloud.requests().is_empty());
}

#[tokio::test]
async fn the_smaller_set_works_with_v1_signatures() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = of_cloud(&cloud)
        .signature_version(SignatureVersion::V1)
        .build()
        .unwrap();
    let bucket = cloud.bucket();
    for key in ["plain", "a b+c/100%/报告?.txt"] {
        let put = client.put_object(bucket, key, "hello").metadata("m", "1");
        put.storage_class("IA").await.unwrap();
        let response = client
            .get_object(bucket, key)
            .range(1..3)
            .response_content_type("text/y")
            .process("style/a")
            .await;
        let response = response.unwrap();
        assert_eq!(response.head().content_type(), Some("text/y"));
        assert_eq!(response.bytes().await.unwrap(), "el");
        client.get_object_meta(bucket, key).await.unwrap();
        let copied = client
            .copy_object(bucket, "copy", CopySource::new(bucket, key))
            .await;
        copied.unwrap();
        let begun = client.initiate_multipart_upload(bucket, key).await.unwrap();
        let part = client
            .upload_part(bucket, key, &begun.upload_id, 1, "part")
            .await
            .unwrap();
        let complete = client.complete_multipart_upload(bucket, key, &begun.upload_id);
        complete.parts([&part]).await.unwrap();
        assert_eq!(cloud.object(bucket, key).unwrap(), "part");
        let begun = client.initiate_multipart_upload(bucket, key).await.unwrap();
        let aborted = client.abort_multipart_upload(bucket, key, &begun.upload_id).await;
        assert_eq!(aborted.unwrap().status(), 204);
        let mut listed = client.list_objects_v2(bucket).max_keys(1).objects();
        let mut keys = Vec::new();
        while let Some(object) = listed.try_next().await.unwrap() {
            keys.push(object.key);
        }
        assert!(keys.contains(&key.to_owned()), "{keys:?}");
        assert_eq!(client.list_buckets().await.unwrap().buckets.len(), 1);
        client.delete_object(bucket, key).await.unwrap();
    }
}

/// CRC-64/XZ of "123456789", of the catalogue of CRC algorithms.
const DIGITS: &str = "11051210869376104954";

#[tokio::test]
async fn a_download_that_differs_from_what_is_stored_is_an_error_at_its_end() {
    let wrong: &[(&str, &str)] = &[("x-oss-hash-crc64ecma", "1"), ("x-oss-request-id", "R1")];
    let server = Server::start([
        response(200, &[("x-oss-hash-crc64ecma", DIGITS)], "123456789"),
        response(200, wrong, "123456789"),
        response(200, wrong, "123456789"),
    ]);
    let client = client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k").send();
    assert_eq!(get().await.unwrap().bytes().await.unwrap(), "123456789");
    let mut response = get().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "123456789");
    let error = response.chunk().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "oss-client: GetObject returned data that differs from what is stored (GET {}/examplebucket/k): the CRC-64 is 1 \
             there and {DIGITS} here, request ID R1; discard what was read and read again, and look for what changes bodies on the network path",
            server.endpoint()
        )
    );
    let Error::Corrupted(error) = error else {
        panic!("{error}");
    };
    assert_eq!(
        (error.stored(), error.local().to_string()),
        (1, DIGITS.to_owned())
    );
    assert_eq!(response.chunk().await.unwrap(), None);
    assert!(get().await.unwrap().bytes().await.is_err());
}

#[tokio::test]
async fn parts_processed_and_compressed_bodies_are_not_compared() {
    let wrong = [("x-oss-hash-crc64ecma", "1")];
    let encoded = [("x-oss-hash-crc64ecma", "1"), ("content-encoding", "gzip")];
    let part = [wrong[0], ("content-range", "bytes 0-0/9")];
    let server = Server::start([
        response(206, &part, "x"),
        response(200, &wrong, "x"),
        response(200, &encoded, "x"),
        response(200, &wrong, "x"),
    ]);
    let client = client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k");
    for request in [
        get().range(0..1),
        get().process("image/info"),
        get().accept_encoding("gzip"),
    ] {
        assert_eq!(request.await.unwrap().bytes().await.unwrap(), "x");
    }
    let unchecked = common::builder(&server.endpoint(), Keys::new(1)).check_crc(false);
    let response = unchecked.build().unwrap().get_object("examplebucket", "k").await;
    assert_eq!(response.unwrap().bytes().await.unwrap(), "x");
}

#[tokio::test]
async fn a_failed_callback_is_an_error_although_the_object_is_stored() {
    let failed = "<Error><Code>CallbackFailed</Code><Message>m</Message></Error>";
    let server = Server::start([
        response(203, &[], failed),
        response(200, &[], "{\"done\":1}"),
        ok(),
    ]);
    let client = client(&server, Keys::new(1));
    let put = || {
        client
            .put_object("examplebucket", "k", "x")
            .callback("{\"callbackUrl\":\"http://127.0.0.1\"}")
            .callback_var("{\"x:a\":\"b\"}")
    };
    let error = put().await.unwrap_err();
    assert_eq!(error.code(), Some("CallbackFailed"));
    // `echo -n '…' | base64`
    assert_eq!(
        server.received()[0].header("x-oss-callback"),
        Some("eyJjYWxsYmFja1VybCI6Imh0dHA6Ly8xMjcuMC4wLjEifQ==")
    );
    assert_eq!(
        server.received()[0].header("x-oss-callback-var"),
        Some("eyJ4OmEiOiJiIn0=")
    );
    // The body of what was called is had through the operation.
    let response = client.send(put().into_operation()).await.unwrap();
    assert_eq!(response.bytes().await.unwrap(), "{\"done\":1}");
}

#[tokio::test]
async fn errors_in_json_are_read_of_every_operation() {
    let (cloud, client) = cloud().await;
    let bucket = cloud.bucket();
    cloud.fault(Service::Oss, Fault::json_error(403, "AccessDenied").times(3));
    let list = client.list_objects_v2(bucket).await.unwrap_err();
    let copy = client
        .copy_object(bucket, "a", CopySource::new(bucket, "b"))
        .await;
    let begin = client.initiate_multipart_upload(bucket, "a").await;
    for error in [list, copy.unwrap_err(), begin.unwrap_err()] {
        assert_eq!(error.code(), Some("AccessDenied"));
    }
}
