//! What the local KMS accepts and what it refuses, on both of its gateways.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::Duration;

use acs_sign::rpc;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, nonce};
use oss_testkit::{Fault, LocalCloud, LocalCloudBuilder, Service};
use prost::Message;
use serde_json::Value;
use support::*;

fn file(path: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/kms/");
    std::fs::read_to_string(format!("{folder}{path}")).unwrap()
}

fn json(path: &str) -> Value {
    serde_json::from_str(&file(path)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// A cloud of this time that knows the keys of all of them, and secrets of the names they ask for.
fn cloud_of_vectors(vectors: &Value, time: &str) -> LocalCloud {
    let manifest = json("manifest.json");
    let time = chrono::DateTime::parse_from_rfc3339(time).unwrap().timestamp();
    let clock = ManualClock::at_unix(time.unsigned_abs());
    let mut builder = LocalCloud::builder().clock(clock);
    for vector in vectors["vectors"].as_array().unwrap() {
        let key = manifest["client_keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["name"] == vector["client_key"])
            .unwrap();
        let public = text(&key["private_key_pem"]).replace(".pem", ".pub.pem");
        builder = builder.client_key(text(&vector["key_id"]), der(&file(&public)));
        if let Some(region) = vector["region_id"].as_str() {
            builder = builder.kms_region(region);
        }
        let name = [&vector["parameters"], &vector["request"]]
            .into_iter()
            .find_map(|asked| asked["SecretName"].as_str());
        builder = match name.unwrap() {
            name if name.starts_with("acs:kms:") => builder,
            name => match name.strip_prefix("acs/ram/user/") {
                Some(user) => builder.ram_secret(user),
                None => builder.secret(name, "first").secret(name, "second"),
            },
        };
    }
    builder.start_blocking().unwrap()
}

/// What a vector should bring: the secret, or the news that there is none, for there is no such version.
fn expected_status(stage: Option<&str>, version: Option<&str>, name: &str) -> u16 {
    match (stage, version) {
        _ if name.starts_with("acs:kms:") => 404,
        (Some("ACSPrevious"), _) if name.starts_with("acs/ram/") => 404,
        (_, Some(version)) if !name.starts_with("acs/ram/") && version != "v1" => 404,
        _ => 200,
    }
}

#[test]
fn signatures_of_the_vendors_shared_client_are_accepted() {
    let vectors = json("vectors/rpc-signature.json");
    let list = vectors["vectors"].as_array().unwrap();
    assert_eq!(list.len(), 12);
    for vector in list {
        // Some vectors share a nonce.
        let cloud = cloud_of_vectors(&vectors, text(&vector["parameters"]["Timestamp"]));
        let call =
            |target: &str| send(&cloud.kms_endpoint(), text(&vector["method"]), target, &[], b"").unwrap();
        let target = text(&vector["request_target"]);
        let at = target.find("Signature=").unwrap() + 14;
        let flipped = if target.as_bytes()[at] == b'A' { "B" } else { "A" };
        let wrong = call(&format!("{}{flipped}{}", &target[..at], &target[at + 1..]));
        let name = &vector["name"];
        assert_eq!(
            wrong.refusal(),
            (400, "SignatureDoesNotMatch".to_owned()),
            "{name}"
        );
        let message = wrong.json()["Message"].as_str().unwrap().to_owned();
        let (_, server) = message.split_once(':').unwrap();
        assert_eq!(server, text(&vector["string_to_sign"]), "{name}");

        let reply = call(target);
        let asked = &vector["parameters"];
        let status = expected_status(
            asked["VersionStage"].as_str(),
            asked["VersionId"].as_str(),
            text(&asked["SecretName"]),
        );
        assert_eq!(reply.status, status, "{name}: {}", reply.body);
        if status == 200 {
            assert_eq!(reply.json()["SecretName"], asked["SecretName"], "{name}");
        } else {
            assert_eq!(reply.json()["Code"], "Forbidden.ResourceNotFound", "{name}");
        }
        assert_eq!(
            call(target).refusal(),
            (400, "SignatureNonceUsed".to_owned()),
            "{name}"
        );
    }
}

#[test]
fn signatures_of_the_vendors_instance_client_are_accepted() {
    let vectors = json("vectors/instance-gateway-signature.json");
    let cloud = cloud_of_vectors(&vectors, "2026-03-01T08:09:10Z");
    let list = vectors["vectors"].as_array().unwrap();
    assert_eq!(list.len(), 5);
    for vector in list {
        let name = &vector["name"];
        let hex = text(&vector["body_hex"]).as_bytes();
        let body: Vec<u8> = hex
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect();
        let headers: Vec<(&str, &str)> = vector["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), text(value)))
            .collect();
        let reply = send(&cloud.kms_instance_endpoint(), "POST", "/", &headers, &body).unwrap();
        let asked = &vector["request"];
        let status = expected_status(
            asked["VersionStage"].as_str(),
            asked["VersionId"].as_str(),
            text(&asked["SecretName"]),
        );
        assert_eq!(reply.status, status, "{name}: {}", reply.body);
        if status == 200 {
            let answer = InstanceAnswer::decode(reply.raw.as_slice()).unwrap();
            assert_eq!(answer.name, text(&asked["SecretName"]), "{name}");
        }

        let changed = |header: &str, value: &str| {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .map(|&(own, old)| (own, if own == header { value } else { old }))
                .collect();
            let reply = send(&cloud.kms_instance_endpoint(), "POST", "/", &headers, &body).unwrap();
            InstanceError::decode(reply.raw.as_slice())
                .unwrap()
                .refusal(reply.status)
        };
        let later = changed("date", "Sun, 01 Mar 2026 08:09:11 GMT");
        assert_eq!(later, (401, "SignatureNotMatch".to_owned()), "{name}");
        assert_eq!(changed("content-type", "application/json"), later, "{name}");
    }
}

/// The message of the vendor's interface, as far as the tests look at it.
#[derive(Clone, PartialEq, Message)]
struct InstanceAnswer {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    kind: String,
    #[prost(string, tag = "3")]
    data: String,
    #[prost(string, repeated, tag = "5")]
    stages: Vec<String>,
    #[prost(string, tag = "11")]
    extended: String,
    #[prost(string, tag = "13")]
    interval: String,
}

#[derive(Clone, PartialEq, Message)]
struct InstanceError {
    #[prost(int32, tag = "1")]
    status: i32,
    #[prost(string, tag = "2")]
    code: String,
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    request_id: String,
}

impl InstanceError {
    fn refusal(&self, status: u16) -> (u16, String) {
        assert_eq!(self.status, i32::from(status));
        assert_eq!(self.request_id.len(), 36);
        (status, self.code.clone())
    }
}

/// A program with a client key.
struct Program {
    cloud: LocalCloud,
    clock: ManualClock,
    key: KeyPair,
}

impl Program {
    /// With the client key that comes with the cloud.
    fn new(settings: impl FnOnce(LocalCloudBuilder) -> LocalCloudBuilder) -> Self {
        let (cloud, clock) = cloud_at_now(settings);
        let key = KeyPair::from_pkcs8(&der(&file("private-keys/rsa-2048-a.pem"))).unwrap();
        Self { cloud, clock, key }
    }

    fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
        STANDARD.encode(signature)
    }

    /// Asks the shared gateway, with some parameters changed; an empty value leaves one out.
    fn ask_with(&self, secret: &str, changed: &[(&str, &str)]) -> Reply {
        let nonce = nonce();
        let mut parameters = vec![
            ("Action", "GetSecretValue"),
            ("Version", "2016-01-20"),
            ("Format", "JSON"),
            ("RegionId", "cn-hangzhou"),
            ("SecretName", secret),
            ("VersionStage", "ACSCurrent"),
            ("FetchExtendedConfig", "true"),
            ("AccessKeyId", self.cloud.client_key_id()),
            ("SignatureMethod", "SHA256withRSA"),
            ("SignatureType", "PRIVATEKEY"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", nonce.as_str()),
            ("Timestamp", "2026-01-01T08:30:00Z"),
        ];
        parameters.retain(|(name, _)| changed.iter().all(|(own, _)| own != name));
        parameters.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
        let signature = self.sign(&rpc::string_to_sign("POST", &parameters));
        parameters.push(("Signature", &signature));
        let query = acs_sign::encode_pairs(parameters.iter().copied());
        send(
            &self.cloud.kms_endpoint(),
            "POST",
            &format!("/?{query}"),
            &[],
            b"",
        )
        .unwrap()
    }

    fn ask(&self, secret: &str) -> Reply {
        self.ask_with(secret, &[])
    }

    /// The pair in a RAM secret.
    fn pair(&self, secret: &str) -> Credentials {
        pair(&self.ask(secret))
    }

    /// Asks the gateway of the instance, with some headers changed; an empty value leaves one out.
    fn ask_instance(&self, body: &[u8], changed: &[(&str, &str)]) -> Reply {
        let hash = acs_sign::acs3::content_sha256(body).to_ascii_uppercase();
        let mut headers = vec![
            ("accept", "application/x-protobuf"),
            ("content-type", "application/x-protobuf"),
            ("date", "Thu, 01 Jan 2026 08:30:00 GMT"),
            ("x-kms-apiversion", "dkms-gcs-0.2"),
            ("x-kms-apiname", "GetSecretValue"),
            ("x-kms-signaturemethod", "RSA_PKCS1_SHA_256"),
            ("x-kms-acccesskeyid", self.cloud.client_key_id()),
            ("content-sha256", hash.as_str()),
        ];
        headers.retain(|(name, _)| changed.iter().all(|(own, _)| own != name));
        headers.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
        let header = |name: &str| {
            let found = headers.iter().find(|(own, _)| *own == name);
            found.map_or("", |(_, value)| value)
        };
        let mut lines = vec!["POST".to_owned()];
        lines.extend(["content-sha256", "content-type", "date"].map(|name| header(name).to_owned()));
        let kms = ["acccesskeyid", "apiname", "apiversion", "signaturemethod"];
        lines.extend(kms.map(|name| format!("x-kms-{name}:{}", header(&format!("x-kms-{name}")))));
        let authorization = format!("Bearer {}", self.sign(&format!("{}\n/", lines.join("\n"))));
        if changed.iter().all(|(name, _)| *name != "authorization") {
            headers.push(("authorization", &authorization));
        }
        send(&self.cloud.kms_instance_endpoint(), "POST", "/", &headers, body).unwrap()
    }
}

fn pair(reply: &Reply) -> Credentials {
    assert_eq!(reply.status, 200, "{}", reply.body);
    pair_in(text(&reply.json()["SecretData"]))
}

fn pair_in(data: &str) -> Credentials {
    let data: Value = serde_json::from_str(data).unwrap();
    Credentials::builder(text(&data["AccessKeyId"]), text(&data["AccessKeySecret"]))
        .build()
        .unwrap()
}

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

/// `SecretName` of the protobuf request.
fn named(secret: &str) -> Vec<u8> {
    let mut body = vec![0x0a, u8::try_from(secret.len()).unwrap()];
    body.extend_from_slice(secret.as_bytes());
    body
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
fn another_key_than_the_registered_one_is_refused() {
    let mut program = Program::new(|builder| builder);
    let name = program.cloud.secret_name();
    program.key = KeyPair::from_pkcs8(&der(&file("private-keys/rsa-2048-b.pem"))).unwrap();
    let reply = program.ask(&name);
    assert_eq!(reply.refusal(), (400, "SignatureDoesNotMatch".to_owned()));
    let message = reply.json()["Message"].to_string();
    assert!(message.contains("POST&%2F&AccessKeyId%3DKAAP."), "{message}");
    let reply = program.ask_instance(&named(&name), &[]);
    let error = InstanceError::decode(reply.raw.as_slice()).unwrap();
    assert_eq!(error.refusal(reply.status), (401, "SignatureNotMatch".to_owned()));

    // The very key, once it is registered.
    let public = program.key.public_key();
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::PublicKeyX509Der>::as_der(public).unwrap();
    let other = Program {
        key: KeyPair::from_pkcs8(&self::der(&file("private-keys/rsa-2048-b.pem"))).unwrap(),
        ..Program::new(|builder| builder.client_key("KAAP.other", der.as_ref()))
    };
    assert_eq!(
        other.ask_with(&name, &[("AccessKeyId", "KAAP.other")]).status,
        200
    );
    assert_eq!(other.ask(&name).status, 400);
}

#[test]
fn the_instance_gateway_gives_the_same_secrets() {
    let program = Program::new(|builder| builder.secret("s", "text"));
    let name = program.cloud.secret_name();
    let mut body = named(&name);
    body.extend_from_slice(&[0x20, 1]);
    let reply = program.ask_instance(&body, &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
    let answer = InstanceAnswer::decode(reply.raw.as_slice()).unwrap();
    assert!(pair_in(&answer.data).same_key_as(&program.pair(&name)));
    assert_eq!(answer.kind, "RAMCredentials");
    assert_eq!(answer.stages, ["ACSCurrent"]);
    assert_eq!(answer.interval, "604800s");
    assert!(
        answer.extended.contains("RamUserAccessKey"),
        "{}",
        answer.extended
    );

    let reply = program.ask_instance(&named("s"), &[]);
    let answer = InstanceAnswer::decode(reply.raw.as_slice()).unwrap();
    assert_eq!((answer.data.as_str(), answer.extended.as_str()), ("text", ""));
    assert_eq!(program.cloud.count(Service::KmsInstance, "GetSecretValue"), 2);
    let shown = format!("{:?}", program.cloud.requests());
    assert!(!shown.contains("KAAP.ed804cff-d4d1"), "{shown}");
}

#[test]
fn the_instance_gateway_refuses_with_the_documented_codes() {
    let program = Program::new(|builder| builder);
    let good = named(&program.cloud.secret_name());
    let zero = "0".repeat(64);
    for (changed, value, status, code, message) in [
        (
            "x-kms-apiversion",
            "",
            400,
            "InvalidApiVersion",
            "The ApiVersion \"\" is invalid.",
        ),
        (
            "x-kms-apiname",
            "Sign",
            400,
            "InvalidApiName",
            "The ApiName \"Sign\" is invalid.",
        ),
        (
            "x-kms-signaturemethod",
            "",
            400,
            "InvalidParam",
            "The Param x-kms-signaturemethod is invalid.",
        ),
        (
            "x-kms-acccesskeyid",
            "",
            400,
            "MissingParameter",
            "Parameter x-kms-acccesskeyid does not exist in http header or body.",
        ),
        (
            "x-kms-acccesskeyid",
            "KAAP.x",
            404,
            "Unauthorized",
            "The AccessKey ID \"KAAP.x\" does not exist in our records.",
        ),
        ("date", "", 400, "InvalidParam", "The Param Date is invalid."),
        (
            "date",
            "2026-01-01T08:30:00Z",
            400,
            "InvalidParam",
            "The Param Date is invalid.",
        ),
        (
            "date",
            "Thu, 01 Jan 2026 08:45:01 GMT",
            400,
            "RequestTimeTooSkewed",
            "Request time exceeds server time more than 15 minutes.",
        ),
        (
            "content-sha256",
            &zero,
            400,
            "InvalidParam",
            "The Param Content-Sha256 is invalid.",
        ),
        (
            "authorization",
            "",
            400,
            "InvalidParam",
            "The Param Authorization is invalid.",
        ),
        (
            "authorization",
            "Bearer AAAA",
            401,
            "SignatureNotMatch",
            "Signature is not matched.",
        ),
    ] {
        let reply = program.ask_instance(&good, &[(changed, value)]);
        let error = InstanceError::decode(reply.raw.as_slice()).unwrap();
        assert_eq!(
            error.refusal(reply.status),
            (status, code.to_owned()),
            "{changed}: {value}"
        );
        assert_eq!(error.message, message);
    }
    for (body, status, code) in [
        (named("nobody"), 404, "Forbidden.ResourceNotFound"),
        (Vec::new(), 400, "MissingParameter"),
        (vec![0x0a, 0xff], 400, "InvalidParameter"),
    ] {
        let reply = program.ask_instance(&body, &[]);
        let error = InstanceError::decode(reply.raw.as_slice()).unwrap();
        assert_eq!(error.refusal(reply.status), (status, code.to_owned()));
    }
}

#[test]
fn faults_hold_for_one_gateway_or_one_region() {
    let program = Program::new(|builder| builder);
    let name = program.cloud.secret_name();
    let here = |region: &str| program.ask_with(&name, &[("RegionId", region)]);
    let fault = Fault::throttling().parameter("RegionId", "cn-shanghai").always();
    program.cloud.fault(Service::Kms, fault);
    for _ in 0..2 {
        assert_eq!(
            here("cn-shanghai").refusal(),
            (400, "Rejected.Throttling".to_owned())
        );
        assert_eq!(here("cn-hangzhou").status, 200);
    }
    let instance = || program.ask_instance(&named(&name), &[]);
    assert_eq!(instance().status, 200);
    program.cloud.fault(Service::KmsInstance, Fault::throttling());
    let reply = instance();
    let error = InstanceError::decode(reply.raw.as_slice()).unwrap();
    assert_eq!(
        error.refusal(reply.status),
        (429, "Rejected.Throttling".to_owned())
    );
    program.cloud.clear_faults();

    program
        .cloud
        .fault(Service::Kms, Fault::error(403, "Forbidden.InDebt").message("pay"));
    let refused = here("cn-hangzhou");
    assert_eq!(refused.refusal(), (403, "Forbidden.InDebt".to_owned()));
    assert_eq!(refused.json()["Message"], "pay");
    assert_eq!(refused.json()["HostId"], "kms.cn-hangzhou.aliyuncs.com");
    program
        .cloud
        .fault(Service::KmsInstance, Fault::error(500, "InternalFailure"));
    assert_eq!(instance().status, 500);
    program.cloud.fault(Service::Kms, Fault::clock_offset(901));
    assert_eq!(
        here("cn-hangzhou").refusal(),
        (400, "InvalidTimeStamp.Expired".to_owned())
    );

    for service in [Service::Kms, Service::KmsInstance] {
        program.cloud.fault(service, Fault::missing_field("SecretData"));
    }
    assert_eq!(here("cn-hangzhou").json()["SecretData"], Value::Null);
    let answer = InstanceAnswer::decode(instance().raw.as_slice()).unwrap();
    assert_eq!((answer.data.as_str(), answer.name), ("", name.clone()));

    program.cloud.fault(Service::Kms, Fault::expired_credentials());
    let json = here("cn-hangzhou").json();
    let data: Value = serde_json::from_str(text(&json["SecretData"])).unwrap();
    assert_eq!(data["ExpireTimestamp"], "2026-01-01T08:29:59Z");
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
