//! A client of a service that is made of a script, and what the tests share.

pub(crate) use oss_credentials_core::test_util::RecordedSleep as Pauses;
pub(crate) use oss_credentials_http::test_util::decoded_pairs as decode;

use acs_client::{AcsClient, AcsClientBuilder, AcsError, AcsResponse, Call};
#[cfg(feature = "signed")]
use oss_credentials_core::Credentials;
use oss_credentials_core::blocking;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::HttpResponse;
use oss_credentials_http::test_util::ScriptedHttp;

/// 2027-01-01T00:00:00Z
pub(crate) const NOW: u64 = 1_798_761_600;
#[cfg(feature = "signed")]
pub(crate) const ID: &str = "LTAI5tExampleKeyId01";
#[cfg(feature = "signed")]
pub(crate) const SECRET: &str = "canary-secret-of-the-key";

#[cfg(feature = "signed")]
pub(crate) fn key() -> Credentials {
    Credentials::builder(ID, SECRET).source("env").build().unwrap()
}

#[cfg(feature = "signed")]
pub(crate) fn session() -> Credentials {
    let builder = Credentials::builder("STS.NUExampleTempKeyId", SECRET).source("ecs-ram-role");
    builder.security_token("canary-token+/==").build().unwrap()
}

pub(crate) fn client(service: &ScriptedHttp) -> AcsClientBuilder {
    let client = AcsClient::builder("ecs", "2014-05-26")
        .region("cn-hangzhou")
        .http_client(service.clone())
        .clock(ManualClock::at_unix(NOW));
    #[cfg(feature = "signed")]
    let client = client.credentials_provider(key());
    client
}

/// A call by whoever this build can be.
pub(crate) fn call(client: AcsClientBuilder, call: &Call<'_>) -> Result<AcsResponse, AcsError> {
    let client = client.build().unwrap();
    #[cfg(feature = "signed")]
    return blocking::wait(client.call(call));
    #[cfg(not(feature = "signed"))]
    blocking::wait(client.call_as(acs_client::Caller::Unsigned(&[]), call))
}

pub(crate) fn error_body(code: &str) -> String {
    format!(
        r#"{{"RequestId": "R-1", "Code": "{code}", "Message": "example",
           "Recommend": "https://api.aliyun.com/troubleshoot?q={code}"}}"#
    )
}

/// A refusal with a `Date`.
pub(crate) fn refused_at(code: &str, date: &'static str) -> HttpResponse {
    HttpResponse::new(400, error_body(code).into_bytes()).with_header("date", date)
}

pub(crate) fn get<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = params.iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} was sent twice");
    value
}
