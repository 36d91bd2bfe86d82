//! Prevents this command from running itself endlessly.
//!
//! A profile may run a program for its credentials (`process_command`), and that program may be this command: as it is,
//! in a script, or behind several others. It then asks the same profile, which runs it again. So each process leaves a
//! mark of what it asks for in a variable, which the programs that it starts inherit, and refuses to ask for what a
//! process before it is asking for. Asking for something else, such as another profile, is not a loop.
//!
//! The environment of a running process cannot be changed safely, so the command starts itself anew with the mark, in
//! the same process where the system can do that. Only a chain that may run a program does so.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::process::Command;

use acs_sts::{ENV_STS_ENDPOINT, ENV_STS_REGION};
use oss_credentials::ecs_ram_role::{ENV_DISABLED, ENV_ENDPOINT, ENV_ROLE_NAME};
use oss_credentials::oidc_rrsa::{ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN};
use oss_credentials::profile::{
    ENV_CLI_PROFILE_DISABLED, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_DISABLE_EXTERNAL_PROCESS,
    ENV_PROFILE,
};
use oss_credentials::uri::ENV_CREDENTIALS_URI;
use oss_credentials::{CredentialsError, ENV_CREDENTIALS_PROVIDER, Env, ErrorDetail};

use crate::chain::ChosenEnv;
use crate::failure::Failure;

/// What the processes before this one ask for: marks of 16 hexadecimal digits, separated by commas.
pub(crate) const ENV_ASKED: &str = "OSS_CREDENTIALS_CLI_ASKED";
/// First argument of a command whose mark is the last one. Not one of the command line that people see.
const FLAG: &str = "--marked";
/// A longer row of processes is refused, whatever they ask for.
const DEEPEST: usize = 8;

/// The variables that determine what is asked for. Of values that may be secrets, only their presence counts.
const DECIDING: [&str; 14] = [
    ENV_CREDENTIALS_PROVIDER,
    ENV_PROFILE,
    ENV_CONFIG_FILE,
    ENV_CREDENTIALS_FILE,
    ENV_CLI_PROFILE_DISABLED,
    ENV_ROLE_ARN,
    ENV_OIDC_PROVIDER_ARN,
    ENV_OIDC_TOKEN_FILE,
    ENV_ROLE_NAME,
    ENV_DISABLED,
    ENV_ENDPOINT,
    ENV_STS_ENDPOINT,
    ENV_STS_REGION,
    "HOME",
];
const SECRET: [&str; 3] = [
    ENV_CREDENTIALS_URI,
    "OSS_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
];

/// Takes the flag out of the arguments, and returns whether it was there.
pub(crate) fn take_flag(arguments: &mut Vec<OsString>) -> bool {
    let has_flag = arguments.get(1).is_some_and(|first| first == FLAG);
    if has_flag {
        arguments.remove(1);
    }
    has_flag
}

/// Refuses to run if a process before this one asks for the same; otherwise leaves the mark, where a program may be
/// run. Leaving it starts the command anew; where that fails, it goes on without a mark.
pub(crate) fn enter(env: &ChosenEnv, is_marked: bool) -> Result<(), Failure> {
    if is_marked || !may_run_a_program(env) {
        return Ok(());
    }
    let own = mark(env);
    let before = env.non_empty(ENV_ASKED).unwrap_or_default();
    check(&before, &own)?;
    let marks = if before.is_empty() {
        own
    } else {
        format!("{before},{own}")
    };
    let Err(error) = start_anew(&marks);
    tracing::debug!(target: crate::TRACING_TARGET, %error, "the command cannot be started anew");
    Ok(())
}

fn check(before: &str, own: &str) -> Result<(), CredentialsError> {
    let marks: Vec<&str> = before.split(',').collect();
    if marks.len() <= DEEPEST && !marks.contains(&own) {
        return Ok(());
    }
    let what = "the profile's process_command leads back to this command with the same settings";
    let hint =
        "name another profile in the process_command with --profile, or another source with --provider";
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder("oss-credentials", what).hint(hint),
    ))
}

fn may_run_a_program(env: &ChosenEnv) -> bool {
    let asks_another = env
        .non_empty(ENV_CREDENTIALS_PROVIDER)
        .is_some_and(|member| member != "profile");
    let is_forbidden = env.is_true(ENV_DISABLE_EXTERNAL_PROCESS)
        || env.var(ENV_DISABLE_EXTERNAL_PROCESS).as_deref() == Some("1");
    !asks_another && !is_forbidden
}

/// The mark: equal in all processes of the same program that ask for the same.
fn mark(env: &ChosenEnv) -> String {
    let mut hasher = DefaultHasher::new();
    for name in DECIDING {
        env.non_empty(name).hash(&mut hasher);
    }
    for name in SECRET {
        env.non_empty(name).is_some().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// The command again, with the marks.
fn start_anew(marks: &str) -> io::Result<Infallible> {
    let mut command = Command::new(env::current_exe()?);
    command
        .arg(FLAG)
        .args(env::args_os().skip(1))
        .env(ENV_ASKED, marks);
    replace_with(&mut command)
}

/// Puts a program into the place of this process; returns only if that fails.
#[cfg(unix)]
pub(crate) fn replace_with(command: &mut Command) -> io::Result<Infallible> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Runs a program and ends as it does; returns only if it cannot be started.
#[cfg(not(unix))]
pub(crate) fn replace_with(command: &mut Command) -> io::Result<Infallible> {
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_before_is_refused_and_anything_else_is_not() {
        assert!(check("", "a").is_ok());
        assert!(check("a,b", "c").is_ok());
        let error = check("a,b", "a").unwrap_err();
        assert_eq!(error.kind(), "invalid-config");
        assert!(
            error.to_string().contains("leads back to this command"),
            "{error}"
        );
        assert!(check("a,b,c,d,e,f,g,h,i", "j").is_err());
    }
}
