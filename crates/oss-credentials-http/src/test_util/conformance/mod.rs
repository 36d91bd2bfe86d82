//! Checks any [`HttpClient`] against its contract, over real sockets on loopback.

mod checks;
mod runtime;
mod socket;
mod subject;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::checks::{CHECKS, Check};
use self::subject::{Problem, Subject};
use crate::HttpClient;
use oss_credentials_core::BoxFuture;

/// Checks an implementation of [`HttpClient`] against the contract that sources rely on.
///
/// The suite acts as the server, with fixed bytes on 127.0.0.1, so a client needs no preparation, and nothing
/// except loopback is used. A whole run takes two to three seconds with a client that follows the contract.
///
/// # Examples
///
/// ```no_run
/// use oss_credentials_http::test_util::HttpConformance;
/// # use oss_credentials_http::{HttpRequest, HttpResponse, blocking_http_fn};
/// # let my_client = || blocking_http_fn(|_: HttpRequest| Ok(HttpResponse::new(200, vec![])));
///
/// let report = HttpConformance::new(my_client)
///     // Runs a future to its end; the default is `blocking::wait`.
///     .block_on(|future| oss_credentials_core::blocking::wait(future))
///     .run_all();
/// // `run_all` panics if a check fails. The checks that could not run are in the report.
/// for (check, reason) in report.skipped() {
///     println!("{check} was skipped: {reason}");
/// }
/// ```
pub struct HttpConformance {
    subject: Subject,
    only: Option<Vec<String>>,
}

impl HttpConformance {
    /// Creates a suite for the clients that the closure makes. The closure is called at least once per check.
    pub fn new<C: HttpClient>(client: impl Fn() -> C + 'static) -> Self {
        Self {
            subject: Subject::new(Box::new(move || Box::new(client()))),
            only: None,
        }
    }

    /// Sets how a future is run to its end: an async runtime's `block_on`. Default:
    /// [`blocking::wait`](oss_credentials_core::blocking::wait).
    #[must_use]
    pub fn block_on(mut self, block_on: impl for<'a> Fn(BoxFuture<'a, ()>) + 'static) -> Self {
        self.subject.block_on = Box::new(block_on);
        self
    }

    /// Sets how to make a client that uses the proxy at the given URL for everything it may. Without it, the check that
    /// metadata hosts are called directly is skipped.
    #[must_use]
    pub fn through_proxy<C: HttpClient>(mut self, client: impl Fn(&str) -> C + 'static) -> Self {
        self.subject.proxied = Some(Box::new(move |proxy| Box::new(client(proxy))));
        self
    }

    /// Runs only the checks with these names. Default: all.
    #[must_use]
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Returns the names of all checks, in the order in which they run.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CHECKS.iter().map(|(name, _)| *name)
    }

    /// Runs all checks, even after failures.
    pub fn run(&self) -> ConformanceReport {
        let chosen = CHECKS.iter().filter(|(name, _)| {
            self.only
                .as_ref()
                .is_none_or(|only| only.iter().any(|other| other == name))
        });
        ConformanceReport {
            outcomes: chosen
                .map(|(name, check)| (*name, self.outcome(*check)))
                .collect(),
        }
    }

    fn outcome(&self, check: Check) -> ConformanceOutcome {
        match catch_unwind(AssertUnwindSafe(|| check(&self.subject))) {
            Ok(Ok(())) => ConformanceOutcome::Passed,
            Ok(Err(Problem::Failed(reason))) => ConformanceOutcome::Failed(reason),
            Ok(Err(Problem::Skipped(reason))) => ConformanceOutcome::Skipped(reason),
            Err(_) => ConformanceOutcome::Failed("the client panicked".to_owned()),
        }
    }

    /// Runs the checks, and returns the report if none failed.
    ///
    /// # Panics
    ///
    /// If a check failed; the text lists all failures.
    #[track_caller]
    pub fn run_all(&self) -> ConformanceReport {
        let report = self.run();
        assert!(
            report.failures().next().is_none(),
            "the client breaks the contract of `HttpClient`:\n{report}"
        );
        report
    }
}

impl fmt::Debug for HttpConformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConformance")
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

/// The results of the checks of an [`HttpConformance`]. `Display` prints a line for each check.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConformanceReport {
    outcomes: Vec<(&'static str, ConformanceOutcome)>,
}

/// The result of one check of [`HttpConformance`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConformanceOutcome {
    /// The client follows this part of the contract.
    Passed,
    /// The client violates it, as described.
    Failed(String),
    /// Not checked, for this reason: a prerequisite is missing here.
    Skipped(String),
}

impl ConformanceReport {
    /// Returns the checks that ran, each with its result.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, &ConformanceOutcome)> {
        self.outcomes.iter().map(|(name, outcome)| (*name, outcome))
    }

    /// Returns the checks that failed, each with its reason.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.outcomes().filter_map(|(name, outcome)| match outcome {
            ConformanceOutcome::Failed(reason) => Some((name, reason.as_str())),
            _ => None,
        })
    }

    /// Returns the checks that were skipped, each with its reason.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.outcomes().filter_map(|(name, outcome)| match outcome {
            ConformanceOutcome::Skipped(reason) => Some((name, reason.as_str())),
            _ => None,
        })
    }
}

impl fmt::Display for ConformanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, outcome)) in self.outcomes().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match outcome {
                ConformanceOutcome::Passed => write!(f, "  passed   {name}")?,
                ConformanceOutcome::Failed(reason) => write!(f, "  FAILED   {name}: {reason}")?,
                ConformanceOutcome::Skipped(reason) => write!(f, "  skipped  {name}: {reason}")?,
            }
        }
        Ok(())
    }
}
