//! The command `oss-credentials`: see, use and share Alibaba Cloud credentials without writing a program.
//!
//! The interface is the command line, which `oss-credentials --help` and `docs/cli.md` in the repository describe.
//! The library has no interface of its own but [`run`], which is the whole program.
//!
//! The command finds credentials by the default chain of `oss-credentials`. Flags stand in for the variables that the
//! chain reads; no flag takes a secret, since other users of a machine can read command lines.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::doc_markdown,
    reason = "the texts of help are shown as they are written"
)]

mod ancestors;
mod args;
mod assume_role;
mod call;
mod chain;
mod completions;
mod doctor;
mod duration;
mod exec;
mod export;
mod failure;
mod files;
mod guard;
mod identity;
mod logs;
mod manual;
mod oss;
mod serve;
mod terminal;
mod time;
mod whoami;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Command, Options};
use failure::{Failure, Outcome};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_cli";

/// Runs the command that the process was started with, and returns its exit code.
///
/// Arguments that cannot be understood end the process with 2, and `--help` ends it with 0, as `clap` does.
pub fn run() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let is_marked = guard::is_marked(&mut arguments);
    let options = Options::parse_from(arguments);
    logs::start(options.verbose, options.command.is_service());
    let runs_a_program = options.command.runs_a_program();
    let ended = runtime().and_then(|runtime| runtime.block_on(execute(options, is_marked)));
    ended.unwrap_or_else(|failure| {
        terminal::print_failure(&failure);
        let exit = failure.exit();
        if runs_a_program { exit.of_program() } else { exit }.code()
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::other("oss-credentials", format!("no runtime can be started: {error}")))
}

async fn execute(options: Options, is_marked: bool) -> Outcome {
    if let Some(chain) = options.command.chain() {
        guard::enter(&chain.env()?, is_marked)?;
    }
    let ended = match options.command {
        Command::Doctor(command) => command.run().await,
        Command::Whoami(command) => command.run().await,
        Command::Export(command) => command.run().await,
        Command::Exec(command) => command.run().await,
        Command::Serve(command) => command.run().await,
        Command::AssumeRole(command) => command.run().await,
        Command::Presign(command) => command.run().await,
        Command::Ls(command) => command.run().await,
        Command::Call(command) => command.run().await,
        Command::Completions(command) => command.run(&Options::command()),
        Command::Man => manual::print(Options::command()),
    };
    guard::explained(ended)
}
