//! Signing of `http::request::Parts` in place.

use std::time::{Duration, SystemTime};

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use oss_credentials_core::Credentials;
#[cfg(feature = "v1")]
use oss_sign::v1;
use oss_sign::v4::Signer;
use oss_sign::{Refusal, RequestView, Resource, SignError};

use crate::{fixed, temporary, time};

const BUCKET: Option<&str> = Some("examplebucket");
const KEY: Option<&str> = Some("exampleobject.txt");

fn signer() -> Signer {
    Signer::builder("cn-hangzhou").build().unwrap()
}

fn parts(target: &str) -> Parts {
    let url = format!("https://examplebucket.oss-cn-hangzhou.aliyuncs.com{target}");
    Request::get(url).body(()).unwrap().into_parts().0
}

/// The vector `get-simple`.
#[test]
fn a_request_is_signed_in_place() {
    let mut parts = parts("/exampleobject.txt");
    signer()
        .sign_parts(&mut parts, BUCKET, KEY, &fixed(), time())
        .unwrap();
    let expected = [
        ("x-oss-date", "20260101T083000Z", false),
        ("x-oss-content-sha256", "UNSIGNED-PAYLOAD", false),
        ("date", "Thu, 01 Jan 2026 08:30:00 GMT", false),
        (
            "authorization",
            "OSS4-HMAC-SHA256 Credential=FakeAccessKeyId0001/20260101/cn-hangzhou/oss/aliyun_v4_request,\
             Signature=17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd",
            true,
        ),
    ];
    assert_eq!(parts.headers.len(), expected.len());
    for (name, value, sensitive) in expected {
        assert_eq!(parts.headers[name], value);
        assert_eq!(parts.headers[name].is_sensitive(), sensitive, "{name}");
    }
}

#[test]
fn in_place_is_like_by_view() {
    let mut parts = parts("/exampleobject.txt?versionId=v%2b1&acl&a%20b=");
    let name = HeaderValue::from_bytes("名字 é".as_bytes()).unwrap();
    parts.headers.insert("x-oss-meta-name", name);
    parts
        .headers
        .append("x-oss-meta-raw", HeaderValue::from_bytes(b"\xff\xfe ").unwrap());
    parts
        .headers
        .append("x-oss-meta-raw", HeaderValue::from_static("2"));
    let pairs: [(&str, &[u8]); 3] = [
        ("x-oss-meta-name", "名字 é".as_bytes()),
        ("X-Oss-Meta-Raw", b"\xff\xfe"),
        ("x-oss-meta-raw", b"2"),
    ];
    let view = RequestView::new("GET")
        .bucket(BUCKET)
        .key(KEY)
        .query(&[("acl", ""), ("versionId", "v+1"), ("a b", "")])
        .headers(&pairs);
    let signed = signer().sign(&view, &temporary(None), time()).unwrap();
    // Twice, since a retry signs what was signed before.
    for _ in 0..2 {
        signer()
            .sign_parts(&mut parts, BUCKET, KEY, &temporary(None), time())
            .unwrap();
        for header in signed.headers() {
            assert_eq!(parts.headers[header.name], header.value);
            assert_eq!(
                parts.headers.get_all(header.name).iter().count(),
                1,
                "{}",
                header.name
            );
            assert_eq!(
                parts.headers[header.name].is_sensitive(),
                header.sensitive,
                "{}",
                header.name
            );
        }
        assert_eq!(parts.headers.len(), 3 + 5);
    }
}

#[test]
fn a_token_of_other_credentials_does_not_stay() {
    let mut parts = parts("/exampleobject.txt");
    signer()
        .sign_parts(&mut parts, BUCKET, KEY, &temporary(None), time())
        .unwrap();
    assert_eq!(parts.headers["x-oss-security-token"], "FakeSecurityToken0002");
    signer()
        .sign_parts(&mut parts, BUCKET, KEY, &fixed(), time())
        .unwrap();
    assert!(!parts.headers.contains_key("x-oss-security-token"));
    let authorization = parts.headers["authorization"].to_str().unwrap();
    assert!(authorization.ends_with("17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd"));
}

/// An entry point that changes a request.
type Entry = fn(&mut Parts, Option<&str>, &Credentials, SystemTime) -> Result<(), SignError>;

const EXPIRES: Duration = Duration::from_secs(60);

/// All of them.
fn entries() -> Vec<(&'static str, Entry)> {
    let v4: [(&str, Entry); 2] = [
        ("v4 sign", |parts, key, credentials, time| {
            signer().sign_parts(parts, BUCKET, key, credentials, time)
        }),
        ("v4 presign", |parts, key, credentials, time| {
            signer()
                .presign_parts(parts, BUCKET, key, credentials, time, EXPIRES)
                .map(drop)
        }),
    ];
    #[cfg(not(feature = "v1"))]
    let v1 = [];
    #[cfg(feature = "v1")]
    let v1: [(&str, Entry); 2] = [
        ("v1 sign", |parts, key, credentials, time| {
            v1::Signer::new().sign_parts(parts, BUCKET, key, credentials, time)
        }),
        ("v1 presign", |parts, key, credentials, time| {
            v1::Signer::new()
                .presign_parts(parts, BUCKET, key, credentials, time, EXPIRES)
                .map(drop)
        }),
    ];
    v4.into_iter().chain(v1).collect()
}

/// Runs an entry point that must fail, and compares the request before and after.
fn fails(
    entry: Entry,
    parts: &mut Parts,
    key: &str,
    credentials: &Credentials,
    time: SystemTime,
) -> SignError {
    let before = (parts.uri.clone(), parts.headers.clone());
    let error = entry(parts, Some(key), credentials, time).unwrap_err();
    assert_eq!(before, (parts.uri.clone(), parts.headers.clone()), "{error}");
    error
}

#[test]
fn nothing_is_changed_on_an_error() {
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    for (name, entry) in entries() {
        let mut dated = parts("/k?a=1");
        dated.headers.insert("date", HeaderValue::from_static("before"));
        let mut twice = dated.clone();
        twice.uri = "/k?a=1&a=2".parse().unwrap();
        let mut plus = dated.clone();
        plus.uri = "/k?a=b+c".parse().unwrap();

        let error = fails(entry, &mut twice, "k", &temporary(None), time());
        assert!(
            matches!(error, SignError::DuplicateParameter { .. }),
            "{name}: {error}"
        );
        let error = fails(entry, &mut plus, "k", &temporary(None), time());
        assert!(matches!(error, SignError::InvalidQuery { .. }), "{name}: {error}");
        let error = fails(entry, &mut dated, "k", &temporary(None), before_1970);
        assert_eq!(error, SignError::TimeOutOfRange, "{name}");
        for key in [".", "..", "a/./b", "../k", "a/.."] {
            let error = fails(entry, &mut dated, key, &temporary(None), time());
            assert_eq!(error, SignError::DotSegment, "{name}");
        }
    }
}

#[test]
fn anonymous_requests_get_no_headers() {
    for (name, entry) in entries() {
        let mut parts = parts("/k");
        entry(&mut parts, Some("k"), &Credentials::anonymous(), time()).unwrap();
        assert!(parts.headers.is_empty(), "{name}");
        assert_eq!(parts.uri.query(), None, "{name}");
    }
}

#[test]
fn a_full_map_is_an_error() {
    let mut full = HeaderMap::new();
    full.insert("date", HeaderValue::from_static("before"));
    full.insert("x-oss-security-token", HeaderValue::from_static("before"));
    for number in 0_u32.. {
        let name = http::HeaderName::from_bytes(format!("x-{number}").as_bytes()).unwrap();
        if full.try_insert(name, HeaderValue::from_static("v")).is_err() {
            break;
        }
    }
    for (name, entry) in entries().into_iter().filter(|(name, _)| name.ends_with(" sign")) {
        let mut parts = parts("/k");
        parts.headers.clone_from(&full);
        assert_eq!(
            fails(entry, &mut parts, "k", &fixed(), time()),
            SignError::TooManyHeaders,
            "{name}"
        );
    }
}

#[cfg(feature = "v1")]
#[test]
fn v1_in_place_is_like_by_view() {
    let mut parts = parts("/exampleobject.txt?versionId=v%2b1&acl&a%20b=");
    let raw = HeaderValue::from_bytes(b"\xff\xfe ").unwrap();
    parts.headers.insert("x-oss-meta-raw", raw);
    let pairs: [(&str, &[u8]); 1] = [("x-oss-meta-raw", b"\xff\xfe")];
    let view = RequestView::new("GET")
        .bucket(BUCKET)
        .key(KEY)
        .query(&[("acl", ""), ("versionId", "v+1"), ("a b", "")])
        .headers(&pairs);
    let shared = v1::Signer::new();
    let signed = shared.sign(&view, &temporary(None), time()).unwrap();
    // Twice, since a retry signs what was signed before.
    for _ in 0..2 {
        shared
            .sign_parts(&mut parts, BUCKET, KEY, &temporary(None), time())
            .unwrap();
        for header in signed.headers() {
            assert_eq!(parts.headers[header.name], header.value);
            assert_eq!(
                parts.headers[header.name].is_sensitive(),
                header.sensitive,
                "{}",
                header.name
            );
        }
        assert_eq!(parts.headers.len(), 1 + 3);
    }
    // A token of other credentials does not stay.
    shared
        .sign_parts(&mut parts, BUCKET, KEY, &fixed(), time())
        .unwrap();
    assert!(!parts.headers.contains_key("x-oss-security-token"));

    let mut parts = self::parts("/exampleobject.txt?versionId=v%2b1&acl&a%20b=&Signature=old");
    parts
        .headers
        .insert("x-oss-meta-raw", HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    let in_place = shared
        .presign_parts(&mut parts, BUCKET, KEY, &temporary(None), time(), EXPIRES)
        .unwrap();
    let by_view = shared.presign(&view, &temporary(None), time(), EXPIRES).unwrap();
    assert_eq!(in_place.query(), by_view.query());
    assert_eq!(parts.uri.query(), Some(by_view.query()));
    assert_eq!(parts.uri.path(), "/exampleobject.txt");
    assert_eq!(parts.headers.len(), 1);
}

#[test]
fn a_url_is_signed_in_place() {
    let mut parts = parts("/a/.b%20c?versionId=v1&x-oss-signature=old");
    parts
        .headers
        .insert("content-type", HeaderValue::from_static("text/plain"));
    let expires = Duration::from_secs(3600);
    let presigned = signer()
        .presign_parts(
            &mut parts,
            BUCKET,
            Some("a/.b c"),
            &temporary(None),
            time(),
            expires,
        )
        .unwrap();
    assert_eq!(parts.uri.path(), "/a/.b%20c");
    assert_eq!(parts.uri.query(), Some(presigned.query()));
    assert_eq!(
        parts.uri.host(),
        Some("examplebucket.oss-cn-hangzhou.aliyuncs.com")
    );
    assert_eq!(parts.headers.len(), 1);
    let headers: [(&str, &[u8]); 1] = [("content-type", b"text/plain")];
    let view = RequestView::new("GET")
        .bucket(BUCKET)
        .key("a/.b c")
        .query(&[("versionId", "v1")])
        .headers(&headers);
    let by_view = signer()
        .presign(&view, &temporary(None), time(), expires)
        .unwrap();
    assert_eq!(by_view.query(), presigned.query());
    let required: Vec<_> = presigned.required_headers().collect();
    assert_eq!(required, headers);

    let mut relative = Request::get("/k").body(()).unwrap().into_parts().0;
    signer()
        .presign_parts(
            &mut relative,
            BUCKET,
            Some("k"),
            &temporary(None),
            time(),
            expires,
        )
        .unwrap();
    assert!(relative.uri.to_string().starts_with("/k?x-oss-credential="));
}

#[test]
fn a_uri_that_is_too_long_is_an_error() {
    let credentials = Credentials::builder("id", "secret")
        .security_token("t".repeat(70_000))
        .build()
        .unwrap();
    for (name, entry) in entries()
        .into_iter()
        .filter(|(name, _)| name.ends_with(" presign"))
    {
        let error = fails(entry, &mut parts("/k"), "k", &credentials, time());
        assert_eq!(error, SignError::InvalidUri, "{name}");
    }
}

#[test]
fn bucket_and_key_are_found_in_each_style_of_uri() {
    let endpoint = "https://OSS-cn-hangzhou.aliyuncs.com/";
    let read = |uri: &str, bucket: Option<&str>| {
        let found = Resource::of_uri(&uri.parse().unwrap(), endpoint, bucket)?;
        Ok::<_, SignError>((found.bucket.unwrap_or_default(), found.key.unwrap_or_default()))
    };
    for (uri, bucket, key) in [
        ("https://b.oss-cn-hangzhou.aliyuncs.com/a/b%20c%2B", "b", "a/b c+"),
        ("https://B.OSS-CN-hangzhou.aliyuncs.com/?list-type=2", "b", ""),
        ("https://oss-cn-hangzhou.aliyuncs.com/b/%E5%90%8D", "b", "名"),
        ("https://oss-cn-hangzhou.aliyuncs.com/", "", ""),
    ] {
        let expected = (bucket.to_owned(), key.to_owned());
        assert_eq!(read(uri, None).unwrap(), expected, "{uri}");
    }
    let custom = "https://files.example.com/k";
    assert!(matches!(read(custom, None), Err(SignError::UnknownHost { .. })));
    assert_eq!(
        read(custom, Some("mine")).unwrap(),
        ("mine".to_owned(), "k".to_owned())
    );
    for other in ["https://boss-cn-hangzhou.aliyuncs.com/k", "https://名.example/k"] {
        let Ok(uri) = other.parse() else { continue };
        let found = Resource::of_uri(&uri, endpoint, None);
        assert!(matches!(found, Err(SignError::UnknownHost { .. })), "{other}");
    }
    let not_utf8 = read("https://oss-cn-hangzhou.aliyuncs.com/b/%FF", None);
    assert_eq!(not_utf8, Err(SignError::InvalidUri));

    let uri = "https://user:canary@files.example.com/k".parse().unwrap();
    let error = Resource::of_uri(&uri, "https://user:canary@oss-cn-hangzhou.aliyuncs.com", None).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    assert!(error.to_string().contains("files.example.com"), "{error}");
}

/// A refusal of HEAD has no body: its document is in a header.
#[test]
fn a_refusal_is_read_from_the_body_or_the_header() {
    let refused = StatusCode::FORBIDDEN;
    let document = b"<Error><Code>InvalidSecurityToken</Code></Error>";
    let mut headers = HeaderMap::new();
    assert_eq!(Refusal::of_http(refused, &headers, document), Some(Refusal::Key));
    assert_eq!(Refusal::of_http(StatusCode::OK, &headers, document), None);
    assert_eq!(Refusal::of_http(refused, &headers, b""), None);
    // "<Error><Code>SecurityTokenExpired</Code></Error>" in base64.
    let encoded = "PEVycm9yPjxDb2RlPlNlY3VyaXR5VG9rZW5FeHBpcmVkPC9Db2RlPjwvRXJyb3I+";
    headers.insert("x-oss-err", HeaderValue::from_static(encoded));
    assert_eq!(Refusal::of_http(refused, &headers, b""), Some(Refusal::Key));
    assert_eq!(Refusal::of_http(refused, &headers, b"<Error/>"), None);
}
