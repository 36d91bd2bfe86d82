//! Errors of commands, and exit codes.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use acs_client::AcsError;
use acs_sts::StsError;
use oss_credentials::{CredentialsError, ErrorDetail};

use crate::terminal;

/// The outcome of a command.
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// The exit codes of every command; [`Exit::of_program`] is that of `exec`. 0 is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Anything else: a file that cannot be written, a terminal that no secret is printed to.
    Other = 1,
    /// Arguments that cannot be used; clap's code, too.
    Usage = 2,
    /// No credentials are configured.
    NotConfigured = 3,
    /// Credentials are configured, and fail before a service has decided: a wrong setting, no network, a wrong clock.
    Failing = 4,
    /// The service refused the credentials.
    Refused = 5,
    /// `exec` failed before its program could tell: the code of `env`, `timeout` and `docker run` for that.
    NoProgram = 125,
}

impl Exit {
    /// The code for an error of the library.
    pub(crate) fn of(error: &CredentialsError) -> Self {
        match error {
            CredentialsError::Denied(_) => Self::Refused,
            error if is_not_configured(error) => Self::NotConfigured,
            _ => Self::Failing,
        }
    }

    /// The code for an error of the client for OSS.
    pub(crate) fn of_client(error: &oss_client::Error) -> Self {
        if let Some(refusal) = error.service() {
            let is_refused = matches!(refusal.status().as_u16(), 401 | 403);
            return if is_refused { Self::Refused } else { Self::Other };
        }
        match error {
            oss_client::Error::Credentials(error) => Self::of(error),
            oss_client::Error::Transport(_) | oss_client::Error::InvalidResponse(_) => Self::Failing,
            // Buckets, keys, regions, endpoints and lifetimes come from the command line, or from a variable instead.
            oss_client::Error::InvalidConfig(_)
            | oss_client::Error::InvalidInput(_)
            | oss_client::Error::Sign(_) => Self::Usage,
            _ => Self::Other,
        }
    }

    /// The code for an error of a call of the OpenAPI. A refusal that names no key is about the call, such as its
    /// parameters, and not about the credentials; one without a code is not the service's.
    pub(crate) fn of_call(error: &CredentialsError) -> Self {
        let detail = error.detail();
        match error {
            CredentialsError::Denied(_) if detail.and_then(ErrorDetail::code).is_none() => Self::Failing,
            CredentialsError::Denied(_) if detail.and_then(ErrorDetail::key_id).is_none() => Self::Other,
            error => Self::of(error),
        }
    }

    /// The code of `exec`, whose other codes are its program's.
    pub(crate) fn of_program(self) -> Self {
        match self {
            Self::Usage => Self::Usage,
            _ => Self::NoProgram,
        }
    }

    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

/// Whether nothing is configured. The error of a pinned member has that as its cause.
fn is_not_configured(error: &CredentialsError) -> bool {
    let cause = || error.source()?.downcast_ref::<CredentialsError>();
    error.is_not_configured() || cause().is_some_and(CredentialsError::is_not_configured)
}

/// The error of a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the library, which is shown word for word.
    Credentials(CredentialsError),
    /// An error of the client for OSS, which is shown word for word.
    Client(Box<oss_client::Error>),
    /// An error of a call of the OpenAPI, which is shown word for word.
    Call(CredentialsError),
    /// What the library says of an argument, word for word.
    Argument(CredentialsError),
    /// An error of the command itself.
    Own {
        command: &'static str,
        text: Cow<'static, str>,
        exit: Exit,
    },
}

impl Failure {
    pub(crate) fn other(command: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Own {
            command,
            text: text.into(),
            exit: Exit::Other,
        }
    }

    /// Arguments that cannot be used.
    pub(crate) fn usage(command: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Own {
            command,
            text: text.into(),
            exit: Exit::Usage,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Credentials(error) => Exit::of(error),
            Self::Client(error) => Exit::of_client(error),
            Self::Call(error) => Exit::of_call(error),
            Self::Argument(_) => Exit::Usage,
            Self::Own { exit, .. } => *exit,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(error) | Self::Call(error) | Self::Argument(error) => error.fmt(f),
            Self::Client(error) => error.fmt(f),
            Self::Own { command, text, .. } => {
                // Paths and names of programs come from command lines that people paste.
                write!(f, "{command}: {}", terminal::safe(text))
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Credentials(error) | Self::Call(error) | Self::Argument(error) => error.source(),
            Self::Client(error) => error.source(),
            Self::Own { .. } => None,
        }
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}

impl From<oss_client::Error> for Failure {
    fn from(error: oss_client::Error) -> Self {
        Self::Client(Box::new(error))
    }
}

impl From<AcsError> for Failure {
    fn from(error: AcsError) -> Self {
        Self::Call(error.into())
    }
}

impl From<StsError> for Failure {
    fn from(error: StsError) -> Self {
        Self::Call(error.into())
    }
}

/// Writing to standard output is the only I/O whose error a command passes on unchanged.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::other(
            "oss-credentials",
            format!("the output cannot be written: {error}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials::ErrorDetail;

    #[test]
    fn exit_codes_tell_what_kind_of_failure_it_was() {
        let detail = || ErrorDetail::builder("env", "x");
        let not_configured = CredentialsError::not_configured(detail());
        let pinned = CredentialsError::invalid_config(detail().source(not_configured.clone()));
        for (error, exit) in [
            (not_configured, Exit::NotConfigured),
            (pinned, Exit::NotConfigured),
            (CredentialsError::invalid_config(detail()), Exit::Failing),
            (CredentialsError::unavailable(detail()), Exit::Failing),
            (CredentialsError::expired(detail()), Exit::Failing),
            (CredentialsError::denied(detail()), Exit::Refused),
        ] {
            assert_eq!(Exit::of(&error), exit, "{error:?}");
        }
        let numbers = [
            Exit::Other,
            Exit::Usage,
            Exit::NotConfigured,
            Exit::Failing,
            Exit::Refused,
            Exit::NoProgram,
        ];
        assert_eq!(
            numbers.map(Exit::number),
            [1, 2, 3, 4, 5, 125],
            "documented in docs/cli.md"
        );
    }

    #[test]
    fn a_refusal_of_a_call_is_about_the_credentials_only_if_it_names_a_key() {
        let refused = |detail: oss_credentials::ErrorDetailBuilder| {
            Exit::of_call(&CredentialsError::denied(detail.http_status(403)))
        };
        let detail = || ErrorDetail::builder("acs-sts", "the service refused AssumeRole");
        assert_eq!(
            refused(detail().code("NoPermission").key("LTAIEXAMPLE", "env")),
            Exit::Refused
        );
        assert_eq!(
            refused(detail().code("InvalidParameter.PolicyGrammar")),
            Exit::Other
        );
        assert_eq!(refused(detail()), Exit::Failing, "a proxy's");
    }
}
