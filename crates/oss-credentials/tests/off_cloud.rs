//! A machine that is no instance and has nothing set up, over real sockets: how soon the chain says so, and what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use oss_credentials::http::{HttpClient, HttpRequest, http_fn};
use oss_credentials::reqwest::ReqwestClient;
use oss_credentials::{CredentialsError, CredentialsProvider as _, DefaultProvider};
use oss_credentials_core::test_util::FakeEnv;
use tokio::net::TcpSocket;
use tokio::time::Instant;

/// Where instance metadata is.
const METADATA: &str = "http://100.100.100.200/";

/// The chain's usual client, but that metadata is somewhere on this machine.
fn led_to(address: SocketAddr) -> impl HttpClient {
    let client = ReqwestClient::new();
    http_fn(move |request: HttpRequest| {
        let path = request.url().strip_prefix(METADATA);
        let path = path.unwrap_or_else(|| panic!("a request: {request:?}"));
        let mut led = HttpRequest::new(request.method(), format!("http://{address}/{path}"))
            .with_connect_timeout(request.connect_timeout())
            .with_timeout(request.timeout());
        for (name, value) in request.headers() {
            led = led.with_header(name, value);
        }
        let client = client.clone();
        async move { client.send(led).await }
    })
}

/// The error of a chain with nothing but an empty home directory, and how long it took: by tokio's clock, which
/// stands still while anything is going on, and else goes on to the next time limit.
async fn chain_beside(address: SocketAddr) -> (String, Duration) {
    let home = tempfile::tempdir().unwrap();
    let provider = DefaultProvider::builder()
        .env(FakeEnv::new().with("HOME", home.path().to_str().unwrap()))
        .http_client(led_to(address))
        .build()
        .unwrap();
    let began = Instant::now();
    let error = provider.credentials().await.unwrap_err();
    let took = began.elapsed();
    assert!(matches!(error, CredentialsError::NoProvider(_)), "{error}");
    let text = error.to_string().replace(home.path().to_str().unwrap(), "~");
    (text, took)
}

/// What was looked for, and what to set, member by member.
fn report(metadata: &str) -> String {
    format!(
        "chain: no provider has credentials; configure one of them:\n  \
         env: no access key pair is set (OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or ALIBABA_CLOUD_ACCESS_KEY_ID \
         and ALIBABA_CLOUD_ACCESS_KEY_SECRET); set both variables of a pair\n  \
         oidc-rrsa: neither an OIDC provider nor a token file is named; set ALIBABA_CLOUD_OIDC_PROVIDER_ARN, \
         ALIBABA_CLOUD_OIDC_TOKEN_FILE and ALIBABA_CLOUD_ROLE_ARN, or the builder's methods for them\n  \
         profile: no file has a profile to use (~/.aliyun/config.json: there is no such file; \
         ~/.alibabacloud/credentials.ini: there is no such file; ~/.alibabacloud/credentials: there is no such \
         file); add the profile \"default\" to one of them, or name one with profile(..) or \
         ALIBABA_CLOUD_PROFILE\n  \
         uri: no credentials URI is set; set uri(..) or ALIBABA_CLOUD_CREDENTIALS_URI\n  \
         ecs-ram-role: no metadata service responds here ({metadata}); if this is an ECS instance, let requests to \
         the service through, or require it with required(true)"
    )
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_answers_costs_a_second_and_a_half_at_most() {
    // Nobody accepts: connections are made, and nothing ever comes.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (text, took) = chain_beside(listener.local_addr().unwrap()).await;
    assert!(took <= Duration::from_millis(1500), "{took:?}");
    // It was waited for.
    assert!(took >= Duration::from_millis(500), "{took:?}");
    assert_eq!(
        text,
        report("GET http://100.100.100.200/latest/meta-data/ram/security-credentials/")
    );
    listener.set_nonblocking(true).unwrap();
    let mut asked = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        asked.push(line);
    }
    assert_eq!(
        asked,
        [
            "PUT /latest/api/token HTTP/1.1\r\n",
            "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1\r\n"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn where_nobody_listens_it_costs_nothing() {
    // Bound, so that nobody else is given the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (text, took) = chain_beside(socket.local_addr().unwrap()).await;
    assert_eq!(took, Duration::ZERO);
    assert_eq!(text, report("PUT http://100.100.100.200/latest/api/token"));
}
