//! URLs: how long they work, and what must be sent with them.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::v4::{LimitedBy, MAX_EXPIRES, Signer};
use oss_sign::{RequestView, SignError};

use super::signer;
use crate::{HOUR, fixed, simple, temporary, time};

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
