//! Behaviour of the provider over made-up environments.

use std::sync::Arc;

use oss_credentials_core::test_util::FakeEnv;
use oss_credentials_core::{
    ChainProvider, Credentials, CredentialsError, CredentialsProvider, Env, ProcessEnv, blocking,
};
use oss_credentials_env::{EnvProvider, Family};

fn ask(provider: &EnvProvider) -> Result<Credentials, CredentialsError> {
    blocking::wait(provider.credentials())
}

fn read<const N: usize>(variables: [(&str, &str); N]) -> Result<Credentials, CredentialsError> {
    ask(&EnvProvider::with_env(FakeEnv::from(variables)))
}

#[test]
fn the_oss_family_comes_first() {
    let credentials = read([
        ("OSS_ACCESS_KEY_ID", "oss-id"),
        ("OSS_ACCESS_KEY_SECRET", "oss-secret"),
        ("OSS_SESSION_TOKEN", "oss-token"),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "acs-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "acs-secret"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "acs-token"),
    ])
    .unwrap();
    assert_eq!(credentials.access_key_id(), "oss-id");
    assert_eq!(credentials.access_key_secret(), "oss-secret");
    assert_eq!(credentials.security_token(), Some("oss-token"));
    assert_eq!(credentials.expires_at(), None);
    assert_eq!(credentials.source(), "env");
}

#[test]
fn the_general_family_is_taken_when_the_first_is_not_set() {
    let credentials = read([
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "acs-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "acs-secret"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "acs-token"),
    ])
    .unwrap();
    assert_eq!(credentials.access_key_id(), "acs-id");
    assert_eq!(credentials.access_key_secret(), "acs-secret");
    assert_eq!(credentials.security_token(), Some("acs-token"));
}

#[test]
fn a_token_of_another_family_is_never_taken() {
    let oss = read([
        ("OSS_ACCESS_KEY_ID", "oss-id"),
        ("OSS_ACCESS_KEY_SECRET", "oss-secret"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "acs-token"),
    ]);
    assert_eq!(oss.unwrap().security_token(), None);
    let general = read([
        ("OSS_SESSION_TOKEN", "oss-token"),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "acs-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "acs-secret"),
    ])
    .unwrap();
    assert_eq!(
        (general.access_key_id(), general.security_token()),
        ("acs-id", None)
    );
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let credentials = read([
        ("OSS_ACCESS_KEY_ID", ""),
        ("OSS_ACCESS_KEY_SECRET", ""),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "acs-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "acs-secret"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
    ])
    .unwrap();
    assert_eq!(
        (credentials.access_key_id(), credentials.security_token()),
        ("acs-id", None)
    );
}

#[test]
fn nothing_set_is_not_configured_and_names_what_was_looked_for() {
    for result in [
        read([]),
        read([("OSS_SESSION_TOKEN", "canary")]),
        read([("OSS_ACCESS_KEY_ID", "")]),
    ] {
        let error = result.unwrap_err();
        assert!(error.is_not_configured());
        assert_eq!(
            error.to_string(),
            "env: no access key pair is set (OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or \
             ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET); set both variables of a pair"
        );
    }
}

#[test]
fn half_a_pair_is_an_error_even_before_a_complete_family() {
    for (present, missing) in [
        ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"),
        ("OSS_ACCESS_KEY_SECRET", "OSS_ACCESS_KEY_ID"),
    ] {
        let error = read([
            (present, "canary"),
            (missing, ""),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "acs-id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "acs-secret"),
        ])
        .unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "env: {present} is set, but {missing} is not or is empty; set {missing}, or unset {present}"
            )
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
    let error = read([("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("set ALIBABA_CLOUD_ACCESS_KEY_ID,") && !error.contains("canary"),
        "{error}"
    );
}

#[test]
fn half_a_pair_stops_a_chain() {
    let env = EnvProvider::with_env(FakeEnv::from([("OSS_ACCESS_KEY_ID", "id")]));
    let chain = ChainProvider::builder()
        .member("env", Ok(env))
        .member("other", Credentials::builder("other-id", "other-secret").build())
        .build();
    assert!(matches!(
        blocking::wait(chain.credentials()),
        Err(CredentialsError::InvalidConfig(_))
    ));
}

#[test]
fn values_that_cannot_be_keys_are_refused_with_the_name_of_their_variable() {
    let complete = [
        ("OSS_ACCESS_KEY_ID", "canary-id"),
        ("OSS_ACCESS_KEY_SECRET", "canary-secret"),
        ("OSS_SESSION_TOKEN", "canary-token"),
    ];
    for (broken, what) in [
        (0, "the access key ID"),
        (1, "the access key secret"),
        (2, "the security token"),
    ] {
        let (name, value) = complete[broken];
        let env = FakeEnv::from(complete).with(name, format!("{value}\n"));
        let error = ask(&EnvProvider::with_env(env)).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)));
        assert_eq!(
            error.to_string(),
            format!(
                "env: {what} begins or ends with white space ({name}); set the value exactly as the service \
                 issued it"
            )
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn quotes_comments_and_invisible_characters_are_refused_with_the_name_of_the_variable() {
    let complete = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "canary-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-secret"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "canary-token"),
    ];
    for (value, problem) in [
        ("\"canary\"", "contains a quotation mark"),
        ("'canary'", "contains a quotation mark"),
        ("canary # comment", "contains white space"),
        ("\u{feff}canary", "contains a character that is not ASCII"),
        ("can\u{200b}ary", "contains a character that is not ASCII"),
        ("can\u{7}ary", "contains a control character"),
    ] {
        for (name, _) in complete {
            let error = ask(&EnvProvider::with_env(FakeEnv::from(complete).with(name, value))).unwrap_err();
            assert!(matches!(error, CredentialsError::InvalidConfig(_)));
            let text = error.to_string();
            assert!(text.contains(&format!("{problem} ({name}); ")), "{text}");
            assert!(!format!("{error:?}").contains("canary"), "{text}");
        }
    }
}

#[test]
fn keys_are_read_on_each_call() {
    let env = Arc::new(FakeEnv::new());
    let provider = EnvProvider::with_env(Arc::clone(&env));
    assert!(provider.cached().is_none());
    env.set("OSS_ACCESS_KEY_ID", "first");
    assert!(provider.cached().is_none(), "half a pair is nothing");
    env.set("OSS_ACCESS_KEY_SECRET", "secret");
    assert_eq!(provider.cached().unwrap().access_key_id(), "first");
    env.set("OSS_ACCESS_KEY_ID", "second");
    assert_eq!(provider.cached().unwrap().access_key_id(), "second");
    assert_eq!(ask(&provider).unwrap().access_key_id(), "second");
    env.unset("OSS_ACCESS_KEY_ID");
    env.unset("OSS_ACCESS_KEY_SECRET");
    assert!(ask(&provider).unwrap_err().is_not_configured());
}

#[test]
fn families_can_be_chosen_and_ordered() {
    let both = || {
        FakeEnv::from([
            ("OSS_ACCESS_KEY_ID", "oss-id"),
            ("OSS_ACCESS_KEY_SECRET", "s"),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "acs-id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
        ])
    };
    let reversed = EnvProvider::with_env(both()).families([Family::AlibabaCloud, Family::Oss]);
    assert_eq!(ask(&reversed).unwrap().access_key_id(), "acs-id");
    let half = FakeEnv::from([("OSS_ACCESS_KEY_ID", "id")]);
    let general = EnvProvider::with_env(half).families([Family::AlibabaCloud]);
    assert_eq!(
        ask(&general).unwrap_err().to_string(),
        "env: no access key pair is set (ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET); \
         set both variables of a pair"
    );
    let none = ask(&EnvProvider::with_env(both()).families([])).unwrap_err();
    assert!(matches!(none, CredentialsError::InvalidConfig(_)), "{none}");
}

#[test]
fn debug_shows_no_value() {
    #[derive(Debug)]
    struct Talkative(#[expect(dead_code, reason = "shown by Debug")] &'static str);
    impl Env for Talkative {
        fn var(&self, _: &str) -> Option<String> {
            None
        }
    }
    let shown = format!("{:?}", EnvProvider::with_env(Talkative("canary")));
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn the_default_reads_the_process() {
    // Whatever this process has: both must see the same.
    let provider = EnvProvider::default();
    assert_eq!(provider.name(), "env");
    let expected = ask(&EnvProvider::with_env(ProcessEnv)).map(|found| found.access_key_id().to_owned());
    let got = ask(&provider).map(|found| found.access_key_id().to_owned());
    assert_eq!(
        got.map_err(|e| e.to_string()),
        expected.map_err(|e| e.to_string())
    );
}

#[test]
fn public_types_move_between_threads() {
    fn check<T: Send + Sync + Unpin + Clone + 'static>() {}
    check::<EnvProvider>();
    check::<Family>();
}
