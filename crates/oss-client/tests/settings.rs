//! Settings that change what goes over the wire, and those that are refused.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use common::{Keys, NOW, Server, builder, ok, response, temporary};
use oss_client::{Client, ClientBuilder, Error, LimitedBy, Operation, SignatureVersion, oss_sign};
use oss_credentials_core::Credentials;

fn complete() -> ClientBuilder {
    builder("http://127.0.0.1:1", Keys::new(1))
}

fn refused(builder: ClientBuilder) -> String {
    match builder.build().unwrap_err() {
        Error::InvalidConfig(problem) => problem.to_string(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_user_agent_carries_the_callers_product() {
    let server = Server::start([ok()]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .user_agent_suffix("backup/2.1")
        .build()
        .unwrap();
    client.head_object("examplebucket", "k").send().await.unwrap();
    let expected = format!("oss-client-rs/{}/backup/2.1", env!("CARGO_PKG_VERSION"));
    assert_eq!(server.received()[0].header("user-agent"), Some(&*expected));
}

#[tokio::test]
async fn the_user_agent_may_be_the_callers_alone() {
    let server = Server::start([ok(), ok()]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .user_agent("backup/2.1")
        .build()
        .unwrap();
    let head = || client.head_object("examplebucket", "k");
    head().send().await.unwrap();
    head().header("user-agent", "one").send().await.unwrap();
    let received = server.received();
    assert_eq!(received[0].header("user-agent"), Some("backup/2.1"));
    assert_eq!(received[1].header("user-agent"), Some("one"));
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed() {
    let answer = || response(200, &[("x-oss-request-id", "R1"), ("ETag", "e")], "text");
    let server = Server::start((0..6).map(|_| answer()));
    let client = builder(&server.endpoint(), Keys::new(1))
        .max_connections(1)
        .build()
        .unwrap();
    let other = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    let get = |client: &Client| client.get_object("examplebucket", "k");

    let open = get(&client).await.unwrap();
    let mut second = Box::pin(get(&client).send());
    // Each of these takes the time in which the second would have arrived.
    for _ in 0..2 {
        let mut others = Box::pin(async { get(&other).await.unwrap().bytes().await });
        let done = std::future::poll_fn(|cx| {
            assert!(second.as_mut().poll(cx).is_pending(), "there is no room");
            others.as_mut().poll(cx)
        });
        assert_eq!(done.await.unwrap(), "text");
    }
    assert_eq!(server.count(), 3);
    // Reading to the end makes room, and so does dropping.
    assert_eq!(open.bytes().await.unwrap(), "text");
    drop(second.await.unwrap());
    assert_eq!(get(&client).await.unwrap().bytes().await.unwrap(), "text");
    assert_eq!(server.count(), 5);
    // A caller that gives up waiting takes no place.
    let open = get(&client).await.unwrap();
    let mut waiting = Box::pin(get(&client).send());
    std::future::poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop((waiting, open));
    assert_eq!(server.count(), 6);
}

#[tokio::test]
async fn requests_go_through_the_proxy_that_is_set() {
    let proxy = Server::start([ok(), ok()]);
    let with_password = proxy.endpoint().replace("http://", "http://user:canary@");
    // Also for an endpoint on this machine: it was asked for.
    for endpoint in ["http://oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:1"] {
        let builder = builder(endpoint, Keys::new(1)).proxy(&with_password);
        assert!(!format!("{builder:?}").contains("canary"), "{builder:?}");
        let client = builder.build().unwrap();
        client.head_object("examplebucket", "k").send().await.unwrap();
    }
    let received = proxy.received();
    assert_eq!(
        received[0].line,
        "HEAD http://examplebucket.oss-cn-hangzhou.aliyuncs.com/k"
    );
    assert_eq!(received[1].line, "HEAD http://127.0.0.1:1/examplebucket/k");
    // `user:canary` in base64, made with coreutils.
    assert_eq!(
        received[0].header("proxy-authorization"),
        Some("Basic dXNlcjpjYW5hcnk=")
    );
}

#[tokio::test]
async fn the_builders_proxies_can_be_switched_off() {
    let server = Server::start([ok()]);
    let host = "examplebucket.oss.example";
    let address = server.address;
    let elsewhere = move || {
        reqwest::Client::builder()
            .proxy(reqwest::Proxy::all("http://127.0.0.1:1").unwrap())
            .resolve(host, address)
    };
    let client = builder(
        &format!("http://oss.example:{}", server.address.port()),
        Keys::new(1),
    )
    .client_builder(elsewhere)
    .no_proxy()
    .build()
    .unwrap();
    client.head_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(server.received()[0].line, "HEAD /k");
}

/// Answers requests on connections that stay open; gives how many connections there were for so many requests.
fn connections(requests: usize) -> (String, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let counting = std::thread::spawn(move || {
        let (mut answered, mut connections) = (0, 0);
        while answered < requests {
            let (mut stream, _) = listener.accept().unwrap();
            connections += 1;
            let mut head = [0; 8192];
            while answered < requests && stream.read(&mut head).unwrap_or_default() > 0 {
                answered += 1;
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 0\r\n\r\n")
                    .unwrap();
            }
        }
        connections
    });
    (endpoint, counting)
}

#[tokio::test]
async fn connections_are_kept_unless_none_may_be() {
    for (max_idle, expected) in [(None, 1), (Some(1), 1), (Some(0), 3)] {
        let (endpoint, counting) = connections(3);
        let mut builder = builder(&endpoint, Keys::new(1));
        if let Some(max_idle) = max_idle {
            builder = builder.max_idle_connections(max_idle);
        }
        let client = builder.build().unwrap();
        for _ in 0..3 {
            client.head_object("examplebucket", "k").send().await.unwrap();
        }
        assert_eq!(counting.join().unwrap(), expected, "{max_idle:?}");
    }
}

#[tokio::test]
async fn a_custom_domain_is_asked_without_bucket_and_signed_with_it() {
    // The vector `get-simple` of the official clients: the signature does not depend on the host.
    let server = Server::start([ok()]);
    let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap();
    let client = builder("http://img.example.com", credentials)
        .cname(true)
        .proxy(server.endpoint())
        .build()
        .unwrap();
    let get = client.get_object("examplebucket", "exampleobject.txt");
    get.send().await.unwrap();
    let received = &server.received()[0];
    assert_eq!(received.line, "GET http://img.example.com/exampleobject.txt");
    assert_eq!(received.header("host"), Some("img.example.com"));
    assert!(
        received
            .header("authorization")
            .unwrap()
            .ends_with("17691d81c56e32a35642cee705b55458f7ef45bd771f2b28bfa5981ae84f51dd")
    );
}

#[tokio::test]
async fn signatures_name_the_cloud_box() {
    let server = Server::start([ok()]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .cloud_box("cb-123")
        .build()
        .unwrap();
    client.head_object("examplebucket", "k").send().await.unwrap();
    let authorization = server.received()[0].header("authorization").unwrap().to_owned();
    assert!(
        authorization.contains("/20260101/cb-123/oss-cloudbox/aliyun_v4_request,"),
        "{authorization}"
    );
}

/// The vectors `sts-plain` of the official clients for V1.
#[tokio::test]
async fn version_1_signs_requests_and_urls_without_region() {
    let server = Server::start([ok()]);
    let v1 = |endpoint: &str| {
        let credentials = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
            .security_token("FakeSecurityToken0002")
            .build()
            .unwrap();
        Client::builder()
            .endpoint(endpoint)
            .credentials(credentials)
            .clock(oss_credentials_core::test_util::ManualClock::at_unix(NOW))
            .signature_version(SignatureVersion::V1)
    };
    let client = v1(&server.endpoint()).build().unwrap();
    let get = client.get_object("examplebucket", "exampleobject.txt");
    get.send().await.unwrap();
    let received = &server.received()[0];
    assert_eq!(
        received.header("authorization"),
        Some("OSS STS.FakeTempKeyId0002:jBwGrz3SgcrcAxBCH2vW+OqfM/k=")
    );
    assert_eq!(
        received.header("x-oss-security-token"),
        Some("FakeSecurityToken0002")
    );
    assert_eq!(received.header("date"), Some("Thu, 01 Jan 2026 08:30:00 GMT"));

    let client = v1("http://oss-cn-hangzhou.aliyuncs.com").build().unwrap();
    let hour = Duration::from_secs(3600);
    let url = client
        .presign_get("examplebucket", "exampleobject.txt", hour)
        .await
        .unwrap();
    assert_eq!(
        url.url(),
        "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt?security-token=FakeSecurityToken0002&\
         OSSAccessKeyId=STS.FakeTempKeyId0002&Expires=1767259800&Signature=vi0qwtA398ZGEuc6HI8%2BNUGXhU8%3D"
    );
    assert!(!format!("{url:?}").contains("Signature"), "{url:?}");
    let month = 30 * 24 * hour;
    let url = client.presign_get("examplebucket", "k", month).await.unwrap();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW) + month;
    assert_eq!((url.valid_until(), url.limited_by()), (end, LimitedBy::Asked));

    assert_eq!(url.valid_until_utc().to_string(), "2026-01-31T08:30:00Z");

    let both = v1("http://127.0.0.1:1").additional_headers(["host"]);
    assert!(refused(both).contains("`additional_headers` and `signature_version(V1)` are both set"));
}

/// With the parameter as sub-resource, V1 signs it: another signature than for the parameter alone.
#[tokio::test]
async fn an_operation_names_sub_resources_for_v1() {
    let signed = async |operation: Operation| {
        let client = complete()
            .signature_version(SignatureVersion::V1)
            .build()
            .unwrap();
        let url = client
            .presign(operation.bucket("examplebucket"), Duration::from_secs(60))
            .await
            .unwrap();
        url.url().to_owned()
    };
    let new = || Operation::new("GetNewThing", reqwest::Method::GET);
    let view = oss_sign::RequestView::new("GET")
        .bucket("examplebucket")
        .query(&[("newThing", "")]);
    let keys = temporary(1);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let expected = |signer: &oss_sign::v1::Signer| {
        signer
            .presign(&view, &keys, time, Duration::from_secs(60))
            .unwrap()
            .into_query()
    };
    let knowing = oss_sign::v1::Signer::builder()
        .extra_sub_resources(["newThing"])
        .build()
        .unwrap();
    assert_ne!(expected(&knowing), expected(&oss_sign::v1::Signer::new()));
    assert!(
        signed(new().sub_resource("newThing", ""))
            .await
            .ends_with(&expected(&knowing))
    );
    assert!(
        signed(new().query("newThing", ""))
            .await
            .ends_with(&expected(&oss_sign::v1::Signer::new()))
    );
}

/// A `main` that returns an error prints its `Debug`, and logs print that of a client.
#[test]
fn debug_output_is_one_readable_line() {
    let client = complete().build().unwrap();
    let shown = format!("{client:?}");
    assert!(shown.len() < 120 && shown.contains("provider: \""), "{shown}");
    let Err(error) = complete().endpoint("not an endpoint").build() else {
        panic!("it was built")
    };
    assert!(format!("{error:?}").contains(&error.to_string()), "{error:?}");
}

#[test]
fn what_would_have_no_effect_or_cannot_work_is_refused() {
    let ready = || complete().unchecked_client(reqwest::Client::new());
    for (builder, name) in [
        (ready().proxy("http://127.0.0.1:1"), "proxy"),
        (ready().no_proxy(), "proxy"),
        (ready().max_idle_connections(1), "max_idle_connections"),
        (ready().idle_timeout(Duration::from_secs(1)), "idle_timeout"),
        (ready().connect_timeout(Duration::from_secs(1)), "connect_timeout"),
    ] {
        let error = refused(builder);
        assert!(
            error.contains(&format!("`{name}` and `unchecked_client` are both set")),
            "{error}"
        );
    }
    assert!(ready().read_timeout(Duration::from_secs(1)).build().is_ok());

    let zero = Duration::ZERO;
    for builder in [
        complete().read_timeout(zero),
        complete().connect_timeout(zero),
        complete().idle_timeout(zero),
        complete().operation_timeout(zero),
    ] {
        assert!(refused(builder).contains("a timeout is zero"));
    }
    let error = refused(complete().proxy("http://user:canary@ bad"));
    assert_eq!(
        error,
        "oss-client: the proxy's URL is malformed; write http://[user:password@]host:port"
    );
    assert!(
        refused(complete().user_agent_suffix("a\nb")).contains("the user agent contains a control character")
    );
    let both = complete().user_agent("a").user_agent_suffix("b");
    assert!(refused(both).contains("`user_agent` and `user_agent_suffix` are both set"));
    assert!(refused(complete().max_connections(0)).contains("`max_connections` is 0"));
    for (name, expected) in [
        ("range", "cannot be the same for every request"),
        ("Accept-Encoding", "cannot be the same for every request"),
        ("if-match", "cannot be the same for every request"),
        ("x-oss-callback", "cannot be the same for every request"),
        ("Content-MD5", "cannot be the same for every request"),
        ("authorization", "is set by the client itself"),
        ("a b", "cannot be sent"),
    ] {
        let error = refused(complete().default_header(name, "x"));
        assert!(error.contains(expected), "{error}");
    }
    assert!(refused(complete().internal(true).accelerate(true)).contains("are both set"));
    let error = complete()
        .additional_headers(["authorization"])
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::Sign(_)), "{error}");
}

#[tokio::test]
async fn a_ready_client_keeps_its_own_rules() {
    let target = Server::start([ok()]);
    let server = Server::start([response(302, &[("Location", &target.endpoint())], "")]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .unchecked_client(reqwest::Client::new())
        .build()
        .unwrap();
    // It follows redirects, which is why the method's name warns.
    client.head_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(target.count(), 1);
}

/// Answers any number of requests on any number of connections, which stay open.
fn lasting_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                while stream.read(&mut [0; 8192]).is_ok_and(|length| length > 0) {
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 0\r\n\r\n");
                }
            });
        }
    });
    endpoint
}

#[test]
fn one_client_serves_runtimes_in_turn_that_are_kept() {
    let client = builder(&lasting_server(), Keys::new(1))
        .sleep(oss_credentials_core::TokioSleep)
        .read_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let new = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let runtimes: Vec<_> = (0..6).map(|_| new()).collect();
    for round in 0..2 {
        for (number, runtime) in runtimes.iter().enumerate() {
            let response = runtime.block_on(client.head_object("examplebucket", "k").send());
            assert!(response.is_ok(), "round {round}, runtime {number}: {response:?}");
        }
    }
}

#[tokio::test]
async fn an_error_names_the_proxy_without_its_password() {
    let client = builder("http://oss.example", Keys::new(1))
        .proxy("http://user:canary@127.0.0.1:1")
        .build()
        .unwrap();
    let error = client.head_object("examplebucket", "k").send().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("no connection through the proxy http://127.0.0.1:1: ") && !text.contains("canary"),
        "{text}"
    );
}

/// Variables only a child gets to see.
#[cfg(all(target_os = "linux", feature = "rustls", not(feature = "native-tls")))]
#[tokio::test]
async fn environments_without_certificates_and_with_exceptions_are_understood() {
    use oss_credentials_core::{Env, ProcessEnv};
    const NAME: &str = "environments_without_certificates_and_with_exceptions_are_understood";
    let Some(address) = ProcessEnv.var("OSS_TEST_SERVER") else {
        let server = Server::start([ok(), ok()]);
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env("OSS_TEST_SERVER", server.address.to_string())
            .env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent")
            .env("HTTP_PROXY", format!("http://{}", server.address))
            .env("NO_PROXY", "*.direct.test")
            .env_remove("REQUEST_METHOD")
            .output()
            .unwrap();
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stdout)
        );
        let lines: Vec<_> = server
            .received()
            .into_iter()
            .map(|received| received.line)
            .collect();
        assert_eq!(
            lines,
            ["HEAD /examplebucket/k", "HEAD http://examplebucket.oss.test/k"]
        );
        return;
    };
    let loopback = builder(&format!("http://{address}"), Keys::new(1))
        .build()
        .unwrap();
    loopback.head_object("examplebucket", "k").send().await.unwrap();
    let proxied = builder("http://oss.test", Keys::new(1)).build().unwrap();
    proxied.head_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(
        refused(builder("https://oss.test", Keys::new(1))),
        "oss-client: no CA certificates were found on this system; install the package `ca-certificates`, or set \
         SSL_CERT_FILE to a file with certificates in PEM form"
    );
}

/// In a child, since every test of this process needs files.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_can_open_no_more_files_says_so() {
    use oss_credentials_core::{Env, ProcessEnv};
    use oss_credentials_http::HttpErrorKind;
    use tokio::runtime::Builder;
    const NAME: &str = "a_process_that_can_open_no_more_files_says_so";
    if ProcessEnv.var("OSS_TEST_OUT_OF_FILES").is_none() {
        let alone = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 100 && exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(NAME)
            .env("OSS_TEST_OUT_OF_FILES", "1")
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&alone.stdout);
        assert!(alone.status.success() && shown.contains("1 passed"), "{shown}");
        return;
    }
    // Accepting takes a file, too, so nobody accepts before there are some again.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let client = builder(&endpoint, Keys::new(1)).build().unwrap();
    let [first, second] = [(); 2].map(|()| Builder::new_current_thread().enable_all().build().unwrap());
    let head = || client.head_object("examplebucket", "k").send();
    let files: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/").ok()).collect();
    // The second runtime gets a reqwest client of its own, for which certificates are read.
    let errors = [&first, &second].map(|runtime| runtime.block_on(head()).unwrap_err());
    drop(files);
    for error in errors {
        let Error::Transport(transport) = &error else {
            panic!("{error}")
        };
        assert_eq!(transport.kind(), HttpErrorKind::Other, "{error}");
        assert!(error.is_retryable(), "{error}");
        let text = error.to_string();
        assert!(text.contains("Too many open files"), "{text}");
        assert!(text.contains("; raise the limit of open files"), "{text}");
    }
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read(&mut stream, &mut [0; 4096]).unwrap();
        std::io::Write::write_all(&mut stream, &ok()).unwrap();
    });
    second.block_on(head()).unwrap();
    server.join().unwrap();
}

/// They arrive faster than they are read, so that the task of the connection never waits.
#[test]
fn informational_responses_without_end_do_not_outlast_the_read_timeout() {
    let one_worker = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        // Long ones: the time that a build without optimization takes to read the shortest ones would be tens of seconds.
        let padding = "a".repeat(4000);
        let piece = format!("HTTP/1.1 100 Continue\r\nx-padding: {padding}\r\n\r\n").repeat(16);
        // Bounded, should nobody close the connection: 6 GB.
        (0..100_000).any(|_| stream.write_all(piece.as_bytes()).is_err())
    });
    let client = builder(&endpoint, Keys::new(1))
        .read_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let head = client.head_object("examplebucket", "k").send();
    let error = one_worker.block_on(head).unwrap_err();
    assert!(
        error.to_string().contains("nothing arrived for 300 ms"),
        "{error}"
    );
    // The runtime goes on, so that it can close the connection.
    let closed =
        one_worker.block_on(async { tokio::task::spawn_blocking(move || server.join().unwrap()).await });
    assert!(closed.unwrap());
}
