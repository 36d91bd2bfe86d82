//! Checks of the conformance suite on how a client lives with an executor.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use super::socket::{ScriptedSocket, answer};
use super::subject::{Checked, LONG, Problem, Subject, fails, request_to};
use crate::HttpErrorKind;
use oss_credentials_core::blocking;

pub(super) fn without_runtime(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::answering(answer("200 OK", "", b""))?;
    let (client, request) = (suite.client(), request_to(&socket));
    // A thread of its own, in case the suite itself runs inside a runtime.
    let waited = thread::scope(|scope| scope.spawn(|| blocking::wait(client.send(request))).join());
    match waited {
        Err(_) => Err(Problem::Failed("the client panicked".to_owned())),
        Ok(Ok(response)) if response.status() == 200 => Ok(()),
        Ok(answer) => Ok(fails(answer, &[HttpErrorKind::Request])?),
    }
}

/// Something that happened at the socket, for a future to wait on.
#[derive(Default)]
struct Event(Mutex<(Option<bool>, Option<Waker>)>);

impl Event {
    fn set(&self, value: bool) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 = Some(value);
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> Poll<bool> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = state.0 {
            return Poll::Ready(value);
        }
        state.1 = Some(waker.clone());
        Poll::Pending
    }
}

pub(super) fn dropped_future(suite: &Subject) -> Checked {
    let (arrived, closed) = (Arc::new(Event::default()), Arc::new(Event::default()));
    let (seen, gone) = (Arc::clone(&arrived), Arc::clone(&closed));
    let socket = ScriptedSocket::start(move |connection, _| {
        seen.set(true);
        gone.set(connection.closes_within(LONG));
    })?;
    let (client, request) = (
        suite.client(),
        request_to(&socket).with_timeout(Duration::from_secs(4)),
    );
    let mut outcome = Err(Problem::Failed(
        "`block_on` returned before the future was done".to_owned(),
    ));
    suite.wait(Box::pin(async {
        let mut sending = Some(client.send(request));
        let done_early = std::future::poll_fn(|cx| {
            if let Some(future) = &mut sending
                && future.as_mut().poll(cx).is_ready()
            {
                return Poll::Ready(true);
            }
            arrived.poll(cx.waker()).map(|_| false)
        })
        .await;
        sending = None;
        drop(sending);
        outcome = if done_early {
            Err(Problem::Skipped(
                "the client blocks, so its future cannot be dropped meanwhile".to_owned(),
            ))
        } else if std::future::poll_fn(|cx| closed.poll(cx.waker())).await {
            Ok(())
        } else {
            Err(Problem::Failed(
                "the connection stays open after the future was dropped".to_owned(),
            ))
        };
    }));
    outcome
}
