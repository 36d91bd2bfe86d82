//! Records of requests.

use std::fmt;

use oss_credentials_core::MaskedId;

use crate::wire::Request;

/// A service of the local cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Security Token Service.
    Sts,
    /// Object Storage Service.
    Oss,
    /// Elastic Compute Service: its OpenAPI.
    Ecs,
    /// Resource Access Management: its OpenAPI.
    Ram,
    /// Container Service: its OpenAPI, ROA style.
    Cs,
    /// Instance metadata of an ECS instance.
    Metadata,
    /// The server behind the credentials URI.
    CredentialsUri,
    /// Key Management Service: the shared gateway.
    Kms,
    /// Key Management Service: the gateway of an instance.
    KmsInstance,
    /// CloudSSO: the exchange of a login for credentials.
    CloudSso,
    /// The OAuth service behind the CLI's logins.
    OAuth,
}

/// A request as it arrived, and the response to it.
///
/// The accessors return everything. `Debug` shows no secret: it redacts the values of signatures and tokens, masks the
/// access key ID, and shows only the length of the body.
///
/// # Examples
///
/// ```no_run
/// # fn show(cloud: &oss_testkit::LocalCloud) {
/// for request in cloud.requests() {
///     println!("{} {:?} -> {:?}", request.action(), request.query_value("prefix"), request.status());
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct RecordedRequest {
    pub(crate) service: Service,
    pub(crate) action: String,
    pub(crate) access_key_id: Option<String>,
    pub(crate) request: Request,
    /// The path without parts that may be secret.
    pub(crate) shown_path: String,
    pub(crate) status: Option<u16>,
    pub(crate) error_code: Option<String>,
}

impl RecordedRequest {
    /// The service that received the request.
    pub fn service(&self) -> Service {
        self.service
    }

    /// The operation: `AssumeRole`, `PutObject`, …; `Unknown` if there is no such operation.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The HTTP method, upper case.
    pub fn method(&self) -> &str {
        &self.request.method
    }

    /// The path as it was sent, percent-encoded.
    pub fn path(&self) -> &str {
        &self.request.path
    }

    /// The decoded parameters of the query, in the order sent.
    pub fn query(&self) -> &[(String, String)] {
        &self.request.query
    }

    /// The first parameter of this name in the query.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.request.query_value(name)
    }

    /// The decoded fields of a form body, in the order sent; for a form upload to OSS, those before the file.
    pub fn form(&self) -> &[(String, String)] {
        &self.request.form
    }

    /// The first parameter of this name in the query, otherwise in the form body.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.request.parameter(name)
    }

    /// The headers, with names in lower case, in the order sent. Bytes that are not UTF-8 are replaced.
    pub fn headers(&self) -> &[(String, String)] {
        &self.request.headers
    }

    /// The first header of this name; the name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.header(name)
    }

    /// The body; empty for an upload to a sink, which keeps none.
    pub fn body(&self) -> &[u8] {
        &self.request.body
    }

    /// The access key ID that the request names, known or not; `None` if the request is unsigned.
    pub fn access_key_id(&self) -> Option<&str> {
        self.access_key_id.as_deref()
    }

    /// The HTTP status of the response; `None` if there is none yet, or if a fault suppressed it.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The error code of the response; `None` for a success.
    pub fn error_code(&self) -> Option<&str> {
        self.error_code.as_deref()
    }
}

/// Names, in lower case, of parameters and headers whose values are secret or contain an identity.
const SECRET_NAMES: [&str; 20] = [
    "authorization",
    "signature",
    "securitytoken",
    "security-token",
    "oidctoken",
    "accesskeyid",
    "ossaccesskeyid",
    "x-oss-signature",
    "x-oss-credential",
    "x-oss-security-token",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-acs-security-token",
    "x-acs-accesskey-id",
    "x-acs-signature",
    "x-aliyun-ecs-metadata-token",
    "x-kms-acccesskeyid",
    "policy",
    "refresh_token",
];

/// The pairs, with the values of secret names redacted.
struct Redacted<'a>(&'a [(String, String)]);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, value)| {
                let secret = SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str());
                format!("{name}: {}", if secret { "<redacted>" } else { value })
            }))
            .finish()
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("service", &self.service)
            .field("action", &self.action)
            .field("method", &self.request.method)
            .field("path", &self.shown_path)
            .field("query", &Redacted(&self.request.query))
            .field("headers", &Redacted(&self.request.headers))
            .field("body", &format_args!("{} bytes", self.request.body.len()))
            .field("access_key_id", &self.access_key_id.as_deref().map(MaskedId))
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn debug_shows_no_secret() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let recorded = RecordedRequest {
            service: Service::Oss,
            action: "GetObject".to_owned(),
            access_key_id: Some("LTAI5tExampleKeyId01".to_owned()),
            request: Request {
                method: "GET".to_owned(),
                host: "127.0.0.1".to_owned(),
                path: "/bucket/key".to_owned(),
                query: vec![pair("x-oss-signature", "canary"), pair("prefix", "shown")],
                form: vec![pair("SecurityToken", "canary")],
                headers: vec![
                    pair("authorization", "canary"),
                    pair("X-Oss-Security-Token", "canary"),
                ],
                raw_headers: http::HeaderMap::new(),
                body: Bytes::from_static(b"canary"),
                upload: crate::wire::Upload::No,
                source_ip: None,
            },
            shown_path: "/bucket/key".to_owned(),
            status: Some(200),
            error_code: None,
        };
        let shown = format!("{recorded:?}");
        assert!(
            !shown.contains("canary") && !shown.contains("ExampleKeyId"),
            "{shown}"
        );
        assert!(
            shown.contains("prefix: shown") && shown.contains("6 bytes"),
            "{shown}"
        );
    }
}
