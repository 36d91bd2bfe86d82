//! What OSS takes and refuses beyond the usual: other forms of signatures, wrong tokens, odd names, large bodies.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::Duration;

use oss_testkit::LocalCloud;
use support::*;

const ID: &str = "FakeAccessKeyId0001";
const SECRET: &str = "FakeAccessKeySecret0001";

fn cloud() -> LocalCloud {
    let (cloud, _) = cloud_at_now(|builder| builder.access_key(ID, SECRET).bucket("examplebucket"));
    cloud.put_object("examplebucket", "k", "v");
    cloud
}

fn get(cloud: &LocalCloud, headers: &[(&str, &str)]) -> Reply {
    send(&cloud.oss_endpoint(), "GET", "/examplebucket/k", headers, b"").unwrap()
}

/// As the vendor's Go client of the V1 generation signs with V4; the signature was computed with another program from
/// that client's description of the string to sign.
#[test]
fn a_v4_time_may_stand_in_date_alone() {
    let cloud = cloud();
    let with = |date: (&str, &str), signature: &str| {
        let authorization = format!(
            "OSS4-HMAC-SHA256 Credential={ID}/20260101/cn-hangzhou/oss/aliyun_v4_request,Signature={signature}"
        );
        get(
            &cloud,
            &[
                date,
                ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
                ("Authorization", &authorization),
            ],
        )
    };
    let good = "81defc378e772fa508af0a01b5d3965bdf04e60516fa7dec7e11fe417c63c8af";
    let date = ("Date", "Thu, 01 Jan 2026 08:30:00 GMT");
    let read = with(date, good);
    assert_eq!((read.status, read.body.as_str()), (200, "v"));
    let wrong = with(date, &good.replacen('8', "9", 1));
    assert_eq!(wrong.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    assert!(
        wrong
            .element("StringToSign")
            .starts_with("OSS4-HMAC-SHA256\nThu, 01 Jan 2026 08:30:00 GMT\n20260101/cn-hangzhou/")
    );
    let late = with(("Date", "Thu, 01 Jan 2026 08:00:00 GMT"), good);
    assert_eq!(late.refusal(), (403, "RequestTimeTooSkewed".to_owned()));
    // The page of EC 0002-00000502: each header has its own format. That of 0002-00000503: one of them has to be there.
    for (date, ec) in [
        (("Date", "20260101T083000Z"), "0002-00000502"),
        (("x-oss-date", "Thu, 01 Jan 2026 08:30:00 GMT"), "0002-00000502"),
        (("x-a", "b"), "0002-00000503"),
    ] {
        let reply = with(date, good);
        assert_eq!(
            (reply.status, reply.element("EC").as_str()),
            (400, ec),
            "{date:?}"
        );
    }
}

/// The page of EC 0002-00000503 shows V1 with this form of `x-oss-date`.
#[test]
fn a_v1_time_may_have_the_form_of_iso_8601() {
    let cloud = cloud();
    let with = |date| {
        get(
            &cloud,
            &[
                date,
                (
                    "Authorization",
                    "OSS FakeAccessKeyId0001:9yWr7Wm/Lt9tmCpVZwdQ/Em60X4=",
                ),
            ],
        )
    };
    assert_eq!(with(("x-oss-date", "20260101T083000Z")).status, 200);
    for (date, ec) in [
        (("Date", "20260101T083000Z"), "0002-00000505"),
        (("x-oss-date", "2026-01-01"), "0002-00000505"),
        (("x-a", "b"), "0002-00000503"),
    ] {
        let reply = with(date);
        assert_eq!(
            (reply.status, reply.element("EC").as_str()),
            (403, ec),
            "{date:?}"
        );
    }
}

/// The pages of EC 0002-00000003, 0002-00000004 and 0002-00000006.
#[test]
fn the_code_says_what_is_wrong_with_a_token() {
    let cloud = cloud();
    let (one, other) = (
        cloud.issue(Duration::from_secs(900)).unwrap(),
        cloud.issue(Duration::from_secs(900)).unwrap(),
    );
    let ec = |key: &_, token: &str| {
        let reply = Oss::new(&cloud, &with_token(key, token)).call("GET", "k", &[], b"");
        assert_eq!(reply.refusal(), (403, "InvalidSecurityToken".to_owned()));
        reply.element("EC")
    };
    assert_eq!(ec(&one, ""), "0002-00000003");
    assert_eq!(ec(&one, other.security_token().unwrap()), "0002-00000004");
    assert_eq!(ec(&one, "CAISmade-up"), "0002-00000006");
    assert_eq!(ec(&cloud.access_key(), "CAISmade-up"), "0002-00000006");
}

/// Policy and signature of a V1 form, made with another program as "A V1 signature in a `PostObject` request" says: for
/// keys below `dir/` of `examplebucket`, until an hour later.
const POLICY: &str = "eyJleHBpcmF0aW9uIjoiMjAyNi0wMS0wMVQwOTozMDowMC4wMDBaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiZX\
    hhbXBsZWJ1Y2tldCJ9LFsic3RhcnRzLXdpdGgiLCIka2V5IiwiZGlyLyJdLFsiY29udGVudC1sZW5ndGgtcmFuZ2UiLDEsMTAwXV19";
const SIGNATURE: &str = "JJhqfZxJBFroCpMdPB7sli5uSFA=";

#[test]
fn forms_may_be_signed_with_v1() {
    let cloud = cloud();
    let form = |fields: &[(&str, &str)]| {
        let mut body = String::new();
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
            body += "--b\r\nContent-Disposition: form-data; name=\"";
            body += &[name, "\"\r\n\r\n", value, "\r\n"].concat();
        }
        body += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ncontent\r\n--b--\r\n";
        let kind = [("Content-Type", "multipart/form-data; boundary=b")];
        send(
            &cloud.oss_endpoint(),
            "POST",
            "/examplebucket",
            &kind,
            body.as_bytes(),
        )
        .unwrap()
    };
    let with = |key, policy, signature| {
        form(&[
            ("key", key),
            ("OSSAccessKeyId", ID),
            ("policy", policy),
            ("Signature", signature),
        ])
    };
    let stored = with("dir/${filename}", POLICY, SIGNATURE);
    assert_eq!(stored.status, 204, "{}", stored.body);
    assert_eq!(
        cloud.object("examplebucket", "dir/f").as_deref(),
        Some(&b"content"[..])
    );
    assert_eq!(cloud.requests()[0].access_key_id(), Some(ID));
    let elsewhere = with("other/f", POLICY, SIGNATURE);
    assert_eq!(elsewhere.refusal(), (403, "AccessDenied".to_owned()));
    for (policy, signature, ec) in [
        ("", SIGNATURE, "0002-00000702"),
        (POLICY, "", "0002-00000703"),
        (POLICY, "AAAA", "0002-00000705"),
    ] {
        assert_eq!(with("dir/f", policy, signature).element("EC"), ec);
    }
}

#[test]
fn a_plus_in_a_copy_source_is_read_as_the_object_that_exists() {
    let cloud = cloud();
    let key = cloud.access_key();
    cloud.put_object("examplebucket", "a b", "space");
    cloud.put_object("examplebucket", "c+d", "plus");
    cloud.put_object("examplebucket", "e f", "space");
    cloud.put_object("examplebucket", "e+f", "plus");
    let copied = |source: &str| {
        let headers = [("x-oss-copy-source", source)];
        let reply = Oss::new(&cloud, &key).call("PUT", "copy", &headers, b"");
        let copy = cloud.object("examplebucket", "copy");
        (
            reply.status,
            copy.map(|copy| String::from_utf8(copy.to_vec()).unwrap()),
        )
    };
    let is = |text: &str| (200, Some(text.to_owned()));
    assert_eq!(copied("/examplebucket/a+b"), is("space"));
    assert_eq!(copied("/examplebucket/c+d"), is("plus"));
    assert_eq!(copied("/examplebucket/e+f"), is("plus"));
    assert_eq!(copied("/examplebucket/e%20f"), is("space"));
    assert_eq!(copied("/examplebucket/g+h").0, 404);
}

/// The pages of EC 0016-00000005, 0011-00000004 and 0011-00000002.
#[test]
fn names_and_metadata_are_those_that_the_service_takes() {
    let cloud = cloud();
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    for name in ["/lead", "\\lead"] {
        for (method, query) in [("PUT", vec![]), ("POST", vec![("uploads", "")])] {
            let reply = oss.call_with(method, name, &query, &[], b"");
            assert_eq!(
                reply.refusal(),
                (400, "InvalidObjectName".to_owned()),
                "{method} {name}"
            );
            assert_eq!(reply.element("EC"), "0016-00000005");
        }
    }
    let put = |name: &str, value: &str| {
        let reply = oss.call("PUT", "m", &[(name, value)], b"");
        (reply.status, reply.element("EC"))
    };
    let refused = |ec: &str| (400, ec.to_owned());
    for name in ["x-oss-meta-a_b", "x-oss-meta-a.b", "x-oss-meta-a!", "x-oss-meta-"] {
        assert_eq!(put(name, "v"), refused("0011-00000004"), "{name}");
    }
    assert_eq!(put("x-oss-meta-Last-Modified2", "v").0, 200);
    assert_eq!(put("x-oss-meta-a", &"v".repeat(8 * 1024 - 12)).0, 200);
    assert_eq!(
        put("x-oss-meta-a", &"v".repeat(9 * 1024)),
        refused("0011-00000002")
    );
    let copy = [
        ("x-oss-copy-source", "/examplebucket/k"),
        ("x-oss-metadata-directive", "REPLACE"),
        ("x-oss-meta-a_b", "v"),
    ];
    assert_eq!(oss.call("PUT", "copy", &copy, b"").element("EC"), "0011-00000004");
}

#[test]
fn bodies_are_limited() {
    let (cloud, _) = cloud_at_now(|builder| builder.body_limit(1000).sink_bucket("sink"));
    let key = cloud.access_key();
    let put = |bucket, length| {
        let oss = Oss {
            bucket,
            ..Oss::new(&cloud, &key)
        };
        oss.call("PUT", "k", &[], &vec![0; length])
    };
    assert_eq!(put(None, 1000).status, 200);
    assert_eq!(put(None, 1001).refusal(), (400, "EntityTooLarge".to_owned()));
    assert_eq!(cloud.object(cloud.bucket(), "k").unwrap().len(), 1000);
    assert_eq!(put(Some("sink"), 5000).status, 200);
    let sts = send(&cloud.sts_endpoint(), "POST", "/", &[], &[b'a'; 1001]).unwrap();
    assert_eq!(sts.status, 413);
}
