//! How often signing asks for memory, once the key of the day is there.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, SystemTime};

use allocation_counter::measure;
use http::{HeaderMap, HeaderValue, Request};
use oss_credentials_core::Credentials;
use oss_sign::RequestView;
use oss_sign::v4::Signer;

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)
}

fn credentials(token_length: usize) -> Credentials {
    Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("t/".repeat(token_length / 2))
        .build()
        .unwrap()
}

#[test]
fn signing_by_headers_allocates_at_most_twice() {
    let signer = Signer::builder("cn-hangzhou").build().unwrap();
    for length in [0, 140, 720] {
        let credentials = credentials(length);
        let mut parts = Request::get("https://b.oss-cn-hangzhou.aliyuncs.com/k%20k?versionId=v%201&acl")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        parts.headers = HeaderMap::with_capacity(16);
        parts
            .headers
            .insert("x-oss-meta-a", HeaderValue::from_static("1"));
        parts
            .headers
            .insert("content-type", HeaderValue::from_static("text/plain"));
        let mut sign = || {
            signer
                .sign_parts(&mut parts, Some("b"), Some("k k"), &credentials, time())
                .unwrap();
        };
        sign();
        let counted = measure(sign);
        assert!(
            counted.count_total <= 2,
            "{} for a token of {length} bytes",
            counted.count_total
        );
    }
}

#[test]
fn presigning_allocates_once() {
    let signer = Signer::builder("cn-hangzhou").build().unwrap();
    for length in [0, 140, 720] {
        let credentials = credentials(length);
        let query = [
            ("versionId", "v 1"),
            ("response-content-type", "text/plain; charset=utf-8"),
        ];
        let view = RequestView::new("GET")
            .bucket("examplebucket")
            .key("path/übung 1.txt")
            .query(&query);
        let expires = Duration::from_secs(3600);
        let presign = || signer.presign(&view, &credentials, time(), expires).unwrap();
        presign();
        let counted = measure(|| drop(presign()));
        assert_eq!(counted.count_total, 1, "for a token of {length} bytes");
    }
}

/// V1 keeps nothing from one request to the next, so each header value is made anew.
#[cfg(feature = "v1")]
#[test]
fn v1_allocates_for_what_it_gives_and_nothing_else() {
    use oss_sign::v1;

    let signer = v1::Signer::new();
    for (length, headers) in [(0, 3), (140, 5), (720, 5)] {
        let credentials = credentials(length);
        let mut parts = Request::get("https://b.oss-cn-hangzhou.aliyuncs.com/k?versionId=v1&acl")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        parts.headers = HeaderMap::with_capacity(16);
        let mut sign = || {
            signer
                .sign_parts(&mut parts, Some("b"), Some("k"), &credentials, time())
                .unwrap();
        };
        sign();
        let counted = measure(sign);
        assert!(
            counted.count_total <= headers,
            "{} with {length}",
            counted.count_total
        );

        let query = [("versionId", "v 1"), ("acl", "")];
        let view = RequestView::new("GET").bucket("b").key("ü 1.txt").query(&query);
        let presign = || {
            signer
                .presign(&view, &credentials, time(), Duration::from_secs(3600))
                .unwrap()
        };
        let counted = measure(|| drop(presign()));
        assert_eq!(
            counted.count_total, 2,
            "the URL and the end as text, with {length}"
        );
    }
}
