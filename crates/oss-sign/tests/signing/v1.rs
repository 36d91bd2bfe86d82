//! Version 1.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v1::{self, Authorization, LimitedBy, Signer};
use oss_sign::{RequestView, SignError};

use crate::{HOUR, fixed, simple, temporary, time};

/// Signature of the vector `get-simple`.
const SIMPLE: &str = "V32AY2xzjPvihXFJ9CQZ+bvgk9s=";
const WEEK: Duration = Duration::from_secs(604_800);

#[test]
fn other_headers_of_the_same_length_are_not_signed() {
    let others: [(&str, &[u8]); 3] = [
        ("Host", b"examplebucket.oss-cn-hangzhou.aliyuncs.com"),
        ("traceparent", b"00-1-2-01"),
        ("cache-contro", b"no-cache"),
    ];
    let view = simple().headers(&others);
    let signed = Signer::new().sign(&view, &fixed(), time()).unwrap();
    assert_eq!(signed.signature(), SIMPLE);
}

#[test]
fn a_url_without_other_parameters_begins_with_the_key() {
    let presigned = Signer::new().presign(&simple(), &fixed(), time(), HOUR).unwrap();
    assert!(
        presigned.query().starts_with("OSSAccessKeyId="),
        "{}",
        presigned.query()
    );
}

fn signed_text(signer: &Signer, view: &RequestView<'_>) -> String {
    let explained = signer.explain(view, &fixed(), time()).unwrap();
    String::from_utf8(explained.string_to_sign().to_vec()).unwrap()
}

#[test]
fn headers_of_an_earlier_signature_are_replaced() {
    let stale: [(&str, &[u8]); 3] = [
        ("X-Oss-Security-Token", b"old"),
        ("Date", b"Wed, 01 Jan 2020 00:00:00 GMT"),
        ("Authorization", b"OSS old:old"),
    ];
    let signed = Signer::new()
        .sign(&simple().headers(&stale), &fixed(), time())
        .unwrap();
    assert_eq!(signed.signature(), SIMPLE);
    let names: Vec<_> = signed.headers().map(|header| header.name).collect();
    assert_eq!(names, ["date", "authorization"]);
    let signed = Signer::new()
        .sign(&simple().headers(&stale), &temporary(None), time())
        .unwrap();
    let headers: Vec<_> = signed
        .headers()
        .map(|header| (header.name, header.value, header.sensitive))
        .collect();
    assert_eq!(
        headers,
        [
            ("x-oss-security-token", "FakeSecurityToken0002", true),
            ("date", "Thu, 01 Jan 2026 08:30:00 GMT", false),
            ("authorization", signed.authorization(), true),
        ]
    );
}

#[test]
fn an_own_date_header_of_the_service_comes_first() {
    let headers: [(&str, &[u8]); 2] = [("X-Oss-Date", b" 20260101T083000Z "), ("date", b"ignored")];
    assert_eq!(
        signed_text(&Signer::new(), &simple().headers(&headers)),
        "GET\n\n\n20260101T083000Z\nx-oss-date:20260101T083000Z\n/examplebucket/exampleobject.txt"
    );
    // An empty one is a header like others, and no date.
    let headers: [(&str, &[u8]); 1] = [("x-oss-date", b" ")];
    assert_eq!(
        signed_text(&Signer::new(), &simple().headers(&headers)),
        "GET\n\n\nThu, 01 Jan 2026 08:30:00 GMT\nx-oss-date:\n/examplebucket/exampleobject.txt"
    );
}

#[test]
fn bytes_beyond_ascii_and_several_values_are_signed_as_they_are() {
    let headers: [(&str, &[u8]); 3] = [
        ("x-oss-meta-b", b"\xff\xfe "),
        ("x-oss-meta-a", "名 字".as_bytes()),
        ("X-Oss-Meta-B", b"1"),
    ];
    let explained = Signer::new()
        .explain(&simple().headers(&headers), &fixed(), time())
        .unwrap();
    let expected = [
        &b"x-oss-meta-a:"[..],
        "名 字".as_bytes(),
        b"\nx-oss-meta-b:\xff\xfe,1\n",
    ]
    .concat();
    assert_eq!(explained.canonicalized_headers(), expected);
    let signed = Signer::new()
        .sign(&simple().headers(&headers), &fixed(), time())
        .unwrap();
    let secret = fixed().access_key_secret().to_owned();
    assert_eq!(
        signed.signature(),
        v1::signature(&secret, explained.string_to_sign())
    );
}

#[test]
fn extra_sub_resources_are_signed_in_their_places() {
    let shared = Signer::builder()
        .extra_sub_resources(["newFeature", "aü", "a b", "newFeature"])
        .build()
        .unwrap();
    assert_eq!(
        shared.extra_sub_resources().collect::<Vec<_>>(),
        ["a b", "aü", "newFeature"]
    );
    let query = [
        ("versionId", "v/1"),
        ("newFeature", ""),
        ("aü", "ß"),
        ("a b", "c&d"),
        ("newfeature", "1"),
        ("prefix", "p"),
        ("x-oss-new", "2"),
        ("acl", ""),
    ];
    // By the names as they are: encoded, `aü` would come before `acl`.
    let expected = "?a b=c&d&acl&aü=ß&newFeature&versionId=v/1&x-oss-new=2";
    let resource = |view: &RequestView<'_>| {
        let explained = shared.explain(view, &fixed(), time()).unwrap();
        String::from_utf8(explained.canonicalized_resource().to_vec()).unwrap()
    };
    assert_eq!(
        resource(&simple().query(&query)),
        format!("/examplebucket/exampleobject.txt{expected}")
    );
    let encoded =
        "versionId=v%2F1&newFeature=&a%C3%BC=%c3%9f&a%20b=c%26d&newfeature=1&prefix=p&x-oss-new=%32&%61cl";
    assert_eq!(
        resource(&simple().encoded_query(encoded)),
        format!("/examplebucket/exampleobject.txt{expected}")
    );
    assert!(signed_text(&Signer::new(), &simple().query(&query)).ends_with("?acl&versionId=v/1&x-oss-new=2"));

    // The other side has to know them too.
    let signed = shared.sign(&simple().query(&query), &fixed(), time()).unwrap();
    let received: Vec<(&str, &[u8])> = signed
        .headers()
        .map(|header| (header.name, header.value.as_bytes()))
        .collect();
    let view = simple().query(&query).headers(&received);
    let matches = |names: &[&str]| {
        let authorization = Authorization::parse(signed.authorization()).unwrap();
        let verification = authorization
            .extra_sub_resources(names)
            .verify(&view, "FakeAccessKeySecret0001");
        verification.unwrap().matches()
    };
    assert!(matches(&["newFeature", "a b", "aü"]));
    assert!(!matches(&[]));
}

#[test]
fn sub_resources_that_cannot_be_signed_are_refused() {
    for name in ["", "OSSAccessKeyId", "Expires", "Signature"] {
        let error = Signer::builder()
            .extra_sub_resources(["ok", name])
            .build()
            .unwrap_err();
        let name = name.to_owned();
        assert_eq!(error, SignError::InvalidSubResource { name });
    }
    // Case counts.
    assert!(
        Signer::builder()
            .extra_sub_resources(["signature", "expires"])
            .build()
            .is_ok()
    );
}

#[test]
fn what_cannot_be_signed_for_sure_is_refused() {
    let refused = |view: RequestView<'_>| {
        let error = Signer::new().sign(&view, &fixed(), time()).unwrap_err();
        assert_eq!(
            Signer::new().presign(&view, &fixed(), time(), HOUR).unwrap_err(),
            error
        );
        error
    };
    assert_eq!(
        refused(simple().query(&[("acl", "1"), ("b", ""), ("acl", "2")])),
        SignError::DuplicateParameter {
            name: "acl".to_owned()
        }
    );
    for query in ["a=b+c", "a=%4"] {
        assert!(matches!(
            refused(simple().encoded_query(query)),
            SignError::InvalidQuery { .. }
        ));
    }
    assert_eq!(
        refused(RequestView::new("GET").key("k")),
        SignError::KeyWithoutBucket
    );
    for name in ["x-oss-meta-a", "content-type", "Content-MD5"] {
        let headers = [(name, &b"a\nb"[..])];
        let name = name.to_owned();
        assert_eq!(
            refused(simple().headers(&headers)),
            SignError::InvalidHeader { name }
        );
    }
}

#[test]
fn anonymous_requests_stay_as_they_are() {
    let anonymous = Credentials::anonymous();
    let signed = Signer::new().sign(&simple(), &anonymous, time()).unwrap();
    assert!(!signed.is_signed());
    assert_eq!(signed.headers().count(), 0);
    assert_eq!((signed.authorization(), signed.signature()), ("", ""));

    let view = simple().query(&[
        ("versionId", "v 1"),
        ("Signature", "old"),
        ("security-token", "old"),
    ]);
    let presigned = Signer::new().presign(&view, &anonymous, time(), HOUR).unwrap();
    assert!(!presigned.is_signed());
    assert_eq!(presigned.query(), "versionId=v%201");
    assert_eq!(presigned.added().count(), 0);
    assert_eq!(presigned.required_headers().count(), 0);
}

#[test]
fn lifetimes_of_urls_end_with_the_year_9999() {
    let presign = |time, expires| Signer::new().presign(&simple(), &fixed(), time, expires);
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    for (time, expires) in [
        (time(), Duration::ZERO),
        (time(), Duration::from_millis(999)),
        (time(), Duration::MAX),
        (last, Duration::from_secs(1)),
    ] {
        let seconds = expires.as_secs();
        assert_eq!(
            presign(time, expires).unwrap_err(),
            SignError::EndOutOfRange { seconds }
        );
    }
    assert_eq!(
        presign(last + Duration::from_secs(1), HOUR).unwrap_err(),
        SignError::TimeOutOfRange
    );
    let long = presign(last - HOUR, HOUR).unwrap();
    assert!(long.query().contains("&Expires=253402300799&"));
    assert_eq!(long.valid_until(), last);
}

#[test]
fn a_url_tells_what_ends_it_first() {
    let limits = |expires, end: Option<SystemTime>| {
        let presigned = Signer::new()
            .presign(&simple(), &temporary(end), time(), expires)
            .unwrap();
        (presigned.valid_until(), presigned.limited_by())
    };
    assert_eq!(limits(HOUR, None), (time() + HOUR, LimitedBy::Asked));
    assert_eq!(
        limits(HOUR, Some(time() + HOUR)),
        (time() + HOUR, LimitedBy::Asked)
    );
    let soon = time() + Duration::from_millis(3_599_500);
    assert_eq!(limits(HOUR, Some(soon)), (soon, LimitedBy::Credentials));
    // Seven days are nothing special here.
    assert_eq!(limits(WEEK, None), (time() + WEEK, LimitedBy::Asked));
    assert_eq!(limits(2 * WEEK, None), (time() + 2 * WEEK, LimitedBy::Asked));
    let error = Signer::new().presign(&simple(), &temporary(time()), time(), HOUR);
    assert_eq!(error.unwrap_err(), SignError::CredentialsExpired);
}

#[test]
fn a_url_lists_the_headers_to_send_and_replaces_old_parameters() {
    let headers: [(&str, &[u8]); 5] = [
        ("X-Oss-Meta-A", "名:字".as_bytes()),
        ("Content-Type", b" text/plain "),
        ("Range", b"bytes=0-1"),
        ("Content-MD5", b""),
        ("Date", b"Wed, 01 Jan 2020 00:00:00 GMT"),
    ];
    let stale = [
        ("OSSAccessKeyId", "old"),
        ("Expires", "1"),
        ("Signature", "old"),
        ("security-token", "old"),
        ("uploads", ""),
    ];
    let view = RequestView::new("post")
        .bucket("examplebucket")
        .key("k")
        .headers(&headers);
    let presign = |view: &RequestView<'_>| {
        Signer::new()
            .presign(view, &temporary(None), time(), HOUR)
            .unwrap()
    };
    let presigned = presign(&view.query(&stale));
    let required: Vec<_> = presigned.required_headers().collect();
    let expected: [(&str, &[u8]); 2] = [
        ("content-type", b"text/plain"),
        ("x-oss-meta-a", "名:字".as_bytes()),
    ];
    assert_eq!(required, expected);
    assert_eq!(presigned.method(), "POST");
    assert_eq!(presigned.query(), presign(&view.query(&stale[4..])).query());
    assert_eq!(
        presigned.url("http://h/k"),
        format!("http://h/k?{}", presigned.query())
    );
    assert!(presigned.query().starts_with(
        "security-token=FakeSecurityToken0002&uploads&OSSAccessKeyId=STS.FakeTempKeyId0002&Expires=1767259800&"
    ));
    assert_eq!(presigned.clone().into_query(), presigned.query());
}

#[test]
fn received_authorizations_are_read() {
    let read = Authorization::parse("OSS a:b/c:c2lnbmF0dXJl").unwrap();
    assert_eq!(
        (read.access_key_id(), read.signature()),
        ("a:b/c", "c2lnbmF0dXJl")
    );
    assert!(!read.is_query());
    assert_eq!((read.expires_at(), read.security_token()), (None, None));
    for value in [
        "",
        "OSS",
        "OSS ",
        "OSSid:sig",
        "OSS :sig",
        "OSS id",
        "OSS4-HMAC-SHA256 Credential=a:b",
        "oss id:sig",
    ] {
        assert!(
            matches!(
                Authorization::parse(value),
                Err(SignError::MalformedAuthorization { .. })
            ),
            "{value}"
        );
    }
    let good = [
        ("OSSAccessKeyId", "id"),
        ("Expires", "1767259800"),
        ("Signature", "sig"),
        ("security-token", ""),
    ];
    let read = Authorization::parse_query(&good).unwrap().unwrap();
    assert_eq!(read.expires_at(), Some(time() + HOUR));
    assert_eq!(read.security_token(), None);
    assert!(read.is_query());
    assert!(
        Authorization::parse_query(&good[1..]).unwrap().is_none(),
        "not signed by V1"
    );
    for bad in ["", "x", "-1", "+1", " 1", "253402300800", "99999999999999999999"] {
        let mut pairs = good;
        pairs[1].1 = bad;
        assert!(Authorization::parse_query(&pairs).is_err(), "{bad}");
    }
    for at in [1, 2] {
        let mut pairs = good.to_vec();
        pairs.remove(at);
        assert!(Authorization::parse_query(&pairs).is_err(), "{pairs:?}");
    }
    let mut nobody = good;
    nobody[0].1 = "";
    assert!(Authorization::parse_query(&nobody).is_err());
}

#[test]
fn only_the_right_signature_of_a_dated_request_matches() {
    let signed = Signer::new().sign(&simple(), &fixed(), time()).unwrap();
    let headers: Vec<(&str, &[u8])> = signed
        .headers()
        .map(|header| (header.name, header.value.as_bytes()))
        .collect();
    let verify = |value: &str, view: RequestView<'_>| {
        Authorization::parse(value)
            .unwrap()
            .verify(&view, "FakeAccessKeySecret0001")
    };
    let view = simple().headers(&headers);
    assert!(verify(signed.authorization(), view).unwrap().matches());
    // Of other headers, none is the date.
    let mut sent = headers.clone();
    sent.push(("Host", b"examplebucket.oss-cn-hangzhou.aliyuncs.com".as_slice()));
    let with_host = simple().headers(&sent);
    assert!(verify(signed.authorization(), with_host).unwrap().matches());
    for wrong in [
        "",
        "V32AY2xzjPvihXFJ9CQZ+bvgk9o=",
        "V32AY2xzjPvihXFJ9CQZ+bvgk9s",
        &format!("{SIMPLE}AAAA"),
        &"A".repeat(400),
    ] {
        assert!(
            !verify(&format!("OSS FakeAccessKeyId0001:{wrong}"), view)
                .unwrap()
                .matches(),
            "{wrong}"
        );
    }
    let error = verify(signed.authorization(), simple()).unwrap_err();
    assert_eq!(error, SignError::MalformedAuthorization { what: "date" });
}

#[test]
fn nothing_secret_is_shown() {
    let headers: [(&str, &[u8]); 1] = [("x-oss-meta-a", b"canary-header")];
    let view = simple().query(&[("acl", "canary-query")]).headers(&headers);
    let credentials = Credentials::builder("CanaryAccessKeyId01", "canary-secret")
        .security_token("canary-token")
        .build()
        .unwrap();
    let shared = Signer::new();
    let signed = shared.sign(&view, &credentials, time()).unwrap();
    let presigned = shared.presign(&view, &credentials, time(), HOUR).unwrap();
    let explained = shared.explain_presign(&view, &credentials, time(), HOUR).unwrap();
    let pairs = oss_sign::decode_query(presigned.query()).unwrap();
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let authorization = Authorization::parse_query(&pairs).unwrap().unwrap();
    let verification = authorization
        .verify(&view.query(&pairs), "canary-secret")
        .unwrap();
    assert!(verification.matches());
    let shown = format!(
        "{shared:?} {signed:?} {presigned:?} {explained:?} {authorization:?} {verification:?} {:?}",
        signed.headers().collect::<Vec<_>>(),
    );
    for secret in [
        "canary",
        "CanaryAccessKeyId01",
        signed.signature(),
        authorization.signature(),
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn public_types_can_be_shared() {
    fn shared<T: Send + Sync + Unpin + std::panic::UnwindSafe>() {}
    fn between_threads<T: Send + Sync + Clone + 'static>() {}
    shared::<v1::Explained>();
    shared::<Authorization<'_>>();
    shared::<v1::Verification>();
    between_threads::<Signer>();
}
