//! Running a program to its end, or to the end of its time.

use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};
use zeroize::Zeroizing;

use crate::config::MAX_OUTPUT;

/// How often it is looked whether the program has ended.
const TICK: Duration = Duration::from_millis(10);
/// How long what a program started may keep its outputs open after it has ended.
const GRACE: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It ended with success, and printed this.
    Output(Zeroizing<Vec<u8>>),
    /// It ended with another code, or by a signal.
    Failed(ExitStatus),
    /// It was ended because its time was over.
    TimeOut,
    /// It was ended because it printed more than [`MAX_OUTPUT`].
    TooLong,
    /// It could not be started, or its outputs could not be read.
    Io(io::Error),
}

/// Starts a thread that runs the command. Dropping the future ends the program.
pub(crate) fn run(command: Command, limit: Duration) -> Running {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let (sender, events) = mpsc::channel();
    let (at_work, cancel) = (Arc::clone(&shared), sender.clone());
    let started = thread::Builder::new()
        .name("oss-credentials-process".to_owned())
        .spawn(move || finish(&at_work, supervise(command, limit, &sender, &events)));
    if let Err(error) = started {
        finish(&shared, Outcome::Io(error));
    }
    Running { shared, cancel }
}

/// A program at work.
pub(crate) struct Running {
    shared: Arc<Mutex<Shared>>,
    cancel: Sender<Event>,
}

#[derive(Default)]
struct Shared {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl Future for Running {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = shared.outcome.take() {
            return Poll::Ready(outcome);
        }
        shared.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nobody listens any more if it has ended.
        let _ = self.cancel.send(Event::Cancelled);
    }
}

fn finish(shared: &Mutex<Shared>, outcome: Outcome) {
    let waker = {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.outcome = Some(outcome);
        shared.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

enum Event {
    /// An output was closed; what it brought, if that is kept.
    Closed(io::Result<Zeroizing<Vec<u8>>>),
    TooLong,
    Cancelled,
}

/// Runs on a thread of its own, which may wait.
fn supervise(command: Command, limit: Duration, sender: &Sender<Event>, events: &Receiver<Event>) -> Outcome {
    let mut child = match start(command) {
        Ok(child) => child,
        Err(error) => return Outcome::Io(error),
    };
    // Both at once: a program that fills one pipe while nobody reads it would wait for ever.
    let outputs = [
        child
            .stdout()
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child
            .stderr()
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for (pipe, keep) in outputs.into_iter().flatten().zip([true, false]) {
        let sender = sender.clone();
        let reader = thread::Builder::new()
            .name("oss-credentials-process".to_owned())
            .spawn(move || drop(sender.send(read(pipe, keep))));
        if let Err(error) = reader {
            end(&mut *child);
            return Outcome::Io(error);
        }
    }
    let outcome = wait(&mut *child, limit, events);
    end(&mut *child);
    outcome
}

fn start(mut command: Command) -> io::Result<Box<dyn ChildWrapper>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut command = CommandWrap::from(command);
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
    command.spawn()
}

/// Reads to the end, or to the limit.
fn read(pipe: Box<dyn Read + Send>, keep: bool) -> Event {
    // With its full size at once, it is never moved, and no copy of a key is left behind.
    let mut buffer = Zeroizing::new(Vec::with_capacity(MAX_OUTPUT + 1));
    match pipe.take(MAX_OUTPUT as u64 + 1).read_to_end(&mut buffer) {
        Ok(_) if buffer.len() > MAX_OUTPUT => Event::TooLong,
        Ok(_) => {
            if !keep {
                buffer.clear();
            }
            Event::Closed(Ok(buffer))
        }
        Err(error) => Event::Closed(Err(error)),
    }
}

/// Until the program has ended and both outputs are closed, or something goes wrong.
fn wait(child: &mut dyn ChildWrapper, limit: Duration, events: &Receiver<Event>) -> Outcome {
    let started = now();
    let mut open = 2;
    let mut output = Zeroizing::new(Vec::new());
    let mut ended: Option<(ExitStatus, Instant)> = None;
    let mut swept = false;
    loop {
        match events.recv_timeout(TICK) {
            Ok(Event::Closed(Ok(text))) => {
                open -= 1;
                if !text.is_empty() {
                    output = text;
                }
            }
            Ok(Event::Closed(Err(error))) => return Outcome::Io(error),
            Ok(Event::TooLong) => return Outcome::TooLong,
            // Nobody waits for an answer any more.
            Ok(Event::Cancelled) | Err(RecvTimeoutError::Disconnected) => return Outcome::TimeOut,
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = now();
        if ended.is_none() {
            match child.inner_mut().try_wait() {
                Ok(status) => ended = status.map(|status| (status, now)),
                Err(error) => return Outcome::Io(error),
            }
        }
        match ended {
            // Not before its outputs are closed: one that printed too much dies of that, too.
            Some((status, _)) if open == 0 && !status.success() => return Outcome::Failed(status),
            Some(_) if open == 0 => return Outcome::Output(output),
            // Something that the program left behind holds its output open, and is ended; what came before counts.
            Some((_, at)) if now.saturating_duration_since(at) >= GRACE && !swept => {
                end(child);
                swept = true;
            }
            _ if now.saturating_duration_since(started) >= limit => return Outcome::TimeOut,
            _ => {}
        }
    }
}

/// Ends the program with all that it started, and leaves no zombie.
fn end(child: &mut dyn ChildWrapper) {
    // An error means that nobody is left.
    let _ = child.kill();
}

/// The injected clock says what time credentials end; a program takes the time it takes.
#[expect(
    clippy::disallowed_methods,
    reason = "limits a program that runs beside this one"
)]
fn now() -> Instant {
    Instant::now()
}
