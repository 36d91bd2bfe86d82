//! The gateway of a KMS instance: Protocol Buffers over POST, with the signature in a header.
//!
//! Codes and messages: vendor document "Common error codes" of the KMS instance API.

use std::sync::Arc;
use std::time::SystemTime;

use prost::Message as _;

use super::client_key;
use super::message::ACTION;
use super::message::{GetSecretValueRequest, Refused, SecretValue};
use super::secrets::{self, Kms};
use crate::openapi::product::{Refusal, request_id};
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::time::{MAX_SKEW, apart, parse_http_date};
use crate::wire::{Answer, Request};

const VERSION: &str = "dkms-gcs-0.2";
const SIGNATURE_METHOD: &str = "RSA_PKCS1_SHA_256";
const PROTOBUF: &str = "application/x-protobuf";
/// Three c's, as the service has it.
const KEY_HEADER: &str = "x-kms-acccesskeyid";

/// The gateway of an instance.
pub(crate) struct InstanceGateway(pub(crate) Arc<Kms>);

impl CloudService for InstanceGateway {
    fn id(&self) -> Service {
        Service::KmsInstance
    }

    fn is_at(&self, host: &str) -> bool {
        host.ends_with(".cryptoservice.kms.aliyuncs.com")
    }

    fn action(&self, request: &Request) -> String {
        let named = request.header("x-kms-apiname").filter(|name| !name.is_empty());
        named.unwrap_or("Unknown").to_owned()
    }

    /// The id of the client key.
    fn access_key_id(&self, request: &Request) -> Option<String> {
        request.header(KEY_HEADER).map(str::to_owned)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        match answer(&self.0, request, judgement) {
            Ok(value) => Answer::new(200, PROTOBUF, value.encode_to_vec()),
            Err(refusal) => error(refusal.status, refusal.code, &refusal.message),
        }
    }

    fn error(&self, _request: &Request, status: u16, code: &str, message: &str) -> Answer {
        error(status, code, message)
    }

    fn throttling(&self, _request: &Request) -> Answer {
        error(429, "Rejected.Throttling", "QPS Limit Exceeded")
    }

    /// Its responses are not text.
    fn remove_field(&self, answer: &mut Answer, name: &str) {
        if answer.status == 200
            && let Ok(mut value) = SecretValue::decode(answer.body.clone())
        {
            value.clear_field(name);
            answer.body = value.encode_to_vec().into();
        }
    }
}

/// An error response.
fn error(status: u16, code: &str, message: &str) -> Answer {
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

fn answer(kms: &Kms, request: &Request, judgement: Judgement) -> Result<SecretValue, Refusal> {
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
    authenticate(kms, request, kms.state.now(judgement.clock_offset))?;
    let asked = GetSecretValueRequest::decode(request.body.clone())
        .map_err(|_| Refusal::new(400, "InvalidParameter", "The specified parameter is not valid."))?;
    if asked.secret_name.is_empty() {
        let message = "Parameter SecretName does not exist in http header or body.";
        return Err(Refusal::new(400, "MissingParameter", message));
    }
    secrets::get(kms, &asked, judgement)
}

fn authenticate(kms: &Kms, request: &Request, now: SystemTime) -> Result<(), Refusal> {
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
    let key = kms.store().client_keys.get(id).cloned().ok_or_else(|| {
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
