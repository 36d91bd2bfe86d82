//! Members that this build lacks. Which ones these are depends on the features that it is run with.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_credentials::{Credentials, CredentialsError, CredentialsProvider as _, DefaultProvider, blocking};
use oss_credentials_core::test_util::FakeEnv;

/// What a chain of this member and another one says, with this variable set to something.
fn found(member: &'static str, variable: &str) -> Result<String, CredentialsError> {
    let behind = Credentials::builder("LTAI5tEXAMPLE-BEHIND", "EXAMPLE").build();
    let provider = DefaultProvider::builder()
        .env(FakeEnv::new().with(variable, "/nowhere"))
        .member("behind", behind)
        .order([member, "behind"])
        .build()?;
    blocking::wait(provider.credentials()).map(|credentials| credentials.access_key_id().to_owned())
}

/// Else a program that was built without it would act as somebody else.
#[test]
fn one_that_is_set_up_stops_the_chain() {
    for (member, is_there, variables) in [
        (
            "env",
            cfg!(feature = "env"),
            &[
                "OSS_ACCESS_KEY_ID",
                "OSS_ACCESS_KEY_SECRET",
                "ALIBABA_CLOUD_ACCESS_KEY_ID",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            ][..],
        ),
        (
            "oidc-rrsa",
            cfg!(feature = "oidc-rrsa"),
            &["ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"],
        ),
        (
            "profile",
            cfg!(feature = "profile"),
            &[
                "ALIBABA_CLOUD_PROFILE",
                "ALIBABA_CLOUD_CONFIG_FILE",
                "ALIBABA_CLOUD_CREDENTIALS_FILE",
            ],
        ),
        ("uri", cfg!(feature = "uri"), &["ALIBABA_CLOUD_CREDENTIALS_URI"]),
        (
            "ecs-ram-role",
            cfg!(feature = "ecs-ram-role"),
            &["ALIBABA_CLOUD_ECS_METADATA"],
        ),
    ] {
        if is_there {
            continue;
        }
        for variable in variables {
            let error = found(member, variable).unwrap_err();
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
            assert_eq!(
                error.to_string(),
                format!(
                    "{member}: this build does not have it, and {variable} is set; enable the feature `{member}` of \
                     oss-credentials, unset {variable}, or drop the member with without(..); the chain stops at \
                     {member}, which is configured, and does not try behind"
                )
            );
        }
        assert_eq!(
            found(member, "ALIBABA_CLOUD_ROLE_ARN").unwrap(),
            "LTAI5tEXAMPLE-BEHIND"
        );
    }
}
