//! Cross-origin requests of pages.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::Duration;

use oss_sign::{RequestView, v4};
use oss_testkit::LocalCloud;
use support::*;

const PAGE: &str = "https://app.example.com";

const RULES: &str = "<CORSConfiguration>\
    <CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
    <AllowedMethod>GET</AllowedMethod><AllowedHeader>Content-Type</AllowedHeader>\
    <AllowedHeader>x-oss-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>\
    <ExposeHeader>x-oss-request-id</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>\
    </CORSConfiguration>";

fn cloud_with_rules() -> LocalCloud {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let reply = Oss::new(&cloud, &key).call_with("PUT", "", &[("cors", "")], &[], RULES.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.body);
    cloud
}

/// What a browser sends first.
fn preflight(cloud: &LocalCloud, origin: &str, method: &str, headers: &str) -> Reply {
    let target = format!("/{}/k?x-oss-signature=of-another-method", cloud.bucket());
    let headers = [
        ("Origin", origin),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", headers),
    ];
    send(&cloud.oss_endpoint(), "OPTIONS", &target, &headers, b"").unwrap()
}

/// The headers that a browser looks at, in the order of their names.
fn allowed(reply: &Reply) -> Vec<(&str, &str)> {
    let headers = reply.headers.iter();
    let mut found: Vec<_> = headers
        .filter_map(|(name, value)| Some((name.strip_prefix("access-control-")?, value.as_str())))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn a_bucket_without_rules_lets_no_page_in() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let reply = preflight(&cloud, PAGE, "PUT", "");
    assert_eq!(reply.refusal(), (403, "AccessForbidden".to_owned()));
    assert_eq!(allowed(&reply), []);
    assert_eq!(cloud.requests()[0].action(), "OptionObject");
}

#[test]
fn the_first_rule_that_covers_a_preflight_decides() {
    let cloud = cloud_with_rules();
    let reply = preflight(&cloud, PAGE, "PUT", "content-type, X-Oss-Forbid-Overwrite");
    assert_eq!(reply.status, 200);
    assert_eq!(
        allowed(&reply),
        [
            ("allow-headers", "content-type, X-Oss-Forbid-Overwrite"),
            ("allow-methods", "PUT"),
            ("allow-origin", PAGE),
            ("expose-headers", "ETag, x-oss-request-id"),
            ("max-age", "60"),
        ]
    );
    let second = preflight(&cloud, "http://elsewhere.test", "HEAD", "");
    assert_eq!(second.status, 200);
    assert_eq!(
        allowed(&second),
        [
            ("allow-methods", "HEAD"),
            ("allow-origin", "http://elsewhere.test")
        ]
    );
    for (origin, method, headers) in [
        ("http://app.example.com", "PUT", ""),
        (PAGE, "DELETE", ""),
        (PAGE, "PUT", "content-type, authorization"),
        ("http://elsewhere.test", "HEAD", "x-oss-meta-a"),
    ] {
        let reply = preflight(&cloud, origin, method, headers);
        assert_eq!(
            reply.refusal(),
            (403, "AccessForbidden".to_owned()),
            "{origin} {method}"
        );
        assert_eq!(allowed(&reply), [], "{origin} {method}");
    }
}

/// Errors too: a page could not say otherwise why an upload failed.
#[test]
fn responses_to_a_page_let_it_read_them() {
    let cloud = cloud_with_rules();
    let bucket = cloud.bucket().to_owned();
    let put = |origin: &str, target: &str| {
        send(&cloud.oss_endpoint(), "PUT", target, &[("Origin", origin)], b"v").unwrap()
    };
    let view = RequestView::new("PUT").bucket(bucket.as_str()).key("k");
    let signer = v4::Signer::builder(cloud.region()).build().unwrap();
    let lifetime = Duration::from_secs(60);
    let presigned = signer
        .presign(&view, &cloud.access_key(), now(), lifetime)
        .unwrap();
    let target = presigned.url(&format!("/{bucket}/k"));
    for (target, status) in [(target.as_str(), 200), (&format!("/{bucket}/k"), 403)] {
        let reply = put(PAGE, target);
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(
            reply.header("access-control-expose-headers"),
            Some("ETag, x-oss-request-id")
        );
        let reply = put("https://elsewhere.test", target);
        assert_eq!((reply.status, allowed(&reply)), (status, vec![]));
    }
}

#[test]
fn rules_are_read_back_and_removed() {
    let cloud = cloud_with_rules();
    let key = cloud.access_key();
    let ask = |method, body: &str| {
        Oss::new(&cloud, &key).call_with(method, "", &[("cors", "")], &[], body.as_bytes())
    };
    assert!(ask("GET", "").body.contains(RULES), "{}", ask("GET", "").body);
    for rules in [
        "",
        "<CORSConfiguration/>",
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
        "<CORSConfiguration><CORSRule><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>",
        &RULES.replace("60", "soon"),
    ] {
        assert_eq!(
            ask("PUT", rules).refusal(),
            (400, "MalformedXML".to_owned()),
            "{rules}"
        );
    }
    assert!(ask("GET", "").body.contains(RULES));
    assert_eq!(ask("DELETE", "").status, 204);
    assert_eq!(
        ask("GET", "").refusal(),
        (404, "NoSuchCORSConfiguration".to_owned())
    );
    assert_eq!(preflight(&cloud, PAGE, "PUT", "").status, 403);
}
