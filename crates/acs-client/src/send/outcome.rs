//! The meaning of a failed attempt: an error, and whether to retry.

use std::borrow::Cow;
use std::time::Duration;

#[cfg(feature = "signed")]
use acs_sign::SignError;
use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail, ErrorDetailBuilder};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, Scrubber, clock_hint, may_pass};
use zeroize::Zeroizing;

use super::failure::{Again, Failure};
use super::state::CallState;
use crate::client::{Hint, Refusal};
use crate::codes;
use crate::error::AcsError;
use crate::response::AcsResponse;
use crate::wire::{self, ServiceError};

impl CallState<'_> {
    pub(super) fn detail(&self, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetail::builder(self.client.name(), what)
            .place(self.client.place(self.call.method, &self.call.path))
    }

    pub(super) fn error(&self, error: CredentialsError) -> AcsError {
        AcsError::new(error, self.call.action.clone())
    }

    fn scrubber(&self) -> Scrubber<'_> {
        self.identity.scrubber(self.secrets())
    }

    /// The request ID of the header, otherwise the one in the body, if it may be shown.
    pub(super) fn request_id(
        &self,
        response: &HttpResponse,
        in_body: impl FnOnce() -> Option<Zeroizing<String>>,
    ) -> Option<String> {
        let is_shown = |id: &str| self.identity.shown_id(id, self.secrets());
        if let Some(id) = response.header("x-acs-request-id").filter(|id| is_shown(id)) {
            return Some(id.to_owned());
        }
        let id = in_body().filter(|id| is_shown(id))?;
        Some(id.as_str().to_owned())
    }

    /// A successful response that cannot be used. Its code is quoted if a field of the outermost object is
    /// missing: deeper fields may be secrets.
    pub(super) fn unusable(&self, response: &AcsResponse, defect: &BodyDefect) -> AcsError {
        let is_outermost = matches!(defect, BodyDefect::Missing(field) if !field.contains('.'));
        let error = is_outermost
            .then(|| wire::parse_error(response.bytes()))
            .flatten();
        let code = error.and_then(|error| error.code);
        response.unusable(defect, code.map(|code| self.shown_code(&code)))
    }

    fn shown_code(&self, code: &str) -> String {
        let scrubber = self.scrubber();
        match scrubber.identifier(code) {
            Some(code) => code.to_owned(),
            None => scrubber.text(code),
        }
    }

    #[cfg(feature = "signed")]
    pub(super) fn unsigned(&self, error: SignError) -> Failure {
        let hint = match error {
            SignError::InvalidTime | SignError::NoNonce => "check the clock",
            _ => "check the call and its signature version",
        };
        let detail = self
            .detail("the request could not be signed")
            .hint(hint)
            .source(error);
        Failure::end(self.error(CredentialsError::invalid_config(detail)))
    }

    /// There was no response.
    pub(super) fn transport(&self, error: HttpError) -> Failure {
        let again = match error.kind() {
            HttpErrorKind::Connect => Again::Later(None),
            _ => Again::No,
        };
        let hint = |kind| match kind {
            HttpErrorKind::Connect => Some("check network, DNS and proxy, and the region or endpoint"),
            _ => None,
        };
        let place = self.client.place(self.call.method, &self.call.path);
        let error = error.into_credentials_error(self.client.name(), "the service", &place, hint);
        Failure {
            error: self.error(error),
            again,
            clock_offset: None,
        }
    }

    /// A response that is not 2xx.
    pub(super) fn refusal(&self, response: &HttpResponse, clock_offset: Option<ClockOffset>) -> Failure {
        let Some(error) = wire::parse_error(response.body()) else {
            return self.foreign(response);
        };
        // As it arrived: the reaction and the advice must not depend on what is withheld.
        let code = error.code.as_deref().map_or("", String::as_str);
        let status = response.status();
        let again = again(code, response);
        let may_pass = !matches!(again, Again::No | Again::WithAnotherKey);
        let scrubber = self.scrubber();
        let link = error.recommend.as_deref().and_then(|link| scrubber.link(link));
        let advice = self.advice(code, status);
        let setting = advice.as_ref().and_then(|advice| advice.setting);
        let hint = self.hint(code, status, clock_offset, advice);
        let mut detail = self.refused_detail(response, &error, &scrubber, may_pass);
        detail = match (hint.is_empty(), link) {
            (true, None) => detail,
            (true, Some(link)) => detail.hint(format!("see {link}")),
            (false, None) => detail.hint(hint),
            (false, Some(link)) => detail.hint(format!("{hint}; see {link}")),
        };
        if let Some((name, label)) = setting {
            detail = detail.setting(name).setting_label(label);
        }
        let error = if may_pass {
            CredentialsError::unavailable(detail)
        } else {
            CredentialsError::denied(detail)
        };
        let error = self.error(error).with_recommend(link);
        Failure {
            error: error.with_key_rejected(self.identity.is_signed() && codes::rejects_key(code)),
            again,
            clock_offset,
        }
    }

    fn refused_detail(
        &self,
        response: &HttpResponse,
        error: &ServiceError,
        scrubber: &Scrubber<'_>,
        may_pass: bool,
    ) -> ErrorDetailBuilder {
        let (action, status) = (&self.call.action, response.status());
        let what = if may_pass {
            format!("the service could not process {action}")
        } else {
            format!("the service refused {action}")
        };
        let mut detail = self.detail(what).http_status(status);
        if let Some(code) = &error.code {
            detail = detail.code(self.shown_code(code));
            if let Some((id, source)) = self.identity.key()
                && codes::is_about_the_caller(status, code)
            {
                detail = detail.key(id, source);
            }
        }
        if let Some(message) = &error.message {
            detail = detail.message(scrubber.text(message));
        }
        match self.request_id(response, || error.request_id.clone()) {
            Some(request_id) => detail.request_id(request_id),
            None => detail,
        }
    }

    /// An error response that is not the service's: it is from a proxy, a gateway, or another service.
    fn foreign(&self, response: &HttpResponse) -> Failure {
        let status = response.status();
        let what = format!("the response to {} has no error code", self.call.action);
        let mut detail = self.detail(what).http_status(status);
        if let Some(request_id) = self.request_id(response, || None) {
            detail = detail.request_id(request_id);
        }
        let detail = detail.hint("check the endpoint, and whether a proxy responds instead");
        let again = again("", response);
        let error = match again {
            Again::No if (400..500).contains(&status) => CredentialsError::denied(detail),
            // A redirect, which is not followed, or an unexpected status.
            Again::No => CredentialsError::invalid_response(detail),
            _ => CredentialsError::unavailable(detail),
        };
        Failure {
            error: self.error(error),
            again,
            clock_offset: None,
        }
    }

    /// The advice of a client that knows its product.
    fn advice(&self, code: &str, status: u16) -> Option<Hint> {
        let refusal = Refusal {
            action: &self.call.action,
            code,
            status,
            is_signed: self.identity.is_signed(),
        };
        self.client.inner.hints.and_then(|hints| hints(&refusal))
    }

    fn hint(
        &self,
        code: &str,
        status: u16,
        clock_offset: Option<ClockOffset>,
        advice: Option<Hint>,
    ) -> Cow<'static, str> {
        if codes::rejects_clock(code) {
            return clock_hint(clock_offset).into();
        }
        if let Some(advice) = advice {
            return advice.text;
        }
        if !self.identity.is_signed() && codes::is_about_the_caller(0, code) {
            return "the request was not signed: make the call with credentials".into();
        }
        match codes::family(code) {
            "InvalidParameter" => self.parameter_hint(code),
            family => general_hint(family, status).into(),
        }
    }

    fn parameter_hint(&self, code: &str) -> Cow<'static, str> {
        let field = code.split_once('.').map_or("", |(_, field)| field);
        match self.scrubber().identifier(field) {
            Some(field) => format!("check {field}").into(),
            None => "check the settings of the call".into(),
        }
    }
}

fn general_hint(family: &str, status: u16) -> &'static str {
    match family {
        "MissingSecurityToken" => "the caller's key is temporary: set its security token too",
        "InvalidSecurityToken" => "get new credentials for the caller, ID, secret and token together",
        "InvalidAccessKeyId" => "check that the caller's access key exists and is enabled",
        "SignatureDoesNotMatch" | "IncompleteSignature" => "check the caller's access key secret",
        "SignatureNonceUsed" => "retry",
        "InvalidVersion" => "check the API version of the product",
        "InvalidAction" => "check product, API version and the name of the operation",
        "NoPermission" | "Forbidden" | "AccessDenied" => "allow the action to the caller in RAM",
        "Throttling" => "call less often: the service counts all calls of the account",
        _ if status == 429 => "call less often: the service counts all calls of the account",
        _ if status == 501 => "check the endpoint: the server there does not implement this call",
        _ if status >= 500 => "retry later",
        _ => "",
    }
}

fn again(code: &str, response: &HttpResponse) -> Again {
    if codes::family(code) == codes::NONCE_USED {
        return Again::AtOnce;
    }
    if codes::rejects_clock(code) {
        return Again::WithCorrectedClock;
    }
    if codes::rejects_key(code) {
        return Again::WithAnotherKey;
    }
    if !may_pass(response.status(), code) {
        return Again::No;
    }
    // Milliseconds, as the vendor's SDKs read it; otherwise the seconds of RFC 9110, section 10.2.3.
    let number = |name: &str| response.header(name)?.trim().parse().ok();
    let asked = number("x-acs-retry-after").map(Duration::from_millis);
    Again::Later(asked.or_else(|| number("retry-after").map(Duration::from_secs)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class() {
        let after = |header: &str, value: &str| HttpResponse::new(429, Vec::new()).with_header(header, value);
        for (status, code, expected) in [
            (400, "SignatureNonceUsed", Again::AtOnce),
            (400, "InvalidTimeStamp.Expired", Again::WithCorrectedClock),
            (400, "IllegalTimestamp", Again::WithCorrectedClock),
            (404, "InvalidAccessKeyId.NotFound", Again::WithAnotherKey),
            (400, "InvalidSecurityToken", Again::WithAnotherKey),
            (403, "NoPermission", Again::No),
            (400, "SignatureDoesNotMatch", Again::No),
            (501, "", Again::No),
            (302, "", Again::No),
            (400, "Throttling.User", Again::Later(None)),
            (500, "InternalError", Again::Later(None)),
            (503, "", Again::Later(None)),
        ] {
            assert_eq!(
                again(code, &HttpResponse::new(status, Vec::new())),
                expected,
                "{status} {code}"
            );
        }
        let asked = |response| again("Throttling", &response);
        assert_eq!(
            asked(after("x-acs-retry-after", "1500")),
            Again::Later(Some(Duration::from_millis(1500)))
        );
        assert_eq!(
            asked(after("Retry-After", "2")),
            Again::Later(Some(Duration::from_secs(2)))
        );
        assert_eq!(asked(after("retry-after", "soon")), Again::Later(None));
    }
}
