//! Operations that the client has no method for.

use std::time::Duration;

use oss_client::{Error, Operation};
use oss_credentials_core::Credentials;
use oss_credentials_core::test_util::ManualClock;
use oss_testkit::LocalCloud;
use reqwest::Method;

use super::common::{Keys, Server, builder, ok, response};
use super::{long_term, temporary};

/// Signatures of the official clients (`alibabacloud-oss-v2` 1.4.1, checked with `oss2` and the Go SDK V2).
#[tokio::test]
async fn any_method_level_and_sub_resource_is_signed_as_by_the_official_clients() {
    let bucket = |name: &'static str, method| Operation::new(name, method).bucket("examplebucket");
    let rows = [
        (
            bucket("GetBucketAcl", Method::GET).query("acl", ""),
            long_term(),
            "GET /examplebucket/?acl",
            "c9f50ac9aaf4575b053ecc5e60baba396f1fd30f57b48eb43ec853880da32b33",
        ),
        (
            Operation::new("ListBuckets", Method::GET)
                .query("prefix", "my")
                .query("max-keys", "10")
                .query("marker", ""),
            long_term(),
            "GET /?prefix=my&max-keys=10&marker",
            "1f15f58d62054e96311d4110137235626bebf464facb8700f9a7d11c32c76b2a",
        ),
        (
            bucket("UploadPart", Method::PUT)
                .key("big/file.bin")
                .query("uploadId", "0004B9894A22E5B1888A1E29F8236E2D")
                .query("partNumber", "7")
                .body("part"),
            temporary(),
            "PUT /examplebucket/big/file.bin?uploadId=0004B9894A22E5B1888A1E29F8236E2D&partNumber=7",
            "afdeddf2f7d548ba5f70df8fc90a75f4a1fd3aff3be22e337359684ae04060c5",
        ),
    ];
    for (operation, credentials, line, signature) in rows {
        let server = Server::start([response(200, &[("x-oss-request-id", "OK1")], "<Document/>")]);
        let client = builder(&server.endpoint(), credentials).build().unwrap();
        let response = client.send(operation).await.unwrap();
        assert_eq!(response.bytes().await.unwrap(), "<Document/>");
        let received = &server.received()[0];
        assert_eq!(received.line, line);
        let authorization = received.header("authorization").unwrap();
        assert!(
            authorization.ends_with(&format!("Signature={signature}")),
            "{line}: {authorization}"
        );
    }
}

/// The vector `additional` of the official clients. Host and length are what the HTTP stack adds by itself.
#[tokio::test]
async fn additional_headers_are_signed_also_those_that_the_http_stack_adds() {
    let server = Server::start([ok()]);
    let proxy = server.endpoint();
    let client = builder("http://oss-cn-hangzhou.aliyuncs.com", long_term())
        .proxy(proxy)
        .additional_headers([
            "range",
            "Host",
            "Content-Length",
            "content-disposition",
            "Content-Type",
            "x-oss-meta-k",
            "Not-Present",
            "cache-control",
        ])
        .build()
        .unwrap();
    let put = client
        .put_object("examplebucket", "add.txt", "abc")
        .content_type("text/plain")
        .header("range", "bytes=0-9")
        .header("x-oss-meta-k", "v")
        .header("content-disposition", "attachment");
    put.send().await.unwrap();
    let received = &server.received()[0];
    assert_eq!(
        received.line,
        "PUT http://examplebucket.oss-cn-hangzhou.aliyuncs.com/add.txt"
    );
    assert_eq!(
        received.header("authorization"),
        Some(
            "OSS4-HMAC-SHA256 Credential=FakeAccessKeyId0001/20260101/cn-hangzhou/oss/aliyun_v4_request,\
             AdditionalHeaders=content-disposition;content-length;host;range,\
             Signature=fc744f9e328dfd7317132a7c1490347b89e9910e3156fd2e00f3d8aed101a524"
        )
    );
    for (name, value) in [
        ("host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
        ("content-length", "3"),
    ] {
        let all: Vec<_> = received.headers.iter().filter(|(own, _)| own == name).collect();
        assert_eq!(all.len(), 1, "{name}");
        assert_eq!(received.header(name), Some(value));
    }
}

/// The vector that the vendor's document on V4 URLs gives for an additional `host`.
#[tokio::test]
async fn urls_can_be_bound_to_their_host() {
    let credentials = Credentials::builder("testid", "yourAccessKeySecret")
        .build()
        .unwrap();
    let client = builder("http://oss-cn-hangzhou.aliyuncs.com", credentials)
        .clock(ManualClock::at_unix(1_733_196_187))
        .additional_headers(["host"])
        .build()
        .unwrap();
    let day = Duration::from_secs(86_400);
    let url = client
        .presign_get("examplebucket", "exampleobject", day)
        .await
        .unwrap();
    for expected in [
        "x-oss-additional-headers=host",
        "x-oss-signature=a9ad2ce702a93c7c36ace35dd4e1b80cb76a999c890d7dfe78ff342a23dac8e0",
    ] {
        assert!(url.url().contains(expected), "{}", url.url());
    }
}

#[tokio::test]
async fn bodies_of_all_methods_have_their_length() {
    let server = Server::start([ok(), ok(), ok(), ok(), ok()]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .additional_headers(["content-length"])
        .build()
        .unwrap();
    for (method, body) in [
        (Method::POST, ""),
        (Method::POST, "<Delete/>"),
        (Method::PUT, ""),
        (Method::DELETE, "x"),
        (Method::GET, ""),
    ] {
        client
            .send(
                Operation::new("Any", method)
                    .bucket("examplebucket")
                    .key("k")
                    .body(body),
            )
            .await
            .unwrap();
    }
    for request in server.received() {
        let authorization = request.header("authorization").unwrap();
        let is_signed = authorization.contains("AdditionalHeaders=content-length,");
        let has_length = request.header("content-length").is_some();
        assert_eq!(is_signed, has_length, "{}", request.line);
    }
    let lengths: Vec<_> = server
        .received()
        .iter()
        .map(|request| {
            (
                request.header("content-length").map(str::to_owned),
                request.body.clone(),
            )
        })
        .collect();
    let length = |text: &str| Some(text.to_owned());
    assert_eq!(
        lengths,
        [
            (length("0"), b"".to_vec()),
            (length("9"), b"<Delete/>".to_vec()),
            (length("0"), b"".to_vec()),
            (length("1"), b"x".to_vec()),
            (None, b"".to_vec()),
        ]
    );
}

#[tokio::test]
async fn what_is_no_operation_is_refused_before_credentials_are_fetched() {
    let keys = Keys::new(1);
    let client = builder("http://127.0.0.1:1", keys.clone()).build().unwrap();
    let object = |method| Operation::new("Any", method).bucket("examplebucket").key("k");
    for (operation, expected) in [
        (
            Operation::new("Any", Method::GET).key("k"),
            "the operation has a key and no bucket",
        ),
        (object(Method::PATCH), "OSS has no method \"PATCH\""),
        (
            object(Method::GET).header("range", "bytes=0-1,5-6"),
            "the header \"range\" is malformed",
        ),
        (object(Method::GET).key(""), "the key is empty"),
        (
            object(Method::GET).bucket("A"),
            "the bucket name \"A\" is malformed",
        ),
        (
            object(Method::GET).header("host", "x"),
            "is set by the client itself",
        ),
    ] {
        let error = client.send(operation).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(keys.asked(), 0);
    let operation = object(Method::GET)
        .header("x-oss-meta-a", "canary")
        .query("a", "canary")
        .body("canary");
    assert!(!format!("{operation:?}").contains("canary"), "{operation:?}");
}

#[tokio::test]
async fn errors_name_the_operation_that_was_sent() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = builder(&cloud.oss_endpoint(), cloud.access_key())
        .clock(oss_credentials_core::SystemClock)
        .build()
        .unwrap();
    let operation = Operation::new("GetBucketWebsite", Method::GET)
        .bucket(cloud.bucket())
        .query("website", "");
    let error = client.send(operation).await.unwrap_err();
    let error = error.service().unwrap();
    // The local cloud knows the signature, and not the operation.
    assert_eq!(
        (error.operation(), error.code()),
        ("GetBucketWebsite", "NotImplemented")
    );

    let head = Operation::new("GetObjectMeta", Method::HEAD)
        .bucket(cloud.bucket())
        .key("k")
        .query("objectMeta", "");
    cloud.put_object(cloud.bucket(), "k", "content");
    let url = client.presign(head, Duration::from_secs(60)).await.unwrap();
    assert_eq!(url.method(), "HEAD");
    let response = reqwest::Client::new().head(url.url()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-length"], "7");
}
