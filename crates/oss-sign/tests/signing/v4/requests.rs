//! Requests: what the signer replaces, signs and refuses.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v4::{Authorization, Presigned, Signed, Signer, SignerBuilder};
use oss_sign::{RequestView, SignError};

use super::{SIMPLE, canonical, signer};
use crate::{HOUR, fixed, simple, temporary, time};

#[test]
fn headers_of_an_earlier_signature_are_replaced() {
    let stale: [(&str, &[u8]); 5] = [
        ("X-Oss-Date", b"20200101T000000Z"),
        ("x-oss-content-sha256", b"e3b0c442"),
        ("x-oss-security-token", b"old"),
        ("Date", b"Wed, 01 Jan 2020 00:00:00 GMT"),
        ("Authorization", b"OSS4-HMAC-SHA256 Credential=old"),
    ];
    let signed = signer()
        .sign(&simple().headers(&stale), &fixed(), time())
        .unwrap();
    assert_eq!(signed.signature(), SIMPLE);
    let names: Vec<_> = signed.headers().map(|header| header.name).collect();
    assert_eq!(
        names,
        ["x-oss-date", "x-oss-content-sha256", "date", "authorization"]
    );
}

/// HMAC hashes a key that is longer than a block of 64 bytes, which `aliyun_v4` and 55 characters fill. The signatures
/// are calculated with Python's `hmac`, in a way that gives [`SIMPLE`] for the secret of that vector.
#[test]
fn secrets_up_to_a_block_and_beyond_sign() {
    for (length, signature) in [
        (
            54,
            "38f43f68ea6cfcada1ad442bfc79ffed09762835983add81da614d4395f5a254",
        ),
        (
            55,
            "6dd24f35ed43d1d6eece6d0686d1d69063527890aa52caa9746783832ef8ef5f",
        ),
        (
            56,
            "b1851cfcc973158e69d2ead1b71d94edd85ce468cc3192c5aa51f78388bf3ede",
        ),
    ] {
        let credentials = Credentials::builder("FakeAccessKeyId0001", "k".repeat(length));
        let signed = signer().sign(&simple(), &credentials.build().unwrap(), time());
        assert_eq!(signed.unwrap().signature(), signature, "{length}");
    }
}

#[test]
fn the_query_may_come_encoded_and_the_method_in_lower_case() {
    let pairs = simple().query(&[("a/b", "c d"), ("e", "")]);
    let by_pairs = signer().sign(&pairs, &fixed(), time()).unwrap();
    for query in ["e&a%2Fb=c%20d", "e=&a/b=%63%20d&", "%65=&a%2fb=c%20d"] {
        let view = RequestView::new("get")
            .bucket("examplebucket")
            .key("exampleobject.txt")
            .encoded_query(query);
        let by_text = signer().sign(&view, &fixed(), time()).unwrap();
        assert_eq!(by_text.authorization(), by_pairs.authorization(), "{query}");
    }
    assert_ne!(by_pairs.signature(), SIMPLE);
}

#[test]
fn empty_names_are_none() {
    let whole = signer().sign(&RequestView::new("GET"), &fixed(), time()).unwrap();
    let empty = signer()
        .sign(&RequestView::new("GET").bucket("").key(""), &fixed(), time())
        .unwrap();
    assert_eq!(whole.signature(), empty.signature());
    assert!(canonical(&signer(), &RequestView::new("GET")).starts_with("GET\n/\n"));
    assert!(canonical(&signer(), &RequestView::new("GET").bucket("b").key("")).starts_with("GET\n/b/\n"));
}

#[test]
fn a_listed_date_header_is_signed_with_the_value_that_is_set() {
    let signer = Signer::builder("cn-hangzhou")
        .additional_headers(["Date", "range", "cookie"])
        .build()
        .unwrap();
    let headers: [(&str, &[u8]); 3] = [("date", b"old"), ("Range", b" bytes=0-1 "), ("Cookie", b"c")];
    let text = canonical(&signer, &simple().headers(&headers));
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[3..6],
        [
            "cookie:c",
            "date:Thu, 01 Jan 2026 08:30:00 GMT",
            "range:bytes=0-1"
        ]
    );
    assert_eq!(lines[9], "cookie;date;range");
    let bare = canonical(&signer, &simple());
    assert_eq!(bare.lines().nth(7), Some("date"));
}

#[test]
fn several_values_of_one_header_are_joined_in_order() {
    let headers: [(&str, &[u8]); 3] = [
        ("x-oss-meta-b", b"2 "),
        ("x-oss-meta-a", b"0"),
        ("X-Oss-Meta-B", b"1"),
    ];
    assert!(
        canonical(&signer(), &simple().headers(&headers)).contains("\nx-oss-meta-a:0\nx-oss-meta-b:2,1\n")
    );
}

#[test]
fn what_cannot_be_signed_for_sure_is_refused() {
    let refused = |view: RequestView<'_>| signer().sign(&view, &fixed(), time()).unwrap_err();
    let name = |name: &str| SignError::DuplicateParameter {
        name: name.to_owned(),
    };
    assert_eq!(
        refused(simple().query(&[("a", "1"), ("b", ""), ("a", "2")])),
        name("a")
    );
    assert_eq!(refused(simple().encoded_query("acl&%61cl")), name("acl"));
    assert!(matches!(
        refused(simple().encoded_query("a=b+c")),
        SignError::InvalidQuery { .. }
    ));
    assert!(matches!(
        refused(simple().encoded_query("a=%4")),
        SignError::InvalidQuery { .. }
    ));
    assert_eq!(
        refused(RequestView::new("GET").key("k")),
        SignError::KeyWithoutBucket
    );
    for value in [&b"a\nb"[..], b"a\rb", b"a\0b", b"\x7f"] {
        let headers = [("x-oss-meta-a", value)];
        assert_eq!(
            refused(simple().headers(&headers)),
            SignError::InvalidHeader {
                name: "x-oss-meta-a".to_owned()
            }
        );
        // What is not signed is none of our business.
        let other = [("user-agent", value)];
        assert!(signer().sign(&simple().headers(&other), &fixed(), time()).is_ok());
    }
    let headers: [(&str, &[u8]); 1] = [("x-oss-meta a", b"")];
    assert!(matches!(
        refused(simple().headers(&headers)),
        SignError::InvalidHeader { .. }
    ));
}

#[test]
fn times_outside_four_digit_years_are_refused() {
    for time in [
        SystemTime::UNIX_EPOCH - Duration::from_secs(1),
        SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800),
    ] {
        assert_eq!(
            signer().sign(&simple(), &fixed(), time).unwrap_err(),
            SignError::TimeOutOfRange
        );
        assert_eq!(
            signer().presign(&simple(), &fixed(), time, HOUR).unwrap_err(),
            SignError::TimeOutOfRange
        );
    }
}

#[test]
fn settings_are_checked() {
    for region in [
        "",
        "cn hangzhou",
        "CN-HANGZHOU",
        "https://oss",
        "cn_hangzhou",
        "cn/hangzhou",
        "oss-cn-hangzhou",
        "ü",
    ] {
        let error = Signer::builder(region).build().unwrap_err();
        assert_eq!(
            error,
            SignError::InvalidRegion {
                region: region.to_owned()
            }
        );
    }
    assert!(matches!(
        Signer::builder("cn-hangzhou").product("").build(),
        Err(SignError::InvalidProduct { .. })
    ));
    for name in ["", "a b", "Authorization", "a;b", "a:b"] {
        assert!(
            matches!(
                Signer::builder("cn-hangzhou").additional_headers([name]).build(),
                Err(SignError::InvalidAdditionalHeader { .. })
            ),
            "{name}"
        );
    }
    let names = [
        "Range",
        "host",
        "x-oss-meta-a",
        "Content-Type",
        "content-md5",
        "HOST",
    ];
    let signer = Signer::builder("cb-1")
        .product("oss-cloudbox")
        .additional_headers(names)
        .build()
        .unwrap();
    assert_eq!(signer.additional_headers().collect::<Vec<_>>(), ["host", "range"]);
    assert_eq!((signer.region(), signer.product()), ("cb-1", "oss-cloudbox"));
    let long = Signer::builder("R".repeat(500)).build().unwrap_err();
    assert_eq!(
        long,
        SignError::InvalidRegion {
            region: "R".repeat(64)
        }
    );
}

#[test]
fn one_signer_follows_the_credentials_and_the_clock() {
    let shared = signer();
    let fresh = |credentials: &Credentials, time| {
        signer()
            .sign(&simple(), credentials, time)
            .unwrap()
            .authorization()
            .to_owned()
    };
    let other_secret = Credentials::builder("FakeAccessKeyId0001", "another-secret")
        .build()
        .unwrap();
    let other_id = Credentials::builder("FakeAccessKeyId0009", "FakeAccessKeySecret0001")
        .build()
        .unwrap();
    let other_token = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("another-token")
        .build()
        .unwrap();
    let again = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap();
    // Neighbours differ in one thing.
    let all = [
        fixed(),
        other_id,
        other_secret,
        temporary(None),
        other_token,
        again,
    ];
    let day = Duration::from_secs(86_400);
    let times = [
        time(),
        time() + Duration::from_secs(1),
        time() + day,
        time(),
        time() - day,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for time in times {
        for credentials in &all {
            let signed = shared.sign(&simple(), credentials, time).unwrap();
            assert_eq!(signed.authorization(), fresh(credentials, time));
            let token = signed
                .headers()
                .find(|header| header.name == "x-oss-security-token");
            assert_eq!(token.map(|header| header.value), credentials.security_token());
            seen.insert(signed.authorization().to_owned());
        }
    }
    // The last of the credentials equal the first, and one instant comes twice.
    assert_eq!(seen.len(), 5 * 4);
}

#[test]
fn a_fraction_of_a_second_is_dropped_and_midnight_is_of_one_piece() {
    let midnight = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let before = midnight - Duration::from_nanos(1);
    let signed = signer().sign(&simple(), &fixed(), before).unwrap();
    let header = |signed: &Signed, name: &str| {
        signed
            .headers()
            .find(|header| header.name == name)
            .unwrap()
            .value
            .to_owned()
    };
    assert_eq!(header(&signed, "x-oss-date"), "20251231T235959Z");
    assert_eq!(header(&signed, "date"), "Wed, 31 Dec 2025 23:59:59 GMT");
    assert!(
        signed
            .authorization()
            .contains("/20251231/cn-hangzhou/oss/aliyun_v4_request,")
    );
}

#[test]
fn anonymous_requests_stay_as_they_are() {
    let anonymous = Credentials::anonymous();
    let signed = signer().sign(&simple(), &anonymous, time()).unwrap();
    assert!(!signed.is_signed());
    assert_eq!(signed.headers().count(), 0);
    assert_eq!((signed.authorization(), signed.signature()), ("", ""));

    let view = simple().query(&[("versionId", "v 1"), ("x-oss-signature", "old")]);
    let presigned = signer().presign(&view, &anonymous, time(), HOUR).unwrap();
    assert!(!presigned.is_signed());
    assert_eq!(presigned.query(), "versionId=v%201");
    assert_eq!(presigned.added().count(), 0);
}

#[test]
fn nothing_secret_is_shown() {
    let headers: [(&str, &[u8]); 1] = [("x-oss-meta-a", b"canary-header")];
    let view = simple().query(&[("q", "canary-query")]).headers(&headers);
    let credentials = Credentials::builder("CanaryAccessKeyId01", "canary-secret")
        .security_token("canary-token")
        .build()
        .unwrap();
    let shared = signer();
    let signed = shared.sign(&view, &credentials, time()).unwrap();
    let presigned = shared.presign(&view, &credentials, time(), HOUR).unwrap();
    let explained = shared.explain(&view, &credentials, time()).unwrap();
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
    let (signature, url_signature) = (
        signed.signature().to_owned(),
        authorization.signature().to_owned(),
    );
    let shown = format!(
        "{shared:?} {:?} {signed:?} {presigned:?} {explained:?} {view:?} {:?} {authorization:?} {verification:?} {:?}",
        Signer::builder("cn-hangzhou"),
        oss_sign::Headers::from(&headers),
        signed.headers().collect::<Vec<_>>(),
    );
    for secret in ["canary", "CanaryAccessKeyId01", &signature, &url_signature] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let sensitive: Vec<_> = signed
        .headers()
        .filter(|header| header.sensitive)
        .map(|header| header.name)
        .collect();
    assert_eq!(sensitive, ["x-oss-security-token", "authorization"]);
}

#[test]
fn errors_name_the_problem_and_what_to_do() {
    let error = Signer::builder("oss.example").build().unwrap_err().to_string();
    assert_eq!(
        error,
        "oss-sign: the region \"oss.example\" is malformed; pass the bare region such as cn-hangzhou, \
         or the ID of a cloud box"
    );
}

#[test]
fn public_types_can_be_shared() {
    fn shared<T: Send + Sync + Unpin + std::panic::UnwindSafe>() {}
    fn between_threads<T: Send + Sync + Clone + 'static>() {}
    shared::<Signed>();
    shared::<Presigned>();
    shared::<SignerBuilder>();
    shared::<SignError>();
    shared::<RequestView<'_>>();
    shared::<Authorization<'_>>();
    between_threads::<Signer>();
}
