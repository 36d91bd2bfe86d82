//! Names of spans and events. Alone in its file: with another test beside it, `tracing` may have decided on that test's
//! thread that nobody listens.
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

use common::{Keys, Server, builder, ok, refusal};
use log::Log;
use oss_client::FixedDelay;

#[tokio::test]
async fn each_attempt_has_a_span_within_that_of_its_operation() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_ansi(false)
        .without_time()
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let server = Server::start([
        refusal(403, "InvalidAccessKeyId"),
        refusal(503, "InternalError"),
        ok(),
    ]);
    let client = builder(&server.endpoint(), Keys::new(2))
        .retry(FixedDelay::new(3, Duration::ZERO))
        .build()
        .unwrap();
    client.put_object("examplebucket", "k", "text").await.unwrap();
    drop(guard);

    let log = log.text();
    let ours: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(" oss_client: "))
        .map(str::trim_start)
        .collect();
    let within = r#"oss.operation{operation="PutObject"}"#;
    let attempt = |number: u32, rest: &str| {
        format!(r#"{within}:oss.attempt{{operation="PutObject" attempt={number}{rest}}}: oss_client: "#)
    };
    let expected = [
        format!("DEBUG {}responded", attempt(1, " status=403")),
        format!(
            "DEBUG {}close",
            attempt(1, r#" status=403 code="InvalidAccessKeyId" outcome="refused""#)
        ),
        format!("WARN {within}: oss_client: the service rejected the credentials"),
        format!("DEBUG {}responded", attempt(2, " status=503")),
        format!(
            "DEBUG {}close",
            attempt(2, r#" status=503 code="InternalError" outcome="refused""#)
        ),
        format!("DEBUG {within}: oss_client: trying again"),
        format!("DEBUG {}responded", attempt(3, r#" status=200 request_id="OK1""#)),
    ];
    for (line, expected) in ours.iter().zip(&expected) {
        assert!(line.starts_with(expected.as_str()), "{line}\n{expected}");
    }
    for name in ["oss.response", "oss.key_rejected", "oss.retrying"] {
        assert!(log.contains(&format!("event=\"{name}\"")), "{name}: {log}");
    }
    assert!(ours.len() > expected.len(), "{log}");
}
