//! Signals for the program that runs beside the agent.

use std::fs::{self, File};
use std::future::poll_fn;
use std::io;
use std::process::ExitStatus;
use std::task::Poll;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use tokio::process::Child;
use tokio::signal::unix::{self, SignalKind};

/// The signals that are passed on.
const FORWARDED: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// Signals that are passed on, listened for since this was made.
pub(super) struct Signals {
    listened: Vec<(Signal, unix::Signal)>,
}

impl Signals {
    /// Listens for signals, except for those that this process was started to ignore, as under `nohup`: the program
    /// inherits that only if nobody listens.
    pub(super) fn listen() -> io::Result<Self> {
        let ignored = ignored();
        let heard = FORWARDED.into_iter().filter(|signal| !is_in(ignored, *signal));
        let listen = |signal| Ok((signal, unix::signal(SignalKind::from_raw(signal as i32))?));
        Ok(Self {
            listened: heard.map(listen).collect::<io::Result<_>>()?,
        })
    }

    async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            for (signal, stream) in &mut self.listened {
                if stream.poll_recv(context).is_ready() {
                    return Poll::Ready(*signal);
                }
            }
            Poll::Pending
        })
        .await
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

/// The mask of the signals that this process ignores. Only Linux shows it without unsafe code; elsewhere it is empty.
fn ignored() -> u64 {
    mask(&fs::read_to_string("/proc/self/status").unwrap_or_default())
}

/// The mask in the text of a process's status. Manual page proc_pid_status(5).
fn mask(status: &str) -> u64 {
    let mut masks = status.lines().filter_map(|line| line.strip_prefix("SigIgn:"));
    let mask = masks.next().unwrap_or_default().trim();
    u64::from_str_radix(mask, 16).unwrap_or_default()
}

fn is_in(mask: u64, signal: Signal) -> bool {
    mask >> (signal as u32 - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_a_bit_for_each_signal() {
        // SIGHUP is 1 and SIGPIPE 13 on Linux.
        let mask = mask("SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n");
        assert!(is_in(mask, Signal::SIGHUP) && is_in(mask, Signal::SIGPIPE));
        assert!(!is_in(mask, Signal::SIGINT));
        assert!(!is_in(super::mask(""), Signal::SIGHUP));
    }
}
