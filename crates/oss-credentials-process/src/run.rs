//! Runs a program until it exits or its time is over.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};
use zeroize::Zeroizing;

use crate::output::Output;

/// How often to check whether the program has exited.
const TICK: Duration = Duration::from_millis(10);
/// How long processes that a program started may keep its output open after it has exited.
const GRACE: Duration = Duration::from_secs(1);

/// The outcome of a run. No `Debug`: the output contains keys.
pub(crate) enum Outcome {
    /// It exited with success, or its exit status is not known (`status_known`), and printed this.
    Output {
        text: Zeroizing<Vec<u8>>,
        status_known: bool,
    },
    /// It exited with another code, or was ended by a signal.
    Failed(ExitStatus),
    /// Its time was over. Whether it could be killed.
    TimeOut(io::Result<()>),
    /// It printed more than [`MAX_OUTPUT`](crate::MAX_OUTPUT). Whether it could be killed.
    TooLong(io::Result<()>),
    /// It could not be started, or its output could not be read.
    Io(io::Error),
}

/// Starts a thread that runs the command. Dropping the future kills the program.
pub(crate) fn run(command: Command, limit: Duration) -> Running {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let (cancel, cancelled) = mpsc::channel();
    let at_work = Arc::clone(&shared);
    let started = thread::Builder::new()
        .name("oss-credentials-process".to_owned())
        .spawn(move || supervise(command, limit, &cancelled, &at_work));
    if let Err(error) = started {
        finish(&shared, Outcome::Io(error));
    }
    Running {
        shared,
        _cancel: cancel,
    }
}

/// A running program.
pub(crate) struct Running {
    shared: Arc<Mutex<Shared>>,
    /// Dropped with this, which the thread sees.
    _cancel: Sender<Infallible>,
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

/// Runs on a separate thread, which may wait.
fn supervise(command: Command, limit: Duration, cancelled: &Receiver<Infallible>, shared: &Mutex<Shared>) {
    let mut child = match start(command) {
        Ok(child) => child,
        Err(error) => return finish(shared, Outcome::Io(error)),
    };
    let mut program = Program {
        output: child.stdout().take().map(Output::new),
        child: &mut *child,
        ended: None,
    };
    let end = program.wait(limit, cancelled);
    let stopped = program.end();
    let outcome = match end {
        End::Complete => program.answer(),
        End::TimeOut => Outcome::TimeOut(stopped),
        End::TooLong => Outcome::TooLong(stopped),
        End::Io(error) => Outcome::Io(error),
    };
    // Its output is closed before the outcome is reported.
    drop(program);
    finish(shared, outcome);
    // Leaves no zombie. One that cannot be killed is still waited for, but only by this thread.
    let _ = child.inner_mut().wait();
}

fn start(mut command: Command) -> io::Result<Box<dyn ChildWrapper>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Nobody reads it; and a leftover process may hold it forever.
        .stderr(Stdio::null());
    let mut command = CommandWrap::from(command);
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
    command.spawn()
}

/// The reason why the program is no longer waited for.
enum End {
    Complete,
    TimeOut,
    TooLong,
    Io(io::Error),
}

/// A program goes through three states: running; exited and not reaped; reaped. Its group is killed only
/// before the last of them. Until then its process ID, which is its group's, cannot be assigned to another process, and
/// so the signal cannot reach one.
struct Program<'a> {
    child: &'a mut dyn ChildWrapper,
    output: Option<Output>,
    /// When it was seen to have exited.
    ended: Option<(Ended, Instant)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Its exit status is still there to be taken.
    Unreaped,
    /// Where signals of ended children (`SIGCHLD`) are ignored, which a process inherits, the system keeps no status
    /// and reaps them by itself. Only Unix has such signals.
    #[cfg_attr(not(unix), expect(dead_code, reason = "never the case elsewhere"))]
    Lost,
}

impl Program<'_> {
    /// Waits until the program has exited and its output is closed, or something fails.
    fn wait(&mut self, limit: Duration, cancelled: &Receiver<Infallible>) -> End {
        let started = now();
        loop {
            match self.read(cancelled) {
                Ok(true) => {}
                Ok(false) => return End::TooLong,
                Err(error) => return End::Io(error),
            }
            // Nobody waits for a result any more.
            if matches!(cancelled.try_recv(), Err(TryRecvError::Disconnected)) {
                return End::TimeOut;
            }
            let now = now();
            if self.ended.is_none() {
                match has_ended(self.child) {
                    Ok(ended) => self.ended = ended.map(|ended| (ended, now)),
                    Err(error) => return End::Io(error),
                }
            }
            match self.ended {
                // Not before its output is closed: one that printed too much dies of that, too.
                Some(_) if self.is_closed() => return End::Complete,
                // A leftover process holds its output open; what was printed before counts.
                Some((_, at)) if now.saturating_duration_since(at) >= GRACE => return self.last_words(),
                _ if now.saturating_duration_since(started) >= limit => return End::TimeOut,
                _ => {}
            }
        }
    }

    /// Takes what is printed within a tick; returns whether it is not too much.
    fn read(&mut self, cancelled: &Receiver<Infallible>) -> io::Result<bool> {
        if let Some(output) = self.output.as_mut().filter(|output| !output.is_closed()) {
            return output.read(TICK);
        }
        match cancelled.recv_timeout(TICK) {
            Ok(never) => match never {},
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(true),
        }
    }

    /// Kills leftover processes, and takes what is in the pipe.
    fn last_words(&mut self) -> End {
        // One in its own session continues, as intended: a key agent. Others hold the output open, and with
        // that, as a rule, the group's ID: it is still theirs, even if the program was reaped.
        let _ = self.child.start_kill();
        let Some(output) = &mut self.output else {
            return End::Complete;
        };
        match output.drain() {
            Ok(true) => End::Complete,
            Ok(false) => End::TooLong,
            Err(error) => End::Io(error),
        }
    }

    fn is_closed(&self) -> bool {
        self.output.as_ref().is_none_or(Output::is_closed)
    }

    /// Kills the program with everything that it started.
    fn end(&mut self) -> io::Result<()> {
        // Once the system has reaped it, the group's id may be another's by now.
        let is_lost = matches!(self.ended, Some((Ended::Lost, _)));
        if !is_lost {
            // An error means that no process is left there.
            let _ = self.child.start_kill();
        }
        if self.ended.is_some() {
            return Ok(());
        }
        // A program that left its group (on Windows its job) is not reached through that.
        let Err(error) = self.child.inner_mut().start_kill() else {
            return Ok(());
        };
        match has_ended(self.child) {
            Ok(Some(_)) => Ok(()),
            _ => Err(error),
        }
    }

    /// Returns the outcome of a program that has exited. Reaps it, so its group has to be killed before.
    fn answer(&mut self) -> Outcome {
        let status_known = match self.child.inner_mut().wait() {
            Ok(status) if !status.success() => return Outcome::Failed(status),
            Ok(_) => true,
            Err(error) if is_no_child(&error) => false,
            Err(error) => return Outcome::Io(error),
        };
        let text = self.output.take().map(Output::into_text).unwrap_or_default();
        Outcome::Output { text, status_known }
    }
}

/// Returns whether the program has exited; it is not reaped.
#[cfg(unix)]
fn has_ended(child: &mut dyn ChildWrapper) -> io::Result<Option<Ended>> {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let id = id.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match waitid(WaitId::Pid(id), peek) {
        Ok(status) => Ok(status.map(|_| Ended::Unreaped)),
        Err(error) => match io::Error::from(error) {
            error if is_no_child(&error) => Ok(Some(Ended::Lost)),
            error if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            error => Err(error),
        },
    }
}

/// Whether the program has exited. A job is not a process ID: it stays the program's as long as this process has it.
#[cfg(not(unix))]
fn has_ended(child: &mut dyn ChildWrapper) -> io::Result<Option<Ended>> {
    let status = child.inner_mut().try_wait()?;
    Ok(status.map(|_| Ended::Unreaped))
}

#[cfg(unix)]
fn is_no_child(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ECHILD as i32)
}

#[cfg(not(unix))]
fn is_no_child(_: &io::Error) -> bool {
    false
}

/// The injected clock says what time credentials end; a program takes the time it takes.
#[expect(
    clippy::disallowed_methods,
    reason = "limits a program that runs beside this one"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Records what is done to a child. One that changed its user cannot be killed.
    #[derive(Debug)]
    struct Noted {
        child: Box<dyn ChildWrapper>,
        changed_its_user: bool,
        calls: Vec<&'static str>,
    }

    impl Noted {
        #[expect(clippy::unwrap_used, reason = "a broken set-up ends the test")]
        fn start(script: &str) -> Self {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            Self {
                child: start(command).unwrap(),
                changed_its_user: false,
                calls: Vec::new(),
            }
        }
    }

    impl Drop for Noted {
        fn drop(&mut self) {
            let _ = self.child.start_kill();
            let _ = self.child.inner_mut().wait();
        }
    }

    impl ChildWrapper for Noted {
        fn inner(&self) -> &dyn ChildWrapper {
            self
        }

        fn inner_mut(&mut self) -> &mut dyn ChildWrapper {
            self
        }

        fn into_inner(self: Box<Self>) -> Box<dyn ChildWrapper> {
            self
        }

        fn id(&self) -> u32 {
            self.child.id()
        }

        fn start_kill(&mut self) -> io::Result<()> {
            self.calls.push("end");
            if self.changed_its_user {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            self.child.start_kill()
        }

        fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
            self.calls.push("reap");
            self.child.inner_mut().try_wait()
        }

        fn wait(&mut self) -> io::Result<ExitStatus> {
            self.calls.push("reap");
            self.child.inner_mut().wait()
        }
    }

    #[test]
    fn a_group_is_ended_before_its_leader_is_reaped() {
        for script in ["exit 3", "sleep 600 >&- & exit 3", "sleep 600 & exit 3"] {
            let mut noted = Noted::start(script);
            let output = noted.child.stdout().take().map(Output::new);
            let mut program = Program {
                child: &mut noted,
                output,
                ended: None,
            };
            let (_keep, cancelled) = mpsc::channel();
            assert!(
                matches!(program.wait(Duration::from_secs(60), &cancelled), End::Complete),
                "{script}"
            );
            assert!(program.end().is_ok());
            let Outcome::Failed(status) = program.answer() else {
                panic!("{script}");
            };
            assert_eq!(status.code(), Some(3));
            drop(program);
            let reaped = noted.calls.iter().position(|call| *call == "reap");
            let last_signal = noted.calls.iter().rposition(|call| *call == "end");
            assert!(
                last_signal < reaped && last_signal.is_some(),
                "{script}: {:?}",
                noted.calls
            );
        }
    }

    #[test]
    fn that_a_program_cannot_be_ended_is_told() {
        let mut noted = Noted::start("exec sleep 600");
        noted.changed_its_user = true;
        let mut program = Program {
            child: &mut noted,
            output: None,
            ended: None,
        };
        let error = program.end().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        // It exited by itself.
        program.ended = Some((Ended::Unreaped, now()));
        assert!(program.end().is_ok());
    }

    #[test]
    fn a_group_whose_id_may_be_anothers_is_left_alone() {
        let mut noted = Noted::start("exec sleep 600");
        let mut program = Program {
            child: &mut noted,
            output: None,
            ended: Some((Ended::Lost, now())),
        };
        assert!(program.end().is_ok());
        drop(program);
        assert!(noted.calls.is_empty(), "{:?}", noted.calls);
    }
}
