//! `exec`: runs a program with credentials in its environment.

mod environment;
#[cfg(unix)]
mod signals;

use std::io;
use std::process::{Command, ExitCode, ExitStatus};

use clap::Args;
use oss_credentials::CredentialsProvider as _;

use crate::chain::ChainOptions;
use crate::failure::{Failure, Outcome};
use crate::guard;
use crate::serve::{Agent, AgentSettings};
use crate::terminal::print_failure;
use environment::Environment;

/// The program cannot be run; the code that shells use.
const CANNOT_RUN: u8 = 126;
/// There is no such program.
const NOT_FOUND: u8 = 127;

const EXAMPLES: &str = "\
Examples:
  oss-credentials exec -- terraform apply
  oss-credentials exec --profile staging -- aliyun ecs DescribeRegions
  oss-credentials exec --serve -- python job.py   keys are renewed meanwhile

Exit codes: those of the program; 128 and the number of the signal that ended it; 125 if there are no credentials, or the \
command fails otherwise; 126 if the program cannot be run; 127 if there is no such program; 2 for wrong arguments.";

/// Run a program with the credentials in its environment
///
/// The variables of keys, roles and profiles are removed first. With --serve, the program gets a credentials URI
/// instead of keys, and sources that its SDK would use before that URI are disabled; the vendor's SDKs then renew the
/// credentials for as long as the program runs.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Exec {
    /// Give the program a credentials URI instead of keys, so that its credentials are renewed
    #[arg(long)]
    serve: bool,
    /// The program, and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM",
        value_hint = clap::ValueHint::CommandWithArguments
    )]
    program: Vec<std::ffi::OsString>,
    #[command(flatten)]
    chain: ChainOptions,
}

impl Exec {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        if self.serve {
            self.run_beside_agent().await
        } else {
            self.run_with_keys().await
        }
    }

    /// Replaces this process with the program.
    async fn run_with_keys(&self) -> Outcome {
        let chain = self.chain.chain()?;
        let credentials = guard::explained(chain.provider.credentials().await)?;
        let mut command = self.command();
        Environment::keys(&credentials).apply(&mut command);
        let Err(error) = guard::replace_with(&mut command);
        Ok(self.cannot_run(&error))
    }

    async fn run_beside_agent(&self) -> Outcome {
        let agent = Agent::start(AgentSettings::private(), &self.chain).await?;
        // Before this point a signal ends this command, because there is no program to forward it to.
        #[cfg(unix)]
        let signals = signals::Signals::listen()
            .map_err(|error| Failure::other("exec", format!("cannot listen for signals: {error}")))?;
        let environment = Environment::uri(&agent.url(), &self.chain.env()?).map_err(|error| {
            Failure::other(
                "exec",
                format!("an empty credentials file cannot be written: {error}"),
            )
        })?;
        let mut command = self.command();
        environment.apply(&mut command);
        let mut child = match tokio::process::Command::from(command).spawn() {
            Ok(child) => child,
            Err(error) => return Ok(self.cannot_run(&error)),
        };
        #[cfg(unix)]
        let ended = signals.pass_on_until_end(&mut child);
        #[cfg(not(unix))]
        let ended = child.wait();
        let status = tokio::select! {
            status = ended => status,
            // It never ends on its own.
            () = agent.run() => Err(io::Error::other("the agent has ended")),
        };
        let status =
            status.map_err(|error| Failure::other("exec", format!("the program is lost: {error}")))?;
        Ok(exit_code(status))
    }

    fn command(&self) -> Command {
        let mut words = self.program.iter();
        let mut command = Command::new(
            words
                .next()
                .map(std::ffi::OsString::as_os_str)
                .unwrap_or_default(),
        );
        command.args(words);
        command
    }

    fn cannot_run(&self, error: &io::Error) -> ExitCode {
        let program = self.program.first().map(|name| name.display().to_string());
        let text = format!("{} cannot be run: {error}", program.unwrap_or_default());
        print_failure(&Failure::other("exec", text));
        if error.kind() == io::ErrorKind::NotFound {
            NOT_FOUND.into()
        } else {
            CANNOT_RUN.into()
        }
    }
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
