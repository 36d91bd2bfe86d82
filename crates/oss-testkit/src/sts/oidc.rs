//! OIDC: the provider that the account trusts, the tokens of its issuer, and AssumeRoleWithOIDC.
//!
//! Vendor document: "AssumeRoleWithOIDC" (Resource Access Management, API reference of STS), for parameters
//! and limits; the codes are those that the vendor's SDKs know.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use oss_credentials_core::nonce;
use serde_json::{Map, Value, json};

use super::calls::{
    Fields, check_session_name, find_role, into_map, read_policy, role_name, session_fields, session_length,
};
use crate::account::Principal;
use crate::openapi::auth::{check_time, mandatory};
use crate::openapi::product::Refusal;
use crate::service::Judgement;
use crate::session::Session;
use crate::state::State;
use crate::time::{iso, shift};
use crate::wire::Request;

const PROVIDER: &str = "example-oidc-provider";
const DEFAULT_ISSUER: &str = "https://oidc.example.com";
const DEFAULT_AUDIENCE: &str = "sts.aliyuncs.com";
const DEFAULT_SUBJECT: &str = "system:serviceaccount:default:example";
/// Shortest and longest token, in characters.
const TOKEN_LENGTH: std::ops::RangeInclusive<usize> = 4..=20_000;

/// What the builder sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
}

/// The issuer of tokens that the account's OIDC provider trusts.
pub(crate) struct Issuer {
    url: String,
    audience: String,
    /// Made when it is needed first: that takes as long as all the rest of a start.
    key: OnceLock<Option<SigningKey>>,
}

struct SigningKey {
    id: String,
    private: EncodingKey,
    public: DecodingKey,
}

impl SigningKey {
    fn new() -> Option<Self> {
        // Without an effect if there is one already: without one, whatever other crates chose would decide.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
        let pkcs8 = pair.as_der().ok()?;
        let unwrapped = pkcs8::PrivateKeyInfoRef::try_from(pkcs8.as_ref()).ok()?;
        Some(Self {
            id: nonce(),
            private: EncodingKey::from_rsa_der(unwrapped.private_key.as_bytes()),
            public: DecodingKey::from_rsa_der(pair.public_key().as_ref()),
        })
    }
}

impl Issuer {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            url: settings.issuer.unwrap_or_else(|| DEFAULT_ISSUER.to_owned()),
            audience: settings.audience.unwrap_or_else(|| DEFAULT_AUDIENCE.to_owned()),
            key: OnceLock::new(),
        }
    }

    fn key(&self) -> Option<&SigningKey> {
        self.key.get_or_init(SigningKey::new).as_ref()
    }

    pub(crate) fn sign(&self, token: &OidcToken, now: SystemTime) -> Option<String> {
        let key = self.key()?;
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(key.id.clone());
        let claims = json!({
            "iss": token.issuer.as_deref().unwrap_or(&self.url),
            "aud": [token.audience.as_deref().unwrap_or(&self.audience)],
            "sub": token.subject,
            "iat": unix(now),
            "nbf": unix(now.checked_add(token.not_before)?),
            "exp": unix(now.checked_add(token.lifetime)?),
            "jti": nonce(),
        });
        jsonwebtoken::encode(&header, &claims, &key.private).ok()
    }

    /// The claims of a valid token.
    fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, Refusal> {
        let key = self
            .key()
            .ok_or_else(|| invalid("there is no key to check it with"))?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        rules.set_issuer(&[&self.url]);
        rules.set_audience(&[&self.audience]);
        // The library would use the system's clock, with a tolerance of a minute.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key.public, &rules)
            .map_err(|error| unreadable(error.kind()))?
            .claims;
        let time = |name: &str| claims.get(name).and_then(Value::as_i64);
        let now = unix(now);
        let expires_at = time("exp").ok_or_else(|| invalid("exp is not a number"))?;
        if expires_at <= now {
            let message = "The OIDC token has expired.";
            return Err(Refusal::new(400, "AuthenticationFail.OIDCToken.Expired", message));
        }
        if time("nbf").is_some_and(|not_before| not_before > now) {
            return Err(invalid("it is not valid yet"));
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        Ok(Claims {
            subject: text("sub").to_owned(),
            issued_at: time("iat"),
            expires_at,
        })
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// The content of a valid token.
struct Claims {
    subject: String,
    issued_at: Option<i64>,
    expires_at: i64,
}

/// A token to be signed by the issuer that the local cloud trusts: valid, or with one thing wrong.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use oss_testkit::OidcToken;
///
/// # fn sign(cloud: &oss_testkit::LocalCloud) -> std::io::Result<()> {
/// let for_somebody_else = OidcToken::lasting(Duration::from_secs(600)).audience("other.example.com");
/// let token = cloud.sign_oidc_token(&for_somebody_else)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OidcToken {
    lifetime: Duration,
    not_before: Duration,
    issuer: Option<String>,
    audience: Option<String>,
    subject: String,
}

impl OidcToken {
    /// Creates a valid token that expires after this time by the services' clock, in whole seconds. Zero creates an expired
    /// token.
    pub fn lasting(lifetime: Duration) -> Self {
        Self {
            lifetime,
            not_before: Duration::ZERO,
            issuer: None,
            audience: None,
            subject: DEFAULT_SUBJECT.to_owned(),
        }
    }

    /// Sets the delay after which the token becomes valid. Default: 0 s.
    #[must_use]
    pub fn not_before(mut self, delay: Duration) -> Self {
        self.not_before = delay;
        self
    }

    /// Sets the issuer (`iss`). Default: that of the account's OIDC provider.
    #[must_use]
    pub fn issuer(mut self, url: impl Into<String>) -> Self {
        self.issuer = Some(url.into());
        self
    }

    /// Sets the audience (`aud`). Default: the client ID of the account's OIDC provider.
    #[must_use]
    pub fn audience(mut self, client_id: impl Into<String>) -> Self {
        self.audience = Some(client_id.into());
        self
    }

    /// Sets the subject (`sub`). Default: `system:serviceaccount:default:example`.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }
}

/// AssumeRoleWithOIDC. The token takes the place of a signature.
pub(super) fn assume_role_with_oidc(
    state: &State,
    issuer: &Issuer,
    request: &Request,
    judgement: Judgement,
) -> Fields {
    let now = state.now(judgement.clock_offset);
    check_time(mandatory(request, "Timestamp", "MissingTimestamp")?, now)?;
    let provider = mandatory(request, "OIDCProviderArn", "MissingOIDCProviderArn")?;
    let arn = mandatory(request, "RoleArn", "MissingRoleArn")?;
    let token = mandatory(request, "OIDCToken", "MissingOIDCToken")?;
    let session = mandatory(request, "RoleSessionName", "MissingRoleSessionName")?;
    check_session_name(session)?;
    let policy = read_policy(request.parameter("Policy"))?;
    check_provider(provider, state)?;
    if !TOKEN_LENGTH.contains(&token.chars().count()) {
        let message = "The parameter OIDCToken is wrongly formed.";
        return Err(Refusal::new(400, "InvalidParameter.OIDCToken", message));
    }
    let name = role_name(arn, &state.account).map_err(|refusal| match refusal.code {
        "NoPermission" => not_trusted(),
        _ => refusal,
    })?;
    let claims = issuer.verify(token, now)?;
    let role = find_role(state, name, arn)?;
    if !role.trusts_token_of(&claims.subject) {
        return Err(not_trusted());
    }
    let lifetime = session_length(request.parameter("DurationSeconds"), &role)?;
    let principal = Principal::Session {
        role: role.name().to_owned(),
        session: session.to_owned(),
    };
    let begun = Session::begin(state, principal, lifetime, judgement);
    let begun = begun.map_err(|error| Refusal::new(500, "InternalError", error.to_string()))?;
    begun.restrict(state, policy);
    let mut fields = session_fields(state, &role, session, &begun);
    let info = json!({
        "Subject": claims.subject,
        "Issuer": issuer.url,
        "ClientIds": issuer.audience,
        "IssuanceTime": claims.issued_at.and_then(at_unix).map(iso),
        "ExpirationTime": at_unix(claims.expires_at).map(iso),
        "VerificationInfo": "Success",
    });
    fields.extend(into_map(json!({ "OIDCTokenInfo": info })));
    Ok(("AssumeRoleWithOIDC", fields))
}

pub(crate) fn provider_arn(state: &State) -> String {
    format!("acs:ram::{}:oidc-provider/{PROVIDER}", state.account)
}

fn check_provider(arn: &str, state: &State) -> Result<(), Refusal> {
    let parts = arn
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(":oidc-provider/"));
    let is_one = |(account, name): (&str, &str)| {
        !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty()
    };
    if !parts.is_some_and(is_one) {
        let message = "The parameter OIDCProviderArn is wrongly formed.";
        return Err(Refusal::new(400, "InvalidParameter.OIDCProviderArn", message));
    }
    if arn != provider_arn(state) {
        let message = format!("The OIDC provider not exists: {arn}.");
        return Err(Refusal::new(404, "EntityNotExist.OIDCProvider", message));
    }
    Ok(())
}

fn invalid(why: &str) -> Refusal {
    let message = format!("The OIDC token is invalid: {why}.");
    Refusal::new(400, "AuthenticationFail.OIDCToken.Invalid", message)
}

fn unreadable(why: &ErrorKind) -> Refusal {
    match why {
        // Their texts may quote the token.
        ErrorKind::Base64(_) | ErrorKind::Json(_) | ErrorKind::Utf8(_) | ErrorKind::InvalidToken => {
            invalid("it is not a JSON Web Token")
        }
        ErrorKind::MissingRequiredClaim(name) => invalid(&format!("{name} is missing or malformed")),
        other => invalid(&format!("{other:?}")),
    }
}

fn not_trusted() -> Refusal {
    let message = "This operation is forbidden by permission system.";
    Refusal::new(403, "AuthenticationFail.NoPermission", message)
}

/// Whole seconds since 1970, negative before.
fn unix(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or_default()
}

fn at_unix(seconds: i64) -> Option<SystemTime> {
    shift(SystemTime::UNIX_EPOCH, seconds)
}
