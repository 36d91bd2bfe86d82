//! Signals for the program that runs beside the agent.

use std::fs::File;
use std::io;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use tokio::process::Child;
use tokio::signal::unix::{self, SignalKind};

/// Signals that are passed on, listened for since this was made.
pub(super) struct Signals {
    hangup: unix::Signal,
    interrupt: unix::Signal,
    quit: unix::Signal,
    terminate: unix::Signal,
    user1: unix::Signal,
    user2: unix::Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: unix::signal(SignalKind::hangup())?,
            interrupt: unix::signal(SignalKind::interrupt())?,
            quit: unix::signal(SignalKind::quit())?,
            terminate: unix::signal(SignalKind::terminate())?,
            user1: unix::signal(SignalKind::user_defined1())?,
            user2: unix::signal(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hangup.recv() => Signal::SIGHUP,
            _ = self.interrupt.recv() => Signal::SIGINT,
            _ = self.quit.recv() => Signal::SIGQUIT,
            _ = self.terminate.recv() => Signal::SIGTERM,
            _ = self.user1.recv() => Signal::SIGUSR1,
            _ = self.user2.recv() => Signal::SIGUSR2,
        }
    }

    /// Forwards signals until the program ends. How the program reacts to them is up to the program.
    pub(super) async fn pass_on_until_end(mut self, child: &mut Child) -> io::Result<ExitStatus> {
        loop {
            let signal = tokio::select! {
                ended = child.wait() => return ended,
                signal = self.next() => signal,
            };
            pass_on(signal, child)?;
        }
    }
}

fn pass_on(signal: Signal, child: &Child) -> io::Result<()> {
    let by_key = matches!(signal, Signal::SIGINT | Signal::SIGQUIT);
    if by_key && is_in_foreground() {
        // The terminal has sent it to the program, too, and twice it could mean something else.
        return Ok(());
    }
    // Without an ID it has ended.
    let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else {
        return Ok(());
    };
    match kill(Pid::from_raw(id), signal) {
        // It has ended, and nobody has waited for it yet: its ID is still its own.
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether keys pressed at the terminal reach this program, and so the one that it started.
fn is_in_foreground() -> bool {
    File::open("/dev/tty")
        .ok()
        .and_then(|terminal| tcgetpgrp(terminal).ok())
        .is_some_and(|group| group == getpgrp())
}
