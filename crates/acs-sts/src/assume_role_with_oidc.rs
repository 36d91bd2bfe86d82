//! `AssumeRoleWithOIDC`: temporary credentials of a role for the bearer of an OIDC token.

use std::fmt;
use std::time::Duration;

use acs_client::Caller;
use oss_credentials_core::{CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use crate::client::StsClient;
use crate::error::{StsError, invalid};
use crate::session::{AssumedRole, SessionSettings, is_ram_arn, shown_arn};

/// Minimum length of a token, in characters.
const MIN_TOKEN: usize = 4;
/// Maximum length of a token, in characters.
const MAX_TOKEN: usize = 20_000;

/// The parameters of `AssumeRoleWithOIDC`.
///
/// Vendor document: "AssumeRoleWithOIDC" of the Security Token Service,
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>.
/// `Debug` shows neither policy nor token; the token is overwritten in memory when it is dropped.
///
/// ```
/// use acs_sts::AssumeRoleWithOidc;
///
/// let request = AssumeRoleWithOidc::new(
///     "acs:ram::123456789012:role/reader",
///     "acs:ram::123456789012:oidc-provider/cluster",
///     "nightly-job",
/// );
/// assert!(request.validate("example").is_ok());
/// // Tokens live for minutes: one is added for each call.
/// let with_token = request.clone().oidc_token("eyJhbGciOi…");
/// ```
#[derive(Clone)]
#[must_use]
pub struct AssumeRoleWithOidc {
    session: SessionSettings,
    oidc_provider_arn: String,
    oidc_token: Zeroizing<String>,
}

impl AssumeRoleWithOidc {
    /// Creates a request for a role, `acs:ram::<account ID>:role/<name>`, with the issuer of the token,
    /// `acs:ram::<account ID>:oidc-provider/<name>`, and a name for the session, which appears in audit logs:
    /// 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
    pub fn new(
        role_arn: impl Into<String>,
        oidc_provider_arn: impl Into<String>,
        session_name: impl Into<String>,
    ) -> Self {
        Self {
            session: SessionSettings::new(role_arn.into(), session_name.into()),
            oidc_provider_arn: oidc_provider_arn.into(),
            oidc_token: Zeroizing::default(),
        }
    }

    /// Sets the token as its issuer created it: a raw JWT, 4 to 20,000 characters. Required when the call is made.
    pub fn oidc_token(mut self, token: impl Into<String>) -> Self {
        self.oidc_token = Zeroizing::new(token.into());
        self
    }

    /// Sets the lifetime of the session: 900 to 43,200 seconds, and no longer than the role allows. Fractions of a
    /// second are dropped. Default: 3600 s.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.session.duration = duration;
        self
    }

    /// Sets a policy that restricts the session to what both it and the role allow: JSON, at most 2048
    /// characters. An empty one is an error. Default: none, which allows everything that the role may do.
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.session.policy = Some(policy.into());
        self
    }

    /// Returns the role.
    pub fn role_arn(&self) -> &str {
        &self.session.role_arn
    }

    /// Returns the issuer of the token.
    pub fn oidc_provider_arn(&self) -> &str {
        &self.oidc_provider_arn
    }

    /// Returns the name of the session.
    pub fn session_name(&self) -> &str {
        &self.session.session_name
    }

    /// Checks everything except the token, which is checked when the call is made. Errors begin with the
    /// provider's name.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] for an ARN, session name, duration or policy outside the ranges that this
    /// type's methods document.
    pub fn validate(&self, provider: &'static str) -> Result<(), CredentialsError> {
        self.session.validate(provider)?;
        validate_oidc_provider_arn(provider, &self.oidc_provider_arn)
    }
}

impl fmt::Debug for AssumeRoleWithOidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AssumeRoleWithOidc");
        self.session.show(&mut shown);
        shown
            .field("oidc_provider_arn", &self.oidc_provider_arn)
            .field("oidc_token", &format_args!("<redacted>"))
            .finish()
    }
}

/// Checks the shape of the ARN of an OIDC provider, `acs:ram::<account ID>:oidc-provider/<name>`.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it has another shape.
///
/// ```
/// use acs_sts::validate_oidc_provider_arn;
/// assert!(validate_oidc_provider_arn("my-tool", "acs:ram::123456789012:oidc-provider/example").is_ok());
/// assert!(validate_oidc_provider_arn("my-tool", "acs:ram::123456789012:role/example").is_err());
/// ```
pub fn validate_oidc_provider_arn(provider: &'static str, arn: &str) -> Result<(), CredentialsError> {
    if is_ram_arn(arn, ":oidc-provider/") {
        return Ok(());
    }
    let what = format!("the OIDC provider ARN is malformed{}", shown_arn(arn));
    Err(CredentialsError::invalid_config(
        ErrorDetail::builder(provider, what)
            .setting("oidc_provider_arn")
            .setting_label("oidc_provider_arn, or ALIBABA_CLOUD_OIDC_PROVIDER_ARN where that is read")
            .hint("write it as acs:ram::<account ID>:oidc-provider/<provider name>; it is {setting}"),
    ))
}

/// Checks the shape of an OIDC token: 4 to 20,000 visible ASCII characters. Errors show nothing of it.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if it has another shape.
///
/// ```
/// use acs_sts::validate_oidc_token;
/// assert!(validate_oidc_token("my-tool", "header.claims.signature").is_ok());
/// assert!(validate_oidc_token("my-tool", "header.claims.signature\n").is_err());
/// ```
pub fn validate_oidc_token(provider: &'static str, token: &str) -> Result<(), CredentialsError> {
    if token.is_empty() {
        return Err(invalid(provider, "there is no OIDC token", "set oidc_token(..)"));
    }
    // A JWT is base64url and dots. Anything else is a mangled text, and the service would not report that.
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        let what = "the OIDC token contains white space or a character that no JWT has";
        return Err(invalid(
            provider,
            what,
            "use one raw JWT, as its issuer created it",
        ));
    }
    if !(MIN_TOKEN..=MAX_TOKEN).contains(&token.len()) {
        let what = format!("the OIDC token has {} characters", token.len());
        return Err(invalid(
            provider,
            what,
            "use one raw JWT of 4 to 20000 characters",
        ));
    }
    Ok(())
}

impl StsClient {
    /// Exchanges an OIDC token for temporary credentials of a role. No key is needed and nothing is
    /// signed: anyone who has the token can do the same. It is sent in the body of the request, never in the URL.
    ///
    /// For your own use, wrap this in `oss-credentials-oidc-rrsa`, which reads the token from its file and
    /// refreshes the credentials.
    ///
    /// # Errors
    ///
    /// - [`CredentialsError::InvalidConfig`]: the request or its token is malformed, or the HTTP client cannot
    ///   send.
    /// - [`CredentialsError::Denied`]: the service refused. [`StsError::oidc_token_rejected`] returns whether the
    ///   token was the reason.
    /// - [`CredentialsError::Unavailable`]: no response, throttling, server error, or a wrong clock.
    /// - [`CredentialsError::InvalidResponse`]: the response is not the service's, or is incomplete.
    /// - [`CredentialsError::Expired`]: the credentials had expired when they arrived.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use acs_sts::StsClient;
    /// # use oss_credentials_core::blocking;
    /// # use oss_credentials_http::{HttpResponse, http_fn};
    /// # let http = http_fn(|_| async {
    /// #     let body = br#"{"Credentials": {"AccessKeyId": "STS.example", "AccessKeySecret": "secret",
    /// #         "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}}"#;
    /// #     Ok(HttpResponse::new(200, body.to_vec()))
    /// # });
    /// use acs_sts::AssumeRoleWithOidc;
    ///
    /// let client = StsClient::builder(Arc::new(http)).region("cn-hangzhou").build()?;
    /// let request = AssumeRoleWithOidc::new(
    ///     "acs:ram::123456789012:role/reader",
    ///     "acs:ram::123456789012:oidc-provider/cluster",
    ///     "nightly-job",
    /// );
    /// let role = blocking::wait(client.assume_role_with_oidc(&request.oidc_token("example.jwt.token")))?;
    /// assert_eq!(role.credentials().access_key_id(), "STS.example");
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub async fn assume_role_with_oidc(&self, request: &AssumeRoleWithOidc) -> Result<AssumedRole, StsError> {
        request.validate(self.provider)?;
        let token = request.oidc_token.as_str();
        validate_oidc_token(self.provider, token)?;
        let call = request
            .session
            .call("AssumeRoleWithOIDC")
            .form("OIDCProviderArn", &request.oidc_provider_arn)
            .form("OIDCToken", token);
        self.assumed(Caller::Unsigned(&[token]), &call, request.session.duration)
            .await
    }
}
