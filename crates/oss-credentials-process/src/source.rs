//! The source and its builder.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::{
    BoxFuture, Clock, Credentials, CredentialsError, CredentialsSource, ErrorDetail, ErrorDetailBuilder,
    Fetched, RefreshingProvider, SystemClock,
};

use crate::config::{DEFAULT_REFRESH_AFTER, DEFAULT_TIME_LIMIT};
use crate::run::{self, Outcome};
use crate::split::{SplitError, split};
use crate::wire::{self, Keys};
use crate::{NAME, TRACING_TARGET, events};

/// A provider of credentials that a program prints, cached and refreshed; see [`CredentialsProcessBuilder::build`].
pub type CredentialsProcessProvider = RefreshingProvider<CredentialsProcess>;

/// A source that runs a program per fetch, and reads credentials from its standard output.
///
/// The program is started without a shell, with empty standard input, and inherits environment and working
/// directory. Once its time is over, or when the fetch is dropped, it is killed together with everything that it
/// started (its process group; on Windows its job). Nothing that it prints, on either output, reaches an error or a
/// log, and of its command line only [`CredentialsProcess::program`] does: arguments may be secrets.
///
/// # Examples
///
/// ```
/// use oss_credentials_process::CredentialsProcess;
///
/// let source = CredentialsProcess::builder()
///     .command(["/usr/local/bin/login-helper", "--account", "staging"])
///     .build_source()?;
/// assert_eq!(source.program(), "login-helper");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct CredentialsProcess {
    program: OsString,
    arguments: Vec<OsString>,
    time_limit: Duration,
    refresh_after: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl CredentialsProcess {
    /// Starts a source without settings; a command is required.
    pub fn builder() -> CredentialsProcessBuilder {
        CredentialsProcessBuilder {
            command: None,
            time_limit: DEFAULT_TIME_LIMIT,
            refresh_after: Some(DEFAULT_REFRESH_AFTER),
            clock: Arc::new(SystemClock),
        }
    }

    /// Returns the program as errors and logs show it: the file name, if the program looks like a plain path.
    /// A variable in front of it, or a whole command line passed as one word, may contain a
    /// secret.
    pub fn program(&self) -> String {
        shown(&self.program)
            .unwrap_or("a program whose name is not shown")
            .to_owned()
    }

    async fn ask(&self) -> Result<Fetched, CredentialsError> {
        tracing::debug!(
            name: events::STARTED, target: TRACING_TARGET, provider = NAME, program = self.program(),
            event = events::STARTED,
            "starting the program"
        );
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        let (output, status_known) = match run::run(command, self.time_limit).await {
            Outcome::Output { text, status_known } => (text, status_known),
            Outcome::Failed(status) => return Err(self.failed(status)),
            Outcome::TimeOut(ended) => return Err(self.timed_out(ended)),
            Outcome::TooLong(ended) => return Err(self.too_long(ended)),
            Outcome::Io(error) => return Err(self.io(error)),
        };
        let keys = match wire::parse(&output) {
            Ok(keys) => keys,
            Err(defect) if status_known => {
                let detail = self
                    .detail(format!("the program's output {defect}"))
                    .hint(defect.hint());
                return Err(CredentialsError::invalid_response(detail));
            }
            // It may have failed, as it may fail with a status: its output is still evaluated.
            Err(defect) => {
                let what = format!(
                    "the program's output {defect}, and its exit status is lost, as this process ignores SIGCHLD"
                );
                let detail = self.detail(what).hint("run it by hand to see whether it fails");
                return Err(CredentialsError::unavailable(detail));
            }
        };
        self.credentials(keys)
    }

    fn credentials(&self, mut keys: Keys) -> Result<Fetched, CredentialsError> {
        if keys.expires_at.is_some_and(|at| at <= self.clock.now()) {
            return Err(CredentialsError::expired(
                self.detail("the credentials had expired when the program printed them")
                    .hint("check that the program renews them, and the local clock"),
            ));
        }
        let ends = keys.expires_at.is_some();
        let mut built = Credentials::builder(
            std::mem::take(&mut keys.access_key_id),
            std::mem::take(&mut *keys.access_key_secret),
        )
        .expires_at(keys.expires_at)
        .source(NAME)
        .strict();
        if let Some(mut token) = keys.security_token {
            built = built.security_token(std::mem::take(&mut *token));
        }
        // The user's configuration is not wrong, but the output is.
        let credentials = built.build().map_err(|error| {
            let problem = error
                .detail()
                .map_or("a key cannot be used", ErrorDetail::what)
                .to_owned();
            CredentialsError::invalid_response(
                self.detail(format!("in the program's output {problem}"))
                    .hint("correct what the program prints"),
            )
        })?;
        Ok(Fetched::new(credentials).with_refresh_after(self.refresh_after.filter(|_| !ends)))
    }

    fn detail(&self, what: impl Into<std::borrow::Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetail::builder(NAME, what).place(self.program())
    }

    fn failed(&self, status: ExitStatus) -> CredentialsError {
        // "exit status: 2", "signal: 9 (SIGKILL)".
        CredentialsError::unavailable(
            self.detail(format!("the program failed with {status}"))
                .hint("run it by hand to see why"),
        )
    }

    fn timed_out(&self, ended: io::Result<()>) -> CredentialsError {
        let seconds = self.time_limit.as_secs_f64();
        CredentialsError::unavailable(self.stopped(
            &format!("the program did not exit within {seconds} s"),
            "see by hand what it waits for, or raise the time limit",
            ended,
        ))
    }

    fn too_long(&self, ended: io::Result<()>) -> CredentialsError {
        CredentialsError::invalid_response(self.stopped(
            "the program printed more than 64 KiB",
            "let it print the credentials only, and log to a file",
            ended,
        ))
    }

    fn stopped(&self, what: &str, hint: &'static str, ended: io::Result<()>) -> ErrorDetailBuilder {
        match ended {
            Ok(()) => self.detail(format!("{what}, and was killed")).hint(hint),
            // One that changes its user, say.
            Err(error) => self
                .detail(format!("{what}, and cannot be killed: {error}"))
                .hint(format!("kill it by hand; {hint}")),
        }
    }

    fn io(&self, error: io::Error) -> CredentialsError {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "check its path; without a slash it is looked up in PATH",
            io::ErrorKind::PermissionDenied => "make it executable for the user of this process",
            _ => "see the cause",
        };
        let detail = self.detail("the program cannot be run").hint(hint);
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
                CredentialsError::invalid_config(detail.source(error))
            }
            _ => CredentialsError::unavailable(detail.source(error)),
        }
    }
}

impl CredentialsSource for CredentialsProcess {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async move {
            let outcome = self.ask().await;
            if let Err(error) = &outcome {
                tracing::debug!(
                    name: events::FETCH_FAILED, target: TRACING_TARGET, provider = NAME, kind = error.kind(),
                    event = events::FETCH_FAILED,
                    "the program returned no credentials"
                );
            }
            outcome
        })
    }
}

impl fmt::Debug for CredentialsProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsProcess")
            .field("program", &self.program())
            .field("arguments", &self.arguments.len())
            .field("time_limit", &self.time_limit)
            .field("refresh_after", &self.refresh_after)
            .finish_non_exhaustive()
    }
}

/// Builds a [`CredentialsProcessProvider`] or the bare source; see [`CredentialsProcess::builder`].
///
/// `Debug` does not show the command.
#[must_use]
pub struct CredentialsProcessBuilder {
    command: Option<Given>,
    time_limit: Duration,
    refresh_after: Option<Duration>,
    clock: Arc<dyn Clock>,
}

enum Given {
    Line(String),
    Words(Vec<OsString>),
}

impl CredentialsProcessBuilder {
    /// Sets the program and its arguments, each passed unchanged. This or [`CredentialsProcessBuilder::command_line`]
    /// is required; the later call counts.
    pub fn command<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.command = Some(Given::Words(words.into_iter().map(Into::into).collect()));
        self
    }

    /// Sets the program and its arguments in one line, as in settings files (`process_command`).
    ///
    /// White space separates words. `'…'` is literal; in `"…"` a backslash escapes `"`, `\`, `$` and a
    /// backtick; elsewhere it escapes any character, except on Windows, where it is an ordinary character. There is
    /// no shell: no variables, patterns, pipes or comments. A line that begins with `NAME=value` is refused; to set
    /// a variable, let `env` run the program.
    pub fn command_line(mut self, line: impl Into<String>) -> Self {
        self.command = Some(Given::Line(line.into()));
        self
    }

    /// Sets how long the program may run. Default: [`DEFAULT_TIME_LIMIT`].
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Sets when to fetch again after the program printed credentials without an expiration; `None` keeps
    /// them until a service rejects them. Default: [`DEFAULT_REFRESH_AFTER`].
    pub fn refresh_after(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.refresh_after = after.into();
        self
    }

    /// Sets the clock that the expiry is compared with. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the provider, which caches, and refreshes in the background inside a tokio runtime (feature
    /// `tokio`). Nothing is started before it is called.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if there is no command; [`CredentialsError::InvalidConfig`] if it is
    /// empty, contains a NUL character, begins with a variable or cannot be split.
    pub fn build(self) -> Result<CredentialsProcessProvider, CredentialsError> {
        let clock = Arc::clone(&self.clock);
        let source = self.build_source()?;
        // The cache's own limit is for sources that hang; this one ends by itself.
        let attempt_limit = source.time_limit.saturating_add(Duration::from_secs(10));
        Ok(RefreshingProvider::builder(source)
            .clock(clock)
            .attempt_limit(attempt_limit)
            .background_refresh(true)
            .build())
    }

    /// Builds the bare source, for your own cache or other refresh settings. Pass the cache the same clock.
    ///
    /// # Errors
    ///
    /// As [`CredentialsProcessBuilder::build`].
    pub fn build_source(self) -> Result<CredentialsProcess, CredentialsError> {
        let words = match self.command {
            Some(Given::Words(words)) => words,
            Some(Given::Line(line)) => words_of(&line)?,
            None => {
                return Err(CredentialsError::not_configured(
                    ErrorDetail::builder(NAME, "no command is set")
                        .setting("command")
                        .setting_label("command(..) or command_line(..)")
                        .hint("set {setting}"),
                ));
            }
        };
        if words.iter().any(|word| word.as_encoded_bytes().contains(&0)) {
            return Err(invalid(
                "the command contains a NUL character",
                "remove it: no program accepts one",
            ));
        }
        let mut words = words.into_iter();
        let program = words
            .next()
            .filter(|program| !program.is_empty())
            .ok_or_else(|| invalid("the command is empty", "set a program to run"))?;
        Ok(CredentialsProcess {
            program,
            arguments: words.collect(),
            time_limit: self.time_limit,
            refresh_after: self.refresh_after,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for CredentialsProcessBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsProcessBuilder")
            .field("time_limit", &self.time_limit)
            .field("refresh_after", &self.refresh_after)
            .finish_non_exhaustive()
    }
}

fn words_of(line: &str) -> Result<Vec<OsString>, CredentialsError> {
    let words = split(line, cfg!(windows)).map_err(|error| match error {
        SplitError::UnclosedQuote => invalid("the command line has a quote that is not closed", "close it"),
        SplitError::TrailingBackslash => invalid(
            "the command line ends with a backslash",
            "remove it, or double it if it is intended",
        ),
    })?;
    if words.first().is_some_and(|word| begins_with_variable(word)) {
        return Err(invalid(
            "the command line begins with a variable (NAME=value), and there is no shell to set it",
            "let `env` run the program: env NAME=value program",
        ));
    }
    Ok(words.into_iter().map(OsString::from).collect())
}

/// Returns whether a shell would interpret it as one.
fn begins_with_variable(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Returns the file name, if the whole looks like a plain path.
fn shown(program: &OsStr) -> Option<&str> {
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '~' | '/' | '\\' | ':');
    program.to_str().filter(|text| text.chars().all(is_plain))?;
    let name = Path::new(program).file_name()?.to_str()?;
    // `user:password`; in front of a path it is a drive.
    (!name.contains(':')).then_some(name)
}

fn invalid(what: &'static str, hint: &'static str) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).hint(hint))
}
