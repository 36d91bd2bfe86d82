//! A server made of a script, and what goes with it.

pub(crate) use oss_credentials_core::test_util::unix_time as at;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::HttpResponse;
use oss_credentials_uri::{CredentialsUri, CredentialsUriBuilder};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const URI: &str = "http://127.0.0.1:6666/credentials?key=canary-key";
pub(crate) const PLACE: &str = "GET http://127.0.0.1:6666/credentials";

/// A service made of a script: answers in order, and keeps what it was asked.
pub(crate) use oss_credentials_http::test_util::ScriptedHttp as Service;

/// What a script needs here.
pub(crate) trait ServiceExt: Sized {
    fn redirects(self, location: &str) -> Self;
    fn at(&self, uri: &str) -> CredentialsUriBuilder;
    fn builder(&self) -> CredentialsUriBuilder;
}

impl ServiceExt for Service {
    fn redirects(self, location: &str) -> Self {
        self.gives(Ok(
            HttpResponse::new(302, Vec::new()).with_header("Location", location)
        ))
    }

    fn at(&self, uri: &str) -> CredentialsUriBuilder {
        CredentialsUri::builder()
            .uri(uri)
            .http_client(self.clone())
            .clock(ManualClock::at_unix(NOW))
    }

    fn builder(&self) -> CredentialsUriBuilder {
        self.at(URI)
    }
}

pub(crate) fn session(id: &str, expiration: &str) -> String {
    format!(
        r#"{{"Code": "Success", "AccessKeyId": "{id}", "AccessKeySecret": "canary-secret",
           "SecurityToken": "canary-token", "Expiration": "{expiration}"}}"#
    )
}

pub(crate) fn an_hour(id: &str) -> String {
    session(id, "2026-01-02T04:04:05Z")
}

pub(crate) fn fetch(builder: CredentialsUriBuilder) -> Result<Credentials, CredentialsError> {
    blocking::wait(builder.build()?.credentials())
}
