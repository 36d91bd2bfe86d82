//! The outcome of an exchange: a secret, or an error and what to do next.
//!
//! Vendor document: "Error codes" of the Key Management Service. Which of them are worth a retry, here or
//! in another region, is observed from the vendor's clients.

use std::borrow::Cow;

use acs_client::codes;
use acs_sign::SignError;
use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail, ErrorDetailBuilder};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, Scrubber, clock_hint, may_pass};

use super::gateway::{Proof, Target};
use super::quote;
use crate::error::NAME;

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Give up: it would fail everywhere and later.
    GiveUp,
    /// Call the next region, and later this one again.
    AnotherRegion,
    /// Call at once with a new nonce.
    NewNonce,
    /// Call at once with the clock corrected by the `Date` of the response.
    CorrectClock,
    /// Call at once with another client key, if the file now contains one.
    RereadKey,
    /// Nothing was sent, as the time for the fetch is over.
    TooLate,
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: CredentialsError,
    pub(crate) next: Next,
    /// What the response shows.
    pub(crate) clock_offset: Option<ClockOffset>,
}

impl Failure {
    pub(crate) fn new(error: CredentialsError, next: Next) -> Self {
        Self {
            error,
            next,
            clock_offset: None,
        }
    }

    pub(crate) fn give_up(error: CredentialsError) -> Self {
        Self::new(error, Next::GiveUp)
    }
}

/// The parts that all messages about one exchange share.
pub(crate) struct Context<'a> {
    pub(crate) target: &'a Target,
    pub(crate) secret_name: &'a str,
    pub(crate) key_id: &'a str,
}

impl Context<'_> {
    pub(crate) fn detail(&self, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetail::builder(NAME, what).place(self.target.place())
    }

    pub(crate) fn unsigned(&self, error: SignError) -> Failure {
        let detail = self.detail("the request could not be signed");
        Failure::give_up(CredentialsError::invalid_config(
            detail.hint("check the clock and the client key").source(error),
        ))
    }

    /// There was no response.
    pub(crate) fn transport(&self, error: HttpError) -> Failure {
        let hint = |kind| match kind {
            HttpErrorKind::Connect => Some("check network, DNS and proxy, and the region or endpoint"),
            HttpErrorKind::Tls => {
                Some("check the trusted certificates (of an instance, its CA file) and the proxy")
            }
            _ => None,
        };
        match error.into_credentials_error(NAME, "KMS", &self.target.place(), hint) {
            error @ CredentialsError::InvalidConfig(_) => Failure::give_up(error),
            error => Failure::new(error, Next::AnotherRegion),
        }
    }

    /// A successful response that cannot be parsed. Its content is not repeated: it may be a key.
    pub(crate) fn unreadable(&self, response: &HttpResponse, defect: &BodyDefect) -> Failure {
        let what = format!("the response to GetSecretValue {defect}");
        let hint = match defect {
            BodyDefect::Markup => "check the endpoint, and whether a proxy or a login page responds instead",
            _ => "check the endpoint, and whether it is KMS that responds",
        };
        let detail = self.detail(what).http_status(response.status()).hint(hint);
        Failure::new(CredentialsError::invalid_response(detail), Next::AnotherRegion)
    }

    /// A response that is not 2xx.
    pub(crate) fn refusal(
        &self,
        response: &HttpResponse,
        proof: &Proof,
        offset: Option<ClockOffset>,
    ) -> Failure {
        let status = response.status();
        let Some(error) = self.target.parse_error(response) else {
            return self.foreign(response, proof);
        };
        let scrubber = self.scrubber(proof);
        let meaning = self.target.meaning(&error);
        let next = next(status, meaning);
        let passing = matches!(next, Next::AnotherRegion | Next::NewNonce);
        let what = if passing {
            "KMS could not process GetSecretValue"
        } else {
            "KMS refused GetSecretValue"
        };
        let message = error.message.as_deref().map(String::as_str);
        let hint = self.hint(meaning, message, status, proof, offset);
        let mut detail = self.detail(what).http_status(status).code(&error.code);
        if let Some(message) = message {
            detail = detail.message(quote::message(message, &scrubber));
        }
        if let Some(id) = request_id(
            error.request_id.as_deref().map(String::as_str),
            response,
            &scrubber,
        ) {
            detail = detail.request_id(id);
        }
        if !hint.is_empty() {
            detail = detail.hint(hint);
        }
        let error = if passing {
            CredentialsError::unavailable(detail)
        } else {
            CredentialsError::denied(detail)
        };
        Failure {
            clock_offset: offset,
            ..Failure::new(error, next)
        }
    }

    /// An error response that is not from KMS: it is from a proxy, a gateway, or another service.
    fn foreign(&self, response: &HttpResponse, proof: &Proof) -> Failure {
        let status = response.status();
        let scrubber = self.scrubber(proof);
        let mut detail = self
            .detail("the response to GetSecretValue has no error code")
            .http_status(status)
            .hint("check the endpoint, and whether a proxy responds instead");
        if let Some(excerpt) = quote::excerpt(response.body(), &scrubber) {
            detail = detail.message(excerpt);
        }
        if let Some(id) = request_id(None, response, &scrubber) {
            detail = detail.request_id(id);
        }
        match next(status, "") {
            Next::GiveUp if (400..500).contains(&status) => {
                Failure::give_up(CredentialsError::denied(detail))
            }
            // A redirect, which is not followed, or an unexpected status.
            Next::GiveUp => Failure::give_up(CredentialsError::invalid_response(detail)),
            next => Failure::new(CredentialsError::unavailable(detail), next),
        }
    }

    fn scrubber<'a>(&'a self, proof: &'a Proof) -> Scrubber<'a> {
        Scrubber::new().hide(proof.signature()).mask(self.key_id)
    }

    fn hint(
        &self,
        meaning: &str,
        message: Option<&str>,
        status: u16,
        proof: &Proof,
        offset: Option<ClockOffset>,
    ) -> String {
        let (secret, region) = (self.secret_name, &self.target.region_id);
        let hint = match meaning {
            "Forbidden.ResourceNotFound" => {
                return format!(
                    "check the name of the secret, {secret}, and whether it is in the region {region}"
                );
            }
            "Forbidden.NoPermission" => {
                return format!(
                    "let the policy of the application access point name secret/{secret}, and its network rule \
                     this host's address"
                );
            }
            "Forbidden.KeyNotFound" => "check the key that protects the secret: it is gone or disabled",
            "Forbidden.InDebt" | "Forbidden.InDebtOverdue" => "settle the bill of the account",
            "SignatureDoesNotMatch" | "IncompleteSignature" => {
                let signed = self.target.signed_text(self.secret_name, proof);
                signature_hint(message, Some(signed.as_str()).filter(|text| !text.is_empty()))
            }
            "SignatureNonceUsed" => "retry",
            _ if codes::rejects_clock(meaning) => return clock_hint(offset),
            _ if codes::rejects_key(meaning) => {
                return format!(
                    "the client key (not the access key in the secret) is deleted, has expired, or belongs to \
                     another region or instance than {region}: issue a new client key"
                );
            }
            _ if meaning.starts_with("MissingParameter") || meaning.starts_with("InvalidParameter") => {
                "check the name of the secret and the region"
            }
            _ if is_throttling(status, meaning) => "fetch less often: KMS counts all calls of the account",
            _ if status == 501 => "check the endpoint: the server there does not implement this call",
            _ if status >= 500 => "retry later",
            _ => "",
        };
        hint.to_owned()
    }
}

/// The request ID in the body, otherwise the one in the header, if it looks like one.
pub(crate) fn request_id(
    in_body: Option<&str>,
    response: &HttpResponse,
    scrubber: &Scrubber<'_>,
) -> Option<String> {
    let is_id = |id: &str| scrubber.identifier(id).map(str::to_owned);
    in_body
        .and_then(is_id)
        .or_else(|| response.header("x-acs-request-id").and_then(is_id))
}

fn is_throttling(status: u16, code: &str) -> bool {
    status == 429 || code.starts_with("Rejected.Throttling") || code.starts_with("Throttling")
}

fn next(status: u16, code: &str) -> Next {
    match code {
        codes::NONCE_USED => Next::NewNonce,
        "ServiceUnavailableTemporary" | "InternalFailure" => Next::AnotherRegion,
        _ if codes::rejects_clock(code) => Next::CorrectClock,
        _ if codes::rejects_key(code) => Next::RereadKey,
        _ if may_pass(status, code) || is_throttling(status, code) => Next::AnotherRegion,
        _ => Next::GiveUp,
    }
}

/// The service repeats the text that it signed, after the first colon. Comparing it with ours distinguishes the two
/// causes.
fn signature_hint(message: Option<&str>, signed: Option<&str>) -> &'static str {
    let theirs = message
        .and_then(|message| message.split_once(':'))
        .map(|(_, text)| text.trim());
    match (theirs, signed) {
        (Some(theirs), Some(ours)) if theirs == ours => {
            "KMS signed the same text, so the private key is not the one that it knows by this key ID: issue a \
             new client key"
        }
        (Some(_), Some(_)) => "KMS signed another text: check whether a proxy changes requests",
        _ => "check the client key, and whether a proxy changes requests",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class() {
        for (status, code, expected) in [
            (400, "Rejected.Throttling", Next::AnotherRegion),
            (429, "Anything", Next::AnotherRegion),
            (503, "ServiceUnavailableTemporary", Next::AnotherRegion),
            (500, "InternalFailure", Next::AnotherRegion),
            (400, "InternalFailure", Next::AnotherRegion),
            (502, "", Next::AnotherRegion),
            (408, "", Next::AnotherRegion),
            (400, "Throttling.User", Next::AnotherRegion),
            (404, "Forbidden.ResourceNotFound", Next::GiveUp),
            (403, "Forbidden.NoPermission", Next::GiveUp),
            (403, "Forbidden.KeyNotFound", Next::GiveUp),
            (404, "InvalidAccessKeyId.NotFound", Next::RereadKey),
            (400, "SignatureDoesNotMatch", Next::GiveUp),
            (400, "IncompleteSignature", Next::GiveUp),
            (400, "InvalidTimeStamp.Expired", Next::CorrectClock),
            (400, "IllegalTimestamp", Next::CorrectClock),
            (400, "SignatureNonceUsed", Next::NewNonce),
            (403, "Forbidden.InDebt", Next::GiveUp),
            (403, "Forbidden.InDebtOverdue", Next::GiveUp),
            (400, "MissingParameter", Next::GiveUp),
            (400, "InvalidParameter", Next::GiveUp),
            (404, "", Next::GiveUp),
            (302, "", Next::GiveUp),
        ] {
            assert_eq!(next(status, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn the_repeated_text_tells_a_wrong_key_from_a_changed_request() {
        let ours = Some("POST&%2F&a%3Db");
        let hint = |message| signature_hint(message, ours);
        assert!(hint(Some("no match. server string to sign is:POST&%2F&a%3Db")).contains("same text"));
        assert!(hint(Some("no match. server string to sign is:POST&%2F&a%3Dc")).contains("another text"));
        assert!(hint(Some("no match")).starts_with("check the client key"));
        assert!(hint(None).starts_with("check the client key"));
    }

    const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
    const SIGNATURE: &str = "sP2aCANARYcanaryCANARY1+2/x==";

    fn scrubber() -> Scrubber<'static> {
        Scrubber::new().hide(SIGNATURE).mask(KEY_ID)
    }

    #[test]
    fn a_request_id_is_taken_from_the_body_or_the_header() {
        let response = HttpResponse::new(200, Vec::new()).with_header("x-acs-request-id", "R-2");
        let id = |in_body| request_id(Some(in_body), &response, &scrubber());
        assert_eq!(id("R-1").as_deref(), Some("R-1"));
        for bad in ["", "a b", "sP2aCANARYcanaryCANARY1", KEY_ID] {
            assert_eq!(id(bad).as_deref(), Some("R-2"));
        }
    }
}
