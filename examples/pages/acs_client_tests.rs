//! The tests that `docs/acs-client.md` shows, as tests of this package: they run with the others.

use std::error::Error;

use acs_client::{AcsClient, AcsError, Call, Paging};
use oss_credentials_core::test_util::RecordedSleep;
use oss_credentials_core::{Credentials, CredentialsError, blocking};
use oss_credentials_http::test_util::{ScriptedHttp, parameter};
use serde_json::Value;

/// The code under test takes a client, so a test passes one that sends nothing.
async fn count_users(ram: &AcsClient) -> Result<usize, AcsError> {
    let mut pages = ram.pages(Call::rpc("ListUsers"), Paging::token("Marker"));
    let mut users = 0;
    while let Some(page) = pages.next().await {
        let page: Value = page?.json()?;
        users += page["Users"]["User"].as_array().map_or(0, Vec::len);
    }
    Ok(users)
}

fn ram(service: &ScriptedHttp) -> Result<AcsClient, CredentialsError> {
    AcsClient::builder("ram", "2015-05-01")
        .endpoint("ram.aliyuncs.com")
        .credentials_provider(Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?)
        .http_client(service.clone())
        // The backoff between attempts passes at once.
        .sleep(RecordedSleep::default())
        .build()
}

#[test]
fn users_on_all_pages_are_counted() -> Result<(), Box<dyn Error>> {
    let service = ScriptedHttp::new()
        .answers(200, r#"{"Users": {"User": [{}, {}]}, "Marker": "next"}"#)
        .answers(503, r#"{"Code": "ServiceUnavailable", "RequestId": "R-1"}"#)
        .answers(200, r#"{"Users": {"User": [{}]}}"#);
    assert_eq!(blocking::wait(count_users(&ram(&service)?))?, 3);
    // The second page was requested twice.
    let markers: Vec<_> = service
        .requests()
        .iter()
        .map(|request| parameter(request, "Marker"))
        .collect();
    assert_eq!(markers, [None, Some("next".to_owned()), Some("next".to_owned())]);
    Ok(())
}

#[test]
fn a_missing_permission_is_reported() -> Result<(), Box<dyn Error>> {
    let refusal = r#"{"Code": "NoPermission", "Message": "not allowed", "RequestId": "R-2"}"#;
    let service = ScriptedHttp::new().answers(403, refusal);
    let Err(error) = blocking::wait(count_users(&ram(&service)?)) else {
        return Err("the call succeeded".into());
    };
    assert_eq!(
        (error.action(), error.code()),
        ("ListUsers", Some("NoPermission"))
    );
    assert!(!error.is_retryable());
    Ok(())
}
