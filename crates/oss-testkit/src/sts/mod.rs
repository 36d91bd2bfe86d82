//! Security Token Service: AssumeRole and GetCallerIdentity in the RPC and the ACS3 form, and
//! AssumeRoleWithOIDC, which is not signed.
//!
//! Vendor documents: "AssumeRole", "AssumeRoleWithOIDC" and "GetCallerIdentity" (Resource Access Management, API reference of STS,
//! version 2015-04-01); "Common parameters" and "Common error codes" of the same reference.

mod auth;
mod calls;
pub(crate) mod oidc;

use oss_credentials_core::nonce;
use serde_json::{Map, Value, json};

use crate::server::Judgement;
use crate::state::State;
use crate::wire::{Answer, Request, element};

const VERSION: &str = "2015-04-01";
const HOST_ID: &str = "sts.aliyuncs.com";

/// A refusal: HTTP status, code and message.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }
}

/// The name of the operation that is asked for.
pub(crate) fn action(request: &Request) -> String {
    let named = request
        .parameter("Action")
        .or_else(|| request.header("x-acs-action"));
    named
        .filter(|name| !name.is_empty())
        .unwrap_or("Unknown")
        .to_owned()
}

/// The AccessKey id that the request names.
pub(crate) fn access_key_id(request: &Request) -> Option<String> {
    let acs3 = request
        .header("authorization")
        .and_then(acs_sign::acs3::Authorization::parse);
    let id = acs3
        .map(|header| header.access_key_id)
        .or_else(|| request.parameter("AccessKeyId"));
    id.map(str::to_owned)
}

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    match answer(state, request, judgement) {
        Ok((name, fields)) => success(request, name, fields),
        Err(refusal) => error(request, refusal.status, refusal.code, &refusal.message),
    }
}

fn answer(
    state: &State,
    request: &Request,
    judgement: Judgement,
) -> Result<(&'static str, Map<String, Value>), Refusal> {
    let version = request
        .parameter("Version")
        .or_else(|| request.header("x-acs-version"));
    if version != Some(VERSION) {
        let message = "Specified parameter Version is not valid.";
        return Err(Refusal::new(400, "InvalidVersion", message));
    }
    let call = match action(request).as_str() {
        "AssumeRole" => calls::assume_role,
        "GetCallerIdentity" => calls::get_caller_identity,
        "AssumeRoleWithOIDC" => return oidc::assume_role_with_oidc(state, request, judgement),
        _ => {
            let message = "Specified api is not found, please check your url and method.";
            return Err(Refusal::new(404, "InvalidAction.NotFound", message));
        }
    };
    let caller = auth::authenticate(state, request, judgement)?;
    call(state, request, &caller, judgement)
}

/// Whether the answer is to be JSON; XML is the service's default.
fn wants_json(request: &Request) -> bool {
    match request.parameter("Format") {
        Some(format) => format.eq_ignore_ascii_case("JSON"),
        None => request
            .header("accept")
            .is_some_and(|accept| accept.contains("json")),
    }
}

fn success(request: &Request, name: &str, mut fields: Map<String, Value>) -> Answer {
    let id = request_id();
    fields.insert("RequestId".to_owned(), id.clone().into());
    write(
        request,
        200,
        &id,
        &format!("{name}Response"),
        &Value::Object(fields),
    )
}

/// An error answer in the format that the request asks for.
pub(crate) fn error(request: &Request, status: u16, code: &str, message: &str) -> Answer {
    let id = request_id();
    let fields = json!({
        "RequestId": id,
        "HostId": HOST_ID,
        "Code": code,
        "Message": message,
        "Recommend": format!("https://api.aliyun.com/troubleshoot?q={code}&product=Sts"),
    });
    let mut answer = write(request, status, &id, "Error", &fields);
    answer.code = Some(code.to_owned());
    answer
}

fn write(request: &Request, status: u16, id: &str, root: &str, fields: &Value) -> Answer {
    let answer = if wants_json(request) {
        Answer::new(status, "application/json;charset=utf-8", fields.to_string())
    } else {
        let xml = format!("<?xml version='1.0' encoding='UTF-8'?>{}", xml(root, fields));
        Answer::new(status, "text/xml;charset=utf-8", xml)
    };
    answer.with("x-acs-request-id", id)
}

fn xml(name: &str, value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let inner: String = fields.iter().map(|(name, value)| xml(name, value)).collect();
            format!("<{name}>{inner}</{name}>")
        }
        Value::String(text) => element(name, text),
        other => element(name, &other.to_string()),
    }
}

/// A UUID in upper case.
pub(crate) fn request_id() -> String {
    let mut id = nonce().to_ascii_uppercase();
    id.truncate(32);
    for at in [8, 13, 18, 23] {
        id.insert(at, '-');
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_uuids() {
        let id = request_id();
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_ne!(id, request_id());
    }

    #[test]
    fn xml_nests_like_json() {
        let value = json!({"a": {"b": "<&"}, "n": 3});
        assert_eq!(xml("R", &value), "<R><a><b>&lt;&amp;</b></a><n>3</n></R>");
    }
}
