//! What a provider does with a key that a service rejected.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials_core::{
    ChainProvider, Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, ErrorDetail,
    Invalidation, blocking, provider_fn,
};
use support::{Bench, HOUR, MINUTE, lasting_for_ever};

fn with_token(token: &str) -> Credentials {
    Credentials::builder("id", "secret")
        .security_token(token)
        .build()
        .unwrap()
}

#[test]
fn only_what_was_dropped_or_replaced_may_be_retried() {
    for (result, may_retry) in [
        (Invalidation::Dropped, true),
        (Invalidation::AlreadyReplaced, true),
        (Invalidation::LimitReached, false),
        (Invalidation::Unsupported, false),
    ] {
        assert_eq!(result.may_retry(), may_retry, "{result:?}");
    }
}

#[test]
fn a_cache_drops_its_value_once() {
    let bench = Bench::fetched("first");
    let used = bench.provider.cached().unwrap();
    assert_eq!(bench.provider.invalidate(&used), Invalidation::Dropped);
    assert!(bench.provider.cached().is_none());
    // A thousand requests with the same key report it; the first has dropped it.
    assert_eq!(bench.provider.invalidate(&used), Invalidation::AlreadyReplaced);
    let bench = bench.fetch("second");
    assert_eq!(bench.provider.invalidate(&used), Invalidation::AlreadyReplaced);
    bench.answers("second");
}

#[test]
fn a_cache_that_never_fetched_has_nothing_to_drop() {
    let bench = Bench::new();
    let result = bench.provider.invalidate(&lasting_for_ever("another"));
    assert_eq!(result, Invalidation::AlreadyReplaced);
    assert_eq!(bench.source.calls(), 0);
}

#[test]
fn a_newer_token_of_the_same_key_is_not_dropped() {
    let bench = Bench::new();
    bench.source.push_ok(with_token("first"));
    let first = bench.ask().done().unwrap();
    bench.source.push_ok(with_token("second"));
    blocking::wait(bench.provider.refresh_now()).unwrap();
    assert_eq!(bench.provider.invalidate(&first), Invalidation::AlreadyReplaced);
    assert_eq!(bench.provider.cached().unwrap().security_token(), Some("second"));
}

#[test]
fn over_the_limit_the_value_stays_and_the_result_says_so() {
    let bench = Bench::with(|builder| builder.invalidate_limit(1, MINUTE)).fetch("first");
    let used = bench.provider.cached().unwrap();
    assert_eq!(bench.provider.invalidate(&used), Invalidation::Dropped);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.clock.advance(Duration::from_secs(11));
    bench.answers("second");
    let used = bench.provider.cached().unwrap();
    assert_eq!(bench.provider.invalidate(&used), Invalidation::LimitReached);
    bench.answers("second");
}

#[test]
fn a_chain_passes_on_the_result_of_the_member_that_answered() {
    let bench = Bench::fetched("first");
    let absent: Result<Credentials, _> = Err(CredentialsError::not_configured(ErrorDetail::builder(
        "env",
        "no variable is set",
    )));
    let chain = ChainProvider::builder()
        .member("env", absent)
        .member("cache", Ok(bench.provider.clone()))
        .build();
    let used = bench.provider.cached().unwrap();
    // It has returned nothing yet, so that the key is not its own.
    assert_eq!(chain.invalidate(&used), Invalidation::AlreadyReplaced);
    assert!(bench.provider.cached().is_some());
    blocking::wait(chain.credentials()).unwrap();
    let boxed: Box<dyn CredentialsProvider> = Box::new(Arc::new(chain));
    assert_eq!(boxed.invalidate(&used), Invalidation::Dropped);
    assert!(bench.provider.cached().is_none());
}

#[test]
fn fixed_keys_cannot_be_dropped() {
    let fixed = lasting_for_ever("fixed");
    assert_eq!(
        fixed.invalidate(&lasting_for_ever("fixed")),
        Invalidation::Unsupported
    );
    // The chain has moved on to this one meanwhile: the request is worth repeating.
    assert_eq!(
        fixed.invalidate(&lasting_for_ever("other")),
        Invalidation::AlreadyReplaced
    );
}

#[test]
fn a_closure_whose_keys_were_rotated_has_replaced_them() {
    let current = Arc::new(Mutex::new(lasting_for_ever("old")));
    let seen = Arc::clone(&current);
    let provider = provider_fn("config", move || Ok(seen.lock().unwrap().clone()));
    let used = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(provider.invalidate(&used), Invalidation::Unsupported);
    *current.lock().unwrap() = lasting_for_ever("new");
    assert_eq!(provider.invalidate(&used), Invalidation::AlreadyReplaced);
}

struct Opaque;

impl CredentialsProvider for Opaque {
    fn name(&self) -> &'static str {
        "opaque"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::ready(Ok(lasting_for_ever("opaque")))
    }
}

#[test]
fn a_provider_that_implements_nothing_does_not_support_it() {
    let opaque: Arc<dyn CredentialsProvider> = Arc::new(Opaque);
    assert_eq!(
        opaque.invalidate(&lasting_for_ever("other")),
        Invalidation::Unsupported
    );
}
