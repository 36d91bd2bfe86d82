//! `completions`: scripts with which shells complete this command.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Command;
use clap::builder::StyledStr;
use clap_complete::Shell;

use crate::failure::Outcome;

const NAME: &str = "oss-credentials";

const EXAMPLES: &str = "\
Examples:
  oss-credentials completions bash \\
      > ~/.local/share/bash-completion/completions/oss-credentials
  oss-credentials completions zsh > \"${fpath[1]}/_oss-credentials\"
  oss-credentials completions fish \\
      > ~/.config/fish/completions/oss-credentials.fish";

/// Print a script that completes this command in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, command: &Command) -> Outcome {
        let mut script = generated(self.shell, command)?;
        match self.shell {
            // The generator writes a hyphen in the name of a program in two ways, and then finds no subcommand.
            Shell::Bash => script = script.replace("oss__subcmd__credentials", "oss__credentials"),
            Shell::Fish => add_choices(&mut script, command),
            _ => {}
        }
        io::stdout().lock().write_all(script.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn generated(shell: Shell, command: &Command) -> io::Result<String> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command.clone(), NAME, &mut script);
    String::from_utf8(script).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Adds the values of arguments without a flag, for which the generator of fish has no lines, and what `help` explains,
/// for which its lines have no effect.
fn add_choices(script: &mut String, command: &Command) {
    for part in command.get_subcommands() {
        for argument in part.get_positionals() {
            let values = argument.get_possible_values();
            let values = values.iter().map(|value| (value.get_name(), value.get_help()));
            add_lines(script, part.get_name(), &values.collect::<Vec<_>>());
        }
    }
    let commands = command.get_subcommands();
    let commands = commands.map(|part| (part.get_name(), part.get_about()));
    add_lines(script, "help", &commands.collect::<Vec<_>>());
}

/// Adds a line for each value and its explanation. They are offered until one of them is there.
fn add_lines(script: &mut String, command: &str, values: &[(&str, Option<&StyledStr>)]) {
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let names = names.join(" ");
    for (name, help) in values {
        let help = help.map(ToString::to_string).unwrap_or_default();
        let help = help.replace('\\', "\\\\").replace('\'', "\\'");
        // Writing to a String cannot fail.
        let _ = writeln!(
            script,
            "complete -c {NAME} -n \"__fish_oss_credentials_using_subcommand {command}; and not \
             __fish_seen_subcommand_from {names}\" -f -a \"{name}\" -d '{help}'"
        );
    }
}
