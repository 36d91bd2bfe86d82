//! Requests that are signed here and sent by others.

use oss_client::oss_sign::{Signer, v4};
use oss_client::{Body, Error, Operation, SignError, SignatureVersion, oss_sign, sign_reqwest};
use oss_credentials_core::{Credentials, CredentialsError, ErrorDetail, provider_fn};
use oss_testkit::LocalCloud;
use reqwest::Method;

use super::common::{self, Keys, Server, builder, ok};
use super::{long_term, temporary, time};

fn request(url: &str) -> reqwest::Request {
    reqwest::Request::new(Method::GET, url.parse().unwrap())
}

/// The vectors `get-simple` and `sts-plain` of the official clients.
#[test]
fn a_request_of_reqwest_is_signed_like_that_of_the_official_clients() {
    let signer = Signer::from(v4::Signer::builder("cn-hangzhou").build().unwrap());
    let (bucket, key) = (Some("examplebucket"), Some("exampleobject.txt"));
    for (credentials, signature) in [
        (
            long_term(),
            "17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd",
        ),
        (
            temporary(),
            "5f98741ad8be5f5aca75bc11d6432eadc1a842754c21ed59e7b5ef7e1e9cacb9",
        ),
    ] {
        let mut request = request("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt");
        sign_reqwest(&mut request, &signer, bucket, key, &credentials, time()).unwrap();
        let header = |name: &str| request.headers().get(name);
        let authorization = header("authorization").unwrap();
        assert!(authorization.is_sensitive());
        assert!(authorization.to_str().unwrap().ends_with(signature));
        let token = header("x-oss-security-token").map(|token| token.to_str().unwrap());
        assert_eq!(token, credentials.security_token());
    }
}

#[tokio::test]
async fn a_client_signs_for_others_with_its_own_keys_and_clock() {
    let cloud = LocalCloud::start().await.unwrap();
    cloud.put_object(cloud.bucket(), "a b", "content");
    let client = builder(&cloud.oss_endpoint(), cloud.access_key())
        .clock(oss_credentials_core::SystemClock)
        .build()
        .unwrap();
    let http = reqwest::Client::new();
    let url = format!(
        "{}{}?{}",
        cloud.oss_endpoint(),
        oss_sign::url_path(Some(cloud.bucket()), Some("a b")),
        oss_sign::encode_query(&[("response-content-type", "a/b c")])
    );
    let mut request = http.get(url).build().unwrap();
    client
        .sign_reqwest(&mut request, Some(cloud.bucket()), Some("a b"))
        .await
        .unwrap();
    let response = http.execute(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "a/b c");
    assert_eq!(response.text().await.unwrap(), "content");
}

#[tokio::test]
async fn on_an_error_nothing_of_the_request_is_changed() {
    let signer = Signer::from(v4::Signer::builder("cn-hangzhou").build().unwrap());
    let host = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com";
    let long = format!("{host}/{}", "k".repeat(70_000));
    let rows = [
        // What reqwest makes of `a/../b`.
        (
            format!("{host}/b"),
            Some("examplebucket"),
            "a/../b",
            SignError::DotSegment,
        ),
        (
            format!("{host}/k"),
            Some("examplebucket"),
            ".",
            SignError::DotSegment,
        ),
        (format!("{host}/k"), None, "k", SignError::KeyWithoutBucket),
        (
            format!("{host}/k?a=b+c"),
            Some("examplebucket"),
            "k",
            SignError::InvalidQuery { what: "a raw +" },
        ),
        (
            format!("{host}/k?a=1&a=2"),
            Some("examplebucket"),
            "k",
            SignError::DuplicateParameter { name: "a".to_owned() },
        ),
        (long.clone(), Some("examplebucket"), "", SignError::InvalidUri),
    ];
    let long_key = "k".repeat(70_000);
    for (url, bucket, key, expected) in rows {
        let key = if url == long { &long_key } else { key };
        let mut request = request(&url);
        request
            .headers_mut()
            .insert("x-oss-date", "before".parse().unwrap());
        request
            .headers_mut()
            .insert("authorization", "before".parse().unwrap());
        let before = (request.url().clone(), request.headers().clone());
        let error = sign_reqwest(&mut request, &signer, bucket, Some(key), &temporary(), time()).unwrap_err();
        let Error::Sign(error) = error else {
            panic!("{error}");
        };
        assert_eq!(
            std::mem::discriminant(&error),
            std::mem::discriminant(&expected),
            "{error}"
        );
        assert_eq!(
            (request.url().clone(), request.headers().clone()),
            before,
            "{error}"
        );
    }
    let failing = provider_fn("vault", || {
        Err(CredentialsError::denied(
            ErrorDetail::builder("vault", "sealed").build(),
        ))
    });
    let client = builder("http://127.0.0.1:1", failing).build().unwrap();
    let mut request = request("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/k");
    let error = client
        .sign_reqwest(&mut request, Some("examplebucket"), Some("k"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    assert!(request.headers().is_empty());
}

/// One of each kind of body.
fn kinds(bucket: &str) -> Vec<Operation> {
    let pieces = || futures_util::stream::iter([Ok::<_, std::io::Error>("pie".into()), Ok("ces".into())]);
    let put = |key| {
        Operation::new("PutObject", Method::PUT)
            .bucket(bucket)
            .key(key)
            .header("Content-Type", "text/x")
            .header("x-oss-meta-name", "名字")
    };
    vec![
        put("a b/报告+%.txt").body("hello"),
        put("none"),
        put("long").body(vec![b'x'; 200_000]),
        put("sized").body(Body::sized_stream(pieces(), 6)),
        put("unsized").body(Body::stream(pieces())),
        put("reopened").body(Body::reopened(6, pieces)),
        put("empty").body(Body::sized_stream(
            futures_util::stream::empty::<std::io::Result<_>>(),
            0,
        )),
        Operation::new("GetObject", Method::GET)
            .bucket(bucket)
            .key("long")
            .query("response-content-type", "text/y z"),
        Operation::new("HeadObject", Method::HEAD)
            .bucket(bucket)
            .key("sized"),
        Operation::new("ListObjectsV2", Method::GET)
            .bucket(bucket)
            .query("list-type", "2"),
        Operation::new("InitiateMultipartUpload", Method::POST)
            .bucket(bucket)
            .key("big")
            .query("uploads", ""),
        Operation::new("ListBuckets", Method::GET),
    ]
}

fn plain() -> reqwest::Client {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    http.no_proxy().build().unwrap()
}

#[tokio::test]
async fn a_signed_request_goes_out_as_send_sends_it() {
    let count = kinds("examplebucket").len();
    for additional in [&[][..], &["host", "content-length", "user-agent"]] {
        let server = Server::start(vec![ok(); 2 * count]);
        let client = builder(&server.endpoint(), temporary())
            .user_agent_suffix("example")
            .additional_headers(additional.iter().copied())
            .build()
            .unwrap();
        for (sent, signed) in kinds("examplebucket").into_iter().zip(kinds("examplebucket")) {
            client.send(sent).await.unwrap();
            plain().execute(client.sign(signed).await.unwrap()).await.unwrap();
        }
        let received = server.received();
        assert_eq!(received.len(), 2 * count);
        for pair in received.chunks(2) {
            let [sent, signed] = pair else { panic!() };
            let sorted = |request: &common::Received| {
                let mut headers = request.headers.clone();
                // What reqwest adds to any request of its own.
                headers.retain(|(name, _)| name != "accept");
                headers.sort();
                headers
            };
            assert_eq!(sent.line, signed.line);
            assert_eq!(sorted(sent), sorted(signed), "{}", sent.line);
            assert!(sent.body == signed.body, "{}", sent.line);
            let agent = signed.header("user-agent").unwrap();
            assert!(agent.starts_with("oss-client-rs/") && agent.ends_with("/example"));
        }
    }
}

#[tokio::test]
async fn the_local_cloud_takes_signed_requests_of_a_plain_client() {
    let cloud = LocalCloud::start().await.unwrap();
    for version in [SignatureVersion::V4, SignatureVersion::V1] {
        let client = common::of_cloud(&cloud)
            .signature_version(version)
            .build()
            .unwrap();
        for operation in kinds(cloud.bucket()) {
            let shown = format!("{operation:?}");
            let request = client.sign(operation).await.unwrap();
            assert!(request.headers()["authorization"].is_sensitive());
            let response = plain().execute(request).await.unwrap();
            assert_eq!(response.status(), 200, "{version:?} {shown}");
        }
        for (key, length) in [
            ("a b/报告+%.txt", 5),
            ("long", 200_000),
            ("sized", 6),
            ("empty", 0),
        ] {
            assert_eq!(cloud.object(cloud.bucket(), key).unwrap().len(), length, "{key}");
        }
    }
}

#[tokio::test]
async fn signing_alone_asks_for_keys_once_and_sends_nothing() {
    let keys = Keys::new(1);
    let client = builder("http://127.0.0.1:1", keys.clone()).build().unwrap();
    let object = || {
        Operation::new("Any", Method::PUT)
            .bucket("examplebucket")
            .key("k")
    };
    let signing = client.sign(object().key("a/../b"));
    let sendable: &dyn Send = &signing;
    let _ = sendable;
    let error = signing.await.unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)), "{error}");
    let bytes = futures_util::stream::iter([Ok::<_, std::io::Error>("x".into())]);
    let error = client.sign(object().body(Body::sized_stream(bytes, 0))).await;
    assert!(matches!(error, Err(Error::Transport(_))));
    assert_eq!(keys.asked(), 0);
    // Middleware clones a request to send it again.
    let request = client.sign(object().body(vec![0; 100_000])).await.unwrap();
    let body = request
        .try_clone()
        .unwrap()
        .body()
        .unwrap()
        .as_bytes()
        .map(<[u8]>::len);
    assert_eq!((body, keys.asked()), (Some(100_000), 1));

    let unsigned = builder("http://127.0.0.1:1", Credentials::anonymous())
        .build()
        .unwrap();
    let request = unsigned.sign(object()).await.unwrap();
    assert!(!request.headers().contains_key("authorization"));
    let failing = provider_fn("vault", || {
        Err(CredentialsError::denied(
            ErrorDetail::builder("vault", "sealed").build(),
        ))
    });
    let client = builder("http://127.0.0.1:1", failing).build().unwrap();
    assert!(matches!(client.sign(object()).await, Err(Error::Credentials(_))));
}

#[tokio::test]
async fn a_request_that_leads_elsewhere_is_not_signed() {
    let keys = Keys::new(1);
    let client = builder("http://oss.example.com", keys.clone()).build().unwrap();
    let signer = Signer::from(v4::Signer::builder("cn-hangzhou").build().unwrap());
    let host = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com";
    for (url, expected) in [
        (
            format!("{host}/other"),
            "oss-client: the URL's path is not that of the bucket and key to be signed; write it with \
             `oss_sign::url_path`",
        ),
        (
            "https://other.oss-cn-hangzhou.aliyuncs.com/k".to_owned(),
            "oss-client: the URL's host is not that of the bucket \"examplebucket\"; write the bucket in front of \
             the endpoint's host, or into the path",
        ),
        (
            format!("{host}/k?acl&x-oss-signature=canary"),
            "oss-client: the query parameter \"x-oss-signature\" is part of the signature of a URL; leave it out: \
             the signature is made here",
        ),
        (
            format!("{host}/k?%58-oss-expires=1"),
            "oss-client: the query parameter \"X-oss-expires\" is part of the signature of a URL; leave it out: \
             the signature is made here",
        ),
    ] {
        let (bucket, key) = (Some("examplebucket"), Some("k"));
        let mut request = request(&url);
        let by_function = sign_reqwest(&mut request, &signer, bucket, key, &temporary(), time());
        let by_client = client.sign_reqwest(&mut request, bucket, key).await;
        for error in [by_function, by_client] {
            let error = error.unwrap_err();
            assert!(matches!(error, Error::InvalidInput(_)), "{error}");
            assert_eq!(error.to_string(), expected);
        }
        assert!(request.headers().is_empty());
    }
    // The client's own host is no custom domain.
    let mut request = request("http://oss.example.com/k");
    let error = client
        .sign_reqwest(&mut request, Some("examplebucket"), Some("k"))
        .await;
    assert!(matches!(error, Err(Error::InvalidInput(_))));
    assert_eq!(keys.asked(), 0);
}
