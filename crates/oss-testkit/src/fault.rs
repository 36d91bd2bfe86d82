//! Faults, and the requests that they apply to.

use std::time::Duration;

use bytes::Bytes;

use crate::record::Service;
use crate::wire::Answer;

/// A fault of the next request, or of the next few.
///
/// A fault applies to one request unless [`times`](Self::times) or [`always`](Self::always) is set,
/// and to any operation unless [`action`](Self::action), [`path`](Self::path) or
/// [`parameter`](Self::parameter) is set. Of several faults, the
/// one scripted first applies to the request; the others wait for the next.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use oss_testkit::{Fault, Service};
///
/// # fn script(cloud: &oss_testkit::LocalCloud) {
/// cloud.fault(Service::Sts, Fault::throttling().times(2));
/// cloud.fault(Service::Oss, Fault::error(503, "ServiceUnavailable").action("GetObject"));
/// cloud.fault(Service::Oss, Fault::hang().after(Duration::from_millis(20)).path("/bucket/slow"));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) kind: Kind,
    pub(crate) latency: Option<Duration>,
    action: Option<String>,
    path: Option<String>,
    parameter: Option<(String, String)>,
    /// How many more requests it applies to; `None` means forever.
    left: Option<u32>,
}

/// What happens to the request.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing but the latency.
    Late,
    /// An error in the service's own format.
    Error {
        status: u16,
        code: String,
        message: String,
    },
    /// The service's own way of saying "too many requests".
    Throttling,
    /// A response that is not the service's.
    Foreign {
        status: u16,
        content_type: String,
        body: Bytes,
    },
    /// The request is handled, and no byte of the response is sent.
    Reset,
    Hang,
    /// The response ends, or stops, in the middle of its body.
    CutBody,
    HangInBody,
    /// The request is judged by a clock this many seconds ahead.
    ClockOffset(i64),
    ExpiredCredentials,
    MissingField(String),
    /// An error of OSS as JSON.
    JsonError {
        status: u16,
        code: String,
    },
    Redirect {
        status: u16,
        location: String,
    },
    /// The root element of the response gets this default namespace.
    XmlNamespace(String),
    EmptyPage,
}

/// A page as an intermediate proxy would send it.
const HTML: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n\
    <body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n";

/// Neither UTF-8 nor JSON nor XML.
const GARBAGE: &[u8] = b"\xff\xfe\x00{\"Credentials\": [\x80<Error\x01";

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            latency: None,
            action: None,
            path: None,
            parameter: None,
            left: Some(1),
        }
    }

    /// Creates an error response in the service's own format, with this HTTP status and error code.
    pub fn error(status: u16, code: impl Into<String>) -> Self {
        let code = code.into();
        Self::new(Kind::Error {
            status,
            code,
            message: "A fault scripted for this request.".to_owned(),
        })
    }

    /// Creates a throttling error: `Throttling.User` with HTTP 429 from STS, `QpsLimitExceeded` with 503 from OSS,
    /// `Rejected.Throttling` from KMS, with 400 from the shared gateway and 429 from an instance's,
    /// HTTP 429 from the others.
    pub fn throttling() -> Self {
        Self::new(Kind::Throttling)
    }

    /// Creates a response that is not the service's, sent unchanged.
    pub fn foreign(status: u16, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Kind::Foreign {
            status,
            content_type: content_type.into(),
            body: body.into(),
        })
    }

    /// Creates an HTML page with this status, as a proxy or load balancer would send.
    pub fn html(status: u16) -> Self {
        Self::foreign(status, "text/html", HTML)
    }

    /// Creates HTTP 200 with a body that is neither text nor JSON nor XML.
    pub fn garbage() -> Self {
        Self::foreign(200, "application/json", GARBAGE)
    }

    /// Sends the right response, but only after this time.
    pub fn latency(by: Duration) -> Self {
        Self::new(Kind::Late).after(by)
    }

    /// Sends no response; the connection stays open.
    pub fn hang() -> Self {
        Self::new(Kind::Hang)
    }

    /// Sends status, headers and half of the body; then nothing, with the connection open.
    pub fn hang_in_body() -> Self {
        Self::new(Kind::HangInBody)
    }

    /// Carries out the request, but resets the connection before the response: the caller cannot know the result.
    pub fn reset() -> Self {
        Self::new(Kind::Reset)
    }

    /// Sends status, headers and half of the body, and closes the connection. An empty body is not cut.
    pub fn cut_body() -> Self {
        Self::new(Kind::CutBody)
    }

    /// Makes the service's clock this many seconds ahead (negative: behind) of the local cloud's.
    pub fn clock_offset(seconds: i64) -> Self {
        Self::new(Kind::ClockOffset(seconds))
    }

    /// Returns credentials that have expired when they arrive. For the operations that issue credentials.
    pub fn expired_credentials() -> Self {
        Self::new(Kind::ExpiredCredentials)
    }

    /// Sends the right response without the field of this name, at any depth; for OSS also without the header.
    pub fn missing_field(name: impl Into<String>) -> Self {
        Self::new(Kind::MissingField(name.into()))
    }

    /// Creates an OSS error response with this HTTP status and error code as JSON instead of XML.
    pub fn json_error(status: u16, code: impl Into<String>) -> Self {
        let code = code.into();
        Self::new(Kind::JsonError { status, code })
    }

    /// Creates a redirect with this status, such as 301 or 307, to this URL.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        let location = location.into();
        Self::new(Kind::Redirect { status, location })
    }

    /// Sends the right response of OSS, but with this default namespace on the root element of its XML, as some
    /// servers do: `http://doc.oss-cn-hangzhou.aliyuncs.com`.
    pub fn xml_namespace(uri: impl Into<String>) -> Self {
        Self::new(Kind::XmlNamespace(uri.into()))
    }

    /// Sends a page of `ListObjectsV2` without any object that states that there are more, as the service may do
    /// at any time.
    pub fn empty_page() -> Self {
        Self::new(Kind::EmptyPage)
    }

    /// Sets the message of an [`error`](Self::error). Default: one that states that it was scripted.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        if let Kind::Error { message, .. } = &mut self.kind {
            *message = text.into();
        }
        self
    }

    /// Sets how many requests it applies to; 0 means none. Default: 1.
    #[must_use]
    pub fn times(mut self, requests: u32) -> Self {
        self.left = Some(requests);
        self
    }

    /// Applies it to all requests, until the faults are cleared.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Applies it only to this operation, such as `AssumeRole` or `GetObject`.
    #[must_use]
    pub fn action(mut self, name: impl Into<String>) -> Self {
        self.action = Some(name.into());
        self
    }

    /// Applies it only to requests to exactly this path, percent-encoded as sent.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Applies it only to requests with this parameter in query or form, decoded: a region of KMS by `RegionId`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameter = Some((name.into(), value.into()));
        self
    }

    /// Waits this long before anything else happens.
    #[must_use]
    pub fn after(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }

    fn matches<'a>(&self, action: &str, path: &str, parameter: impl Fn(&str) -> Option<&'a str>) -> bool {
        let has = |(name, value): &(String, String)| parameter(name) == Some(value.as_str());
        self.left != Some(0)
            && self.action.as_deref().is_none_or(|own| own == action)
            && self.path.as_deref().is_none_or(|own| own == path)
            && self.parameter.as_ref().is_none_or(has)
    }
}

/// The faults still to come, in the order scripted.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<(Service, Fault)>);

impl Script {
    pub(crate) fn push(&mut self, service: Service, fault: Fault) {
        self.0.push((service, fault));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that takes this request, which is used up by one.
    pub(crate) fn take<'a>(
        &mut self,
        service: Service,
        action: &str,
        path: &str,
        parameter: impl Fn(&str) -> Option<&'a str>,
    ) -> Option<Fault> {
        let (_, fault) = self
            .0
            .iter_mut()
            .find(|(own, fault)| *own == service && fault.matches(action, path, &parameter))?;
        fault.left = fault.left.map(|left| left - 1);
        let taken = fault.clone();
        self.0.retain(|(_, fault)| fault.left != Some(0));
        Some(taken)
    }
}

/// Removes a header, a JSON field at any depth, or an XML element from a response.
pub(crate) fn remove_field(answer: &mut Answer, name: &str) {
    answer.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    if let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(&answer.body) {
        remove_from_json(&mut json, name);
        answer.body = json.to_string().into();
    } else if let Ok(text) = std::str::from_utf8(&answer.body)
        && let Some(start) = text.find(&format!("<{name}>"))
        && let Some((_, rest)) = text[start..].split_once(&format!("</{name}>"))
    {
        answer.body = format!("{}{rest}", &text[..start]).into();
    }
}

/// Puts a default namespace on the root element of a response.
pub(crate) fn add_namespace(answer: &mut Answer, uri: &str) {
    let Ok(text) = std::str::from_utf8(&answer.body) else {
        return;
    };
    let root = text
        .match_indices('<')
        .map(|(at, _)| at)
        .find(|at| !text[at + 1..].starts_with('?'));
    if let Some(end) = root.and_then(|at| Some(at + text[at..].find('>')?)) {
        let uri = quick_xml::escape::escape(uri);
        answer.body = format!("{} xmlns=\"{uri}\"{}", &text[..end], &text[end..]).into();
    }
}

fn remove_from_json(json: &mut serde_json::Value, name: &str) {
    if let Some(object) = json.as_object_mut() {
        object.remove(name);
        object
            .values_mut()
            .for_each(|value| remove_from_json(value, name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_takes_matching_requests_until_it_is_used_up() {
        let mut script = Script::default();
        script.push(Service::Sts, Fault::throttling().times(2).action("AssumeRole"));
        script.push(Service::Oss, Fault::hang().path("/b/k").always());
        script.push(Service::Sts, Fault::reset().times(0));
        assert!(script.take(Service::Oss, "AssumeRole", "/", |_| None).is_none());
        assert!(
            script
                .take(Service::Sts, "GetCallerIdentity", "/", |_| None)
                .is_none()
        );
        for _ in 0..2 {
            assert!(matches!(
                script
                    .take(Service::Sts, "AssumeRole", "/", |_| None)
                    .unwrap()
                    .kind,
                Kind::Throttling
            ));
        }
        assert!(script.take(Service::Sts, "AssumeRole", "/", |_| None).is_none());
        for _ in 0..3 {
            assert!(script.take(Service::Oss, "GetObject", "/b/k", |_| None).is_some());
        }
        script.clear();
        assert!(script.take(Service::Oss, "GetObject", "/b/k", |_| None).is_none());
    }

    #[test]
    fn a_fault_can_ask_for_a_parameter() {
        let mut script = Script::default();
        script.push(Service::Kms, Fault::reset().parameter("RegionId", "cn-shanghai"));
        let mut take = |region: &'static str| {
            let parameter = move |name: &str| (name == "RegionId").then_some(region);
            script
                .take(Service::Kms, "GetSecretValue", "/", parameter)
                .is_some()
        };
        assert!(!take("cn-hangzhou") && take("cn-shanghai") && !take("cn-shanghai"));
    }

    #[test]
    fn faults_scripted_first_come_first() {
        let mut script = Script::default();
        script.push(Service::Sts, Fault::hang());
        script.push(Service::Sts, Fault::reset());
        assert!(matches!(
            script.take(Service::Sts, "A", "/", |_| None).unwrap().kind,
            Kind::Hang
        ));
        assert!(matches!(
            script.take(Service::Sts, "A", "/", |_| None).unwrap().kind,
            Kind::Reset
        ));
    }

    #[test]
    fn fields_are_removed_from_json_xml_and_headers() {
        let mut json = Answer::new(200, "application/json", r#"{"a":{"Token":"x","b":1}}"#);
        remove_field(&mut json, "Token");
        assert_eq!(json.body, r#"{"a":{"b":1}}"#);
        let mut xml = Answer::new(200, "text/xml", "<R><Token>x</Token><b>1</b></R>").with("etag", "e");
        remove_field(&mut xml, "Token");
        remove_field(&mut xml, "ETag");
        assert_eq!(xml.body, "<R><b>1</b></R>");
        assert_eq!(xml.headers.len(), 1);
    }

    #[test]
    fn a_namespace_stands_on_the_root() {
        let mut xml = Answer::new(200, "text/xml", "<?xml version=\"1.0\"?>\n<R><b>1</b></R>");
        add_namespace(&mut xml, "urn:a&b");
        assert_eq!(
            xml.body,
            "<?xml version=\"1.0\"?>\n<R xmlns=\"urn:a&amp;b\"><b>1</b></R>"
        );
        let mut none = Answer::new(200, "text/plain", "no element");
        add_namespace(&mut none, "urn:x");
        assert_eq!(none.body, "no element");
    }
}
