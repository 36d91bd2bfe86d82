//! Over a socket of this machine, with the HTTP client that the feature `reqwest` brings.
#![cfg(feature = "reqwest")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use oss_credentials_core::{CredentialsError, CredentialsProvider};
use oss_credentials_uri::CredentialsUri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers one connection with these bytes and brings what was asked.
async fn serve(listener: TcpListener, answer: String) -> String {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let mut chunk = [0; 1024];
        let count = socket.read(&mut chunk).await.unwrap();
        assert_ne!(count, 0, "the request ended early");
        asked.extend_from_slice(&chunk[..count]);
    }
    socket.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(asked).unwrap()
}

const BODY: &str = r#"{"Code": "Success", "AccessKeyId": "STS.EXAMPLE", "AccessKeySecret": "secret",
    "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}"#;

#[tokio::test]
async fn the_request_line_is_the_uri_as_it_was_given() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
    let uri = format!("http://Aladdin:open%20sesame@{host}/a%2Fb?c=1&c=2&empty=&&bare");
    let provider = CredentialsUri::builder().uri(uri).build().unwrap();
    let (asked, credentials) = tokio::join!(serve(listener, answer), provider.credentials());
    assert_eq!(credentials.unwrap().access_key_id(), "STS.EXAMPLE");
    let asked = asked.to_ascii_lowercase();
    assert!(
        asked.starts_with("get /a%2fb?c=1&c=2&empty=&&bare http/1.1\r\n"),
        "{asked}"
    );
    assert!(asked.contains(&format!("\r\nhost: {host}\r\n")), "{asked}");
    // The example of RFC 7617, section 2.
    let basic = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_ascii_lowercase();
    assert!(
        asked.contains(&format!("\r\nauthorization: {basic}\r\n")),
        "{asked}"
    );
}

#[tokio::test]
async fn an_answer_cut_mid_body_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/?canary", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len() + 1
    );
    let provider = CredentialsUri::builder().uri(uri).build().unwrap();
    let (_, outcome) = tokio::join!(serve(listener, answer), provider.credentials());
    let error = outcome.unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    assert!(
        error.to_string().contains("was cut off") && !format!("{error:?}").contains("canary"),
        "{error:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/?canary", listener.local_addr().unwrap());
    drop(listener);
    let error = CredentialsUri::builder()
        .uri(uri)
        .build()
        .unwrap()
        .credentials()
        .await
        .unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    assert!(
        error.to_string().contains("no connection") && !format!("{error:?}").contains("canary"),
        "{error:?}"
    );
}
