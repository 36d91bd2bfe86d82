//! A service made of a script, and what goes with it.

pub(crate) use oss_credentials_core::test_util::unix_time as at;
pub(crate) use oss_credentials_http::test_util::parameter as param;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_sts_assume_role::{StsAssumeRole, StsAssumeRoleBuilder};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const ARN: &str = "acs:ram::123456789012:role/example-role";

/// A service made of a script: answers in order, and keeps what it was asked.
pub(crate) use oss_credentials_http::test_util::ScriptedHttp as Service;

/// What a script needs here.
pub(crate) trait ServiceExt: Sized {
    fn refuses(self, status: u16, code: &str) -> Self;
    fn builder(&self) -> StsAssumeRoleBuilder;
}

impl ServiceExt for Service {
    fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(
            status,
            format!(r#"{{"Code": "{code}", "Message": "m", "RequestId": "R-1"}}"#),
        )
    }

    fn builder(&self) -> StsAssumeRoleBuilder {
        StsAssumeRole::builder(key("LTAI5tEXAMPLEKEYID"))
            .role_arn(ARN)
            .http_client(self.clone())
            .clock(ManualClock::at_unix(NOW))
    }
}

pub(crate) fn key(id: &str) -> Credentials {
    Credentials::builder(id, "canary-base-secret").build().unwrap()
}

pub(crate) fn session(id: &str, expiration: &str) -> String {
    format!(
        r#"{{"RequestId": "R-0", "Credentials": {{"AccessKeyId": "{id}", "AccessKeySecret": "canary-new-secret",
           "SecurityToken": "canary-new-token", "Expiration": "{expiration}"}}}}"#
    )
}

pub(crate) fn an_hour(id: &str) -> String {
    session(id, "2026-01-02T04:04:05Z")
}

pub(crate) fn fetch(builder: StsAssumeRoleBuilder) -> Result<Credentials, CredentialsError> {
    blocking::wait(builder.build()?.credentials())
}
