use super::*;
use reqwest::header::HeaderValue;

const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>NoSuchKey</Code>
  <Message>The specified key does not exist.</Message>
  <RequestId>FAKE0REQUEST0ID000000001</RequestId>
  <HostId>examplebucket.oss-cn-hangzhou.aliyuncs.com</HostId>
  <Key>nope</Key>
  <EC>0026-00000001</EC>
  <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0026-00000001</RecommendDoc>
</Error>"#;

pub(crate) fn context() -> RequestContext {
    let url = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope";
    RequestContext::new("GetObject".into(), http::Method::GET, url.to_owned(), 1)
}

pub(crate) fn read(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> ServiceError {
    let credentials = Credentials::builder("STS.FakeTempKeyId0002", "canary-secret")
        .security_token("canary-token")
        .build()
        .unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| {
            (
                reqwest::header::HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    ServiceError::read(context(), status, &headers, body, &credentials)
}

#[test]
fn a_document_in_the_body_is_read() {
    let error = read(404, &[("x-oss-request-id", "other")], DOCUMENT.as_bytes());
    assert_eq!(error.code(), "NoSuchKey");
    assert_eq!(error.message(), "The specified key does not exist.");
    assert_eq!(error.request_id(), Some("FAKE0REQUEST0ID000000001"));
    assert_eq!(error.ec(), Some("0026-00000001"));
    assert_eq!(
        error.host_id(),
        Some("examplebucket.oss-cn-hangzhou.aliyuncs.com")
    );
    assert_eq!(error.field("Key"), Some("nope"));
    assert_eq!(
        error.recommend(),
        Some("https://api.aliyun.com/troubleshoot?q=0026-00000001")
    );
    assert_eq!(
        error.to_string(),
        "oss-client: GetObject was refused (GET https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope, HTTP 404): \
         NoSuchKey: The specified key does not exist., request ID FAKE0REQUEST0ID000000001, EC 0026-00000001; \
         check the names and IDs in the request, see https://api.aliyun.com/troubleshoot?q=0026-00000001"
    );
}

#[test]
fn a_refusal_without_document_has_a_code_by_its_status() {
    let id = [("x-oss-request-id", "FAKE0REQUEST0ID000000001")];
    for (status, code) in [
        (304, "NotModified"),
        (403, "AccessDenied"),
        (404, "NoSuchKey"),
        (412, "PreconditionFailed"),
        (400, "BadErrorResponse"),
        (500, "BadErrorResponse"),
    ] {
        assert_eq!(read(status, &id, b"").code(), code, "{status}");
        // Without a request ID it is not known to be the service's.
        assert_eq!(read(status, &[], b"").code(), "BadErrorResponse", "{status}");
        assert_eq!(
            read(status, &id, b"<html>").code(),
            "BadErrorResponse",
            "{status}"
        );
    }
    assert_eq!(
        read(404, &id, b"").to_string(),
        "oss-client: GetObject was refused (GET https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope, HTTP 404): \
         NoSuchKey: the response has no error document, and does not show whether the object or its bucket is \
         missing, request ID FAKE0REQUEST0ID000000001; send a GET request, whose response explains the reason"
    );
}

#[test]
fn headers_are_kept_but_not_those_that_repeat_the_token() {
    let error = read(
        404,
        &[("x-oss-version-id", "v1"), ("x-echo", "got canary-token")],
        b"",
    );
    assert_eq!(error.headers().len(), 1);
    assert_eq!(error.headers()["x-oss-version-id"], "v1");
}

#[test]
fn texts_are_cut_and_on_one_line() {
    let body = format!(
        "<Error><Code>A\nB</Code><Message>\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}{}</Message></Error>",
        "m\t".repeat(600)
    );
    let shown = read(400, &[], body.as_bytes()).to_string();
    assert!(!shown.contains(text::is_unsafe), "{}", shown.escape_debug());
    assert!(shown.len() < 700, "{}", shown.len());
}

#[test]
fn placeholder_keys_leave_code_message_and_hint_alone() {
    let body = b"<Error><Code>InvalidAccessKeyId</Code><Message>The OSS Access Key Id you provided does not \
        exist in our records.</Message></Error>";
    for (id, secret, token) in [("id", "secret", "token"), ("i", "s", "t")] {
        let used = Credentials::builder(id, secret)
            .security_token(token)
            .build()
            .unwrap();
        let error = ServiceError::read(context(), StatusCode::FORBIDDEN, &HeaderMap::new(), body, &used);
        assert_eq!(error.code(), "InvalidAccessKeyId");
        assert_eq!(
            error.message(),
            "The OSS Access Key Id you provided does not exist in our records."
        );
        let shown = error.to_string();
        assert!(
            shown.ends_with("; check that the access key exists and is enabled"),
            "{shown}"
        );
    }
}

#[test]
fn what_is_advised_does_not_depend_on_what_is_withheld() {
    let body = b"<Error><Code>InvalidAccessKeyId</Code><Message>m</Message></Error>";
    let used = Credentials::builder("LTAI5tExampleKeyId01", "InvalidAccessKey")
        .build()
        .unwrap();
    let error = ServiceError::read(context(), StatusCode::FORBIDDEN, &HeaderMap::new(), body, &used);
    let shown = error.to_string();
    assert!(!shown.contains("InvalidAccessKey"), "{shown}");
    assert!(
        shown.ends_with("; check that the access key exists and is enabled"),
        "{shown}"
    );
}

#[test]
fn a_wrong_region_has_its_own_advice() {
    let of = |message: &str| {
        let body = format!("<Error><Code>InvalidArgument</Code><Message>{message}</Message></Error>");
        read(400, &[], body.as_bytes()).to_string()
    };
    let shown = of("Invalid signing region in Authorization header.");
    assert!(
        shown.ends_with("; set region(..) to the bucket's region"),
        "{shown}"
    );
    assert!(!of("Invalid part number.").contains("region"));
}

#[test]
fn a_wrong_endpoint_is_no_lack_of_permission() {
    for code in ["AccessDenied", "PermanentRedirect"] {
        let body = format!(
            "<Error><Code>{code}</Code><Message>The bucket you are attempting to access must be addressed using \
             the specified endpoint. Please send all future requests to this endpoint.</Message>\
             <Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>"
        );
        let error = read(403, &[], body.as_bytes());
        let shown = error.to_string();
        let hint = "; set region(..), and endpoint(..) if it is set, to those of the bucket";
        let place = " (the bucket is at oss-cn-beijing.aliyuncs.com)";
        assert!(shown.ends_with(&format!("{place}{hint}")), "{shown}");
        assert_eq!(error.field("Endpoint"), Some("oss-cn-beijing.aliyuncs.com"));
        // A text that leads elsewhere is not shown.
        let body = body.replace("oss-cn-beijing.aliyuncs.com", "evil.example");
        let shown = read(403, &[], body.as_bytes()).to_string();
        assert!(
            !shown.contains("the bucket is at") && shown.ends_with(hint),
            "{shown}"
        );
    }
    let denied = read(403, &[], b"<Error><Code>AccessDenied</Code></Error>").to_string();
    assert!(denied.contains("grant the action"), "{denied}");
}

#[test]
fn an_answer_without_document_is_not_always_a_strangers() {
    for (status, advice) in [
        (304, "; use the copy you already have: nothing newer is stored"),
        (
            302,
            "; check the endpoint, or let redirects(..) follow: something redirects the request",
        ),
        (
            502,
            "; check that the endpoint is OSS itself and not a proxy or another server",
        ),
    ] {
        let shown = read(status, &[], b"").to_string();
        assert!(shown.ends_with(advice), "{shown}");
    }
}

#[test]
fn every_refusal_says_what_to_do() {
    let of = |status: u16, code: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        let body = if code.is_empty() { "" } else { &body };
        let shown = read(status, &[], body.as_bytes()).to_string();
        shown.rsplit_once("; ").unwrap().1.to_owned()
    };
    let later = "retry later, or allow more attempts";
    for (status, code, hint) in [
        (
            203,
            "CallbackFailed",
            "look at the program that `callback` names, as the object is stored",
        ),
        (304, "", "use the copy you already have: nothing newer is stored"),
        (400, "InvalidPart", "correct what the message names"),
        (
            400,
            "InvalidObjectName",
            "use a key of 1 to 1023 bytes of UTF-8 that does not begin with / or \\",
        ),
        (404, "NoSuchVersion", "check the names and IDs in the request"),
        (
            412,
            "PreconditionFailed",
            "look at the object again: a condition of the request does not hold",
        ),
        (200, "InternalError", later),
        (503, "ServiceUnavailable", later),
        (
            501,
            "NotImplemented",
            "check the operation, its headers and the endpoint: the server there does not implement this",
        ),
        (
            502,
            "",
            "check that the endpoint is OSS itself and not a proxy or another server",
        ),
    ] {
        assert_eq!(of(status, code), hint, "{status} {code}");
    }
}

#[test]
fn refused_keys_and_times_are_told_apart() {
    let of = |code: &str| read(403, &[], format!("<Error><Code>{code}</Code></Error>").as_bytes());
    for code in [
        "InvalidAccessKeyId",
        "InvalidSecurityToken",
        "SecurityTokenExpired",
    ] {
        assert!(of(code).rejects_key() && !of(code).rejects_time(), "{code}");
    }
    assert!(of("RequestTimeTooSkewed").rejects_time());
    for code in ["AccessDenied", "SignatureDoesNotMatch", "RequestTimeTooSkewed"] {
        assert!(!of(code).rejects_key(), "{code}");
    }
}

#[test]
fn a_refusal_of_the_key_says_which_one_it_was() {
    let refused = |used: &Credentials, code: &str, message: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let headers = HeaderMap::new();
        ServiceError::read(context(), StatusCode::FORBIDDEN, &headers, body.as_bytes(), used)
    };
    let used = Credentials::builder("LTAI5tExampleKey8074", "canary-secret")
        .source("env")
        .build()
        .unwrap();
    for code in NAMES_KEY {
        let error = refused(&used, code, "m");
        let shown = error.to_string();
        assert!(shown.contains(": m (key LTAI****8074 from env); "), "{shown}");
        assert_eq!(error.key_id(), Some("LTAI****8074"));
        assert_eq!(error.credentials_source(), "env");
    }
    let other = refused(&used, "NoSuchBucket", "m");
    assert!(!other.to_string().contains("(key"), "{other}");
    assert_eq!(other.key_id(), Some("LTAI****8074"));

    let anonymous = Credentials::anonymous();
    let unsigned = refused(&anonymous, "AccessDenied", "m");
    let shown = unsigned.to_string();
    assert!(shown.ends_with(&format!(": m; {NOT_SIGNED}")), "{shown}");
    assert_eq!(
        (unsigned.key_id(), unsigned.credentials_source()),
        (None, "anonymous")
    );
    let elsewhere = refused(&anonymous, "AccessDenied", WRONG_ENDPOINT).to_string();
    assert!(elsewhere.contains("; set region(..)"), "{elsewhere}");
}
