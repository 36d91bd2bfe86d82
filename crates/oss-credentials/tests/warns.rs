//! What the policy of the vendor's SDKs costs is in the log. Alone in its file: it captures what is logged.
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use std::sync::Arc;

use oss_credentials::{ChainPolicy, Credentials, CredentialsProvider as _, DefaultProvider, blocking};
use oss_credentials_core::test_util::{FakeEnv, logged};

#[test]
fn going_on_after_a_failure_is_logged() {
    let env = Arc::new(FakeEnv::from([("OSS_ACCESS_KEY_SECRET", "canary")]));
    let log = logged(|| {
        let provider = DefaultProvider::builder()
            .env(env)
            .member(
                "behind",
                Credentials::builder("LTAI5tEXAMPLE-BEHIND", "canary").build(),
            )
            .order(["env", "behind"])
            .policy(ChainPolicy::ContinueOnFailure)
            .build()
            .unwrap();
        blocking::wait(provider.credentials()).unwrap();
    });
    let warning = log
        .lines()
        .find(|line| line.starts_with(" WARN "))
        .unwrap_or_default();
    assert!(
        warning.contains("the identity may change") && warning.contains("provider=\"env\""),
        "{log}"
    );
    assert!(!log.contains("canary"), "{log}");
}
