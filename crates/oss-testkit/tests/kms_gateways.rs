//! The gateway of a KMS instance, and what the two gateways have to do with each other.

#[path = "support/kms.rs"]
mod program;
mod support;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::KeyPair as _;
use oss_testkit::{Fault, Service};
use program::*;
use serde_json::Value;

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
    let error = InstanceError::decode(&reply.raw);
    assert_eq!(error.refusal(reply.status), (401, "SignatureNotMatch".to_owned()));

    // The very key, once it is registered.
    let public = AsDer::<PublicKeyX509Der>::as_der(program.key.public_key()).unwrap();
    let mut other = Program::new(|builder| builder.client_key("KAAP.other", public.as_ref()));
    other.key = program.key;
    let named = [("AccessKeyId", "KAAP.other")];
    assert_eq!(other.ask_with(&name, &named).status, 200);
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
    let answer = InstanceAnswer::decode(&reply.raw);
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
    let answer = InstanceAnswer::decode(&reply.raw);
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
        let error = InstanceError::decode(&reply.raw);
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
        let error = InstanceError::decode(&reply.raw);
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
    let error = InstanceError::decode(&reply.raw);
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
    let answer = InstanceAnswer::decode(&instance().raw);
    assert_eq!((answer.data.as_str(), answer.name), ("", name.clone()));

    program.cloud.fault(Service::Kms, Fault::expired_credentials());
    let json = here("cn-hangzhou").json();
    let data: Value = serde_json::from_str(text(&json["SecretData"])).unwrap();
    assert_eq!(data["ExpireTimestamp"], "2026-01-01T08:29:59Z");
}
