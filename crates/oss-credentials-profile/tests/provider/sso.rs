//! A login of CloudSSO.

use oss_credentials_core::test_util::logged;
use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::{HttpErrorKind, HttpMethod};
use oss_credentials_profile::ProfileProvider;

use super::support::{Folder, NOW, at, get};

/// The reference's sample.
const PROFILE: &str = r#"{"name": "sso", "mode": "CloudSSO",
    "cloud_sso_sign_in_url": "https://signin-cn-shanghai.alibabacloudsso.com/device/login",
    "cloud_sso_account_id": "151266", "cloud_sso_access_config": "ac-1", "access_token": "canary-login",
    "cloud_sso_access_token_expire": 1893456000}"#;
const ANSWER: &str = r#"{"CloudCredential": {"AccessKeyId": "STS.EXAMPLE", "AccessKeySecret": "EXAMPLE",
    "SecurityToken": "TOKEN", "Expiration": "2026-01-02T04:04:05Z", "More": 1}, "RequestId": "R-1"}"#;

fn error(folder: &Folder, provider: &ProfileProvider) -> (&'static str, String) {
    let error = blocking::wait(provider.credentials()).unwrap_err();
    (error.kind(), folder.shown(&error))
}

#[test]
fn the_login_is_exchanged_for_credentials() {
    let folder = Folder::answering(200, ANSWER);
    let provider = folder.cli("sso", PROFILE);
    let credentials = get(&provider);
    assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
    assert_eq!(credentials.access_key_secret(), "EXAMPLE");
    assert_eq!(credentials.security_token(), Some("TOKEN"));
    assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
    assert_eq!(credentials.source(), "profile");
    // A second call is answered from the cache.
    get(&provider);
    let requests = folder.http.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(
        request.url(),
        "https://signin-cn-shanghai.alibabacloudsso.com/cloud-credentials"
    );
    assert_eq!(
        request.body(),
        br#"{"AccountId":"151266","AccessConfigurationId":"ac-1"}"#
    );
    for (name, value) in [
        ("authorization", "Bearer canary-login"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ] {
        assert_eq!(request.header(name), Some(value));
    }
    assert_eq!(
        (request.connect_timeout().as_secs(), request.timeout().as_secs()),
        (5, 10)
    );
}

/// One of the vendor's clients loses the port, and another writes JSON without escaping.
#[test]
fn the_port_is_kept_and_values_are_escaped() {
    let folder = Folder::answering(200, ANSWER);
    let profile = PROFILE
        .replace("alibabacloudsso.com/", "alibabacloudsso.com:8443/")
        .replace("ac-1", r#"ac-\"1\""#);
    get(&folder.cli("sso", &profile));
    let request = &folder.http.requests()[0];
    assert_eq!(
        request.url(),
        "https://signin-cn-shanghai.alibabacloudsso.com:8443/cloud-credentials"
    );
    assert_eq!(
        request.body(),
        br#"{"AccountId":"151266","AccessConfigurationId":"ac-\"1\""}"#
    );
}

#[test]
fn a_login_that_has_ended_asks_for_another_one() {
    let hint = "log in with `aliyun configure --mode CloudSSO --profile \"sso\"`";
    let ended =
        format!("profile: the CloudSSO login of the profile \"sso\" has expired (config.json); {hint}");
    let none = format!(
        "profile: the CloudSSO login of the profile \"sso\" was never made, or is signed out (config.json); {hint}"
    );
    for (profile, text) in [
        (PROFILE.replace("1893456000", &NOW.to_string()), &ended),
        (PROFILE.replace("canary-login", ""), &none),
        (PROFILE.replace("access_token\"", "x\""), &none),
    ] {
        let folder = Folder::new();
        assert_eq!(
            error(&folder, &folder.cli("sso", &profile)),
            ("expired", text.clone())
        );
    }
    // One second is enough to ask.
    let folder = Folder::answering(200, ANSWER);
    get(&folder.cli("sso", &PROFILE.replace("1893456000", &(NOW + 1).to_string())));
}

#[test]
fn a_new_login_counts_at_the_next_fetch() {
    let folder =
        Folder::answering(200, ANSWER).then_answering(200, &ANSWER.replace("STS.EXAMPLE", "STS.NEW"));
    let provider = folder.cli("sso", PROFILE);
    let first = get(&provider);
    folder.cli("sso", &PROFILE.replace("canary-login", "canary-new-login"));
    provider.invalidate(&first);
    assert_eq!(get(&provider).access_key_id(), "STS.NEW");
    let requests = folder.http.requests();
    assert_eq!(
        requests[1].header("authorization"),
        Some("Bearer canary-new-login")
    );
}

#[test]
fn what_is_wrong_with_the_sign_in_url_is_named() {
    for (url, text) in [
        (
            "http://signin.example.com/",
            "has a cloud_sso_sign_in_url that is plain http, which shows the login to the network (config.json); use \
             https://, or allow_http(true) for a network you trust",
        ),
        (
            "signin.example.com",
            "has a cloud_sso_sign_in_url that has no scheme (config.json); correct it",
        ),
    ] {
        let folder = Folder::new();
        let profile = PROFILE.replace("https://signin-cn-shanghai.alibabacloudsso.com/device/login", url);
        let provider = folder.cli("sso", &profile);
        assert_eq!(
            folder.invalid(&provider),
            format!("profile: the profile \"sso\" {text}")
        );
    }
}

#[test]
fn plain_http_is_for_this_machine_or_by_permission() {
    let plain = |host: &str| PROFILE.replace("https://signin-cn-shanghai.alibabacloudsso.com", host);
    let folder = Folder::answering(200, ANSWER);
    let log = logged(|| drop(get(&folder.cli("sso", &plain("http://127.0.0.1:8080")))));
    assert!(!log.contains("plain http"), "{log}");
    let path = folder.write(
        "c.json",
        format!(r#"{{"profiles": [{}]}}"#, plain("http://signin.example.com")),
    );
    let folder = folder.then_answering(200, ANSWER).then_answering(200, ANSWER);
    let builder = folder.builder().cli_file(path).profile("sso").allow_http(true);
    let log = logged(|| {
        let provider = builder.build().unwrap();
        let first = get(&provider);
        provider.invalidate(&first);
        get(&provider);
    });
    assert_eq!(
        log.matches(" WARN oss_credentials_profile: the cloud_sso_sign_in_url is plain http")
            .count(),
        1,
        "{log}"
    );
    assert!(
        log.contains("signin.example.com") && !log.contains("canary"),
        "{log}"
    );
    let urls: Vec<_> = folder
        .http
        .requests()
        .iter()
        .map(|request| request.url().to_owned())
        .collect();
    assert_eq!(
        urls,
        [
            "http://127.0.0.1:8080/cloud-credentials",
            "http://signin.example.com/cloud-credentials",
            "http://signin.example.com/cloud-credentials"
        ]
    );
}

#[test]
fn refusals_and_answers_that_bring_nothing() {
    let place = "POST https://signin-cn-shanghai.alibabacloudsso.com/cloud-credentials";
    let login = "log in with `aliyun configure --mode CloudSSO --profile \"sso\"`";
    let refusal =
        r#"{"ErrorCode": "Forbidden.Access", "ErrorMessage": "no such access", "RequestId": "R-2"}"#;
    for (status, body, kind, text) in [
        (
            403,
            refusal,
            "denied",
            format!(
                "CloudSSO refused the login ({place}, HTTP 403): Forbidden.Access: no such access, request ID R-2; {login}"
            ),
        ),
        (
            401,
            r#"{"ErrorMessage": "token canary-login is unknown", "RequestId": "canary-login"}"#,
            "denied",
            format!(
                "CloudSSO refused the login ({place}, HTTP 401): text withheld, as it repeats a secret; {login}"
            ),
        ),
        (
            404,
            "<html>",
            "denied",
            format!("CloudSSO refused the login ({place}, HTTP 404); {login}"),
        ),
        (
            429,
            refusal,
            "unavailable",
            format!(
                "CloudSSO refused the login ({place}, HTTP 429): Forbidden.Access: no such access, request ID R-2; retry later"
            ),
        ),
        (
            503,
            "",
            "unavailable",
            format!("CloudSSO refused the login ({place}, HTTP 503); retry later"),
        ),
        (
            200,
            "<html>",
            "invalid-response",
            format!(
                "the response from CloudSSO is HTML or XML ({place}, HTTP 200); check whether a proxy or a login page responds instead"
            ),
        ),
        (
            200,
            "{}",
            "invalid-response",
            format!("the response from CloudSSO has no CloudCredential ({place}, HTTP 200); retry later"),
        ),
        (
            200,
            r#"{"CloudCredential": {"AccessKeyId": ["canary"]}}"#,
            "invalid-response",
            format!(
                "the response from CloudSSO is not the JSON that was expected (line 1, column 36) ({place}, HTTP 200); retry later"
            ),
        ),
    ] {
        let folder = Folder::answering(status, body);
        let provider = folder.cli("sso", PROFILE);
        assert_eq!(
            error(&folder, &provider),
            (
                kind,
                format!("profile: {text}; configured by the profile \"sso\" in config.json")
            ),
            "{status} {body}"
        );
    }
}

#[test]
fn answers_that_lack_something() {
    for field in ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"] {
        let folder = Folder::answering(200, &ANSWER.replace(field, "Other"));
        let (kind, text) = error(&folder, &folder.cli("sso", PROFILE));
        assert_eq!(kind, "invalid-response");
        assert!(
            text.contains(&format!("the response from CloudSSO has no {field} (")),
            "{text}"
        );
    }
    for (from, to, kind, text) in [
        (
            "2026-01-02T04:04:05Z",
            "canary",
            "invalid-response",
            "has an unreadable Expiration",
        ),
        (
            "2026-01-02T04:04:05Z",
            "2026-01-02T03:04:05Z",
            "expired",
            "the credentials had expired when they arrived",
        ),
        (
            "EXAMPLE\",",
            "canary \",",
            "invalid-response",
            "in the response from CloudSSO the access key ID begins or ends",
        ),
    ] {
        let folder = Folder::answering(200, &ANSWER.replace(from, to));
        let (found, shown) = error(&folder, &folder.cli("sso", PROFILE));
        assert_eq!(found, kind);
        assert!(shown.contains(text) && !shown.contains("canary"), "{shown}");
    }
}

#[test]
fn exchanges_without_an_answer() {
    for (kind, text) in [
        (HttpErrorKind::Connect, "no connection to CloudSSO"),
        (HttpErrorKind::Timeout, "no response from CloudSSO in time"),
        (
            HttpErrorKind::Interrupted,
            "the response from CloudSSO was cut off",
        ),
    ] {
        let mut folder = Folder::new();
        folder.http = folder.http.fails(kind);
        let error = blocking::wait(folder.cli("sso", PROFILE).credentials()).unwrap_err();
        assert!(matches!(error, CredentialsError::Unavailable(_)));
        assert!(
            error
                .to_string()
                .starts_with(&format!("profile: {text} (POST https://signin")),
            "{error}"
        );
    }
}
