//! What holds for every request.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::time::{Duration, SystemTime};

use acs_sign::{ApiRequest, SignError, acs3, encode_pairs, percent_encode, rpc};
use oss_credentials_core::Credentials;
use proptest::prelude::*;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

fn credentials() -> Credentials {
    Credentials::builder("STS.NUExampleTempKeyId", "canary-secret")
        .security_token("canary-token")
        .build()
        .unwrap()
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

fn params() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("[A-Za-z0-9._~* é]{1,6}", ".{0,12}"), 0..6)
}

fn two_orders<T: Clone + std::fmt::Debug>(
    items: impl Strategy<Value = Vec<T>>,
) -> impl Strategy<Value = (Vec<T>, Vec<T>)> {
    items.prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle()))
}

proptest! {
    #[test]
    fn the_order_of_parameters_does_not_matter((one, other) in two_orders(params())) {
        prop_assert_eq!(rpc::string_to_sign("POST", &one), rpc::string_to_sign("post", &other));
        prop_assert_eq!(acs3::canonical_query(&one), acs3::canonical_query(&other));
    }

    #[test]
    fn where_rpc_parameters_travel_does_not_matter(params in params(), split in any::<prop::sample::Index>()) {
        let params = borrowed(&params);
        let at = if params.is_empty() { 0 } else { split.index(params.len()) };
        let sign = |query: &[(&str, &str)], form: &[(&str, &str)]| {
            let request = ApiRequest::new("POST", "h", "A", "V").query(query).form(form);
            let signed = rpc::sign(&request, &credentials(), now(), "n").unwrap();
            signed.query().last().unwrap().value().to_owned()
        };
        prop_assert_eq!(sign(&params, &[]), sign(&params[..at], &params[at..]));
    }

    #[test]
    fn order_and_case_of_headers_do_not_matter(
        (one, other) in two_orders(prop::collection::vec(("x-acs-[a-z0-9-]{1,5}", "[ -~]{0,8}"), 0..5))
    ) {
        let loud: Vec<_> =
            other.iter().map(|(name, value)| (name.to_uppercase(), format!(" {value}\t"))).collect();
        prop_assert_eq!(acs3::canonical_headers(&one), acs3::canonical_headers(&loud));
        prop_assert_eq!(acs3::signed_headers(&one), acs3::signed_headers(&loud));
    }

    #[test]
    fn encoding_is_reversible_and_in_the_alphabet(raw in any::<String>()) {
        let encoded = percent_encode(&raw);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b);
        prop_assert!(encoded.bytes().all(allowed));
        let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
        prop_assert_eq!(decoded, raw);
    }

    #[test]
    fn signing_a_request_twice_gives_the_same(params in params()) {
        let params = borrowed(&params);
        let request = ApiRequest::new("POST", "h", "A", "V").query(&params);
        let sign = || acs3::sign(&request, &credentials(), now(), "n").unwrap();
        prop_assert_eq!(
            sign().headers().last().unwrap().value().to_owned(),
            sign().headers().last().unwrap().value().to_owned()
        );
    }

    #[test]
    fn what_is_signed_can_be_checked_by_the_receiver(query in params(), form in params()) {
        let (query, form) = (borrowed(&query), borrowed(&form));
        let request = ApiRequest::new("POST", "127.0.0.1:8080", "A", "V").query(&query).form(&form);
        let signed = rpc::sign(&request, &credentials(), now(), "n").unwrap();
        let mut received = [query.clone(), form.clone()].concat();
        received.extend(signed.query().iter().map(|added| (added.name(), added.value())));
        let expected = rpc::signature("canary-secret", &rpc::string_to_sign("POST", &received));
        let sent = received.iter().find(|(name, _)| *name == rpc::SIGNATURE).unwrap().1;
        prop_assert_eq!(sent, expected);

        let signed = acs3::sign(&request, &credentials(), now(), "n").unwrap();
        let mut headers: Vec<_> = signed.headers().iter().map(|a| (a.name(), a.value())).collect();
        headers.push(("host", "127.0.0.1:8080"));
        let value = headers.iter().find(|(name, _)| *name == "authorization").unwrap().1;
        let parsed = acs3::Authorization::parse(value).unwrap();
        headers.retain(|(name, _)| parsed.signed_headers.split(';').any(|signed| signed == *name));
        let hash = acs3::content_sha256(encode_pairs(form.iter().copied()).as_bytes());
        let canonical = acs3::canonical_request("POST", "/", &query, &headers, &hash);
        let expected = acs3::signature("canary-secret", &acs3::string_to_sign(&canonical));
        prop_assert_eq!(parsed.signature, expected);
    }

    #[test]
    fn parsing_an_authorization_header_never_panics(value in any::<String>()) {
        let _ = acs3::Authorization::parse(&value);
        let _ = acs3::Authorization::parse(&format!("{} {value}", acs3::ALGORITHM));
    }
}

#[test]
fn methods_are_signed_in_upper_case() {
    let none: [(&str, &str); 0] = [];
    let canonical = |method: &str| acs3::canonical_request(method, "", &none, &none, acs3::EMPTY_SHA256);
    assert_eq!(
        canonical("post"),
        format!("POST\n/\n\n\n\n{}", acs3::EMPTY_SHA256)
    );
    assert_eq!(rpc::string_to_sign("get", &none), "GET&%2F&");
}

#[test]
fn anonymous_requests_are_left_alone() {
    let request = ApiRequest::new("POST", "h", "A", "V").query(&[("Action", "A")]);
    let anonymous = Credentials::anonymous();
    assert!(rpc::sign(&request, &anonymous, now(), "n").unwrap().is_empty());
    assert!(acs3::sign(&request, &anonymous, now(), "n").unwrap().is_empty());
}

#[test]
fn what_the_signer_sets_must_not_be_there_already() {
    let credentials = credentials();
    for name in [
        "Signature",
        "AccessKeyId",
        "SecurityToken",
        "Timestamp",
        "SignatureNonce",
        "Action",
    ] {
        let pairs = [(name, "canary")];
        let base = ApiRequest::new("POST", "h", "A", "V");
        for request in [base.query(&pairs), base.form(&pairs)] {
            let error = rpc::sign(&request, &credentials, now(), "n").unwrap_err();
            assert_eq!(
                error,
                SignError::Reserved {
                    name: name.to_owned()
                }
            );
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
    for name in [
        "Authorization",
        "host",
        "X-Acs-Date",
        "x-acs-security-token",
        "x-acs-signature-nonce",
    ] {
        let headers = [(name, "canary")];
        let request = ApiRequest::new("POST", "h", "A", "V").headers(&headers);
        let error = acs3::sign(&request, &credentials, now(), "n").unwrap_err();
        assert_eq!(
            error,
            SignError::Reserved {
                name: name.to_ascii_lowercase()
            }
        );
    }
}

#[test]
fn what_would_make_the_signed_text_ambiguous_is_refused() {
    let credentials = credentials();
    let acs3 = |request: ApiRequest<'_>, nonce: &str| acs3::sign(&request, &credentials, now(), nonce);
    let base = ApiRequest::new("POST", "h", "A", "V");
    let invalid = |name: &str| SignError::InvalidValue {
        name: name.to_owned(),
    };
    assert_eq!(acs3(base, "").unwrap_err(), invalid("x-acs-signature-nonce"));
    assert_eq!(acs3(base, "a\nb").unwrap_err(), invalid("x-acs-signature-nonce"));
    assert_eq!(acs3(base.path("/a?b"), "n").unwrap_err(), invalid("path"));
    assert_eq!(acs3(base.path("/a b"), "n").unwrap_err(), invalid("path"));
    assert_eq!(
        acs3(base.headers(&[("x-acs-a", "v\nx-acs-b:w")]), "n").unwrap_err(),
        invalid("x-acs-a")
    );
    assert_eq!(
        acs3(base.headers(&[("x-acs-a:b", "v")]), "n").unwrap_err(),
        invalid("x-acs-a:b")
    );
    assert_eq!(
        acs3(base.body_sha256("AB"), "n").unwrap_err(),
        invalid("x-acs-content-sha256")
    );
    let host = ApiRequest::new("POST", "h\nx", "A", "V");
    assert_eq!(acs3(host, "n").unwrap_err(), invalid("host"));
    assert_eq!(
        rpc::sign(&base, &credentials, now(), "").unwrap_err(),
        invalid("SignatureNonce")
    );
    let bytes = rpc::sign(&base.body(b"{}"), &credentials, now(), "n").unwrap_err();
    assert_eq!(bytes, SignError::UnsupportedBody);
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
    assert_eq!(
        rpc::sign(&base, &credentials, far, "n").unwrap_err(),
        SignError::InvalidTime
    );
    assert_eq!(
        acs3::sign(&base, &credentials, far, "n").unwrap_err(),
        SignError::InvalidTime
    );
}

#[test]
fn nothing_sensitive_is_shown() {
    let form = [("Policy", "canary")];
    let request = ApiRequest::new("POST", "h", "A", "V")
        .query(&[("q", "canary")])
        .form(&form);
    let by_rpc = rpc::sign(&request, &credentials(), now(), "n").unwrap();
    let by_acs3 = acs3::sign(&request, &credentials(), now(), "n").unwrap();
    let shown = format!("{request:?} {by_rpc:?} {by_acs3:?}");
    for hidden in [
        "canary",
        "STS.NUExampleTempKeyId",
        by_rpc.query().last().unwrap().value(),
    ] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    assert!(shown.contains("x-acs-date: 2026-01-02T03:04:05Z"), "{shown}");
    let authorization = acs3::authorization("STS.NUExampleTempKeyId", "host", "canary");
    let parsed = acs3::Authorization::parse(&authorization).unwrap();
    assert_eq!(
        format!("{parsed:?}"),
        "Authorization(STS.****eyId, host, <redacted>)"
    );
}

#[test]
fn a_form_gets_its_content_type_unless_it_has_one() {
    let request = ApiRequest::new("POST", "h", "A", "V").form(&[("a", "b")]);
    let types = |request: ApiRequest<'_>| {
        let signed = acs3::sign(&request, &credentials(), now(), "n").unwrap();
        signed
            .headers()
            .iter()
            .filter(|added| added.name() == "content-type")
            .count()
    };
    assert_eq!(types(request), 1);
    assert_eq!(
        types(request.headers(&[("Content-Type", "application/x-www-form-urlencoded")])),
        0
    );
}

#[test]
fn format_is_json_unless_the_caller_asks_for_another() {
    let request = ApiRequest::new("GET", "h", "A", "V");
    let formats = |request: ApiRequest<'_>| {
        let signed = rpc::sign(&request, &credentials(), now(), "n").unwrap();
        signed
            .query()
            .iter()
            .filter(|a| a.name() == "Format")
            .map(|a| a.value().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(formats(request), ["JSON"]);
    assert!(formats(request.query(&[("Format", "XML")])).is_empty());
}

#[test]
fn foreign_authorization_headers_are_not_understood() {
    for value in [
        "",
        "Basic abc",
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=b",
        "ACS3-HMAC-SHA256 Credential=a,Credential=a,SignedHeaders=b,Signature=c",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=b,Signature=c,Extra=d",
        "ACS3-HMAC-SHA256X Credential=a,SignedHeaders=b,Signature=c",
    ] {
        assert_eq!(acs3::Authorization::parse(value), None, "{value}");
    }
}
