//! Copies, lists, buckets, parts, forms and sinks of the local OSS, and what can go wrong with them.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::Credentials;
use oss_credentials_core::test_util::ManualClock;
use oss_sign::v4;
use oss_testkit::{BucketAcl, Fault, LocalCloud, Service};
use support::*;

/// Requests signed with V1 by others: vectors on which three official clients agree.
#[test]
fn published_v1_signatures_are_accepted() {
    let temporary = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("FakeSecurityToken0002")
        .build()
        .unwrap();
    let cloud = LocalCloud::builder()
        .clock(ManualClock::at_unix(NOW))
        .bucket("examplebucket")
        .temporary_key(temporary)
        .start_blocking()
        .unwrap();
    let body = b"<Delete><Object><Key>a</Key></Object></Delete>";
    let delete = |signature: &str| {
        let authorization = format!("OSS STS.FakeTempKeyId0002:{signature}");
        let headers = [
            ("Host", "examplebucket.oss-cn-hangzhou.aliyuncs.com"),
            ("Date", "Thu, 01 Jan 2026 08:30:00 GMT"),
            ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            ("Content-Type", "application/xml"),
            ("x-oss-security-token", "FakeSecurityToken0002"),
            ("Authorization", &authorization),
        ];
        send(&cloud.oss_endpoint(), "POST", "/?delete", &headers, body).unwrap()
    };
    // The signature is right, but the digest in the vector is that of nothing.
    assert_eq!(
        delete("0roCaQh/fQRe4EWXLTQiWz4w5Wg=").refusal(),
        (400, "InvalidDigest".to_owned())
    );
    let wrong = delete("1roCaQh/fQRe4EWXLTQiWz4w5Wg=");
    assert_eq!(wrong.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(
        wrong.element("StringToSign"),
        "POST\n1B2M2Y8AsgTpgAmY7PhCfg==\napplication/xml\nThu, 01 Jan 2026 08:30:00 GMT\n\
         x-oss-security-token:FakeSecurityToken0002\n/examplebucket/?delete"
    );

    cloud.put_object("examplebucket", "report.pdf", "pdf");
    let url = "/report.pdf?response-content-disposition=attachment%3B%20filename%3D%22a%20b%2Bc%20%E6%8A%A5%E5%91%8A\
        .pdf%22&response-content-type=application%2Fpdf%3B%20charset%3Dutf-8&response-cache-control=no-cache\
        &response-expires=Fri%2C%2001%20Jan%202027%2000%3A00%3A00%20GMT&response-content-language=zh-CN\
        &response-content-encoding=gzip&security-token=FakeSecurityToken0002\
        &OSSAccessKeyId=STS.FakeTempKeyId0002&Expires=1767259800&Signature=8X9tRmSUvNMg4p34erhdGy3IPCI%3D";
    let host = [("Host", "examplebucket.oss-cn-hangzhou.aliyuncs.com")];
    let get = |url: &str| send(&cloud.oss_endpoint(), "GET", url, &host, b"").unwrap();
    let reply = get(url);
    assert_eq!((reply.status, reply.body.as_str()), (200, "pdf"));
    assert_eq!(reply.header("content-language"), Some("zh-CN"));
    let other = get(&url.replace("zh-CN", "en-GB"));
    assert_eq!(other.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    let requests = cloud.requests();
    assert_eq!(
        requests.first().unwrap().access_key_id(),
        Some("STS.FakeTempKeyId0002")
    );
    assert_eq!(
        requests.last().unwrap().access_key_id(),
        Some("STS.FakeTempKeyId0002")
    );
}

#[test]
fn the_etag_of_an_upload_is_its_md5_and_a_download_repeats_it() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    // Of RFC 1321, appendix A.5: "abc".
    let put = oss.call("PUT", "k", &[], b"abc");
    assert_eq!(put.header("etag"), Some("\"900150983CD24FB0D6963F7D28E17F72\""));
    assert_eq!(put.header("content-md5"), Some("kAFQmDzST7DWlj99KOF/cg=="));
    assert_eq!(oss.call("GET", "k", &[], b"").header("etag"), put.header("etag"));
    let conditional = oss.call("PUT", "k", &[("If-Match", "x")], b"");
    assert_eq!(conditional.refusal(), (400, "NotImplemented".to_owned()));
    assert_eq!(conditional.element("Header"), "if-match");
    assert_eq!(
        conditional.element("RecommendDoc"),
        "https://api.aliyun.com/troubleshoot?q=0017-00000245"
    );
}

#[test]
fn conditions_compare_whole_seconds() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    clock.advance(Duration::from_millis(400));
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    cloud.put_object(cloud.bucket(), "k", "v");
    let get = |name, date| oss.call("GET", "k", &[(name, date)], b"").status;
    let (before, at) = ("Thu, 01 Jan 2026 08:29:59 GMT", "Thu, 01 Jan 2026 08:30:00 GMT");
    assert_eq!(
        [get("If-Modified-Since", before), get("If-Modified-Since", at)],
        [200, 304]
    );
    assert_eq!(
        [get("If-Unmodified-Since", before), get("If-Unmodified-Since", at)],
        [412, 200]
    );
    assert_eq!(get("If-Modified-Since", "yesterday"), 200);
}

#[test]
fn lists_are_written_as_documented() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    for name in ["docs/a b", "docs/报告.pdf", "docs/old/1", "docs/old/2"] {
        cloud.put_object(cloud.bucket(), name, "12");
    }
    let query = [
        ("list-type", "2"),
        ("encoding-type", "url"),
        ("prefix", "docs/"),
        ("delimiter", "/"),
        ("max-keys", "2"),
        ("fetch-owner", "true"),
    ];
    let page = oss.call_with("GET", "", &query, &[], b"");
    assert_eq!(page.status, 200, "{}", page.body);
    for (name, value) in [
        ("Name", "example-bucket"),
        ("Prefix", "docs%2F"),
        ("MaxKeys", "2"),
        ("Delimiter", "%2F"),
        ("EncodingType", "url"),
        ("IsTruncated", "true"),
        ("KeyCount", "2"),
        ("Key", "docs%2Fa%20b"),
        ("LastModified", "2026-01-01T08:30:00.000Z"),
        ("Type", "Normal"),
        ("Size", "2"),
        ("StorageClass", "Standard"),
        ("ID", "123456789012"),
    ] {
        assert_eq!(page.element(name), value, "{name}");
    }
    assert!(
        page.body
            .contains("<CommonPrefixes><Prefix>docs%2Fold%2F</Prefix></CommonPrefixes>")
    );
    let token = page.element("NextContinuationToken");
    let token = percent_encoding::percent_decode_str(&token)
        .decode_utf8()
        .unwrap();
    let query = [&query[..], &[("continuation-token", &token)]].concat();
    let rest = oss.call_with("GET", "", &query, &[], b"");
    assert_eq!(rest.element("Key"), "docs%2F%E6%8A%A5%E5%91%8A.pdf");
    assert_eq!(rest.element("IsTruncated"), "false");
    assert!(!rest.body.contains("old") && !rest.body.contains("NextContinuationToken"));

    // Without encoding, and as HTTP: names come as they are.
    let plain = oss.call_with("GET", "", &[("list-type", "2"), ("delimiter", "/")], &[], b"");
    assert!(
        plain
            .body
            .contains("<CommonPrefixes><Prefix>docs/</Prefix></CommonPrefixes>")
    );
    for (name, value) in [
        ("encoding-type", "base64"),
        ("max-keys", "0"),
        ("max-keys", "1001"),
    ] {
        let reply = oss.call_with("GET", "", &[("list-type", "2"), (name, value)], &[], b"");
        assert_eq!(
            reply.refusal(),
            (400, "InvalidArgument".to_owned()),
            "{name}={value}"
        );
        assert_eq!(reply.element("ArgumentName"), name);
    }
}

#[test]
fn an_empty_page_leads_on_to_the_same_place() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    cloud.put_object(cloud.bucket(), "k", "v");
    cloud.fault(Service::Oss, Fault::empty_page().action("ListObjectsV2").times(2));
    let mut token = String::new();
    let mut pages = Vec::new();
    for _ in 0..3 {
        let query = [("list-type", "2"), ("continuation-token", &token)];
        let page = oss.call_with("GET", "", &query, &[], b"");
        let next = page.element("NextContinuationToken");
        assert_ne!(next, token);
        token = next;
        pages.push((
            page.element("IsTruncated"),
            page.element("KeyCount"),
            page.element("Key"),
        ));
    }
    let page =
        |truncated: &str, count: &str, key: &str| (truncated.to_owned(), count.to_owned(), key.to_owned());
    assert_eq!(
        pages,
        [
            page("true", "0", ""),
            page("true", "0", ""),
            page("false", "1", "k")
        ]
    );
}

#[test]
fn answers_come_in_other_forms_on_demand() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    let uri = "http://doc.oss-cn-hangzhou.aliyuncs.com";
    cloud.fault(Service::Oss, Fault::xml_namespace(uri).times(2));
    let list = oss.call_with("GET", "", &[("list-type", "2")], &[], b"");
    assert!(
        list.body
            .contains(&format!("<ListBucketResult xmlns=\"{uri}\"><Name>")),
        "{}",
        list.body
    );
    let error = oss.call("GET", "nope", &[], b"");
    assert!(
        error.body.contains(&format!("<Error xmlns=\"{uri}\">\n")),
        "{}",
        error.body
    );
    assert_eq!(error.refusal(), (404, "NoSuchKey".to_owned()));

    cloud.fault(Service::Oss, Fault::json_error(403, "AccessDenied"));
    let json = oss.call("GET", "nope", &[], b"");
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(
        (json.status, json.json()["Error"]["Code"].as_str()),
        (403, Some("AccessDenied"))
    );
    assert_eq!(
        json.json()["Error"]["RequestId"].as_str(),
        json.header("x-oss-request-id")
    );

    cloud.fault(Service::Oss, Fault::redirect(307, "http://127.0.0.1:1/elsewhere"));
    let redirect = oss.call("GET", "nope", &[], b"");
    assert_eq!(redirect.status, 307);
    assert_eq!(redirect.header("location"), Some("http://127.0.0.1:1/elsewhere"));
    let recorded = cloud.requests();
    let codes: Vec<_> = recorded.iter().map(|request| request.error_code()).collect();
    assert_eq!(codes, [None, Some("NoSuchKey"), Some("AccessDenied"), None]);
}

#[test]
fn operations_are_recorded_by_their_names() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    for (method, name, query, headers, action) in [
        ("PUT", "k", &[][..], &[][..], "PutObject"),
        (
            "PUT",
            "k",
            &[],
            &[("x-oss-copy-source", "/example-bucket/k")],
            "CopyObject",
        ),
        ("HEAD", "k", &[("objectMeta", "")], &[], "GetObjectMeta"),
        ("GET", "", &[("list-type", "2")], &[], "ListObjectsV2"),
        ("POST", "", &[("delete", "")], &[], "DeleteMultipleObjects"),
        ("POST", "k", &[("uploads", "")], &[], "InitiateMultipartUpload"),
        (
            "PUT",
            "k",
            &[("partNumber", "1"), ("uploadId", "x")],
            &[],
            "UploadPart",
        ),
        ("GET", "k", &[("uploadId", "x")], &[], "ListParts"),
        ("POST", "k", &[("uploadId", "x")], &[], "CompleteMultipartUpload"),
        ("DELETE", "k", &[("uploadId", "x")], &[], "AbortMultipartUpload"),
        ("PUT", "", &[], &[], "PutBucket"),
        ("DELETE", "", &[], &[], "DeleteBucket"),
    ] {
        oss.call_with(method, name, query, headers, b"");
        assert_eq!(cloud.requests().last().unwrap().action(), action);
    }
    send(&cloud.oss_endpoint(), "GET", "/", &[], b"").unwrap();
    assert_eq!(cloud.requests().last().unwrap().action(), "ListBuckets");
}

#[test]
fn unsigned_requests_never_touch_buckets_themselves() {
    let (cloud, _) = cloud_at_now(|builder| builder.another_bucket("open", BucketAcl::PublicReadWrite));
    let ask = |method, target| send(&cloud.oss_endpoint(), method, target, &[], b"").unwrap();
    for (method, target) in [
        ("GET", "/"),
        ("PUT", "/new-bucket/"),
        ("DELETE", "/open/"),
        ("PUT", "/open/"),
    ] {
        let refusal = ask(method, target).refusal();
        assert!([403, 404].contains(&refusal.0), "{method} {target}: {refusal:?}");
    }
    assert_eq!(ask("GET", "/").refusal(), (403, "AccessDenied".to_owned()));
    assert_eq!(ask("GET", "/open/?list-type=2").status, 200);
    assert_eq!(ask("GET", "/example-bucket/?list-type=2").status, 403);
}

#[test]
fn buckets_of_others_are_taken_and_out_of_reach() {
    let (cloud, _) = cloud_at_now(|builder| builder.foreign_bucket("theirs"));
    let key = cloud.access_key();
    let oss = Oss {
        bucket: Some("theirs"),
        ..Oss::new(&cloud, &key)
    };
    let taken = oss.call("PUT", "", &[], b"");
    assert_eq!(taken.refusal(), (409, "BucketAlreadyExists".to_owned()));
    for (method, name) in [("GET", "k"), ("PUT", "k"), ("DELETE", "")] {
        let refusal = oss.call(method, name, &[], b"").refusal();
        assert_eq!(refusal, (403, "AccessDenied".to_owned()), "{method} {name}");
    }
    let source = [("x-oss-copy-source", "/theirs/k")];
    let copy = Oss::new(&cloud, &key).call("PUT", "k", &source, b"");
    assert_eq!(copy.refusal(), (403, "AccessDenied".to_owned()));
}

#[test]
fn parts_are_checked_before_they_become_an_object() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let oss = Oss::new(&cloud, &key);
    cloud.put_object(cloud.bucket(), "k", "before");
    let id = oss
        .call_with("POST", "k", &[("uploads", "")], &[], b"")
        .element("UploadId");
    let upload = |number: &str, size: usize| {
        let query = [("partNumber", number), ("uploadId", id.as_str())];
        let reply = oss.call_with("PUT", "k", &query, &[], &vec![b'x'; size]);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.header("etag").unwrap().to_owned()
    };
    let (large, small, last) = (upload("1", 102_400), upload("2", 102_399), upload("3", 1));
    let complete = |headers: &[(&str, &str)], parts: &[(u32, &str)]| {
        let parts: Vec<String> = parts
            .iter()
            .map(|(number, etag)| {
                let etag = etag.replace('"', "&quot;");
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        let xml = format!(
            "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
            parts.concat()
        );
        oss.call_with("POST", "k", &[("uploadId", &id)], headers, xml.as_bytes())
    };
    for (parts, code) in [
        (&[(2, small.as_str()), (1, &large)][..], "InvalidPartOrder"),
        (&[(1, &last)], "InvalidPart"),
        (&[(4, &last)], "InvalidPart"),
        (&[(1, &large), (2, &small), (3, &last)], "EntityTooSmall"),
        (&[], "MalformedXML"),
    ] {
        assert_eq!(complete(&[], parts).refusal(), (400, code.to_owned()));
    }
    let good = [(1, large.as_str()), (3, last.as_str())];
    let forbid = [("x-oss-forbid-overwrite", "true")];
    assert_eq!(
        complete(&forbid, &good).refusal(),
        (409, "FileAlreadyExists".to_owned())
    );
    assert_eq!(cloud.object(cloud.bucket(), "k").as_deref(), Some(&b"before"[..]));
    assert_eq!(complete(&[], &good).status, 200);
    assert_eq!(
        cloud.object(cloud.bucket(), "k").map(|body| body.len()),
        Some(102_401)
    );
    assert_eq!(complete(&[], &good).refusal(), (404, "NoSuchUpload".to_owned()));
}

/// More than fits through in one piece, and nothing of it is kept.
#[test]
fn a_sink_keeps_figures_and_gives_zeros() {
    let (cloud, _) = cloud_at_now(|builder| builder.sink_bucket("sink"));
    let key = cloud.access_key();
    let oss = Oss {
        bucket: Some("sink"),
        ..Oss::new(&cloud, &key)
    };
    let zeros = vec![0; 300_001];
    let put = oss.call("PUT", "big", &[("x-oss-meta-a", "b")], &zeros);
    assert_eq!(put.status, 200, "{}", put.body);
    // As the same bytes in a bucket that keeps them.
    let kept = Oss::new(&cloud, &key).call("PUT", "big", &[], &zeros);
    for name in ["etag", "content-md5", "x-oss-hash-crc64ecma"] {
        assert_eq!(put.header(name), kept.header(name), "{name}");
        assert!(put.header(name).is_some());
    }
    assert_eq!(cloud.object("sink", "big"), None);
    assert!(cloud.requests().first().unwrap().body().is_empty());

    let got = oss.call("GET", "big", &[], b"");
    assert_eq!((got.status, got.header("content-length")), (200, Some("300001")));
    assert_eq!(
        got.header("x-oss-hash-crc64ecma"),
        put.header("x-oss-hash-crc64ecma")
    );
    assert_eq!(got.header("x-oss-meta-a"), Some("b"));
    assert_eq!(got.body.len(), 300_001);
    assert!(got.body.bytes().all(|byte| byte == 0));
    let part = oss.call("GET", "big", &[("Range", "bytes=100000-199999")], b"");
    assert_eq!((part.status, part.body.len()), (206, 100_000));
    assert_eq!(
        oss.call("HEAD", "big", &[], b"").header("content-length"),
        Some("300001")
    );
    let wrong = oss.call("PUT", "big", &[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")], b"x");
    assert_eq!(wrong.refusal(), (400, "InvalidDigest".to_owned()));

    cloud.fault(Service::Oss, Fault::cut_body().action("GetObject"));
    assert!(cut_length(&oss, "big") < 300_001);
}

/// How many bytes of a body arrive before the connection ends.
fn cut_length(oss: &Oss<'_>, name: &str) -> usize {
    let endpoint = oss.cloud.oss_endpoint();
    let address = endpoint.trim_start_matches("http://");
    let url = oss.presigned("GET", name, Duration::from_secs(60));
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(&request_bytes(address, "GET", &url, &[], b""))
        .unwrap();
    let mut answer = Vec::new();
    // However the connection ends, what came before counts.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    answer.len() - end - 4
}

#[test]
fn parts_in_a_sink_become_an_object_of_their_length() {
    let (cloud, _) = cloud_at_now(|builder| builder.sink_bucket("sink"));
    let key = cloud.access_key();
    let oss = Oss {
        bucket: Some("sink"),
        ..Oss::new(&cloud, &key)
    };
    let id = oss
        .call_with("POST", "k", &[("uploads", "")], &[], b"")
        .element("UploadId");
    for (number, size) in [("1", 102_400), ("2", 5)] {
        let query = [("partNumber", number), ("uploadId", &id)];
        assert_eq!(oss.call_with("PUT", "k", &query, &[], &vec![0; size]).status, 200);
    }
    let all = [("x-oss-complete-all", "yes")];
    let done = oss.call_with("POST", "k", &[("uploadId", &id)], &all, b"");
    assert_eq!(
        (done.status, done.header("x-oss-hash-crc64ecma")),
        (200, None),
        "{}",
        done.body
    );
    assert!(done.element("ETag").ends_with("-2\""), "{}", done.body);
    assert_eq!(oss.call("GET", "k", &[], b"").body.len(), 102_405);
}

/// The policy below in base64.
const POLICY: &str = "eyJleHBpcmF0aW9uIjoiMjAyNi0wMS0wMVQwOTowMDowMC4wMDBaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiZXhhbXBs\
    ZS1idWNrZXQifSx7Ingtb3NzLXNpZ25hdHVyZS12ZXJzaW9uIjoiT1NTNC1ITUFDLVNIQTI1NiJ9LHsieC1vc3MtY3JlZGVu\
    dGlhbCI6IkZha2VBY2Nlc3NLZXlJZDAwMDEvMjAyNjAxMDEvY24taGFuZ3pob3Uvb3NzL2FsaXl1bl92NF9yZXF1ZXN0In0s\
    eyJ4LW9zcy1kYXRlIjoiMjAyNjAxMDFUMDgzMDAwWiJ9XX0=";
const SIGNATURE: &str = "20abe711a2bc6be056c8f55cd8c5125dc36e80e6fc33d8be42d889ecf6fa4aa9";

#[test]
fn forms_are_recorded_and_their_signature_is_checked() {
    let (cloud, _) =
        cloud_at_now(|builder| builder.access_key("FakeAccessKeyId0001", "FakeAccessKeySecret0001"));
    // {"expiration":"2026-01-01T09:00:00.000Z","conditions":[{"bucket":"example-bucket"},
    // {"x-oss-signature-version":"OSS4-HMAC-SHA256"},
    // {"x-oss-credential":"FakeAccessKeyId0001/20260101/cn-hangzhou/oss/aliyun_v4_request"},
    // {"x-oss-date":"20260101T083000Z"}]}, signed by the standard library of another language.
    let policy = POLICY;
    let form = |signature: &str, key: &str| {
        let fields = [
            ("key", key),
            ("x-oss-signature-version", v4::ALGORITHM),
            (
                "x-oss-credential",
                "FakeAccessKeyId0001/20260101/cn-hangzhou/oss/aliyun_v4_request",
            ),
            ("x-oss-date", "20260101T083000Z"),
            ("policy", policy),
            ("x-oss-signature", signature),
        ];
        let mut body = String::new();
        for (name, value) in fields {
            body += "--b\r\nContent-Disposition: form-data; name=\"";
            body += &[name, "\"\r\n\r\n", value, "\r\n"].concat();
        }
        body += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.txt\"\r\n\r\ncontent\r\n--b--\r\n";
        let kind = [("Content-Type", "multipart/form-data; boundary=b")];
        send(
            &cloud.oss_endpoint(),
            "POST",
            "/example-bucket",
            &kind,
            body.as_bytes(),
        )
        .unwrap()
    };
    let stored = form(SIGNATURE, "dir/${filename}");
    assert_eq!(stored.status, 204, "{}", stored.body);
    assert_eq!(
        cloud.object("example-bucket", "dir/f.txt").as_deref(),
        Some(&b"content"[..])
    );
    let wrong = form(&SIGNATURE.replacen('4', "5", 1), "dir/${filename}");
    assert_eq!(wrong.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(wrong.element("StringToSign"), policy);
    assert_eq!(form(SIGNATURE, "").refusal(), (400, "InvalidArgument".to_owned()));

    let requests = cloud.requests();
    let first = requests.first().unwrap();
    assert_eq!(
        (first.action(), first.access_key_id()),
        ("PostObject", Some("FakeAccessKeyId0001"))
    );
    assert_eq!(first.parameter("key"), Some("dir/${filename}"));
    let kind = [("Content-Type", "multipart/form-data; boundary=b")];
    let cut = send(
        &cloud.oss_endpoint(),
        "POST",
        "/example-bucket",
        &kind,
        b"--b\r\nno form",
    )
    .unwrap();
    // Who it is from cannot be read.
    assert_eq!(cut.refusal(), (403, "AccessDenied".to_owned()));
    assert_eq!(STANDARD.decode(policy).unwrap().first(), Some(&b'{'));
}
