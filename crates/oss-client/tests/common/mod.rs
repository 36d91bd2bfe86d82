//! A scripted server on loopback, and a provider that records what it is told.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use oss_client::{Client, ClientBuilder, NoRetry};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsFuture, CredentialsProvider, Invalidation};

/// 2026-01-01T08:30:00Z
pub const NOW: u64 = 1_767_256_200;

/// A request as it stood on the wire.
#[derive(Clone, Debug)]
pub struct Received {
    /// `GET /bucket/key`
    pub line: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(own, _)| own == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// Answers one connection per scripted handler, in order, and then no more.
pub struct Server {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

pub type Handler = Box<dyn FnOnce(Received, &mut TcpStream) + Send>;

impl Server {
    pub fn start(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::with_handlers(answers.into_iter().map(|response| -> Handler {
            Box::new(move |_, stream| stream.write_all(&response).unwrap_or_default())
        }))
    }

    pub fn with_handlers(handlers: impl IntoIterator<Item = Handler>) -> Self {
        let handlers: Vec<Handler> = handlers.into_iter().collect();
        let received = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&received);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for handler in handlers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let request = read_head(&mut stream).and_then(|head| read_body(head, &mut stream));
                if let Some(request) = request {
                    seen.lock().unwrap().push(request.clone());
                    handler(request, &mut stream);
                }
            }
        });
        Self { address, received }
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A server that hands its one connection over before the body is read.
pub fn raw_server(handle: impl FnOnce(Received, TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else {
            return;
        };
        if let Some(head) = read_head(&mut stream) {
            handle(head, stream);
        }
    });
    address
}

pub fn read_head(stream: &mut TcpStream) -> Option<Received> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let mut lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let line = String::from_utf8(lines.next()?.to_vec()).ok()?;
    let line = line.strip_suffix(" HTTP/1.1")?.to_owned();
    let headers = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8(line[..colon].to_ascii_lowercase()).ok()?;
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        })
        .collect();
    Some(Received {
        line,
        headers,
        body: Vec::new(),
    })
}

fn read_body(mut head: Received, stream: &mut TcpStream) -> Option<Received> {
    if let Some(length) = head.header("content-length") {
        head.body = vec![0; length.parse().ok()?];
        stream.read_exact(&mut head.body).ok()?;
    } else if head.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut line = Vec::new();
            let mut byte = [0];
            while !line.ends_with(b"\r\n") {
                stream.read_exact(&mut byte).ok()?;
                line.push(byte[0]);
            }
            let size = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            head.body.extend(&chunk[..size]);
        }
    }
    Some(head)
}

/// A response that ends its connection.
pub fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

pub fn ok() -> Vec<u8> {
    response(200, &[("x-oss-request-id", "OK1")], "")
}

pub fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = format!("<Error><Code>{code}</Code><Message>m</Message><RequestId>R1</RequestId></Error>");
    response(status, &[("Content-Type", "application/xml")], &body)
}

/// Hands out one generation after the other: `invalidate` moves on, and the last one stays.
#[derive(Clone, Debug)]
pub struct Keys(Arc<KeysInner>);

#[derive(Debug)]
struct KeysInner {
    left: Mutex<VecDeque<Credentials>>,
    asked: AtomicUsize,
    invalidated: Mutex<Vec<String>>,
}

impl Keys {
    /// `generations` keys named `STS.FakeTempKeyId000<n>`, from 1.
    pub fn new(generations: usize) -> Self {
        Self::of((1..=generations).map(temporary))
    }

    pub fn of(generations: impl IntoIterator<Item = Credentials>) -> Self {
        Self(Arc::new(KeysInner {
            left: Mutex::new(generations.into_iter().collect()),
            asked: AtomicUsize::new(0),
            invalidated: Mutex::default(),
        }))
    }

    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }

    pub fn invalidated(&self) -> Vec<String> {
        self.0.invalidated.lock().unwrap().clone()
    }
}

pub fn temporary(number: usize) -> Credentials {
    Credentials::builder(
        format!("STS.FakeTempKeyId000{number}"),
        format!("canary-secret-{number}"),
    )
    .security_token(format!("canary-token-{number}"))
    .build()
    .unwrap()
}

impl CredentialsProvider for Keys {
    fn name(&self) -> &'static str {
        "keys"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        CredentialsFuture::ready(Ok(self.0.left.lock().unwrap().front().unwrap().clone()))
    }
    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        self.0
            .invalidated
            .lock()
            .unwrap()
            .push(rejected.access_key_id().to_owned());
        let mut left = self.0.left.lock().unwrap();
        if left.len() > 1 && left.front().unwrap().same_key_as(rejected) {
            left.pop_front();
        }
        Invalidation::Dropped
    }
}

/// Tries nothing again but what is set right at once.
pub fn builder(endpoint: &str, provider: impl CredentialsProvider) -> ClientBuilder {
    Client::builder()
        .region("cn-hangzhou")
        .endpoint(endpoint)
        .credentials(provider)
        .clock(ManualClock::at_unix(NOW))
        .retry(NoRetry)
}

pub fn client(server: &Server, provider: impl CredentialsProvider) -> Client {
    builder(&server.endpoint(), provider).build().unwrap()
}

/// A client of a local cloud that tries nothing again but what is set right at once.
pub fn of_cloud(cloud: &oss_testkit::LocalCloud) -> ClientBuilder {
    Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(cloud.access_key())
        .retry(NoRetry)
}
