//! Requests that the vendor's KMS clients signed, against the local KMS.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

#[path = "support/kms.rs"]
mod program;
mod support;

use oss_credentials_core::test_util::ManualClock;
use oss_testkit::LocalCloud;
use program::*;
use serde_json::Value;
use support::*;

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
            let answer = InstanceAnswer::decode(&reply.raw);
            assert_eq!(answer.name, text(&asked["SecretName"]), "{name}");
        }

        let changed = |header: &str, value: &str| {
            let headers: Vec<(&str, &str)> = headers
                .iter()
                .map(|&(own, old)| (own, if own == header { value } else { old }))
                .collect();
            let reply = send(&cloud.kms_instance_endpoint(), "POST", "/", &headers, &body).unwrap();
            InstanceError::decode(&reply.raw).refusal(reply.status)
        };
        let later = changed("date", "Sun, 01 Mar 2026 08:09:11 GMT");
        assert_eq!(later, (401, "SignatureNotMatch".to_owned()), "{name}");
        assert_eq!(changed("content-type", "application/json"), later, "{name}");
    }
}
