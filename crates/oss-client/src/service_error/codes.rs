//! What the service's codes mean: which errors may pass, which concern the key, and what to do.

use oss_credentials_http::may_pass;
use oss_sign::{CLOCK_REJECTED_CODES, Refusal};
use reqwest::StatusCode;

use crate::error_document::NO_DOCUMENT;

/// The code for a response without a readable error document.
pub(super) const BAD_ERROR_RESPONSE: &str = "BadErrorResponse";
/// The message for HTTP 404 on an object without a document, which has two possible causes.
const NO_DOCUMENT_404: &str =
    "the response has no error document, and does not show whether the object or its bucket is missing";
/// Codes whose error text names the rejected key: what to do depends on where the key came from.
pub(super) const NAMES_KEY: [&str; 5] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
    "SignatureDoesNotMatch",
];
/// What to do about these codes if no key was sent.
pub(super) const NOT_SIGNED: &str =
    "the request was not signed, since the credentials are anonymous: use a provider with keys";
/// The beginning of the message of an `InvalidArgument` if the signature names a region other than the bucket's.
const WRONG_REGION: &str = "Invalid signing region";

/// Part of the message of an `AccessDenied` or `PermanentRedirect` if the bucket is in a region other than the
/// endpoint's.
///
/// Vendor document: "HTTP status code 403" (Object Storage Service, error codes).
pub(super) const WRONG_ENDPOINT: &str = "must be addressed using the specified endpoint";
/// Retryable statuses in addition to those of [`may_pass`], as observed from the vendor's Python SDK V2.
const RETRYABLE_STATUSES: [u16; 1] = [401];
/// Codes that are retryable with any status, as observed from the vendor's Python SDK V2.
const RETRYABLE_CODES: [&str; 1] = ["BadRequest"];

/// Codes that come with HTTP 500, 503 and 429. The code alone counts if the response had begun with HTTP 200.
///
/// Vendor documents: "HTTP status code 500", "HTTP status code 503" and "HTTP status code 429" (Object Storage Service,
/// error codes).
const BUSY_CODES: [&str; 9] = [
    "ActiveRequestLimitExceeded",
    "CpuLimitExceeded",
    "DownloadTrafficRateLimitExceeded",
    "InternalError",
    "MetaOperationQpsLimitExceeded",
    "QpsLimitExceeded",
    "ServiceUnavailable",
    "TotalQpsLimitExceeded",
    "UploadTrafficRateLimitExceeded",
];

/// The code and message of an error with a request ID and without a document.
///
/// Vendor documents: "`HeadObject`" and "Error responses" (Object Storage Service, API reference).
pub(super) fn code_by_status(status: StatusCode) -> Option<(&'static str, &'static str)> {
    match status {
        StatusCode::NOT_MODIFIED => Some(("NotModified", NO_DOCUMENT)),
        StatusCode::FORBIDDEN => Some(("AccessDenied", NO_DOCUMENT)),
        StatusCode::NOT_FOUND => Some(("NoSuchKey", NO_DOCUMENT_404)),
        StatusCode::PRECONDITION_FAILED => Some(("PreconditionFailed", NO_DOCUMENT)),
        _ => None,
    }
}

const LATER: &str = "retry later, or allow more attempts";

/// Whether the same request may succeed later.
pub(super) fn is_retryable(status: StatusCode, code: &str) -> bool {
    may_pass(status.as_u16(), "")
        || RETRYABLE_STATUSES.contains(&status.as_u16())
        || RETRYABLE_CODES.contains(&code)
        || Refusal::of_code(code) == Some(Refusal::Clock)
        || (status.is_success() && BUSY_CODES.contains(&code))
}

/// What to do about an error without a document, whose code is derived from the status.
pub(super) fn hint_without_document(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            "send a GET request, whose response explains the reason"
        }
        // A failed condition of the request needs no further explanation.
        _ => hint_by_status(status),
    }
}

/// Returns what to do about an error, by the code and message as received, otherwise by the status.
///
/// Vendor document: "HTTP status code 403" (Object Storage Service, error codes).
pub(super) fn hint(code: &str, message: &str, status: StatusCode) -> &'static str {
    match code {
        "InvalidAccessKeyId" => "check that the access key exists and is enabled",
        "InvalidSecurityToken" => "check that ID, secret and token come from the same response of STS",
        "SecurityTokenExpired" => "get new temporary credentials, or use a provider that refreshes",
        "SignatureDoesNotMatch" => {
            "check the secret, and that nothing between here and OSS changes the request"
        }
        _ if CLOCK_REJECTED_CODES.contains(&code) => "set the local clock",
        "InvalidArgument" if message.starts_with(WRONG_REGION) => "set region(..) to the bucket's region",
        "AccessDenied" | "PermanentRedirect" if message.contains(WRONG_ENDPOINT) => {
            "set region(..), and endpoint(..) if it is set, to those of the bucket"
        }
        "AccessDenied" => "grant the action on this resource to the identity of the key",
        "NoSuchBucket" => "check the bucket's name, and that it is in the region of the endpoint",
        "InvalidObjectName" => "use a key of 1 to 1023 bytes of UTF-8 that does not begin with / or \\",
        "MethodNotAllowed" => {
            "check the operation, and whether the version is a delete marker, which has no content"
        }
        "NoSuchUpload" => "start the upload again: it was completed, aborted or removed by a lifecycle rule",
        "InvalidObjectState" => "restore the object before it is read: it is archived",
        "SecondLevelDomainForbidden" => "leave path_style disabled: the bucket has to be in the host name",
        "UserDisable" | "InDebt" | "InDebtOverdue" => {
            "look at the account in the console: it is disabled or a payment is overdue"
        }
        BAD_ERROR_RESPONSE if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
            "check the endpoint, or let redirects(..) follow: something redirects the request"
        }
        "CallbackFailed" => "look at the program that `callback` names, as the object is stored",
        // The response to a failed condition has no document.
        BAD_ERROR_RESPONSE if status != StatusCode::NOT_MODIFIED => {
            "check that the endpoint is OSS itself and not a proxy or another server"
        }
        _ if BUSY_CODES.contains(&code) => LATER,
        _ => hint_by_status(status),
    }
}

fn hint_by_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        501 => "check the operation, its headers and the endpoint: the server there does not implement this",
        304 => "use the copy you already have: nothing newer is stored",
        401 | 403 => "see whether the state of account, bucket and object allows this request",
        404 => "check the names and IDs in the request",
        409 => "check the existing object: the request conflicts with it",
        412 => "look at the object again: a condition of the request does not hold",
        408 | 429 | 500.. => LATER,
        _ => "correct what the message names",
    }
}
