//! Answers of success that are not what was asked for.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use common::{Keys, NOW, Server, builder, client, of_cloud, ok, raw_server, refusal, response};
use oss_client::{Client, CopySource, Error, FixedDelay, Operation};
use oss_credentials_core::test_util::ManualClock;
use oss_testkit::{Fault, LocalCloud, Service};
use reqwest::Method;

/// CRC-64/XZ of "123456789", of the catalogue of CRC algorithms.
const DIGITS: &str = "11051210869376104954";
const ID: (&str, &str) = ("x-oss-request-id", "R9");

/// The same with this CRC-64 and no length: in chunks, or up to the end of the connection.
fn without_length(crc: &str, body: &str) -> [Vec<u8>; 2] {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nx-oss-hash-crc64ecma: {crc}\r\n");
    let size = body.len();
    [
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n").into_bytes(),
        format!("{head}\r\n{body}").into_bytes(),
    ]
}

/// Tries again twice, without a pause.
fn patient(server: &Server, keys: Keys) -> Client {
    let builder = builder(&server.endpoint(), keys);
    builder.retry(FixedDelay::new(3, Duration::ZERO)).build().unwrap()
}

#[track_caller]
fn unusable(error: &Error, expected: &str) {
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    assert!(error.to_string().contains(expected), "{expected}: {error}");
    assert!(!error.is_retryable());
    assert_eq!(error.request_id(), Some("R9"), "{error}");
}

#[tokio::test]
async fn an_object_of_unknown_length_is_compared_too() {
    let stored: &[_] = &[("x-oss-hash-crc64ecma", DIGITS), ("content-encoding", "gzip")];
    let wrong = [without_length("1", "123456789"), without_length(DIGITS, "12345")].concat();
    let right = without_length(DIGITS, "123456789").to_vec();
    let bad = wrong.len();
    let server = Server::start([wrong, right].concat());
    let client = client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k").send();
    for _ in 0..bad {
        let error = get().await.unwrap().bytes().await.unwrap_err();
        assert!(matches!(error, Error::Corrupted(_)), "{error}");
    }
    for _ in 0..2 {
        assert_eq!(get().await.unwrap().bytes().await.unwrap(), "123456789");
    }
    // Without `Accept-Encoding` it is how the object was stored.
    let server = Server::start([
        response(200, stored, "123456789"),
        response(200, stored, "12345678x"),
    ]);
    let client = common::client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k").send();
    assert_eq!(get().await.unwrap().bytes().await.unwrap(), "123456789");
    assert!(get().await.unwrap().bytes().await.is_err());
}

#[tokio::test]
async fn a_ready_made_reqwest_client_may_decompress_what_has_no_length() {
    let known = response(200, &[("x-oss-hash-crc64ecma", "1")], "x");
    let [chunked, _] = without_length("1", "x");
    let server = Server::start([chunked, known]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .unchecked_client(reqwest::Client::builder().no_proxy().build().unwrap())
        .build()
        .unwrap();
    let get = || client.get_object("examplebucket", "k").send();
    assert_eq!(get().await.unwrap().bytes().await.unwrap(), "x");
    let error = get().await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(error, Error::Corrupted(_)), "{error}");
}

#[tokio::test]
async fn a_checksum_that_is_no_number_is_an_error() {
    for crc in ["", "0x1", "-1", "+1", "18446744073709551616", "\"1\""] {
        let headers = [ID, ("x-oss-hash-crc64ecma", crc), ("etag", "\"1\"")];
        let server = Server::start(vec![response(200, &headers, ""); 5]);
        let client = patient(&server, Keys::new(1));
        let expected = "its x-oss-hash-crc64ecma is not a number";
        let put = client.put_object("examplebucket", "k", "").await;
        unusable(&put.unwrap_err(), expected);
        let get = client.get_object("examplebucket", "k").await;
        unusable(&get.unwrap_err(), expected);
        let part = client.upload_part("examplebucket", "k", "U", 1, "").await;
        unusable(&part.unwrap_err(), expected);
        // Of others it is only told.
        let head = client.head_object("examplebucket", "k").await.unwrap();
        assert_eq!(head.crc64(), None);
        let unchecked = builder(&server.endpoint(), Keys::new(1)).check_crc(false);
        let unchecked = unchecked.build().unwrap();
        unchecked.put_object("examplebucket", "k", "").await.unwrap();
        assert_eq!(server.count(), 5, "{crc}");
    }
    // None at all is no error: not every object has one.
    let server = Server::start([response(200, &[ID], "x")]);
    let get = client(&server, Keys::new(1))
        .get_object("examplebucket", "k")
        .await;
    assert_eq!(get.unwrap().bytes().await.unwrap(), "x");
}

#[tokio::test]
async fn each_operation_has_its_status() {
    let list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    for status in [201, 202, 203, 204, 205, 206] {
        let part = ("content-range", "bytes 0-0/1");
        let with = |body| response(status, &[ID, ("etag", "\"1\""), part], body);
        let body = if matches!(status, 204 | 205) { "" } else { "x" };
        let server = Server::start([with(body), with(""), with(list), with(""), with(""), with("")]);
        let client = patient(&server, Keys::new(1));
        let expected = if status == 206 {
            "it is a part (HTTP 206), and no range was requested".to_owned()
        } else {
            format!("it has HTTP {status}, which is not a status of this operation")
        };
        let get = client.get_object("examplebucket", "k").await;
        unusable(&get.unwrap_err(), &expected);
        let head = client.head_object("examplebucket", "k").await;
        unusable(&head.unwrap_err(), &expected);
        let page = client.list_objects_v2("examplebucket").await;
        unusable(&page.unwrap_err(), &expected);
        let put = client.put_object("examplebucket", "k", "x").await;
        unusable(&put.unwrap_err(), &expected);
        let part = client.upload_part("examplebucket", "k", "U", 1, "x").await;
        unusable(&part.unwrap_err(), &expected);
        let delete = client.delete_object("examplebucket", "k").await;
        if status == 204 {
            assert_eq!(delete.unwrap().status(), 204);
        } else {
            unusable(&delete.unwrap_err(), &expected);
        }
        assert_eq!(server.count(), 6, "{status}");
    }
    // What the client has no method for may have others.
    let server = Server::start([202, 204, 206, 203].map(|status| response(status, &[ID], "")));
    let client = client(&server, Keys::new(1));
    let restore = || {
        let operation = Operation::new("RestoreObject", Method::POST);
        client.send(operation.bucket("examplebucket").key("k").query("restore", ""))
    };
    assert_eq!(restore().await.unwrap().status(), 202);
    assert_eq!(restore().await.unwrap().status(), 204);
    unusable(&restore().await.unwrap_err(), "HTTP 206");
    unusable(&restore().await.unwrap_err(), "HTTP 203");
}

#[tokio::test]
async fn a_part_is_the_one_that_was_asked_for() {
    let part = |range, body| response(206, &[ID, ("content-range", range)], body);
    for (range, body, expected) in [
        ("bytes 2-5/10", "2345", None),
        ("bytes 2-3/4", "23", None),
        ("bytes 2-5/*", "2345", None),
        (
            "bytes 0-3/10",
            "0123",
            Some("it contains bytes 0 to 3, and another range"),
        ),
        (
            "bytes 2-9/10",
            "23456789",
            Some("it contains bytes 2 to 9, and another range"),
        ),
        (
            "bytes 2-4/10",
            "234",
            Some("it contains bytes 2 to 4, and another range"),
        ),
        ("bytes 2-5/10", "23", Some("it has 2 bytes for a range of 4")),
        (
            "bytes 2-5/10",
            "0123456789",
            Some("it has 10 bytes for a range of 4"),
        ),
        (
            "bytes 5-2/10",
            "2345",
            Some("it does not state which part it contains"),
        ),
        ("2-5", "2345", Some("it does not state which part it contains")),
    ] {
        let server = Server::start([part(range, body)]);
        let client = patient(&server, Keys::new(1));
        let get = client.get_object("examplebucket", "k").range(2..6).await;
        match expected {
            None => assert_eq!(get.unwrap().bytes().await.unwrap(), body),
            Some(expected) => unusable(&get.unwrap_err(), expected),
        }
    }
    let server = Server::start([response(206, &[ID], "2345")]);
    let get = client(&server, Keys::new(1))
        .get_object("examplebucket", "k")
        .last(4)
        .await;
    unusable(&get.unwrap_err(), "it does not state which part it contains");
}

#[tokio::test]
async fn a_part_without_length_has_as_many_bytes_as_it_says() {
    let chunked = |body: &str| {
        let head =
            "HTTP/1.1 206 X\r\nConnection: close\r\nx-oss-request-id: R9\r\nContent-Range: bytes 2-5/10\r\n";
        let size = body.len();
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n").into_bytes()
    };
    let server = Server::start([chunked("2345"), chunked("23"), chunked("23456")]);
    let client = client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k").range(2..6).send();
    assert_eq!(get().await.unwrap().bytes().await.unwrap(), "2345");
    for expected in [
        "the body ended after 2 of 4 bytes",
        "the body has more than the 4 bytes",
    ] {
        let mut response = get().await.unwrap();
        let error = loop {
            match response.chunk().await {
                Ok(piece) => assert!(piece.is_some(), "{expected}"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Transport(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        // It ends after an error.
        assert_eq!(response.chunk().await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_whole_in_place_of_a_range_can_be_told() {
    let server = Server::start([
        response(200, &[ID], "0123456789"),
        response(200, &[ID], "0123456789"),
    ]);
    let client = client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k").range(2..6);
    unusable(
        &get().await.unwrap_err(),
        "it has the whole object instead of the range",
    );
    let response = client.send(get().into_operation()).await.unwrap();
    assert_eq!(
        (response.status(), response.head().content_range()),
        (200.try_into().unwrap(), None)
    );
    assert_eq!(response.bytes().await.unwrap(), "0123456789");
}

/// The operations that are answered with a document, by the name of its root.
async fn document_of(client: &Client, root: &str) -> Result<(), Error> {
    let (bucket, key) = ("examplebucket", "k");
    match root {
        "CopyObjectResult" => {
            let source = CopySource::new(bucket, "from");
            client.copy_object(bucket, key, source).await.map(drop)
        }
        "InitiateMultipartUploadResult" => client.initiate_multipart_upload(bucket, key).await.map(drop),
        "CompleteMultipartUploadResult" => {
            let complete = client.complete_multipart_upload(bucket, key, "U");
            complete.part(1, "\"1\"").await.map(drop)
        }
        "ListBucketResult" => client.list_objects_v2(bucket).await.map(drop),
        "ListAllMyBucketsResult" => client.list_buckets().await.map(drop),
        other => panic!("{other}"),
    }
}

const ROOTS: [&str; 5] = [
    "CopyObjectResult",
    "InitiateMultipartUploadResult",
    "CompleteMultipartUploadResult",
    "ListBucketResult",
    "ListAllMyBucketsResult",
];

#[tokio::test]
async fn an_error_in_an_answer_that_began_well_is_one_of_the_service() {
    let error = |code: &str| {
        let fields = "<Message>m</Message><RequestId>R9</RequestId><HostId>h</HostId><EC>0001-00000001</EC>";
        let body = format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code>{fields}</Error>");
        response(200, &[("x-oss-request-id", "R8")], &body)
    };
    for root in ROOTS {
        // (code, how many requests)
        for (code, requests) in [
            ("InternalError", 3),
            ("ServiceUnavailable", 3),
            ("UploadTrafficRateLimitExceeded", 3),
            ("QpsLimitExceeded", 3),
            ("BadRequest", 3),
            ("AccessDenied", 1),
            ("NoSuchKey", 1),
        ] {
            let server = Server::start(vec![error(code); 4]);
            let failed = document_of(&patient(&server, Keys::new(1)), root)
                .await
                .unwrap_err();
            assert_eq!(failed.code(), Some(code), "{failed}");
            assert_eq!(server.count(), requests, "{root} {code}");
            let told = failed.service().unwrap();
            assert_eq!((told.status().as_u16(), told.message()), (200, "m"));
            assert_eq!(
                (told.request_id(), told.host_id(), told.ec()),
                (Some("R9"), Some("h"), Some("0001-00000001"))
            );
        }
    }
    // It may come after a document of success was begun once, and pass.
    let body = "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>";
    let server = Server::start([error("InternalError"), response(200, &[ID], body)]);
    document_of(&patient(&server, Keys::new(1)), "CopyObjectResult")
        .await
        .unwrap();
    let json = r#"{"Error":{"Code":"AccessDenied","Message":"m","RequestId":"R9"}}"#;
    let server = Server::start([response(200, &[("content-type", "application/json")], json)]);
    let failed = document_of(&patient(&server, Keys::new(1)), "ListBucketResult").await;
    assert_eq!(failed.unwrap_err().code(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_key_that_is_refused_in_such_an_answer_is_replaced() {
    let expired = "<Error><Code>SecurityTokenExpired</Code></Error>";
    let body = "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>";
    let server = Server::start([response(200, &[ID], expired), response(200, &[ID], body)]);
    let keys = Keys::new(2);
    document_of(&client(&server, keys.clone()), "CopyObjectResult")
        .await
        .unwrap();
    assert_eq!(keys.invalidated(), ["STS.FakeTempKeyId0001"]);
}

#[tokio::test]
async fn an_object_may_look_like_an_error() {
    let object = "<Error><Code>InternalError</Code></Error>";
    let told = [ID, ("content-type", "application/json")];
    let server = Server::start([
        response(200, &[ID], object),
        response(200, &told, r#"{"code":"1"}"#),
    ]);
    let client = client(&server, Keys::new(1));
    let get = client.get_object("examplebucket", "k").await.unwrap();
    assert_eq!(get.bytes().await.unwrap(), object);
    // And so may what a program answers that the service has called.
    let json = client
        .complete_multipart_upload("examplebucket", "k", "U")
        .part(1, "\"1\"")
        .callback("{\"callbackUrl\":\"http://127.0.0.1\"}");
    json.await.unwrap();
}

#[tokio::test]
async fn what_is_no_document_is_never_taken_for_success() {
    for root in ROOTS {
        let utf16: Vec<u8> = format!("\u{feff}<{root}/>")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (body, expected) in [
            (Vec::new(), "it is empty"),
            (b" \r\n\t ".to_vec(), "it is empty"),
            (
                b"<html><body>welcome</body></html>".to_vec(),
                "its root is another element",
            ),
            (
                b"<!DOCTYPE html><p>welcome".to_vec(),
                "its root is another element",
            ),
            (b"{\"done\":true}".to_vec(), "it is malformed or was cut"),
            (b"OK".to_vec(), "it is malformed or was cut"),
            (
                format!("<{root}><ETag>").into_bytes(),
                "it is malformed or was cut",
            ),
            (
                format!("<{root}><ETag>\"1\"</ETag></{root}").into_bytes(),
                "it is malformed or was cut",
            ),
            (
                format!("<{root}/><{root}/>").into_bytes(),
                "it is malformed or was cut",
            ),
            (
                format!("<{root}2></{root}2>").into_bytes(),
                "its root is another element",
            ),
            (
                format!("<{root}><UploadId>a&nbsp;b</UploadId></{root}>").into_bytes(),
                "an entity",
            ),
            (utf16[2..].to_vec(), "its root is another element"),
            (utf16, "it is not UTF-8"),
        ] {
            let mut whole = response(200, &[ID], &"x".repeat(body.len()));
            let head = whole.len() - body.len();
            whole.truncate(head);
            whole.extend_from_slice(&body);
            let server = Server::start(vec![whole; 2]);
            let error = document_of(&patient(&server, Keys::new(1)), root)
                .await
                .unwrap_err();
            unusable(&error, &format!("its body is not the document \"{root}\": "));
            unusable(&error, expected);
            // It has arrived, and would not be another one.
            assert_eq!(server.count(), 1, "{error}");
        }
    }
    // Marks and blanks around it do no harm.
    let body = "\u{feff}\r\n<?xml version=\"1.0\"?>\n<ListBucketResult>\n <IsTruncated>false</IsTruncated>\n\
                </ListBucketResult>\r\n";
    let server = Server::start([response(200, &[ID], body)]);
    document_of(&client(&server, Keys::new(1)), "ListBucketResult")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_document_that_is_too_long_is_not_asked_for_again() {
    let limit = 16 * 1024 * 1024;
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nx-oss-request-id: R9\r\n";
    let announced = format!("{head}Content-Length: {}\r\n\r\n<", limit + 1).into_bytes();
    let mut unannounced = format!("{head}\r\n").into_bytes();
    unannounced.resize(unannounced.len() + limit + 1, b' ');
    for whole in [announced, unannounced] {
        let server = Server::start(vec![whole; 2]);
        let error = document_of(&patient(&server, Keys::new(1)), "ListBucketResult").await;
        unusable(&error.unwrap_err(), "its document has more than 16777216 bytes");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_portal_that_says_yes_to_everything_has_stored_and_deleted_nothing() {
    let page = || {
        response(
            200,
            &[("content-type", "text/html")],
            "<html>please log in</html>",
        )
    };
    let pages = std::iter::repeat_with(page).take(6);
    let without_length = b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n".to_vec();
    let server = Server::start(pages.chain([ok(), response(204, &[], ""), without_length]));
    let client = patient(&server, Keys::new(1));
    let (bucket, key) = ("examplebucket", "k");
    let acl = Operation::new("PutBucketAcl", Method::PUT)
        .bucket(bucket)
        .query("acl", "");
    let errors = [
        client.put_object(bucket, key, "x").await.unwrap_err(),
        client.upload(bucket, key, "x").await.unwrap_err(),
        client.delete_object(bucket, key).await.unwrap_err(),
        client.abort_multipart_upload(bucket, key, "U").await.unwrap_err(),
        client.put_bucket(bucket).await.unwrap_err(),
        client.send(acl).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
        let expected = "it has a body, and none of the headers of OSS";
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(server.count(), 6);
    for _ in 0..3 {
        client.delete_object(bucket, key).await.unwrap();
    }
}

#[tokio::test]
async fn a_portal_that_says_yes_to_everything_has_nothing_to_read() {
    let cloud = LocalCloud::start().await.unwrap();
    cloud.fault(Service::Oss, Fault::html(200).always());
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = of_cloud(&cloud).retry(retry).build().unwrap();
    // What would be told without the page is true for neither.
    let (bucket, key) = ("no-such-bucket", "k");
    let acl = Operation::new("GetBucketAcl", Method::GET)
        .bucket(bucket)
        .query("acl", "");
    let errors = [
        client.get_object(bucket, key).await.unwrap_err(),
        client.head_object(bucket, key).await.unwrap_err(),
        client.get_object_meta(bucket, key).await.unwrap_err(),
        client.object_exists(bucket, key).await.unwrap_err(),
        client.send(acl).await.unwrap_err(),
    ];
    let bucket_exists = client.bucket_exists(bucket).await.unwrap_err();
    for error in errors {
        assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
        let expected = "it has none of the headers of OSS";
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(
        matches!(bucket_exists, Error::InvalidResponse(_)),
        "{bucket_exists}"
    );
    let expected = "its body is not the document \"ListBucketResult\": ";
    assert!(bucket_exists.to_string().contains(expected), "{bucket_exists}");
    // None is sent again.
    assert_eq!(cloud.requests().len(), 6);
}

#[tokio::test]
async fn one_header_of_oss_is_enough_to_read() {
    // A cache between here and OSS keeps no more than the `ETag`.
    for told in [ID, ("etag", "\"1\""), ("x-oss-object-type", "Normal")] {
        let server = Server::start([response(200, &[told], "x"), response(200, &[told], "")]);
        let client = client(&server, Keys::new(1));
        let get = client.get_object("examplebucket", "k").await.unwrap();
        assert_eq!(get.bytes().await.unwrap(), "x");
        assert!(client.object_exists("examplebucket", "k").await.unwrap());
    }
    // Others, that anybody sends, are not; nor is a response without body.
    let anybody: &[_] = &[
        ("server", "AliyunOSS"),
        ("last-modified", "Thu, 01 Jan 2026 08:30:00 GMT"),
    ];
    let server = Server::start([response(200, anybody, ""), response(200, anybody, "")]);
    let client = client(&server, Keys::new(1));
    client.get_object("examplebucket", "k").await.unwrap_err();
    client.object_exists("examplebucket", "k").await.unwrap_err();
}

#[tokio::test]
async fn a_refusal_after_a_completion_that_was_lost_is_still_told() {
    // The connection breaks in the middle of the document: the second attempt finds no upload.
    let cut =
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 999\r\n\r\n<CompleteMultipart".to_vec();
    let server = Server::start([cut, refusal(404, "NoSuchUpload")]);
    let failed = document_of(&patient(&server, Keys::new(1)), "CompleteMultipartUploadResult").await;
    assert_eq!(failed.unwrap_err().code(), Some("NoSuchUpload"));
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn an_error_document_may_arrive_in_pieces() {
    let (first, second) = ("<Error><Code>NoSuchKey</Code>", "<Message>gone</Message></Error>");
    let answer = format!(
        "HTTP/1.1 404 X\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let server = Server::start([answer.into_bytes()]);
    let get = client(&server, Keys::new(1)).get_object("examplebucket", "k");
    let error = get.send().await.unwrap_err();
    let error = error.service().unwrap();
    assert_eq!((error.code(), error.message()), ("NoSuchKey", "gone"));
}

/// More than the 64 KiB that are read, and then nothing: no time passes here.
#[tokio::test]
async fn an_error_document_is_not_waited_for_beyond_what_is_read() {
    let (_end, ends) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        let start = "HTTP/1.1 403 X\r\nContent-Length: 1000000\r\n\r\n<Error><Code>A</Code><Message>";
        stream.write_all(start.as_bytes()).unwrap();
        // The client may be gone before all of it is sent.
        let _ = stream.write_all("m".repeat(100_000).as_bytes());
        let _ = ends.recv();
    });
    let clock = ManualClock::at_unix(NOW);
    let client = builder(&format!("http://{address}"), Keys::new(1));
    let client = client.clock(clock.clone()).sleep(clock).build().unwrap();
    let error = client.get_object("examplebucket", "k").await.unwrap_err();
    assert_eq!(error.code(), Some("A"));
}
