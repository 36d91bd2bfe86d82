//! Signatures that were received, and signing whatever a caller has.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use oss_credentials_core::Credentials;
use oss_sign::{RequestView, v1, v4};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut parts = text.split('\n');
    let mut next = || parts.next().unwrap_or_default();
    let (received, key, name, value) = (next(), next(), next(), next());
    let query: Vec<(&str, &str)> = received
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let headers = [(name, value.as_bytes())];
    let view = RequestView::new("GET")
        .bucket("examplebucket")
        .key(key)
        .query(&query)
        .headers(&headers);

    if let Ok(authorization) = v4::Authorization::parse(received) {
        let _ = authorization.verify(&view, "secret");
    }
    if let Ok(authorization) = v1::Authorization::parse(received) {
        let _ = authorization.verify(&view, "secret");
    }
    if let Ok(Some(authorization)) = v4::Authorization::parse_query(&query) {
        let _ = authorization.verify(&view, "secret");
    }
    if let Ok(Some(authorization)) = v1::Authorization::parse_query(&query) {
        let _ = authorization.verify(&view, "secret");
    }

    // What we sign, we accept.
    let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
    let signer = v4::Signer::builder("cn-hangzhou").build().unwrap();
    if let Ok(signed) = signer.sign(&view, &credentials, time) {
        // A header that signing brings takes the place of the caller's.
        let mut all: Vec<(&str, &[u8])> = signed
            .headers()
            .map(|header| (header.name, header.value.as_bytes()))
            .collect();
        let brought = all.iter().any(|(brought, _)| brought.eq_ignore_ascii_case(name));
        all.extend(headers.iter().filter(|_| !brought));
        let authorization = v4::Authorization::parse(signed.authorization()).unwrap();
        let again = authorization
            .verify(&view.headers(&all), "FakeAccessKeySecret0001")
            .unwrap();
        assert!(again.matches(), "{:?}", again.explained());
    }
});
