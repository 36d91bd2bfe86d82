//! The instance metadata: tokens, modes, roles and their credentials.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use oss_testkit::{Fault, LocalCloud, MetadataMode, Service};
use support::*;

const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
const ROLE: &str = "/latest/meta-data/ram/security-credentials/example-role";
const TTL_HEADER: &str = "X-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "X-aliyun-ecs-metadata-token";

fn ask(cloud: &LocalCloud, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
    send(&cloud.metadata_endpoint(), method, path, headers, b"").unwrap()
}

fn token(cloud: &LocalCloud, ttl: &str) -> String {
    let reply = ask(cloud, "PUT", TOKEN, &[(TTL_HEADER, ttl)]);
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, Some("text/plain"))
    );
    reply.body
}

fn get(cloud: &LocalCloud, path: &str) -> Reply {
    ask(cloud, "GET", path, &[])
}

fn get_with(cloud: &LocalCloud, path: &str, token: &str) -> Reply {
    ask(cloud, "GET", path, &[(TOKEN_HEADER, token)])
}

#[test]
fn a_token_a_role_and_its_credentials() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let token = token(&cloud, "21600");
    assert_eq!(get_with(&cloud, ROLES, &token).body, "example-role");
    let reply = get_with(&cloud, ROLE, &token);
    let json = reply.json();
    assert_eq!(json["LastUpdated"], "2026-01-01T08:30:00Z");
    assert_eq!(json["Expiration"], "2026-01-01T14:30:00Z");

    // A real key of a session: for STS, for OSS, and with its token only.
    let key = handed_out(&reply);
    let arn = arn_of(&cloud, &key);
    assert!(
        arn.starts_with("acs:ram::123456789012:assumed-role/example-role/"),
        "{arn}"
    );
    assert_eq!(Oss::new(&cloud, &key).call("PUT", "k", &[], b"v").status, 200);
    let without = rpc_call(&cloud, &with_token(&key, ""), "GetCallerIdentity", &[], now());
    assert_eq!(without.refusal().1, "MissingSecurityToken");

    // Version 1 gets the same document.
    assert_eq!(get(&cloud, ROLE).body, reply.body);
    let seen: Vec<_> = cloud
        .requests()
        .iter()
        .filter(|request| request.service() == Service::Metadata)
        .map(|request| request.action().to_owned())
        .collect();
    assert_eq!(
        seen,
        [
            "PutToken",
            "ListRoles",
            "GetRoleCredentials",
            "GetRoleCredentials"
        ]
    );
    let shown = format!("{:?}", cloud.requests());
    assert!(!shown.contains(&token), "{shown}");
}

#[test]
fn a_token_lives_as_long_as_was_asked_from_a_second_to_six_hours() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    for ttl in ["0", "21601", "-1", "x", ""] {
        let reply = ask(&cloud, "PUT", TOKEN, &[(TTL_HEADER, ttl)]);
        assert_eq!(reply.status, 400, "{ttl}");
    }
    assert_eq!(ask(&cloud, "PUT", TOKEN, &[]).status, 400);

    let (short, long) = (token(&cloud, "1"), token(&cloud, "21600"));
    assert_ne!(short, long);
    let status = |token: &str| get_with(&cloud, ROLE, token).status;
    assert_eq!((status(&short), status(&long)), (200, 200));
    assert_eq!(status("made-up"), 403);
    clock.advance(Duration::from_secs(1));
    assert_eq!((status(&short), status(&long)), (403, 200));
    clock.advance(Duration::from_secs(21_598));
    assert_eq!(status(&long), 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(status(&long), 403);
    // A wrong token is worse than none.
    assert_eq!(get(&cloud, ROLE).status, 200);
}

#[test]
fn the_modes_differ_in_what_they_answer_without_a_token() {
    let (cloud, _) = cloud_at_now(|builder| builder.metadata_mode(MetadataMode::Hardened));
    for path in [ROLES, ROLE] {
        let page = get(&cloud, path);
        assert_eq!(page.status, 403);
        assert!(page.body.contains("<h1>403 - Forbidden</h1>"), "{}", page.body);
    }
    let good = token(&cloud, "60");
    assert_eq!(get_with(&cloud, ROLE, &good).status, 200);

    cloud.set_metadata_mode(MetadataMode::V1Only);
    assert_eq!(ask(&cloud, "PUT", TOKEN, &[(TTL_HEADER, "60")]).status, 404);
    assert_eq!(get(&cloud, ROLE).status, 200);
}

#[test]
fn the_hop_limit_swallows_the_token_but_nothing_else() {
    let (cloud, _) = cloud_at_now(|builder| builder.metadata_mode(MetadataMode::HopLimit));
    let endpoint = cloud.metadata_endpoint();
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(&request_bytes(address, "PUT", TOKEN, &[(TTL_HEADER, "60")], b""))
        .unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
    assert_eq!(
        (
            cloud.count(Service::Metadata, "PutToken"),
            cloud.requests()[0].status()
        ),
        (1, None)
    );
    assert_eq!(get(&cloud, ROLE).status, 200);
}

#[test]
fn roles_are_listed_as_they_are_attached() {
    let (cloud, _) = cloud_at_now(|builder| builder.metadata_roles(["first role", "second"]));
    assert_eq!(get(&cloud, ROLES).body, "first role\nsecond");
    let first = handed_out(&get(&cloud, &format!("{ROLES}first%20role")));
    let second = handed_out(&get(&cloud, &format!("{ROLES}second")));
    let arn = arn_of(&cloud, &second);
    assert!(arn.contains(":assumed-role/second/"), "{arn}");
    assert!(!first.same_key_as(&second));
    assert_eq!(get(&cloud, ROLE).status, 404);

    cloud.set_metadata_roles([""; 0]);
    for path in [
        ROLES.to_owned(),
        format!("{ROLES}second"),
        "/latest/meta-data/".to_owned(),
    ] {
        let page = get(&cloud, &path);
        assert_eq!(page.status, 404, "{path}");
        assert!(
            page.body.contains("<title>404 - Not Found</title>"),
            "{}",
            page.body
        );
    }
    cloud.set_metadata_roles(["example-role"]);
    assert_eq!(get(&cloud, ROLE).status, 200);
}

#[test]
fn credentials_are_replaced_on_command_and_in_their_last_hour() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let key = || handed_out(&get(&cloud, ROLE));
    let first = key();
    assert!(key().same_key_as(&first));
    cloud.rotate_role_credentials();
    let second = key();
    assert!(!second.same_key_as(&first));
    // Those handed out before stay good.
    arn_of(&cloud, &first);

    clock.advance(Duration::from_secs(5 * 3600));
    assert!(key().same_key_as(&second));
    clock.advance(Duration::from_secs(1));
    let reply = get(&cloud, ROLE);
    assert!(!handed_out(&reply).same_key_as(&second));
    assert_eq!(reply.json()["LastUpdated"], "2026-01-01T13:30:01Z");
    assert_eq!(reply.json()["Expiration"], "2026-01-01T19:30:01Z");
}

#[test]
fn faults_reach_the_metadata_service() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let good = handed_out(&get(&cloud, ROLE));
    cloud.fault(Service::Metadata, Fault::expired_credentials());
    let expired = get(&cloud, ROLE);
    assert_eq!(expired.json()["Expiration"], "2026-01-01T08:29:59Z");
    let refused = rpc_call(&cloud, &handed_out(&expired), "GetCallerIdentity", &[], now());
    assert_eq!(refused.refusal().1, "InvalidSecurityToken.Expired");
    // That was for one request.
    assert!(handed_out(&get(&cloud, ROLE)).same_key_as(&good));

    cloud.fault(Service::Metadata, Fault::missing_field("SecurityToken"));
    assert_eq!(get(&cloud, ROLE).json().get("SecurityToken"), None);
    cloud.fault(
        Service::Metadata,
        Fault::error(503, "Busy").message("<busy>").action("PutToken"),
    );
    assert_eq!(get(&cloud, ROLE).status, 200);
    let page = ask(&cloud, "PUT", TOKEN, &[(TTL_HEADER, "60")]);
    assert_eq!(page.status, 503);
    assert!(page.body.contains("<h1>503 - &lt;busy&gt;</h1>"), "{}", page.body);
    assert_eq!(cloud.requests().last().unwrap().error_code(), Some("Busy"));
    cloud.fault(Service::Metadata, Fault::throttling());
    assert_eq!(get(&cloud, ROLES).status, 429);
    cloud.fault(Service::Metadata, Fault::reset());
    let error = send(&cloud.metadata_endpoint(), "GET", ROLES, &[], b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    // A token is judged by the clock of the service.
    let token = token(&cloud, "60");
    cloud.fault(Service::Metadata, Fault::clock_offset(60));
    assert_eq!(get_with(&cloud, ROLES, &token).status, 403);
    assert_eq!(get_with(&cloud, ROLES, &token).status, 200);
}
