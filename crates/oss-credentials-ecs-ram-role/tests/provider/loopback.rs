//! Over real sockets, with the client that `build()` takes by itself.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsProvider, CredentialsSource};
use oss_credentials_ecs_ram_role::EcsRamRole;

use crate::service::{NOW, TOKEN, at, six_hours};

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
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn keys_come_over_a_real_connection() {
    let (endpoint, heads) = serve(vec![
        answer("200 OK", TOKEN),
        answer("200 OK", "example-role\n"),
        answer("200 OK", &six_hours("STS.EXAMPLE")),
    ]);
    let provider = EcsRamRole::builder()
        .endpoint(endpoint)
        .clock(ManualClock::at_unix(NOW))
        .build()
        .unwrap();
    let credentials = provider.credentials().await.unwrap();
    assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
    assert_eq!(credentials.expires_at(), Some(at(NOW + 6 * 3600)));

    let heads = heads.lock().unwrap();
    assert!(
        heads[0].starts_with("put /latest/api/token http/1.1\r\n"),
        "{heads:?}"
    );
    assert!(
        heads[0].contains("\r\nx-aliyun-ecs-metadata-token-ttl-seconds: 21600\r\n"),
        "{heads:?}"
    );
    // Once: two of them make some servers refuse.
    assert_eq!(
        heads[0].matches("\r\ncontent-length: 0\r\n").count(),
        1,
        "{heads:?}"
    );
    let roles = "get /latest/meta-data/ram/security-credentials/";
    assert!(
        heads[1].starts_with(&format!("{roles} http/1.1\r\n")),
        "{heads:?}"
    );
    assert!(
        heads[2].starts_with(&format!("{roles}example-role http/1.1\r\n")),
        "{heads:?}"
    );
    for head in &heads[1..] {
        assert!(
            head.contains(&format!("\r\nx-aliyun-ecs-metadata-token: {TOKEN}\r\n")),
            "{head}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_cut_answer_is_no_answer() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        elsewhere.local_addr().unwrap()
    );
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"Access".to_owned();
    let (endpoint, _) = serve(vec![answer("200 OK", TOKEN), redirect, cut.clone(), cut]);
    let source = EcsRamRole::builder()
        .endpoint(endpoint)
        .role_name("example-role")
        .build_source()
        .unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
    assert!(elsewhere.accept().is_err(), "the redirect was followed");
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("was cut off"), "{error}");
}

/// What comes is bad in ways that only a real client sees.
#[tokio::test]
async fn whoever_answers_badly_is_there() {
    let ok = "HTTP/1.1 200 OK\r\n";
    for bad in [
        format!("{ok}Content-Length: 500\r\n\r\ncut"),
        format!("{ok}Transfer-Encoding: chunked\r\n\r\nZZZ\r\nbad"),
        format!("{ok}Content-Length: 2000000\r\n\r\n"),
    ] {
        let (endpoint, _) = serve(vec![bad.clone()]);
        assert_unavailable(endpoint, &bad).await;
    }
    // A body that does not end in time.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (held, until) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        head(&mut stream);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nslow")
            .unwrap();
        let _ = until.recv();
    });
    assert_unavailable(endpoint, "slow").await;
    drop(held);
    server.join().unwrap();
}

async fn assert_unavailable(endpoint: String, what: &str) {
    let builder = EcsRamRole::builder().endpoint(endpoint).required(false);
    let error = builder.build_source().unwrap().fetch().await.unwrap_err();
    assert!(
        matches!(error, CredentialsError::Unavailable(_)),
        "{what}: {error:?}"
    );
}

#[tokio::test]
async fn a_closed_port_is_no_instance_unless_it_was_asked_for() {
    // Bound and closed again: nobody listens there.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let builder = || EcsRamRole::builder().endpoint(endpoint.clone());
    let error = builder()
        .required(false)
        .build_source()
        .unwrap()
        .fetch()
        .await
        .unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    let error = builder().build_source().unwrap().fetch().await.unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
}
