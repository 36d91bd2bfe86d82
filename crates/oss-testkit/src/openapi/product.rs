//! The common parts of all services of the OpenAPI: signatures in the RPC and the ACS3 form, and responses.

use oss_credentials_core::nonce;
use serde_json::{Map, Value, json};

use crate::wire::{Answer, Request, element};

/// A service, as its error responses name it.
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) host: &'static str,
}

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

/// Whether a public host is one of the product's, of any region: `<name>.aliyuncs.com` or `<name>.<region>.aliyuncs.com`.
pub(crate) fn is_at(host: &str, names: &[&str]) -> bool {
    let name = host.strip_suffix(".aliyuncs.com");
    let first = name.map(|name| name.split_once('.').map_or(name, |(first, _)| first));
    first.is_some_and(|first| names.contains(&first))
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

/// The access key ID that the request names.
pub(crate) fn access_key_id(request: &Request) -> Option<String> {
    let acs3 = request
        .header("authorization")
        .and_then(acs_sign::acs3::Authorization::parse);
    let id = acs3
        .map(|header| header.access_key_id)
        .or_else(|| request.parameter("AccessKeyId"));
    id.map(str::to_owned)
}

/// Refuses another version of the API than this one.
pub(crate) fn check_version(request: &Request, wanted: &str) -> Result<(), Refusal> {
    let version = request
        .parameter("Version")
        .or_else(|| request.header("x-acs-version"));
    if version == Some(wanted) {
        return Ok(());
    }
    let message = "Specified parameter Version is not valid.";
    Err(Refusal::new(400, "InvalidVersion", message))
}

/// The refusal of an operation that the service does not have.
pub(crate) fn unknown_action() -> Refusal {
    let message = "Specified api is not found, please check your url and method.";
    Refusal::new(404, "InvalidAction.NotFound", message)
}

/// Returns whether the response is to be JSON; XML is the service's default.
fn wants_json(request: &Request) -> bool {
    match request.parameter("Format") {
        Some(format) => format.eq_ignore_ascii_case("JSON"),
        None => request
            .header("accept")
            .is_some_and(|accept| accept.contains("json")),
    }
}

/// The result of a call, in the format that the request asks for.
pub(crate) fn success(request: &Request, name: &str, mut fields: Map<String, Value>) -> Answer {
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

/// An error response in the format that the request asks for.
pub(crate) fn error(product: &Product, request: &Request, status: u16, code: &str, message: &str) -> Answer {
    let id = request_id();
    let fields = json!({
        "RequestId": id,
        "HostId": product.host,
        "Code": code,
        "Message": message,
        "Recommend": format!(
            "https://api.aliyun.com/troubleshoot?q={code}&product={}",
            product.name
        ),
    });
    let mut answer = write(request, status, &id, "Error", &fields);
    answer.code = Some(code.to_owned());
    answer
}

/// The refusal of a caller who asks too often.
pub(crate) fn throttling(product: &Product, request: &Request) -> Answer {
    let message = "Request was denied due to user flow control.";
    error(product, request, 429, "Throttling.User", message)
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
