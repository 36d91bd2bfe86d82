//! What goes wrong between a provider and the services behind a login.

use std::time::Duration;

use oss_credentials_core::CredentialsProvider as _;
use oss_testkit::{Fault, Service};
use serde_json::json;

use crate::bench::{Bench, HOUR, ask};
use crate::renewal::LOG_IN;

const EXCHANGE: &str = "POST https://oauth.aliyun.com/v1/exchange";
const TOKEN: &str = "POST https://oauth.aliyun.com/v1/token";
const SSO: &str = "POST http://SSO/cloud-credentials";
const SSO_LOG_IN: &str = "log in with `aliyun configure --mode CloudSSO --profile \"CloudSSO\"`";

/// Who is asked, where, and what to do when it wants another login.
struct Asked {
    profile: &'static str,
    service: Service,
    action: &'static str,
    name: &'static str,
    place: &'static str,
    log_in: &'static str,
}

const ALL: [Asked; 3] = [
    Asked {
        profile: "OAuth",
        service: Service::OAuth,
        action: "Exchange",
        name: "the OAuth service",
        place: EXCHANGE,
        log_in: LOG_IN,
    },
    Asked {
        profile: "OAuth",
        service: Service::OAuth,
        action: "RefreshToken",
        name: "the OAuth service",
        place: TOKEN,
        log_in: LOG_IN,
    },
    Asked {
        profile: "CloudSSO",
        service: Service::CloudSso,
        action: "GetCloudCredentials",
        name: "CloudSSO",
        place: SSO,
        log_in: SSO_LOG_IN,
    },
];

/// Asks with the fault in the way, and once more without.
fn kind_and_text(bench: &Bench, asked: &Asked, fault: Fault) -> (&'static str, String) {
    // With new logins.
    bench.cloud.write_profiles(bench.folder.path()).unwrap();
    let provider = if asked.action == "RefreshToken" {
        bench.pass(3 * HOUR);
        bench.writing(asked.profile)
    } else {
        bench.reading(asked.profile)
    };
    let error = bench.failure(&provider, asked.service, fault.action(asked.action));
    let (kind, text) = (error.kind(), bench.shown(&error));
    let by = format!("; configured by the profile {:?} in ", asked.profile);
    assert!(error.to_string().contains(&by), "{error}");
    assert!(provider.cached().is_none());
    // The next caller is told the same, without another request.
    bench.cloud.forget_requests();
    assert_eq!(bench.shown(&ask(&provider).unwrap_err()), text);
    assert!(bench.cloud.requests().is_empty());
    (kind, text)
}

#[test]
fn what_is_not_an_answer() {
    let bench = Bench::new();
    for asked in &ALL {
        let (name, place) = (asked.name, asked.place);
        for (fault, kind, expected) in [
            (
                Fault::hang(),
                "unavailable",
                format!("profile: no response from {name} in time ({place})"),
            ),
            (
                Fault::hang_in_body(),
                "unavailable",
                format!("profile: no response from {name} in time ({place})"),
            ),
            (
                Fault::reset(),
                "unavailable",
                format!("profile: the response from {name} was cut off ({place}); retry later"),
            ),
            (
                Fault::cut_body(),
                "unavailable",
                format!("profile: the response from {name} was cut off ({place}); retry later"),
            ),
            (
                Fault::html(200),
                "invalid-response",
                format!(
                    "profile: the response from {name} is HTML or XML ({place}, HTTP 200); check whether a proxy or a login page responds instead"
                ),
            ),
            (
                Fault::garbage(),
                "invalid-response",
                format!(
                    "profile: the response from {name} is not a JSON object ({place}, HTTP 200); retry later"
                ),
            ),
            (
                Fault::foreign(200, "application/json", ""),
                "invalid-response",
                format!("profile: the response from {name} is empty ({place}, HTTP 200); retry later"),
            ),
            (
                Fault::html(503),
                "unavailable",
                format!("profile: {name} refused the login ({place}, HTTP 503); retry later"),
            ),
            (
                Fault::html(404),
                "denied",
                format!(
                    "profile: {name} refused the login ({place}, HTTP 404); {}",
                    asked.log_in
                ),
            ),
        ] {
            let shown = format!("{fault:?}");
            let (found, text) = kind_and_text(&bench, asked, fault);
            assert_eq!(found, kind, "{shown}: {text}");
            assert!(
                text.starts_with(&expected),
                "{shown}: {text}\nexpected: {expected}"
            );
        }
    }
}

#[test]
fn what_the_services_refuse() {
    let bench = Bench::new();
    for asked in &ALL {
        let (name, place, log_in) = (asked.name, asked.place, asked.log_in);
        let refused = |answer: &str, hint: &str| {
            format!("profile: {name} refused the login ({place}, {answer}, request ID …; {hint}")
        };
        for (fault, kind, expected) in [
            (
                Fault::throttling(),
                "unavailable",
                refused(
                    "HTTP 429): Throttling.User: Request was denied due to user flow control.",
                    "retry later",
                ),
            ),
            (
                Fault::error(500, "InternalError").message("oh"),
                "unavailable",
                refused("HTTP 500): InternalError: oh", "retry later"),
            ),
            (
                Fault::error(400, "Throttling").message("slower"),
                "unavailable",
                refused("HTTP 400): Throttling: slower", "retry later"),
            ),
            (
                Fault::error(403, "Forbidden").message("no"),
                "denied",
                refused("HTTP 403): Forbidden: no", log_in),
            ),
            (
                Fault::redirect(302, "https://example.com/"),
                "denied",
                format!("profile: {name} refused the login ({place}, HTTP 302); {log_in}"),
            ),
        ] {
            let shown = format!("{fault:?}");
            let (found, text) = kind_and_text(&bench, asked, fault);
            assert_eq!((found, text), (kind, expected), "{shown}");
        }
    }
}

#[test]
fn answers_of_no_use() {
    let bench = Bench::new();
    for (asked, field) in [(&ALL[0], "securityToken"), (&ALL[2], "SecurityToken")] {
        let (name, place) = (asked.name, asked.place);
        assert_eq!(
            kind_and_text(&bench, asked, Fault::missing_field(field)),
            (
                "invalid-response",
                format!(
                    "profile: the response from {name} has no SecurityToken ({place}, HTTP 200); retry later"
                )
            )
        );
        assert_eq!(
            kind_and_text(&bench, asked, Fault::expired_credentials()),
            (
                "expired",
                format!(
                    "profile: the credentials had expired when they arrived ({place}, HTTP 200); check the local \
                     clock"
                )
            )
        );
    }
    let (kind, text) = kind_and_text(&bench, &ALL[1], Fault::missing_field("access_token"));
    assert_eq!(
        (kind, text.as_str()),
        (
            "invalid-response",
            "profile: the response from the OAuth service has no access_token (POST https://oauth.aliyun.com/v1/token, \
             HTTP 200); retry later"
        )
    );
}

#[test]
fn nobody_is_there() {
    for (profile, name) in [("OAuth", "the OAuth service"), ("CloudSSO", "CloudSSO")] {
        let mut bench = Bench::new();
        let provider = bench.reading(profile);
        bench.stop_the_cloud();
        let error = ask(&provider).unwrap_err();
        assert_eq!(error.kind(), "unavailable");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("profile: no connection to {name} (POST ")),
            "{text}"
        );
    }
}

#[test]
fn keys_that_live_outlast_a_service_that_does_not_answer() {
    for (profile, service) in [("OAuth", Service::OAuth), ("CloudSSO", Service::CloudSso)] {
        for fault in [
            Fault::throttling(),
            Fault::reset(),
            Fault::garbage(),
            Fault::error(403, "No"),
        ] {
            let bench = Bench::new();
            let provider = bench.reading(profile);
            let first = ask(&provider).unwrap();
            bench.cloud.fault(service, fault.always());
            for _ in 0..11 {
                bench.pass(Duration::from_secs(300));
                assert!(ask(&provider).unwrap().same_key_as(&first));
            }
            bench.pass(Duration::from_secs(300));
            ask(&provider).unwrap_err();
            bench.cloud.clear_faults();
            bench.pass(Duration::from_secs(300));
            assert!(!ask(&provider).unwrap().same_key_as(&first), "{profile}");
        }
    }
}

#[test]
fn a_login_of_cloud_sso_ends() {
    let bench = Bench::new();
    let provider = bench.reading("CloudSSO");
    let first = ask(&provider).unwrap();
    bench.pass(8 * HOUR);
    let error = ask(&provider).unwrap_err();
    assert_eq!(
        (error.kind(), bench.shown(&error)),
        (
            "expired",
            format!(
                "profile: the CloudSSO login of the profile \"CloudSSO\" has expired (config.json); {SSO_LOG_IN}"
            )
        )
    );
    // Logged in again, without a restart.
    let login = bench.cloud.cloud_sso_login();
    let ends = crate::renewal::unix(login.expires_at());
    bench.edit(
        "CloudSSO",
        &json!({ "access_token": login.access_token(), "cloud_sso_access_token_expire": ends }),
    );
    bench.pass(Duration::from_secs(60));
    assert!(!ask(&provider).unwrap().same_key_as(&first));

    // Ended by an administrator, or by a clock that is ahead of ours.
    bench.cloud.end_cloud_sso_logins();
    let error = ask(&bench.reading("CloudSSO")).unwrap_err();
    assert_eq!(
        (error.kind(), bench.shown(&error)),
        (
            "denied",
            format!(
                "profile: CloudSSO refused the login ({SSO}, HTTP 401): InvalidAccessToken: The access token is not \
                 known., request ID …; {SSO_LOG_IN}"
            )
        )
    );
    let bench = Bench::new();
    bench.clock.advance(9 * HOUR);
    let text = bench.shown(&ask(&bench.reading("CloudSSO")).unwrap_err());
    assert!(
        text.contains("AccessTokenExpired") && text.ends_with(SSO_LOG_IN),
        "{text}"
    );
}

#[test]
fn what_a_login_of_cloud_sso_may_not_use_is_said_by_the_service() {
    let bench = Bench::new();
    bench.edit("CloudSSO", &json!({ "cloud_sso_access_config": "ac-other" }));
    let text = bench.shown(&ask(&bench.reading("CloudSSO")).unwrap_err());
    assert!(text.contains("HTTP 403): NoPermission: "), "{text}");
}

/// Keys that are fetched with a clock far off are judged by the service's own.
#[test]
fn keys_are_judged_by_the_services_clock() {
    for (own, services) in [(5 * HOUR, Duration::ZERO), (Duration::ZERO, 5 * HOUR)] {
        let bench = Bench::new();
        bench.own_clock.advance(own);
        bench.clock.advance(services);
        let provider = bench.reading("CloudSSO");
        let credentials = ask(&provider).unwrap();
        bench.owner(&credentials);
        assert!(ask(&provider).unwrap().same_key_as(&credentials));
        bench.pass(Duration::from_secs(3595));
        assert!(!ask(&provider).unwrap().same_key_as(&credentials));
    }
}
