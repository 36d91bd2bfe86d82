//! What an exchange amounts to: a value, or an error and whether to try again.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail, ErrorDetailBuilder};
#[cfg(feature = "signed")]
use oss_credentials_http::RequestIds;
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, Scrubber, may_pass};

use crate::caller::Caller;
use crate::error::{Rejected, StsError};
use crate::wire::{self, ServiceError};

/// A clock that is further off than this is named in the hint. The service accepts 15 minutes.
const NOTABLE_OFFSET: Duration = Duration::from_secs(60);

/// Whether to try again, and when.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    /// At once: only nonce and timestamp have to be new.
    AtOnce,
    /// At once, with the clock corrected by the answer's `Date`.
    WithCorrectedClock,
    /// After a pause, at least as long as the service asked for.
    Later(Option<Duration>),
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: StsError,
    pub(crate) again: Again,
}

/// What every message about one call says.
pub(crate) struct Context<'a> {
    pub(crate) provider: &'static str,
    pub(crate) action: &'static str,
    /// `POST https://host`.
    pub(crate) place: String,
    pub(crate) caller: Caller<'a>,
    /// Made when it is first needed: it hashes each piece of a token, and a call that succeeds can do without.
    pub(crate) scrubber: OnceLock<Scrubber<'a>>,
}

impl<'a> Context<'a> {
    fn scrubber(&self) -> &Scrubber<'a> {
        self.scrubber.get_or_init(|| self.caller.scrubber())
    }

    /// The ID if it may be shown: what the scrubber says, without making one for an ID of the usual form.
    fn shown_id<'t>(&self, id: &'t str) -> Option<&'t str> {
        match self.caller {
            #[cfg(feature = "signed")]
            Caller::Key(key) => RequestIds::default().check(id, key),
            Caller::OidcToken(_) => self.scrubber().identifier(id),
        }
    }

    pub(crate) fn detail(&self, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetail::builder(self.provider, what).place(&self.place)
    }

    /// An answer with a good status that cannot be used.
    pub(crate) fn unusable(&self, response: &HttpResponse, defect: &BodyDefect) -> StsError {
        let what = format!("the answer to {} {defect}", self.action);
        let mut detail = self.detail(what).http_status(response.status());
        let mut error = wire::parse_error(response.body()).unwrap_or_default();
        // What was to be handed out is not known here, so it cannot be found in the answer's words.
        error.message = None;
        if !matches!(defect, BodyDefect::Missing(field) if !field.starts_with("Credentials.")) {
            error.code = None;
        }
        detail = self.quote(detail, response, &error);
        let hint = match defect {
            BodyDefect::Markup => {
                "check the endpoint, and whether a proxy or a log-in page answers in its place"
            }
            _ => "check the endpoint, and whether it is the Security Token Service that answers",
        };
        CredentialsError::invalid_response(detail.hint(hint)).into()
    }

    /// No answer.
    pub(crate) fn transport(&self, error: HttpError) -> Failure {
        let again = match error.kind() {
            HttpErrorKind::Connect => Again::Later(None),
            _ => Again::No,
        };
        let hint = |kind| match kind {
            HttpErrorKind::Connect => Some("check network, DNS and proxy, and the region or endpoint"),
            _ => None,
        };
        let error = error.into_credentials_error(self.provider, "the service", &self.place, hint);
        Failure {
            error: error.into(),
            again,
        }
    }

    /// An answer that is not 2xx.
    pub(crate) fn refusal(&self, response: &HttpResponse, offset: Option<ClockOffset>) -> Failure {
        let status = response.status();
        let Some(error) = wire::parse_error(response.body()) else {
            return self.foreign(response);
        };
        // As it came: what is done and advised must not depend on what is withheld.
        let code = error.code.as_deref().map_or("", String::as_str);
        let again = again(status, code, response);
        let passing = again != Again::No;
        let what = if passing {
            format!("the service could not answer {}", self.action)
        } else {
            format!("the service refused {}", self.action)
        };
        let mut hint = self.hint(code, status, offset);
        if let Some(link) = error
            .recommend
            .as_deref()
            .and_then(|link| self.scrubber().link(link))
        {
            hint = if hint.is_empty() {
                format!("see {link}")
            } else {
                format!("{hint}; see {link}")
            };
        }
        let mut detail = self.quote(self.detail(what).http_status(status), response, &error);
        if !hint.is_empty() {
            detail = detail.hint(hint);
        }
        if let Some((name, label)) = refused_setting(code) {
            detail = detail.setting(name).setting_label(label);
        }
        let error = if passing {
            CredentialsError::unavailable(detail)
        } else {
            CredentialsError::denied(detail)
        };
        Failure {
            error: StsError::new(error, rejected(code)),
            again,
        }
    }

    /// An error answer that is not the service's: of a proxy, a gateway, or another service.
    fn foreign(&self, response: &HttpResponse) -> Failure {
        let status = response.status();
        let mut detail = self.detail(format!("{} was answered without an error code", self.action));
        detail = self.quote(detail.http_status(status), response, &ServiceError::default());
        let detail = detail.hint("check the endpoint, and whether a proxy answers in its place");
        let (error, again) = match again(status, "", response) {
            Again::No if (400..500).contains(&status) => (CredentialsError::denied(detail), Again::No),
            // A redirect, which is not followed, or a status that should not be.
            Again::No => (CredentialsError::invalid_response(detail), Again::No),
            again => (CredentialsError::unavailable(detail), again),
        };
        Failure {
            error: error.into(),
            again,
        }
    }

    /// Adds the service's own words, without keys.
    fn quote(
        &self,
        mut detail: ErrorDetailBuilder,
        response: &HttpResponse,
        error: &ServiceError,
    ) -> ErrorDetailBuilder {
        if let Some(code) = &error.code {
            detail = match self.scrubber().identifier(code) {
                Some(code) => detail.code(code),
                None => detail.code(self.scrubber().text(code)),
            };
        }
        if let Some(message) = &error.message {
            detail = detail.message(self.scrubber().text(message));
        }
        match self.request_id(error.request_id.as_deref().map(String::as_str), response) {
            Some(request_id) => detail.request_id(request_id),
            None => detail,
        }
    }

    /// The request id in the body, else the one in the header, if it looks like one.
    pub(crate) fn request_id(&self, in_body: Option<&str>, response: &HttpResponse) -> Option<String> {
        let mut candidates = in_body.into_iter().chain(response.header("x-acs-request-id"));
        candidates.find_map(|id| self.shown_id(id)).map(str::to_owned)
    }

    fn hint(&self, code: &str, status: u16, offset: Option<ClockOffset>) -> String {
        let action = self.action;
        let hint = match family(code) {
            "NoPermission" | "AuthenticationFail" | "EntityNotExist"
                if matches!(self.caller, Caller::OidcToken(_)) =>
            {
                oidc_hint(code)
            }
            "NoPermission" | "AuthenticationFail" => {
                return format!(
                    "allow sts:{action} to the caller and name the caller in the role's trust policy; \
                     the root account cannot assume roles"
                );
            }
            "InvalidTimeStamp" => {
                return match offset.filter(|offset| offset.abs() >= NOTABLE_OFFSET) {
                    Some(offset) => {
                        let side = if offset.as_secs() > 0 {
                            "behind"
                        } else {
                            "ahead of"
                        };
                        format!(
                            "set the local clock: it is {} s {side} the service's",
                            offset.as_secs().unsigned_abs()
                        )
                    }
                    None => "set the local clock".to_owned(),
                };
            }
            "InvalidParameter" => {
                let field = code.split_once('.').map_or("", |(_, field)| field);
                if let Some(hint) = setting_hint(field) {
                    return hint.to_owned();
                }
                return match self.scrubber().identifier(field) {
                    Some(field) => format!("check {field}"),
                    None => "check the settings of the call".to_owned(),
                };
            }
            "EntityNotExist" => "check the role ARN, account id and name",
            "MissingSecurityToken" => "the caller's key is temporary: set its security token too",
            "InvalidSecurityToken" => "get new credentials for the caller, id, secret and token together",
            "InvalidAccessKeyId" => "check that the caller's AccessKey exists and is enabled",
            "SignatureDoesNotMatch" | "IncompleteSignature" => "check the caller's AccessKey secret",
            "SignatureNonceUsed" => "try again",
            "Throttling" => "call less often: the service counts all calls of the account",
            _ if status == 429 => "call less often: the service counts all calls of the account",
            _ if status == 501 => "check the endpoint: what answers there does not implement this call",
            _ if status >= 500 => "try again later",
            _ => "",
        };
        hint.to_owned()
    }
}

fn family(code: &str) -> &str {
    code.split('.').next().unwrap_or(code)
}

/// The setting whose value the service refuses, and what the hint calls it.
fn refused_setting(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code.strip_prefix("InvalidParameter.")? {
        "RoleArn" => ("role_arn", "role_arn(..)"),
        "RoleSessionName" => ("role_session_name", "role_session_name(..)"),
        "DurationSeconds" => ("duration", "duration(..)"),
        "PolicyGrammar" | "PolicySize" => ("policy", "policy(..)"),
        "ExternalId" => ("external_id", "external_id(..)"),
        "OIDCProviderArn" => ("oidc_provider_arn", "oidc_provider_arn(..)"),
        _ => return None,
    })
}

/// What to do about a parameter that the service refuses.
fn setting_hint(field: &str) -> Option<&'static str> {
    Some(match field {
        "RoleArn" => "check the role ARN",
        "RoleSessionName" => "check the role session name",
        "DurationSeconds" => "check {setting}: 900 s at least, and no longer than the role allows",
        "PolicyGrammar" => "check {setting}: it has to be a RAM policy, in JSON",
        "PolicySize" => "shorten {setting}",
        "ExternalId" => "check {setting}",
        "OIDCProviderArn" => "check the ARN of the OIDC provider",
        _ => return None,
    })
}

fn rejected(code: &str) -> Rejected {
    match family(code) {
        "InvalidAccessKeyId" | "InvalidSecurityToken" => Rejected::Key,
        "AuthenticationFail" if code.split('.').nth(1) == Some("OIDCToken") => Rejected::OidcToken,
        _ => Rejected::Nothing,
    }
}

fn oidc_hint(code: &str) -> &'static str {
    match code {
        "AuthenticationFail.OIDCToken.Expired" => {
            "the token was not renewed in time: look at what writes it, and at the local clock"
        }
        "AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch" => {
            "renew the fingerprints of the OIDC provider in RAM"
        }
        _ if rejected(code) == Rejected::OidcToken => {
            "check that the token is a raw JWT, and that its issuer and audience are those of the OIDC provider \
             in RAM"
        }
        _ if family(code) == "EntityNotExist" => "check the ARNs of the role and of the OIDC provider",
        _ => {
            "name the OIDC provider in the role's trust policy, and compare its conditions oidc:iss, oidc:aud \
             and oidc:sub with the token"
        }
    }
}

fn again(status: u16, code: &str, response: &HttpResponse) -> Again {
    match family(code) {
        "SignatureNonceUsed" => return Again::AtOnce,
        "InvalidTimeStamp" => return Again::WithCorrectedClock,
        _ if may_pass(status, code) => {}
        _ => return Again::No,
    }
    // Milliseconds, as the vendor's SDKs read it.
    let asked = response
        .header("x-acs-retry-after")
        .and_then(|value| value.trim().parse().ok());
    Again::Later(asked.map(Duration::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_id_is_the_bodys_else_the_headers() {
        let context = Context {
            provider: "acs-sts",
            action: "AssumeRoleWithOIDC",
            place: "POST https://sts.aliyuncs.com".to_owned(),
            caller: Caller::OidcToken("canary.jwt.token"),
            scrubber: OnceLock::new(),
        };
        let answer =
            |header: &str| HttpResponse::new(200, Vec::new()).with_header("x-acs-request-id", header);
        for (in_body, header, expected) in [
            (Some("R-1"), "R-2", Some("R-1")),
            (None, "R-2", Some("R-2")),
            (Some("canary.jwt.token"), "R-2", Some("R-2")),
            (Some("two words"), "canary.jwt.token", None),
        ] {
            let found = context.request_id(in_body, &answer(header));
            assert_eq!(found.as_deref(), expected, "{in_body:?}, {header}");
        }
    }

    #[cfg(feature = "signed")]
    #[test]
    fn a_call_that_succeeds_makes_no_scrubber() {
        let builder =
            oss_credentials_core::Credentials::builder("STS.FakeTempKeyId0001", "FakeTempSecret0001");
        let key = builder.security_token("hijklmnopqrstuvwxyz").build().unwrap();
        let context = Context {
            provider: "acs-sts",
            action: "AssumeRole",
            place: "POST https://sts.aliyuncs.com".to_owned(),
            caller: Caller::Key(&key),
            scrubber: OnceLock::new(),
        };
        let id = "6894B13B-6D71-4EF5-88FA-F32781734A7F";
        let answer = HttpResponse::new(200, Vec::new());
        assert_eq!(context.request_id(Some(id), &answer).as_deref(), Some(id));
        assert!(context.scrubber.get().is_none());
        // What repeats a secret is withheld all the same.
        assert_eq!(context.request_id(Some("FakeTempSecret0001"), &answer), None);
        context.refusal(
            &HttpResponse::new(403, br#"{"Code":"NoPermission"}"#.to_vec()),
            None,
        );
        assert!(context.scrubber.get().is_some());
    }
}
