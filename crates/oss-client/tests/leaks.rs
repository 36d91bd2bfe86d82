//! Nothing secret is logged or shown. Alone in its file: with another test beside it, `tracing` may have decided on
//! that test's thread that nobody listens.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/log.rs"]
mod log;

use std::time::Duration;

use oss_client::{FixedDelay, Operation};

use common::{Keys, Server, builder, client, refusal, response, temporary};
use log::Log;

#[tokio::test]
async fn no_secret_reaches_logs_debug_or_errors() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let echo = "x-oss-security-token: canary-token-2, canary-secret-2";
    let server = Server::start([refusal(403, "InvalidAccessKeyId"), response(502, &[], echo)]);
    let client = client(&server, Keys::new(2));
    let get = client.get_object("examplebucket", "k").query("a", "canary-query");
    let mut shown = vec![format!("{client:?} {get:?}")];
    let error = get.send().await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    assert!(shown[1].contains("HTTP 502"), "{shown:?}");
    let again = builder("http://127.0.0.1:1", temporary(1))
        .proxy("http://user:canary-password@127.0.0.1:1")
        .retry(FixedDelay::new(2, Duration::ZERO));
    shown.push(format!("{again:?}"));
    let refused = again
        .build()
        .unwrap()
        .put_object("examplebucket", "k", "canary-body")
        .query("a", "canary-query")
        .send()
        .await
        .unwrap_err();
    shown.push(format!("{refused} {refused:?}"));
    let operation = Operation::new("Any", reqwest::Method::GET)
        .query("a", "canary-query")
        .header("x-oss-meta-a", "canary-header")
        .body("canary-body");
    shown.push(format!("{operation:?}"));
    let url = client
        .presign_get("examplebucket", "k", Duration::from_secs(60))
        .await
        .unwrap();
    shown.push(format!("{url:?}"));
    // The token in the place of the request's id: of a success, a list that is none, a wrong checksum, a refusal.
    let id = ("x-oss-request-id", "canary-token-1");
    let server = Server::start([
        response(200, &[id], ""),
        response(200, &[id], "<html>"),
        response(200, &[id, ("x-oss-hash-crc64ecma", "1")], "hello"),
        response(403, &[id], ""),
    ]);
    let client = common::client(&server, temporary(1));
    let put = client.put_object("examplebucket", "k", "").send().await.unwrap();
    assert_eq!(put.request_id(), None);
    shown.push(format!("{put:?}"));
    let list = client.list_objects_v2("examplebucket").send().await.unwrap_err();
    let got = client.get_object("examplebucket", "k").send().await.unwrap();
    let corrupted = got.bytes().await.unwrap_err();
    let denied = client.head_object("examplebucket", "k").send().await.unwrap_err();
    for error in [list, corrupted, denied] {
        assert!(
            !error.request_id().unwrap_or_default().contains("canary"),
            "{error}"
        );
        shown.push(format!("{error} {error:?}"));
    }
    drop(guard);

    let logged = log.text();
    assert!(
        logged.contains("the service rejected the credentials"),
        "{logged}"
    );
    assert!(logged.contains("trying again"), "{logged}");
    for text in [shown.concat(), logged] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("x-oss-signature="), "{text}");
        assert!(!text.contains("FakeTempKeyId"), "{text}");
    }
}
