//! The other side of the conformance suite: a socket on loopback that plays canned bytes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// No read or write on a connection waits longer, so that a broken client cannot hang the suite.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest request that is read, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Recorded {
    /// All values of a header.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let matches = self
            .headers
            .iter()
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        matches.map(|(_, value)| value.as_str()).collect()
    }
}

/// Listens until it is dropped. Each connection has its own thread.
pub(super) struct ScriptedSocket {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Recorded>>>,
    closing: Arc<AtomicBool>,
}

impl ScriptedSocket {
    /// Plays `script` to every request, and then closes the connection.
    pub(super) fn start(
        script: impl Fn(&mut Connection, &Recorded) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut socket = Self::raw(move |connection| {
            if let Some(request) = connection.read_request() {
                lock(&seen).push(request.clone());
                script(connection, &request);
            }
        })?;
        socket.requests = requests;
        Ok(socket)
    }

    /// Responds to every request with the same bytes, and then closes the connection.
    pub(super) fn answering(bytes: impl Into<Vec<u8>>) -> io::Result<Self> {
        let bytes = bytes.into();
        Self::start(move |connection, _| {
            connection.send(&bytes);
        })
    }

    /// Plays `script` to every connection without waiting for a request.
    pub(super) fn raw(script: impl Fn(&mut Connection) + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let socket = Self {
            address: listener.local_addr()?,
            requests: Arc::default(),
            closing: Arc::new(AtomicBool::new(false)),
        };
        let closing = Arc::clone(&socket.closing);
        let script = Arc::new(script);
        thread::Builder::new()
            .name("scripted-socket".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    if closing.load(Ordering::SeqCst) {
                        return;
                    }
                    if let Ok(connection) = stream.and_then(Connection::new) {
                        let script = Arc::clone(&script);
                        thread::spawn(move || play(&*script, connection));
                    }
                }
            })?;
        Ok(socket)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port` with this path and query behind it.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that arrived so far.
    pub(super) fn requests(&self) -> Vec<Recorded> {
        lock(&self.requests).clone()
    }
}

fn play(script: &dyn Fn(&mut Connection), mut connection: Connection) {
    script(&mut connection);
    connection.close();
}

impl Drop for ScriptedSocket {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
    }
}

/// One accepted connection.
pub(super) struct Connection(TcpStream);

impl Connection {
    fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Whether the peer was still there to take the bytes.
    pub(super) fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Waits until the peer closes, and says whether it did so in time. What it sends is thrown away.
    pub(super) fn closes_within(&mut self, limit: Duration) -> bool {
        if self.0.set_read_timeout(Some(limit)).is_err() {
            return true;
        }
        let mut sink = [0; 1024];
        loop {
            match self.0.read(&mut sink) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                }
            }
        }
    }

    /// Says goodbye first and then takes what is still on its way, since closing over unread bytes would reset the
    /// connection, and our response might be lost with it.
    fn close(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
        self.closes_within(Duration::from_millis(500));
    }

    /// `None` if the peer went away or sent something else.
    fn read_request(&mut self) -> Option<Recorded> {
        let mut bytes = Vec::new();
        let head_end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            self.read_more(&mut bytes)?;
        };
        let mut body = bytes.split_off(head_end + 4);
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let mut request = Recorded {
            method: first.next()?.to_owned(),
            target: first.next()?.to_owned(),
            headers: lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
                .collect(),
            body: Vec::new(),
        };
        let length = request
            .values("content-length")
            .first()
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        while body.len() < length {
            self.read_more(&mut body)?;
        }
        request.body = body;
        Some(request)
    }

    fn read_more(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let mut piece = [0; 4096];
        let count = self.0.read(&mut piece).ok()?;
        bytes.extend_from_slice(&piece[..count]);
        (count > 0 && bytes.len() <= MAX_REQUEST).then_some(())
    }
}

/// A response with a length.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// A response without a length, whose body is sent in chunks of at most 64 KiB.
pub(super) fn chunked(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_vec();
    for chunk in body.chunks(64 * 1024) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
