//! What the policy decides, and how long an operation may take.

use std::time::Duration;

use oss_client::{Client, ClientBuilder, FixedDelay, NoRetry, StandardRetry, retry_fn};
use oss_credentials_core::test_util::ManualClock;

use super::common::{Keys, NOW, Server, refusal, response};
use super::waiting::Pauses;
use super::{MS, builder};

#[tokio::test]
async fn an_error_tells_the_number_of_its_attempt_unless_it_is_the_first() {
    let busy = || refusal(503, "ServiceUnavailable");
    let page = || response(200, &[], "<html>please log in</html>");
    let changed = || response(200, &[("x-oss-hash-crc64ecma", "1")], "");
    for (answers, expected) in [
        (
            vec![busy(), busy(), busy()],
            ", attempt 3, HTTP 503): ServiceUnavailable",
        ),
        (
            vec![busy(), refusal(403, "AccessDenied")],
            ", attempt 2, HTTP 403): AccessDenied",
        ),
        (vec![busy(), page()], ", attempt 2): it has a body"),
        (
            vec![busy(), busy(), Vec::new()],
            ", attempt 3): the connection broke",
        ),
        (
            vec![changed(), changed(), changed()],
            ", attempt 3): the CRC-64 is 1 there",
        ),
        (vec![refusal(403, "AccessDenied")], "/k, HTTP 403): AccessDenied"),
        (vec![page()], "/k): it has a body"),
    ] {
        let server = Server::start(answers);
        let pauses = Pauses::default();
        let client = builder(&server.endpoint(), Keys::new(1), &pauses).build();
        let error = client.unwrap().put_object("examplebucket", "k", "x").await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn policies_decide_how_often_and_when() {
    let busy = || vec![refusal(503, "ServiceUnavailable"); 9];
    let pauses = Pauses::default();
    let run = async |server: &Server, set: &dyn Fn(ClientBuilder) -> ClientBuilder| {
        let client = set(builder(&server.endpoint(), Keys::new(1), &pauses))
            .build()
            .unwrap();
        client
            .delete_object("examplebucket", "k")
            .send()
            .await
            .unwrap_err();
        server.count()
    };
    let server = Server::start(busy());
    assert_eq!(run(&server, &|b| b.retry(NoRetry)).await, 1);
    let server = Server::start(busy());
    assert_eq!(
        run(&server, &|b| b.retry(StandardRetry::new().max_attempts(1))).await,
        1
    );
    assert!(pauses.taken().is_empty());
    let server = Server::start(busy());
    assert_eq!(run(&server, &|b| b.retry(FixedDelay::new(4, 150 * MS))).await, 4);
    assert_eq!(pauses.taken(), [150 * MS; 3]);
    let own = || {
        retry_fn(|failed| {
            assert_eq!(failed.operation(), "DeleteObject");
            assert_eq!(failed.error().code(), Some("ServiceUnavailable"));
            (failed.number() < 3).then_some(failed.number() * 7 * MS)
        })
    };
    let server = Server::start(busy());
    assert_eq!(run(&server, &|b| b.retry(own())).await, 3);
    assert_eq!(pauses.taken()[3..], [7 * MS, 14 * MS]);
}

#[tokio::test]
async fn the_whole_operation_has_a_time_too() {
    let server = Server::start(vec![refusal(503, "ServiceUnavailable"); 9]);
    let clock = ManualClock::at_unix(NOW);
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint(server.endpoint())
        .credentials(Keys::new(1))
        .clock(clock.clone())
        .sleep(clock.clone())
        .retry(FixedDelay::new(9, Duration::from_secs(3)))
        .operation_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let get = client.get_object("examplebucket", "k").send();
    let moving = async {
        for _ in 0..2 {
            // The operation's timer and that of the pause.
            while clock.sleepers() < 2 || server.count() == 0 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_millis(2_500));
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        outcome = get => outcome.unwrap_err(),
        () = moving => unreachable!(),
    };
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(
        text.contains("the operation was not done after 5000 ms"),
        "{text}"
    );
    assert!(text.contains("; raise `operation_timeout`"), "{text}");
    assert!(server.count() <= 2, "{}", server.count());
}
