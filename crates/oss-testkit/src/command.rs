//! Runs a program with the cloud: starts it, forwards signals to it, and passes on its exit status.

use std::io;
use std::process::{ExitCode, ExitStatus};

use tokio::process::Command;

#[cfg(unix)]
pub(crate) use unix::Signals;

/// Variables that would lead the program past the cloud, and are not passed on: proxies, a profile or an instance's role
/// of another place, another region's host, and tokens of other keys than those that are set.
const NOT_PASSED_ON: &[&str] = &[
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABACLOUD_PROFILE",
    "ALICLOUD_PROFILE",
    "ALIBABA_CLOUD_CONFIG_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABA_CLOUD_CLI_PROFILE_DISABLED",
    "ALIBABA_CLOUD_IGNORE_PROFILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED",
    "ALIBABA_CLOUD_STS_REGION",
    "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED",
    "OSS_SESSION_TOKEN",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
];

/// Runs a program that finds the cloud in its variables, passes on signals that come meanwhile, and ends as it does.
pub(crate) async fn execute(
    command: &[String],
    variables: Vec<(&'static str, String)>,
    signals: Signals,
) -> io::Result<ExitCode> {
    let program = command.first().map(String::as_str).unwrap_or_default();
    let mut started = Command::new(program);
    for name in NOT_PASSED_ON {
        started.env_remove(name);
    }
    let child = started
        .args(command.iter().skip(1))
        .envs(variables)
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{program} cannot be run: {error}")))?;
    Ok(exit_code(signals.pass_on_until_end(child).await?))
}

/// The program's own code; 128 and the signal's number, as shells have it, for one that ended by a signal.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code();
    #[cfg(unix)]
    let code = code.or_else(|| {
        std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| signal.saturating_add(128))
    });
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Elsewhere there is only Ctrl-C, which reaches the program by itself.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn stopped(self) -> io::Result<()> {
        tokio::signal::ctrl_c().await
    }

    async fn pass_on_until_end(self, mut child: tokio::process::Child) -> io::Result<ExitStatus> {
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                // This program ends when that one has.
                pressed = tokio::signal::ctrl_c() => pressed?,
            }
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, File};
    use std::future::poll_fn;
    use std::io;
    use std::process::ExitStatus;
    use std::task::Poll;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::{Pid, getpgrp, tcgetpgrp};
    use tokio::process::Child;
    use tokio::signal::unix::{SignalKind, signal};

    /// The signals that ask a program to end.
    const ENDING: [Signal; 4] = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT];

    /// The signals that ask a program to end, listened for since this was made.
    pub(crate) struct Signals {
        listened: Vec<(Signal, tokio::signal::unix::Signal)>,
    }

    impl Signals {
        /// Listens for signals, except for those that this process was started to ignore, as under `nohup`: the program
        /// inherits that only if nobody listens.
        pub(crate) fn listen() -> io::Result<Self> {
            let ignored = ignored();
            let heard = ENDING.into_iter().filter(|number| !is_in(ignored, *number));
            let listen = |number| Ok((number, signal(SignalKind::from_raw(number as i32))?));
            Ok(Self {
                listened: heard.map(listen).collect::<io::Result<_>>()?,
            })
        }

        /// Completes when somebody ends this program.
        pub(crate) async fn stopped(mut self) -> io::Result<()> {
            self.next().await;
            Ok(())
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

        pub(super) async fn pass_on_until_end(mut self, mut child: Child) -> io::Result<ExitStatus> {
            loop {
                tokio::select! {
                    ended = child.wait() => return ended,
                    signal = self.next() => pass_on(signal, &child)?,
                }
            }
        }
    }

    /// Sends the signal on, each time it comes; what the program does with it is its own affair.
    fn pass_on(signal: Signal, child: &Child) -> io::Result<()> {
        let by_key = matches!(signal, Signal::SIGINT | Signal::SIGQUIT);
        if by_key && is_in_foreground() {
            // The terminal has sent it to the program, too, and twice it could mean something else.
            return Ok(());
        }
        // Without an id it has ended.
        let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else {
            return Ok(());
        };
        match kill(Pid::from_raw(id), signal) {
            // It has ended, and nobody has waited for it yet: its id is still its own.
            Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether keys pressed at the terminal reach this program, and so the one that it started.
    fn is_in_foreground() -> bool {
        File::open("/dev/tty")
            .ok()
            .and_then(|terminal| tcgetpgrp(terminal).ok())
            .is_some_and(|group| group == getpgrp())
    }

    /// The mask of the signals that this process ignores, from its status (manual page `proc_pid_status(5)`). Only Linux
    /// shows it without unsafe code; elsewhere it is empty.
    fn ignored() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut masks = status.lines().filter_map(|line| line.strip_prefix("SigIgn:"));
        u64::from_str_radix(masks.next().unwrap_or_default().trim(), 16).unwrap_or_default()
    }

    fn is_in(mask: u64, signal: Signal) -> bool {
        mask >> (signal as u32 - 1) & 1 == 1
    }
}
