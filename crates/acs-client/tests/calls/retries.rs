//! What is repeated, and when.

use std::time::Duration;

use acs_client::{AcsClientBuilder, Call};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::test_util::ScriptedHttp;
use oss_credentials_http::{HttpErrorKind, HttpRequest};

use crate::common::*;

/// The time that a request was signed for.
fn time(request: &HttpRequest) -> String {
    if let Some(date) = request.header("x-acs-date") {
        return date.to_owned();
    }
    let query = decode(request.url().split_once('?').unwrap().1);
    get(&query, "Timestamp").unwrap().to_owned()
}

fn times(service: &ScriptedHttp) -> Vec<String> {
    service.requests().iter().map(time).collect()
}

fn x() -> Call<'static> {
    Call::rpc("X")
}

const LOCAL: &str = "2027-01-01T00:00:00Z";
const LATER: &str = "2027-01-01T02:00:00Z";
const LATER_DATE: &str = "Fri, 01 Jan 2027 02:00:00 GMT";
const CODE: &str = "InvalidTimeStamp.Expired";

#[test]
fn a_wrong_clock_is_corrected_once_and_remembered() {
    let service = ScriptedHttp::new()
        .then(|_| Ok(refused_at(CODE, LATER_DATE)))
        .answers(200, "{}")
        .answers(200, "{}");
    let client = client(&service).build().unwrap();
    for _ in 0..2 {
        let x = x();
        let ask = client.call_as(acs_client::Caller::Unsigned(&[]), &x);
        oss_credentials_core::blocking::wait(ask).unwrap();
    }
    assert_eq!(times(&service), [LOCAL, LATER, LATER]);
    assert_eq!(client.clock().offset().unwrap().as_secs(), 7200);
}

#[test]
fn the_clock_is_not_corrected_for_a_date_that_cannot_be_right_or_if_it_must_not() {
    let once = |client: fn(AcsClientBuilder) -> AcsClientBuilder, date: &'static str| {
        let service = ScriptedHttp::new().then(move |_| Ok(refused_at(CODE, date)));
        let error = call(client(self::client(&service)), &x()).unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(times(&service), [LOCAL]);
        error.to_string()
    };
    once(|client| client, "Mon, 01 Jan 2035 00:00:00 GMT");
    once(|client| client, "Thu, 01 Jan 1970 00:00:00 GMT");
    once(|client| client, "yesterday");
    let text = once(|client| client.correct_clock(false), LATER_DATE);
    assert!(
        text.contains("; set the local clock: it is 7200 s behind the service's; see "),
        "{text}"
    );
}

#[test]
fn over_plain_http_the_correction_is_for_this_call_alone() {
    let service = ScriptedHttp::new()
        .then(|_| Ok(refused_at(CODE, LATER_DATE)))
        .answers(200, "{}")
        .answers(200, "{}");
    let plain = client(&service)
        .endpoint("http://ecs.example.com")
        .allow_http(true);
    let client = plain.build().unwrap();
    for _ in 0..2 {
        let x = x();
        let ask = client.call_as(acs_client::Caller::Unsigned(&[]), &x);
        oss_credentials_core::blocking::wait(ask).unwrap();
    }
    assert_eq!(times(&service), [LOCAL, LATER, LOCAL]);
}

#[test]
fn a_used_nonce_is_replaced_at_once() {
    let used = || error_body("SignatureNonceUsed");
    let service = ScriptedHttp::new().answers(400, used()).answers(200, "{}");
    call(client(&service), &x()).unwrap();
    let service = ScriptedHttp::new()
        .answers(400, used())
        .answers(400, used())
        .answers(400, used());
    call(client(&service), &x()).unwrap_err();
    assert_eq!(service.requests().len(), 3);
    #[cfg(feature = "signed")]
    {
        let requests = service.requests();
        let nonce = |at: usize| requests[at].header("x-acs-signature-nonce").unwrap();
        assert!(nonce(0) != nonce(1) && nonce(1) != nonce(2));
    }
}

#[test]
fn what_may_pass_is_repeated_after_a_pause_if_there_is_something_to_wait_on() {
    let failing: [fn(ScriptedHttp) -> ScriptedHttp; 4] = [
        |service| service.answers(503, "busy"),
        |service| service.answers(400, error_body("Throttling.User")),
        |service| service.answers(500, error_body("InternalError")),
        |service| service.fails(HttpErrorKind::Connect),
    ];
    for fail in failing {
        let service = fail(ScriptedHttp::new());
        assert!(call(client(&service), &x()).unwrap_err().is_retryable());
        let pauses = Pauses::default();
        let service = fail(fail(ScriptedHttp::new())).answers(200, "{}");
        call(client(&service).sleep(pauses.clone()), &x()).unwrap();
        assert!(pauses.taken()[0] < pauses.taken()[1], "{:?}", pauses.taken());
        let service = fail(fail(fail(ScriptedHttp::new())));
        call(client(&service).sleep(Pauses::default()), &x()).unwrap_err();
        let service = fail(ScriptedHttp::new());
        call(client(&service).sleep(Pauses::default()), &x().max_attempts(1)).unwrap_err();
        let service = fail(fail(ScriptedHttp::new()));
        call(client(&service).sleep(Pauses::default()).max_attempts(2), &x()).unwrap_err();
    }
    for kind in [
        HttpErrorKind::Timeout,
        HttpErrorKind::Interrupted,
        HttpErrorKind::Tls,
    ] {
        let service = ScriptedHttp::new().fails(kind);
        call(client(&service).sleep(Pauses::default()), &x()).unwrap_err();
    }
}

#[test]
fn a_deadline_bounds_attempts_and_pauses() {
    let clock = ManualClock::at_unix(NOW);
    let slow = clock.clone();
    let service = ScriptedHttp::new().then(move |_| {
        slow.advance(Duration::from_secs(7));
        Ok(refused_at("SignatureNonceUsed", LATER_DATE))
    });
    let service = service.answers(200, "{}");
    let slow = clock.clone();
    let service = service.then(move |_| {
        slow.advance(Duration::from_secs(7));
        Ok(refused_at("SignatureNonceUsed", LATER_DATE))
    });
    let client = || client(&service).clock(clock.clone());
    call(client(), &x().deadline(Duration::from_secs(9))).unwrap();
    let left: Vec<_> = service.requests().iter().map(HttpRequest::timeout).collect();
    assert_eq!(left, [Duration::from_secs(9), Duration::from_secs(2)]);
    let error = call(client(), &x().deadline(Duration::from_secs(7))).unwrap_err();
    assert_eq!(service.requests().len(), 3);
    assert!(
        error.to_string().contains("there was no time left for X"),
        "{error}"
    );

    // A pause that would outlast the time is not begun.
    let pauses = Pauses::default();
    let service = ScriptedHttp::new().answers(503, "busy");
    let short = x().deadline(Duration::from_millis(100));
    let client = self::client(&service).sleep(pauses.clone());
    let error = call(client, &short).unwrap_err();
    assert!(
        error.to_string().contains("HTTP 503") && pauses.taken().is_empty(),
        "{error}"
    );
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn inside_a_runtime_retries_wait_on_its_timer() {
    let service = ScriptedHttp::new().answers(503, "busy").answers(200, "{}");
    let client = client(&service).build().unwrap();
    let x = x();
    let ask = client.call_as(acs_client::Caller::Unsigned(&[]), &x);
    ask.await.unwrap();
}
