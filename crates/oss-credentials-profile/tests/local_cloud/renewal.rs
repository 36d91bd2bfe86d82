//! OAuth logins over their life: renewed, stored, refused, made anew.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::{CredentialsError, CredentialsProvider as _};
use oss_testkit::{Fault, OAuthLogin, OAuthSite, Service};
use serde_json::{Value, json};

use crate::bench::{Bench, HOUR, ask};

const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const LOG_IN: &str = "log in with `aliyun configure --mode OAuth --profile \"OAuth\"`";

pub(crate) fn unix(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A login as the CLI stores it.
pub(crate) fn fields(login: &OAuthLogin) -> Value {
    json!({
        "oauth_site_type": login.site().name(),
        "oauth_access_token": login.access_token(),
        "oauth_access_token_expire": unix(login.access_token_expires_at()),
        "oauth_refresh_token": login.refresh_token(),
    })
}

/// That the file holds the login that is good now.
pub(crate) fn holds_the_login(bench: &Bench) {
    let [login] = bench.cloud.oauth_logins().try_into().unwrap();
    let (stored, fields) = (bench.stored("OAuth"), fields(&login));
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(stored[name], *value, "{name}");
    }
}

/// The answers of the OAuth service: action and status.
pub(crate) fn answers(bench: &Bench) -> Vec<(String, Option<u16>)> {
    let requests = bench.cloud.requests().into_iter();
    requests
        .filter(|request| request.service() == Service::OAuth)
        .map(|request| (request.action().to_owned(), request.status()))
        .collect()
}

#[test]
fn a_login_near_its_end_is_renewed_and_stored() {
    let bench = Bench::new();
    bench.edit("OAuth", &json!({ "odd": { "z": [1.5, null], "a": "\u{e9}" } }));
    let permissions = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(bench.config(), permissions).unwrap();
    let before: Value = serde_json::from_str(&bench.text()).unwrap();
    // 20 minutes are left of three hours, which are too little.
    bench.pass(160 * MINUTE);
    let credentials = ask(&bench.writing("OAuth")).unwrap();
    let done = |action: &str| (action.to_owned(), Some(200));
    assert_eq!(answers(&bench), [done("RefreshToken"), done("Exchange")]);
    bench.owner(&credentials);
    holds_the_login(&bench);

    // The keys are for the CLI; all else is as it was.
    let mut expected = before;
    let [login] = bench.cloud.oauth_logins().try_into().unwrap();
    let profile = expected["profiles"].as_array_mut().unwrap().last_mut().unwrap();
    profile
        .as_object_mut()
        .unwrap()
        .extend(fields(&login).as_object().unwrap().clone());
    profile["access_key_id"] = credentials.access_key_id().into();
    profile["access_key_secret"] = credentials.access_key_secret().into();
    profile["sts_token"] = credentials.security_token().unwrap().into();
    profile["sts_expiration"] = unix(credentials.expires_at().unwrap()).into();
    assert_eq!(serde_json::from_str::<Value>(&bench.text()).unwrap(), expected);
    let mode = std::fs::metadata(bench.config()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut names = bench.names();
    names.sort();
    assert_eq!(
        names,
        [
            "config.json",
            "config.json.lock",
            "credentials.ini",
            "external.json",
            "oidc-token"
        ]
    );

    // Whoever starts now finds a login that lasts, and need not write.
    bench.cloud.forget_requests();
    bench.owner(&ask(&bench.reading("OAuth")).unwrap());
    assert_eq!(answers(&bench), [done("Exchange")]);
}

#[test]
fn a_login_of_the_other_site_is_renewed_there() {
    let bench = Bench::new();
    let login = bench.cloud.oauth_login(OAuthSite::International);
    bench.edit("OAuth", &fields(&login));
    bench.pass(3 * HOUR);
    bench.owner(&ask(&bench.writing("OAuth")).unwrap());
    let requests = bench.cloud.requests();
    let hosts = requests
        .iter()
        .filter(|request| request.service() == Service::OAuth);
    for request in hosts {
        assert_eq!(request.header("host"), Some("oauth.alibabacloud.com"));
        assert_eq!(request.status(), Some(200));
    }
}

/// Days of a program that never stops, with a reader that must never see half a file.
#[test]
fn a_login_is_renewed_again_and_again() {
    let bench = Bench::new();
    let provider = bench.writing("OAuth");
    let path = bench.config();
    // Gone once the rounds are over, or have failed.
    let running = Arc::new(());
    let watched = Arc::downgrade(&running);
    let reader = std::thread::spawn(move || {
        let mut reads = 0_u32;
        while watched.strong_count() > 0 {
            let text = std::fs::read_to_string(&path).unwrap();
            serde_json::from_str::<Value>(&text).unwrap();
            reads += 1;
        }
        reads
    });
    for round in 1..=24 {
        bench.pass(3 * HOUR);
        let credentials = ask(&provider).unwrap_or_else(|error| panic!("{round}: {error}"));
        assert_eq!(
            bench.stored("OAuth")["access_key_id"],
            credentials.access_key_id()
        );
        holds_the_login(&bench);
        assert_eq!(bench.cloud.count(Service::OAuth, "RefreshToken"), round);
    }
    drop(running);
    assert!(reader.join().unwrap() > 0);
    assert!(answers(&bench).iter().all(|(_, status)| *status == Some(200)));
}

#[test]
fn without_write_back_a_login_serves_until_it_ends() {
    let bench = Bench::new();
    let before = bench.text();
    bench.pass(Duration::from_secs(10_799));
    let provider = bench.reading("OAuth");
    bench.owner(&ask(&provider).unwrap());
    bench.pass(HOUR);
    let error = ask(&provider).unwrap_err();
    assert_eq!(error.kind(), "expired");
    assert_eq!(
        bench.shown(&error),
        format!(
            "profile: the OAuth login of the profile \"OAuth\" has expired (config.json); {LOG_IN}, or let \
             write_back(true) renew it"
        )
    );
    assert_eq!(answers(&bench), [("Exchange".to_owned(), Some(200))]);
    assert_eq!(bench.text(), before);
    assert!(!bench.names().contains(&"config.json.lock".to_owned()));
}

/// What the person at the keyboard reads, and that doing so helps without a restart.
#[test]
fn a_refresh_token_that_is_refused_asks_for_a_new_login() {
    let bench = Bench::new();
    let provider = bench.writing("OAuth");
    bench.pass(3 * HOUR);
    bench.cloud.end_oauth_logins();
    let error = ask(&provider).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(
        bench.shown(&error),
        format!(
            "profile: the OAuth service refused the login (POST https://oauth.aliyun.com/v1/token, HTTP 400): \
             invalid_grant: The refresh token is not known., request ID …; {LOG_IN}"
        )
    );
    bench.edit("OAuth", &fields(&bench.cloud.oauth_login(OAuthSite::China)));
    bench.pass(MINUTE);
    bench.owner(&ask(&provider).unwrap());
}

#[test]
fn a_login_ends_for_good_after_its_month() {
    let bench = Bench::with(|builder| builder.oauth_login_lifetime(4 * HOUR));
    let provider = bench.writing("OAuth");
    bench.pass(3 * HOUR);
    ask(&provider).unwrap();
    bench.pass(3 * HOUR);
    let text = bench.shown(&ask(&provider).unwrap_err());
    assert!(
        text.contains("invalid_grant: The refresh token has expired.") && text.ends_with(LOG_IN),
        "{text}"
    );
}

/// The service has spent the old token, and nobody has the new one: no client can mend that, but it can say so.
#[test]
fn a_renewal_whose_answer_is_lost_takes_the_login_with_it() {
    for fault in [
        Fault::reset(),
        Fault::cut_body(),
        Fault::hang_in_body(),
        Fault::missing_field("refresh_token"),
    ] {
        let bench = Bench::new();
        let provider = bench.writing("OAuth");
        bench.pass(3 * HOUR);
        let before = bench.text();
        let error = bench.failure(&provider, Service::OAuth, fault.clone().action("RefreshToken"));
        assert!(
            ["unavailable", "invalid-response"].contains(&error.kind()),
            "{fault:?}: {error:?}"
        );
        assert_eq!(bench.text(), before);
        bench.pass(MINUTE);
        let text = bench.shown(&ask(&provider).unwrap_err());
        assert!(
            text.contains("invalid_grant: The refresh token was used before.") && text.ends_with(LOG_IN),
            "{fault:?}: {text}"
        );
    }
}

#[test]
fn a_renewal_that_the_service_never_saw_is_made_again() {
    for fault in [
        Fault::hang(),
        Fault::throttling(),
        Fault::error(503, "Down"),
        Fault::html(502),
        Fault::garbage(),
    ] {
        let bench = Bench::new();
        let provider = bench.writing("OAuth");
        bench.pass(3 * HOUR);
        bench.failure(&provider, Service::OAuth, fault.clone().action("RefreshToken"));
        bench.pass(MINUTE);
        let credentials = ask(&provider).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        bench.owner(&credentials);
        holds_the_login(&bench);
    }
}

/// Twenty minutes before its end it is due, and until its end it is not missed.
#[test]
fn a_login_that_is_not_renewed_serves_while_it_lasts() {
    let bench = Bench::new();
    bench.pass(170 * MINUTE);
    bench.cloud.fault(
        Service::OAuth,
        Fault::error(503, "Down").action("RefreshToken").always(),
    );
    let provider = bench.writing("OAuth");
    let first = ask(&provider).unwrap();
    bench.owner(&first);
    bench.pass(10 * MINUTE);
    assert!(ask(&provider).unwrap().same_key_as(&first));
    provider.invalidate(&first);
    let text = bench.shown(&ask(&provider).unwrap_err());
    assert!(
        text.contains("HTTP 503") && text.ends_with("retry later"),
        "{text}"
    );
}

#[test]
fn the_keys_of_a_program_are_stored() {
    let bench = Bench::new();
    let credentials = ask(&bench.writing("External")).unwrap();
    let stored = bench.stored("External");
    assert_eq!(stored["access_key_id"], credentials.access_key_id());
    assert_eq!(stored["sts_expiration"], unix(credentials.expires_at().unwrap()));
    assert_eq!(stored["mode"], "External");
}

#[test]
fn a_clock_that_is_wrong_by_hours() {
    // Ahead: the login seems to have ended, and keys of an hour, too.
    let bench = Bench::new();
    bench.own_clock.advance(5 * HOUR);
    let provider = bench.writing("OAuth");
    let credentials = ask(&provider).unwrap();
    bench.owner(&credentials);
    assert!(
        ask(&provider).unwrap().same_key_as(&credentials),
        "they are not fetched for each call"
    );

    // Behind: the login seems to last, and the service knows better.
    let bench = Bench::new();
    bench.clock.advance(5 * HOUR);
    let provider = bench.writing("OAuth");
    let credentials = ask(&provider).unwrap();
    bench.owner(&credentials);
    let actions: Vec<_> = answers(&bench)
        .into_iter()
        .map(|(action, status)| (action, status.unwrap()))
        .collect();
    let expected = [("Exchange", 401), ("RefreshToken", 200), ("Exchange", 200)];
    assert_eq!(
        actions,
        expected.map(|(action, status)| (action.to_owned(), status))
    );
    // They end by the services' clock.
    bench.pass(Duration::from_secs(3599));
    assert!(!ask(&provider).unwrap().same_key_as(&credentials));

    let bench = Bench::new();
    bench.clock.advance(5 * HOUR);
    let error = ask(&bench.reading("OAuth")).unwrap_err();
    assert_eq!(
        bench.shown(&error),
        format!(
            "profile: the OAuth service refused the login (POST https://oauth.aliyun.com/v1/exchange, HTTP 401): \
             expired_token: The access token has expired., request ID …; {LOG_IN}"
        )
    );
}
