//! What the shared gateway of the local KMS accepts and refuses, and how secrets rotate.

#[path = "support/kms.rs"]
mod program;
mod support;

use std::time::Duration;

use oss_credentials_core::Credentials;
use oss_testkit::{LocalCloud, Service};
use program::*;
use serde_json::Value;
use support::*;

/// Whether OSS and STS take the key; they have to agree.
fn works(cloud: &LocalCloud, key: &Credentials) -> bool {
    let oss = Oss::new(cloud, key).call("PUT", "k", &[], b"x");
    let sts = rpc_call(cloud, key, "GetCallerIdentity", &[], now());
    assert_eq!(oss.status == 200, sts.status == 200, "{} {}", oss.body, sts.body);
    if oss.status != 200 {
        assert_eq!(oss.refusal(), (403, "InvalidAccessKeyId".to_owned()));
    }
    oss.status == 200
}

#[test]
fn a_ram_secret_is_described_as_the_reference_does() {
    let program = Program::new(|builder| builder);
    let name = program.cloud.secret_name();
    let reply = program.ask(&name);
    let json = reply.json();
    assert_eq!(reply.status, 200, "{}", reply.body);
    for (field, value) in [
        ("SecretName", "acs/ram/user/example-rotated-user"),
        ("SecretType", "RAMCredentials"),
        ("SecretDataType", "text"),
        ("CreateTime", "2026-01-01T08:30:00Z"),
        ("AutomaticRotation", "Enabled"),
        ("RotationInterval", "604800s"),
        ("NextRotationDate", "2026-01-08T08:30:00Z"),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    assert_eq!(
        json["VersionStages"]["VersionStage"],
        serde_json::json!(["ACSCurrent"])
    );
    assert_eq!(json["LastRotationDate"], Value::Null);
    let config: Value = serde_json::from_str(text(&json["ExtendedConfig"])).unwrap();
    assert_eq!(config["SecretSubType"], "RamUserAccessKey");
    assert_eq!(config["UserName"], "example-rotated-user");
    let data: Value = serde_json::from_str(text(&json["SecretData"])).unwrap();
    assert_eq!(data["GenerateTimestamp"], "2026-01-01T08:30:00Z");
    assert_eq!(data["ExpireTimestamp"], Value::Null);

    let without = program.ask_with(&name, &[("FetchExtendedConfig", "")]);
    assert_eq!(without.json()["ExtendedConfig"], Value::Null);
    let arn = format!("acs:kms:cn-hangzhou:123456789012:secret/{name}");
    assert_eq!(program.ask(&arn).json()["SecretName"], name.as_str());
    assert_eq!(program.ask(&arn.replace(":123", ":423")).status, 404);

    let request = program.cloud.requests().swap_remove(0);
    assert_eq!(
        (request.service(), request.action()),
        (Service::Kms, "GetSecretValue")
    );
    assert_eq!(request.access_key_id(), Some(program.cloud.client_key_id()));
    assert_eq!(program.cloud.count(Service::Kms, "GetSecretValue"), 4);
}

#[test]
fn rotation_makes_a_new_pair_and_keeps_the_old_one_for_a_while() {
    let program = Program::new(|builder| builder);
    let (cloud, name) = (&program.cloud, program.cloud.secret_name());
    let first = program.pair(&name);
    assert!(first.same_key_as(&cloud.secret_credentials(&name).unwrap()));
    assert!(works(cloud, &first));
    let who = rpc_call(cloud, &first, "GetCallerIdentity", &[], now());
    assert!(
        text(&who.json()["Arn"]).ends_with(":user/example-rotated-user"),
        "{}",
        who.body
    );

    let second = cloud.rotate_secret(&name).unwrap();
    let reply = program.ask(&name);
    assert_eq!(pair(&reply).access_key_secret(), second.access_key_secret());
    assert!(pair(&reply).same_key_as(&second) && !second.same_key_as(&first));
    assert_eq!(reply.json()["LastRotationDate"], "2026-01-01T08:30:00Z");
    let previous = program.ask_with(&name, &[("VersionStage", "ACSPrevious")]);
    assert!(pair(&previous).same_key_as(&first));
    assert_eq!(previous.json()["VersionStages"]["VersionStage"][0], "ACSPrevious");
    assert!(works(cloud, &first) && works(cloud, &second));
    assert!(cloud.revoke(first.access_key_id()));
    let refused = Oss::new(cloud, &first).call("GET", "k", &[], b"").refusal();
    assert_eq!(refused, (403, "InvalidAccessKeyId".to_owned()));

    // A RAM user has two keys at most.
    let third = cloud.rotate_secret(&name).unwrap();
    assert!(!works(cloud, &first) && works(cloud, &second) && works(cloud, &third));
    let fourth = cloud.rotate_secret_immediately(&name).unwrap();
    assert!(!works(cloud, &second) && !works(cloud, &third) && works(cloud, &fourth));
    assert_eq!(
        program.ask_with(&name, &[("VersionStage", "ACSPrevious")]).status,
        404
    );

    assert!(cloud.rotate_secret("no-such-secret").is_none());
    assert!(cloud.delete_secret(&name) && !cloud.delete_secret(&name));
    assert_eq!(
        program.ask(&name).refusal(),
        (404, "Forbidden.ResourceNotFound".to_owned())
    );
}

#[test]
fn secrets_rotate_by_themselves_when_their_time_has_come() {
    let program = Program::new(|builder| builder.rotation_interval(Duration::from_secs(60)));
    let name = program.cloud.secret_name();
    let first = program.pair(&name);
    program.clock.advance(Duration::from_secs(59));
    assert!(program.pair(&name).same_key_as(&first));
    program.clock.advance(Duration::from_secs(1));
    let second = program.ask(&name);
    assert!(!pair(&second).same_key_as(&first));
    assert_eq!(second.json()["NextRotationDate"], "2026-01-01T08:32:00Z");
    assert!(works(&program.cloud, &first));

    let never = Program::new(|builder| builder.rotation_interval(Duration::ZERO));
    let first = never.ask(&name);
    assert_eq!(first.json()["AutomaticRotation"], "Disabled");
    assert_eq!(first.json()["RotationInterval"], Value::Null);
    assert_eq!(first.json()["NextRotationDate"], Value::Null);
}

#[test]
fn generic_secrets_hold_any_text_in_versions() {
    let program = Program::new(|builder| builder.secret("s", "one"));
    assert!(program.cloud.put_secret("s", "two"));
    let latest = program.ask("s").json();
    assert_eq!(
        (text(&latest["SecretData"]), text(&latest["VersionId"])),
        ("two", "v2")
    );
    assert_eq!(latest["SecretType"], "Generic");
    assert_eq!(latest["AutomaticRotation"], Value::Null);
    assert_eq!(latest["ExtendedConfig"], Value::Null);
    let by_id = program
        .ask_with("s", &[("VersionId", "v1"), ("VersionStage", "")])
        .json();
    assert_eq!(by_id["SecretData"], "one");
    let previous = program.ask_with("s", &[("VersionStage", "ACSPrevious")]).json();
    assert_eq!(previous["SecretData"], "one");
    assert!(program.cloud.rotate_secret("s").is_none());
    let ram = program.cloud.secret_name();
    assert!(!program.cloud.put_secret(&ram, "mine") && !program.cloud.put_secret("acs/ram/user/x", "y"));
    assert_eq!(program.ask("acs/ram/user/x").status, 404);
    program.pair(&ram);
    let refused = LocalCloud::builder()
        .secret("acs/ram/user/x", "y")
        .start_blocking();
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn the_shared_gateway_refuses_with_the_documented_codes() {
    let program = Program::new(|builder| builder.kms_region("eu-central-1"));
    let name = program.cloud.secret_name();
    for (changed, value, status, code) in [
        ("RegionId", "cn-nowhere", 400, "InvalidParameter"),
        ("RegionId", "", 400, "MissingParameter"),
        ("SecretName", "", 400, "MissingParameter"),
        ("SecretName", "nobody", 404, "Forbidden.ResourceNotFound"),
        ("VersionStage", "nobody", 404, "Forbidden.ResourceNotFound"),
        ("AccessKeyId", "", 400, "MissingParameter"),
        ("AccessKeyId", "KAAP.nobody", 404, "InvalidAccessKeyId.NotFound"),
        ("SignatureNonce", "", 400, "MissingParameter"),
        ("SignatureMethod", "HMAC-SHA1", 400, "IncompleteSignature"),
        ("SignatureType", "", 400, "IncompleteSignature"),
        ("SignatureVersion", "2.0", 400, "IncompleteSignature"),
        ("Timestamp", "", 400, "IllegalTimestamp"),
        ("Timestamp", "now", 400, "IllegalTimestamp"),
        (
            "Timestamp",
            "2026-01-01T08:14:59Z",
            400,
            "InvalidTimeStamp.Expired",
        ),
        (
            "Timestamp",
            "2026-01-01T08:45:01Z",
            400,
            "InvalidTimeStamp.Expired",
        ),
        ("Version", "2016-01-21", 400, "InvalidVersion"),
        ("Action", "Encrypt", 404, "InvalidAction.NotFound"),
    ] {
        let reply = program.ask_with(&name, &[(changed, value)]);
        assert_eq!(reply.refusal(), (status, code.to_owned()), "{changed}={value}");
        assert_eq!(reply.json()["HttpStatus"], status);
        assert_eq!(
            reply.json()["RequestId"],
            reply.header("x-acs-request-id").unwrap()
        );
    }
    for region in ["cn-shanghai", "eu-central-1"] {
        assert_eq!(
            program.ask_with(&name, &[("RegionId", region)]).status,
            200,
            "{region}"
        );
    }
    for time in ["2026-01-01T08:15:00Z", "2026-01-01T08:45:00Z"] {
        assert_eq!(
            program.ask_with(&name, &[("Timestamp", time)]).status,
            200,
            "{time}"
        );
    }

    let once = [("SignatureNonce", "the-same")];
    assert_eq!(program.ask_with(&name, &once).status, 200);
    let again = program.ask_with(&name, &once);
    assert_eq!(again.refusal(), (400, "SignatureNonceUsed".to_owned()));

    assert!(program.cloud.delete_client_key(program.cloud.client_key_id()));
    assert_eq!(
        program.ask(&name).refusal(),
        (404, "InvalidAccessKeyId.NotFound".to_owned())
    );
}

#[test]
fn the_client_key_can_be_written_for_a_program() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let variable = |name: &str| {
        let env = cloud.env();
        env.into_iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    };
    assert_eq!(variable("credentials_type"), None);
    assert_eq!(variable("ALIBABA_CLOUD_KMS_ENDPOINT"), Some(cloud.kms_endpoint()));
    let dir = tempfile::tempdir().unwrap();
    let files = cloud.write_client_key(dir.path()).unwrap();
    let key: Value = serde_json::from_slice(&std::fs::read(files.key()).unwrap()).unwrap();
    assert_eq!(key["KeyId"], cloud.client_key_id());
    assert_eq!(
        key,
        serde_json::from_str::<Value>(cloud.client_key_json()).unwrap()
    );
    let password = std::fs::read_to_string(files.password()).unwrap();
    assert_eq!(password, cloud.client_key_password());
    let path = |path: &std::path::Path| Some(path.to_str().unwrap().to_owned());
    assert_eq!(variable("credentials_type").as_deref(), Some("client_key"));
    assert_eq!(variable("client_key_private_key_path"), path(files.key()));
    assert_eq!(
        variable("client_key_password_from_file_path"),
        path(files.password())
    );
    let regions: Value = serde_json::from_str(&variable("cache_client_region_id").unwrap()).unwrap();
    assert_eq!(regions[0]["regionId"], "cn-hangzhou");
    assert_eq!(regions[0]["endpoint"], cloud.kms_endpoint());
    assert!(cloud.write_client_key(dir.path().join("missing")).is_err());
}

#[test]
fn the_control_port_rotates_and_stores() {
    let program = Program::new(|builder| builder.control_port(0));
    let control = program.cloud.control_endpoint().unwrap();
    let post = |target: &str, body: &str| {
        send(
            &control,
            "POST",
            target,
            &[("oss-testkit-control", "1")],
            body.as_bytes(),
        )
        .unwrap()
    };
    let name = program.cloud.secret_name();
    let first = program.pair(&name);
    let rotate = format!("/kms/rotate?secret={}", acs_sign::percent_encode(&name));
    let second = post(&rotate, "");
    assert_eq!(
        program.pair(&name).access_key_id(),
        text(&second.json()["AccessKeyId"])
    );
    assert_eq!(
        program.pair(&name).access_key_secret(),
        text(&second.json()["AccessKeySecret"])
    );
    assert!(works(&program.cloud, &first));
    let second = program.pair(&name);
    assert_eq!(post(&format!("{rotate}&immediately"), "").status, 200);
    assert!(!works(&program.cloud, &second));
    assert_eq!(post("/kms/put?secret=s", "{\"a\": 1}").status, 200);
    assert_eq!(program.ask("s").json()["SecretData"], "{\"a\": 1}");

    assert_eq!(post("/kms/rotate?secret=s", "").status, 404);
    assert_eq!(post("/elsewhere", "").status, 404);
    assert_eq!(send(&control, "POST", &rotate, &[], b"").unwrap().status, 405);
    let get = send(&control, "GET", &rotate, &[("oss-testkit-control", "1")], b"");
    assert_eq!(get.unwrap().status, 405);
    assert_eq!(LocalCloud::start_blocking().unwrap().control_endpoint(), None);
}

/// The services' clock, not the machine's, tells the time of a secret.
#[test]
fn times_follow_the_services_clock() {
    let program = Program::new(|builder| builder);
    program.cloud.set_clock_offset(600);
    program.cloud.put_secret("late", "x");
    assert_eq!(program.ask("late").json()["CreateTime"], "2026-01-01T08:40:00Z");
}
