//! An OAuth login: exchanged, and renewed where that may be stored.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use oss_credentials_core::{CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::{HttpErrorKind, HttpMethod, HttpRequest, HttpResponse};
use oss_credentials_profile::ProfileProvider;

use super::support::{Folder, NOW, at, get, param, read};

const EXCHANGED: &str = r#"{"requestId": "R-1", "accessKeyId": "STS.EXAMPLE", "accessKeySecret": "EXAMPLE",
    "securityToken": "TOKEN", "expiration": "2026-01-02T04:04:05Z", "more": 1}"#;
/// The reference's sample.
const RENEWED: &str = r#"{"access_token": "access-2", "refresh_token": "refresh/2+", "expires_in": 10800,
    "token_type": "Bearer"}"#;
const LOGIN: &str = "log in with `aliyun configure --mode OAuth --profile \"oauth\"`";
const EXCHANGE_URL: &str = "https://oauth.aliyun.com/v1/exchange";
const TOKEN_URL: &str = "https://oauth.aliyun.com/v1/token";

/// A login whose access token ends at this time.
fn profile(ends: u64) -> String {
    format!(
        r#"{{"name": "oauth", "mode": "OAuth", "oauth_site_type": "cn", "oauth_access_token": "access-1",
        "oauth_refresh_token": "refresh/1+", "oauth_access_token_expire": {ends}, "region_id": "cn-hangzhou"}}"#
    )
}

fn config(folder: &Folder, ends: u64) -> PathBuf {
    folder.write(
        "config.json",
        format!("{{\"current\": \"oauth\", \"profiles\": [{}]}}\n", profile(ends)),
    )
}

fn writing(folder: &Folder, ends: u64) -> ProfileProvider {
    let path = config(folder, ends);
    folder.builder().cli_file(path).write_back(true).build().unwrap()
}

fn failure(folder: &Folder, provider: &ProfileProvider) -> (&'static str, String) {
    let error = blocking::wait(provider.credentials()).unwrap_err();
    (error.kind(), folder.shown(&error))
}

#[test]
fn the_access_token_is_exchanged_and_the_file_left_alone() {
    let pascal = EXCHANGED
        .replace("requestId", "RequestId")
        .replace("accessKey", "AccessKey")
        .replace("securityToken", "SecurityToken")
        .replace("expiration", "Expiration");
    for body in [EXCHANGED, &pascal] {
        let folder = Folder::answering(200, body);
        // It need not be renewed as long as it lasts, were it a second.
        let path = config(&folder, NOW + 1);
        let before = read(&path);
        let provider = folder.builder().cli_file(&path).build().unwrap();
        let credentials = get(&provider);
        assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
        assert_eq!(credentials.access_key_secret(), "EXAMPLE");
        assert_eq!(credentials.security_token(), Some("TOKEN"));
        assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
        let requests = folder.http.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].method(), HttpMethod::Post);
        assert_eq!(requests[0].url(), EXCHANGE_URL);
        assert_eq!(requests[0].header("authorization"), Some("Bearer access-1"));
        assert_eq!(requests[0].header("content-type"), Some("application/json"));
        assert!(requests[0].body().is_empty());
        assert_eq!(requests[0].header("content-length"), Some("0"));
        assert_eq!(read(&path), before);
        assert!(!folder.path("config.json.lock").exists());
    }
}

#[test]
fn the_site_decides_about_host_and_client() {
    let folder = Folder::answering(200, RENEWED).then_answering(200, EXCHANGED);
    let text = format!(
        "{{\"profiles\": [{}]}}",
        profile(NOW).replace("\"cn\"", "\"Intl\"")
    );
    let path = folder.write("config.json", text);
    let builder = folder.builder().cli_file(path).profile("oauth").write_back(true);
    get(&builder.build().unwrap());
    let requests = folder.http.requests();
    assert_eq!(requests[0].url(), "https://oauth.alibabacloud.com/v1/token");
    assert_eq!(
        param(&requests[0], "client_id").as_deref(),
        Some("4103531455503354461")
    );
    assert_eq!(requests[1].url(), "https://oauth.alibabacloud.com/v1/exchange");
}

/// Renewing without storing would leave a dead login in the file.
#[test]
fn without_write_back_a_login_that_has_ended_is_an_error() {
    let folder = Folder::new();
    let path = config(&folder, NOW);
    let provider = folder.builder().cli_file(path).build().unwrap();
    let text = format!(
        "profile: the OAuth login of the profile \"oauth\" has expired (config.json); {LOGIN}, or let write_back(true) \
         renew it"
    );
    assert_eq!(failure(&folder, &provider), ("expired", text));

    let folder = Folder::new();
    let provider = folder.cli(
        "oauth",
        r#"{"name": "oauth", "mode": "OAuth", "oauth_site_type": "CN"}"#,
    );
    let text = format!(
        "profile: the OAuth login of the profile \"oauth\" was never made, or is signed out (config.json); {LOGIN}"
    );
    assert_eq!(failure(&folder, &provider), ("expired", text));
}

#[test]
fn a_login_is_renewed_and_stored_before_it_is_used() {
    // 20 minutes are too little.
    let mut folder = Folder::new();
    let path = config(&folder, NOW + 1200);
    let (beside, watched) = (path.clone(), path.clone());
    let renewal = move |_: &HttpRequest| {
        // What is to take the file's place is there already, and cannot fail for want of permission any more.
        let names = std::fs::read_dir(beside.parent().unwrap()).unwrap().count();
        assert_eq!(names, 3, "config.json, its lock and a draft");
        Ok(HttpResponse::new(200, RENEWED.as_bytes().to_vec()))
    };
    folder.http = folder.http.then(renewal).then(move |request| {
        assert_eq!(request.header("authorization"), Some("Bearer access-2"));
        let text = read(&watched);
        assert!(
            text.contains("\"oauth_refresh_token\": \"refresh/2+\""),
            "stored first: {text}"
        );
        assert!(!text.contains("STS.EXAMPLE"));
        Ok(HttpResponse::new(200, EXCHANGED.as_bytes().to_vec()))
    });
    let before = read(&path);
    let provider = folder.builder().cli_file(&path).write_back(true).build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.EXAMPLE");
    let requests = folder.http.requests();
    assert_eq!(requests[0].url(), TOKEN_URL);
    assert_eq!(
        requests[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        std::str::from_utf8(requests[0].body()).unwrap(),
        "grant_type=refresh_token&refresh_token=refresh%2F1%2B&client_id=4038181954557748008\
         &Timestamp=2026-01-02T03%3A04%3A05Z"
    );
    // Only the fields concerned have changed.
    let after = before
        .replace("access-1", "access-2")
        .replace("refresh/1+", "refresh/2+")
        .replace(&(NOW + 1200).to_string(), &(NOW + 10_800).to_string())
        .replace(
            "\"cn-hangzhou\"",
            "\"cn-hangzhou\", \"access_key_id\": \"STS.EXAMPLE\", \"access_key_secret\": \"EXAMPLE\", \
             \"sts_token\": \"TOKEN\", \"sts_expiration\": 1767326645",
        );
    assert_eq!(read(&path), after);

    // What was written here is no change that asks for other credentials.
    folder.clock.advance(Duration::from_secs(6));
    assert_eq!(get(&provider).access_key_id(), "STS.EXAMPLE");
    assert_eq!(folder.http.requests().len(), 2);
}

#[test]
fn a_login_with_more_time_left_is_not_renewed_but_the_keys_are_stored() {
    let folder = Folder::answering(200, EXCHANGED);
    let provider = writing(&folder, NOW + 1201);
    get(&provider);
    assert_eq!(folder.http.requests()[0].url(), EXCHANGE_URL);
    let text = read(&folder.path("config.json"));
    assert!(
        text.contains("STS.EXAMPLE") && text.contains("refresh/1+"),
        "{text}"
    );
}

#[test]
fn an_access_token_that_the_service_does_not_want_is_renewed_once() {
    let expired = r#"{"error": "expired_token", "error_description": "it ended", "requestId": "R-9"}"#;
    let folder = Folder::answering(401, expired)
        .then_answering(200, RENEWED)
        .then_answering(200, EXCHANGED);
    assert_eq!(get(&writing(&folder, NOW + 7200)).access_key_id(), "STS.EXAMPLE");
    let urls: Vec<_> = folder
        .http
        .requests()
        .iter()
        .map(|request| request.url().to_owned())
        .collect();
    assert_eq!(urls, [EXCHANGE_URL, TOKEN_URL, EXCHANGE_URL]);

    let folder = Folder::answering(401, expired)
        .then_answering(200, RENEWED)
        .then_answering(401, expired);
    let text = format!(
        "profile: the OAuth service refused the login (POST {EXCHANGE_URL}, HTTP 401): expired_token: it ended, \
         request ID R-9; {LOGIN}; configured by the profile \"oauth\" in config.json"
    );
    assert_eq!(failure(&folder, &writing(&folder, NOW + 7200)), ("denied", text));
}

/// Between reading the file and asking the service another program renews the login.
#[test]
fn a_login_that_another_program_has_just_renewed_is_read_again() {
    let expired = r#"{"error": "invalid_token"}"#;
    let mut folder = Folder::new();
    let path = config(&folder, NOW + 7200);
    let renewed = read(&path).replace("access-1", "access-2");
    let file = path.clone();
    folder.http = folder
        .http
        .then(move |request| {
            assert_eq!(request.header("authorization"), Some("Bearer access-1"));
            std::fs::write(&file, &renewed).unwrap();
            Ok(HttpResponse::new(401, expired.as_bytes().to_vec()))
        })
        .then(|request| {
            assert_eq!(request.header("authorization"), Some("Bearer access-2"));
            Ok(HttpResponse::new(200, EXCHANGED.as_bytes().to_vec()))
        });
    let provider = folder.builder().cli_file(&path).build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.EXAMPLE");

    // With the same token in the file there is nothing to try again.
    let folder = Folder::answering(401, expired);
    let path = config(&folder, NOW + 7200);
    let provider = folder.builder().cli_file(path).build().unwrap();
    assert_eq!(failure(&folder, &provider).0, "denied");
    assert_eq!(folder.http.requests().len(), 1);
}

#[test]
fn a_renewal_that_fails_leaves_the_login_in_use_while_it_lasts() {
    let refused = r#"{"error": "invalid_grant", "error_description": "refresh/1+ is unknown"}"#;
    let folder = Folder::answering(400, refused).then_answering(200, EXCHANGED);
    assert_eq!(get(&writing(&folder, NOW + 60)).access_key_id(), "STS.EXAMPLE");
    assert_eq!(
        folder.http.requests()[1].header("authorization"),
        Some("Bearer access-1")
    );

    let folder = Folder::answering(400, refused);
    let provider = writing(&folder, NOW);
    let text = format!(
        "profile: the OAuth service refused the login (POST {TOKEN_URL}, HTTP 400): invalid_grant: text withheld, as it \
         repeats a secret; {LOGIN}; configured by the profile \"oauth\" in config.json"
    );
    assert_eq!(failure(&folder, &provider), ("denied", text));
    assert!(read(&folder.path("config.json")).contains("refresh/1+"));
}

#[test]
fn what_another_process_renewed_is_taken() {
    let folder = Folder::answering(200, EXCHANGED);
    let path = config(&folder, NOW);
    let provider = folder
        .builder()
        .cli_file(&path)
        .write_back(true)
        .sleep(folder.clock.clone())
        .build()
        .unwrap();
    let side = File::create(folder.path("config.json.lock")).unwrap();
    let mut side = fd_lock::RwLock::new(side);
    let held = side.write().unwrap();
    let mut asked = std::pin::pin!(provider.credentials());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(asked.as_mut().poll(&mut context).is_pending());
    folder.clock.advance(Duration::from_millis(100));
    assert!(asked.as_mut().poll(&mut context).is_pending());
    assert!(folder.http.requests().is_empty());
    let text = read(&path)
        .replace("refresh/1+", "refresh-other")
        .replace("access-1", "access-other")
        .replace(&NOW.to_string(), &(NOW + 9000).to_string());
    std::fs::write(&path, text).unwrap();
    drop(held);
    folder.clock.advance(Duration::from_millis(100));
    // The keys are stored under the lock, too.
    assert!(asked.as_mut().poll(&mut context).is_ready());
    let requests = folder.http.requests();
    assert_eq!(requests.len(), 1, "nothing was renewed");
    assert_eq!(requests[0].header("authorization"), Some("Bearer access-other"));
}

#[test]
fn a_lock_that_stays_held_is_told_of() {
    let folder = Folder::new();
    let provider = writing(&folder, NOW);
    let side = File::create(folder.path("config.json.lock")).unwrap();
    let mut side = fd_lock::RwLock::new(side);
    let _held = side.write().unwrap();
    let text =
        "profile: another process holds the lock to change the profile \"oauth\" (config.json); retry later";
    assert_eq!(failure(&folder, &provider), ("unavailable", text.to_owned()));
}

/// The service ends the old tokens when it hands out new ones.
#[test]
fn nothing_is_renewed_that_could_not_be_stored() {
    let folder = Folder::new();
    let provider = writing(&folder, NOW);
    std::fs::create_dir(folder.path("config.json.lock")).unwrap();
    let (kind, text) = failure(&folder, &provider);
    assert_eq!(kind, "unavailable");
    assert!(
        text.starts_with(
            "profile: the lock file is not a regular file with one link (config.json.lock); remove it"
        ),
        "{text}"
    );
    assert!(folder.http.requests().is_empty());
}

#[test]
fn a_login_that_could_not_be_stored_is_kept_and_stored_later() {
    let mut folder = Folder::new();
    let path = config(&folder, NOW);
    let whole = read(&path);
    let (broken, mended) = (path.clone(), path.clone());
    let text = whole.clone();
    folder.http = folder
        .http
        .then(move |_| {
            std::fs::write(&broken, "{").unwrap();
            Ok(HttpResponse::new(200, RENEWED.as_bytes().to_vec()))
        })
        // Still broken while the keys are to be stored.
        .answers(200, EXCHANGED)
        .then(move |request| {
            assert_eq!(request.header("authorization"), Some("Bearer access-2"));
            Ok(HttpResponse::new(
                200,
                EXCHANGED.replace("STS.EXAMPLE", "STS.TWO").into_bytes(),
            ))
        });
    let provider = folder.builder().cli_file(&path).write_back(true).build().unwrap();
    let first = get(&provider);
    assert_eq!(first.access_key_id(), "STS.EXAMPLE");
    std::fs::write(&mended, text).unwrap();
    provider.invalidate(&first);
    assert_eq!(get(&provider).access_key_id(), "STS.TWO");
    let text = read(&path);
    for stored in ["refresh/2+", "access-2", "STS.TWO"] {
        assert!(text.contains(stored), "{stored} in {text}");
    }
    assert_eq!(folder.http.left(), 0);
}

#[test]
fn answers_that_bring_nothing() {
    for (body, kind, text) in [
        (
            r#"{"error": "invalid_grant", "requestId": "R"}"#,
            "denied",
            "refused the login",
        ),
        ("<html>", "invalid-response", "is HTML or XML"),
        ("[]", "invalid-response", "is not a JSON object"),
        ("", "invalid-response", "is empty"),
        (
            r#"{"accessKeyId": ["canary"]}"#,
            "invalid-response",
            "is not the JSON that was expected",
        ),
        ("{}", "invalid-response", "has no AccessKeyId"),
    ] {
        let folder = Folder::answering(200, body);
        let provider = folder.cli("oauth", &profile(NOW + 9000));
        let (found, shown) = failure(&folder, &provider);
        assert_eq!(found, kind, "{shown}");
        assert!(
            shown.contains(text) && shown.contains(EXCHANGE_URL) && !shown.contains("canary"),
            "{shown}"
        );
    }
    for (body, text) in [
        (RENEWED.replace("access_token", "x"), "has no access_token"),
        (RENEWED.replace("refresh_token", "x"), "has no refresh_token"),
        (
            RENEWED.replace("10800", "\"canary\""),
            "is not the JSON that was expected",
        ),
    ] {
        let folder = Folder::answering(200, &body);
        let (kind, shown) = failure(&folder, &writing(&folder, NOW));
        assert_eq!(kind, "invalid-response");
        assert!(
            shown.contains(text) && shown.contains(TOKEN_URL) && !shown.contains("canary"),
            "{shown}"
        );
    }
    // What the answer does not tell is taken to be an hour.
    let body = RENEWED.replace(r#""expires_in": 10800,"#, "");
    let folder = Folder::answering(200, &body).then_answering(200, EXCHANGED);
    get(&writing(&folder, NOW));
    assert!(read(&folder.path("config.json")).contains(&(NOW + 3600).to_string()));
}

#[test]
fn services_that_do_not_answer() {
    for kind in [
        HttpErrorKind::Connect,
        HttpErrorKind::Timeout,
        HttpErrorKind::Interrupted,
    ] {
        for ends in [NOW, NOW + 9000] {
            let mut folder = Folder::new();
            folder.http = folder.http.fails(kind);
            let error = blocking::wait(writing(&folder, ends).credentials()).unwrap_err();
            assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
        }
    }
    for status in [429, 500, 503] {
        let folder = Folder::answering(status, "");
        assert_eq!(failure(&folder, &writing(&folder, NOW)).0, "unavailable");
    }
}

/// A client beside which somebody writes the file before it answers a request of this URL.
fn meanwhile(
    folder: &Folder,
    url: &'static str,
    text: String,
) -> impl oss_credentials_http::HttpClient + use<> {
    let (http, path) = (folder.http.clone(), folder.path("config.json"));
    oss_credentials_http::http_fn(move |request: HttpRequest| {
        if request.url() == url {
            std::fs::write(&path, &text).unwrap();
        }
        let http = http.clone();
        async move { oss_credentials_http::HttpClient::send(&http, request).await }
    })
}

/// The CLI knows no lock: a person may log in, as somebody else perhaps, while the old login is in use.
#[test]
fn a_login_made_meanwhile_is_not_written_over() {
    let theirs = format!(
        "{{\"profiles\": [{}]}}",
        profile(NOW + 3600)
            .replace("access-1", "access-theirs")
            .replace("refresh/1+", "refresh-theirs")
    );
    for (url, ends) in [(TOKEN_URL, NOW), (EXCHANGE_URL, NOW + 3600)] {
        let mut folder = Folder::new();
        if url == TOKEN_URL {
            folder = folder.then_answering(200, RENEWED);
        }
        let folder = folder.then_answering(200, EXCHANGED);
        let path = config(&folder, ends);
        let builder = folder.builder().cli_file(&path).profile("oauth").write_back(true);
        let http = meanwhile(&folder, url, theirs.clone());
        let provider = builder.http_client(http).build().unwrap();
        assert_eq!(get(&provider).access_key_id(), "STS.EXAMPLE");
        assert_eq!(read(&path), theirs, "{url}");
    }
}

/// A login is never shown to the host of another one.
#[test]
fn a_login_of_another_site_made_meanwhile_is_not_shown_to_this_one() {
    let folder = Folder::answering(401, "{}").then_answering(200, EXCHANGED);
    let path = config(&folder, NOW + 3600);
    let theirs = format!(
        "{{\"profiles\": [{}]}}",
        profile(NOW + 3600)
            .replace("\"cn\"", "\"INTL\"")
            .replace("access-1", "access-theirs")
    );
    let builder = folder.builder().cli_file(path).profile("oauth");
    let http = meanwhile(&folder, EXCHANGE_URL, theirs);
    let provider = builder.http_client(http).build().unwrap();
    assert_eq!(
        failure(&folder, &provider),
        (
            "unavailable",
            "profile: the profile \"oauth\" has changed in the meantime (config.json); retry: it is read again \
             within 5 s"
                .to_owned()
        )
    );
    folder.clock.advance(oss_credentials_profile::LOOK_INTERVAL);
    assert_eq!(get(&provider).access_key_id(), "STS.EXAMPLE");
    let asked: Vec<_> = folder
        .http
        .requests()
        .iter()
        .map(|r| r.url().to_owned())
        .collect();
    assert_eq!(
        asked,
        [EXCHANGE_URL, "https://oauth.alibabacloud.com/v1/exchange"]
    );
}
