//! The server behind the credentials URI.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::Duration;

use oss_testkit::{Fault, LocalCloud, Service};
use support::*;

fn address(cloud: &LocalCloud) -> String {
    format!("http://127.0.0.1:{}", cloud.credentials_uri_port())
}

fn get(cloud: &LocalCloud, path: &str, headers: &[(&str, &str)]) -> Reply {
    send(&address(cloud), "GET", path, headers, b"").unwrap()
}

#[test]
fn the_document_holds_a_key_of_the_first_role() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    assert_eq!(
        cloud.credentials_uri(),
        format!("{}/credentials", address(&cloud))
    );
    let reply = get(&cloud, "/credentials", &[]);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let json = reply.json();
    let mut names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "AccessKeyId",
            "AccessKeySecret",
            "Code",
            "Expiration",
            "SecurityToken"
        ]
    );
    assert_eq!(json["Expiration"], "2026-01-01T09:30:00Z");
    let key = handed_out(&reply);
    let arn = arn_of(&cloud, &key);
    assert_eq!(
        arn,
        "acs:ram::123456789012:assumed-role/example-role/credentials-uri"
    );
    assert_eq!(Oss::new(&cloud, &key).call("PUT", "k", &[], b"v").status, 200);

    // The same key for everybody, until it is time for another.
    assert_eq!(get(&cloud, "/credentials?who=ever", &[]).body, reply.body);
    cloud.rotate_credentials_uri();
    let second = handed_out(&get(&cloud, "/credentials", &[]));
    assert!(!second.same_key_as(&key));
    clock.advance(Duration::from_secs(3000));
    assert!(handed_out(&get(&cloud, "/credentials", &[])).same_key_as(&second));
    clock.advance(Duration::from_secs(1));
    assert!(!handed_out(&get(&cloud, "/credentials", &[])).same_key_as(&second));
    assert_eq!(cloud.count(Service::CredentialsUri, "GetCredentials"), 5);
}

#[test]
fn other_paths_and_methods_are_refused() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    for path in ["/", "/credentialsx", "/other"] {
        assert_eq!(
            get(&cloud, path, &[]).refusal(),
            (404, "NotFound".to_owned()),
            "{path}"
        );
    }
    let posted = send(&address(&cloud), "POST", "/credentials", &[], b"").unwrap();
    assert_eq!(posted.refusal(), (405, "MethodNotAllowed".to_owned()));
    assert_eq!(get(&cloud, "/credentials/unasked", &[]).status, 403);
    assert_eq!(cloud.count(Service::CredentialsUri, "Unknown"), 4);
}

#[test]
fn user_and_password_are_asked_for() {
    let (cloud, _) = cloud_at_now(|builder| builder.credentials_uri_user("Aladdin", "open sesame"));
    assert_eq!(
        cloud.credentials_uri(),
        format!(
            "http://Aladdin:open%20sesame@127.0.0.1:{}/credentials",
            cloud.credentials_uri_port()
        )
    );
    let refused = (401, "Unauthorized".to_owned());
    let without = get(&cloud, "/credentials", &[]);
    assert_eq!(without.refusal(), refused);
    assert!(without.header("www-authenticate").unwrap().starts_with("Basic "));
    let with = |value: &str| get(&cloud, "/credentials", &[("Authorization", value)]);
    assert_eq!(with("Basic QWxhZGRpbjpvcGVuIHNlc2Ft").refusal(), refused);
    // The example of RFC 7617, section 2.
    assert_eq!(with("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").status, 200);
    let shown = format!("{:?}", cloud.requests());
    assert!(!shown.contains("QWxhZGRpbj"), "{shown}");
}

#[test]
fn a_token_in_the_path_is_asked_for() {
    let (cloud, _) = cloud_at_now(|builder| builder.credentials_uri_token("a/canary token"));
    let uri = cloud.credentials_uri();
    let path = "/credentials/a%2Fcanary%20token";
    assert!(uri.ends_with(path), "{uri}");
    assert_eq!(get(&cloud, path, &[]).status, 200);
    for wrong in ["/credentials", "/credentials/", "/credentials/other"] {
        assert_eq!(
            get(&cloud, wrong, &[]).refusal(),
            (403, "Forbidden".to_owned()),
            "{wrong}"
        );
    }
    assert_eq!(cloud.requests()[0].path(), path);
    let shown = format!("{cloud:?} {:?}", cloud.requests());
    assert!(
        shown.contains("/credentials") && !shown.contains("canary"),
        "{shown}"
    );
}

#[test]
fn faults_reach_the_credentials_uri() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let ask = || get(&cloud, "/credentials", &[]);
    cloud.fault(
        Service::CredentialsUri,
        Fault::error(500, "Failed").message("no \"keys\""),
    );
    let reply = ask();
    assert_eq!(reply.refusal(), (500, "Failed".to_owned()));
    assert_eq!(reply.json()["Message"], "no \"keys\"");
    cloud.fault(Service::CredentialsUri, Fault::throttling());
    assert_eq!(ask().refusal(), (429, "Throttling".to_owned()));
    cloud.fault(Service::CredentialsUri, Fault::missing_field("Expiration"));
    assert_eq!(ask().json().get("Expiration"), None);
    cloud.fault(Service::CredentialsUri, Fault::expired_credentials());
    assert_eq!(ask().json()["Expiration"], "2026-01-01T08:29:59Z");
    assert_eq!(ask().json()["Expiration"], "2026-01-01T09:30:00Z");
}
