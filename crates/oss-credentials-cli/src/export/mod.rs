//! `export`: credentials for another program.

mod format;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Args;
use oss_credentials::{Clock as _, Credentials, CredentialsProvider as _, SystemClock};

use crate::chain::ChainOptions;
use crate::failure::{Failure, Outcome};
pub(crate) use format::{Format, local_expiry, variables};

const EXAMPLES: &str = "\
Examples:
  eval \"$(oss-credentials export)\"              variables of this shell
  oss-credentials export --format powershell | Invoke-Expression
  oss-credentials export --format dotenv > .env   for docker run --env-file
  oss-credentials export --format json | jq -r .access_key_id

In ~/.aliyun/config.json, for the aliyun CLI and the vendor's SDKs in any language:
  {\"name\": \"agent\", \"mode\": \"External\",
   \"process_command\":
     \"oss-credentials export --format process --profile staging\"}";

/// Print the credentials in use for another program
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    chain: ChainOptions,
}

/// How credentials are printed.
#[derive(Args, Clone, Debug)]
pub(crate) struct Output {
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Env)]
    format: Format,
    /// Print secrets even if standard output is a terminal
    #[arg(long)]
    show: bool,
}

impl Export {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        self.output.check_terminal("export")?;
        let chain = self.chain.chain()?;
        let credentials = chain.provider.credentials().await?;
        self.output.print(&credentials)
    }
}

impl Output {
    /// Refuses to print secrets to a terminal. Called before anything is fetched.
    pub(crate) fn check_terminal(&self, command: &'static str) -> Result<(), Failure> {
        refuse_terminal(command, self.show)
    }

    pub(crate) fn print(&self, credentials: &Credentials) -> Outcome {
        let text = self.format.text(credentials, SystemClock.now());
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Fails if a secret would be printed to a terminal without `--show`.
pub(crate) fn refuse_terminal(command: &'static str, show: bool) -> Result<(), Failure> {
    if show || !io::stdout().is_terminal() {
        return Ok(());
    }
    let text =
        "standard output is a terminal, and what is printed is secret; redirect it, or repeat with --show";
    Err(Failure::other(command, text))
}
