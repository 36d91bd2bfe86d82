//! Behaviour through the public API: what is read from where, and how the last invocation is kept.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::{FakeEnv, ManualClock, PanickingEnv};
use oss_credentials_core::{
    ChainProvider, Credentials, CredentialsError, CredentialsProvider, Invalidation, blocking,
};
use oss_credentials_fc_context::{FcContext, FcContextProvider, MAX_TOKEN_LIFETIME};

const HEADERS: [&str; 3] = [
    "x-fc-access-key-id",
    "x-fc-access-key-secret",
    "x-fc-security-token",
];
const VARIABLES: [&str; 3] = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
];
const OLD_VARIABLES: [&str; 3] = ["accessKeyID", "accessKeySecret", "securityToken"];
const CAMEL: [&str; 3] = ["accessKeyId", "accessKeySecret", "securityToken"];
const SNAKE: [&str; 3] = ["access_key_id", "access_key_secret", "security_token"];

const VALUES: [&str; 3] = ["STS.NUExampleCanaryId", "canary-secret", "canary-token"];

type Read = fn([Option<&str>; 3]) -> Result<FcContext, CredentialsError>;

fn set<'a>(names: [&'a str; 3], values: [Option<&'a str>; 3]) -> Vec<(&'a str, &'a str)> {
    let pairs = names.into_iter().zip(values);
    pairs.filter_map(|(name, value)| Some((name, value?))).collect()
}

fn from_headers(values: [Option<&str>; 3]) -> Result<FcContext, CredentialsError> {
    FcContext::from_headers(set(HEADERS, values))
}

fn from_env(values: [Option<&str>; 3]) -> Result<FcContext, CredentialsError> {
    FcContext::from_env(&set(VARIABLES, values).into_iter().collect::<FakeEnv>())
}

fn from_old_env(values: [Option<&str>; 3]) -> Result<FcContext, CredentialsError> {
    FcContext::from_env(&set(OLD_VARIABLES, values).into_iter().collect::<FakeEnv>())
}

fn json(names: [&str; 3], values: [Option<&str>; 3]) -> String {
    let fields = set(names, values)
        .into_iter()
        .map(|(name, value)| format!("{name:?}: {value:?}"));
    let fields = fields.collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"requestId": "1", "credentials": {{{fields}}}, "function": {{"name": "f", "memory": 128}},
           "region": "cn-hangzhou", "accountId": "123456789012"}}"#
    )
}

fn from_camel(values: [Option<&str>; 3]) -> Result<FcContext, CredentialsError> {
    FcContext::from_json(json(CAMEL, values))
}

fn from_snake(values: [Option<&str>; 3]) -> Result<FcContext, CredentialsError> {
    FcContext::from_json(json(SNAKE, values))
}

/// How each kind of context is made, and the names that its errors use.
const READERS: [(Read, [&str; 3]); 5] = [
    (from_headers, HEADERS),
    (from_env, VARIABLES),
    (from_old_env, OLD_VARIABLES),
    (
        from_camel,
        [
            "credentials.accessKeyId",
            "credentials.accessKeySecret",
            "credentials.securityToken",
        ],
    ),
    (
        from_snake,
        [
            "credentials.accessKeyId",
            "credentials.accessKeySecret",
            "credentials.securityToken",
        ],
    ),
];

fn ask(provider: &FcContextProvider) -> Result<Credentials, CredentialsError> {
    blocking::wait(provider.credentials())
}

/// What an invocation with this key brings.
fn invocation(id: &str) -> FcContext {
    from_headers([Some(id), Some("canary-secret"), Some("canary-token")]).unwrap()
}

/// What an instance that was started with this key has.
fn instance(id: &str) -> FcContext {
    from_env([Some(id), Some("canary-secret"), Some("canary-token")]).unwrap()
}

fn id_of(provider: &FcContextProvider) -> String {
    ask(provider).unwrap().access_key_id().to_owned()
}

#[test]
fn all_three_values_make_credentials_without_expiry() {
    for (read, _) in READERS {
        let provider = FcContextProvider::from(read(VALUES.map(Some)).unwrap());
        assert_eq!(provider.name(), "fc-context");
        let credentials = ask(&provider).unwrap();
        assert_eq!(credentials.access_key_id(), "STS.NUExampleCanaryId");
        assert_eq!(credentials.access_key_secret(), "canary-secret");
        assert_eq!(credentials.security_token(), Some("canary-token"));
        assert_eq!(credentials.expires_at(), None);
        assert_eq!(credentials.source(), "fc-context");
        assert_eq!(provider.cached().unwrap().access_key_secret(), "canary-secret");
    }
}

#[test]
fn the_short_forms_read_the_same() {
    let env: FakeEnv = set(VARIABLES, VALUES.map(Some)).into_iter().collect();
    for provider in [
        FcContextProvider::from_headers(set(HEADERS, VALUES.map(Some))),
        FcContextProvider::from_json(json(CAMEL, VALUES.map(Some))),
        FcContextProvider::from_env(&env),
    ] {
        assert_eq!(id_of(&provider.unwrap()), "STS.NUExampleCanaryId");
    }
}

#[test]
fn some_of_the_values_are_an_error_that_names_the_missing() {
    for (read, names) in READERS {
        for present in 1..7_u8 {
            let values = [0, 1, 2].map(|at| (present >> at & 1 == 1).then_some(VALUES[at]));
            let empty_instead = values.map(|value| value.or(Some("")));
            for error in [read(values).unwrap_err(), read(empty_instead).unwrap_err()] {
                assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
                let shown = error.to_string();
                let (there, missing) = shown.split_once(" there, but ").unwrap();
                for (at, name) in names.into_iter().enumerate() {
                    let part = if values[at].is_some() { there } else { missing };
                    assert!(part.contains(name), "{name}: {shown}");
                }
                assert!(
                    !format!("{error:?} {shown}").to_lowercase().contains("canary"),
                    "{error:?}"
                );
            }
        }
    }
    assert_eq!(
        from_env([Some("canary"), Some("canary"), None])
            .unwrap_err()
            .to_string(),
        "fc-context: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are there, but \
         ALIBABA_CLOUD_SECURITY_TOKEN is not or is empty; leave all three to the platform; for your own access key pair use the provider env"
    );
}

#[test]
fn nothing_is_not_configured() {
    for (read, _) in READERS {
        for values in [[None; 3], [Some(""); 3]] {
            let error = read(values).unwrap_err();
            assert!(error.is_not_configured(), "{error:?}");
        }
    }
    for json in [
        "{}",
        r#"{"credentials": null}"#,
        r#"{"credentials": {"other": 1}}"#,
    ] {
        let error = FcContext::from_json(json).unwrap_err();
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "fc-context: the context contains no credentials (credentials); give the function a RAM role"
        );
    }
    assert_eq!(
        from_headers([None; 3]).unwrap_err().to_string(),
        "fc-context: the invocation's headers contain no credentials (x-fc-access-key-id, x-fc-access-key-secret, \
         x-fc-security-token); give the function a RAM role"
    );
    assert_eq!(
        from_env([None; 3]).unwrap_err().to_string(),
        "fc-context: the environment contains no credentials (ALIBABA_CLOUD_ACCESS_KEY_ID, \
         ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN, or accessKeyID, accessKeySecret, \
         securityToken); give the function a RAM role, or pass the headers of the invocation"
    );
}

#[test]
fn values_that_cannot_be_keys_are_refused_with_their_name() {
    for (read, names) in READERS {
        for (broken, what) in ["the access key ID", "the access key secret", "the security token"]
            .iter()
            .enumerate()
        {
            let mut values = VALUES.map(str::to_owned);
            values[broken].push(' ');
            let error = read(values.each_ref().map(|value| Some(value.as_str()))).unwrap_err();
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
            assert_eq!(
                error.to_string(),
                format!(
                    "fc-context: {what} begins or ends with white space ({}); pass the value exactly as the \
                     platform gave it",
                    names[broken]
                )
            );
            assert!(
                !format!("{error:?}").to_lowercase().contains("canary"),
                "{error:?}"
            );
        }
    }
}

#[test]
fn headers_are_taken_from_any_map_in_any_case() {
    let mut map = http::HeaderMap::new();
    map.insert("X-Fc-Access-Key-Id", http::HeaderValue::from_static(VALUES[0]));
    map.insert(
        "X-FC-ACCESS-KEY-SECRET",
        http::HeaderValue::from_static(VALUES[1]),
    );
    map.insert("x-fc-security-token", http::HeaderValue::from_static(VALUES[2]));
    map.insert("x-fc-request-id", http::HeaderValue::from_static("R-1"));
    FcContext::from_headers(&map).unwrap();

    let owned: Vec<(String, Vec<u8>)> = [
        "X-Fc-Access-Key-Id",
        "X-FC-ACCESS-KEY-SECRET",
        "x-fc-security-token",
    ]
    .iter()
    .zip(VALUES)
    .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
    .collect();
    FcContext::from_headers(owned.iter().map(|(name, value)| (name, value))).unwrap();
    // Some other header that is no text.
    let odd = [(&b"x-\xff"[..], &b"\xff"[..])];
    let pairs = owned
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_slice()));
    FcContext::from_headers(odd.into_iter().chain(pairs)).unwrap();
}

#[test]
fn headers_that_are_doubtful_are_refused() {
    let pairs = set(HEADERS, VALUES.map(Some));
    let twice = pairs
        .iter()
        .copied()
        .chain([("X-FC-Security-Token", "canary-other")]);
    let error = FcContext::from_headers(twice).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "fc-context: the header x-fc-security-token is there twice; pass the headers as the platform sent them"
    );
    assert!(!format!("{error:?}").contains("canary"));
    // An empty one beside a full one is doubtful, too; the same value twice is not.
    FcContext::from_headers([("x-fc-access-key-id", "")].into_iter().chain(pairs.clone())).unwrap_err();
    FcContext::from_headers(pairs.iter().chain(&pairs).copied()).unwrap();

    let error = FcContext::from_headers([("x-fc-access-key-secret", b"canary\xff")]).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("the header x-fc-access-key-secret is not text"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn json_that_is_no_context_is_an_invalid_response() {
    for (json, text) in [
        ("", "the context is not a JSON object; pass"),
        ("canary", "the context is not a JSON object; pass"),
        ("[]", "the context is not a JSON object; pass"),
        (
            r#"{"credentials": "canary"}"#,
            "is not the JSON that was expected (line 1, column 24); pass",
        ),
        (
            r#"{"credentials": {"accessKeyId": "a", "access_key_id": "canary"}}"#,
            "is not the JSON that was expected",
        ),
        (
            r#"{"credentials": {"accessKeySecret": "canary"#,
            "is not the JSON that was expected",
        ),
    ] {
        let error = FcContext::from_json(json).unwrap_err();
        assert!(
            matches!(error, CredentialsError::InvalidResponse(_)),
            "{json}: {error:?}"
        );
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    }
}

#[test]
fn the_older_variables_are_read_only_if_the_newer_are_absent() {
    let env: FakeEnv = set(VARIABLES, [Some("new-id"), Some("canary"), Some("canary")])
        .into_iter()
        .chain(set(
            OLD_VARIABLES,
            [Some("old-id"), Some("canary"), Some("canary")],
        ))
        .collect();
    assert_eq!(id_of(&FcContextProvider::from_env(&env).unwrap()), "new-id");
    // No token of another family, and no way past a family that is there by half.
    env.unset("ALIBABA_CLOUD_SECURITY_TOKEN");
    let error = FcContextProvider::from_env(&env).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    env.unset("ALIBABA_CLOUD_ACCESS_KEY_ID");
    env.set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "");
    assert_eq!(id_of(&FcContextProvider::from_env(&env).unwrap()), "old-id");
}

#[test]
fn headers_come_before_the_environment() {
    let headers = || set(HEADERS, [Some("from-headers"), Some("canary"), Some("canary")]);
    let context = FcContext::from_headers_or_env(headers(), &PanickingEnv).unwrap();
    assert_eq!(id_of(&FcContextProvider::from(context)), "from-headers");

    let env: FakeEnv = set(VARIABLES, [Some("from-env"), Some("canary"), Some("canary")])
        .into_iter()
        .collect();
    let without = [("x-fc-request-id", "R-1")];
    let context = FcContext::from_headers_or_env(without, &env).unwrap();
    assert_eq!(id_of(&FcContextProvider::from(context)), "from-env");

    let half = [("x-fc-access-key-id", "from-headers")];
    let error = FcContext::from_headers_or_env(half, &PanickingEnv).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    env.unset("ALIBABA_CLOUD_SECURITY_TOKEN");
    let error = FcContext::from_headers_or_env(without, &env).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");

    let error = FcContext::from_headers_or_env(without, &FakeEnv::new()).unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    let shown = error.to_string();
    assert!(
        shown.contains("x-fc-access-key-id") && shown.contains("accessKeyID"),
        "{shown}"
    );
}

#[test]
fn before_the_first_invocation_it_is_not_configured() {
    let provider = FcContextProvider::new();
    let error = ask(&provider).unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    assert_eq!(
        error.to_string(),
        "fc-context: no invocation has been passed yet; call update(..) with the context of each invocation"
    );
    assert!(provider.cached().is_none());
    // Nothing to reject.
    let nothing = provider.invalidate(&Credentials::builder("id", "secret").build().unwrap());
    assert_eq!(nothing, Invalidation::AlreadyReplaced);

    let chain = ChainProvider::builder()
        .member("fc-context", Ok(provider))
        .member("other", Credentials::builder("other-id", "secret").build())
        .build();
    assert_eq!(
        blocking::wait(chain.credentials()).unwrap().access_key_id(),
        "other-id"
    );
}

#[test]
fn a_new_invocation_replaces_id_secret_and_token_together_in_all_clones() {
    let provider = FcContextProvider::new();
    let clone = provider.clone();
    for turn in ["1", "2", "3"] {
        let values = VALUES.map(|value| format!("{value}-{turn}"));
        provider.update(from_headers(values.each_ref().map(|value| Some(value.as_str()))).unwrap());
        let credentials = ask(&clone).unwrap();
        assert_eq!(credentials.access_key_id(), values[0]);
        assert_eq!(credentials.access_key_secret(), values[1]);
        assert_eq!(credentials.security_token(), Some(values[2].as_str()));
    }
}

#[test]
fn what_an_invocation_brought_is_never_replaced_by_the_environment() {
    let provider = FcContextProvider::from(instance("instance-id"));
    provider.update(invocation("invocation-id"));
    provider.update(instance("instance-id"));
    assert_eq!(id_of(&provider), "invocation-id");
    // Not even when it was rejected: the environment is older.
    provider.invalidate(&ask(&provider).unwrap());
    provider.update(instance("instance-id"));
    ask(&provider).unwrap_err();
    // JSON comes with a call, as headers do.
    provider.update(from_camel([Some("json-id"), Some("s"), Some("t")]).unwrap());
    assert_eq!(id_of(&provider), "json-id");
}

#[test]
fn after_36_hours_without_an_invocation_it_is_expired() {
    assert_eq!(MAX_TOKEN_LIFETIME, Duration::from_secs(129_600));
    let clock = ManualClock::at_unix(1_767_323_045);
    for context in [invocation("id"), instance("id")] {
        let provider = FcContextProvider::with_clock(clock.clone());
        provider.update(context);
        clock.advance(Duration::from_secs(129_599));
        assert_eq!(id_of(&provider), "id");
        clock.advance(Duration::from_secs(1));
        let error = ask(&provider).unwrap_err();
        assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "fc-context: the cached credentials are 36 hours old, and no token lasts longer; call update(..) \
             with the context of the next invocation"
        );
        assert!(provider.cached().is_none());
        provider.update(invocation("next-id"));
        assert_eq!(id_of(&provider), "next-id");
    }
}

#[test]
fn reading_the_environment_again_makes_it_no_newer() {
    let clock = ManualClock::at_unix(1_767_323_045);
    let provider = FcContextProvider::with_clock(clock.clone());
    provider.update(instance("id"));
    clock.advance(Duration::from_secs(35 * 3600));
    provider.update(instance("id"));
    clock.advance(Duration::from_secs(3600));
    assert!(matches!(ask(&provider), Err(CredentialsError::Expired(_))));
    // A rejected one does not come back this way either.
    let provider = FcContextProvider::from(instance("id"));
    provider.invalidate(&ask(&provider).unwrap());
    provider.update(instance("id"));
    assert!(matches!(ask(&provider), Err(CredentialsError::Expired(_))));
    // Another instance's key is another matter.
    provider.update(instance("other-id"));
    assert_eq!(id_of(&provider), "other-id");
}

#[test]
fn a_clock_set_back_ends_nothing() {
    let clock = ManualClock::at_unix(1_767_323_045);
    let provider = FcContextProvider::with_clock(clock.clone());
    provider.update(invocation("id"));
    clock.set(SystemTime::UNIX_EPOCH);
    assert_eq!(id_of(&provider), "id");
}

#[test]
fn rejected_credentials_are_not_handed_out_until_the_next_invocation() {
    let provider = FcContextProvider::from(invocation("id"));
    let clone = provider.clone();
    let rejected = ask(&provider).unwrap();
    assert_eq!(provider.invalidate(&rejected), Invalidation::Dropped);
    let error = ask(&clone).unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "fc-context: the service rejected the cached credentials; call update(..) with the context of the \
         next invocation"
    );
    assert!(clone.cached().is_none());
    // The next invocation counts even if it brings the same key: the platform says that it is good.
    provider.update(invocation("id"));
    assert_eq!(id_of(&clone), "id");
    // A late rejection of another key changes nothing.
    provider.update(invocation("next-id"));
    assert_eq!(provider.invalidate(&rejected), Invalidation::AlreadyReplaced);
    assert_eq!(id_of(&clone), "next-id");
}

#[test]
fn debug_shows_no_keys() {
    let provider = FcContextProvider::from(invocation("STS.NUExampleCanaryId"));
    let shown = format!(
        "{provider:?} {:?} {:?}",
        invocation("STS.NUExampleCanaryId"),
        FcContextProvider::new()
    );
    assert!(shown.contains("STS.****ryId"), "{shown}");
    assert!(!shown.contains("canary") && !shown.contains("Canary"), "{shown}");
}

#[test]
fn a_cached_read_allocates_nothing() {
    let provider = FcContextProvider::from(invocation("id"));
    // arc-swap sets itself up at a thread's first read.
    ask(&provider).unwrap();
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            provider.cached().unwrap();
            provider.credentials().into_ready().unwrap().unwrap();
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn readers_see_one_generation_while_invocations_come() {
    let provider = FcContextProvider::from(invocation("id"));
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let provider = provider.clone();
            scope.spawn(move || {
                for turn in 0..2000 {
                    let value = format!("{writer}-{turn}");
                    let context = from_headers([Some(&value), Some(&value), Some(&value)]).unwrap();
                    provider.update(context);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5000 {
                    let credentials = ask(&provider).unwrap();
                    if credentials.access_key_id() != "id" {
                        assert_eq!(credentials.access_key_id(), credentials.access_key_secret());
                        assert_eq!(Some(credentials.access_key_id()), credentials.security_token());
                    }
                }
            });
        }
    });
}

#[test]
fn types_can_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<FcContext>();
    check::<FcContextProvider>();
}
