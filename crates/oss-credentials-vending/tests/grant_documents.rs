//! What a grant looks like, and what it refuses to contain.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

mod service;

use std::time::Duration;

use oss_credentials_core::blocking::wait;
use oss_credentials_vending::{
    BucketAddress, FormRequest, Grant, GrantBuilder, GrantError, PolicyError, Session, SessionRequest,
    UrlRequest,
};
use serde_json::{Value, json};

use service::Sts;

fn session(sts: &Sts) -> Session {
    wait(sts.vendor().build().session(&SessionRequest::new("tenant-1"))).unwrap()
}

fn builder() -> GrantBuilder {
    Grant::builder(&BucketAddress::new("uploads", "cn-hangzhou").unwrap())
}

fn document(grant: &Grant) -> Value {
    serde_json::from_str(&grant.to_json()).unwrap()
}

#[test]
fn the_document_states_what_a_page_needs() {
    let grant = builder()
        .url(UrlRequest::get("t/1/a b"))
        .urls([UrlRequest::put("t/1/b")
            .content_type("text/plain")
            .content_length(12)])
        .form(FormRequest::below("t/1/").content_types(["image/png", "image/jpeg"]))
        .form(
            FormRequest::key("t/1/c")
                .content_length_range(1..=9)
                .success_status(200),
        )
        .sign(&session(&Sts::new()))
        .unwrap();
    let grant = document(&grant);
    assert!(grant.get("credentials").is_none());
    let [get, put] = grant["urls"].as_array().unwrap().as_slice() else {
        unreachable!("two URLs");
    };
    let start = "https://uploads.oss-cn-hangzhou.aliyuncs.com/t/1/a%20b?x-oss-credential=STS.tenant-1.1%2F20260102%2F";
    assert!(get["url"].as_str().unwrap().starts_with(start), "{get}");
    assert_eq!((&get["method"], &get["key"]), (&json!("GET"), &json!("t/1/a b")));
    assert_eq!((&get["headers"], get.get("contentLength")), (&json!({}), None));
    assert_eq!(
        (&get["validUntil"], &get["limitedBy"]),
        (&json!("2026-01-02T03:19:05Z"), &json!("lifetime"))
    );
    assert_eq!(put["headers"], json!({ "content-type": "text/plain" }));
    assert_eq!(put["contentLength"], 12);
    let [below, key] = grant["forms"].as_array().unwrap().as_slice() else {
        unreachable!("two forms");
    };
    assert_eq!(below["url"], "https://uploads.oss-cn-hangzhou.aliyuncs.com/");
    assert_eq!(below["keyPrefix"], "t/1/");
    assert_eq!(below["contentTypes"], json!(["image/png", "image/jpeg"]));
    assert_eq!(below["fields"].get("key"), None);
    assert_eq!(below["fields"]["x-oss-security-token"], "token-of-STS.tenant-1.1");
    assert_eq!(
        (&key["fields"]["key"], key.get("keyPrefix")),
        (&json!("t/1/c"), None)
    );
    assert_eq!(key["fields"]["success_action_status"], "200");
    assert_eq!(key["contentLengthRange"], json!([1, 9]));
    assert_eq!(key["limitedBy"], "lifetime");
}

#[test]
fn the_document_contains_the_credentials_on_request() {
    let session = session(&Sts::new());
    let grant = builder().credentials().sign(&session).unwrap();
    let own: Value = serde_json::from_str(&session.to_json()).unwrap();
    assert_eq!(
        document(&grant),
        json!({ "credentials": own, "urls": [], "forms": [] })
    );
}

#[test]
fn the_document_names_what_limits_the_grant() {
    let sts = Sts::new();
    let limit = |lifetime: u64| {
        let grant = builder()
            .lifetime(Duration::from_secs(lifetime))
            .url(UrlRequest::get("a"))
            .sign(&session(&sts))
            .unwrap();
        let url = document(&grant)["urls"][0].take();
        (url["limitedBy"].clone(), url["validUntil"].clone())
    };
    assert_eq!(limit(3599), (json!("lifetime"), json!("2026-01-02T04:04:04Z")));
    assert_eq!(limit(3601), (json!("session"), json!("2026-01-02T04:04:05Z")));
    sts.lifetime(Duration::from_secs(8 * 86_400));
    assert_eq!(
        limit(7 * 86_400),
        (json!("sevenDays"), json!("2026-01-09T03:04:05Z"))
    );
}

/// The service checks the date of a signature, so the local clock's error must not be part of it.
#[test]
fn the_lifetime_begins_when_the_session_is_handed_out() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let request = SessionRequest::new("tenant-1");
    wait(vendor.session(&request)).unwrap();
    sts.clock().advance(Duration::from_secs(600));
    let session = wait(vendor.session(&request)).unwrap();
    let grant = builder().url(UrlRequest::get("a")).sign(&session).unwrap();
    let url = grant.urls()[0].url();
    assert!(
        url.contains("&x-oss-date=20260102T031405Z&x-oss-expires=900&"),
        "{url}"
    );
}

#[test]
fn another_url_of_the_bucket_comes_before_the_key() {
    let session = session(&Sts::new());
    for (url, start) in [
        ("https://files.example.com", "https://files.example.com/a/b?"),
        ("https://files.example.com/", "https://files.example.com/a/b?"),
        (
            "http://127.0.0.1:9000/uploads",
            "http://127.0.0.1:9000/uploads/a/b?",
        ),
    ] {
        let bucket = BucketAddress::new("uploads", "cn-hangzhou")
            .unwrap()
            .url(url)
            .unwrap();
        let grant = Grant::builder(&bucket)
            .url(UrlRequest::get("a/b"))
            .sign(&session)
            .unwrap();
        assert!(grant.urls()[0].url().starts_with(start), "{url}");
    }
}

#[test]
fn what_cannot_work_is_refused() {
    let session = session(&Sts::new());
    let text = |grant: GrantBuilder| grant.sign(&session).unwrap_err().to_string();
    assert!(matches!(builder().sign(&session), Err(GrantError::Empty)));
    for grant in [
        builder().url(UrlRequest::get("")),
        builder().form(FormRequest::key("")),
    ] {
        assert!(matches!(grant.sign(&session), Err(GrantError::NoKey)));
    }
    let form = |form: FormRequest| builder().form(form);
    assert!(matches!(
        form(FormRequest::below("tenants/4")).sign(&session),
        Err(GrantError::Name(PolicyError::OpenPrefix(_)))
    ));
    for (prefix, pattern) in [("t/*/", "*"), ("t?/", "?"), ("t/${filename}/", "${")] {
        assert!(
            matches!(
                form(FormRequest::below(prefix)).sign(&session),
                Err(GrantError::Name(PolicyError::Pattern { part: "prefix", found, .. })) if found == pattern
            ),
            "{prefix}"
        );
    }
    assert!(matches!(
        form(FormRequest::key("t/${filename}")).sign(&session),
        Err(GrantError::Placeholder)
    ));
    #[expect(clippy::reversed_empty_ranges, reason = "it is to be refused")]
    let reversed = FormRequest::key("a").content_length_range(2..=1);
    for (grant, expected) in [
        (
            builder().url(UrlRequest::get("t/../a")),
            "oss-sign: the key has a segment . or ..",
        ),
        (
            form(FormRequest::below("t/../")),
            "oss-sign: the key has a segment . or ..",
        ),
        (
            form(reversed),
            "oss-sign: in the POST policy, \"content-length-range\"",
        ),
        (
            builder().url(UrlRequest::put("a").content_type("a\nb")),
            "oss-sign: the header \"content-type\" cannot be sent",
        ),
        (
            builder().url(UrlRequest::get("a")).lifetime(Duration::ZERO),
            "oss-sign: a presigned URL cannot live for 0 seconds",
        ),
    ] {
        let text = text(grant);
        assert!(text.starts_with(expected), "{text}");
    }
    assert!(matches!(
        BucketAddress::new("Uploads", "cn-hangzhou"),
        Err(GrantError::Name(PolicyError::Bucket(_)))
    ));
    assert!(matches!(
        BucketAddress::new("uploads", "oss-cn-hangzhou"),
        Err(GrantError::Sign(_))
    ));
    let bucket = BucketAddress::new("uploads", "cn-hangzhou").unwrap();
    assert!(matches!(
        bucket.clone().url("files.example.com"),
        Err(GrantError::Url(_))
    ));
    for url in [
        "https://user:canary@files.example.com",
        "https://files.example.com/?canary",
    ] {
        let error = bucket.clone().url(url).unwrap_err();
        assert!(matches!(error, GrantError::UrlParts));
        assert!(!error.to_string().contains("canary"));
    }
}

#[test]
fn an_expired_session_signs_nothing() {
    let sts = Sts::new();
    sts.lifetime(Duration::ZERO);
    // STS issues no such session, and a vendor that is given one refuses it.
    let vendor = sts.vendor().build();
    assert!(wait(vendor.session(&SessionRequest::new("tenant-1"))).is_err());
}

#[test]
fn secrets_are_not_shown() {
    let grant = builder()
        .url(UrlRequest::get("a"))
        .form(FormRequest::key("b"))
        .credentials()
        .sign(&session(&Sts::new()))
        .unwrap();
    let signature = grant.urls()[0].url();
    let (_, signature) = signature.split_once("x-oss-signature=").unwrap();
    let policy = grant.forms()[0]
        .fields()
        .find(|(name, _)| *name == "policy")
        .unwrap()
        .1;
    let shown = format!("{grant:?}");
    for secret in ["secret-of", "token-of", &signature[..64], policy] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
