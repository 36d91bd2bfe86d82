//! What the client does with each kind of response, against a scripted server.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::error::Error as _;
use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use common::{Keys, NOW, Server, builder, client, ok, refusal, response};
use futures_util::stream;
use oss_client::{Body, Client, Error, LimitedBy, SignError};
use oss_credentials_core::{Credentials, CredentialsError, ErrorDetail, provider_fn};

#[tokio::test]
async fn a_rejected_key_is_reported_and_the_request_repeated_with_a_fresh_one() {
    for code in [
        "InvalidAccessKeyId",
        "SecurityTokenExpired",
        "InvalidSecurityToken",
    ] {
        let server = Server::start([refusal(403, code), ok()]);
        let keys = Keys::new(2);
        let put = client(&server, keys.clone()).put_object("examplebucket", "k", "content");
        let head = put.send().await.unwrap();
        assert_eq!(head.request_id(), Some("OK1"));
        assert_eq!(keys.invalidated(), ["STS.FakeTempKeyId0001"], "{code}");
        let received = server.received();
        let tokens: Vec<_> = received
            .iter()
            .map(|request| request.header("x-oss-security-token").unwrap())
            .collect();
        assert_eq!(tokens, ["canary-token-1", "canary-token-2"]);
        assert!(received.iter().all(|request| request.body == b"content"));
    }
}

#[tokio::test]
async fn a_second_rejection_ends_it() {
    let server = Server::start([
        refusal(403, "InvalidAccessKeyId"),
        refusal(403, "InvalidSecurityToken"),
        ok(),
    ]);
    let keys = Keys::new(5);
    let get = client(&server, keys.clone()).get_object("examplebucket", "k");
    let error = get.send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSecurityToken"));
    assert_eq!(error.request_id(), Some("R1"));
    assert_eq!((server.count(), keys.asked()), (2, 2));
    assert_eq!(keys.invalidated(), ["STS.FakeTempKeyId0001"]);
}

#[tokio::test]
async fn a_provider_without_other_keys_costs_no_second_request() {
    let server = Server::start([refusal(403, "InvalidAccessKeyId"), ok()]);
    let keys = Keys::new(1);
    let error = client(&server, keys.clone())
        .get_object("examplebucket", "k")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.service().unwrap().status(), 403);
    assert_eq!((server.count(), keys.invalidated().len()), (1, 1));
}

#[tokio::test]
async fn a_stream_is_not_sent_twice_but_the_key_is_reported() {
    let server = Server::start([refusal(403, "SecurityTokenExpired"), ok()]);
    let keys = Keys::new(2);
    let body = Body::stream(stream::iter([Ok::<_, io::Error>(Bytes::from("x"))]));
    let put = client(&server, keys.clone()).put_object("examplebucket", "k", body);
    let error = put.send().await.unwrap_err();
    assert_eq!(error.code(), Some("SecurityTokenExpired"));
    assert_eq!((server.count(), keys.invalidated().len()), (1, 1));
}

#[tokio::test]
async fn other_answers_are_neither_repeated_nor_reported() {
    for (status, code) in [
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        (404, "NoSuchKey"),
        (503, "ServiceUnavailable"),
    ] {
        let server = Server::start([refusal(status, code), ok()]);
        let keys = Keys::new(2);
        let delete = client(&server, keys.clone()).delete_object("examplebucket", "k");
        let error = delete.send().await.unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert_eq!((server.count(), keys.invalidated().len()), (1, 0), "{code}");
    }
}

#[tokio::test]
async fn redirects_are_errors() {
    let target = Server::start([ok()]);
    let redirect = response(302, &[("Location", &target.endpoint())], "");
    let server = Server::start([redirect]);
    let get = client(&server, Keys::new(1)).get_object("examplebucket", "k");
    let error = get.send().await.unwrap_err();
    assert_eq!(error.service().unwrap().status(), 302);
    assert_eq!(error.code(), Some("BadErrorResponse"));
    assert_eq!(target.count(), 0);
}

#[tokio::test]
async fn an_endpoint_on_this_machine_is_asked_without_proxy() {
    let server = Server::start([ok()]);
    let proxied = || reqwest::Client::builder().proxy(reqwest::Proxy::all("http://127.0.0.1:1").unwrap());
    let client = builder(&server.endpoint(), Keys::new(1)).client_builder(proxied);
    let client = client.build().unwrap();
    client.head_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(server.received()[0].line, "HEAD /examplebucket/k");
}

#[tokio::test]
async fn an_error_of_head_is_read_from_its_header() {
    // base64 of <Error><Code>NoSuchKey</Code></Error>, made with coreutils.
    let encoded = "PEVycm9yPjxDb2RlPk5vU3VjaEtleTwvQ29kZT48L0Vycm9yPg==";
    let headers = [
        ("x-oss-err", encoded),
        ("x-oss-request-id", "R2"),
        ("x-oss-ec", "0026-00000001"),
    ];
    let server = Server::start([response(404, &headers, "")]);
    let head = client(&server, Keys::new(1)).head_object("examplebucket", "k");
    let error = head.send().await.unwrap_err();
    let error = error.service().unwrap();
    assert_eq!(error.operation(), "HeadObject");
    assert_eq!(error.code(), "NoSuchKey");
    assert_eq!(
        (error.request_id(), error.ec()),
        (Some("R2"), Some("0026-00000001"))
    );
    assert_eq!(
        error.request(),
        format!("HEAD {}/examplebucket/k", server.endpoint())
    );
}

#[tokio::test]
async fn what_goes_out_is_what_was_asked_for() {
    let server = Server::start([ok(), ok(), ok(), ok()]);
    let client = client(&server, Keys::new(1));
    let put = client.put_object("examplebucket", "k", "hello");
    put.send().await.unwrap();
    let put = client
        .put_object("examplebucket", "k", Vec::new())
        .content_type("text/plain")
        .header("X-OSS-Meta-Name", "名字")
        .query("x-oss-a", "1")
        .query("x-oss-a", "2");
    put.send().await.unwrap();
    let pieces = || {
        stream::iter([
            Ok::<_, io::Error>(Bytes::from("ab")),
            Ok(Bytes::new()),
            Ok("c".into()),
        ])
    };
    let put = client.put_object("examplebucket", "k", Body::sized_stream(pieces(), 3));
    put.send().await.unwrap();
    let put = client.put_object("examplebucket", "k", Body::stream(pieces()));
    put.send().await.unwrap();

    let received = server.received();
    let header = |at: usize, name| received[at].header(name);
    assert_eq!(received[0].body, b"hello");
    assert_eq!(header(0, "content-type"), Some("application/octet-stream"));
    assert_eq!(header(0, "content-length"), Some("5"));
    assert_eq!(header(0, "accept-encoding"), None);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        header(0, "user-agent"),
        Some(&*format!("oss-client-rs/{version}"))
    );
    assert_eq!(header(1, "content-length"), Some("0"));
    assert_eq!(header(1, "content-type"), Some("text/plain"));
    assert_eq!(header(1, "x-oss-meta-name"), Some("名字"));
    assert_eq!(received[1].line, "PUT /examplebucket/k?x-oss-a=2");
    assert_eq!(received[2].body, b"abc");
    assert_eq!(header(2, "content-length"), Some("3"));
    assert_eq!(header(2, "transfer-encoding"), None);
    assert_eq!(received[3].body, b"abc");
    assert_eq!(header(3, "transfer-encoding"), Some("chunked"));
}

#[tokio::test]
async fn bad_input_fails_before_credentials_are_fetched() {
    let server = Server::start([ok()]);
    let keys = Keys::new(1);
    let client = client(&server, keys.clone());
    let minute = Duration::from_secs(60);
    let failures = [
        client.get_object("Abc", "k").send().await.unwrap_err(),
        client.head_object("examplebucket", "").send().await.unwrap_err(),
        client
            .delete_object("examplebucket", "a/../b")
            .send()
            .await
            .unwrap_err(),
        client
            .put_object("examplebucket", "k".repeat(1024), "")
            .send()
            .await
            .unwrap_err(),
        client
            .get_object("examplebucket", "k")
            .header("authorization", "x")
            .send()
            .await
            .unwrap_err(),
        client
            .get_object("examplebucket", "k")
            .query("", "x")
            .send()
            .await
            .unwrap_err(),
        client
            .get_object("examplebucket", "k")
            .query("x-oss-signature", "x")
            .send()
            .await
            .unwrap_err(),
        client
            .get_object("examplebucket", "k")
            .header("te", "trailers")
            .send()
            .await
            .unwrap_err(),
        client.presign_get("ab", "k", minute).await.unwrap_err(),
        client
            .presign_put("examplebucket", "..", minute)
            .await
            .unwrap_err(),
    ];
    for error in failures {
        assert!(matches!(error, Error::InvalidInput(_)), "{error}");
    }
    for (seconds, asked) in [
        (0, Duration::from_millis(999)),
        (604_801, Duration::from_secs(604_801)),
        // Not "cannot live for 604800 seconds; use 1 to 604800".
        (604_801, Duration::from_secs(604_800) + Duration::from_nanos(1)),
    ] {
        let error = client.presign_get("examplebucket", "k", asked).await.unwrap_err();
        let expected = SignError::ExpiresOutOfRange { seconds };
        assert!(
            matches!(&error, Error::Sign(sign) if *sign == expected),
            "{error}"
        );
    }
    assert_eq!((server.count(), keys.asked()), (0, 0));
}

#[tokio::test]
async fn a_failing_provider_ends_it_before_anything_is_sent() {
    let server = Server::start([ok()]);
    let provider = provider_fn("vault", || {
        Err(CredentialsError::denied(
            ErrorDetail::builder("vault", "sealed").build(),
        ))
    });
    let get = client(&server, provider).get_object("examplebucket", "k");
    let error = get.send().await.unwrap_err();
    assert!(matches!(error, Error::Credentials(CredentialsError::Denied(_))));
    assert_eq!(error.to_string(), "vault: sealed");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn anonymous_requests_are_unsigned_and_urls_refused() {
    let server = Server::start([refusal(403, "InvalidAccessKeyId"), ok()]);
    let keys = Keys::of([Credentials::anonymous()]);
    let client = client(&server, keys.clone());
    client.get_object("examplebucket", "k").send().await.unwrap_err();
    assert!(keys.invalidated().is_empty(), "there is no key to report");
    let received = server.received();
    assert_eq!(received.len(), 1);
    for name in ["authorization", "date", "x-oss-date", "x-oss-content-sha256"] {
        assert_eq!(received[0].header(name), None);
    }
    let error = client
        .presign_get("examplebucket", "k", Duration::from_secs(60))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("anonymous"), "{error}");
}

#[tokio::test]
async fn a_url_says_that_it_dies_with_its_credentials() {
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 600);
    let credentials = Credentials::builder("id", "secret")
        .expires_at(end)
        .build()
        .unwrap();
    let client = builder("http://127.0.0.1:1", credentials).build().unwrap();
    let url = client
        .presign_put("examplebucket", "k", Duration::from_secs(3600))
        .await
        .unwrap();
    assert_eq!(
        (url.valid_until(), url.limited_by()),
        (end, LimitedBy::Credentials)
    );
    assert!(url.url().contains("x-oss-expires=3600"));
}

#[test]
fn settings_are_checked_when_the_client_is_built() {
    let keys = || Keys::new(1);
    let config = |builder: oss_client::ClientBuilder| match builder.build().unwrap_err() {
        Error::InvalidConfig(problem) => problem.to_string(),
        other => panic!("{other}"),
    };
    let builder = Client::builder;
    assert_eq!(
        config(builder().credentials(keys())),
        "oss-client: no region is set; call `region(..)`, with an explicit endpoint too: signatures name it"
    );
    assert_eq!(
        config(builder().region("cn-hangzhou")),
        "oss-client: no credentials provider is set; call `credentials(..)`, with anonymous credentials for \
         public buckets"
    );
    let complete = || builder().region("cn-hangzhou").credentials(keys());
    assert!(config(complete().endpoint("ftp://e.com")).contains("the endpoint has a scheme"));
    assert!(config(complete().read_timeout(Duration::ZERO)).contains("a timeout is zero"));
    let error = complete().region("CN_Bad").build().unwrap_err();
    assert!(
        matches!(error, Error::Sign(SignError::InvalidRegion { .. })),
        "{error}"
    );
    if cfg!(any(feature = "rustls", feature = "native-tls")) {
        assert!(complete().build().is_ok());
    } else {
        assert_eq!(
            config(complete()),
            "oss-client: the endpoint is https, and no TLS feature is enabled; enable the feature `rustls`, \
             `rustls-no-provider` or `native-tls` of oss-client"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_names_operation_and_place() {
    // The port was free a moment ago, and nobody listens there now.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let client = builder(&endpoint, Keys::new(1)).build().unwrap();
    let error = client.get_object("examplebucket", "k").send().await.unwrap_err();
    let Error::Transport(transport) = &error else {
        panic!("{error}")
    };
    assert_eq!(transport.kind(), oss_credentials_http::HttpErrorKind::Connect);
    let text = error.to_string();
    let place = format!(
        "oss-client: GetObject got no complete response (GET {endpoint}/examplebucket/k): no connection: "
    );
    assert!(text.starts_with(&place), "{text}");
    assert!(text.ends_with("; check endpoint, network and proxy"), "{text}");
    // Reports that print all sources show none of it again but the innermost cause.
    let sources = std::iter::successors(error.source(), |&cause| cause.source());
    let shown: Vec<_> = sources.map(ToString::to_string).collect();
    assert!(!shown.is_empty(), "the causes can be reached");
    assert!(
        shown.iter().all(|text| !text.starts_with("no connection: ")),
        "{shown:?}"
    );
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let client = builder("http://127.0.0.1:1", Keys::new(1)).build().unwrap();
    let get = client.get_object("examplebucket", "k").send();
    let error = oss_credentials_core::blocking::wait(get).unwrap_err();
    assert!(
        error.to_string().contains("no tokio runtime is running here"),
        "{error}"
    );

    // A runtime without I/O and timer.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let get = client.get_object("examplebucket", "k").send();
    let error = runtime.block_on(get).unwrap_err();
    assert!(error.to_string().contains("enable I/O and time"), "{error}");
}

#[test]
fn public_types_can_be_shared_and_moved() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    fn assert_send_sync<T: Send + Sync + Unpin>() {}
    assert_send_sync::<Client>();
    assert_send_sync::<Error>();
    assert_send_sync::<oss_client::ResponseHead>();
    assert_send_sync::<oss_client::PresignedRequest>();
    let client = builder("http://127.0.0.1:1", Keys::new(1)).build().unwrap();
    drop(send(client.put_object("examplebucket", "k", "x").send()));
    drop(send(async move {
        client
            .get_object("examplebucket", "k")
            .send()
            .await?
            .bytes()
            .await
    }));
}
