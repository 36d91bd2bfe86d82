//! The gateway that all customers share: RPC with the parameters in the query, responses in JSON.

use std::sync::Arc;

use serde_json::json;

use super::client_key;
use super::message::ACTION;
use super::message::{GetSecretValueRequest, SecretValue};
use super::secrets::{self, Kms};
use crate::openapi::product::{self, Refusal, request_id};
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::time::{MAX_SKEW, apart, parse_iso};
use crate::wire::{Answer, Request};

const VERSION: &str = "2016-01-20";
const JSON: &str = "application/json;charset=utf-8";

/// The gateway that all customers share.
pub(crate) struct SharedGateway(pub(crate) Arc<Kms>);

impl CloudService for SharedGateway {
    fn id(&self) -> Service {
        Service::Kms
    }

    fn is_at(&self, host: &str) -> bool {
        product::is_at(host, &["kms", "kms-vpc"])
    }

    fn action(&self, request: &Request) -> String {
        product::action(request)
    }

    /// The id of the client key.
    fn access_key_id(&self, request: &Request) -> Option<String> {
        request.parameter("AccessKeyId").map(str::to_owned)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        match answer(&self.0, request, judgement) {
            Ok(value) => {
                let id = value.request_id.clone();
                Answer::new(200, JSON, serde_json::Value::Object(value.to_json()).to_string())
                    .with("x-acs-request-id", id)
            }
            Err(refusal) => error(request, refusal.status, refusal.code, &refusal.message),
        }
    }

    fn error(&self, request: &Request, status: u16, code: &str, message: &str) -> Answer {
        error(request, status, code, message)
    }

    fn throttling(&self, request: &Request) -> Answer {
        error(request, 400, "Rejected.Throttling", "QPS Limit Exceeded")
    }
}

/// An error response.
fn error(request: &Request, status: u16, code: &str, message: &str) -> Answer {
    let id = request_id();
    let region = request.parameter("RegionId").unwrap_or_default();
    let fields = json!({
        "HttpStatus": status,
        "Code": code,
        "Message": message,
        "RequestId": id,
        "HostId": format!("kms.{region}.aliyuncs.com"),
    });
    let mut answer = Answer::new(status, JSON, fields.to_string()).with("x-acs-request-id", id);
    answer.code = Some(code.to_owned());
    answer
}

fn answer(kms: &Kms, request: &Request, judgement: Judgement) -> Result<SecretValue, Refusal> {
    if request.parameter("Version") != Some(VERSION) {
        let message = "Specified parameter Version is not valid.";
        return Err(Refusal::new(400, "InvalidVersion", message));
    }
    if request.parameter("Action") != Some(ACTION) {
        let message = "Specified api is not found, please check your url and method.";
        return Err(Refusal::new(404, "InvalidAction.NotFound", message));
    }
    authenticate(kms, request, judgement)?;
    if !kms.store().regions.contains(mandatory(request, "RegionId")?) {
        let message = "The specified parameter RegionId is not valid.";
        return Err(Refusal::new(400, "InvalidParameter", message));
    }
    let text = |name: &str| request.parameter(name).unwrap_or_default();
    let asked = GetSecretValueRequest {
        secret_name: mandatory(request, "SecretName")?.to_owned(),
        version_stage: text("VersionStage").to_owned(),
        version_id: text("VersionId").to_owned(),
        // One of the vendor's clients sends `True`.
        fetch_extended_config: text("FetchExtendedConfig").eq_ignore_ascii_case("true"),
    };
    secrets::get(kms, &asked, judgement)
}

fn authenticate(kms: &Kms, request: &Request, judgement: Judgement) -> Result<(), Refusal> {
    let now = kms.state.now(judgement.clock_offset);
    let id = mandatory(request, "AccessKeyId")?;
    let nonce = mandatory(request, "SignatureNonce")?;
    let expected = [
        ("SignatureMethod", "SHA256withRSA"),
        ("SignatureType", "PRIVATEKEY"),
        ("SignatureVersion", "1.0"),
    ];
    let signature = request.parameter("Signature").unwrap_or_default();
    if signature.is_empty()
        || expected
            .iter()
            .any(|(name, value)| request.parameter(name) != Some(value))
    {
        let message = "The request signature does not conform to Aliyun standards.";
        return Err(Refusal::new(400, "IncompleteSignature", message));
    }
    check_time(request, now)?;
    let key = kms.store().client_keys.get(id).cloned().ok_or_else(|| {
        let message = "Specified access key is not found.";
        Refusal::new(404, "InvalidAccessKeyId.NotFound", message)
    })?;
    let all: Vec<(&str, &str)> = request
        .query
        .iter()
        .chain(&request.form)
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let text = acs_sign::rpc::string_to_sign(&request.method, &all);
    if !client_key::verify(&key, &text, signature) {
        // The official core SDK compares what follows the first colon with its own text.
        let message = format!(
            "Specified signature is not matched with our calculation. server string to sign is:{text}"
        );
        return Err(Refusal::new(400, "SignatureDoesNotMatch", message));
    }
    if !kms.state.lock().use_nonce(id, nonce, now) {
        let message = "Specified signature nonce was used already.";
        return Err(Refusal::new(400, "SignatureNonceUsed", message));
    }
    Ok(())
}

fn check_time(request: &Request, now: std::time::SystemTime) -> Result<(), Refusal> {
    let time = request.parameter("Timestamp").and_then(parse_iso).ok_or_else(|| {
        let message =
            "The input parameter \"Timestamp\" that is mandatory for processing this request is not supplied.";
        Refusal::new(400, "IllegalTimestamp", message)
    })?;
    if apart(time, now) > MAX_SKEW {
        let message = "Specified time stamp or date value is expired.";
        return Err(Refusal::new(400, "InvalidTimeStamp.Expired", message));
    }
    Ok(())
}

fn mandatory<'a>(request: &'a Request, name: &str) -> Result<&'a str, Refusal> {
    request
        .parameter(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            let message =
                format!("The input parameter \"{name}\" that is mandatory for processing this request is not supplied.");
            Refusal::new(400, "MissingParameter", message)
        })
}
