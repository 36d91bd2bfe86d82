//! Each fault as a client meets it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use oss_credentials_core::test_util::ManualClock;
use oss_testkit::{Fault, LocalCloud, Service};
use support::*;

fn get(cloud: &LocalCloud) -> io::Result<Reply> {
    send(&cloud.oss_endpoint(), "GET", "/readable/k", &[], b"")
}

/// A cloud with an object that can be read without a signature.
fn readable_cloud() -> (LocalCloud, ManualClock) {
    let (cloud, clock) =
        cloud_at_now(|builder| builder.another_bucket("readable", oss_testkit::BucketAcl::PublicRead));
    cloud.put_object("readable", "k", "0123456789");
    (cloud, clock)
}

#[test]
fn errors_come_in_the_services_own_format_and_only_as_often_as_scripted() {
    let (cloud, _) = readable_cloud();
    cloud.fault(
        Service::Sts,
        Fault::error(503, "ServiceUnavailable")
            .message("try <later>")
            .times(2),
    );
    let key = cloud.access_key();
    for _ in 0..2 {
        let reply = assume_role(&cloud, &key, &[]);
        assert_eq!(reply.refusal(), (503, "ServiceUnavailable".to_owned()));
        assert_eq!(reply.json()["Message"], "try <later>");
    }
    assert_eq!(assume_role(&cloud, &key, &[]).status, 200);

    cloud.fault(Service::Oss, Fault::error(500, "InternalError"));
    let reply = get(&cloud).unwrap();
    assert_eq!(reply.refusal(), (500, "InternalError".to_owned()));
    assert!(reply.header("x-oss-request-id").is_some());
    assert_eq!(get(&cloud).unwrap().status, 200);

    cloud.fault(Service::Sts, Fault::throttling());
    assert_eq!(
        assume_role(&cloud, &key, &[]).refusal(),
        (429, "Throttling.User".to_owned())
    );
    cloud.fault(Service::Oss, Fault::throttling());
    assert_eq!(
        get(&cloud).unwrap().refusal(),
        (503, "QpsLimitExceeded".to_owned())
    );
}

#[test]
fn a_fault_waits_for_its_action_or_path() {
    let (cloud, _) = readable_cloud();
    let key = cloud.access_key();
    cloud.fault(
        Service::Sts,
        Fault::error(500, "InternalError").action("AssumeRole"),
    );
    cloud.fault(
        Service::Oss,
        Fault::error(500, "InternalError").path("/readable/other"),
    );
    assert_eq!(
        rpc_call(&cloud, &key, "GetCallerIdentity", &[], now()).status,
        200
    );
    assert_eq!(assume_role(&cloud, &key, &[]).status, 500);
    assert_eq!(get(&cloud).unwrap().status, 200);
    assert_eq!(
        send(&cloud.oss_endpoint(), "GET", "/readable/other", &[], b"")
            .unwrap()
            .status,
        500
    );

    cloud.fault(Service::Oss, Fault::html(502).always());
    assert_eq!(
        [get(&cloud).unwrap().status, get(&cloud).unwrap().status],
        [502, 502]
    );
    cloud.clear_faults();
    assert_eq!(get(&cloud).unwrap().status, 200);
}

#[test]
fn foreign_answers_are_sent_as_they_are() {
    let (cloud, _) = readable_cloud();
    let key = cloud.access_key();
    cloud.fault(Service::Sts, Fault::html(502));
    let page = assume_role(&cloud, &key, &[]);
    assert_eq!(
        (page.status, page.header("content-type")),
        (502, Some("text/html"))
    );
    assert!(page.body.starts_with("<html>"));
    cloud.fault(Service::Sts, Fault::garbage());
    let garbage = assume_role(&cloud, &key, &[]);
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&garbage.body).is_err());
    cloud.fault(Service::Sts, Fault::foreign(200, "application/json", "{}"));
    assert_eq!(assume_role(&cloud, &key, &[]).body, "{}");
}

#[test]
fn a_reset_connection_gives_no_byte_though_the_request_was_carried_out() {
    let (cloud, _) = readable_cloud();
    let key = cloud.access_key();
    cloud.fault(Service::Oss, Fault::reset());
    let url = Oss::new(&cloud, &key).presigned("PUT", "k", Duration::from_secs(60));
    let error = send(&cloud.oss_endpoint(), "PUT", &url, &[], b"stored").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(cloud.object(cloud.bucket(), "k").as_deref(), Some(&b"stored"[..]));
    assert_eq!(cloud.requests()[0].status(), None);
    assert_eq!(get(&cloud).unwrap().status, 200);
}

#[test]
fn a_cut_body_ends_early() {
    let (cloud, _) = readable_cloud();
    cloud.fault(Service::Oss, Fault::cut_body());
    let half = read_all(&cloud);
    assert!(half.contains("content-length: 10\r\n"), "{half}");
    assert!(half.ends_with("\r\n\r\n01234"), "{half}");
    assert_eq!(get(&cloud).unwrap().body, "0123456789");

    cloud.fault(Service::Oss, Fault::cut_body());
    assert_eq!(get(&cloud).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

/// All bytes of the answer until the connection ends.
fn read_all(cloud: &LocalCloud) -> String {
    let mut stream = open(cloud);
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn open(cloud: &LocalCloud) -> TcpStream {
    let endpoint = cloud.oss_endpoint();
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(&request_bytes(address, "GET", "/readable/k", &[], b""))
        .unwrap();
    stream
}

/// What arrives until nothing more does.
fn read_until_silence(mut stream: &TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_hanging_service_keeps_the_connection_open() {
    let (cloud, _) = readable_cloud();
    cloud.fault(Service::Oss, Fault::hang());
    assert_eq!(read_until_silence(&open(&cloud)), "");
    assert_eq!(cloud.count(Service::Oss, "GetObject"), 1);

    cloud.fault(Service::Oss, Fault::hang_in_body());
    let half = read_until_silence(&open(&cloud));
    assert!(half.ends_with("\r\n\r\n01234"), "{half}");
}

#[test]
fn an_open_connection_ends_with_the_cloud() {
    let (cloud, _) = readable_cloud();
    cloud.fault(Service::Oss, Fault::hang());
    let mut stream = open(&cloud);
    assert_eq!(read_until_silence(&stream), "");
    drop(cloud);
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut byte = [0];
    assert!(
        !matches!(stream.read(&mut byte), Ok(1..)),
        "a dropped cloud answered"
    );
}

#[test]
fn latency_is_waited_for_by_the_given_sleep() {
    let clock = ManualClock::at_unix(NOW);
    let cloud = LocalCloud::builder()
        .clock(clock.clone())
        .sleep(clock.clone())
        .another_bucket("readable", oss_testkit::BucketAcl::PublicRead)
        .start_blocking()
        .unwrap();
    cloud.put_object("readable", "k", "v");
    cloud.fault(Service::Oss, Fault::latency(Duration::from_secs(30)));
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| get(&cloud).unwrap());
        wait_until("a latency to wait for", || clock.sleepers() == 1);
        clock.advance(Duration::from_secs(29));
        assert_eq!(clock.sleepers(), 1, "answered too early");
        clock.advance(Duration::from_secs(1));
        assert_eq!(answer.join().unwrap().body, "v");
    });
    let slow = Fault::error(503, "ServiceUnavailable").after(Duration::from_secs(5));
    cloud.fault(Service::Oss, slow);
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| get(&cloud).unwrap());
        wait_until("a latency to wait for", || clock.sleepers() == 1);
        clock.advance(Duration::from_secs(5));
        assert_eq!(answer.join().unwrap().status, 503);
    });
}

#[test]
fn a_wrong_clock_of_the_service_shows_in_its_date() {
    let (cloud, _) = readable_cloud();
    let key = cloud.access_key();
    cloud.fault(Service::Sts, Fault::clock_offset(7200));
    let reply = assume_role(&cloud, &key, &[]);
    assert_eq!(reply.refusal(), (400, "InvalidTimeStamp.Expired".to_owned()));
    assert_eq!(reply.header("date"), Some("Thu, 01 Jan 2026 10:30:00 GMT"));
    assert_eq!(assume_role(&cloud, &key, &[]).status, 200);
    cloud.fault(Service::Oss, Fault::clock_offset(-3600));
    let reply = Oss::new(&cloud, &key).call("GET", "k", &[], b"");
    assert_eq!(reply.refusal(), (403, "RequestTimeTooSkewed".to_owned()));
}

#[test]
fn answers_can_arrive_expired_or_incomplete() {
    let (cloud, _) = readable_cloud();
    let key = cloud.access_key();
    cloud.fault(Service::Sts, Fault::expired_credentials());
    let reply = assume_role(&cloud, &key, &[]);
    assert_eq!(reply.json()["Credentials"]["Expiration"], "2026-01-01T08:29:59Z");

    for name in ["AccessKeyId", "SecurityToken", "Expiration"] {
        cloud.fault(Service::Sts, Fault::missing_field(name));
        let reply = assume_role(&cloud, &key, &[]);
        assert_eq!(reply.json()["Credentials"].as_object().unwrap().len(), 3);
        assert_eq!(reply.json()["Credentials"].get(name), None);
    }
    cloud.fault(Service::Oss, Fault::missing_field("ETag"));
    assert_eq!(get(&cloud).unwrap().header("etag"), None);
    assert!(get(&cloud).unwrap().header("etag").is_some());
}
