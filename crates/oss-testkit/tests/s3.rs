//! Requests as clients of Amazon S3 send them: signatures of AWS, the published ones first, and the other names.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::Duration;

use acs_sign::acs3::content_sha256;
use aws_lc_rs::hmac;
use oss_credentials_core::Credentials;
use oss_credentials_core::test_util::ManualClock;
use oss_testkit::{LocalCloud, Service};
use support::*;

/// 2013-05-24T00:00:00Z, the time of the published examples.
const MAY_2013: u64 = 1_369_353_600;
const EXAMPLE_HOST: &str = "examplebucket.s3.amazonaws.com";
const CREDENTIAL: &str = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// 2026-01-01T08:30:00Z
const TIME: &str = "20260101T083000Z";

/// The account of the examples in the Amazon S3 API reference; its host is a custom domain of the bucket.
fn example_cloud() -> LocalCloud {
    LocalCloud::builder()
        .clock(ManualClock::at_unix(MAY_2013))
        .bucket("examplebucket")
        .cname(EXAMPLE_HOST, "examplebucket")
        .access_key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .start_blocking()
        .unwrap()
}

/// A request of the examples, with this hash of its body, further headers and the rest of `Authorization`.
fn example(
    cloud: &LocalCloud,
    line: (&str, &str),
    hash: &str,
    more: &[(&str, &str)],
    authorization: &str,
    body: &[u8],
) -> Reply {
    let authorization = format!("AWS4-HMAC-SHA256 {CREDENTIAL},{authorization}");
    let mut headers = vec![
        ("Host", EXAMPLE_HOST),
        ("x-amz-content-sha256", hash),
        ("x-amz-date", "20130524T000000Z"),
        ("Authorization", &authorization),
    ];
    headers.extend_from_slice(more);
    send(&cloud.oss_endpoint(), line.0, line.1, &headers, body).unwrap()
}

/// "Examples: Signature Calculations" of "Authenticating Requests: Using the Authorization Header".
#[test]
fn published_signatures_in_the_header_are_accepted() {
    let cloud = example_cloud();
    cloud.put_object("examplebucket", "test.txt", "0123456789abc");
    let get = |signature: &str| {
        let names = "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date";
        let authorization = format!("{names},Signature={signature}");
        let range = [("Range", "bytes=0-9")];
        example(&cloud, ("GET", "/test.txt"), EMPTY, &range, &authorization, b"")
    };
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let reply = get(signature);
    assert_eq!((reply.status, reply.body.as_str()), (206, "0123456789"));
    let wrong = get(&signature.replace('f', "e"));
    assert_eq!(wrong.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(
        wrong.element("CanonicalRequest"),
        format!(
            "GET\n/test.txt\n\nhost:{EXAMPLE_HOST}\nrange:bytes=0-9\nx-amz-content-sha256:{EMPTY}\n\
             x-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n{EMPTY}"
        )
    );

    let more = [
        ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ];
    let reply = example(
        &cloud,
        ("PUT", "/test%24file.text"),
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        &more,
        "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,\
         Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        b"Welcome to Amazon S3.",
    );
    assert_eq!(reply.status, 200, "{}", reply.body);
    let stored = cloud.object("examplebucket", "test$file.text");
    assert_eq!(stored.as_deref(), Some(&b"Welcome to Amazon S3."[..]));
}

/// Signatures over the query; what they ask for, the local cloud does not know, and says so only to whom it knows.
#[test]
fn published_signatures_over_a_query_are_accepted() {
    let cloud = example_cloud();
    for (query, signature) in [
        (
            "lifecycle",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let target = format!("/?{query}");
        let names = "SignedHeaders=host;x-amz-content-sha256;x-amz-date";
        let ask = |signature: &str| {
            let authorization = format!("{names},Signature={signature}");
            example(&cloud, ("GET", &target), EMPTY, &[], &authorization, b"").refusal()
        };
        assert_ne!(ask(signature).0, 403, "{query}");
        let wrong = ask(&signature.replace('4', "5"));
        assert_eq!(wrong, (403, "SignatureDoesNotMatch".to_owned()), "{query}");
    }
}

/// The example of "Authenticating Requests: Using Query Parameters".
#[test]
fn the_published_url_is_accepted_for_a_day() {
    let clock = ManualClock::at_unix(MAY_2013);
    let cloud = LocalCloud::builder()
        .clock(clock.clone())
        .bucket("examplebucket")
        .cname(EXAMPLE_HOST, "examplebucket")
        .access_key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .start_blocking()
        .unwrap();
    cloud.put_object("examplebucket", "test.txt", "text");
    let url = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F\
               us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&\
               X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let get = |url: &str| send(&cloud.oss_endpoint(), "GET", url, &[("Host", EXAMPLE_HOST)], b"").unwrap();
    let reply = get(url);
    assert_eq!((reply.status, reply.body.as_str()), (200, "text"));
    let other = get(&url.replace("86400", "86401"));
    assert_eq!(other.refusal(), (403, "SignatureDoesNotMatch".to_owned()));
    // The pages of these codes.
    for (from, to, ec) in [
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", "0002-00000410"),
        ("%2F20130524", "", "0002-00000413"),
        ("20130524T000000Z", "2013-05-24", "0002-00000415"),
        ("aeeed9bb", "", "0002-00000423"),
    ] {
        let reply = get(&url.replace(from, to));
        assert_eq!(reply.refusal(), (400, "InvalidArgument".to_owned()), "{from}");
        assert_eq!(reply.element("EC"), ec, "{from}");
    }
    clock.advance(Duration::from_secs(86_401));
    assert_eq!(get(url).refusal(), (403, "AccessDenied".to_owned()));
    assert!(get(url).body.contains("Request has expired"));
}

/// A client of S3, written from the same description, that signs all headers.
struct S3<'a> {
    cloud: &'a LocalCloud,
    key: Credentials,
    host: String,
}

impl<'a> S3<'a> {
    fn new(cloud: &'a LocalCloud, key: Credentials) -> Self {
        let host = cloud.s3_endpoint().replace("http://", "");
        let host = format!("{}.{host}", cloud.bucket());
        Self { cloud, key, host }
    }

    fn call(&self, method: &str, target: &str, more: &[(&str, &str)], body: &[u8]) -> Reply {
        let hash = content_sha256(body);
        self.call_with_hash(method, target, more, body, &hash)
    }

    fn call_with_hash(
        &self,
        method: &str,
        target: &str,
        more: &[(&str, &str)],
        body: &[u8],
        hash: &str,
    ) -> Reply {
        let token = self.key.security_token().unwrap_or_default();
        let mut headers = vec![
            ("host", self.host.as_str()),
            ("x-amz-content-sha256", hash),
            ("x-amz-date", TIME),
        ];
        if !token.is_empty() {
            headers.push(("x-amz-security-token", token));
        }
        headers.extend_from_slice(more);
        let authorization = self.authorization(method, target, &headers, hash);
        headers.push(("authorization", &authorization));
        send(&self.cloud.oss_endpoint(), method, target, &headers, body).unwrap()
    }

    fn authorization(&self, method: &str, target: &str, headers: &[(&str, &str)], hash: &str) -> String {
        let mut sorted = headers.to_vec();
        sorted.sort_unstable();
        let names: Vec<&str> = sorted.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: Vec<String> = sorted
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let lines = lines.concat();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{hash}");
        let scope = "20260101/cn-hangzhou/s3/aws4_request";
        let hash = content_sha256(canonical.as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{TIME}\n{scope}\n{hash}");
        let mut key = format!("AWS4{}", self.key.access_key_secret()).into_bytes();
        for part in scope.split('/').chain([text.as_str()]) {
            let with = hmac::Key::new(hmac::HMAC_SHA256, &key);
            key = hmac::sign(&with, part.as_bytes()).as_ref().to_vec();
        }
        let signature: Vec<String> = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = signature.concat();
        let id = self.key.access_key_id();
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

#[test]
fn objects_are_stored_read_copied_listed_and_deleted() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let session = cloud.issue(Duration::from_secs(900)).unwrap();
    let s3 = S3::new(&cloud, session);
    let headers = [
        ("content-type", "text/plain"),
        ("x-amz-meta-color", "green"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    let put = s3.call("PUT", "/a%20b/%E5%9B%BE%2B1", &headers, b"content");
    assert_eq!(put.status, 200, "{}", put.body);
    let get = s3.call("GET", "/a%20b/%E5%9B%BE%2B1", &[("range", "bytes=3-")], b"");
    assert_eq!((get.status, get.body.as_str()), (206, "tent"));
    assert_eq!(get.header("x-amz-meta-color"), Some("green"));
    assert_eq!(get.header("x-amz-storage-class"), Some("STANDARD_IA"));
    assert_eq!(get.header("x-oss-storage-class"), Some("IA"));
    assert!(get.header("x-amz-request-id").is_some());

    let source = [("x-amz-copy-source", "example-bucket/a%20b/%E5%9B%BE%2B1")];
    let copy = s3.call("PUT", "/copy", &source, b"");
    assert_eq!(copy.status, 200, "{}", copy.body);
    assert_eq!(copy.element("ETag"), put.header("etag").unwrap());
    let list = s3.call("GET", "/?list-type=2&prefix=c", &[], b"");
    assert_eq!((list.status, list.element("Key").as_str()), (200, "copy"));
    assert_eq!(s3.call("HEAD", "/", &[], b"").status, 200);
    assert_eq!(s3.call("DELETE", "/copy", &[], b"").status, 204);
    assert_eq!(s3.call("HEAD", "/copy", &[], b"").status, 404);
    assert_eq!(cloud.count(Service::Oss, "CopyObject"), 1);
    let first = cloud.requests().into_iter().next().unwrap();
    assert_eq!(first.access_key_id(), Some(s3.key.access_key_id()));
}

#[test]
fn keys_tokens_and_bodies_are_checked() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let session = cloud.issue(Duration::from_secs(900)).unwrap();
    let refusal = |key: Credentials| S3::new(&cloud, key).call("PUT", "/k", &[], b"v").refusal();
    for (key, code) in [
        (forged(&session), "SignatureDoesNotMatch"),
        (with_token(&session, ""), "InvalidSecurityToken"),
        (with_token(&session, "other"), "InvalidSecurityToken"),
        (cloud.issue(Duration::ZERO).unwrap(), "SecurityTokenExpired"),
        (
            Credentials::builder("AKIAUNKNOWN", "s").build().unwrap(),
            "InvalidAccessKeyId",
        ),
    ] {
        assert_eq!(refusal(key), (403, code.to_owned()), "{code}");
    }
    let s3 = S3::new(&cloud, session);
    let other_hash = s3.call_with_hash("PUT", "/k", &[], b"v", EMPTY);
    assert_eq!(other_hash.refusal(), (400, "InvalidArgument".to_owned()));
    assert_eq!(other_hash.element("EC"), "0002-00000427");
    let unsigned = s3.call_with_hash("PUT", "/k", &[], b"v", "UNSIGNED-PAYLOAD");
    assert_eq!(unsigned.status, 200, "{}", unsigned.body);
    cloud.set_clock_offset(901);
    let late = s3.call("GET", "/k", &[], b"").refusal();
    assert_eq!(late, (403, "SecurityTokenExpired".to_owned()));
}

/// The vendor's page about EC 0017-00000804, and what users report.
#[test]
fn chunks_and_paths_with_buckets_are_refused() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let mut s3 = S3::new(&cloud, cloud.access_key());
    let chunked = [("content-encoding", "aws-chunked")];
    let trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    for (headers, hash, name) in [
        (&chunked[..], "UNSIGNED-PAYLOAD", "Content-Encoding"),
        (&chunked[..], trailer, "Content-Encoding"),
        (&[][..], trailer, "x-amz-content-sha256"),
    ] {
        let reply = s3.call_with_hash("PUT", "/k", headers, b"1\r\nv\r\n0\r\n\r\n", hash);
        assert_eq!(reply.refusal(), (400, "InvalidArgument".to_owned()), "{hash}");
        assert_eq!(reply.element("EC"), "0017-00000804");
        assert_eq!(reply.element("ArgumentName"), name);
    }
    let signed = s3.call_with_hash("PUT", "/k", &chunked, b"", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    assert_eq!(signed.refusal(), (400, "NotImplemented".to_owned()));

    s3.host = cloud.oss_endpoint().replace("http://", "");
    let path_style = s3.call("GET", "/example-bucket/k", &[], b"");
    assert_eq!(
        path_style.refusal(),
        (403, "SecondLevelDomainForbidden".to_owned())
    );
}

/// What a client sends that has the local cloud as its HTTP proxy.
#[test]
fn the_local_cloud_is_a_proxy_to_itself() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let mut s3 = S3::new(&cloud, cloud.access_key());
    s3.host = "example-bucket.s3.oss-cn-hangzhou.aliyuncs.com".to_owned();
    cloud.put_object(cloud.bucket(), "k", "v");
    let headers = [
        ("host", s3.host.as_str()),
        ("x-amz-content-sha256", EMPTY),
        ("x-amz-date", TIME),
    ];
    let authorization = s3.authorization("GET", "/k", &headers, EMPTY);
    let headers = [&headers[..], &[("authorization", authorization.as_str())]].concat();
    let target = format!("http://{}/k", s3.host);
    let reply = send(&cloud.oss_endpoint(), "GET", &target, &headers, b"").unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "v"));
}
