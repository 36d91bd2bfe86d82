//! Prevents this command from running itself endlessly.
//!
//! A profile may run a program for its credentials (`process_command`), and that program may be this command: directly,
//! from a script, or through several other programs. If it requests the same profile, it is run again. So each process
//! puts a mark of its request into a variable, which the programs that it starts inherit. A process refuses a request
//! that one of its ancestors is working on. A different request, such as one for another profile, is not a loop.
//!
//! The environment of a running process cannot be changed safely, so the command executes itself again with the mark,
//! in the same process if the system can do that. Only a chain that may run a program does so.
//!
//! The error of the process that refuses is not seen: the process that ran it reads its output, and reports only an
//! exit status. So it leaves a note, an empty file whose name the first process has chosen. Each process above it that
//! fails then reports the loop instead of its own error.

use std::convert::Infallible;
use std::env;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use acs_sts::{ENV_STS_ENDPOINT, ENV_STS_REGION};
use oss_credentials::ecs_ram_role::{ENV_DISABLED, ENV_ENDPOINT, ENV_ROLE_NAME};
use oss_credentials::oidc_rrsa::{ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN};
use oss_credentials::profile::{
    ENV_CLI_PROFILE_DISABLED, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_DISABLE_EXTERNAL_PROCESS,
    ENV_PROFILE,
};
use oss_credentials::uri::ENV_CREDENTIALS_URI;
use oss_credentials::{CredentialsError, ENV_CREDENTIALS_PROVIDER, Env, ErrorDetail, ProcessEnv, nonce};

use crate::ancestors;
use crate::chain::ChosenEnv;
use crate::failure::Failure;

/// What the processes before this one ask for: marks of 16 hexadecimal digits, separated by commas. The ID of the process
/// that has left the last one, and a colon, are in front.
const ENV_ASKED: &str = "OSS_CREDENTIALS_CLI_ASKED";
/// Path of the note that a loop was found. All processes of a row have the same.
const ENV_NOTE: &str = "OSS_CREDENTIALS_CLI_NOTE";
/// The variables of this module, which a program that gets credentials does not get.
pub(crate) const VARIABLES: [&str; 2] = [ENV_ASKED, ENV_NOTE];
/// First argument of a command whose mark is the last one, where it is another process than the one that has left it. Not
/// one of the command line that people see.
const FLAG: &str = "--marked";
/// A longer row of processes is refused, whatever they request.
const DEEPEST: usize = 8;

/// The variables that determine a request. Of values that may be secrets, only the presence counts.
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

/// Returns whether this process has executed itself again with its mark. On systems where that makes a second process,
/// this removes the flag from the arguments.
pub(crate) fn is_marked(arguments: &mut Vec<OsString>) -> bool {
    if cfg!(unix) {
        let asked = ProcessEnv.non_empty(ENV_ASKED).unwrap_or_default();
        return Asked::read(&asked).by == Some(process::id());
    }
    let has_flag = arguments.get(1).is_some_and(|first| first == FLAG);
    if has_flag {
        arguments.remove(1);
    }
    has_flag
}

/// The value of [`ENV_ASKED`].
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    by: Option<u32>,
    marks: &'a str,
}

impl<'a> Asked<'a> {
    fn read(value: &'a str) -> Self {
        match value.split_once(':') {
            Some((by, marks)) => Self {
                by: by.parse().ok(),
                marks,
            },
            None => Self {
                by: None,
                marks: value,
            },
        }
    }

    fn marks(&self) -> impl Iterator<Item = &'a str> {
        self.marks.split(',').filter(|mark| !mark.is_empty())
    }
}

/// Refuses to run if an ancestor of this process has the same request. Otherwise sets the mark, if a program may be
/// run. Setting it executes the command again; if that fails, the command continues without a mark.
pub(crate) fn enter(env: &ChosenEnv, is_marked: bool) -> Result<(), Failure> {
    if is_marked || !may_run_a_program(env) {
        return Ok(());
    }
    let own = mark(env);
    let asked = env.non_empty(ENV_ASKED).unwrap_or_default();
    let before = Asked::read(&asked);
    let note = env.path(ENV_NOTE);
    // The marks are gone where a program clears the environment, as `sudo` and `env -i` do.
    if leads_back(&before, &own) || ancestors::of_this_name() > DEEPEST {
        if let Some(note) = &note {
            leave(note);
        }
        return Err(loop_error().into());
    }
    let marks: Vec<&str> = before.marks().chain([&*own]).collect();
    let value = format!("{}:{}", process::id(), marks.join(","));
    let Err(error) = start_anew(&value, &note.unwrap_or_else(new_note));
    tracing::debug!(target: crate::TRACING_TARGET, %error, "the command cannot be started anew");
    Ok(())
}

fn leads_back(before: &Asked<'_>, own: &str) -> bool {
    before.marks().count() > DEEPEST || before.marks().any(|mark| mark == own)
}

fn loop_error() -> CredentialsError {
    let what = "the profile's process_command leads back to this command with the same settings";
    let hint =
        "name another profile in the process_command with --profile, or another source with --provider";
    CredentialsError::invalid_config(ErrorDetail::builder("oss-credentials", what).hint(hint))
}

/// A path for the note that other users cannot guess. The file exists only after a loop was found. A systemd unit may be
/// unable to write to the shared temporary folder, so the user's own folder comes first.
fn new_note() -> PathBuf {
    let of_user = ProcessEnv
        .path("XDG_RUNTIME_DIR")
        .filter(|folder| folder.is_dir());
    let folder = of_user.unwrap_or_else(env::temp_dir);
    folder.join(format!("oss-credentials-loop-{}", nonce()))
}

/// Leaves the note. Without it, the processes above report the exit status of this one.
fn leave(note: &Path) {
    let left = OpenOptions::new().write(true).create_new(true).open(note);
    if let Err(error) = left {
        tracing::debug!(target: crate::TRACING_TARGET, %error, "no note can be left");
    }
}

/// The result, or the loop behind its error, if a process below this one has found one. A program that has found one and
/// has credentials all the same leaves nothing behind.
pub(crate) fn explained<T, E: From<CredentialsError>>(result: Result<T, E>) -> Result<T, E> {
    match (result, found_below()) {
        (Err(_), Some(found)) => Err(found.into()),
        (result, _) => result,
    }
}

/// The loop that a process below this one has found. The note stays for the processes above; the first one removes it.
pub(crate) fn found_below() -> Option<CredentialsError> {
    let note = ProcessEnv.path(ENV_NOTE)?;
    let asked = ProcessEnv.non_empty(ENV_ASKED)?;
    let asked = Asked::read(&asked);
    let is_marked = cfg!(not(unix)) || asked.by == Some(process::id());
    if !is_marked || !note.is_file() {
        return None;
    }
    if asked.marks().count() <= 1 {
        // Empty and in the folder for such files: one that stays does no harm.
        let _ = fs::remove_file(&note);
    }
    Some(loop_error())
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

/// The command again, with the marks and the path of the note.
fn start_anew(asked: &str, note: &Path) -> io::Result<Infallible> {
    let mut command = Command::new(env::current_exe()?);
    if cfg!(not(unix)) {
        command.arg(FLAG);
    }
    command
        .args(env::args_os().skip(1))
        .env(ENV_ASKED, asked)
        .env(ENV_NOTE, note);
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
        let leads_back = |before: &str, own: &str| leads_back(&Asked::read(before), own);
        assert!(!leads_back("", "a"));
        assert!(!leads_back("17:a,b", "c"));
        assert!(leads_back("17:a,b", "a") && leads_back("a,b", "a"));
        assert!(!leads_back("a,b,c,d,e,f,g,h", "j"));
        assert!(leads_back("a,b,c,d,e,f,g,h,i", "j"));
        assert_eq!(Asked::read("17:a").by, Some(17));
        assert_eq!(Asked::read("a").by, None);
        let error = loop_error();
        assert_eq!(error.kind(), "invalid-config");
        assert!(
            error.to_string().contains("leads back to this command"),
            "{error}"
        );
    }

    #[test]
    fn a_note_is_left_once_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("note");
        leave(&note);
        assert_eq!(fs::read(&note).unwrap(), b"");
        fs::write(&note, "kept").unwrap();
        leave(&note);
        assert_eq!(fs::read(&note).unwrap(), b"kept");
        assert_ne!(new_note(), new_note());
    }
}
