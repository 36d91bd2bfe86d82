//! `AssumeRole`: temporary credentials of a role.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use oss_credentials_core::{ClockOffset, Credentials, CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use crate::TRACING_TARGET;
use crate::call::{Answer, Operation};
use crate::client::StsClient;
use crate::error::StsError;
use crate::outcome::Context;
use crate::scrub;
use crate::wire::{self, Session};

/// Lifetime of a session that asks for none: 3600 s.
pub const DEFAULT_DURATION: Duration = Duration::from_secs(3600);
/// Shortest lifetime of a session: 900 s.
pub const MIN_DURATION: Duration = Duration::from_secs(900);
/// Longest lifetime of a session: 43,200 s. A role has a limit of its own, 3600 s unless it was raised.
pub const MAX_DURATION: Duration = Duration::from_secs(43_200);

/// How much longer than asked a session may seem to last before the service's clock is not believed.
const EXPIRY_SLACK: Duration = Duration::from_secs(900);
/// Longest policy, in characters.
const MAX_POLICY: usize = 2048;

/// What to ask `AssumeRole` for.
///
/// Vendor document: "AssumeRole" of the Security Token Service,
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>.
/// `Debug` shows neither policy nor external id.
///
/// ```
/// use std::time::Duration;
/// use acs_sts::AssumeRole;
///
/// let request = AssumeRole::new("acs:ram::123456789012:role/reader", "nightly-job")
///     .duration(Duration::from_secs(1800));
/// assert!(request.validate("example").is_ok());
/// assert!(AssumeRole::new("reader", "nightly-job").validate("example").is_err());
/// ```
#[derive(Clone)]
#[must_use]
pub struct AssumeRole {
    role_arn: String,
    session_name: String,
    duration: Duration,
    policy: Option<String>,
    external_id: Option<String>,
}

impl AssumeRole {
    /// The role, `acs:ram::<account id>:role/<name>`, and a name for the session, which appears in audit
    /// logs: 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
    pub fn new(role_arn: impl Into<String>, session_name: impl Into<String>) -> Self {
        Self {
            role_arn: role_arn.into(),
            session_name: session_name.into(),
            duration: DEFAULT_DURATION,
            policy: None,
            external_id: None,
        }
    }

    /// Lifetime of the session: 900 to 43,200 seconds, and no longer than the role allows. Fractions of a
    /// second are dropped. Default: 3600 s.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// A policy that narrows what the session may do to what both it and the role allow: JSON, at most 2048
    /// characters. An empty one is none. Default: none.
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(policy.into()).filter(|policy| !policy.is_empty());
        self
    }

    /// The external id that the role's trust policy asks for: 2 to 1224 of the characters
    /// `A-Z a-z 0-9 _ + = , . @ : / -`. Default: none.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    /// The role.
    pub fn role_arn(&self) -> &str {
        &self.role_arn
    }

    /// Name of the session.
    pub fn session_name(&self) -> &str {
        &self.session_name
    }

    /// Checks everything that can be checked without the service; errors begin with the provider's name.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] for a role ARN, session name, duration, policy or external id
    /// outside of what this type's methods say.
    pub fn validate(&self, provider: &'static str) -> Result<(), CredentialsError> {
        validate_role_arn(provider, &self.role_arn)?;
        validate_session_name(provider, &self.session_name)?;
        let invalid = |what: String, hint: &'static str| {
            Err(CredentialsError::invalid_config(
                ErrorDetail::builder(provider, what).hint(hint),
            ))
        };
        if !(MIN_DURATION.as_secs()..=MAX_DURATION.as_secs()).contains(&self.duration.as_secs()) {
            let what = format!("a session cannot last {} s", self.duration.as_secs());
            return invalid(what, "set a duration of 900 to 43200 seconds");
        }
        let characters = self.policy.as_deref().map_or(0, |policy| policy.chars().count());
        if characters > MAX_POLICY {
            let what = format!("the policy has {characters} characters");
            return invalid(what, "shorten it to 2048, white space included");
        }
        if let Some(external_id) = &self.external_id {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
            if !(2..=1224).contains(&external_id.len()) || !external_id.chars().all(allowed) {
                let what = "the external id is too short, too long or has a character that is not allowed";
                return invalid(what.to_owned(), "use 2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -");
            }
        }
        Ok(())
    }

    fn params(&self) -> Vec<(&'static str, Cow<'_, str>)> {
        let mut params: Vec<(&'static str, Cow<'_, str>)> = vec![
            ("RoleArn", self.role_arn.as_str().into()),
            ("RoleSessionName", self.session_name.as_str().into()),
            ("DurationSeconds", self.duration.as_secs().to_string().into()),
        ];
        params.extend(self.policy.as_deref().map(|policy| ("Policy", policy.into())));
        params.extend(self.external_id.as_deref().map(|id| ("ExternalId", id.into())));
        params
    }
}

impl fmt::Debug for AssumeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssumeRole")
            .field("role_arn", &self.role_arn)
            .field("session_name", &self.session_name)
            .field("duration", &self.duration)
            .field(
                "policy",
                &self.policy.as_ref().map(|_| format_args!("<not shown>")),
            )
            .field(
                "external_id",
                &self.external_id.as_ref().map(|_| format_args!("<not shown>")),
            )
            .finish()
    }
}

/// Checks the shape of a role ARN, `acs:ram::<account id>:role/<name>`.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it has another shape.
pub fn validate_role_arn(provider: &'static str, role_arn: &str) -> Result<(), CredentialsError> {
    let name = role_arn
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(":role/"));
    let plain =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if name.is_some_and(|(account, name)| plain(account) && plain(name)) {
        return Ok(());
    }
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder(provider, "the role ARN has a wrong shape")
            .hint("write it as acs:ram::<account id>:role/<role name>"),
    ))
}

/// Checks the name of a session: 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it is too short, too long or has another character.
pub fn validate_session_name(provider: &'static str, name: &str) -> Result<(), CredentialsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '@' | '-' | '_');
    if (2..=64).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder(
            provider,
            "the role session name is too short, too long or has a character that is not allowed",
        )
        .hint("use 2 to 64 of A-Z a-z 0-9 . @ - _"),
    ))
}

/// Temporary credentials of a role, and what came with them.
#[derive(Clone, Debug)]
pub struct AssumedRole {
    credentials: Credentials,
    arn: Option<String>,
    id: Option<String>,
    request_id: Option<String>,
    clock_offset: Option<ClockOffset>,
}

impl AssumedRole {
    /// The credentials, with token and expiry.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Gives the credentials away.
    pub fn into_credentials(self) -> Credentials {
        self.credentials
    }

    /// ARN of the session, `acs:ram::<account id>:role/<role>/<session name>`, if the service told it.
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// Id of the role and name of the session, with a `:` between, if the service told it.
    pub fn assumed_role_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The service's id of the request, if it told it.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// How far the service's clock was from the local one; `None` if the answer had no usable `Date`, or one
    /// by which the session had ended already or lasts more than 15 minutes longer than asked.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }
}

impl StsClient {
    /// Gets temporary credentials of a role, as the holder of the `caller`'s key.
    ///
    /// For your own use wrap this in `oss-credentials-sts-assume-role`, which refreshes them. Called directly
    /// it makes tokens for others, with a policy and a duration for each.
    ///
    /// # Errors
    ///
    /// - [`CredentialsError::InvalidConfig`]: the request is malformed, `caller` is anonymous, or the HTTP
    ///   client cannot send.
    /// - [`CredentialsError::Denied`]: the service said no.
    /// - [`CredentialsError::Unavailable`]: no answer, throttling, server error, or a wrong clock.
    /// - [`CredentialsError::InvalidResponse`]: the answer is not the service's, or is incomplete.
    /// - [`CredentialsError::Expired`]: the credentials had expired when they arrived.
    pub async fn assume_role(
        &self,
        caller: &Credentials,
        request: &AssumeRole,
    ) -> Result<AssumedRole, StsError> {
        request.validate(self.provider)?;
        let operation = Operation {
            action: "AssumeRole",
            params: request.params(),
            caller,
        };
        let place = self.place();
        let context = self.signed_context(&operation, &place)?;
        let answer = self.call(&operation, context, wire::parse).await?;
        self.session(context, answer, request.duration)
    }

    /// What messages about a signed call say; refuses a caller without a key.
    pub(crate) fn signed_context<'a>(
        &self,
        operation: &Operation<'a>,
        place: &'a str,
    ) -> Result<Context<'a>, StsError> {
        let (action, caller) = (operation.action, operation.caller);
        if caller.is_anonymous() {
            return Err(CredentialsError::invalid_config(
                ErrorDetail::builder(self.provider, format!("{action} cannot be called anonymously"))
                    .hint("use an AccessKey pair, or temporary credentials, as the base"),
            )
            .into());
        }
        Ok(Context {
            provider: self.provider,
            action,
            place,
            caller,
        })
    }

    /// Makes credentials of an answer that carries a session, which was asked to last as long as `asked`.
    fn session(
        &self,
        context: Context<'_>,
        answer: Answer<Session>,
        asked: Duration,
    ) -> Result<AssumedRole, StsError> {
        let Answer {
            value: session,
            response,
            mut clock_offset,
            mut received,
        } = answer;
        // A session that had ended when it was handed out, or lasts longer than asked: the `Date` is wrong.
        let left = session.expires_at.duration_since(received).ok();
        if clock_offset.is_some() && left.is_none_or(|left| left > asked.saturating_add(EXPIRY_SLACK)) {
            clock_offset = None;
            received = self.clock.now();
            self.learned.set(None);
        }
        let request_id = scrub::request_id(session.request_id.as_deref(), &response, context.caller);
        let fail = |what: String, hint: &'static str| {
            let detail = context.detail(what).http_status(response.status()).hint(hint);
            match &request_id {
                Some(request_id) => detail.request_id(request_id),
                None => detail,
            }
        };
        let credentials = Credentials::builder(session.access_key_id, take(session.access_key_secret))
            .security_token(take(session.security_token))
            .expires_at(session.expires_at)
            .source(self.provider)
            .build()
            .map_err(|_| {
                let what = format!("the answer to {} has a key that cannot be one", context.action);
                let hint = "check the endpoint, and whether it is the Security Token Service that answers";
                CredentialsError::invalid_response(fail(what, hint))
            })?;
        if credentials.is_expired_at(received) {
            let what = "the credentials had expired when they arrived".to_owned();
            let hint = "compare the local clock with the service's";
            return Err(CredentialsError::expired(fail(what, hint)).into());
        }
        tracing::debug!(
            target: TRACING_TARGET, provider = self.provider, action = context.action,
            request_id = request_id.as_deref(), expires_at = ?credentials.expires_at(),
            "the service handed out credentials"
        );
        Ok(AssumedRole {
            credentials,
            arn: session.arn,
            id: session.assumed_role_id,
            request_id,
            clock_offset,
        })
    }
}

/// Moves the text out, so that no copy of it stays behind.
fn take(mut secret: Zeroizing<String>) -> String {
    std::mem::take(&mut *secret)
}
