//! Refusals of a repeated request whose earlier attempt may have succeeded.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Keys, Server, ok, refusal, response};
use oss_client::{Client, Error, FixedDelay, Method, Operation};

const NOTE: &str = " (an earlier attempt may have succeeded); ";

/// A client of a server that responds like this, and retries at once.
fn client(responses: impl IntoIterator<Item = Vec<u8>>) -> (Server, Client) {
    let server = Server::start(responses);
    let retry = FixedDelay::new(3, Duration::ZERO);
    let client = common::builder(&server.endpoint(), Keys::new(2)).retry(retry);
    let client = client.build().unwrap();
    (server, client)
}

fn check(case: &str, outcome: &Error, code: &str, is_open: bool) {
    let refused = outcome.service().unwrap();
    assert_eq!(refused.code(), code, "{case}");
    assert_eq!(refused.earlier_attempt_may_have_succeeded(), is_open, "{case}");
    assert_eq!(outcome.to_string().contains(NOTE), is_open, "{case}: {outcome}");
}

#[tokio::test]
async fn an_attempt_without_known_outcome_may_be_the_reason_for_a_refusal() {
    let busy = "<Error><Code>InternalError</Code></Error>";
    for (case, first, is_open) in [
        ("the response is lost", Vec::new(), true),
        ("the service fails", refusal(500, "InternalError"), true),
        ("a proxy gives up", response(504, &[], "<html>"), true),
        ("the service is busy", refusal(503, "ServiceUnavailable"), true),
        (
            "it fails after it began to respond",
            response(200, &[], busy),
            true,
        ),
        ("the key is rejected", refusal(403, "InvalidAccessKeyId"), false),
        (
            "there are too many requests",
            refusal(429, "QpsLimitExceeded"),
            false,
        ),
        ("the request is refused", refusal(400, "BadRequest"), false),
    ] {
        let (server, client) = client([first, refusal(409, "FileAlreadyExists")]);
        let link = Operation::new("PutSymlink", Method::PUT)
            .bucket("examplebucket")
            .key("k")
            .query("symlink", "")
            .expect_xml();
        let refused = client.send(link).await.unwrap_err();
        assert_eq!(server.count(), 2, "{case}");
        check(case, &refused, "FileAlreadyExists", is_open);
    }
}

#[tokio::test]
async fn an_object_that_was_stored_wrong_may_be_the_reason_for_a_refusal() {
    let wrong = response(200, &[("x-oss-hash-crc64ecma", "1")], "");
    let (_server, client) = client([wrong, refusal(409, "FileAlreadyExists")]);
    let put = client.put_object("examplebucket", "k", "content");
    let refused = put.forbid_overwrite(true).await.unwrap_err();
    check("corrupted", &refused, "FileAlreadyExists", true);
}

#[tokio::test]
async fn an_attempt_stays_open_whatever_comes_between() {
    let key = || refusal(403, "InvalidAccessKeyId");
    let (_server, client) = client([Vec::new(), key(), refusal(409, "PositionNotEqualToLength")]);
    let append = client.append_object("examplebucket", "k", 0, "content");
    let refused = append.await.unwrap_err();
    check("append", &refused, "PositionNotEqualToLength", true);
}

#[tokio::test]
async fn a_first_attempt_and_a_read_have_no_such_reason() {
    let (_server, first) = client([refusal(409, "FileAlreadyExists")]);
    let put = first.put_object("examplebucket", "k", "content");
    check("first", &put.await.unwrap_err(), "FileAlreadyExists", false);
    let (_server, reader) = client([Vec::new(), refusal(404, "NoSuchKey"), ok()]);
    let get = reader.get_object("examplebucket", "k").await;
    check("read", &get.unwrap_err(), "NoSuchKey", false);
}
