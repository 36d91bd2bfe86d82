//! What a chain says about its members, and how two walks at the same time agree on one.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a poisoned lock ends the test")]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use oss_credentials_core::test_util::logged;
use oss_credentials_core::{
    ChainPolicy, ChainProvider, CredentialsError, CredentialsFuture, CredentialsProvider, ErrorDetail,
    blocking,
};
use support::{Answer, Bench, Task, lasting_for_ever, unavailable};

/// Each call takes the next answer when it is polled and there is one.
#[derive(Clone, Default)]
struct Late(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    asked: usize,
}

impl Late {
    fn answer(&self, answer: Answer) {
        self.0.lock().unwrap().answers.push_back(answer);
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }
}

impl CredentialsProvider for Late {
    fn name(&self) -> &'static str {
        "late"
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        self.0.lock().unwrap().asked += 1;
        CredentialsFuture::new(poll_fn(|_| {
            let next = self.0.lock().unwrap().answers.pop_front();
            next.map_or(Poll::Pending, Poll::Ready)
        }))
    }
}

fn absent() -> CredentialsError {
    CredentialsError::not_configured(ErrorDetail::builder("late", "absent"))
}

fn chain(first: &Late, second: &Late, policy: ChainPolicy) -> Arc<ChainProvider> {
    let builder = ChainProvider::builder().policy(policy);
    let builder = builder.member("first", Ok(first.clone()));
    Arc::new(builder.member("second", Ok(second.clone())).build())
}

fn ask(chain: &Arc<ChainProvider>) -> Task<Answer> {
    let chain = Arc::clone(chain);
    Task::new(async move { chain.credentials().await })
}

#[test]
fn two_walks_at_the_same_time_end_with_one_identity() {
    let (first, second) = (Late::default(), Late::default());
    let chain = chain(&first, &second, ChainPolicy::StopOnFailure);
    let [mut one, mut other] = [ask(&chain), ask(&chain)];
    one.waits();
    other.waits();
    first.answer(Err(absent()));
    one.waits();
    second.answer(Ok(lasting_for_ever("second")));
    assert_eq!(one.done().unwrap().access_key_id(), "second");
    // It comes too late: the chain has settled on the second member.
    first.answer(Ok(lasting_for_ever("first")));
    other.waits();
    second.answer(Ok(lasting_for_ever("second-again")));
    assert_eq!(other.done().unwrap().access_key_id(), "second-again");
}

#[test]
fn two_walks_that_end_at_the_same_member_ask_it_once_each() {
    let (first, second) = (Late::default(), Late::default());
    let chain = chain(&first, &second, ChainPolicy::StopOnFailure);
    let [mut one, mut other] = [ask(&chain), ask(&chain)];
    one.waits();
    other.waits();
    for (walk, id) in [(&mut one, "1"), (&mut other, "2")] {
        first.answer(Ok(lasting_for_ever(id)));
        assert_eq!(walk.done().unwrap().access_key_id(), id);
    }
    assert_eq!((first.asked(), second.asked()), (2, 0));
}

#[test]
fn the_chain_and_its_members_have_names() {
    let chain = chain(&Late::default(), &Late::default(), ChainPolicy::StopOnFailure);
    assert_eq!(chain.name(), "chain");
    assert!(chain.member_names().eq(["first", "second"]));
}

#[test]
fn the_log_says_who_answers_first_and_who_takes_over() {
    let (first, second) = (Late::default(), Late::default());
    let chain = chain(&first, &second, ChainPolicy::ContinueOnFailure);
    first.answer(Ok(lasting_for_ever("first")));
    let log = logged(|| drop(blocking::wait(chain.credentials()).unwrap()));
    assert!(
        log.contains("first credentials") && log.contains("first"),
        "{log}"
    );
    first.answer(Ok(lasting_for_ever("first")));
    let log = logged(|| drop(blocking::wait(chain.credentials()).unwrap()));
    assert_eq!(log, "", "nothing is new");
    first.answer(Err(unavailable("down")));
    second.answer(Ok(lasting_for_ever("second")));
    let log = logged(|| drop(blocking::wait(chain.credentials()).unwrap()));
    assert!(log.contains("another provider than before"), "{log}");
    assert!(log.contains("first") && log.contains("second"), "{log}");
}

#[test]
fn the_status_is_that_of_the_member_that_answered() {
    let bench = Bench::new();
    let chain = ChainProvider::builder()
        .member("cache", Ok(bench.provider.clone()))
        .build();
    assert!(chain.refresh_status().is_none(), "nobody has answered yet");
    bench.source.push_ok(lasting_for_ever("key"));
    blocking::wait(chain.credentials()).unwrap();
    assert_eq!(chain.refresh_status().unwrap().fetches(), 1);
}
