//! Profiles with a role of STS.

use super::{link, problem};
use crate::support::{Folder, ROLE, keys, param, session};

/// The reference's sample.
const SAMPLE: &str = r#"{"name": "x", "mode": "RamRoleArn", "access_key_id": "LTAI5tEXAMPLEKEYID",
    "access_key_secret": "EXAMPLE", "ram_role_arn": "acs:ram::123456789012:role/example-role",
    "ram_session_name": "example-session", "expired_seconds": 1800, "sts_region": "cn-hangzhou",
    "external_id": "example"}"#;

#[test]
fn eight_profiles_are_not_too_many() {
    let names = ["x", "1", "2", "3", "4", "5", "6", "7"];
    let mut profiles: Vec<_> = names.windows(2).map(|pair| link(pair[0], pair[1])).collect();
    profiles
        .push(r#"{"name": "7", "mode": "AK", "access_key_id": "id", "access_key_secret": "s"}"#.to_owned());
    let mut folder = Folder::new();
    for n in 1..8 {
        folder = folder.then_answering(200, &session(&format!("STS.{n}")));
    }
    let provider = folder.cli("x", &profiles.join(","));
    assert_eq!(keys(&provider).0, "STS.7");
    let requests = folder.http.requests();
    // The role of the profile before the last one is assumed first, with its keys.
    assert_eq!(
        param(&requests[0], "RoleSessionName").as_deref(),
        Some("session-6")
    );
    assert_eq!(param(&requests[0], "AccessKeyId").as_deref(), Some("id"));
    assert_eq!(
        param(&requests[6], "RoleSessionName").as_deref(),
        Some("session-x")
    );
    assert_eq!(param(&requests[6], "AccessKeyId").as_deref(), Some("STS.6"));
    assert_eq!(param(&requests[6], "SecurityToken").as_deref(), Some("new-token"));
}

#[test]
fn a_role_with_keys() {
    let folder = Folder::answering(200, &session("STS.ROLE"));
    let provider = folder.cli("x", SAMPLE);
    assert_eq!(keys(&provider).0, "STS.ROLE");
    let request = &folder.http.requests()[0];
    assert!(
        request
            .url()
            .starts_with("https://sts.cn-hangzhou.aliyuncs.com/?"),
        "{}",
        request.url()
    );
    for (name, value) in [
        ("RoleArn", ROLE),
        ("RoleSessionName", "example-session"),
        ("DurationSeconds", "1800"),
        ("ExternalId", "example"),
        ("AccessKeyId", "LTAI5tEXAMPLEKEYID"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }
    for name in ["Policy", "SecurityToken"] {
        assert_eq!(param(request, name), None, "{name}");
    }
}

#[test]
fn the_fields_of_a_role() {
    for (from, to, name, value) in [
        // Older CLIs write 0 for what is not set.
        ("1800", "0", "DurationSeconds", "3600"),
        ("1800", "null", "DurationSeconds", "3600"),
        (
            r#""ram_session_name""#,
            r#""role_session_name""#,
            "RoleSessionName",
            "example-session",
        ),
        (
            r#""expired_seconds""#,
            r#""role_session_name": "second", "expired_seconds""#,
            "RoleSessionName",
            "example-session",
        ),
        (r#""external_id": "example""#, r#""policy": "{}""#, "Policy", "{}"),
        (
            r#""external_id": "example""#,
            r#""sts_token": "TOKEN""#,
            "SecurityToken",
            "TOKEN",
        ),
    ] {
        let folder = Folder::answering(200, &session("STS.ROLE"));
        keys(&folder.cli("x", &SAMPLE.replace(from, to)));
        let request = &folder.http.requests()[0];
        assert_eq!(param(request, name).as_deref(), Some(value), "{to}");
    }
    for (field, host) in [
        (
            r#""enable_vpc": true"#,
            "https://sts-vpc.cn-hangzhou.aliyuncs.com/?",
        ),
        (r#""enable_vpc": false"#, "https://sts.cn-hangzhou.aliyuncs.com/?"),
        (
            r#""sts_endpoint": "sts.example.com""#,
            "https://sts.example.com/?",
        ),
    ] {
        let folder = Folder::answering(200, &session("STS.ROLE"));
        keys(&folder.cli("x", &SAMPLE.replace(r#""external_id": "example""#, field)));
        let url = folder.http.requests()[0].url().to_owned();
        assert!(url.starts_with(host), "{url}");
    }
    assert_eq!(
        problem(&SAMPLE.replace("1800", "899")),
        "profile: the profile \"x\" has 899 in expired_seconds, and sessions last 900 to 43200 seconds (config.json); \
         correct expired_seconds, or remove it"
    );
}

#[cfg(feature = "ecs-ram-role")]
#[test]
fn a_role_over_the_role_of_the_instance() {
    let folder = Folder::answering(200, "metadata-token")
        .then_answering(
            200,
            r#"{"AccessKeyId": "STS.ECS", "AccessKeySecret": "s", "SecurityToken": "t", "Code": "Success",
                "Expiration": "2026-01-02T09:04:05Z"}"#,
        )
        .then_answering(200, &session("STS.ROLE"));
    let provider = folder.cli(
        "x",
        r#"{"name": "x", "mode": "RamRoleArnWithRoleName", "ram_role_name": "example-role",
            "ram_role_arn": "acs:ram::123456789012:role/example-role", "ram_session_name": "example-session"}"#,
    );
    assert_eq!(keys(&provider).0, "STS.ROLE");
    let requests = folder.http.requests();
    assert!(requests[1].url().ends_with("/security-credentials/example-role"));
    assert_eq!(param(&requests[2], "AccessKeyId").as_deref(), Some("STS.ECS"));
}
