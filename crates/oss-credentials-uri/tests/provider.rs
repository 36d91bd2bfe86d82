//! Behaviour through the public API, against a server made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/answers.rs"]
mod answers;
#[path = "provider/service.rs"]
mod service;

use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock, PanickingEnv};
use oss_credentials_core::{CredentialsError, CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_http::{HttpMethod, HttpResponse};
use oss_credentials_uri::{CredentialsUri, CredentialsUriBuilder, ENV_CREDENTIALS_URI};
use service::{NOW, Service, ServiceExt as _, URI, an_hour, at, fetch, session};

fn invalid_config(error: &CredentialsError) -> bool {
    matches!(error, CredentialsError::InvalidConfig(_))
}

#[test]
fn success() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let builder = service
        .builder()
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3));
    let provider = builder.build().unwrap();
    assert_eq!(provider.name(), "uri");
    assert!(provider.cached().is_none());
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
    assert_eq!(credentials.access_key_secret(), "canary-secret");
    assert_eq!(credentials.security_token(), Some("canary-token"));
    assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
    assert_eq!(credentials.source(), "uri");

    // A second call is answered from the cache: the script has no second step.
    blocking::wait(provider.credentials()).unwrap();
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method(), request.url()), (HttpMethod::Get, URI));
    assert!(request.body().is_empty());
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.connect_timeout(), Duration::from_secs(2));
    assert_eq!(request.timeout(), Duration::from_secs(3));
}

#[test]
fn time_outs_default_to_5_and_10_seconds() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    fetch(service.builder()).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.connect_timeout(), Duration::from_secs(5));
    assert_eq!(request.timeout(), Duration::from_secs(10));
}

#[test]
fn the_uri_is_sent_unchanged() {
    for uri in [
        "http://127.0.0.1:8080/a/b?c=1&c=2&empty=&&bare&%2F=%41+x",
        "http://127.0.0.1:8080/?",
        "http://[::1]:8080/a//b/../c%2fd;e",
        "http://100.100.100.200/p",
        "http://169.254.1.2/p",
    ] {
        let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
        fetch(service.at(uri)).unwrap();
        assert_eq!(service.requests()[0].url(), uri);
    }
}

#[test]
fn user_and_password_become_basic_authorization() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    // The example of RFC 7617, section 2.
    let provider = service
        .at("http://Aladdin:open%20sesame@127.0.0.1/p?q=")
        .build()
        .unwrap();
    blocking::wait(provider.credentials()).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.url(), "http://127.0.0.1/p?q=");
    assert_eq!(
        request.header("Authorization"),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
}

#[test]
fn not_configured() {
    let service = Service::new();
    let nothing = CredentialsUri::builder()
        .http_client(service.clone())
        .build()
        .unwrap_err();
    let from_env = CredentialsUri::from_env(&FakeEnv::new()).unwrap_err();
    let empty = CredentialsUri::from_env(&FakeEnv::from([(ENV_CREDENTIALS_URI, "")])).unwrap_err();
    for error in [nothing, from_env, empty] {
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "uri: no credentials URI is set; set uri(..) or ALIBABA_CLOUD_CREDENTIALS_URI"
        );
    }
}

#[test]
fn the_environment_names_the_uri_unless_it_is_set() {
    let env = FakeEnv::from([("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/from-env")]);
    let service = Service::new();
    let source =
        |builder: CredentialsUriBuilder| builder.http_client(service.clone()).build_source().unwrap();
    let from_env = source(CredentialsUri::from_env(&env).unwrap());
    assert_eq!(from_env.place(), "http://127.0.0.1:1/from-env");
    assert_eq!(from_env.name(), "uri");
    let explicit = source(CredentialsUri::builder().uri("http://127.0.0.1:2/").env(&env));
    assert_eq!(explicit.place(), "http://127.0.0.1:2/");
}

#[test]
fn explicit_configuration_never_reads_the_environment() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    fetch(service.builder().env(&PanickingEnv)).unwrap();
}

#[test]
fn uris_that_cannot_work_are_refused_when_it_is_built() {
    let service = Service::new();
    for (uri, text) in [
        (
            "",
            "uri: the credentials URI has no scheme; write it as https://host[:port]/path",
        ),
        ("127.0.0.1:6666", "has no scheme (127.0.0.1)"),
        (
            "ftp://127.0.0.1/",
            "has a scheme that is not supported (ftp://127.0.0.1)",
        ),
        ("http://user:canary@/", "has no host"),
        (
            "http://127.0.0.1:canary/",
            "has a port that is not a number (http://127.0.0.1)",
        ),
        ("http://127.0.0.1/canary\n", "contains white space"),
        (
            "http://us%3Aer:canary@127.0.0.1/p?canary",
            "has a colon in its user name (http://127.0.0.1/p); percent",
        ),
        (
            "http://user:canary%0A@127.0.0.1/p",
            "has a control character in its user name or password (http",
        ),
    ] {
        let error = service.at(uri).build().unwrap_err();
        assert!(invalid_config(&error), "{uri}: {error:?}");
        let shown = error.to_string();
        assert!(
            shown.starts_with("uri: the credentials URI ") && shown.contains(text),
            "{shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
    }
}

/// Whoever set the variable has no code to look into.
#[test]
fn a_uri_of_the_environment_is_called_by_its_variable() {
    let service = Service::new();
    for (uri, text) in [
        (
            "127.0.0.1:6666",
            "uri: the credentials URI has no scheme (127.0.0.1); write ALIBABA_CLOUD_CREDENTIALS_URI as \
             https://host[:port]/path, or http:// for a server on this machine",
        ),
        (
            "http://us%3Aer:canary@127.0.0.1/p",
            "uri: the credentials URI has a colon in its user name (http://127.0.0.1/p); percent-encode user and \
             password in ALIBABA_CLOUD_CREDENTIALS_URI, and check what they are",
        ),
        (
            "http://keys.example.com/p",
            "uri: the credentials URI is plain http, which shows the credentials to the network \
             (http://keys.example.com/p); set ALIBABA_CLOUD_CREDENTIALS_URI to an https:// URI, or to a server on \
             this machine; for a network you trust the program may build this provider with allow_http(true), \
             for the default chain as its member \"uri\"",
        ),
    ] {
        let env = FakeEnv::from([(ENV_CREDENTIALS_URI, uri)]);
        let from_env = CredentialsUri::from_env(&env)
            .unwrap()
            .http_client(service.clone());
        assert_eq!(from_env.build().unwrap_err().to_string(), text);
        // What code says comes first, and then it is not the variable that is wrong.
        let explicit = CredentialsUri::from_env(&env)
            .unwrap()
            .uri(uri)
            .http_client(service.clone());
        let shown = explicit.build().unwrap_err().to_string();
        assert!(!shown.contains("ALIBABA_CLOUD"), "{shown}");
    }
}

#[test]
fn plain_http_is_for_this_machine_and_its_hypervisor() {
    let service = Service::new();
    for uri in [
        "http://localhost/",
        "http://127.0.0.1:80/",
        "http://[::1]/",
        "http://169.254.0.1/",
        "http://[fe80::1]/",
        "http://100.100.100.200/",
        "https://keys.example.com/",
    ] {
        service.at(uri).build().unwrap();
    }
    for host in [
        "keys.example.com",
        "10.0.0.1",
        "localhost.example.com",
        "100.100.100.201",
        "[2001:db8::1]",
    ] {
        let uri = format!("http://canary:canary@{host}/p?canary");
        let error = service.at(&uri).build().unwrap_err();
        assert!(invalid_config(&error), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "uri: the credentials URI is plain http, which shows the credentials to the network \
                 (http://{host}/p); use https://, or allow_http(true) for a network you trust"
            )
        );
        service.at(&uri).allow_http(true).build().unwrap();
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_an_http_client_it_says_so() {
    let error = CredentialsUri::builder().uri(URI).build().unwrap_err();
    assert!(invalid_config(&error), "{error:?}");
    assert_eq!(
        error.to_string(),
        "uri: there is no HTTP client (http://127.0.0.1:6666/credentials); pass one with http_client(..), or \
         enable the feature `reqwest` (`rustls` for https)"
    );
}

#[cfg(all(
    feature = "reqwest",
    not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))
))]
#[test]
fn https_without_tls_says_which_feature_is_missing() {
    let builder = || CredentialsUri::builder().uri("https://keys.example.com/p?canary");
    let error = builder().build().unwrap_err();
    assert!(invalid_config(&error), "{error:?}");
    assert_eq!(
        error.to_string(),
        "uri: the credentials URI is https, and the HTTP client of this build has no TLS \
         (https://keys.example.com/p); enable the feature `rustls` of oss-credentials-uri, or pass a client \
         with http_client(..)"
    );
    builder().http_client(Service::new()).build().unwrap();
}

#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
#[test]
fn https_works_with_the_feature() {
    CredentialsUri::builder()
        .uri("https://keys.example.com/p")
        .build()
        .unwrap();
}

#[cfg(feature = "reqwest")]
#[test]
fn with_reqwest_no_http_client_is_needed() {
    let provider = CredentialsUri::builder().uri(URI).build().unwrap();
    // Outside of a runtime it can send nothing; nothing panics.
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(invalid_config(&error), "{error:?}");
}

#[test]
fn unknown_fields_are_ignored() {
    let body = an_hour("STS.EXAMPLE").replacen('{', r#"{"New": {"deep": [1, null]}, "#, 1);
    fetch(Service::new().answers(200, body).builder()).unwrap();
}

#[test]
fn a_local_clock_hours_off_does_not_matter() {
    for local in [NOW - 5 * 3600, NOW + 5 * 3600] {
        let clock = ManualClock::at_unix(local);
        let response = HttpResponse::new(200, an_hour("STS.EXAMPLE").into_bytes());
        let service = Service::new().gives(Ok(response.with_header("Date", "Fri, 02 Jan 2026 03:04:05 GMT")));
        let provider = service.builder().clock(clock.clone()).build().unwrap();
        let credentials = blocking::wait(provider.credentials()).unwrap();
        // To the uncorrected clock they are over, or live five hours too long.
        assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
        assert!(provider.cached().is_some());
        clock.advance(Duration::from_secs(3600));
        assert!(provider.cached().is_none(), "expired by the server's clock");
    }
}

#[test]
fn the_clock_of_the_builder_is_the_clock_of_the_cache() {
    let clock = ManualClock::at_unix(NOW);
    let service = Service::new()
        .answers(200, an_hour("STS.A"))
        .answers(200, session("STS.B", "2026-01-02T05:04:05Z"));
    let provider = service.builder().clock(clock.clone()).build().unwrap();
    blocking::wait(provider.credentials()).unwrap();
    clock.advance(Duration::from_secs(3601));
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "STS.B");
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn inside_a_runtime_it_refreshes_in_the_background() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let provider = service.builder().build().unwrap();
    provider.credentials().await.unwrap();
    assert!(provider.status().has_driver());
}

#[test]
fn types_can_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<CredentialsUri>();
    check::<CredentialsUriBuilder>();
    check::<oss_credentials_uri::CredentialsUriProvider>();
}
