//! The command line.

use clap::{Parser, Subcommand};

use crate::assume_role::AssumeRole;
use crate::call::Call;
use crate::chain::ChainOptions;
use crate::completions::Completions;
use crate::doctor::Doctor;
use crate::exec::Exec;
use crate::export::Export;
use crate::oss::{Ls, Presign};
use crate::serve::Serve;
use crate::whoami::Whoami;

const EXAMPLES: &str = "\
Examples:
  oss-credentials doctor             which credentials there are; what fails
  oss-credentials whoami             the account and identity they belong to
  eval \"$(oss-credentials export)\"   this shell gets them as variables
  oss-credentials exec -- terraform apply      one program gets them
  oss-credentials serve --url-file agent.url   all programs here share them

Exit codes:
  0  success            3  no credentials are configured
  1  another failure    4  credentials are configured, and fail
  2  wrong arguments    5  the service refused them";

const MAN_EXAMPLES: &str = "\
Examples:
  oss-credentials man > ~/.local/share/man/man1/oss-credentials.1";

/// See, use and share Alibaba Cloud credentials without writing a program.
///
/// Credentials are found in the same places as by the vendor's SDKs and the aliyun CLI: variables, OIDC, profiles, a
/// credentials URI, instance metadata. Flags replace the variables; no flag takes a secret.
#[derive(Debug, Parser)]
#[command(name = "oss-credentials", version, after_long_help = EXAMPLES, max_term_width = 120)]
pub(crate) struct Options {
    /// Show log messages of the libraries; twice for more detail
    #[arg(short, long, action = clap::ArgAction::Count, global = true, display_order = 900)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Doctor(Doctor),
    Whoami(Whoami),
    Export(Export),
    Exec(Exec),
    Serve(Serve),
    AssumeRole(AssumeRole),
    Presign(Presign),
    Ls(Ls),
    Call(Call),
    Completions(Completions),
    /// Print the manual page, in the format of man(7)
    #[command(after_help = MAN_EXAMPLES)]
    Man,
}

impl Command {
    /// Whether the command runs until it is stopped, so that its log is its output.
    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Self::Serve(_))
    }

    /// Whether the exit codes are those of a program that the command runs.
    pub(crate) fn runs_a_program(&self) -> bool {
        matches!(self, Self::Exec(_))
    }

    /// The options for the credentials; `None` for a command that needs none.
    pub(crate) fn chain(&self) -> Option<&ChainOptions> {
        match self {
            Self::Doctor(command) => Some(command.chain()),
            Self::Whoami(command) => Some(command.chain()),
            Self::Export(command) => Some(command.chain()),
            Self::Exec(command) => Some(command.chain()),
            Self::Serve(command) => Some(command.chain()),
            Self::AssumeRole(command) => Some(command.chain()),
            Self::Presign(command) => Some(command.chain()),
            Self::Ls(command) => Some(command.chain()),
            Self::Call(command) => Some(command.chain()),
            Self::Completions(_) | Self::Man => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn help_fits_a_terminal_of_80_columns() {
        let command = Options::command();
        for part in command.get_subcommands().chain([&command]) {
            let help = part.get_after_long_help().or(part.get_after_help());
            for line in help.map(ToString::to_string).unwrap_or_default().lines() {
                let is_example = line.starts_with(' ');
                assert!(!is_example || line.len() <= 78, "{}: {line}", part.get_name());
                // clap breaks lines between words, so a sentence is not broken here.
                let is_whole = line.is_empty() || line.ends_with(['.', ':']);
                assert!(is_example || is_whole, "{}: {line}", part.get_name());
            }
        }
    }
}
