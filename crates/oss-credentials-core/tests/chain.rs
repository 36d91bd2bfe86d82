//! Chains: who answers, who is never asked, and what the report says.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a poisoned lock ends the test")]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oss_credentials_core::{
    ChainPolicy, ChainProvider, Credentials, CredentialsError, CredentialsFuture, CredentialsProvider,
    ErrorDetail, Invalidation, blocking,
};
use support::{Bench, denied, lasting_for_ever, unavailable};

/// Answers what it was last told, and counts the questions.
#[derive(Clone, Debug)]
struct Member(Arc<MemberState>);

#[derive(Debug)]
struct MemberState {
    answer: std::sync::Mutex<Result<Credentials, CredentialsError>>,
    asked: AtomicUsize,
    rejected: AtomicUsize,
}

impl Member {
    fn new(answer: Result<Credentials, CredentialsError>) -> Self {
        Self(Arc::new(MemberState {
            answer: answer.into(),
            asked: AtomicUsize::new(0),
            rejected: AtomicUsize::new(0),
        }))
    }
    fn key(key: &str) -> Self {
        Self::new(Ok(lasting_for_ever(key)))
    }
    fn absent() -> Self {
        Self::new(Err(absent("no variable is set")))
    }
    fn set(&self, answer: Result<Credentials, CredentialsError>) {
        *self.0.answer.lock().unwrap() = answer;
    }
    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

impl CredentialsProvider for Member {
    fn name(&self) -> &'static str {
        "member"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.0.answer.lock().unwrap().clone();
        CredentialsFuture::new(async move { answer })
    }
    fn cached(&self) -> Option<Credentials> {
        self.0.answer.lock().unwrap().clone().ok()
    }
    fn invalidate(&self, _: &Credentials) -> Invalidation {
        self.0.rejected.fetch_add(1, Ordering::SeqCst);
        Invalidation::Dropped
    }
}

fn absent(what: &'static str) -> CredentialsError {
    CredentialsError::not_configured(ErrorDetail::builder("env", what).hint("set OSS_ACCESS_KEY_ID"))
}

fn chain(members: &[(&'static str, &Member)], policy: ChainPolicy) -> ChainProvider {
    members
        .iter()
        .fold(
            ChainProvider::builder().policy(policy),
            |chain, (name, member)| chain.member(name, Ok((*member).clone())),
        )
        .build()
}

fn ask(chain: &ChainProvider) -> Result<String, CredentialsError> {
    blocking::wait(chain.credentials()).map(|credentials| credentials.access_key_id().to_owned())
}

#[test]
fn members_that_are_not_configured_are_passed_over_in_order() {
    let (one, two, three) = (Member::absent(), Member::key("two"), Member::key("three"));
    let chain = chain(
        &[("one", &one), ("two", &two), ("three", &three)],
        ChainPolicy::default(),
    );
    assert_eq!(chain.answered(), None);
    assert!(chain.cached().is_none());
    assert_eq!(ask(&chain).unwrap(), "two");
    assert_eq!(chain.answered(), Some("two"));
    assert_eq!(three.asked(), 0);
}

#[test]
fn the_one_that_answered_is_asked_first_from_then_on() {
    let (one, two) = (Member::absent(), Member::key("two"));
    let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::default());
    ask(&chain).unwrap();
    one.set(Ok(lasting_for_ever("one")));
    assert_eq!(
        ask(&chain).unwrap(),
        "two",
        "an identity that appears later does not take over"
    );
    assert_eq!(one.asked(), 1);
}

#[test]
fn an_error_says_where_the_chain_stopped_and_who_was_not_asked() {
    let failure = || {
        CredentialsError::denied(
            ErrorDetail::builder("vault", "the key may not be read")
                .http_status(403)
                .hint("grant read to this host")
                .source(std::io::Error::other("cause")),
        )
    };
    let (one, two) = (Member::absent(), Member::new(Err(failure())));
    let (three, four) = (Member::key("three"), Member::key("four"));
    let members = [("env", &one), ("vault", &two), ("ecs", &three), ("fixed", &four)];
    let whole = chain(&members, ChainPolicy::default());
    let error = ask(&whole).unwrap_err();
    assert_eq!(
        error.to_string(),
        "vault: the key may not be read (HTTP 403); grant read to this host; the chain stops at vault, which is configured, and does not try ecs, fixed"
    );
    let detail = error.detail().unwrap();
    assert_eq!((detail.provider(), detail.http_status()), ("vault", Some(403)));
    assert_eq!(std::error::Error::source(detail).unwrap().to_string(), "cause");

    let last = chain(&members[..2], ChainPolicy::default());
    assert!(
        ask(&last)
            .unwrap_err()
            .to_string()
            .ends_with("; grant read to this host; the chain stops at vault, its last member")
    );

    // The same from one that has answered before, and of an error without a hint.
    two.set(Ok(lasting_for_ever("two")));
    assert_eq!(ask(&whole).unwrap(), "two");
    two.set(Err(CredentialsError::unavailable(ErrorDetail::builder(
        "vault", "down",
    ))));
    assert_eq!(
        ask(&whole).unwrap_err().to_string(),
        "vault: down; the chain stops at vault, which is configured, and does not try ecs, fixed"
    );
    assert_eq!(three.asked() + four.asked(), 0);
}

#[test]
fn any_failure_but_not_configured_stops_the_chain() {
    for error in [
        denied(),
        unavailable("down"),
        CredentialsError::invalid_config(ErrorDetail::builder("x", "half-set")),
        CredentialsError::invalid_response(ErrorDetail::builder("x", "html")),
        CredentialsError::expired(ErrorDetail::builder("x", "old")),
    ] {
        let (one, two) = (Member::new(Err(error.clone())), Member::key("two"));
        let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::default());
        assert_eq!(ask(&chain).unwrap_err().kind(), error.kind());
        assert_eq!(two.asked(), 0, "{error}");
    }
}

#[test]
fn the_one_that_answered_may_fail_without_another_taking_over() {
    let (one, two) = (Member::key("one"), Member::key("two"));
    let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::default());
    ask(&chain).unwrap();
    one.set(Err(unavailable("down")));
    assert!(ask(&chain).is_err());
    assert_eq!((two.asked(), chain.answered()), (0, Some("one")));
}

#[test]
fn the_chain_keeps_its_identity_when_its_member_is_no_longer_configured() {
    let (one, two) = (Member::key("one"), Member::key("two"));
    let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::default());
    ask(&chain).unwrap();
    one.set(Err(absent("gone")));
    let error = ask(&chain).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "one: it returned credentials before and is no longer configured: gone; restore its configuration, or \
         restart the program to use another provider"
    );
    assert_eq!((two.asked(), chain.answered()), (0, Some("one")));
    one.set(Ok(lasting_for_ever("one")));
    assert_eq!(ask(&chain).unwrap(), "one");
}

#[test]
fn continue_on_failure_goes_on_from_a_member_that_is_no_longer_configured() {
    let (one, two) = (Member::key("one"), Member::key("two"));
    let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::ContinueOnFailure);
    ask(&chain).unwrap();
    one.set(Err(absent("gone")));
    assert_eq!(ask(&chain).unwrap(), "two");
    assert_eq!(chain.answered(), Some("two"));
    assert_eq!(one.asked(), 2, "it is not asked twice for one answer");
}

#[test]
fn half_set_configuration_at_build_time_stops_the_chain() {
    let half: Result<Credentials, _> = Err(CredentialsError::invalid_config(ErrorDetail::builder(
        "env",
        "the secret is missing",
    )));
    let two = Member::key("two");
    let chain = ChainProvider::builder()
        .member("env", half)
        .member("two", Ok(two.clone()))
        .build();
    assert!(matches!(ask(&chain), Err(CredentialsError::InvalidConfig(_))));
    assert_eq!(two.asked(), 0);
}

#[test]
fn the_report_names_every_member_and_its_reason() {
    let not_here: Result<Credentials, _> = Err(absent("no variable is set"));
    let chain = ChainProvider::builder()
        .member("env", not_here)
        .member("other", Ok(Member::absent()))
        .build();
    let error = ask(&chain).unwrap_err();
    assert!(error.is_not_configured(), "a chain may be a member of another");
    let CredentialsError::NoProvider(report) = &error else {
        panic!("{error}")
    };
    assert_eq!(
        report.reasons().map(|(name, _)| name).collect::<Vec<_>>(),
        ["env", "other"]
    );
    assert_eq!(
        error.to_string(),
        "chain: no provider has credentials; configure one of them:\n  \
         env: no variable is set; set OSS_ACCESS_KEY_ID\n  \
         other: env: no variable is set; set OSS_ACCESS_KEY_ID"
    );
    let empty = ask(&ChainProvider::builder().build()).unwrap_err();
    assert_eq!(empty.to_string(), "chain: no provider was given; add a member");
}

#[test]
fn the_report_keeps_the_chains_order_after_a_second_walk() {
    let (one, two, three) = (Member::absent(), Member::key("two"), Member::absent());
    let chain = chain(
        &[("one", &one), ("two", &two), ("three", &three)],
        ChainPolicy::ContinueOnFailure,
    );
    ask(&chain).unwrap();
    two.set(Err(absent("gone")));
    let text = ask(&chain).unwrap_err().to_string();
    let places = ["one: ", "two: ", "three: "].map(|name| text.find(&format!("\n  {name}")).unwrap());
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn continue_on_failure_goes_on_only_when_asked_for() {
    let (one, two) = (Member::new(Err(denied())), Member::key("two"));
    let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::ContinueOnFailure);
    assert_eq!(ask(&chain).unwrap(), "two");
    two.set(Err(unavailable("down")));
    let error = ask(&chain).unwrap_err();
    assert!(
        !error.is_not_configured(),
        "real failures are not reported as an absence: {error}"
    );
    assert!(
        error.to_string().contains("no permission") && error.to_string().contains("down"),
        "{error}"
    );
}

#[test]
fn cached_and_invalidate_go_to_the_one_that_answered() {
    let (one, two) = (Member::absent(), Member::key("two"));
    let chain = chain(&[("one", &one), ("two", &two)], ChainPolicy::default());
    let result = chain.invalidate(&lasting_for_ever("two"));
    assert_eq!(result, Invalidation::AlreadyReplaced);
    assert_eq!(
        two.0.rejected.load(Ordering::SeqCst),
        0,
        "nobody has answered yet"
    );
    ask(&chain).unwrap();
    assert_eq!(chain.cached().unwrap().access_key_id(), "two");
    assert_eq!(chain.invalidate(&lasting_for_ever("two")), Invalidation::Dropped);
    assert_eq!(
        (
            one.0.rejected.load(Ordering::SeqCst),
            two.0.rejected.load(Ordering::SeqCst)
        ),
        (0, 1)
    );
}

#[test]
fn a_cached_answer_goes_through_a_chain_without_allocation() {
    let bench = Bench::fetched("first");
    let chain = ChainProvider::builder()
        .member("cache", Ok(bench.provider.clone()))
        .build();
    ask(&chain).unwrap();
    let counted = allocation_counter::measure(|| {
        assert!(matches!(chain.credentials().into_ready(), Ok(Ok(_))));
    });
    assert_eq!(counted.count_total, 0);
}
