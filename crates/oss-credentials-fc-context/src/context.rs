//! The credentials of one invocation, or of the instance.

use std::fmt;

use oss_credentials_core::{Credentials, CredentialsError, Env, ErrorDetail};
use zeroize::Zeroizing;

use crate::NAME;
use crate::config::{
    ENV_ACCESS_KEY_ID, ENV_ACCESS_KEY_SECRET, ENV_OLD_ACCESS_KEY_ID, ENV_OLD_ACCESS_KEY_SECRET,
    ENV_OLD_SECURITY_TOKEN, ENV_SECURITY_TOKEN, HEADER_ACCESS_KEY_ID, HEADER_ACCESS_KEY_SECRET,
    HEADER_SECURITY_TOKEN,
};
use crate::wire::{self, Defect, Fields};

/// Names of access key ID, secret and token in one place.
type Names = [&'static str; 3];

const HEADERS: Names = [
    HEADER_ACCESS_KEY_ID,
    HEADER_ACCESS_KEY_SECRET,
    HEADER_SECURITY_TOKEN,
];
const VARIABLES: Names = [ENV_ACCESS_KEY_ID, ENV_ACCESS_KEY_SECRET, ENV_SECURITY_TOKEN];
const OLD_VARIABLES: Names = [
    ENV_OLD_ACCESS_KEY_ID,
    ENV_OLD_ACCESS_KEY_SECRET,
    ENV_OLD_SECURITY_TOKEN,
];
const FIELDS: Names = [
    "credentials.accessKeyId",
    "credentials.accessKeySecret",
    "credentials.securityToken",
];

const GIVE_ROLE: &str = "give the function a RAM role";
const WHOLE: &str = "pass the context as the platform made it";

/// Where a context comes from, as far as that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Arrived with an invocation.
    Invocation,
    /// Present since the instance started, so it is never newer than what arrived with an invocation.
    Instance,
}

/// The credentials of one invocation, or those that the instance was started with.
///
/// Access key ID, secret and token belong together: if one is missing, it is an error. An empty value counts as
/// absent; a function without a RAM role has empty ones or none. Values are not trimmed.
///
/// # Examples
///
/// ```
/// use oss_credentials_fc_context::{FcContext, FcContextProvider};
///
/// let provider = FcContextProvider::new();
/// // For every call, with the headers of any HTTP library:
/// let headers = [
///     ("x-fc-access-key-id", "STS.NUExampleTempKeyId"),
///     ("x-fc-access-key-secret", "example-secret"),
///     ("x-fc-security-token", "example-token"),
/// ];
/// provider.update(FcContext::from_headers(headers)?);
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct FcContext {
    pub(crate) credentials: Credentials,
    pub(crate) origin: Origin,
}

impl FcContext {
    /// Reads the headers of an invocation, which custom runtimes and custom containers receive.
    ///
    /// Accepts any iterator over names and values as text or bytes, such as `&http::HeaderMap` or
    /// `request.headers()`. The case of names does not matter, and other headers are ignored.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if none of the three headers is present, or all are empty.
    /// [`CredentialsError::InvalidConfig`] if only some are, if one occurs twice with different values, or
    /// if a value cannot be a key.
    pub fn from_headers<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Result<Self, CredentialsError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut fields = Fields::default();
        for (name, value) in headers {
            let header = (name.as_ref(), value.as_ref());
            let taken = wire::take(&mut fields.access_key_id, HEADER_ACCESS_KEY_ID, header)
                .and_then(|()| wire::take(&mut fields.access_key_secret, HEADER_ACCESS_KEY_SECRET, header))
                .and_then(|()| wire::take(&mut fields.security_token, HEADER_SECURITY_TOKEN, header));
            taken.map_err(|problem| {
                CredentialsError::invalid_config(
                    ErrorDetail::builder(NAME, problem).hint("pass the headers as the platform sent them"),
                )
            })?;
        }
        let credentials = complete(fields, HEADERS, "pass all headers of the invocation")?;
        let credentials = credentials.ok_or_else(|| {
            nothing(
                "the invocation's headers contain no credentials",
                &list(HEADERS),
                GIVE_ROLE,
            )
        })?;
        Ok(Self {
            credentials,
            origin: Origin::Invocation,
        })
    }

    /// Reads a context in JSON, as runtimes pass it to a function: an object whose field `credentials` has
    /// `accessKeyId`, `accessKeySecret` and `securityToken`, or the same in `snake_case`. Other fields are
    /// ignored.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if there is no `credentials`, or it is empty.
    /// [`CredentialsError::InvalidConfig`] if only some fields are present, or one cannot be a key.
    /// [`CredentialsError::InvalidResponse`] if the text is not such an object.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_fc_context::FcContext;
    ///
    /// let json = r#"{"requestId": "1", "region": "cn-hangzhou", "credentials":
    ///     {"accessKeyId": "STS.NUExampleTempKeyId", "accessKeySecret": "s", "securityToken": "t"}}"#;
    /// let context = FcContext::from_json(json)?;
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, CredentialsError> {
        let fields = wire::parse(json.as_ref()).map_err(|defect| {
            let what = match defect {
                Defect::NotObject => "the context is not a JSON object".to_owned(),
                Defect::NotContext { line, column } => {
                    format!("the context is not the JSON that was expected (line {line}, column {column})")
                }
            };
            CredentialsError::invalid_response(ErrorDetail::builder(NAME, what).hint(WHOLE))
        })?;
        let credentials = complete(fields, FIELDS, WHOLE)?
            .ok_or_else(|| nothing("the context contains no credentials", "credentials", GIVE_ROLE))?;
        Ok(Self {
            credentials,
            origin: Origin::Invocation,
        })
    }

    /// Reads the variables of the instance: [`ENV_ACCESS_KEY_ID`], [`ENV_ACCESS_KEY_SECRET`] and
    /// [`ENV_SECURITY_TOKEN`], otherwise the older `accessKeyID`, `accessKeySecret` and `securityToken`.
    ///
    /// They are as old as the instance. If invocations have headers, use those.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if none of the variables is set, or all are empty.
    /// [`CredentialsError::InvalidConfig`] if only some of the first three are (or, without any of these, of
    /// the older ones), or if a value cannot be a key.
    pub fn from_env(env: &dyn Env) -> Result<Self, CredentialsError> {
        for names in [VARIABLES, OLD_VARIABLES] {
            let [access_key_id, access_key_secret, security_token] =
                names.map(|name| env.non_empty(name).map(Zeroizing::new));
            let fields = Fields {
                access_key_id,
                access_key_secret,
                security_token,
            };
            let hint = "leave all three to the platform; for your own access key pair use the provider env";
            if let Some(credentials) = complete(fields, names, hint)? {
                return Ok(Self {
                    credentials,
                    origin: Origin::Instance,
                });
            }
        }
        Err(nothing(
            "the environment contains no credentials",
            &format!("{}, or {}", list(VARIABLES), list(OLD_VARIABLES)),
            "give the function a RAM role, or pass the headers of the invocation",
        ))
    }

    /// Reads the headers of an invocation, or the variables of the instance if none of the headers is present.
    /// Headers with only some of the values are an error; the variables are then not read.
    ///
    /// # Errors
    ///
    /// As [`FcContext::from_headers`] and [`FcContext::from_env`].
    pub fn from_headers_or_env<N, V>(
        headers: impl IntoIterator<Item = (N, V)>,
        env: &dyn Env,
    ) -> Result<Self, CredentialsError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let absent = match Self::from_headers(headers) {
            Err(error) if error.is_not_configured() => error,
            other => return other,
        };
        Self::from_env(env).map_err(|error| {
            if !error.is_not_configured() {
                return error;
            }
            let what = "neither the invocation's headers nor the environment contain credentials";
            let places = [&absent, &error].map(|error| error.detail().and_then(ErrorDetail::place));
            nothing(what, &places.map(Option::unwrap_or_default).join("; "), GIVE_ROLE)
        })
    }
}

impl fmt::Debug for FcContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FcContext")
            .field("credentials", &self.credentials)
            .field("origin", &self.origin)
            .finish()
    }
}

/// Returns credentials if all three are present, `None` if none is.
fn complete(
    fields: Fields,
    names: Names,
    hint: &'static str,
) -> Result<Option<Credentials>, CredentialsError> {
    let values = [
        fields.access_key_id,
        fields.access_key_secret,
        fields.security_token,
    ]
    .map(|value| value.filter(|value| !value.is_empty()));
    let joined = |present: bool| {
        let of_kind = values
            .iter()
            .zip(names)
            .filter(|(value, _)| value.is_some() == present);
        of_kind.map(|(_, name)| name).collect::<Vec<_>>().join(" and ")
    };
    let (present, missing) = (joined(true), joined(false));
    if present.is_empty() {
        return Ok(None);
    }
    let [Some(mut id), Some(mut secret), Some(mut token)] = values else {
        let verb = if present.contains(" and ") { "are" } else { "is" };
        let rest = if missing.contains(" and ") {
            "are not or are empty"
        } else {
            "is not or is empty"
        };
        let what = format!("{present} {verb} there, but {missing} {rest}");
        return Err(CredentialsError::invalid_config(
            ErrorDetail::builder(NAME, what).hint(hint),
        ));
    };
    // Moved, so that no copy is left.
    Credentials::builder(std::mem::take(&mut *id), std::mem::take(&mut *secret))
        .security_token(std::mem::take(&mut *token))
        .source(NAME)
        .strict()
        .build()
        .map(Some)
        .map_err(|error| refused(&error, names))
}

/// The builder reports what is wrong with a value, but not where it came from.
fn refused(error: &CredentialsError, names: Names) -> CredentialsError {
    let detail = error.detail();
    let what = detail
        .map_or("a value cannot be used", ErrorDetail::what)
        .to_owned();
    let name = match detail.and_then(ErrorDetail::setting) {
        Some("access_key_id") => names[0],
        Some("access_key_secret") => names[1],
        _ => names[2],
    };
    CredentialsError::invalid_config(
        ErrorDetail::builder(NAME, what)
            .place(name)
            .hint("pass the value exactly as the platform gave it"),
    )
}

fn nothing(what: &'static str, place: &str, hint: &'static str) -> CredentialsError {
    CredentialsError::not_configured(ErrorDetail::builder(NAME, what).place(place).hint(hint))
}

fn list(names: Names) -> String {
    names.join(", ")
}
