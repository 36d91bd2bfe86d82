//! Random scripts of calls, drops, answers and jumps of time, judged by what must always hold.
#![allow(missing_docs)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::collections::BTreeMap;
use std::task::Poll;
use std::time::Duration;

use oss_credentials_core::test_util::Gate;
use oss_credentials_core::{Clock, CredentialsProvider, Invalidation};
use proptest::prelude::*;
use support::{Answer, Bench, Task, denied, lasting_for_ever, unavailable};

#[derive(Clone, Debug)]
enum Act {
    Advance(u64),
    /// Sets the wall clock back.
    SetBack(u64),
    /// Sets the wall clock forward.
    SetForward(u64),
    Suspend(u64),
    Call,
    Poll(usize),
    Drop(usize),
    /// Ends the flight with a value that lives this long.
    Succeed(u64),
    Fail,
    Deny,
    InvalidateCurrent,
    InvalidateOther,
    RefreshNow,
    AttachDriver,
    PollDriver,
    DropDriver,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u64..2000).prop_map(Act::Advance),
        3 => (0_u64..40).prop_map(Act::Advance),
        1 => (0_u64..5000).prop_map(Act::SetBack),
        1 => (0_u64..5000).prop_map(Act::SetForward),
        1 => (0_u64..5000).prop_map(Act::Suspend),
        8 => Just(Act::Call),
        6 => (0_usize..8).prop_map(Act::Poll),
        4 => (0_usize..8).prop_map(Act::Drop),
        4 => (0_u64..5000).prop_map(Act::Succeed),
        2 => Just(Act::Fail),
        1 => Just(Act::Deny),
        1 => Just(Act::InvalidateCurrent),
        1 => Just(Act::InvalidateOther),
        1 => Just(Act::RefreshNow),
        1 => Just(Act::AttachDriver),
        6 => Just(Act::PollDriver),
        1 => Just(Act::DropDriver),
    ]
}

struct Caller {
    task: Task<Answer>,
    forced: bool,
    /// Whether a usable value was there when it called and it had to wait all the same.
    volunteered: bool,
}

/// What the script has done, apart from the code under test.
struct Model {
    bench: Bench,
    callers: Vec<Caller>,
    driver: Option<Task<()>>,
    gates: Vec<Gate>,
    /// Expiry of each key the source has handed out, by the clock that nobody sets and that counts suspended time.
    expiry: BTreeMap<String, Duration>,
    rejected: Vec<String>,
    successes: usize,
}

impl Model {
    fn new() -> Self {
        let bench = Bench::with(|builder| builder.invalidate_limit(u32::MAX, Duration::from_secs(1)));
        let mut model = Self {
            bench,
            callers: Vec::new(),
            driver: None,
            gates: Vec::new(),
            expiry: BTreeMap::new(),
            rejected: Vec::new(),
            successes: 0,
        };
        model.refill();
        model
    }

    /// Every fetch finds a gate; the script opens it later.
    fn refill(&mut self) {
        while self.bench.source.steps_left() < 3 {
            self.gates.push(self.bench.source.push_gate());
        }
    }

    /// The gate of the flight under way: the last one that was taken.
    fn current_gate(&self) -> Option<&Gate> {
        if self.bench.source.in_flight() == 0 {
            return None;
        }
        self.gates.get(self.bench.source.calls().checked_sub(1)?)
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    fn run(&mut self, act: Act) -> Result<(), TestCaseError> {
        self.refill();
        match act {
            Act::Advance(secs) => self.bench.clock.advance(Duration::from_secs(secs)),
            Act::SetBack(secs) => {
                let by = Duration::from_secs(secs);
                self.bench.clock.step_back(by);
                // Nobody can know that of a key which is still on its way.
                if self.bench.source.in_flight() > 0
                    && let Some(end) = self.expiry.get_mut(&format!("key-{}", self.successes))
                {
                    *end += by;
                }
            }
            Act::SetForward(secs) => self.bench.clock.step_forward(Duration::from_secs(secs)),
            Act::Suspend(secs) => self.bench.clock.suspend(Duration::from_secs(secs)),
            Act::Call => self.call()?,
            Act::Poll(index) => self.poll_caller(index)?,
            Act::Drop(index) => {
                if index < self.callers.len() {
                    self.callers.swap_remove(index);
                }
            }
            Act::Succeed(life) => {
                if let Some(gate) = self.current_gate().cloned() {
                    self.successes += 1;
                    let key = format!("key-{}", self.successes);
                    let life = Duration::from_secs(life);
                    gate.open_ok(self.bench.lasting(&key, life));
                    self.expiry.insert(key, self.real_time() + life);
                }
            }
            Act::Fail => self
                .current_gate()
                .into_iter()
                .for_each(|gate| gate.open(Err(unavailable("down")))),
            Act::Deny => self
                .current_gate()
                .into_iter()
                .for_each(|gate| gate.open(Err(denied()))),
            Act::InvalidateCurrent => {
                if let Some(current) = self.bench.provider.cached() {
                    self.rejected.push(current.access_key_id().to_owned());
                    prop_assert_eq!(self.bench.provider.invalidate(&current), Invalidation::Dropped);
                    prop_assert!(self.bench.provider.cached().is_none());
                }
            }
            Act::InvalidateOther => {
                let result = self.bench.provider.invalidate(&lasting_for_ever("other"));
                prop_assert_eq!(result, Invalidation::AlreadyReplaced);
            }
            Act::RefreshNow => {
                let provider = self.bench.provider.clone();
                let task = Task::new(async move { provider.refresh_now().await });
                self.callers.push(Caller {
                    task,
                    forced: true,
                    volunteered: false,
                });
            }
            Act::AttachDriver => {
                if let Some(driver) = self.bench.provider.driver(self.bench.clock.clone()) {
                    self.driver = Some(Task::new(driver));
                }
            }
            Act::PollDriver => {
                if let Some(driver) = &mut self.driver {
                    prop_assert!(driver.poll().is_pending(), "a driver lives as long as a handle");
                }
            }
            Act::DropDriver => self.driver = None,
        }
        self.invariants()
    }

    fn real_time(&self) -> Duration {
        self.bench.clock.since_boot().unwrap_or_default()
    }

    fn call(&mut self) -> Result<(), TestCaseError> {
        let usable = self.bench.provider.cached();
        let has_driver = self.bench.provider.status().has_driver();
        let mut task = self.bench.ask();
        match task.poll() {
            Poll::Ready(Ok(credentials)) => self.judge(credentials.access_key_id())?,
            Poll::Ready(Err(error)) => {
                prop_assert!(usable.is_none(), "{error} although a usable value is there");
            }
            Poll::Pending => {
                prop_assert!(
                    usable.is_none() || !has_driver,
                    "a caller waits although a driver is there"
                );
                self.callers.push(Caller {
                    task,
                    forced: false,
                    volunteered: usable.is_some(),
                });
            }
        }
        Ok(())
    }

    fn poll_caller(&mut self, index: usize) -> Result<(), TestCaseError> {
        let Some(caller) = self.callers.get_mut(index) else {
            return Ok(());
        };
        let Poll::Ready(result) = caller.task.poll() else {
            return Ok(());
        };
        let caller = self.callers.swap_remove(index);
        match result {
            Ok(credentials) => self.judge(credentials.access_key_id()),
            Err(_) if caller.forced => Ok(()),
            Err(error) => {
                prop_assert!(
                    self.bench.provider.cached().is_none(),
                    "a caller (volunteer: {}) gets {error} although a usable value is there",
                    caller.volunteered
                );
                Ok(())
            }
        }
    }

    /// A key that is handed out was handed out by the source, is not expired and was not rejected.
    fn judge(&self, key: &str) -> Result<(), TestCaseError> {
        let end = self.expiry.get(key);
        prop_assert!(end.is_some(), "{key} never came from the source");
        prop_assert!(
            end.is_some_and(|end| *end > self.real_time()),
            "{key} has expired"
        );
        prop_assert!(
            !self.rejected.iter().any(|rejected| rejected == key),
            "{key} was rejected"
        );
        Ok(())
    }

    fn invariants(&self) -> Result<(), TestCaseError> {
        prop_assert!(
            self.bench.source.in_flight() <= 1,
            "more than one fetch at a time"
        );
        let waiting_with_value = self.callers.iter().filter(|caller| caller.volunteered).count();
        prop_assert!(
            waiting_with_value <= self.bench.source.calls(),
            "at most one volunteer per attempt: {waiting_with_value}"
        );
        if let Some(current) = self.bench.provider.cached() {
            self.judge(current.access_key_id())?;
        }
        Ok(())
    }

    /// Whatever happened before: when the source works again, callers get a value within the longest pause.
    fn recovers(&mut self) -> Result<(), TestCaseError> {
        self.callers.clear();
        self.bench.clock.advance(Duration::from_secs(61));
        for _ in 0..4 {
            let mut task = self.bench.ask();
            let answer = match task.poll() {
                Poll::Ready(answer) => answer,
                Poll::Pending => {
                    self.run(Act::Succeed(3600))?;
                    match task.poll() {
                        Poll::Ready(answer) => answer,
                        // An adopted flight failed, and a fresh one waits for its gate.
                        Poll::Pending => {
                            self.run(Act::Succeed(3600))?;
                            match task.poll() {
                                Poll::Ready(answer) => answer,
                                Poll::Pending => continue,
                            }
                        }
                    }
                }
            };
            if let Ok(credentials) = answer {
                return self.judge(credentials.access_key_id());
            }
            // The flight that was left over had been opened with a failure or an expired value.
            self.bench.clock.advance(Duration::from_secs(61));
        }
        prop_assert!(
            false,
            "no value although the source works: {:?}",
            self.bench.provider.status()
        );
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_promises_hold(acts in prop::collection::vec(act(), 1..120)) {
        let mut model = Model::new();
        for act in acts {
            model.run(act)?;
        }
        model.recovers()?;
    }
}
