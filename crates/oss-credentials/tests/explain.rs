//! What the report says, and what it never shows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod place;

use oss_credentials::{
    ChainPolicy, Credentials, CredentialsError, ErrorDetail, Explanation, Standing, blocking,
};
use place::{Network, Place, key};

fn explain(place: &Place) -> Explanation {
    blocking::wait(place.provider().explain())
}

fn standings(explanation: &Explanation) -> Vec<(&'static str, Standing)> {
    let members = explanation.members();
    members.map(|member| (member.name(), member.standing())).collect()
}

#[cfg(unix)]
fn set_mode(file: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &std::path::Path, _: u32) {}

/// It is no reason for a warning: Kubernetes mounts secrets so.
#[test]
#[cfg(unix)]
fn keys_that_others_can_read_are_told_of_here_alone() {
    let place = Place::new();
    let config = place.config_json();
    for (mode, told) in [(0o600, false), (0o640, true), (0o604, true), (0o644, true)] {
        set_mode(&config, mode);
        let text = explain(&place).to_string();
        assert_eq!(
            text.contains(", keys; other users may read the file)"),
            told,
            "{text}"
        );
    }
}

#[test]
fn keys_in_the_environment() {
    let place = Place::new();
    place.keys_in_the_environment();
    let explanation = explain(&place);
    assert_eq!(
        explanation.to_string(),
        "default chain: env is in use\n\
         \x20 env           in use: LTAI****-ENV (ALIBABA_CLOUD_ACCESS_KEY_ID), does not expire\n\
         \x20 oidc-rrsa     not configured: neither an OIDC provider nor a token file is named; set \
         ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE and ALIBABA_CLOUD_ROLE_ARN, or the \
         builder's methods for them\n\
         \x20 profile       not asked: the chain ends before it\n\
         \x20 uri           not configured: no credentials URI is set; set uri(..) or ALIBABA_CLOUD_CREDENTIALS_URI\n\
         \x20 ecs-ram-role  not asked: the chain ends before it"
    );
    assert!(place.requests().is_empty(), "nobody else was asked");
}

#[test]
fn temporary_keys_with_their_times_and_the_clock() {
    let place = Place::new();
    place.uri();
    let explanation = explain(&place);
    let text = explanation.to_string();
    let (_, rest) = text.split_once("\n  uri           ").unwrap();
    let (uri, _) = rest.split_once("\n  ecs-ram-role").unwrap();
    // The service's clock is an hour behind: there it is 07:30.
    let mut lines = uri.lines();
    assert_eq!(
        lines.next(),
        Some("in use: STS.****-URI (http://127.0.0.1:6666/keys)")
    );
    assert_eq!(
        lines.next(),
        Some("      expires: 2026-01-01T09:30:00Z (in 7200 s)")
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("      next refresh: 2026-01-01T10:1"),
        "{text}"
    );
    assert_eq!(
        lines.next(),
        Some("      clock: this machine's is 3600 s ahead of the service's")
    );
    assert_eq!(lines.next(), None);
    let member = explanation.in_use().unwrap();
    assert_eq!((member.name(), member.standing()), ("uri", Standing::InUse));
    assert_eq!(member.clock_offset().unwrap().as_secs(), -3600);
    assert!(member.next_refresh().is_some() && explanation.error().is_none());
}

#[test]
fn the_file_and_the_profile_that_were_read() {
    let place = Place::new();
    let config = place.config_json();
    set_mode(&config, 0o600);
    let explanation = explain(&place);
    let member = explanation.in_use().unwrap();
    let read = format!("{}, profile \"work\", keys", config.display());
    assert_eq!(member.place(), Some(read.as_str()));
    let text = explanation.to_string();
    assert!(
        text.contains(&format!(
            "\n  profile       in use: STS.****FILE ({read}), with a token whose expiry is not known\n"
        )),
        "{text}"
    );
}

/// What a profile asks for has a cache of its own.
#[test]
fn the_refresh_behind_a_profile() {
    let place = Place::new();
    place.rrsa();
    let token = place.home.path().join("token");
    let ini = format!(
        "[default]\ntype = oidc_role_arn\nrole_arn = acs:ram::123456789012:role/example\n\
         oidc_provider_arn = acs:ram::123456789012:oidc-provider/example\noidc_token_file_path = {}\n",
        token.display()
    );
    let file = place.file(".alibabacloud/credentials.ini", &ini);
    let provider = place.builder().only("profile").build().unwrap();
    let explanation = blocking::wait(provider.explain());
    let member = explanation.in_use().unwrap();
    assert_eq!(member.source(), Some("oidc-rrsa"));
    assert!(member.next_refresh().is_some());
    let read = format!(
        "{}, profile \"default\", oidc-rrsa, https://sts.aliyuncs.com",
        file.display()
    );
    assert_eq!(member.place(), Some(read.as_str()));
    // Once, although the source has the same name.
    let text = explanation.to_string();
    assert!(text.contains(&format!("({read})\n")), "{text}");

    // The error is about the service, and says which file leads there.
    place.network(Network::Failing);
    let provider = place.builder().only("profile").build().unwrap();
    let explanation = blocking::wait(provider.explain());
    let member = explanation.members().next().unwrap();
    assert_eq!(
        (member.standing(), member.place()),
        (Standing::Failed, Some(read.as_str()))
    );
    let text = explanation.to_string();
    assert!(
        text.contains("profile  failed: oidc-rrsa: ")
            && text.contains(&format!(
                "; configured by the section \"default\" in {}\n",
                file.display()
            )),
        "{text}"
    );
}

#[test]
fn a_broken_member_says_why_and_what_to_do() {
    let place = Place::with(Network::Failing);
    place.rrsa();
    place.uri();
    let explanation = explain(&place);
    assert_eq!(
        standings(&explanation),
        [
            ("env", Standing::NotConfigured),
            ("oidc-rrsa", Standing::Failed),
            ("profile", Standing::NotAsked),
            ("uri", Standing::NotAsked),
            ("ecs-ram-role", Standing::NotAsked),
        ]
    );
    assert_eq!(explanation.error().unwrap().kind(), "unavailable");
    let text = explanation.to_string();
    assert!(
        text.starts_with("default chain: no credentials, since oidc-rrsa failed\n"),
        "{text}"
    );
    assert!(text.contains("HTTP 500"), "{text}");
    assert!(text.contains("\n      next attempt: 2026-01-01T08:30:"), "{text}");
    // One exchange tells it all; the report caused no other.
    let asked = place
        .requests()
        .iter()
        .filter(|host| host.starts_with("sts"))
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn with_nothing_set_up_each_member_says_what_it_looked_for() {
    let place = Place::with(Network::BlackHole);
    let explanation = explain(&place);
    assert!(explanation.in_use().is_none());
    assert!(matches!(
        explanation.error(),
        Some(CredentialsError::NoProvider(_))
    ));
    let text = explanation.to_string();
    assert!(
        text.starts_with(
            "default chain: no credentials: configure one of these\n  env           not configured: "
        ),
        "{text}"
    );
    for looked_for in [
        "OSS_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
        "config.json",
        "credentials.ini",
        "ALIBABA_CLOUD_CREDENTIALS_URI",
        "http://100.100.100.200",
    ] {
        assert!(text.contains(looked_for), "{looked_for}: {text}");
    }
}

#[test]
fn whoever_wants_to_know_sees_what_stands_behind() {
    let place = Place::new();
    place.keys_in_the_environment();
    place.config_json();
    place.uri();
    let provider = place.provider();
    let explanation = blocking::wait(provider.explain_all());
    assert_eq!(
        standings(&explanation),
        [
            ("env", Standing::InUse),
            ("oidc-rrsa", Standing::NotConfigured),
            ("profile", Standing::Available),
            ("uri", Standing::Available),
            ("ecs-ram-role", Standing::Available),
        ]
    );
    // Looking around changes nothing.
    assert_eq!(provider.answered(), Some("env"));
    assert_eq!(key(&provider).unwrap(), "LTAI5tEXAMPLE-ENV");
}

#[test]
fn pins_and_the_policy_of_the_vendors_sdks_are_told() {
    let place = Place::new();
    place.uri();
    let builder = place.builder().only("uri").policy(ChainPolicy::ContinueOnFailure);
    let explanation = blocking::wait(builder.build().unwrap().explain());
    assert_eq!(explanation.pinned_by(), Some("only(..)"));
    assert!(
        explanation.to_string().starts_with(
            "default chain: uri is in use (pinned by only(..): no other member is asked)\n\
             \x20 policy: after a failure the chain continues, and the identity may change\n"
        ),
        "{explanation}"
    );
    // A program names its own flag.
    let builder = place.builder().only("uri").only_label("--member");
    let explanation = blocking::wait(builder.build().unwrap().explain());
    assert_eq!(explanation.pinned_by(), Some("--member"));
}

#[test]
fn causes_are_told() {
    let place = Place::new();
    let detail =
        ErrorDetail::builder("vault", "no answer").source(std::io::Error::other("refused\nby\u{1b} it"));
    let vault: Result<Credentials, _> = Err(CredentialsError::unavailable(detail));
    let builder = place.builder().member("vault", vault).only("vault");
    let text = blocking::wait(builder.build().unwrap().explain()).to_string();
    assert!(
        text.ends_with("\n  vault  failed: no answer\n      because: refused\n      by  it"),
        "{text}"
    );
}

/// Every member, in use and failing: no secret, token or query in any form of the report.
#[test]
fn no_secret_is_shown() {
    for network in [Network::Works, Network::Failing, Network::BlackHole] {
        let place = Place::with(network);
        place.keys_in_the_environment();
        place.env.set("ALIBABA_CLOUD_SECURITY_TOKEN", "canary-env-token");
        place.rrsa();
        place.config_json();
        place.credentials_ini();
        place.uri();
        let names = ["env", "oidc-rrsa", "profile", "uri", "ecs-ram-role"];
        for first in names {
            let mut order = vec![first];
            order.extend(names.into_iter().filter(|name| *name != first));
            let provider = place.builder().order(order).build().unwrap();
            let explanation = blocking::wait(provider.explain_all());
            let shown = format!("{explanation}\n{explanation:?}\n{explanation:#?}\n{provider:?}");
            #[cfg(feature = "json")]
            let shown = shown + &explanation.to_json();
            assert!(!shown.contains("canary"), "{network:?}, {first}: {shown}");
            assert!(shown.contains(first));
        }
    }
}

#[cfg(feature = "json")]
#[test]
fn programs_get_json() {
    let place = Place::with(Network::Works);
    place.uri();
    let told: serde_json::Value = serde_json::from_str(&explain(&place).to_json()).unwrap();
    assert_eq!(told["in_use"], "uri");
    assert_eq!(told["policy"], "stop-on-failure");
    assert!(told["error"].is_null() && told["pinned_by"].is_null());
    let member = &told["members"][3];
    assert_eq!(member["standing"], "in use");
    assert_eq!(member["access_key_id"], "STS.****-URI");
    assert_eq!(member["expires_at"], "2026-01-01T09:30:00Z");
    assert_eq!(member["clock_offset_seconds"], -3600);
    assert_eq!(member["place"], "http://127.0.0.1:6666/keys");

    place.network(Network::Failing);
    let told: serde_json::Value = serde_json::from_str(&explain(&place).to_json()).unwrap();
    assert!(told["in_use"].is_null());
    assert_eq!(told["error"]["kind"], "unavailable");
    let error = &told["members"][3]["error"];
    assert_eq!(
        (&error["provider"], &error["http_status"]),
        (&"uri".into(), &500.into())
    );
    assert_eq!(told["members"][3]["place"], "http://127.0.0.1:6666/keys");
    assert!(error["hint"].is_string());
    assert_eq!(told["members"][0]["error"]["kind"], "not-configured");
}

/// Who writes a variable or a file's name must not write to the terminal of whoever reads the report.
#[cfg(unix)]
#[test]
fn no_control_character_is_shown() {
    let odd = "o\u{1b}]0;x\u{7}dd\u{9b}31m\r\n\u{202e}";
    let place = Place::new();
    let keys = "type = access_key\naccess_key_id = LTAI5tEXAMPLE-INI\naccess_key_secret = EXAMPLE\n";
    let text = format!("[{}]\n{keys}", odd.replace(['\r', '\n'], ""));
    let file = place.file(&format!("{odd}.ini"), &text);
    let token = place.file(&format!("{odd}.token"), "canary.oidc.token");
    let (file, token) = (file.to_str().unwrap(), token.to_str().unwrap());
    let cases: [&[(&str, &str)]; 9] = [
        &[
            ("ALIBABA_CLOUD_CREDENTIALS_FILE", file),
            ("ALIBABA_CLOUD_PROFILE", &odd.replace(['\r', '\n'], "")),
        ],
        &[("ALIBABA_CLOUD_CREDENTIALS_FILE", file)],
        &[("ALIBABA_CLOUD_CONFIG_FILE", odd)],
        &[("ALIBABA_CLOUD_PROFILE", odd)],
        &[("HOME", odd)],
        &[
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token),
            (
                "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
                "acs:ram::123456789012:oidc-provider/example",
            ),
            ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::123456789012:role/example"),
        ],
        &[
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", odd),
            ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", odd),
            ("ALIBABA_CLOUD_ROLE_ARN", odd),
        ],
        &[("ALIBABA_CLOUD_CREDENTIALS_URI", odd)],
        &[("ALIBABA_CLOUD_ECS_METADATA", odd)],
    ];
    for variables in cases {
        for (name, value) in variables {
            place.env.set(*name, *value);
        }
        let provider = place.builder().build().unwrap();
        let explanation = blocking::wait(provider.explain_all());
        let shown = format!("{explanation}");
        let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!shown.contains(bad), "{variables:?}: {}", shown.escape_debug());
        for member in explanation.members() {
            let told = member.place().unwrap_or_default();
            assert!(!told.contains(|c| bad(c) || c == '\n'), "{variables:?}: {told:?}");
        }
        for (name, _) in variables {
            place.env.unset(name);
        }
        place.env.set("HOME", place.home.path().to_str().unwrap());
    }
}
