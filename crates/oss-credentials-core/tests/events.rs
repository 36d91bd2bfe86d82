//! Events, for observers and in logs, and what a cache counts. Their names are a contract: `docs/events.md`.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]

mod support;

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials_core::test_util::ScriptedSource;
use oss_credentials_core::{
    ChainPolicy, ChainProvider, Credentials, CredentialsProvider, Invalidation, RefreshEvent, RefreshTotals,
    RefreshingProviderBuilder, blocking,
};
use support::{Bench, HOUR, MINUTE, SECOND, lasting_for_ever, unavailable};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn push(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A builder's setting that writes down each event as its `Debug` shows it.
fn observed(
    lines: &Lines,
) -> impl FnOnce(RefreshingProviderBuilder<ScriptedSource>) -> RefreshingProviderBuilder<ScriptedSource> + use<>
{
    let lines = lines.clone();
    move |builder| {
        builder.observer(move |event| {
            lines.push(format!("{} of {}: {event:?}", event.name(), event.provider()));
        })
    }
}

#[test]
fn an_observer_learns_of_each_event_and_of_no_secret() {
    let lines = Lines::default();
    let bench = Bench::with(observed(&lines));
    let canary = |id: &str| {
        Credentials::builder(id, "canary-secret")
            .security_token("canary-token")
            .expires_at(oss_credentials_core::Clock::now(&bench.clock) + HOUR)
            .build()
            .unwrap()
    };
    bench.source.push_ok(canary("LTAI5tExampleKeyId01"));
    bench.ask().done().unwrap();
    let all = lines.take();
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!(
        all[0],
        r#"credentials.fetch of scripted: FetchStarted { provider: "scripted" }"#
    );
    for part in [
        "credentials.refreshed of scripted: Refreshed",
        r#"access_key_id: "LTAI****Id01""#,
        "is_first: true",
        "failures: 0",
    ] {
        assert!(all[1].contains(part), "{}", all[1]);
    }

    bench.clock.advance(50 * MINUTE);
    bench.source.push_err(unavailable("down"));
    bench.ask().done().unwrap();
    let failed = lines.take();
    assert!(
        failed[1].contains("RefreshFailed") && failed[1].contains("is_usable: true"),
        "{failed:#?}"
    );

    let used = bench.provider.cached().unwrap();
    bench.provider.invalidate(&used);
    let rejected = lines.take();
    assert!(
        rejected[0].starts_with("credentials.rejected of scripted: Rejected")
            && rejected[0].ends_with("result: Dropped }"),
        "{rejected:#?}"
    );
    for line in all.iter().chain(&failed).chain(&rejected) {
        assert!(
            !line.contains("canary") && !line.contains("ExampleKeyId"),
            "{line}"
        );
    }
}

#[test]
fn an_observer_may_ask_the_provider_and_may_panic() {
    let asked: Lines = Lines::default();
    let seen = asked.clone();
    let bench = Arc::new(std::sync::OnceLock::<Bench>::new());
    let inside = Arc::clone(&bench);
    let made = Bench::with(move |builder| {
        builder.observer(move |event| {
            if let RefreshEvent::Refreshed { .. } = event {
                let bench = inside.get().unwrap();
                let cached = bench.provider.cached().unwrap();
                seen.push(format!(
                    "{} {}",
                    cached.access_key_id(),
                    bench.provider.status().fetches()
                ));
            }
            panic!("an observer that fails");
        })
    });
    let bench = bench.get_or_init(|| made);
    bench.source.push_ok(bench.lasting("first", HOUR));
    bench.answers("first");
    assert_eq!(asked.take(), ["first 1"]);
    let used = bench.provider.cached().unwrap();
    assert_eq!(bench.provider.invalidate(&used), Invalidation::Dropped);
}

#[test]
fn a_status_has_totals_and_times() {
    let bench = Bench::new();
    assert_eq!(bench.provider.status().totals(), RefreshTotals::default());
    assert_eq!(bench.provider.status().last_fetch(), None);
    // Two callers wait 3 s for one attempt; later ones read the cache.
    let gate = bench.source.push_gate();
    let (mut one, mut other) = (bench.ask(), bench.ask());
    one.waits();
    other.waits();
    bench.clock.advance(3 * SECOND);
    gate.open_ok(bench.lasting("first", HOUR));
    one.done().unwrap();
    other.done().unwrap();
    bench.answers("first");
    let totals = bench.provider.status().totals();
    assert_eq!(
        (totals.fetches(), totals.successes(), totals.failures()),
        (1, 1, 0)
    );
    assert_eq!((totals.waits(), totals.invalidations()), (2, 0));
    assert_eq!(
        (totals.fetch_time(), totals.wait_time()),
        (3 * SECOND, 6 * SECOND)
    );

    bench.clock.advance(50 * MINUTE);
    bench.source.push_err(unavailable("down"));
    bench.answers("first");
    let used = bench.provider.cached().unwrap();
    bench.provider.invalidate(&used);
    bench.provider.invalidate(&used);
    let status = bench.provider.status();
    assert_eq!(status.last_fetch(), Some(Duration::ZERO));
    assert_eq!(status.age(), None, "there is no value");
    let totals = status.totals();
    assert_eq!(
        (totals.fetches(), totals.successes(), totals.failures()),
        (2, 1, 1)
    );
    assert_eq!((totals.waits(), totals.invalidations()), (3, 1));
    assert_eq!(
        (totals.fetch_time(), totals.wait_time()),
        (3 * SECOND, 6 * SECOND)
    );
}

#[test]
fn a_status_shows_what_happens_now() {
    let bench = Bench::new();
    let status = bench.provider.status();
    assert!(!status.is_usable() && !status.is_refreshing());
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    let status = bench.provider.status();
    assert!(!status.is_usable() && status.is_refreshing());
    gate.open_ok(bench.lasting("first", HOUR));
    caller.done().unwrap();
    let status = bench.provider.status();
    assert!(status.is_usable() && !status.is_refreshing());
    bench.clock.advance(48 * MINUTE);
    let bench = bench.fetch("second");
    let status = bench.provider.status();
    assert_eq!((status.fetches(), status.totals().successes()), (2, 2));
    bench.clock.advance(HOUR);
    assert!(!bench.provider.status().is_usable());
}

#[test]
fn the_age_of_a_value_counts_from_its_arrival() {
    let bench = Bench::fetched("first");
    assert_eq!(bench.provider.status().age(), Some(Duration::ZERO));
    bench.clock.advance(5 * MINUTE);
    assert_eq!(bench.provider.status().age(), Some(5 * MINUTE));
}

/// Spans, whether they are entered and what is recorded, and the names of events, at every level.
struct Log(Lines);

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if matches!(field.name(), "event" | "outcome") {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.0.push(format!(
            "{} span {}",
            span.metadata().level(),
            span.metadata().name()
        ));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, fields: &Record<'_>) {
        let mut line = Fields::default();
        fields.record(&mut line);
        self.0.push(format!("record{}", line.0));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Fields::default();
        event.record(&mut line);
        // A program that shows fields alone knows the name as well.
        assert_eq!(line.0, format!(" event={:?}", event.metadata().name()));
        self.0.push(format!(
            "{} {}",
            event.metadata().level(),
            event.metadata().name()
        ));
    }
    fn enter(&self, _: &Id) {
        // Once for each span: it is entered for each poll, and to drop what is inside.
        if let Some(last) = self.0.0.lock().unwrap().last_mut()
            && last.ends_with("credentials.fetch")
        {
            last.push_str(", entered");
        }
    }
    fn exit(&self, _: &Id) {}
}

/// One test for all, since `tracing` remembers what one subscriber says about an event for the whole process.
#[test]
fn the_names_in_logs_are_those_that_are_documented() {
    let lines = Lines::default();
    let bench = Bench::with(|builder| builder.invalidate_limit(1, MINUTE));
    let mut documented = std::collections::BTreeSet::new();
    let mut check = |run: &mut dyn FnMut(), expected: &[&str]| {
        tracing::subscriber::with_default(Log(lines.clone()), run);
        let all = lines.take();
        assert_eq!(all, expected);
        let words = all.iter().flat_map(|line| line.split([' ', ',']));
        documented.extend(words.filter(|word| word.contains('.')).map(str::to_owned));
    };
    let fetch = ["INFO span credentials.fetch, entered"];
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    check(&mut || caller.waits(), &fetch);
    gate.open_ok(bench.lasting("first", HOUR));
    check(
        &mut || drop(caller.done().unwrap()),
        &["record outcome=\"ok\"", "INFO credentials.refreshed"],
    );

    let fetched = |outcome: &'static str, name: &'static str| [fetch[0], outcome, name];
    bench.clock.advance(50 * MINUTE);
    bench.source.push_err(unavailable("down"));
    let failed = "record outcome=\"unavailable\"";
    check(
        &mut || bench.answers("first"),
        &fetched(failed, "WARN credentials.refresh_failed"),
    );
    bench.clock.advance(2 * SECOND);
    bench.source.push_err(unavailable("down"));
    check(
        &mut || bench.answers("first"),
        &fetched(failed, "DEBUG credentials.refresh_failed"),
    );
    bench.clock.advance(MINUTE);
    bench.source.push_ok(bench.lasting("second", HOUR));
    let ok = "record outcome=\"ok\"";
    check(
        &mut || bench.answers("second"),
        &fetched(ok, "INFO credentials.refreshed"),
    );
    let used = bench.provider.cached().unwrap();
    let mut reject = || {
        bench.provider.invalidate(&used);
    };
    check(&mut reject, &["INFO credentials.rejected"]);
    bench.clock.advance(11 * SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    check(
        &mut || bench.answers("second"),
        &fetched(ok, "DEBUG credentials.refreshed"),
    );
    check(&mut reject, &["WARN credentials.rejected"]);

    // The starter of a fetch is gone, and whoever adopts it sees no progress.
    let bench = Bench::new();
    let gates = [bench.source.push_gate(), bench.source.push_gate()];
    let mut starter = bench.ask();
    check(&mut || starter.waits(), &fetch);
    let mut adopter = bench.ask();
    check(&mut || adopter.waits(), &[]);
    drop(starter);
    check(&mut || adopter.waits(), &[]);
    bench.clock.advance(2 * SECOND);
    let replaced = ["DEBUG credentials.fetch_replaced", fetch[0]];
    check(&mut || adopter.waits(), &replaced);
    drop(gates);
    drop(adopter);

    for (policy, expected) in [
        (ChainPolicy::StopOnFailure, &["DEBUG chain.stopped"][..]),
        (
            ChainPolicy::ContinueOnFailure,
            &["WARN chain.member_failed", "WARN chain.member_changed"][..],
        ),
    ] {
        let first = Arc::new(Mutex::new(Ok(lasting_for_ever("first"))));
        let answer = Arc::clone(&first);
        let chain = ChainProvider::builder()
            .member(
                "first",
                Ok(oss_credentials_core::provider_fn("first", move || {
                    answer.lock().unwrap().clone()
                })),
            )
            .member("second", Ok(lasting_for_ever("second")))
            .policy(policy)
            .build();
        let mut ask = || drop(blocking::wait(chain.credentials()));
        check(&mut ask, &["INFO chain.member_chosen"]);
        *first.lock().unwrap() = Err(unavailable("down"));
        check(&mut ask, expected);
    }

    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md"));
    // A package that was taken out of the repository has no page.
    let Ok(page) = page else { return };
    for name in documented {
        assert!(page.contains(&format!("`{name}`")), "{name} is not documented");
    }
}
