//! Behaviour of the provider.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use oss_credentials_core::{Clock, Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_static::{StaticProvider, StaticProviderBuilder};

/// Seconds after the epoch.
#[derive(Debug, Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

#[test]
fn an_access_key_pair_has_no_token_and_no_end() {
    let provider = StaticProvider::access_key("id", "secret").unwrap();
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "id");
    assert_eq!(credentials.access_key_secret(), "secret");
    assert_eq!(
        (credentials.security_token(), credentials.expires_at()),
        (None, None)
    );
    assert_eq!((credentials.source(), provider.name()), ("static", "static"));
    assert!(provider.cached().unwrap().same_key_as(&credentials));
}

#[test]
fn an_sts_token_comes_with_its_pair() {
    let provider = StaticProvider::sts_token("STS.id", "secret", "token").unwrap();
    assert_eq!(provider.cached().unwrap().security_token(), Some("token"));
}

#[test]
fn anonymous_has_no_keys() {
    let provider = StaticProvider::anonymous();
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert!(credentials.is_anonymous());
    assert_eq!(provider.name(), "static");
}

#[test]
fn explicit_values_that_cannot_be_keys_are_errors() {
    for (result, text) in [
        (
            StaticProvider::access_key("", "canary"),
            "static: the access key ID is empty; set the value exactly as the service issued it",
        ),
        (
            StaticProvider::access_key("canary", ""),
            "static: the access key secret is empty; set the value exactly as the service issued it",
        ),
        (
            StaticProvider::sts_token("canary", "canary", ""),
            "static: the security token is empty; set the token, or give the access key pair alone if it has none",
        ),
        (
            StaticProvider::access_key("canary", "canary\n"),
            "static: the access key secret begins or ends with white space; set the value exactly as the \
             service issued it",
        ),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert_eq!(error.to_string(), text);
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn a_later_token_replaces_an_empty_one() {
    let provider = StaticProvider::builder("i", "s")
        .security_token("")
        .security_token("t")
        .build()
        .unwrap();
    assert_eq!(provider.cached().unwrap().security_token(), Some("t"));
}

#[test]
fn nothing_is_handed_out_once_the_expiry_has_come() {
    let clock = Arc::new(HandClock::default());
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
    let provider = StaticProvider::builder("STS.id", "canary")
        .security_token("canary")
        .expires_at(end)
        .clock(Arc::clone(&clock))
        .build()
        .unwrap();
    clock.0.store(99, Ordering::SeqCst);
    assert_eq!(provider.cached().unwrap().expires_at(), Some(end));
    assert!(blocking::wait(provider.credentials()).is_ok());
    clock.0.store(100, Ordering::SeqCst);
    assert!(provider.cached().is_none());
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "static: the security token has expired; make a new provider with a new token, or use one that refreshes"
    );
}

#[test]
fn a_value_keeps_its_source_and_its_end() {
    let value = |end: u64| {
        Credentials::builder("STS.id", "canary")
            .security_token("canary")
            .expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(end))
            .source("made-elsewhere")
            .build()
            .unwrap()
    };
    // 2100-01-01, and 2001-09-09: neither is near any clock that runs this.
    let lasting = StaticProvider::from_credentials(value(4_102_444_800));
    let handed_out = blocking::wait(lasting.credentials()).unwrap();
    assert_eq!(
        (handed_out.source(), handed_out.security_token(), lasting.name()),
        ("made-elsewhere", Some("canary"), "static")
    );
    let ended = StaticProvider::from(value(1_000_000_000));
    assert!(ended.cached().is_none());
    let error = blocking::wait(ended.credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");
}

#[test]
fn without_an_expiry_the_clock_is_not_asked() {
    #[derive(Debug)]
    struct NoClock;
    impl Clock for NoClock {
        fn now(&self) -> SystemTime {
            panic!("asked for the time")
        }
    }
    let provider = StaticProvider::builder("i", "s").clock(NoClock).build().unwrap();
    assert!(provider.cached().is_some());
}

#[test]
fn debug_shows_neither_secret_nor_token() {
    let builder = || StaticProvider::builder("LTAI5tExampleKeyId01", "canary").security_token("canary");
    let shown = format!("{:?} {:?}", builder(), builder().build().unwrap());
    assert!(
        shown.contains("LTAI****Id01") && !shown.contains("canary"),
        "{shown}"
    );
}

#[test]
fn public_types_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<StaticProvider>();
    check::<StaticProviderBuilder>();
}
