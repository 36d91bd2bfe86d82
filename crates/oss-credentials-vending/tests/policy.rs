//! What policies say, and which names they refuse.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use oss_credentials_vending::{POLICY_MAX_CHARS, PolicyBuilder, PolicyError};
use serde_json::{Value, json};

fn parsed(policy: PolicyBuilder) -> Value {
    serde_json::from_str(policy.build().unwrap().as_str()).unwrap()
}

#[test]
fn a_prefix_to_read_and_list() {
    // The form of the vendor's examples for RAM policies of OSS.
    let expected = json!({
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:uploads/tenants/42/*"]},
            {"Effect": "Allow", "Action": ["oss:ListObjects"], "Resource": ["acs:oss:*:*:uploads"],
             "Condition": {"StringLike": {"oss:Prefix": ["tenants/42/*"]}}},
        ],
    });
    let builder = || PolicyBuilder::new("uploads").prefix("tenants/42/");
    assert_eq!(parsed(builder().read().list()), expected);
    assert_eq!(parsed(builder().read().read().list()), expected);
}

#[test]
fn conditions_are_part_of_every_statement() {
    let policy = parsed(
        PolicyBuilder::new("uploads")
            .key("a \"quoted\" key")
            .write()
            .delete()
            .list()
            .source_address("192.0.2.0/24")
            .source_address("2001:db8::1")
            .vpc("vpc-1")
            .secure_transport(true),
    );
    let common = json!({"acs:SourceIp": ["192.0.2.0/24", "2001:db8::1"]});
    let statements = policy["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 2);
    for statement in statements {
        assert_eq!(statement["Condition"]["IpAddress"], common);
        assert_eq!(
            statement["Condition"]["Bool"],
            json!({"acs:SecureTransport": ["true"]})
        );
        assert_eq!(
            statement["Condition"]["StringEquals"]["acs:SourceVpc"],
            json!(["vpc-1"])
        );
    }
    assert_eq!(
        statements[0]["Resource"],
        json!(["acs:oss:*:*:uploads/a \"quoted\" key"])
    );
    let actions = [
        "oss:PutObject",
        "oss:ListParts",
        "oss:AbortMultipartUpload",
        "oss:DeleteObject",
    ];
    assert_eq!(statements[0]["Action"], json!(actions));
    assert_eq!(
        statements[1]["Condition"]["StringEquals"]["oss:Prefix"],
        json!(["a \"quoted\" key"])
    );
}

#[test]
fn names_that_a_policy_reads_as_patterns_are_refused() {
    let pattern = |part, name: &str, found| {
        Err(PolicyError::Pattern {
            part,
            name: name.to_owned(),
            found,
        })
    };
    let prefix = |name: &str| PolicyBuilder::new("uploads").prefix(name).read().build();
    for (name, found) in [
        ("a*/", "*"),
        ("a?/", "?"),
        ("${acs:UserName}/", "${"),
        ("*/", "*"),
    ] {
        assert_eq!(prefix(name), pattern("prefix", name, found));
        assert_eq!(
            PolicyBuilder::new("uploads").key(name).read().build(),
            pattern("key", name, found)
        );
    }
    assert_eq!(
        PolicyBuilder::new("up*").read().build(),
        pattern("bucket", "up*", "*")
    );
    for bucket in ["", "ab", "Uploads", "a/b", "a:b", "-abc", "abc-"] {
        let refused = PolicyBuilder::new(bucket).read().build();
        assert_eq!(refused, Err(PolicyError::Bucket(bucket.to_owned())));
    }
    // Neither `$` nor `{` alone begins a variable.
    assert!(prefix("a$b{c}/").is_ok());
    assert_eq!(
        prefix("tenants/4"),
        Err(PolicyError::OpenPrefix("tenants/4".to_owned()))
    );
    assert_eq!(prefix(""), Err(PolicyError::OpenPrefix(String::new())));
}

/// It would be the prefix of every key.
#[test]
fn an_empty_key_is_refused() {
    let keyless = PolicyBuilder::new("uploads").key("").read().list().build();
    assert_eq!(keyless, Err(PolicyError::NoKey));
}

#[test]
fn an_empty_policy_and_a_long_one_are_refused() {
    let empty = PolicyBuilder::new("uploads").prefix("a/").build();
    assert_eq!(empty, Err(PolicyError::Empty));
    let long = |count: usize| {
        PolicyBuilder::new("uploads")
            .prefix(format!("{}/", "ö".repeat(count)))
            .read()
            .build()
    };
    let most = (1..POLICY_MAX_CHARS)
        .rev()
        .find(|count| long(*count).is_ok())
        .unwrap();
    // Characters are counted, not bytes.
    assert_eq!(long(most).unwrap().as_str().chars().count(), POLICY_MAX_CHARS);
    assert_eq!(
        long(most + 1),
        Err(PolicyError::TooLong {
            chars: POLICY_MAX_CHARS + 1
        })
    );
}

#[test]
fn networks_are_checked() {
    let network = |text: &str| PolicyBuilder::new("uploads").read().source_address(text).build();
    for text in ["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "::1", "2001:db8::/128"] {
        assert!(network(text).is_ok(), "{text}");
    }
    for text in [
        "",
        "192.0.2",
        "192.0.2.0/33",
        "192.0.2.0/",
        "192.0.2.0/-1",
        "192.0.2.0/+24",
        "::1/129",
        "example.com",
    ] {
        assert_eq!(network(text), Err(PolicyError::Network(text.to_owned())));
    }
}
