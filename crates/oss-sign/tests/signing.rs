//! How the signer behaves where the vectors say nothing: what it replaces, refuses and reports.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v4::{Authorization, LimitedBy, MAX_EXPIRES, Presigned, Signed, Signer, SignerBuilder};
use oss_sign::{RequestView, SignError};

/// Signature of the vector `get-simple`.
const SIMPLE: &str = "17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd";
const HOUR: Duration = Duration::from_secs(3600);

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)
}

fn signer() -> Signer {
    Signer::builder("cn-hangzhou").build().unwrap()
}

fn fixed() -> Credentials {
    Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap()
}

fn temporary(expires_at: impl Into<Option<SystemTime>>) -> Credentials {
    Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("FakeSecurityToken0002")
        .expires_at(expires_at)
        .build()
        .unwrap()
}

fn simple() -> RequestView<'static> {
    RequestView::new("GET")
        .bucket("examplebucket")
        .key("exampleobject.txt")
}

fn canonical(signer: &Signer, view: &RequestView<'_>) -> String {
    let explained = signer.explain(view, &fixed(), time()).unwrap();
    String::from_utf8(explained.canonical_request().to_vec()).unwrap()
}

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
fn lifetimes_of_urls_have_limits() {
    let presign = |expires| signer().presign(&simple(), &fixed(), time(), expires);
    for (expires, seconds) in [
        (Duration::ZERO, 0),
        (Duration::from_millis(999), 0),
        (MAX_EXPIRES + Duration::from_nanos(1), 604_801),
        (Duration::from_secs(604_801), 604_801),
        (Duration::MAX, u64::MAX),
    ] {
        assert_eq!(
            presign(expires).unwrap_err(),
            SignError::ExpiresOutOfRange { seconds }
        );
    }
    for (expires, digits) in [
        (1, "1"),
        (9, "9"),
        (10, "10"),
        (99_999, "99999"),
        (100_000, "100000"),
    ] {
        let presigned = presign(Duration::from_secs(expires)).unwrap();
        assert!(presigned.is_signed());
        let added: Vec<_> = presigned.added().collect();
        assert!(added.contains(&("x-oss-expires", digits.into())), "{digits}");
    }
}

#[test]
fn a_url_tells_what_ends_it_first() {
    let limits = |expires, end: Option<SystemTime>| {
        let presigned = signer()
            .presign(&simple(), &temporary(end), time(), expires)
            .unwrap();
        (presigned.valid_until(), presigned.limited_by())
    };
    assert_eq!(limits(HOUR, None), (time() + HOUR, LimitedBy::Asked));
    assert_eq!(
        limits(HOUR, Some(time() + HOUR)),
        (time() + HOUR, LimitedBy::Asked)
    );
    let soon = time() + Duration::from_secs(3599);
    assert_eq!(limits(HOUR, Some(soon)), (soon, LimitedBy::Credentials));
    assert_eq!(
        limits(MAX_EXPIRES, None),
        (time() + MAX_EXPIRES, LimitedBy::SevenDays)
    );
    assert_eq!(limits(MAX_EXPIRES, Some(soon)), (soon, LimitedBy::Credentials));
    // The lifetime in the URL is what was asked; the service cuts it by the token.
    let presigned = signer()
        .presign(&simple(), &temporary(soon), time(), HOUR)
        .unwrap();
    assert!(presigned.query().contains("&x-oss-expires=3600&"));
}

#[test]
fn expired_credentials_make_no_url() {
    let error = signer()
        .presign(&simple(), &temporary(time()), time(), HOUR)
        .unwrap_err();
    assert_eq!(error, SignError::CredentialsExpired);
    // By headers the service answers, and its clock counts.
    assert!(signer().sign(&simple(), &temporary(time()), time()).is_ok());
}

#[test]
fn a_url_lists_the_headers_to_send() {
    let signer = Signer::builder("cn-hangzhou")
        .additional_headers(["range", "if-match"])
        .build()
        .unwrap();
    let headers: [(&str, &[u8]); 5] = [
        ("X-Oss-Meta-A", "名:字".as_bytes()),
        ("Content-Type", b" text/plain "),
        ("Range", b"bytes=0-1"),
        ("If-Match", b""),
        ("User-Agent", b"x"),
    ];
    let presigned = signer
        .presign(&simple().headers(&headers), &fixed(), time(), HOUR)
        .unwrap();
    let required: Vec<_> = presigned.required_headers().collect();
    let expected: [(&str, &[u8]); 3] = [
        ("content-type", b"text/plain"),
        ("range", b"bytes=0-1"),
        ("x-oss-meta-a", "名:字".as_bytes()),
    ];
    assert_eq!(required, expected);
    assert!(
        presigned
            .query()
            .starts_with("x-oss-additional-headers=range&x-oss-credential=")
    );
}

#[test]
fn a_url_tells_its_method_and_puts_itself_together() {
    let view = RequestView::new("put").bucket("examplebucket").key("a b");
    let presigned = signer().presign(&view, &fixed(), time(), HOUR).unwrap();
    assert_eq!(presigned.method(), "PUT");
    let base = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a%20b";
    let url = presigned.url(base);
    assert!(
        url.starts_with(&format!(
            "{base}?x-oss-credential=FakeAccessKeyId0001%2F20260101%2F"
        )),
        "{url}"
    );
    assert_eq!(url, format!("{base}?{}", presigned.query()));
    assert_eq!(presigned.clone().into_query(), presigned.query());

    let anonymous = signer()
        .presign(&view, &Credentials::anonymous(), time(), HOUR)
        .unwrap();
    assert_eq!((anonymous.method(), anonymous.query()), ("PUT", ""));
    assert_eq!(anonymous.url(base), base);
}

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
