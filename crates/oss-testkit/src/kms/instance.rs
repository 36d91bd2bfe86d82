//! The gateway of a KMS instance: Protocol Buffers over POST, with the signature in a header.
//!
//! Codes and messages: vendor document "Common error codes" of the KMS instance API.

use std::time::SystemTime;

use prost::Message as _;

use super::message::{GetSecretValueRequest, Refused, SecretValue};
use super::{ACTION, client_key, secrets};
use crate::openapi::{Refusal, request_id};
use crate::server::Judgement;
use crate::state::State;
use crate::time::{MAX_SKEW, apart, parse_http_date};
use crate::wire::{Answer, Request};

const VERSION: &str = "dkms-gcs-0.2";
const SIGNATURE_METHOD: &str = "RSA_PKCS1_SHA_256";
const PROTOBUF: &str = "application/x-protobuf";
/// Three c's, as the service has it.
const KEY_HEADER: &str = "x-kms-acccesskeyid";

/// The name of the operation that is asked for.
pub(crate) fn action(request: &Request) -> String {
    let named = request.header("x-kms-apiname").filter(|name| !name.is_empty());
    named.unwrap_or("Unknown").to_owned()
}

/// The id of the client key that the request names.
pub(crate) fn access_key_id(request: &Request) -> Option<String> {
    request.header(KEY_HEADER).map(str::to_owned)
}

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    match answer(state, request, judgement) {
        Ok(value) => Answer::new(200, PROTOBUF, value.encode_to_vec()),
        Err(refusal) => error(refusal.status, refusal.code, &refusal.message),
    }
}

/// The service's own way of saying "too many requests".
pub(crate) fn throttling() -> Answer {
    error(429, "Rejected.Throttling", "QPS Limit Exceeded")
}

/// An error answer.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = Refused {
        status_code: status.into(),
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: request_id(),
    };
    let mut answer = Answer::new(status, PROTOBUF, body.encode_to_vec());
    answer.code = Some(code.to_owned());
    answer
}

/// Takes a field away from the answer to a request that went well.
pub(crate) fn remove_field(answer: &mut Answer, name: &str) {
    if answer.status == 200
        && let Ok(mut value) = SecretValue::decode(answer.body.clone())
    {
        value.clear_field(name);
        answer.body = value.encode_to_vec().into();
    }
}

fn answer(state: &State, request: &Request, judgement: Judgement) -> Result<SecretValue, Refusal> {
    let version = request.header("x-kms-apiversion").unwrap_or_default();
    if version != VERSION {
        let message = format!("The ApiVersion \"{version}\" is invalid.");
        return Err(Refusal::new(400, "InvalidApiVersion", message));
    }
    let name = request.header("x-kms-apiname").unwrap_or_default();
    if name != ACTION || request.method != "POST" || request.path != "/" {
        let message = format!("The ApiName \"{name}\" is invalid.");
        return Err(Refusal::new(400, "InvalidApiName", message));
    }
    authenticate(state, request, state.now(judgement.clock_offset))?;
    let asked = GetSecretValueRequest::decode(request.body.clone())
        .map_err(|_| Refusal::new(400, "InvalidParameter", "The specified parameter is not valid."))?;
    if asked.secret_name.is_empty() {
        let message = "Parameter SecretName does not exist in http header or body.";
        return Err(Refusal::new(400, "MissingParameter", message));
    }
    secrets::get(state, &asked, judgement)
}

fn authenticate(state: &State, request: &Request, now: SystemTime) -> Result<(), Refusal> {
    match request.header("x-kms-signaturemethod") {
        Some(SIGNATURE_METHOD) => {}
        None => return Err(invalid("x-kms-signaturemethod")),
        Some(other) => {
            let message = format!("The Param x-kms-signaturemethod is invalid. message:\"{other}\".");
            return Err(Refusal::new(400, "InvalidParam", message));
        }
    }
    let id = request
        .header(KEY_HEADER)
        .filter(|id| !id.is_empty())
        .ok_or_else(|| {
            let message = format!("Parameter {KEY_HEADER} does not exist in http header or body.");
            Refusal::new(400, "MissingParameter", message)
        })?;
    let time = request.header("date").and_then(parse_http_date);
    if apart(time.ok_or_else(|| invalid("Date"))?, now) > MAX_SKEW {
        let message = "Request time exceeds server time more than 15 minutes.";
        return Err(Refusal::new(400, "RequestTimeTooSkewed", message));
    }
    let hash = acs_sign::acs3::content_sha256(&request.body).to_ascii_uppercase();
    if request.header("content-sha256") != Some(&hash) {
        return Err(invalid("Content-Sha256"));
    }
    let signature = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(|| invalid("Authorization"))?;
    let key = state.lock().kms.client_keys.get(id).cloned().ok_or_else(|| {
        let message = format!("The AccessKey ID \"{id}\" does not exist in our records.");
        Refusal::new(404, "Unauthorized", message)
    })?;
    if !client_key::verify(&key, &string_to_sign(request), signature) {
        return Err(Refusal::new(
            401,
            "SignatureNotMatch",
            "Signature is not matched.",
        ));
    }
    Ok(())
}

fn invalid(name: &str) -> Refusal {
    Refusal::new(400, "InvalidParam", format!("The Param {name} is invalid."))
}

/// Method, three headers, the headers of KMS by name, and the resource, which is always `/`.
fn string_to_sign(request: &Request) -> String {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let mut lines = vec![
        request.method.clone(),
        header("content-sha256").to_owned(),
        header("content-type").to_owned(),
        header("date").to_owned(),
    ];
    let mut own: Vec<String> = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-kms-"))
        .map(|(name, value)| format!("{name}:{}", value.trim()))
        .collect();
    own.sort_unstable();
    lines.append(&mut own);
    lines.push("/".to_owned());
    lines.join("\n")
}
