//! The report of the chain, member by member, for diagnosis.

use std::fmt;
use std::time::SystemTime;

use oss_credentials_core::{
    ChainPolicy, ClockOffset, Credentials, CredentialsError, CredentialsProvider, MaskedId, RefreshStatus,
    text,
};

use crate::members::Member;
use crate::provider::DefaultProvider;

/// The state of a member of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// The chain uses its credentials.
    InUse,
    /// It has credentials, and the chain uses those of another member.
    Available,
    /// It is not configured here; [`MemberReport::error`] states what was looked for.
    NotConfigured,
    /// It is configured but returns no credentials; [`MemberReport::error`] states why, and what to do.
    Failed,
    /// The chain ends before it, so it was not called.
    NotAsked,
}

impl Standing {
    /// Returns the state in words: `"in use"`, `"available"`, `"not configured"`, `"failed"`, `"not asked"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Available => "available",
            Self::NotConfigured => "not configured",
            Self::Failed => "failed",
            Self::NotAsked => "not asked",
        }
    }
}

/// One member of the chain. Shows no secret.
#[derive(Clone, Debug)]
pub struct MemberReport {
    name: &'static str,
    standing: Standing,
    place: Option<String>,
    credentials: Option<Credentials>,
    status: Option<RefreshStatus>,
    error: Option<CredentialsError>,
}

impl MemberReport {
    /// Returns its name, such as `"oidc-rrsa"`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns its state.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Returns where its credentials are from, or would be from if it had not failed: a variable, a file and its
    /// profile, a URL without query. `None` if that is not known.
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// Returns the access key ID, masked; `None` if it returned no credentials.
    pub fn access_key_id(&self) -> Option<String> {
        let credentials = self.credentials.as_ref()?;
        Some(MaskedId(credentials.access_key_id()).to_string())
    }

    /// Returns the name of the source of the credentials, if it differs from the member: a profile's.
    pub fn source(&self) -> Option<&'static str> {
        let source = self.credentials.as_ref()?.source();
        (source != self.name).then_some(source)
    }

    /// Returns when the credentials expire, by the service's clock; `None` if there are none, if they do not expire,
    /// or if the expiry is not known, as for a token in a variable.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.credentials.as_ref()?.expires_at()
    }

    /// Returns when the next refresh is due by the local clock, including backoff after failures; `None` if never, or
    /// if it is not known.
    pub fn next_refresh(&self) -> Option<SystemTime> {
        self.status.as_ref()?.next_attempt()
    }

    /// Returns the offset between the service's clock and the local one; `None` if it is not known.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.status.as_ref()?.clock_offset()
    }

    /// Returns why it has no credentials, or, if it has some, why the last refresh failed.
    pub fn error(&self) -> Option<&CredentialsError> {
        let of_refresh = || self.status.as_ref()?.last_error();
        self.error.as_ref().or_else(of_refresh)
    }
}

/// The report of the chain, member by member.
///
/// `Display` is for people: a line for each member and one for each fact about it. With the feature `json`,
/// [`to_json`](Self::to_json) is for programs. Neither shows a secret.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub(crate) now: SystemTime,
    pub(crate) policy: ChainPolicy,
    pub(crate) pinned_by: Option<&'static str>,
    pub(crate) members: Vec<MemberReport>,
    pub(crate) error: Option<CredentialsError>,
}

impl Explanation {
    /// Returns the members in the order of the chain.
    pub fn members(&self) -> impl Iterator<Item = &MemberReport> {
        self.members.iter()
    }

    /// Returns the member whose credentials are in use; `None` if the chain returns none.
    pub fn in_use(&self) -> Option<&MemberReport> {
        self.members().find(|member| member.standing == Standing::InUse)
    }

    /// Returns why the chain returns no credentials; `None` if it does.
    pub fn error(&self) -> Option<&CredentialsError> {
        self.error.as_ref()
    }

    /// Returns the first lines of the text: whose credentials are in use, what pinned the member, and the policy.
    pub fn headline(&self) -> String {
        let failed = || self.members().find(|member| member.standing == Standing::Failed);
        let headline = match (self.in_use(), failed()) {
            (Some(member), _) => format!("default chain: {} is in use", member.name),
            (None, Some(member)) => format!("default chain: no credentials, since {} failed", member.name),
            (None, None) => "default chain: no credentials: configure one of these".to_owned(),
        };
        let pinned = self
            .pinned_by
            .map(|by| format!(" (pinned by {by}: no other member is asked)"));
        let policy = (self.policy == ChainPolicy::ContinueOnFailure)
            .then_some("\n  policy: after a failure the chain continues, and the identity may change");
        headline + pinned.as_deref().unwrap_or_default() + policy.unwrap_or_default()
    }

    /// Returns the lines of the text about one member: its name and state, then one for each fact, indented.
    pub fn describe(&self, member: &MemberReport) -> String {
        let width = self.members().map(|member| member.name.len()).max();
        let width = width.unwrap_or_default();
        format!("  {:width$}  {}", member.name, Facts(member, self.now))
    }

    /// Returns what pinned the only member that is used: `"only(..)"`, the label that replaces it, or the name of a
    /// variable.
    pub fn pinned_by(&self) -> Option<&'static str> {
        self.pinned_by
    }
}

impl DefaultProvider {
    /// Calls the chain, and reports the state of each member. Members after the one that decides are not called,
    /// as the chain does not call them.
    pub async fn explain(&self) -> Explanation {
        self.examine(false).await
    }

    /// As [`explain`](Self::explain), but also calls the members that the chain does not call, to report what they
    /// have. That may send requests to services and, for a profile that asks for it, run a program.
    pub async fn explain_all(&self) -> Explanation {
        self.examine(true).await
    }

    async fn examine(&self, all: bool) -> Explanation {
        let answer = self.credentials().await;
        let in_use = answer.as_ref().ok().and_then(|_| self.answered());
        let mut members = Vec::new();
        let mut is_decided = false;
        for member in self.members() {
            let report = match (&answer, &member.provider) {
                (Ok(credentials), _) if in_use == Some(member.name) => {
                    member.report(Standing::InUse, Some(credentials.clone()), None)
                }
                // Known without a call.
                (_, Err(error)) => member.failure(error.clone()),
                (_, Ok(_)) if is_decided && !all => member.report(Standing::NotAsked, None, None),
                (_, Ok(provider)) => match provider.credentials().await {
                    Ok(credentials) => member.report(Standing::Available, Some(credentials), None),
                    Err(error) => member.failure(error),
                },
            };
            is_decided |= match report.standing {
                Standing::InUse => true,
                Standing::Failed => self.policy() == ChainPolicy::StopOnFailure,
                _ => false,
            };
            members.push(report);
        }
        Explanation {
            now: self.clock().now(),
            policy: self.policy(),
            pinned_by: self.pin().map(|pin| pin.by),
            members,
            error: answer.err(),
        }
    }
}

impl Member {
    fn report(
        &self,
        standing: Standing,
        credentials: Option<Credentials>,
        error: Option<CredentialsError>,
    ) -> MemberReport {
        let provider = self.provider.as_ref().ok();
        let is_set_up = credentials.is_some() || standing == Standing::Failed;
        MemberReport {
            name: self.name,
            standing,
            place: self.place().filter(|_| is_set_up),
            credentials,
            status: provider.and_then(CredentialsProvider::refresh_status),
            error,
        }
    }

    fn failure(&self, error: CredentialsError) -> MemberReport {
        let standing = if error.is_not_configured() {
            Standing::NotConfigured
        } else {
            Standing::Failed
        };
        self.report(standing, None, Some(error))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        let mut members = self.members();
        members.try_for_each(|member| write!(f, "\n{}", self.describe(member)))
    }
}

/// What is known of a member, at this time.
struct Facts<'a>(&'a MemberReport, SystemTime);

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, self.1)
    }
}

impl MemberReport {
    fn write(&self, f: &mut fmt::Formatter<'_>, now: SystemTime) -> fmt::Result {
        f.write_str(self.standing.as_str())?;
        if self.standing == Standing::NotAsked {
            return f.write_str(": the chain ends before it");
        }
        if let Some(id) = self.access_key_id() {
            write!(f, ": {id}")?;
            // The place of a profile includes its kind, which usually is the name of the source, too.
            let is_told = |source: &&str| {
                let mut parts = self.place().into_iter().flat_map(|place| place.split([',', ';']));
                parts.any(|part| part.trim() == *source)
            };
            let from = [self.place(), self.source().filter(|source| !is_told(source))];
            let from: Vec<&str> = from.into_iter().flatten().collect();
            if !from.is_empty() {
                write!(f, " ({})", from.join(", "))?;
            }
            self.write_times(f, now)?;
            if let Some(error) = self.error() {
                f.write_str("\n      the last refresh failed: ")?;
                self.write_error(f, error)?;
            }
            return Ok(());
        }
        if let Some(error) = self.error() {
            f.write_str(": ")?;
            self.write_error(f, error)?;
            if let Some(at) = self.next_refresh().filter(|_| self.standing == Standing::Failed) {
                write!(f, "\n      next attempt: {}", Instant { at, now })?;
            }
        }
        Ok(())
    }

    fn has_token(&self) -> bool {
        let credentials = self.credentials.as_ref();
        credentials.is_some_and(|credentials| credentials.security_token().is_some())
    }

    fn write_times(&self, f: &mut fmt::Formatter<'_>, now: SystemTime) -> fmt::Result {
        match self.expires_at() {
            Some(at) => {
                let now = self.clock_offset().unwrap_or_default().to_service(now);
                write!(f, "\n      expires: {}", Instant { at, now })?;
            }
            // A token that was set by hand has no expiry.
            None if self.has_token() => f.write_str(", with a token whose expiry is not known")?,
            None => f.write_str(", does not expire")?,
        }
        if let Some(at) = self.next_refresh() {
            write!(f, "\n      next refresh: {}", Instant { at, now })?;
        }
        let offset = self.clock_offset().unwrap_or_default();
        if offset.abs().as_secs() > 0 {
            let is_ahead = offset.as_secs() > 0;
            let secs = offset.abs().as_secs();
            let word = if is_ahead { "behind" } else { "ahead of" };
            write!(
                f,
                "\n      clock: this machine's is {secs} s {word} the service's"
            )?;
        }
        Ok(())
    }

    /// The error's text without the member's name, which the line already begins with, and its causes.
    fn write_error(&self, f: &mut fmt::Formatter<'_>, error: &CredentialsError) -> fmt::Result {
        let text = error.to_string();
        let rest = text
            .strip_prefix(self.name)
            .and_then(|rest| rest.strip_prefix(": "));
        f.write_str(&indented(rest.unwrap_or(&text)))?;
        for cause in causes(error) {
            write!(f, "\n      because: {}", indented(&cause))?;
        }
        Ok(())
    }
}

/// Below the line of the member, without control characters: a cause may contain text from outside.
fn indented(text: &str) -> String {
    let plain = |c: char| if c == '\n' { c } else { text::safe(c) };
    let text: String = text.chars().map(plain).collect();
    text.replace('\n', "\n      ")
}

/// Returns the causes of an error, the nearest first.
pub(crate) fn causes(error: &CredentialsError) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        // Layers repeat each other.
        if !causes.last().is_some_and(|last| last.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

/// An instant as people read it.
struct Instant {
    at: SystemTime,
    now: SystemTime,
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match rfc3339(self.at) {
            Some(text) => f.write_str(&text)?,
            None => f.write_str("at a time out of range")?,
        }
        match (self.at.duration_since(self.now), self.now.duration_since(self.at)) {
            (Ok(ahead), _) => write!(f, " (in {} s)", ahead.as_secs()),
            (Err(_), Ok(past)) => write!(f, " ({} s ago)", past.as_secs()),
            (Err(_), Err(_)) => Ok(()),
        }
    }
}

/// Whole seconds, `Z`; `None` outside of what chrono can hold.
pub(crate) fn rfc3339(at: SystemTime) -> Option<String> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let at = chrono::DateTime::from_timestamp(i64::try_from(since.as_secs()).ok()?, 0)?;
    Some(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_keeps_its_lines_and_nothing_else_that_a_terminal_obeys() {
        assert_eq!(
            indented("a\u{1b}[31m\u{202e}b\u{2067}\u{200e}\u{2029}c\nd"),
            "a [31m b   c\n      d"
        );
    }
}
