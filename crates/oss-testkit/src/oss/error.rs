//! Error responses: XML in the body, or in a header where there can be no body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::nonce;

use crate::wire::{Answer, Request, element};

/// A refusal: HTTP status, code, message, and the more precise code that the service calls `EC`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    code: String,
    message: String,
    ec: &'static str,
    /// Further elements, already escaped.
    fields: String,
    headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: &str, ec: &'static str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
            ec,
            fields: String::new(),
            headers: Vec::new(),
        }
    }

    /// Adds a header to the response.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds an element to the error document.
    pub(super) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str("\n  ");
        self.fields.push_str(&element(name, value));
        self
    }

    /// A document that cannot be read, or is not what the operation takes.
    pub(super) fn malformed_xml() -> Self {
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema.";
        Self::new(400, "MalformedXML", message, "")
    }

    pub(super) fn file_already_exists() -> Self {
        let message = "The object you specified already exists and can not be overwritten.";
        Self::new(409, "FileAlreadyExists", message, "0026-00000302")
    }

    pub(super) fn answer(self, request: &Request) -> Answer {
        let id = request_id();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        for (name, value) in [
            ("Code", self.code.as_str()),
            ("Message", &self.message),
            ("RequestId", &id),
            ("HostId", &request.host),
        ] {
            xml.push_str("\n  ");
            xml.push_str(&element(name, value));
        }
        xml.push_str(&self.fields);
        if !self.ec.is_empty() {
            xml.push_str("\n  ");
            xml.push_str(&element("EC", self.ec));
            xml.push_str("\n  ");
            let page = format!("https://api.aliyun.com/troubleshoot?q={}", self.ec);
            xml.push_str(&element("RecommendDoc", &page));
        }
        xml.push_str("\n</Error>\n");

        let mut answer = if request.method == "HEAD" {
            Answer::empty(self.status).with("x-oss-err", STANDARD.encode(&xml))
        } else if self.status == 304 {
            Answer::empty(self.status)
        } else {
            Answer::new(self.status, "application/xml", xml)
        };
        if !self.ec.is_empty() {
            answer = answer.with("x-oss-ec", self.ec);
        }
        answer.code = Some(self.code);
        for (name, value) in self.headers {
            answer = answer.with(name, value);
        }
        answer
            .with("server", "AliyunOSS")
            .with("x-oss-request-id", id)
            .with("x-oss-server-time", "1")
    }
}

/// The refusal of a parameter or a header.
pub(super) fn invalid_argument(message: &str, name: &str, value: &str) -> Refusal {
    Refusal::new(400, "InvalidArgument", message, "")
        .field("ArgumentName", name)
        .field("ArgumentValue", value)
}

/// The refusal of a caller without a key.
pub(super) fn denied() -> Refusal {
    let message = "You have no right to access this object because of bucket acl.";
    Refusal::new(403, "AccessDenied", message, "0003-00000001")
}

/// An error response, as a fault scripts it.
pub(super) fn error(request: &Request, status: u16, code: &str, message: &str) -> Answer {
    Refusal::new(status, code, message, "").answer(request)
}

/// An error response as JSON.
pub(super) fn json_error(request: &Request, status: u16, code: &str) -> Answer {
    let id = request_id();
    let document = serde_json::json!({"Error": {
        "Code": code,
        "Message": "A fault scripted for this request.",
        "RequestId": id,
        "HostId": request.host,
    }});
    let mut answer = Answer::new(status, "application/json", document.to_string());
    answer.code = Some(code.to_owned());
    answer.with("server", "AliyunOSS").with("x-oss-request-id", id)
}

/// 24 hexadecimal digits.
pub(super) fn request_id() -> String {
    let mut id = nonce().to_ascii_uppercase();
    id.truncate(24);
    id
}
