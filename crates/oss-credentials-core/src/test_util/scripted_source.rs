//! A source that follows a script.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::credentials::Credentials;
use crate::detail::ErrorDetail;
use crate::error::CredentialsError;
use crate::future::BoxFuture;
use crate::provider::{CredentialsSource, Fetched};

/// A [`CredentialsSource`] that follows a script, one step per fetch. Clones are the same source.
///
/// After the end of the script, a fetch fails as unavailable.
///
/// ```
/// use oss_credentials_core::{blocking, test_util::ScriptedSource, Credentials, RefreshingProvider,
///     CredentialsProvider};
///
/// let source = ScriptedSource::new("scripted");
/// source.push_ok(Credentials::builder("id", "secret").build()?);
/// let provider = RefreshingProvider::new(source.clone());
/// blocking::wait(provider.credentials())?;
/// assert_eq!(source.calls(), 1);
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct ScriptedSource {
    name: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    calls: usize,
    in_flight: usize,
    abandoned: usize,
}

enum Step {
    Answer(Box<Result<Fetched, CredentialsError>>),
    Panic,
    Gate(Gate),
}

impl ScriptedSource {
    /// Creates a source with an empty script.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            state: Arc::default(),
        }
    }

    /// Adds a step: the fetch returns this result at once.
    pub fn push(&self, answer: Result<Fetched, CredentialsError>) {
        self.lock().steps.push_back(Step::Answer(Box::new(answer)));
    }

    /// Adds a step: the fetch returns these credentials at once.
    pub fn push_ok(&self, credentials: Credentials) {
        self.push(Ok(credentials.into()));
    }

    /// Adds a step: the fetch fails at once.
    pub fn push_err(&self, error: CredentialsError) {
        self.push(Err(error));
    }

    /// Adds a step: the fetch panics.
    pub fn push_panic(&self) {
        self.lock().steps.push_back(Step::Panic);
    }

    /// Adds a step: the fetch waits until the gate is opened.
    pub fn push_gate(&self) -> Gate {
        let gate = Gate::default();
        self.lock().steps.push_back(Step::Gate(gate.clone()));
        gate
    }

    /// Returns how many fetches have been begun.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Returns how many fetches wait now.
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// Returns how many fetches were dropped before they were done.
    pub fn abandoned(&self) -> usize {
        self.lock().abandoned
    }

    /// Returns how many steps the script still has.
    pub fn steps_left(&self) -> usize {
        self.lock().steps.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CredentialsSource for ScriptedSource {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        let step = {
            let mut state = self.lock();
            state.calls += 1;
            state.in_flight += 1;
            state.steps.pop_front()
        };
        let mut flight = Flight {
            source: self.clone(),
            done: false,
        };
        Box::pin(async move {
            let answer = match step {
                Some(Step::Answer(answer)) => *answer,
                Some(Step::Gate(gate)) => gate.opened().await,
                #[expect(
                    clippy::panic,
                    reason = "`push_panic` was called: the test is about a source that panics"
                )]
                Some(Step::Panic) => panic!("the script says so"),
                None => Err(CredentialsError::unavailable(ErrorDetail::builder(
                    flight.source.name,
                    "the script has ended",
                ))),
            };
            flight.finish();
            answer
        })
    }
}

impl fmt::Debug for ScriptedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedSource")
            .field("name", &self.name)
            .field("calls", &self.calls())
            .finish_non_exhaustive()
    }
}

struct Flight {
    source: ScriptedSource,
    done: bool,
}

impl Flight {
    /// A method, so that the async block owns the whole value and not a copy of the field.
    fn finish(&mut self) {
        self.done = true;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.source.lock();
        state.in_flight -= 1;
        state.abandoned += usize::from(!self.done);
    }
}

/// Holds one fetch of a [`ScriptedSource`] until it is opened.
#[derive(Clone, Default)]
pub struct Gate {
    state: Arc<Mutex<GateState>>,
}

#[derive(Default)]
struct GateState {
    answer: Option<Result<Fetched, CredentialsError>>,
    waiting: Option<Waker>,
    polls: usize,
}

impl Gate {
    /// Lets the fetch return this result.
    pub fn open(&self, answer: Result<Fetched, CredentialsError>) {
        let waiting = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.answer = Some(answer);
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Lets the fetch return these credentials.
    pub fn open_ok(&self, credentials: Credentials) {
        self.open(Ok(credentials.into()));
    }

    /// Wakes the task that polls the fetch without letting the fetch end.
    pub fn nudge(&self) {
        let waiting = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .waiting
            .take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Returns how often the fetch has been polled.
    pub fn polls(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).polls
    }

    async fn opened(&self) -> Result<Fetched, CredentialsError> {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.polls += 1;
            if let Some(answer) = state.answer.take() {
                return Poll::Ready(answer);
            }
            let replaced = state.waiting.replace(waker);
            drop(state);
            drop(replaced);
            Poll::Pending
        })
        .await
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("polls", &self.polls()).finish()
    }
}
