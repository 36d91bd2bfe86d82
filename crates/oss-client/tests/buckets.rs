//! Buckets made and deleted, what is there, and plain URLs.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Server, builder, client, of_cloud, refusal, response};
use oss_client::{Client, Error};
use oss_credentials_core::Credentials;
use oss_testkit::{BucketAcl, Fault, LocalCloud, Service};

#[tokio::test]
async fn buckets_are_made_and_deleted() {
    let cloud = LocalCloud::builder()
        .foreign_bucket("foreign-bucket")
        .start()
        .await
        .unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    assert!(!client.bucket_exists("new-bucket").await.unwrap());
    let made = client
        .put_bucket("new-bucket")
        .data_redundancy_type("ZRS")
        .storage_class("Standard")
        .storage_class("IA")
        .acl("public-read");
    assert_eq!(made.await.unwrap().status(), 200);
    let sent = cloud.requests().pop().unwrap();
    assert_eq!(
        String::from_utf8_lossy(sent.body()),
        "<CreateBucketConfiguration><StorageClass>IA</StorageClass>\
         <DataRedundancyType>ZRS</DataRedundancyType></CreateBucketConfiguration>"
    );
    assert_eq!(
        (sent.header("x-oss-acl"), sent.header("content-type")),
        (Some("public-read"), Some("application/xml"))
    );
    assert!(client.bucket_exists("new-bucket").await.unwrap());
    client.put_bucket("new-bucket").await.unwrap();
    assert!(cloud.requests().pop().unwrap().body().is_empty());
    let taken = client.put_bucket("foreign-bucket").await.unwrap_err();
    assert_eq!(taken.code(), Some("BucketAlreadyExists"));

    client.put_object("new-bucket", "k", "x").await.unwrap();
    let full = client.delete_bucket("new-bucket").await.unwrap_err();
    assert_eq!(full.code(), Some("BucketNotEmpty"));
    client.delete_objects("new-bucket", ["k"]).await.unwrap();
    assert_eq!(client.delete_bucket("new-bucket").await.unwrap().status(), 204);
    assert!(!client.bucket_exists("new-bucket").await.unwrap());
}

#[tokio::test]
async fn buckets_are_there_whosever_they_are() {
    let cloud = LocalCloud::builder()
        .foreign_bucket("foreign-bucket")
        .another_bucket("public-bucket", BucketAcl::PublicRead)
        .start()
        .await
        .unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    let anonymous = of_cloud(&cloud)
        .credentials(Credentials::anonymous())
        .build()
        .unwrap();
    for client in [&client, &anonymous] {
        for (bucket, expected) in [
            (cloud.bucket(), true),
            ("public-bucket", true),
            ("foreign-bucket", true),
            ("no-such-bucket", false),
        ] {
            assert_eq!(client.bucket_exists(bucket).await.unwrap(), expected, "{bucket}");
        }
    }
    assert_eq!(cloud.requests()[0].query_value("max-keys"), Some("1"));
    cloud.fault(Service::Oss, Fault::error(500, "InternalError"));
    let error = client.bucket_exists(cloud.bucket()).await.unwrap_err();
    assert_eq!(error.code(), Some("InternalError"));
    cloud.fault(Service::Oss, Fault::error(403, "SignatureDoesNotMatch"));
    let error = client.bucket_exists("no-such-bucket").await.unwrap_err();
    assert_eq!(error.code(), Some("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn objects_are_there_or_not() {
    let cloud = LocalCloud::start().await.unwrap();
    let client = of_cloud(&cloud).build().unwrap();
    let bucket = cloud.bucket();
    cloud.put_object(bucket, "a b", "x");
    assert!(client.object_exists(bucket, "a b").await.unwrap());
    assert!(!client.object_exists(bucket, "a").await.unwrap());
    assert_eq!(cloud.requests()[0].action(), "GetObjectMeta");
    let error = client.object_exists("no-such-bucket", "k").await.unwrap_err();
    assert_eq!(error.code(), Some("NoSuchBucket"));
    let invalid = client.object_exists(bucket, "a/../b").await.unwrap_err();
    assert!(matches!(invalid, Error::InvalidInput(_)), "{invalid}");
}

#[tokio::test]
async fn only_the_service_can_say_that_an_object_is_not_there() {
    let of_service = [("x-oss-request-id", "63F0AF3B5A5C3B3031F5E8E1")];
    let answers = [
        // A HEAD has no body, so these say no more than their status.
        (response(404, &of_service, ""), Some(false)),
        (response(404, &[], ""), None),
        (response(403, &of_service, ""), None),
        (refusal(404, "NoSuchVersion"), Some(false)),
        (refusal(404, "NoSuchUpload"), None),
        (response(200, &of_service, ""), Some(true)),
    ];
    // Scripted as answers to HEAD, their documents travel in a header.
    let scripted = answers.clone().map(|(response, _)| in_header(response));
    let server = Server::start(scripted);
    let client = client(&server, Keys::new(1));
    for (number, (_, expected)) in answers.into_iter().enumerate() {
        let told = client.object_exists("examplebucket", "k").version_id("v1").await;
        assert_eq!(told.ok(), expected, "{number}");
    }
    assert_eq!(
        server.received()[0].line,
        "HEAD /examplebucket/k?objectMeta&versionId=v1"
    );
}

/// The response without body, its document in the header that the service uses for that.
fn in_header(response: Vec<u8>) -> Vec<u8> {
    use base64::Engine as _;

    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let document = base64::engine::general_purpose::STANDARD.encode(body);
    format!("{head}\r\nx-oss-err: {document}\r\n\r\n").into_bytes()
}

#[test]
fn plain_urls_are_those_of_the_signer() {
    let of = |endpoint: Option<&str>, cname: bool| -> Client {
        let builder = Client::builder()
            .region("cn-hangzhou")
            // Also without TLS.
            .disable_ssl(true)
            .credentials(Credentials::anonymous());
        let builder = match endpoint {
            Some(endpoint) => builder.endpoint(endpoint).cname(cname),
            None => builder,
        };
        builder.build().unwrap()
    };
    let key = "a b/c+d?e#f%&=目~*'()";
    let encoded = "a%20b/c%2Bd%3Fe%23f%25%26%3D%E7%9B%AE~%2A%27%28%29";
    for (client, expected) in [
        (of(None, false), "http://bkt.oss-cn-hangzhou.aliyuncs.com/"),
        (
            of(Some("http://192.168.1.2:8080"), false),
            "http://192.168.1.2:8080/bkt/",
        ),
        (of(Some("img.example.com"), true), "http://img.example.com/"),
    ] {
        assert_eq!(
            client.object_url("bkt", key).unwrap(),
            format!("{expected}{encoded}")
        );
        for (bucket, key, word) in [
            ("Bkt", "k", "the bucket name"),
            ("bkt", "", "the key is empty"),
            ("bkt", "a/../b", "segment . or .."),
        ] {
            let error = client.object_url(bucket, key).unwrap_err();
            assert!(matches!(error, Error::InvalidInput(_)), "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

#[tokio::test]
async fn plain_urls_read_public_objects() {
    let cloud = LocalCloud::builder()
        .another_bucket("public-bucket", BucketAcl::PublicRead)
        .start()
        .await
        .unwrap();
    let key = "a b/c+d?e#f%&=目~*'()";
    cloud.put_object("public-bucket", key, "open");
    let url = builder(&cloud.oss_endpoint(), Keys::new(1)).build().unwrap();
    let url = url.object_url("public-bucket", key).unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "open");
}
