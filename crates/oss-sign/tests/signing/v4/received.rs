//! Received requests, as a server verifies them.

use oss_sign::v4::Authorization;
use oss_sign::{RequestView, SignError};

use super::signer;
use crate::{fixed, simple, time};

#[test]
fn received_authorizations_are_read_in_all_their_spellings() {
    let scope = "20260101/cn-hangzhou/oss/aliyun_v4_request";
    for value in [
        format!("OSS4-HMAC-SHA256 Credential=a/b/{scope},AdditionalHeaders=host;Range,Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential=a/b/{scope}, Signature=00, AdditionalHeaders=host;Range"),
        format!("OSS4-HMAC-SHA256  Signature=00,  AdditionalHeaders=host;Range, Credential=a/b/{scope}"),
    ] {
        let read = Authorization::parse(&value).unwrap();
        assert_eq!(read.access_key_id(), "a/b");
        assert_eq!(read.scope(), scope);
        assert_eq!(
            (read.day(), read.region(), read.product()),
            ("20260101", "cn-hangzhou", "oss")
        );
        assert_eq!(read.additional_headers().collect::<Vec<_>>(), ["host", "Range"]);
        assert_eq!(read.signature(), "00");
        assert!(!read.is_query());
    }
    for value in [
        String::new(),
        "OSS id:signature".to_owned(),
        "OSS4-HMAC-SHA256".to_owned(),
        format!("OSS4-HMAC-SHA256X Credential=a/{scope},Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential={scope},Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential=/{scope},Signature=00"),
        format!("OSS4-HMAC-SHA256 Credential=a/{scope}"),
        "OSS4-HMAC-SHA256 Signature=00".to_owned(),
        format!("OSS4-HMAC-SHA256 Credential=a/{scope},Signature=00,More=1"),
        "OSS4-HMAC-SHA256 Credential=a/2026/r/oss/aliyun_v4_request,Signature=00".to_owned(),
        "OSS4-HMAC-SHA256 Credential=a/20260101/r/oss/aws4_request,Signature=00".to_owned(),
    ] {
        assert!(
            matches!(
                Authorization::parse(&value),
                Err(SignError::MalformedAuthorization { .. })
            ),
            "{value}"
        );
    }
}

#[test]
fn received_parameters_are_checked() {
    let good = [
        ("x-oss-signature-version", "OSS4-HMAC-SHA256"),
        ("x-oss-date", "20260101T083000Z"),
        ("x-oss-expires", "3600"),
        (
            "x-oss-credential",
            "id/20260101/cn-hangzhou/oss/aliyun_v4_request",
        ),
        ("x-oss-security-token", ""),
        ("x-oss-signature", "00"),
    ];
    let read = Authorization::parse_query(&good).unwrap().unwrap();
    assert_eq!(read.date(), Some("20260101T083000Z"));
    assert_eq!(read.expires_seconds(), Some(3600));
    assert_eq!(read.security_token(), None);
    assert!(read.is_query());
    assert!(
        Authorization::parse_query(&good[1..]).unwrap().is_none(),
        "not signed by V4"
    );
    for at in [0, 2, 3] {
        for bad in ["", "x", "-1", "+1"] {
            let mut pairs = good;
            pairs[at].1 = bad;
            assert!(Authorization::parse_query(&pairs).is_err(), "{pairs:?}");
        }
    }
    for at in [1, 2, 3, 5] {
        let mut pairs = good.to_vec();
        pairs.remove(at);
        assert!(Authorization::parse_query(&pairs).is_err(), "{pairs:?}");
    }
}

#[test]
fn a_received_request_must_carry_the_day_of_its_scope() {
    let signed = signer().sign(&simple(), &fixed(), time()).unwrap();
    let authorization = Authorization::parse(signed.authorization()).unwrap();
    for date in [
        &b""[..],
        b"20260102T083000Z",
        b"20260101T083000",
        b"20260101 083000Z",
        b"2026010\xffT083000Z",
    ] {
        let headers = [("x-oss-date", date)];
        let error = authorization
            .verify(&simple().headers(&headers), "s")
            .unwrap_err();
        assert_eq!(error, SignError::MalformedAuthorization { what: "x-oss-date" });
    }
}

#[test]
fn a_signature_with_other_digits_does_not_match() {
    let signed = signer().sign(&simple(), &fixed(), time()).unwrap();
    let headers: Vec<(&str, &[u8])> = signed
        .headers()
        .map(|header| (header.name, header.value.as_bytes()))
        .collect();
    let view = simple().headers(&headers);
    let matches = |value: &str| {
        let verification = Authorization::parse(value)
            .unwrap()
            .verify(&view, "FakeAccessKeySecret0001");
        verification.unwrap().matches()
    };
    assert!(matches(signed.authorization()));
    let (start, signature) = signed.authorization().rsplit_once('=').unwrap();
    let mut other = signature.to_owned();
    other.replace_range(63.., if signature.ends_with('0') { "1" } else { "0" });
    for wrong in [
        other.as_str(),
        "",
        &signature[1..],
        &signature.to_uppercase(),
        &format!("{signature}0"),
    ] {
        assert!(!matches(&format!("{start}={wrong}")), "{wrong}");
    }
}

/// The vendor's Go client of the V1 generation sends no `x-oss-date`: the text of `Date` is then the timestamp of the
/// string to sign. The signature was computed with another program from that client's description of the string.
#[test]
fn the_time_may_stand_in_the_date_header_alone() {
    let verify = |value: &str, headers: &[(&str, &[u8])]| {
        let view = RequestView::new("GET")
            .bucket("examplebucket")
            .key("k")
            .headers(headers);
        let verification = Authorization::parse(value)
            .unwrap()
            .verify(&view, "FakeAccessKeySecret0001");
        verification.map(|verification| verification.matches())
    };
    let value = |day: &str| {
        format!(
            "OSS4-HMAC-SHA256 Credential=FakeAccessKeyId0001/{day}/cn-hangzhou/oss/aliyun_v4_request,\
             Signature=81defc378e772fa508af0a01b5d3965bdf04e60516fa7dec7e11fe417c63c8af"
        )
    };
    let payload: (&str, &[u8]) = ("x-oss-content-sha256", b"UNSIGNED-PAYLOAD");
    let date: (&str, &[u8]) = ("Date", b"Thu, 01 Jan 2026 08:30:00 GMT");
    let malformed = Err(SignError::MalformedAuthorization { what: "x-oss-date" });
    assert_eq!(verify(&value("20260101"), &[payload, date]), Ok(true));
    assert_eq!(verify(&value("20260102"), &[payload, date]), malformed);
    assert_eq!(verify(&value("20260101"), &[payload]), malformed);
    let basic: (&str, &[u8]) = ("Date", b"20260101T083000Z");
    assert_eq!(verify(&value("20260101"), &[payload, basic]), malformed);
    let later: (&str, &[u8]) = ("Date", b"Thu, 01 Jan 2026 08:30:01 GMT");
    assert_eq!(verify(&value("20260101"), &[payload, later]), Ok(false));
    // It counts only where there is no x-oss-date.
    let other: (&str, &[u8]) = ("x-oss-date", b"Thu, 01 Jan 2026 08:30:00 GMT");
    assert_eq!(verify(&value("20260101"), &[payload, date, other]), malformed);
}
