//! Documents of operations that the client has no method for.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Server, response};
use http::Method;
use oss_client::{Client, Error, Operation, StandardRetry};
use std::time::{Duration, SystemTime};

const ID: (&str, &str) = ("x-oss-request-id", "R1");

fn client(server: &Server) -> Client {
    common::builder(&server.endpoint(), Keys::new(1))
        .retry(StandardRetry::new().base_delay(Duration::ZERO))
        .build()
        .unwrap()
}

fn worm() -> Operation {
    Operation::new("GetBucketWorm", Method::GET)
        .bucket("examplebucket")
        .query("worm", "")
}

#[tokio::test]
async fn elements_are_read_by_name_and_type() {
    // The example of the vendor's page "GetBucketWorm" (Object Storage Service, API reference), and a list beside it.
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<WormConfiguration xmlns=\"urn:x\">\
        <WormId>1666E2CFB2B3418****</WormId><State>Locked</State>\
        <RetentionPeriodInDays>1</RetentionPeriodInDays><CreationDate>2020-10-15T15:50:32.000Z</CreationDate>\
        <Tag>a &amp; b</Tag><Tag/><Padded> 7\n </Padded><Flag>\ttrue </Flag><Nested><Deep>true</Deep></Nested></WormConfiguration>";
    let server = Server::start([response(200, &[ID], body)]);
    let worm = client(&server).send(worm()).await.unwrap().xml().await.unwrap();
    assert_eq!((worm.name(), worm.text()), ("WormConfiguration", ""));
    assert_eq!(worm.text_of("State"), Some("Locked"));
    assert_eq!(worm.number_of("RetentionPeriodInDays"), Some(1));
    assert_eq!(worm.number_of("State"), None);
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_602_777_032);
    assert_eq!(worm.time_of("CreationDate"), Some(created));
    let tags: Vec<_> = worm.all("Tag").map(oss_client::Element::text).collect();
    assert_eq!(tags, ["a & b", ""]);
    assert_eq!(worm.child("Nested").unwrap().bool_of("Deep"), Some(true));
    assert_eq!(worm.text_of("Padded"), Some(" 7\n "));
    assert_eq!(
        (worm.number_of("Padded"), worm.bool_of("Flag")),
        (Some(7), Some(true))
    );
    assert_eq!(worm.children().count(), 9);
}

#[tokio::test]
async fn what_is_not_such_a_document_is_refused() {
    let many = format!("<A>{}</A>", "<B/>".repeat(65_536));
    let deep = format!("{}{}", "<A>".repeat(17), "</A>".repeat(17));
    for (body, why) in [
        ("", "it is empty"),
        ("{}", "malformed"),
        ("<A><B>1</B>", "malformed or was cut"),
        ("<A>&nbsp;</A>", "an entity"),
        (many.as_str(), "more than 65536 elements"),
        (deep.as_str(), "deeper"),
    ] {
        let server = Server::start([response(200, &[ID], body)]);
        let error = client(&server)
            .send(worm())
            .await
            .unwrap()
            .xml()
            .await
            .unwrap_err();
        let shown = error.to_string();
        assert!(matches!(error, Error::InvalidResponse(_)), "{shown}");
        assert!(
            shown.contains("its body is not an XML document: ") && shown.contains(why),
            "{shown}"
        );
        assert_eq!(error.request_id(), Some("R1"));
    }
}

#[tokio::test]
async fn an_expected_document_belongs_to_the_attempt() {
    let failed = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
    let server = Server::start([response(200, &[ID], failed), response(200, &[ID], "<A/>")]);
    let response = client(&server).send(worm().expect_xml()).await.unwrap();
    assert_eq!(response.xml().await.unwrap().name(), "A");
    assert_eq!(server.count(), 2);
}
