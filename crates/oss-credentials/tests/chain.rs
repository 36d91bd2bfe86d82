//! Who answers, what stops the chain, and how the members are chosen.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod place;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials::http::{HttpRequest, http_fn};
use oss_credentials::{
    ChainPolicy, Clock as _, Credentials, CredentialsError, CredentialsProvider, DEFAULT_ORDER,
    DefaultProvider, ENV_CREDENTIALS_PROVIDER, ErrorDetail, Invalidation, blocking,
};
use place::{NOW, Network, Place, key};

/// Each step takes away what answered before.
#[test]
fn the_order_is_environment_oidc_profile_uri_metadata() {
    let place = Place::new();
    place.keys_in_the_environment();
    place.rrsa();
    let config = place.config_json();
    let ini = place.credentials_ini();
    place.uri();
    assert_eq!(place.key().unwrap(), "LTAI5tEXAMPLE-ENV");
    assert!(place.requests().is_empty());

    place.env.unset("ALIBABA_CLOUD_ACCESS_KEY_ID");
    place.env.unset("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
    assert_eq!(place.key().unwrap(), "STS.EXAMPLE-OIDC");
    place.env.unset("ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
    place.env.unset("ALIBABA_CLOUD_OIDC_TOKEN_FILE");
    assert_eq!(place.key().unwrap(), "STS.EXAMPLE-PROFILE");
    std::fs::remove_file(config).unwrap();
    assert_eq!(place.key().unwrap(), "LTAI5tEXAMPLE-INI");
    std::fs::remove_file(ini).unwrap();
    // In the vendor's SDKs instance metadata would win here.
    assert_eq!(place.key().unwrap(), "STS.EXAMPLES-URI");
    place.env.unset("ALIBABA_CLOUD_CREDENTIALS_URI");
    assert_eq!(place.key().unwrap(), "STS.EXAMPLE-ECS");
    // The role ARN alone, which is still set, says nothing.
    assert_eq!(
        place
            .requests()
            .iter()
            .filter(|host| host.starts_with("sts"))
            .count(),
        1
    );
}

/// What a local cloud sets. Without it the chain would ask the real services.
#[test]
fn variables_name_the_hosts_of_sts_and_metadata() {
    const STS: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
    const METADATA: &str = "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT";
    let asked = |place: &Place| {
        let provider = place.provider();
        place.network(Network::Failing);
        assert!(key(&provider).is_err());
        let report = blocking::wait(provider.explain()).to_string();
        (place.requests().first().cloned().unwrap_or_default(), report)
    };
    let place = Place::new();
    place.env.set(STS, "http://127.0.0.1:7001");
    place.env.set(METADATA, "http://127.0.0.1:7002");
    assert_eq!(asked(&place).0, "127.0.0.1:7002");

    let place = Place::new();
    place.rrsa();
    place.env.set(STS, "http://127.0.0.1:7001");
    let (host, report) = asked(&place);
    assert_eq!(host, "127.0.0.1:7001");
    assert!(report.contains("http://127.0.0.1:7001"), "{report}");
    // Also where nothing fails.
    place.network(Network::Works);
    let report = blocking::wait(place.provider().explain()).to_string();
    assert!(report.contains("/token, session "), "{report}");
    assert!(report.contains(", http://127.0.0.1:7001)"), "{report}");

    // A profile's own comes first, then the variable.
    for (own, expected) in [
        ("", "127.0.0.1:7001"),
        (r#", "sts_endpoint": "sts.example.com""#, "sts.example.com"),
    ] {
        let place = Place::new();
        let text = format!(
            r#"{{"current": "x", "profiles": [{{"name": "x", "mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s",
                "ram_role_arn": "acs:ram::1:role/r"{own}}}]}}"#
        );
        place.file(".aliyun/config.json", &text);
        place.env.set(STS, "http://127.0.0.1:7001");
        let (host, report) = asked(&place);
        assert_eq!(host, expected);
        assert!(report.contains(expected), "{report}");
    }
    let place = Place::new();
    place.file(
        ".alibabacloud/credentials.ini",
        "[default]\ntype = ecs_ram_role\n",
    );
    place.env.set(METADATA, "http://127.0.0.1:7002");
    assert_eq!(asked(&place).0, "127.0.0.1:7002");

    // Any other host is refused, and nobody is asked.
    let place = Place::new();
    place.rrsa();
    place.env.set(STS, "https://sts.example.com");
    let error = place.key().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert!(
        error.to_string().contains(STS) && error.to_string().contains("endpoint(..)"),
        "{error}"
    );
    let place = Place::new();
    place.env.set(METADATA, "http://169.254.1.1");
    let error = place.key().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert!(
        error.to_string().contains(METADATA) && error.to_string().contains("endpoint(..)"),
        "{error}"
    );
    assert!(place.requests().is_empty());
}

/// A chain must not go on to another identity.
#[test]
fn a_chain_that_may_run_no_program_stops_at_a_profile_that_needs_one() {
    let place = Place::new();
    place.uri();
    for profiles in [
        r#"{"name": "x", "mode": "External", "process_command": "/nowhere/canary"}"#,
        r#"{"name": "x", "mode": "ChainableRamRoleArn", "source_profile": "y", "ram_role_arn": "acs:ram::1:role/r"},
           {"name": "y", "mode": "External", "process_command": "/nowhere/canary"}"#,
    ] {
        place.file(
            ".aliyun/config.json",
            &format!(r#"{{"current": "x", "profiles": [{profiles}]}}"#),
        );
        let provider = place.builder().allow_programs(false).build().unwrap();
        let error = key(&provider).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("runs a program, which allow_programs(false) forbids"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn keys_in_the_environment_cost_neither_a_request_nor_a_file() {
    let place = Place::new();
    place.keys_in_the_environment();
    place.uri();
    // Whoever read these would fail.
    place.env.set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/nowhere/token");
    place
        .env
        .set("ALIBABA_CLOUD_CREDENTIALS_FILE", "/nowhere/credentials.ini");
    place.file(".aliyun/config.json", "{ broken");
    let http = http_fn(|request: HttpRequest| async move { panic!("a request: {request:?}") });
    let provider = DefaultProvider::builder()
        .env(Arc::clone(&place.env))
        .http_client(http)
        .build()
        .unwrap();
    assert_eq!(key(&provider).unwrap(), "LTAI5tEXAMPLE-ENV");
    assert_eq!(provider.answered(), Some("env"));
    assert_eq!(provider.cached().unwrap().access_key_id(), "LTAI5tEXAMPLE-ENV");
}

#[test]
fn a_cached_answer_allocates_nothing() {
    let place = Place::new();
    place.uri();
    let provider = place.provider();
    key(&provider).unwrap();
    let counted = allocation_counter::measure(|| {
        assert!(provider.cached().is_some());
        assert!(provider.credentials().into_ready().is_ok());
    });
    assert_eq!(counted.count_total, 0);
}

/// A member, what sets it up badly, the kind of the error, and how its text begins.
type Case = (&'static str, fn(&Place), &'static str, &'static str);

/// With something behind that would answer: nobody gets there.
#[test]
fn half_set_and_failing_members_stop_the_chain() {
    let cases: [Case; 5] = [
        (
            "env",
            |place| place.env.set("OSS_ACCESS_KEY_ID", "LTAI5tEXAMPLE-HALF"),
            "invalid-config",
            "env: OSS_ACCESS_KEY_ID is set, but OSS_ACCESS_KEY_SECRET is not or is empty; set \
             OSS_ACCESS_KEY_SECRET, or unset OSS_ACCESS_KEY_ID",
        ),
        (
            "oidc-rrsa",
            |place| place.env.set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/nowhere/token"),
            "invalid-config",
            "oidc-rrsa: there is an OIDC token file, but no role ARN and no OIDC provider ARN (/nowhere/token); ",
        ),
        (
            "profile",
            |place| drop(place.file(".aliyun/config.json", "{ broken")),
            "invalid-config",
            "profile: the CLI's configuration is not the JSON that was expected (line 1, column 3) (",
        ),
        (
            "profile",
            |place| place.env.set("ALIBABA_CLOUD_PROFILE", "nobody"),
            "invalid-config",
            "profile: there is no profile \"nobody\" (",
        ),
        (
            "uri",
            |place| {
                place
                    .env
                    .set("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:6666/keys");
                place.network(Network::Failing);
            },
            "unavailable",
            "uri: the credentials URI returned an error (GET http://127.0.0.1:6666/keys, HTTP 500); ",
        ),
    ];
    for (member, set_up, kind, text) in cases {
        let place = Place::new();
        set_up(&place);
        let behind = || Credentials::builder("LTAI5tEXAMPLE-BEHIND", "secret").build();
        let provider = place.builder().member("behind", behind()).build().unwrap();
        let error = key(&provider).unwrap_err();
        assert_eq!(error.kind(), kind, "{member}: {error}");
        assert!(error.to_string().starts_with(text), "{member}: {error}");
        assert_eq!(provider.answered(), None);
        // The vendor's SDKs go on.
        let builder = place.builder().policy(ChainPolicy::ContinueOnFailure);
        let order = [member, "behind"];
        let provider = builder.member("behind", behind()).order(order).build().unwrap();
        assert_eq!(key(&provider).unwrap(), "LTAI5tEXAMPLE-BEHIND", "{member}");
    }
}

#[test]
fn off_cloud_with_nothing_set_up_it_says_so_within_a_second_and_a_half() {
    for network in [Network::BlackHole, Network::Silent] {
        let place = Place::with(network);
        let error = place.key().unwrap_err();
        let took = place.clock.now().duration_since(start()).unwrap();
        assert!(took <= Duration::from_millis(1500), "{network:?}: {took:?}");
        assert!(took > Duration::ZERO, "{network:?}: nothing was asked");
        let CredentialsError::NoProvider(report) = &error else {
            panic!("{network:?}: {error}")
        };
        assert_eq!(
            report.reasons().map(|(name, _)| name).collect::<Vec<_>>(),
            DEFAULT_ORDER
        );
        // Each line says what would set the member up.
        for (name, reason) in report.reasons() {
            assert!(reason.detail().unwrap().hint().is_some(), "{name}");
        }
        let text = error.to_string();
        assert!(
            text.contains("\n  env: no access key pair is set (OSS_ACCESS_KEY_ID and "),
            "{text}"
        );
        assert!(
            text.contains(".aliyun/config.json: there is no such file"),
            "{text}"
        );
    }
}

/// Nothing is set up on such an instance: the chain says so, and a member behind may answer.
#[test]
fn an_instance_without_a_role_is_not_set_up() {
    let place = Place::with(Network::NoRole);
    let error = place.key().unwrap_err();
    let CredentialsError::NoProvider(report) = &error else {
        panic!("{error}")
    };
    let (member, reason) = report.reasons().last().unwrap();
    assert_eq!(member, "ecs-ram-role");
    assert!(
        reason
            .to_string()
            .starts_with("ecs-ram-role: no RAM role is attached to this instance ("),
        "{reason}"
    );
    let behind = Credentials::builder("LTAI5tEXAMPLE-BEHIND", "secret").build();
    let provider = place.builder().member("behind", behind).build().unwrap();
    assert_eq!(key(&provider).unwrap(), "LTAI5tEXAMPLE-BEHIND");
    // Whoever pins the member, or names a role, says that there is one.
    let pinned = place.builder().only("ecs-ram-role").build().unwrap();
    assert!(matches!(key(&pinned), Err(CredentialsError::Denied(_))));
}

/// Else the identity would change when somebody takes the role away.
#[test]
fn a_role_that_is_taken_away_stops_the_chain() {
    let place = Place::new();
    let behind = Credentials::builder("LTAI5tEXAMPLE-BEHIND", "secret").build();
    let provider = place.builder().member("behind", behind).build().unwrap();
    assert_eq!(key(&provider).unwrap(), "STS.EXAMPLE-ECS");
    place.network(Network::NoRole);
    place.advance(7 * 3600);
    assert!(matches!(key(&provider), Err(CredentialsError::Denied(_))));
    assert_eq!(provider.answered(), Some("ecs-ram-role"));
}

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// A client that was stuck after one failure asked nobody but its last member from then on.
#[test]
fn what_is_set_up_after_a_failure_is_found() {
    let place = Place::with(Network::BlackHole);
    let provider = place.provider();
    assert!(matches!(key(&provider), Err(CredentialsError::NoProvider(_))));
    place.keys_in_the_environment();
    assert_eq!(key(&provider).unwrap(), "LTAI5tEXAMPLE-ENV");
}

#[test]
fn the_member_that_answered_stays() {
    let place = Place::new();
    place.uri();
    let provider = place.provider();
    assert_eq!(key(&provider).unwrap(), "STS.EXAMPLES-URI");
    place.keys_in_the_environment();
    assert_eq!(key(&provider).unwrap(), "STS.EXAMPLES-URI");
    // Not even when it fails is anybody else asked.
    place.network(Network::Failing);
    place.advance(3 * 3600);
    assert!(key(&provider).is_err());
    assert_eq!(provider.answered(), Some("uri"));
}

#[test]
fn a_variable_pins_one_member() {
    let place = Place::new();
    place.keys_in_the_environment();
    place.rrsa();
    place.env.set(ENV_CREDENTIALS_PROVIDER, "oidc-rrsa");
    let provider = place.provider();
    assert_eq!(provider.member_names().collect::<Vec<_>>(), ["oidc-rrsa"]);
    assert_eq!(key(&provider).unwrap(), "STS.EXAMPLE-OIDC");
    place.env.set(ENV_CREDENTIALS_PROVIDER, "");
    assert_eq!(place.key().unwrap(), "LTAI5tEXAMPLE-ENV");
}

/// As core has them: a program that takes this crate needs no second line in its Cargo.toml for them.
#[cfg(all(feature = "http", feature = "test-util"))]
#[test]
fn the_features_of_core_are_at_hand() {
    use oss_credentials::http::HttpRequest;
    use oss_credentials::test_util::ManualClock;

    let request: ::http::Request<Vec<u8>> = HttpRequest::get("http://127.0.0.1/").try_into().unwrap();
    assert_eq!(request.uri(), "http://127.0.0.1/");
    assert_eq!(
        oss_credentials::Clock::now(&ManualClock::at_unix(place::NOW)),
        std::time::UNIX_EPOCH + std::time::Duration::from_secs(place::NOW)
    );
}

#[test]
fn a_pin_that_names_nobody_lists_the_names() {
    let place = Place::new();
    let longest = "a-name-of-32-characters-and-none";
    let too_long = format!("{longest}s");
    for (pin, what) in [
        ("ecs", "there is no member \"ecs\" in the chain"),
        (
            longest,
            "there is no member \"a-name-of-32-characters-and-none\" in the chain",
        ),
        // It may be a key in the wrong place.
        (too_long.as_str(), "there is no member of this name in the chain"),
        ("CANARY", "there is no member of this name in the chain"),
        ("canary key", "there is no member of this name in the chain"),
    ] {
        place.env.set("ALIBABA_CLOUD_CREDENTIALS_PROVIDER", pin);
        let error = place.builder().build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)));
        assert_eq!(
            error.to_string(),
            format!(
                "default: {what} (ALIBABA_CLOUD_CREDENTIALS_PROVIDER); take one of: env, oidc-rrsa, profile, uri, \
                 ecs-ram-role"
            )
        );
    }
    // A member that the program dropped cannot be pinned.
    place.env.set(ENV_CREDENTIALS_PROVIDER, "uri");
    let error = place.builder().without("uri").build().unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("take one of: env, oidc-rrsa, profile, ecs-ram-role"),
        "{error}"
    );
    // What code says comes first.
    let provider = place.builder().only("env").build().unwrap();
    assert_eq!(provider.member_names().collect::<Vec<_>>(), ["env"]);
}

/// Else a chain around this one would go on to another identity.
#[test]
fn a_pinned_member_that_is_not_set_up_is_an_error() {
    let place = Place::with(Network::BlackHole);
    place.env.set(ENV_CREDENTIALS_PROVIDER, "oidc-rrsa");
    let error = place.key().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "default: oidc-rrsa is pinned by ALIBABA_CLOUD_CREDENTIALS_PROVIDER, and neither an OIDC provider nor a \
         token file is named; set ALIBABA_CLOUD_OIDC_PROVIDER_ARN, ALIBABA_CLOUD_OIDC_TOKEN_FILE and \
         ALIBABA_CLOUD_ROLE_ARN, or the builder's methods for them"
    );
    let profile = key(&place.builder().only("profile").build().unwrap()).unwrap_err();
    assert!(
        profile
            .to_string()
            .starts_with("default: profile is pinned by only(..), and no file has a profile to use"),
        "{profile}"
    );
    // It must be there, so that nobody listening is an outage.
    let metadata = key(&place.builder().only("ecs-ram-role").build().unwrap()).unwrap_err();
    assert!(matches!(metadata, CredentialsError::Unavailable(_)), "{metadata}");
}

#[test]
fn members_can_be_ordered_dropped_replaced_and_added() {
    let place = Place::new();
    place.uri();
    let own = |id: &str| Credentials::builder(id, "secret").build();
    let names = |provider: &DefaultProvider| provider.member_names().collect::<Vec<_>>();

    let provider = place.builder().order(["ecs-ram-role", "uri"]).build().unwrap();
    assert_eq!(key(&provider).unwrap(), "STS.EXAMPLE-ECS");
    let provider = place.builder().without("uri").without("env").build().unwrap();
    assert_eq!(names(&provider), ["oidc-rrsa", "profile", "ecs-ram-role"]);
    let provider = place
        .builder()
        .member("vault", own("LTAI5tEXAMPLE-VAULT"))
        .build()
        .unwrap();
    assert_eq!(names(&provider).last(), Some(&"vault"));
    assert_eq!(key(&provider).unwrap(), "STS.EXAMPLES-URI");
    // In the place of the default member of that name.
    let provider = place
        .builder()
        .member("env", own("LTAI5tEXAMPLE-MINE"))
        .build()
        .unwrap();
    assert_eq!(names(&provider), DEFAULT_ORDER);
    assert_eq!(key(&provider).unwrap(), "LTAI5tEXAMPLE-MINE");
    // A member that is an error from the beginning answers with it.
    let broken: Result<Credentials, _> =
        Err(CredentialsError::denied(ErrorDetail::builder("vault", "sealed")));
    let provider = place
        .builder()
        .member("vault", broken)
        .only("vault")
        .build()
        .unwrap();
    assert_eq!(
        key(&provider).unwrap_err().to_string(),
        "vault: sealed; the chain stops at vault, its last member"
    );

    let twice = place.builder().order(["uri", "uri"]).build().unwrap_err();
    assert_eq!(
        twice.to_string(),
        "default: \"uri\" is named twice (order(..)); name it once"
    );
    for wrong in [
        place.builder().order(["url"]),
        place.builder().without("url"),
        place.builder().only("url"),
    ] {
        assert!(matches!(wrong.build(), Err(CredentialsError::InvalidConfig(_))));
    }
}

/// The chain passes a rejected key on to the member that handed it out.
#[test]
fn a_rejected_key_is_fetched_again() {
    let place = Place::new();
    place.uri();
    let provider = place.provider();
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(provider.refresh_status().unwrap().fetches(), 1);
    assert_eq!(provider.invalidate(&credentials), Invalidation::Dropped);
    assert!(provider.cached().is_none());
    key(&provider).unwrap();
    assert_eq!(provider.refresh_status().unwrap().fetches(), 2);
}
