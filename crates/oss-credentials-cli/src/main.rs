//! The command `oss-credentials`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    oss_credentials_cli::run()
}
