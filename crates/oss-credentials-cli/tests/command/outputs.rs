//! The fields of each JSON output, as `docs/cli.md` lists them: programs depend on the names.

use serde_json::Value;

use crate::support::{Place, run};

const IDENTITY: &[&str] = &[
    "account_id",
    "arn",
    "identity_type",
    "principal_id",
    "request_id",
    "role",
    "role_id",
    "session",
    "user_id",
];

/// Asserts that an object has these fields alone.
fn has(value: &Value, fields: &[&str]) {
    let found: Vec<&String> = value.as_object().unwrap().keys().collect();
    let mut expected = fields.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn reports_of_doctor_have_the_documented_fields() {
    let place = Place::new();
    let words = ["doctor", "--json", "--online", "--bucket", "example-bucket"];
    let report = run(place.with_keys(&words)).json();
    has(
        &report,
        &[
            "in_use",
            "pinned_by",
            "policy",
            "error",
            "members",
            "online",
            "bucket",
            "advice",
            "exit_code",
        ],
    );
    has(
        &report["online"],
        &[
            "endpoint",
            "identity",
            "latency_ms",
            "clock_offset_seconds",
            "error",
        ],
    );
    has(&report["online"]["identity"], IDENTITY);
    has(&report["bucket"], &["name", "region", "latency_ms", "error"]);
    let mut wrong = place.with_keys(&words);
    wrong.env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong");
    let report = run(wrong).json();
    let of_service = ["text", "http_status", "code", "request_id"];
    has(&report["bucket"]["error"], &of_service);
    has(&report["online"]["error"], &[&of_service[..], &["kind"]].concat());
    let report = run(place.with_keys(&["doctor", "--json"])).json();
    assert_eq!(
        (&report["online"], &report["bucket"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn other_outputs_have_the_documented_fields() {
    let place = Place::new();
    place.cloud.put_object("example-bucket", "a", "hello");
    let keys = |words: &[&str]| run(place.with_keys(words)).json();
    let temporary = |words: &[&str]| run(place.with_uri(words)).json();
    let of_credentials = ["access_key_id", "member", "source", "expires_at"];
    has(
        &keys(&["whoami", "--json"]),
        &[IDENTITY, &of_credentials[..]].concat(),
    );
    let exported = [
        "access_key_id",
        "access_key_secret",
        "security_token",
        "expires_at",
        "source",
    ];
    has(&keys(&["export", "--format", "json"]), &exported);
    has(
        &keys(&["assume-role", &place.cloud.role_arn(), "--format", "json"]),
        &exported,
    );
    let of_key = ["mode", "access_key_id", "access_key_secret", "expiration"];
    has(&keys(&["export", "--format", "process"]), &of_key);
    has(
        &temporary(&["export", "--format", "process"]),
        &[&of_key[..], &["sts_token"]].concat(),
    );
    has(
        &keys(&["presign", "GET", "oss://example-bucket/a", "--json"]),
        &["url", "method", "valid_until", "limited_by", "may_expire_earlier"],
    );
    let listed = keys(&["ls", "oss://example-bucket", "--json"]);
    has(&listed, &["prefixes", "objects", "is_truncated"]);
    has(&listed["objects"][0], &["key", "size", "last_modified"]);
}
