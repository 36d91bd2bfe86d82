//! Over real sockets, with the client that `build()` takes by itself.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsProvider, CredentialsSource};
use oss_credentials_kms_client_key::{KmsClientKey, KmsClientKeyBuilder, KmsRegion};

use crate::service::{NOW, SECRET, client_key, pair, refusal};

/// Answers one request per entry, each on a connection of its own, and keeps the requests' heads. The thread
/// ends when the script does.
fn serve(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            seen.lock().unwrap().push(head(&mut stream));
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, heads)
}

fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nDate: Sun, 01 Mar 2026 08:09:10 GMT\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn builder(endpoint: &str) -> KmsClientKeyBuilder {
    KmsClientKey::builder()
        .secret_name(SECRET)
        .client_key(client_key())
        .region(KmsRegion::new("cn-hangzhou").endpoint(endpoint))
        .clock(ManualClock::at_unix(NOW))
        .random(|| 0.0)
}

#[tokio::test]
async fn a_pair_comes_over_a_real_connection() {
    let (endpoint, heads) = serve(vec![answer("200 OK", &pair("LTAI-over-the-wire-1"))]);
    let provider = builder(&endpoint).build().unwrap();
    let credentials = provider.credentials().await.unwrap();
    assert_eq!(credentials.access_key_id(), "LTAI-over-the-wire-1");
    let heads = heads.lock().unwrap();
    let head = heads[0].to_ascii_lowercase();
    assert!(
        head.starts_with("post /?secretname=acs%2fram%2fuser%2foss-reader&versionstage=acscurrent&"),
        "{head}"
    );
    // Once: the body is empty, and the service wants its length.
    assert_eq!(head.matches("\r\ncontent-length: 0\r\n").count(), 1, "{head}");
    assert!(
        head.contains("\r\nuser-agent: oss-credentials-kms-client-key/"),
        "{head}"
    );
    assert!(
        !head.contains("authorization") && !head.contains("x-acs-"),
        "{head}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_cut_answer_leads_to_another_region() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.local_addr().unwrap()
    );
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"Secret".to_owned();
    let (first, _) = serve(vec![redirect, cut]);
    let (second, _) = serve(vec![answer("200 OK", &pair("i"))]);
    let source = builder(&first)
        .region(KmsRegion::new("cn-beijing").endpoint(second))
        .build_source()
        .unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
    assert!(elsewhere.accept().is_err(), "the redirect was followed");
    source.fetch().await.unwrap();
}

#[tokio::test]
async fn a_closed_port_and_a_refusal_are_told_apart() {
    // Bound and closed again: nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (refusing, _) = serve(vec![answer("403 Forbidden", &refusal("Forbidden.NoPermission"))]);
    let source = builder(&closed)
        .region(KmsRegion::new("cn-beijing").endpoint(refusing))
        .build_source()
        .unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(error.detail().unwrap().code(), Some("Forbidden.NoPermission"));
}
