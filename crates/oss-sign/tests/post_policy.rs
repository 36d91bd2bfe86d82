//! Policies for uploads by a form, against what the vendor's signing code makes of them.
#![cfg(feature = "post-policy")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::Credentials;
use oss_sign::SignError;
use oss_sign::v4::{LimitedBy, MAX_EXPIRES, PostForm, PostPolicy, Signer};
use serde_json::Value;
use support::{pairs, vectors};

const HOUR: Duration = Duration::from_secs(3600);

fn unix(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

fn time() -> SystemTime {
    unix(1_767_256_200.0)
}

fn signer() -> Signer {
    Signer::builder("cn-hangzhou").build().unwrap()
}

fn ending(end: impl Into<Option<SystemTime>>) -> Credentials {
    Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("FakeSecurityToken0002")
        .expires_at(end)
        .build()
        .unwrap()
}

fn sign(policy: &PostPolicy) -> Result<PostForm, SignError> {
    signer().sign_post(policy, &ending(None), time(), HOUR)
}

/// The policy that an input in the policy's own form asks for.
fn policy(input: &Value) -> PostPolicy {
    let mut policy = PostPolicy::new(input["bucket"].as_str().unwrap());
    for condition in input["conditions"].as_array().unwrap() {
        let text = |at: usize| condition[at].as_str().unwrap();
        let list = || {
            let values = condition[2].as_array().unwrap();
            values.iter().map(|value| value.as_str().unwrap())
        };
        let field = || text(1).strip_prefix('$').unwrap();
        policy = match text(0) {
            "eq" => policy.equals(field(), text(2)),
            "starts-with" => policy.starts_with(field(), text(2)),
            "in" => policy.is_in(field(), list()),
            "not-in" => policy.is_not_in(field(), list()),
            "content-length-range" => {
                policy.content_length_range(condition[1].as_u64().unwrap()..=condition[2].as_u64().unwrap())
            }
            mode => panic!("{mode}"),
        };
    }
    policy
}

#[test]
fn post_policy_vectors() {
    for vector in &vectors("post-policy-v4.json", 15) {
        let (id, input, expected) = (&vector["id"], &vector["input"], &vector["expected"]);
        let text = |name: &str| input[name].as_str().unwrap();
        let signer = Signer::builder(text("region"))
            .product(text("product"))
            .build()
            .unwrap();
        let credentials = Credentials::builder(text("access_key_id"), text("access_key_secret"))
            .security_token(input["security_token"].as_str().unwrap_or_default())
            .expires_at(input["credentials_end_unix"].as_f64().map(unix))
            .build()
            .unwrap();
        let time = unix(input["signing_time_unix"].as_f64().unwrap());
        let expires = Duration::from_secs(input["expires_seconds"].as_u64().unwrap());
        let form = signer
            .sign_post(&policy(input), &credentials, time, expires)
            .unwrap();

        let fields: Vec<_> = form.fields().collect();
        let document = STANDARD.decode(fields[0].1).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document, expected["document"], "{id}");
        assert_eq!(fields, pairs(&expected["fields"]), "{id}");
        assert!(form.is_signed());
        assert_eq!(
            form.valid_until(),
            unix(expected["valid_until_unix"].as_f64().unwrap()),
            "{id}"
        );
        let limited_by = match expected["limited_by"].as_str().unwrap() {
            "asked" => LimitedBy::Asked,
            "credentials" => LimitedBy::Credentials,
            "seven-days" => LimitedBy::SevenDays,
            other => panic!("{other}"),
        };
        assert_eq!(form.limited_by(), limited_by, "{id}");
    }
}

#[test]
fn variables_of_a_callback_can_have_conditions() {
    let policy = PostPolicy::new("examplebucket").equals("x:uid", "42");
    let signed = |policy: &PostPolicy| signer().sign_post(policy, &ending(None), time(), HOUR);
    let form = signed(&policy).unwrap();
    let (_, encoded) = form.fields().find(|(name, _)| *name == "policy").unwrap();
    let document: Value = serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap();
    let conditions = document["conditions"].as_array().unwrap();
    assert!(
        conditions.contains(&serde_json::json!(["eq", "$x:uid", "42"])),
        "{document}"
    );
    for name in ["x:", "y:uid", "x:a b"] {
        assert!(
            signed(&PostPolicy::new("examplebucket").equals(name, "42")).is_err(),
            "{name}"
        );
    }
}

#[test]
fn conditions_that_make_no_sense_are_refused() {
    let policy = || PostPolicy::new("examplebucket");
    let no_name = "is not the name of a form field; leave out the $";
    let own = "is set by the signer or cannot have a condition";
    for (policy, field, what) in [
        (PostPolicy::new(""), "bucket", "is empty"),
        (policy().equals("$key", "a"), "$key", no_name),
        (policy().starts_with("", "a"), "", no_name),
        (policy().is_in("a b", ["a"]), "a b", no_name),
        (policy().equals("bucket", "other"), "bucket", own),
        (
            policy().equals("X-Oss-Credential", "other"),
            "X-Oss-Credential",
            own,
        ),
        (
            policy().is_not_in("x-oss-security-token", ["a"]),
            "x-oss-security-token",
            own,
        ),
        (
            policy().is_in("content-type", [""; 0]),
            "content-type",
            "has an empty list of values",
        ),
        (
            policy()
                .equals("key", "a")
                .content_length_range(RangeInclusive::new(2, 1)),
            "content-length-range",
            "has its limits the wrong way round",
        ),
    ] {
        let field = field.to_owned();
        assert_eq!(
            sign(&policy).unwrap_err(),
            SignError::InvalidPostPolicy { field, what }
        );
    }
    assert_eq!(policy().bucket(), "examplebucket");
    let exact = policy().content_length_range(5..=5);
    assert!(sign(&exact).is_ok(), "a single length is a range");
    let error = sign(&policy().equals("$key", "a")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "oss-sign: in the POST policy, \"$key\" is not the name of a form field; leave out the $; correct this condition"
    );
}

#[test]
fn lifetimes_have_limits() {
    let policy = PostPolicy::new("examplebucket");
    for (expires, seconds) in [
        (Duration::ZERO, 0),
        (Duration::from_millis(999), 0),
        (MAX_EXPIRES + Duration::from_nanos(1), 604_801),
    ] {
        let error = signer()
            .sign_post(&policy, &ending(None), time(), expires)
            .unwrap_err();
        assert_eq!(error, SignError::ExpiresOutOfRange { seconds });
    }
    // Ended, or before the end could be written in whole seconds.
    for end in [time(), time() + Duration::from_millis(999)] {
        let error = signer()
            .sign_post(&policy, &ending(end), time(), HOUR)
            .unwrap_err();
        assert_eq!(error, SignError::CredentialsExpired);
    }
    let end = unix(253_402_300_799.0);
    let error = signer().sign_post(&policy, &ending(None), end, HOUR).unwrap_err();
    assert_eq!(error, SignError::TimeOutOfRange);
}

#[test]
fn anonymous_forms_have_no_fields() {
    let policy = PostPolicy::new("examplebucket");
    let form = signer()
        .sign_post(&policy, &Credentials::anonymous(), time(), HOUR)
        .unwrap();
    assert!(!form.is_signed());
    assert_eq!(form.fields().count(), 0);
}

#[test]
fn debug_shows_no_value() {
    let form = sign(&PostPolicy::new("examplebucket")).unwrap();
    let shown = format!("{form:?}");
    for (name, value) in form
        .fields()
        .filter(|(name, _)| *name != "x-oss-signature-version")
    {
        assert!(
            shown.contains(name) && !shown.contains(value),
            "{name} in {shown}"
        );
    }
}
