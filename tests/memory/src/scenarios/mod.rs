//! What is done with secrets: each way once, from the settings to the drop of the last value.

mod exchanges;
mod files;
mod signatures;
mod values;

use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_http::{HttpRequest, HttpResponse, http_fn};

use crate::secrets::{NOW, SECRETS};

pub struct Scenario {
    pub name: &'static str,
    /// The copies that third-party code leaves: the secret, and the crate.
    pub expected: &'static [(&'static str, &'static str)],
    pub work: Box<dyn FnOnce()>,
}

/// A scenario without a copy.
fn clean(name: &'static str, work: impl FnOnce() + 'static) -> Scenario {
    Scenario {
        name,
        expected: &[],
        work: Box::new(work),
    }
}

pub fn all() -> Vec<Scenario> {
    let groups = [values::all(), signatures::all(), exchanges::all(), files::all()];
    groups.into_iter().flatten().collect()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn clock() -> ManualClock {
    ManualClock::new(now())
}

/// The caller's own credentials: strings that are moved in, and no copy beside them.
fn credentials() -> Credentials {
    Credentials::builder("STS.NUExampleTempKeyId", SECRETS.secret)
        .security_token(SECRETS.token)
        .build()
        .unwrap()
}

/// Answers each request with what `answer` makes of its URL: a status and a body. The request is dropped.
fn service(
    answer: impl Fn(&str) -> (u16, &'static str) + Send + Sync + 'static,
) -> impl oss_credentials_http::HttpClient {
    http_fn(move |request: HttpRequest| {
        let (status, body) = answer(request.url());
        std::future::ready(Ok(HttpResponse::new(status, body.as_bytes().to_vec())))
    })
}

/// Fetches, and expects this secret.
fn fetch(source: impl CredentialsSource, secret: &str) {
    let fetched = blocking::wait(source.fetch()).unwrap();
    assert_eq!(fetched.credentials().access_key_secret(), secret);
}

/// Fetches, and expects an error without a secret; looks at it in each form.
fn refused(source: impl CredentialsSource) {
    let error = blocking::wait(source.fetch()).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRETS.secret) && !shown.contains(SECRETS.issued_secret));
}

fn ask(provider: &dyn CredentialsProvider, secret: &str) {
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_secret(), secret);
    drop(format!("{credentials:?} {:?}", provider.cached()));
}
