//! A service made of a script, and what both test files need.

use std::sync::Arc;

pub(crate) use oss_credentials_core::test_util::RecordedSleep as Pauses;
#[cfg(feature = "signed")]
pub(crate) use oss_credentials_core::test_util::unix_time as at;
pub(crate) use oss_credentials_http::test_util::{decoded_pairs as decode, parameters as params};

#[cfg(feature = "signed")]
use acs_sts::AssumeRole;
use acs_sts::{AssumeRoleWithOidc, StsClient, StsClientBuilder};
#[cfg(feature = "signed")]
use oss_credentials_core::Credentials;
use oss_credentials_core::test_util::ManualClock;

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
#[cfg(feature = "signed")]
pub(crate) const SECRET: &str = "canary-caller-secret";
#[cfg(feature = "signed")]
pub(crate) const TOKEN: &str = "canary-caller-token+/==";
#[cfg(feature = "signed")]
pub(crate) const ID: &str = "STS.NUExampleTempKeyId";

pub(crate) const OK: &str = r#"{"RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F", "AssumedRoleUser": {"Arn":
    "acs:ram::123456789012:role/example-role/example-session", "AssumedRoleId":
    "300000000000000001:example-session"}, "Credentials": {"AccessKeyId": "STS.EXAMPLE", "AccessKeySecret":
    "canary-new-secret", "SecurityToken": "canary-new-token", "Expiration": "2026-01-02T04:04:05Z"}}"#;

/// A service made of a script: answers in order, and keeps what it was asked.
pub(crate) use oss_credentials_http::test_util::ScriptedHttp as Service;

/// What a script needs here.
pub(crate) trait ServiceExt: Sized {
    fn refuses(self, status: u16, code: &str) -> Self;
    fn client(&self) -> StsClientBuilder;
}

impl ServiceExt for Service {
    fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(status, error_body(code))
    }

    fn client(&self) -> StsClientBuilder {
        StsClient::builder(Arc::new(self.clone())).clock(ManualClock::at_unix(NOW))
    }
}

pub(crate) fn error_body(code: &str) -> String {
    format!(
        r#"{{"RequestId": "R-1", "Code": "{code}", "Message": "example",
           "Recommend": "https://api.aliyun.com/troubleshoot?q={code}"}}"#
    )
}

#[cfg(feature = "signed")]
pub(crate) fn caller() -> Credentials {
    Credentials::builder(ID, SECRET)
        .security_token(TOKEN)
        .build()
        .unwrap()
}

/// Has what a JWT has, and characters that a form must encode.
pub(crate) const JWT: &str = "canary-oidc-header.canary-oidc+claims/.canary-oidc-signature==";

pub(crate) fn role_for_token() -> AssumeRoleWithOidc {
    AssumeRoleWithOidc::new(
        "acs:ram::123456789012:role/example-role",
        "acs:ram::123456789012:oidc-provider/example-cluster",
        "example-session",
    )
    .oidc_token(JWT)
}

#[cfg(feature = "signed")]
pub(crate) fn role() -> AssumeRole {
    AssumeRole::new("acs:ram::123456789012:role/example-role", "example-session")
}

pub(crate) fn get<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = params.iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} was sent twice");
    value
}
