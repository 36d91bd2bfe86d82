//! What the local OSS keeps, accepts and refuses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::Credentials;
use oss_credentials_core::test_util::ManualClock;
use oss_sign::v4;
use oss_testkit::{BucketAcl, LocalCloud};
use support::*;

/// Requests signed by others: vectors on which three official clients agree.
#[test]
fn published_signatures_are_accepted() {
    let temporary = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("FakeSecurityToken0002")
        .build()
        .unwrap();
    let cloud = LocalCloud::builder()
        .clock(ManualClock::at_unix(NOW))
        .bucket("examplebucket")
        .access_key("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .temporary_key(temporary)
        .start_blocking()
        .unwrap();
    let host = ("Host", "examplebucket.oss-cn-hangzhou.aliyuncs.com");

    let put = |signature: &str| {
        let authorization = format!(
            "OSS4-HMAC-SHA256 Credential=FakeAccessKeyId0001/20260101/cn-hangzhou/oss/aliyun_v4_request,\
             AdditionalHeaders=content-disposition;content-length;host;range,Signature={signature}"
        );
        let headers = [
            host,
            ("Range", "bytes=0-9"),
            ("Content-Type", "text/plain"),
            ("x-oss-meta-k", "v"),
            ("Content-Length", "3"),
            ("Content-Disposition", "attachment"),
            ("Cache-Control", ""),
            ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-oss-date", "20260101T083000Z"),
            ("Authorization", &authorization),
        ];
        send(&cloud.oss_endpoint(), "PUT", "/add.txt", &headers, b"abc").unwrap()
    };
    let good = "fc744f9e328dfd7317132a7c1490347b89e9910e3156fd2e00f3d8aed101a524";
    assert_eq!(
        put(&good.replacen('f', "e", 1)).refusal(),
        (403, "SignatureDoesNotMatch".to_owned())
    );
    assert_eq!(put(good).status, 200);

    let url = "/up%20load/%E5%9B%BE.png?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20260101T083000Z\
        &x-oss-expires=3600\
        &x-oss-credential=STS.FakeTempKeyId0002%2F20260101%2Fcn-hangzhou%2Foss%2Faliyun_v4_request\
        &x-oss-security-token=FakeSecurityToken0002\
        &x-oss-signature=d683bd989226d1d62f902ae7b6cd8f56e686f7298f2e6e5ec15bcd41f4f8067a";
    let headers = [
        host,
        ("Content-Type", "image/png"),
        ("x-oss-meta-owner", "bob"),
        (
            "x-oss-callback",
            "eyJjYWxsYmFja1VybCI6Imh0dHA6Ly9leGFtcGxlLmNvbSJ9",
        ),
    ];
    let reply = send(&cloud.oss_endpoint(), "PUT", url, &headers, b"picture").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        cloud.object("examplebucket", "up load/图.png").as_deref(),
        Some(&b"picture"[..])
    );
    let less = send(&cloud.oss_endpoint(), "PUT", url, &headers[..3], b"picture").unwrap();
    assert_eq!(less.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
}

#[test]
fn objects_come_back_with_their_headers() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let headers = [
        ("Content-Type", "text/x-test"),
        ("x-oss-meta-a", "blue  green"),
        ("Cache-Control", "no-cache"),
    ];
    let put = oss.call("PUT", "a b/图+%.txt", &headers, b"123456789");
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.header("x-oss-hash-crc64ecma"), Some("11051210869376104954"));
    assert_eq!(put.header("x-oss-request-id").map(str::len), Some(24));

    let got = oss.call("GET", "a b/图+%.txt", &[], b"");
    assert_eq!((got.status, got.body.as_str()), (200, "123456789"));
    for (name, value) in headers {
        assert_eq!(got.header(name), Some(value));
    }
    assert_eq!(got.header("etag"), put.header("etag"));
    assert_eq!(got.header("last-modified"), Some("Thu, 01 Jan 2026 08:30:00 GMT"));
    assert_eq!(got.header("date"), Some("Thu, 01 Jan 2026 08:30:00 GMT"));
    assert!(got.header("x-oss-server-time").is_some());

    for name in ["a b/图+%.txt", "a b/图+%.txt?objectMeta"] {
        let (name, query) = name
            .split_once('?')
            .map_or((name, vec![]), |(name, _)| (name, vec![("objectMeta", "")]));
        let head = oss.call_with("HEAD", name, &query, &[], b"");
        assert_eq!(
            (head.status, head.header("content-length"), head.body.as_str()),
            (200, Some("9"), "")
        );
    }

    assert_eq!(oss.call("DELETE", "a b/图+%.txt", &[], b"").status, 204);
    assert_eq!(oss.call("DELETE", "a b/图+%.txt", &[], b"").status, 204);
    let gone = oss.call("GET", "a b/图+%.txt", &[], b"");
    assert_eq!(gone.refusal(), (404, "NoSuchKey".to_owned()));
    assert_eq!(gone.element("EC"), "0026-00000001");
    assert_eq!(
        Some(gone.element("RequestId").as_str()),
        gone.header("x-oss-request-id")
    );
    assert_eq!(cloud.object(cloud.bucket(), "a b/图+%.txt"), None);
}

#[test]
fn an_error_of_head_is_in_a_header() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let head = Oss::new(&cloud, &key).call("HEAD", "nope", &[], b"");
    assert_eq!((head.status, head.body.as_str()), (404, ""));
    let document = STANDARD.decode(head.header("x-oss-err").unwrap()).unwrap();
    let document = String::from_utf8(document).unwrap();
    assert!(document.contains("<Code>NoSuchKey</Code>"), "{document}");
    assert_eq!(head.header("x-oss-ec"), Some("0026-00000001"));
}

#[test]
fn parts_conditions_and_overrides() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let etag = oss
        .call("PUT", "k", &[], b"0123456789")
        .header("etag")
        .unwrap()
        .to_owned();
    let part = oss.call("GET", "k", &[("Range", "bytes=2-4")], b"");
    assert_eq!((part.status, part.body.as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(oss.call("GET", "k", &[("Range", "bytes=10-")], b"").status, 200);
    let standard = [("Range", "bytes=10-"), ("x-oss-range-behavior", "standard")];
    assert_eq!(
        oss.call("GET", "k", &standard, b"").refusal(),
        (416, "InvalidRange".to_owned())
    );

    assert_eq!(oss.call("GET", "k", &[("If-None-Match", &etag)], b"").status, 304);
    assert_eq!(oss.call("GET", "k", &[("If-Match", &etag)], b"").status, 200);
    let other = oss.call("GET", "k", &[("If-Match", "\"other\"")], b"");
    assert_eq!(other.refusal(), (412, "PreconditionFailed".to_owned()));

    let query = [("response-content-type", "text/x-other")];
    let reply = oss.call_with("GET", "k", &query, &[], b"");
    assert_eq!(reply.header("content-type"), Some("text/x-other"));
    let forbid = [("x-oss-forbid-overwrite", "true")];
    assert_eq!(
        oss.call("PUT", "k", &forbid, b"x").refusal(),
        (409, "FileAlreadyExists".to_owned())
    );
    assert_eq!(oss.call("PUT", "new", &forbid, b"x").status, 200);
}

#[test]
fn wrong_signatures_are_refused_with_what_was_to_be_signed() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let forged = forged(&key);
    for method in ["PUT", "GET", "DELETE"] {
        let reply = Oss::new(&cloud, &forged).call(method, "a b", &[], b"");
        assert_eq!(
            reply.refusal(),
            (403, "SignatureDoesNotMatch".to_owned()),
            "{method}"
        );
        let canonical = reply.element("CanonicalRequest");
        assert!(
            canonical.starts_with(&format!("{method}\n/example-bucket/a%20b\n")),
            "{canonical}"
        );
        let text = reply.element("StringToSign");
        assert!(
            text.starts_with("OSS4-HMAC-SHA256\n20260101T083000Z\n20260101/cn-hangzhou/oss/"),
            "{text}"
        );
        assert_eq!(reply.element("OSSAccessKeyId"), key.access_key_id());
        assert!(!reply.body.contains(key.access_key_secret()));
    }
    // A good signature does not fit another key, and not another method.
    let oss = Oss::new(&cloud, &key);
    cloud.put_object(cloud.bucket(), "k", "v");
    let url = oss.presigned("GET", "k", Duration::from_secs(60));
    let get = |method, url: &str| send(&cloud.oss_endpoint(), method, url, &[], b"").unwrap();
    assert_eq!(get("GET", &url).body, "v");
    assert_eq!(get("GET", &url.replace("/k?", "/l?")).status, 403);
    assert_eq!(get("DELETE", &url).status, 403);
    assert_eq!(get("GET", &format!("{url}&versionId=1")).status, 403);

    let stranger = Credentials::builder("LTAI5tStranger", "s").build().unwrap();
    let reply = Oss::new(&cloud, &stranger).call("GET", "k", &[], b"");
    assert_eq!(reply.refusal(), (403, "InvalidAccessKeyId".to_owned()));
}

#[test]
fn the_scope_and_the_form_of_a_signature_are_checked() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let elsewhere = Oss {
        region: "cn-beijing",
        ..Oss::new(&cloud, &key)
    }
    .call("GET", "k", &[], b"");
    assert_eq!(elsewhere.refusal(), (400, "InvalidArgument".to_owned()));
    assert_eq!(
        elsewhere.element("Message"),
        "Invalid signing region in Authorization header."
    );
    assert_eq!(elsewhere.element("EC"), "0002-00000226");

    let get = |authorization: &str| {
        let headers = [
            ("Authorization", authorization),
            ("x-oss-date", "20260101T083000Z"),
            ("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        let reply = send(&cloud.oss_endpoint(), "GET", "/example-bucket/k", &headers, b"").unwrap();
        assert_eq!(reply.refusal(), (400, "InvalidArgument".to_owned()));
        reply.element("Message")
    };
    let scope = |scope: &str| {
        get(&format!(
            "OSS4-HMAC-SHA256 Credential=x/{scope}/aliyun_v4_request,Signature=0"
        ))
    };
    assert_eq!(get("OSS2 AccessKeyId:id"), "Unsupported Authorization Type");
    assert_eq!(
        get("OSS4-HMAC-SHA256 Credential=x"),
        "Authorization header is invalid."
    );
    assert_eq!(
        scope("20260101/cn-hangzhou/oss-cloudbox"),
        "Invalid signing product in Authorization header."
    );
    assert_eq!(
        scope("20260102/cn-hangzhou/oss"),
        "Invalid signing date in Authorization header."
    );
}

#[test]
fn the_digest_of_an_upload_is_checked() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let put =
        |digest: &str, body: &[u8]| Oss::new(&cloud, &key).call("PUT", "k", &[("content-md5", digest)], body);
    // Of RFC 1321, appendix A.5: "" and "abc".
    assert_eq!(put("1B2M2Y8AsgTpgAmY7PhCfg==", b"").status, 200);
    assert_eq!(put("kAFQmDzST7DWlj99KOF/cg==", b"abc").status, 200);
    for wrong in [
        "1B2M2Y8AsgTpgAmY7PhCfg==",
        "900150983cd24fb0d6963f7d28e17f72",
        "!",
    ] {
        let reply = put(wrong, b"not empty");
        assert_eq!(reply.refusal(), (400, "InvalidDigest".to_owned()), "{wrong}");
    }
    assert_eq!(cloud.object(cloud.bucket(), "k").as_deref(), Some(&b"abc"[..]));
}

/// Signatures that are right otherwise: the string to sign is made here, from the vendor's description.
#[test]
fn what_a_right_signature_covers_has_to_be_well_formed() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let put = |payload: &str, listed: &str| {
        let canonical = format!(
            "PUT\n/example-bucket/k\n\n{}x-oss-content-sha256:{payload}\nx-oss-date:20260101T083000Z\n\n\
             {listed}\n{payload}",
            ["alpha:1\n", "beta:2\n"]
                .iter()
                .filter(|line| listed.split(';').any(|name| line.split(':').next() == Some(name)))
                .copied()
                .collect::<String>(),
        );
        let text = v4::string_to_sign(
            "20260101T083000Z",
            "20260101/cn-hangzhou/oss/aliyun_v4_request",
            canonical.as_bytes(),
        );
        let signature = v4::signature(key.access_key_secret(), "20260101", "cn-hangzhou", "oss", &text);
        let additional = match listed {
            "" => String::new(),
            _ => format!("AdditionalHeaders={listed},"),
        };
        let authorization = format!(
            "OSS4-HMAC-SHA256 Credential={}/20260101/cn-hangzhou/oss/aliyun_v4_request,{additional}\
             Signature={signature}",
            key.access_key_id()
        );
        let headers = [
            ("alpha", "1"),
            ("beta", "2"),
            ("x-oss-content-sha256", payload),
            ("x-oss-date", "20260101T083000Z"),
            ("Authorization", &authorization),
        ];
        send(
            &cloud.oss_endpoint(),
            "PUT",
            "/example-bucket/k",
            &headers,
            b"hello",
        )
        .unwrap()
    };
    for listed in ["", "alpha", "alpha;beta"] {
        assert_eq!(put("UNSIGNED-PAYLOAD", listed).status, 200, "{listed}");
    }
    let refused = |payload: &str, listed: &str| {
        let reply = put(payload, listed);
        assert_eq!(
            reply.refusal(),
            (400, "InvalidArgument".to_owned()),
            "{payload} {listed}"
        );
        reply.element("Message")
    };
    // Of "hello", and of nothing.
    for payload in [
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "banana",
    ] {
        assert_eq!(refused(payload, ""), "Invalid x-oss-content-sha256 header.");
    }
    for listed in ["beta;alpha", "alpha;alpha", "alpha;alpha;beta"] {
        assert_eq!(
            refused("UNSIGNED-PAYLOAD", listed),
            "AdditionalHeaders must be sorted and name each header once.",
        );
    }
    assert_eq!(
        refused("UNSIGNED-PAYLOAD", "alpha;gamma"),
        "AdditionalHeaders names a header that the request lacks.",
    );
}

#[test]
fn tokens_belong_to_their_key_and_end_with_it() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let key = cloud.issue(Duration::from_secs(900)).unwrap();
    cloud.put_object(cloud.bucket(), "k", "v");
    let get = |key: &Credentials, time| {
        Oss {
            time,
            ..Oss::new(&cloud, key)
        }
        .call("GET", "k", &[], b"")
    };
    assert_eq!(get(&key, now()).body, "v");
    let invalid = (403, "InvalidSecurityToken".to_owned());
    assert_eq!(get(&with_token(&key, "CAISother"), now()).refusal(), invalid);
    assert_eq!(get(&with_token(&key, ""), now()).refusal(), invalid);
    assert_eq!(
        get(&with_token(&cloud.access_key(), "CAISother"), now()).refusal(),
        invalid
    );

    let url = Oss::new(&cloud, &key).presigned("GET", "k", Duration::from_secs(3600));
    let end = now() + Duration::from_secs(900);
    clock.set(end);
    let expired = (403, "SecurityTokenExpired".to_owned());
    assert_eq!(get(&key, end).refusal(), expired);
    // The URL is younger than its own lifetime, and still ends with its key.
    assert_eq!(
        send(&cloud.oss_endpoint(), "GET", &url, &[], b"")
            .unwrap()
            .refusal(),
        expired
    );
}

#[test]
fn revoked_keys_are_refused() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let temporary = cloud.issue(Duration::from_secs(900)).unwrap();
    let get = |key: &Credentials| Oss::new(&cloud, key).call("HEAD", "k", &[], b"").status;
    assert_eq!(get(&temporary), 404);
    assert!(cloud.revoke(temporary.access_key_id()));
    let refused = Oss::new(&cloud, &temporary).call("GET", "k", &[], b"");
    assert_eq!(refused.refusal(), (403, "InvalidSecurityToken".to_owned()));
    assert!(cloud.revoke(cloud.access_key().access_key_id()));
    let refused = Oss::new(&cloud, &cloud.access_key()).call("GET", "k", &[], b"");
    assert_eq!(refused.refusal(), (403, "InvalidAccessKeyId".to_owned()));
}

#[test]
fn a_skewed_clock_is_refused_and_can_be_corrected() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let at = |time| {
        Oss {
            time,
            ..Oss::new(&cloud, &key)
        }
        .call("GET", "k", &[], b"")
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for time in [now() - minutes(15), now() + minutes(15)] {
        assert_eq!(at(time).status, 404);
    }
    for time in [now() - minutes(16), now() + minutes(16)] {
        assert_eq!(at(time).refusal(), (403, "RequestTimeTooSkewed".to_owned()));
    }
    cloud.set_clock_offset(3600);
    let reply = at(now());
    assert_eq!(reply.refusal(), (403, "RequestTimeTooSkewed".to_owned()));
    assert_eq!(reply.element("RequestTime"), "2026-01-01T08:30:00.000Z");
    assert_eq!(reply.element("ServerTime"), "2026-01-01T09:30:00.000Z");
    assert_eq!(reply.header("date"), Some("Thu, 01 Jan 2026 09:30:00 GMT"));
    assert_eq!(at(now() + minutes(60)).status, 404);
}

#[test]
fn urls_end_when_they_say() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    cloud.put_object(cloud.bucket(), "k", "v");
    let url = Oss::new(&cloud, &key).presigned("GET", "k", Duration::from_secs(60));
    let get = |url: &str| send(&cloud.oss_endpoint(), "GET", url, &[], b"").unwrap();
    clock.advance(Duration::from_secs(60));
    assert_eq!(get(&url).status, 200);
    clock.advance(Duration::from_secs(1));
    let late = get(&url);
    assert_eq!(late.refusal(), (403, "AccessDenied".to_owned()));
    assert_eq!(late.element("Message"), "Request has expired.");
    assert_eq!(late.element("Expires"), "2026-01-01T08:31:00.000Z");

    let ahead = Oss {
        time: now() + Duration::from_secs(1000),
        ..Oss::new(&cloud, &key)
    };
    let url = ahead.presigned("GET", "k", Duration::from_secs(60));
    assert_eq!(get(&url).refusal(), (403, "RequestTimeTooSkewed".to_owned()));
    for bad in ["x-oss-expires=0", "x-oss-expires=604801", "x-oss-expires=x"] {
        let url = url.replace("x-oss-expires=60", bad);
        assert_eq!(get(&url).refusal(), (400, "InvalidArgument".to_owned()), "{bad}");
    }
}

#[test]
fn buckets_are_found_in_host_and_path() {
    let (cloud, _) = cloud_at_now(|builder| builder.cname("files.example.com", "example-bucket"));
    let key = cloud.access_key();
    cloud.put_object(cloud.bucket(), "dir/k", "v");
    let url = Oss::new(&cloud, &key).presigned("GET", "dir/k", Duration::from_secs(60));
    let without_bucket = url.replacen("/example-bucket", "", 1);
    let get = |host: &str, url: &str| {
        send(&cloud.oss_endpoint(), "GET", url, &[("Host", host)], b"")
            .unwrap()
            .body
    };
    assert_eq!(get("localhost:1234", &url), "v");
    for host in [
        "example-bucket.localhost:1234",
        "example-bucket.oss-cn-hangzhou.aliyuncs.com",
        "files.example.com",
    ] {
        assert_eq!(get(host, &without_bucket), "v", "{host}");
    }
    assert!(get("other.localhost", &without_bucket).contains("SignatureDoesNotMatch"));
    let other = send(&cloud.oss_endpoint(), "GET", "/nobody/k", &[], b"").unwrap();
    assert_eq!(other.refusal(), (404, "NoSuchBucket".to_owned()));
}

#[test]
fn without_a_signature_the_bucket_decides() {
    let (cloud, _) = cloud_at_now(|builder| {
        builder
            .another_bucket("readable", BucketAcl::PublicRead)
            .another_bucket("open", BucketAcl::PublicReadWrite)
    });
    for bucket in ["example-bucket", "readable", "open"] {
        assert!(cloud.put_object(bucket, "k", "v"));
    }
    assert!(!cloud.put_object("nobody", "k", "v"));
    let ask = |method, bucket| {
        let target = format!("/{bucket}/k");
        send(&cloud.oss_endpoint(), method, &target, &[], b"")
            .unwrap()
            .status
    };
    assert_eq!(
        [
            ask("GET", "example-bucket"),
            ask("GET", "readable"),
            ask("GET", "open")
        ],
        [403, 200, 200]
    );
    assert_eq!(
        [
            ask("PUT", "example-bucket"),
            ask("PUT", "readable"),
            ask("PUT", "open")
        ],
        [403, 403, 200]
    );
    let denied = send(&cloud.oss_endpoint(), "GET", "/example-bucket/k", &[], b"").unwrap();
    assert_eq!(denied.refusal(), (403, "AccessDenied".to_owned()));
}

#[test]
fn what_is_not_there_says_so_after_the_signature() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let ask = |oss: &Oss<'_>, method, name, parameter| {
        oss.call_with(method, name, &[(parameter, "")], &[], b"")
            .refusal()
    };
    let unknown = (501, "NotImplemented".to_owned());
    for (method, name, parameter) in [
        ("POST", "k", "asyncFetch"),
        ("GET", "", "lifecycle"),
        ("PUT", "", "website"),
        ("PATCH", "k", "x"),
    ] {
        assert_eq!(
            ask(&oss, method, name, parameter),
            unknown,
            "{method} {parameter}"
        );
    }
    let forged = forged(&key);
    let (status, _) = ask(&Oss::new(&cloud, &forged), "GET", "", "lifecycle");
    assert_eq!(status, 403);
}
