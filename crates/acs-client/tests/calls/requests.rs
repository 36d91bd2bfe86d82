//! What is sent, in each style and signature.

use acs_client::{Call, SignatureVersion};
use acs_sign::{acs3, rpc};
use oss_credentials_core::blocking;
use oss_credentials_http::test_util::ScriptedHttp;
use oss_credentials_http::{HttpMethod, HttpRequest};

use crate::common::*;

/// As the service would.
fn check_acs3(request: &HttpRequest, host: &str, path: &str) {
    let header = request.header("authorization").unwrap();
    let parsed = acs3::Authorization::parse(header).unwrap();
    let names: Vec<&str> = parsed.signed_headers.split(';').collect();
    let mut headers = vec![("host", host)];
    headers.extend(request.headers().filter(|(name, _)| names.contains(name)));
    assert_eq!(headers.len(), names.len());
    for (name, _) in request.headers().filter(|(name, _)| acs3::is_signed(name)) {
        assert!(names.contains(&name), "{name}");
    }
    let query = request.url().split_once('?').map_or("", |(_, query)| query);
    let hash = acs3::content_sha256(request.body());
    assert_eq!(request.header("x-acs-content-sha256"), Some(hash.as_str()));
    let canonical = acs3::canonical_request(request.method().as_str(), path, &decode(query), &headers, &hash);
    let expected = acs3::signature(SECRET, &acs3::string_to_sign(&canonical));
    assert_eq!(parsed.signature, expected);
}

#[test]
fn an_rpc_call_is_signed_in_headers_by_default() {
    let service = ScriptedHttp::new().answers(200, "{}");
    let client = client(&service).credentials_provider(session());
    let describe = Call::rpc("DescribeInstances")
        .query("RegionId", "cn-hangzhou")
        .query("Name", "a b/ü");
    call(client, &describe).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(
        request.url(),
        "https://ecs.cn-hangzhou.aliyuncs.com/?RegionId=cn-hangzhou&Name=a%20b%2F%C3%BC"
    );
    for (name, value) in [
        ("x-acs-action", "DescribeInstances"),
        ("x-acs-version", "2014-05-26"),
        ("x-acs-date", "2027-01-01T00:00:00Z"),
        ("x-acs-security-token", "canary-token+/=="),
        ("accept", "application/json"),
        ("user-agent", concat!("acs-client/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    check_acs3(request, "ecs.cn-hangzhou.aliyuncs.com", "/");
}

#[test]
fn a_form_is_the_body_and_is_signed() {
    let service = ScriptedHttp::new().answers(200, "{}");
    call(client(&service), &Call::rpc("Tag").form("Key", "a b")).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.body(), b"Key=a%20b");
    let form = "application/x-www-form-urlencoded";
    assert_eq!(request.header("content-type"), Some(form));
    check_acs3(request, "ecs.cn-hangzhou.aliyuncs.com", "/");
}

#[test]
fn form_and_body_replace_each_other() {
    let service = ScriptedHttp::new().answers(200, "{}").answers(200, "{}");
    let roa = || Call::roa("Update", HttpMethod::Put, "/x");
    call(
        client(&service),
        &roa().body("text/plain", "text").form("Key", "a"),
    )
    .unwrap();
    call(
        client(&service),
        &roa().form("Key", "a").body("text/plain", "text"),
    )
    .unwrap();
    let requests = service.requests();
    let sent = |at: usize| (requests[at].body(), requests[at].header("content-type"));
    assert_eq!(
        sent(0),
        (&b"Key=a"[..], Some("application/x-www-form-urlencoded"))
    );
    assert_eq!(sent(1), (&b"text"[..], Some("text/plain")));
}

#[test]
fn a_roa_call_has_method_path_and_body() {
    let service = ScriptedHttp::new().answers(200, "{}").answers(200, "{}");
    let client = client(&service)
        .endpoint("http://127.0.0.1:8080")
        .build()
        .unwrap();
    let update = Call::roa("ModifyCluster", HttpMethod::Put, "/api/v2/clusters/")
        .segment("c 1/ü")
        .header("x-acs-region-id", "cn-hangzhou")
        .json(&serde_json::json!({"api_server_eip": true}));
    blocking::wait(client.call(&update)).unwrap();
    let list = Call::roa("DescribeClusters", HttpMethod::Delete, "/clusters").query("name", "x");
    blocking::wait(client.call(&list)).unwrap();
    let requests = service.requests();
    assert_eq!(
        (requests[0].method(), requests[0].url()),
        (
            HttpMethod::Put,
            "http://127.0.0.1:8080/api/v2/clusters/c%201%2F%C3%BC"
        )
    );
    assert_eq!(requests[0].body(), br#"{"api_server_eip":true}"#);
    assert_eq!(
        requests[0].header("content-type"),
        Some("application/json; charset=utf-8")
    );
    check_acs3(&requests[0], "127.0.0.1:8080", "/api/v2/clusters/c%201%2F%C3%BC");
    assert_eq!(
        (requests[1].method(), requests[1].url()),
        (HttpMethod::Delete, "http://127.0.0.1:8080/clusters?name=x")
    );
    check_acs3(&requests[1], "127.0.0.1:8080", "/clusters");
}

#[test]
fn an_rpc_signature_is_in_the_query_and_the_token_in_the_body() {
    let service = ScriptedHttp::new().answers(200, "{}").answers(200, "{}");
    let client = client(&service)
        .credentials_provider(session())
        .signature_version(SignatureVersion::Rpc)
        .build()
        .unwrap();
    let describe = Call::rpc("DescribeRegions").query("AcceptLanguage", "en-US");
    blocking::wait(client.call(&describe)).unwrap();
    blocking::wait(client.call(&describe.method(HttpMethod::Get))).unwrap();
    let requests = service.requests();
    let query = |request: &HttpRequest| decode(request.url().split_once('?').unwrap().1);
    for (request, in_body) in [(&requests[0], true), (&requests[1], false)] {
        let query = query(request);
        let body = decode(std::str::from_utf8(request.body()).unwrap());
        for (name, value) in [
            ("Action", "DescribeRegions"),
            ("Version", "2014-05-26"),
            ("Timestamp", "2027-01-01T00:00:00Z"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("AcceptLanguage", "en-US"),
        ] {
            assert_eq!(get(&query, name), Some(value), "{name}");
        }
        assert_eq!(get(&body, "SecurityToken").is_some(), in_body);
        assert_eq!(get(&query, "SecurityToken").is_some(), !in_body);
        let all = [query, body].concat();
        let text = rpc::string_to_sign(request.method().as_str(), &all);
        let expected = rpc::signature(SECRET, &text);
        assert_eq!(get(&all, "Signature"), Some(expected.as_str()));
    }
}

#[test]
fn what_cannot_be_signed_or_leads_elsewhere_is_not_sent() {
    let service = ScriptedHttp::new();
    let roa = |path: &'static str| Call::roa("Get", HttpMethod::Get, path);
    for (wrong, part) in [
        (roa("/clusters").segment(".."), "a segment of the path is empty"),
        (roa("/clusters").segment(""), "a segment of the path is empty"),
        (
            roa("/clusters?a=b"),
            "the path of the call holds a `?`, a `#` or a backslash",
        ),
        (
            roa("/clusters#x"),
            "the path of the call holds a `?`, a `#` or a backslash",
        ),
        (
            roa("/api\\clusters"),
            "the path of the call holds a `?`, a `#` or a backslash",
        ),
        (
            roa("/api/../clusters"),
            "a segment of the path is empty, `.` or `..`",
        ),
        (
            roa("/api/%2E%2e/clusters"),
            "a segment of the path is empty, `.` or `..`",
        ),
        (
            roa("/api/./clusters"),
            "a segment of the path is empty, `.` or `..`",
        ),
        (roa(".example.com/"), "the path of the call has no leading slash"),
        (
            roa("@example.com/").segment("x"),
            "the path of the call has no leading slash",
        ),
        (
            roa("/clusters").header("x-acs-date", "x"),
            "the request could not be signed",
        ),
        (Call::rpc(""), "the request could not be signed"),
    ] {
        let error = call(client(&service), &wrong).unwrap_err();
        assert_eq!(error.error().kind(), "invalid-config");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(service.requests().is_empty());
}

#[test]
fn an_endpoint_or_a_region_is_required_and_checked() {
    let service = ScriptedHttp::new();
    let builder = || acs_client::AcsClient::builder("ram", "2015-05-01").http_client(service.clone());
    let text = |builder: acs_client::AcsClientBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(
        text(builder()),
        "acs-client: there is neither an endpoint nor a region of ram; set region(..), or endpoint(..) for a \
         product that is central"
    );
    assert_eq!(
        text(builder().region("cn/hangzhou")),
        "acs-client: \"cn/hangzhou\" is not a valid region ID; use an ID such as cn-hangzhou, or set the endpoint instead"
    );
    assert_eq!(
        text(builder().endpoint("http://ram.example.com")),
        "acs-client: the endpoint of RAM is plain http, which shows tokens to the network (http://ram.example.com); \
         use https://, or allow_http(true) for a network you trust"
    );
    let client = builder().region("CN-Hangzhou").build().unwrap();
    assert_eq!(client.endpoint().origin(), "https://ram.cn-hangzhou.aliyuncs.com");
    let nobody = blocking::wait(client.call(&Call::rpc("ListUsers"))).unwrap_err();
    assert!(
        nobody
            .to_string()
            .starts_with("acs-client: there is no credentials provider ("),
        "{nobody}"
    );
}
