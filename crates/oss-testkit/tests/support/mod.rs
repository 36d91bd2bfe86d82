//! A plain HTTP client and the ways to sign, for the tests of the local cloud.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers, of which each test file uses a part"
)]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use acs_sign::{ApiRequest, acs3, encode_pairs, rpc};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, nonce};
use oss_sign::{RequestView, v4};
use oss_testkit::{LocalCloud, LocalCloudBuilder};

/// 2026-01-01T08:30:00Z
pub const NOW: u64 = 1_767_256_200;
pub const HOST: &str = "sts.aliyuncs.com";

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub raw: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// Status and error code, of JSON and XML alike.
    pub fn refusal(&self) -> (u16, String) {
        let code = if self.body.starts_with('{') {
            let json = self.json();
            // As OpenAPIs, CloudSSO and OAuth call it.
            let codes = ["Code", "ErrorCode", "error"].map(|name| json[name].as_str().map(str::to_owned));
            codes.into_iter().flatten().next().unwrap_or_default()
        } else {
            self.element("Code")
        };
        (self.status, code)
    }

    /// The text of the first XML element of this name.
    pub fn element(&self, name: &str) -> String {
        let start = self
            .body
            .split_once(&format!("<{name}>"))
            .map_or("", |(_, rest)| rest);
        start.split("</").next().unwrap_or_default().to_owned()
    }
}

/// Sends one request as it is given and reads the answer to its end.
pub fn send(
    endpoint: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Reply> {
    let address = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(&request_bytes(address, method, target, headers, body))?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer, method)
}

pub fn request_bytes(
    address: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let has = |name: &str| headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let mut lines = vec![
        format!("{method} {target} HTTP/1.1"),
        "Connection: close".to_owned(),
    ];
    if !has("host") {
        lines.push(format!("Host: {address}"));
    }
    if !has("content-length") {
        lines.push(format!("Content-Length: {}", body.len()));
    }
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let mut bytes = (lines.join("\r\n") + "\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn parse(answer: &[u8], method: &str) -> io::Result<Reply> {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let body = &answer[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let reply = Reply {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        headers,
        body: String::from_utf8_lossy(body).into_owned(),
        raw: body.to_vec(),
    };
    let length = reply
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok());
    if method != "HEAD" && length.is_some_and(|length| length != body.len()) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(reply)
}

/// A cloud whose time is [`NOW`], and its clock.
pub fn cloud_at_now(
    settings: impl FnOnce(LocalCloudBuilder) -> LocalCloudBuilder,
) -> (LocalCloud, ManualClock) {
    let clock = ManualClock::at_unix(NOW);
    let builder = LocalCloud::builder().clock(clock.clone());
    (settings(builder).start_blocking().unwrap(), clock)
}

/// Looks again and again, for five seconds, until another thread has done its part.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited in vain: {what}");
}

pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

/// The key with another secret.
pub fn forged(key: &Credentials) -> Credentials {
    let builder = Credentials::builder(key.access_key_id(), "not-the-secret");
    builder
        .security_token(key.security_token().unwrap_or_default())
        .build()
        .unwrap()
}

/// The key with another token; an empty one is none.
pub fn with_token(key: &Credentials, token: &str) -> Credentials {
    Credentials::builder(key.access_key_id(), key.access_key_secret())
        .security_token(token)
        .build()
        .unwrap()
}

/// An RPC call with all parameters in the query.
pub fn rpc_call(
    cloud: &LocalCloud,
    key: &Credentials,
    action: &str,
    parameters: &[(&str, &str)],
    time: SystemTime,
) -> Reply {
    rpc_once(cloud, key, action, parameters, time, &nonce())
}

pub fn rpc_once(
    cloud: &LocalCloud,
    key: &Credentials,
    action: &str,
    parameters: &[(&str, &str)],
    time: SystemTime,
    nonce: &str,
) -> Reply {
    let request = ApiRequest::new("POST", HOST, action, "2015-04-01").query(parameters);
    let signed = rpc::sign(&request, key, time, nonce).unwrap();
    let added = signed.query().iter().map(|added| (added.name(), added.value()));
    let query = encode_pairs(parameters.iter().copied().chain(added));
    send(&cloud.sts_endpoint(), "POST", &format!("/?{query}"), &[], b"").unwrap()
}

pub fn assume_role(cloud: &LocalCloud, key: &Credentials, more: &[(&str, &str)]) -> Reply {
    let arn = cloud.role_arn();
    let mut parameters = vec![("RoleArn", arn.as_str()), ("RoleSessionName", "test-session")];
    parameters.retain(|(name, _)| !more.iter().any(|(own, _)| own == name));
    parameters.extend_from_slice(more);
    rpc_call(cloud, key, "AssumeRole", &parameters, now())
}

/// An ACS3 call with a form body.
pub fn acs3_call(cloud: &LocalCloud, key: &Credentials, action: &str, form: &[(&str, &str)]) -> Reply {
    let accept = [("accept", "application/json")];
    let request = ApiRequest::new("POST", HOST, action, "2015-04-01")
        .form(form)
        .headers(&accept);
    let signed = acs3::sign(&request, key, now(), &nonce()).unwrap();
    let mut headers = vec![("Host", HOST), accept[0]];
    headers.extend(signed.headers().iter().map(|added| (added.name(), added.value())));
    let body = encode_pairs(form.iter().copied());
    send(&cloud.sts_endpoint(), "POST", "/", &headers, body.as_bytes()).unwrap()
}

/// An OSS request signed in its header, path-style.
pub struct Oss<'a> {
    pub cloud: &'a LocalCloud,
    pub key: &'a Credentials,
    pub time: SystemTime,
    pub region: &'a str,
    /// Instead of the cloud's first bucket.
    pub bucket: Option<&'a str>,
}

impl<'a> Oss<'a> {
    pub fn new(cloud: &'a LocalCloud, key: &'a Credentials) -> Self {
        Self {
            cloud,
            key,
            time: now(),
            region: "cn-hangzhou",
            bucket: None,
        }
    }

    fn bucket(&self) -> &str {
        self.bucket.unwrap_or(self.cloud.bucket())
    }

    fn signer(&self) -> v4::Signer {
        v4::Signer::builder(self.region).build().unwrap()
    }

    pub fn call(&self, method: &str, name: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.call_with(method, name, &[], headers, body)
    }

    pub fn call_with(
        &self,
        method: &str,
        name: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let bucket = self.bucket();
        let bytes: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let view = RequestView::new(method)
            .bucket(bucket)
            .key(name)
            .query(query)
            .headers(&bytes);
        let signed = self.signer().sign(&view, self.key, self.time).unwrap();
        let mut all = headers.to_vec();
        all.extend(signed.headers().map(|header| (header.name, header.value)));
        let separator = if query.is_empty() { "" } else { "?" };
        let query = encode_pairs(query.iter().copied());
        let target = format!("/{bucket}/{}{separator}{query}", oss_sign::encode_path(name));
        send(&self.cloud.oss_endpoint(), method, &target, &all, body).unwrap()
    }

    pub fn presigned(&self, method: &str, name: &str, expires: Duration) -> String {
        let bucket = self.bucket();
        let view = RequestView::new(method).bucket(bucket).key(name);
        let presigned = self
            .signer()
            .presign(&view, self.key, self.time, expires)
            .unwrap();
        format!("/{bucket}/{}?{}", oss_sign::encode_path(name), presigned.query())
    }
}

/// Credentials as the metadata service and the credentials URI hand them out.
pub fn handed_out(reply: &Reply) -> Credentials {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    assert_eq!(json["Code"], "Success");
    let field = |name: &str| json[name].as_str().unwrap().to_owned();
    Credentials::builder(field("AccessKeyId"), field("AccessKeySecret"))
        .security_token(field("SecurityToken"))
        .build()
        .unwrap()
}

/// Whose key it is, as STS says.
pub fn arn_of(cloud: &LocalCloud, key: &Credentials) -> String {
    let reply = rpc_call(cloud, key, "GetCallerIdentity", &[], now());
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["Arn"].as_str().unwrap().to_owned()
}
