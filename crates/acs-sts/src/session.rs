//! Sessions of a role: parameters and results, for every call that returns one.

use std::fmt;
use std::time::{Duration, SystemTime};

use acs_client::{AcsResponse, Call, Caller};
use oss_credentials_core::{ClockOffset, Credentials, CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use crate::client::StsClient;
use crate::error::{StsError, invalid};
use crate::wire::{self, Session};
use crate::{TRACING_TARGET, events};

/// Default lifetime of a session: 3600 s.
pub const DEFAULT_DURATION: Duration = Duration::from_secs(3600);
/// Minimum lifetime of a session: 900 s.
pub const MIN_DURATION: Duration = Duration::from_secs(900);
/// Maximum lifetime of a session: 43,200 s. A role has its own limit, 3600 s unless it was raised.
pub const MAX_DURATION: Duration = Duration::from_secs(43_200);

/// How much longer than requested a session may seem to last before the service's clock is distrusted.
const EXPIRY_SLACK: Duration = Duration::from_secs(900);
/// Maximum length of a policy, in characters.
const MAX_POLICY: usize = 2048;

/// The part of a request that `AssumeRole` and `AssumeRoleWithOIDC` share.
#[derive(Clone)]
pub(crate) struct SessionSettings {
    pub(crate) role_arn: String,
    pub(crate) session_name: String,
    pub(crate) duration: Duration,
    pub(crate) policy: Option<String>,
}

impl SessionSettings {
    pub(crate) fn new(role_arn: String, session_name: String) -> Self {
        Self {
            role_arn,
            session_name,
            duration: DEFAULT_DURATION,
            policy: None,
        }
    }

    pub(crate) fn validate(&self, provider: &'static str) -> Result<(), CredentialsError> {
        validate_role_arn(provider, &self.role_arn)?;
        validate_session_name(provider, &self.session_name)?;
        if !(MIN_DURATION.as_secs()..=MAX_DURATION.as_secs()).contains(&self.duration.as_secs()) {
            let what = format!("a session cannot last {} s", self.duration.as_secs());
            return Err(invalid(provider, what, "set a duration of 900 to 43200 seconds"));
        }
        // STS treats an empty one as none: a template that rendered empty would grant the whole role.
        if self
            .policy
            .as_deref()
            .is_some_and(|policy| policy.trim().is_empty())
        {
            return Err(CredentialsError::invalid_config(
                ErrorDetail::builder(provider, "the policy is empty")
                    .setting("policy")
                    .setting_label("policy(..)")
                    .hint(
                        "set a RAM policy in JSON, or leave out {setting} to allow all that the role may do",
                    ),
            ));
        }
        let characters = self.policy.as_deref().map_or(0, |policy| policy.chars().count());
        if characters > MAX_POLICY {
            let what = format!("the policy has {characters} characters");
            return Err(invalid(
                provider,
                what,
                "shorten it to 2048, white space included",
            ));
        }
        Ok(())
    }

    /// A call with these parameters, in the form: a query may end up in a log.
    pub(crate) fn call(&self, action: &'static str) -> Call<'_> {
        let call = Call::rpc(action)
            .form("RoleArn", &self.role_arn)
            .form("RoleSessionName", &self.session_name)
            .form("DurationSeconds", self.duration.as_secs().to_string());
        match &self.policy {
            Some(policy) => call.form("Policy", policy),
            None => call,
        }
    }

    /// Adds the settings to a `Debug` output; the policy is not shown.
    pub(crate) fn show(&self, shown: &mut fmt::DebugStruct<'_, '_>) {
        let policy = self.policy.as_ref().map(|_| format_args!("<not shown>"));
        shown
            .field("role_arn", &self.role_arn)
            .field("session_name", &self.session_name)
            .field("duration", &self.duration)
            .field("policy", &policy);
    }
}

/// Maximum length of an ARN in an error, in characters.
const MAX_SHOWN_ARN: usize = 128;

/// Checks the shape of a role ARN, `acs:ram::<account ID>:role/<name>`.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it has another shape.
///
/// ```
/// use acs_sts::validate_role_arn;
/// assert!(validate_role_arn("my-tool", "acs:ram::123456789012:role/reader").is_ok());
/// assert!(validate_role_arn("my-tool", "reader").is_err());
/// ```
pub fn validate_role_arn(provider: &'static str, role_arn: &str) -> Result<(), CredentialsError> {
    if is_ram_arn(role_arn, ":role/") {
        return Ok(());
    }
    let what = format!("the role ARN is malformed{}", shown_arn(role_arn));
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder(provider, what)
            .setting("role_arn")
            .setting_label("role_arn, or ALIBABA_CLOUD_ROLE_ARN where that is read")
            .hint("write it as acs:ram::<account ID>:role/<role name>; it is {setting}"),
    ))
}

/// `: "<arn>"` for an error. A value that does not begin like an ARN is not shown: it may be a secret in the wrong
/// place.
pub(crate) fn shown_arn(arn: &str) -> String {
    if !arn.starts_with("acs:") {
        return String::new();
    }
    format!(": {:?}", arn.chars().take(MAX_SHOWN_ARN).collect::<String>())
}

/// Whether it is `acs:ram::<account id><kind><name>`, with neither part empty. An account ID need not be
/// digits.
pub(crate) fn is_ram_arn(arn: &str, kind: &str) -> bool {
    let plain =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    arn.strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(kind))
        .is_some_and(|(account, name)| plain(account) && plain(name))
}

/// Checks the name of a session: 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it is too short, too long or has another character.
///
/// ```
/// use acs_sts::validate_session_name;
/// assert!(validate_session_name("my-tool", "nightly-backup").is_ok());
/// assert!(validate_session_name("my-tool", "nightly backup").is_err());
/// ```
pub fn validate_session_name(provider: &'static str, name: &str) -> Result<(), CredentialsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '@' | '-' | '_');
    if (2..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(invalid(
        provider,
        "the role session name is too short, too long or has a character that is not allowed",
        "use 2 to 64 of A-Z a-z 0-9 . @ - _",
    ))
}

/// Returns a generated session name: the prefix, then the microseconds from 1970 to `now`. It is
/// generated once per provider, so that all sessions of a process appear together in audit logs.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
/// assert_eq!(acs_sts::made_up_session_name("my-tool-", now), "my-tool-1000000");
/// ```
pub fn made_up_session_name(prefix: &str, now: SystemTime) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{prefix}{}", since.as_micros())
}

/// Temporary credentials of a role, with the other fields of the response: see [`StsClient::assume_role`].
#[derive(Clone, Debug)]
pub struct AssumedRole {
    credentials: Credentials,
    arn: Option<String>,
    id: Option<String>,
    request_id: Option<String>,
    clock_offset: Option<ClockOffset>,
}

impl AssumedRole {
    /// Returns the credentials, with token and expiry.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Converts the result into the credentials.
    pub fn into_credentials(self) -> Credentials {
        self.credentials
    }

    /// Returns the ARN of the session, `acs:ram::<account ID>:role/<role>/<session name>`, if the service stated it.
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// Returns the ID of the role and the name of the session, with a `:` in between, if the service stated it.
    pub fn assumed_role_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns the service's ID of the request, if it stated one.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the offset between the service's clock and the local one; `None` if the response had no usable `Date`,
    /// or one by which the session had already expired or lasts more than 15 minutes longer than requested.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }
}

impl StsClient {
    /// Makes a call that returns a session, which should last as long as `asked`.
    pub(crate) async fn assumed(
        &self,
        caller: Caller<'_>,
        call: &Call<'_>,
        asked: Duration,
    ) -> Result<AssumedRole, StsError> {
        let read = |response: &AcsResponse| wire::parse(response.bytes());
        let read = self.client.call_and_read(caller, call, read);
        let (session, response) = read.await.map_err(StsError::of)?;
        Ok(self.session(session, &response, asked)?)
    }

    /// Converts a response with a session into credentials.
    fn session(
        &self,
        session: Session,
        response: &AcsResponse,
        asked: Duration,
    ) -> Result<AssumedRole, CredentialsError> {
        let mut clock_offset = response.clock_offset();
        let mut received = clock_offset.unwrap_or_default().to_service(response.received());
        // A session that had expired when it was issued, or lasts longer than requested: the `Date` is wrong.
        let left = session.expires_at.duration_since(received).ok();
        if clock_offset.is_some() && left.is_none_or(|left| left > asked.saturating_add(EXPIRY_SLACK)) {
            clock_offset = None;
            received = response.received();
            self.client.clock().forget();
        }
        let credentials = Credentials::builder(session.access_key_id, take(session.access_key_secret))
            .security_token(take(session.security_token))
            .expires_at(session.expires_at)
            .source(self.provider)
            .strict()
            .build()
            .map_err(|_| {
                let what = format!("the response to {} contains an invalid key", response.action());
                let hint = "check the endpoint, and whether it is STS that responds";
                CredentialsError::invalid_response(response.detail(what).hint(hint))
            })?;
        if credentials.is_expired_at(received) {
            let detail = response.detail("the credentials had expired when they arrived");
            let hint = "compare the local clock with the service's";
            return Err(CredentialsError::expired(detail.hint(hint)));
        }
        tracing::debug!(
            name: events::ROLE_ASSUMED, target: TRACING_TARGET, provider = self.provider,
            action = response.action(), request_id = response.request_id(),
            expires_at = ?credentials.expires_at(), event = events::ROLE_ASSUMED,
            "the service handed out credentials"
        );
        Ok(AssumedRole {
            credentials,
            arn: session.arn,
            id: session.assumed_role_id,
            request_id: response.request_id().map(str::to_owned),
            clock_offset,
        })
    }
}

/// Moves the text out, so that no copy of it is left.
fn take(mut secret: Zeroizing<String>) -> String {
    std::mem::take(&mut *secret)
}
