//! A server over TLS on loopback.

use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A client that neither sends nor closes is left alone after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server on 127.0.0.1 whose certificate is issued by an authority of its own, made for the test. It gives the same
/// response to every request, each in its own connection, until it is dropped.
///
/// ```
/// use oss_credentials_http::test_util::TlsServer;
///
/// let server = TlsServer::start("localhost", 200, "hello")?;
/// assert!(server.authority_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// assert_eq!(server.requests(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    authority_pem: String,
    requests: Arc<AtomicUsize>,
    closing: Arc<AtomicBool>,
}

impl TlsServer {
    /// Starts a server whose certificate is for `name`, a host name or an address.
    ///
    /// # Errors
    ///
    /// If there is no socket, or no certificate for the name.
    pub fn start(name: &str, status: u16, body: impl AsRef<[u8]>) -> io::Result<Self> {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 {status} Any\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Self::respond(name, &[head.as_bytes(), body].concat())
    }

    /// Starts a server like [`TlsServer::start`] that sends these bytes as its response, from the status line on.
    ///
    /// # Errors
    ///
    /// Those of [`TlsServer::start`].
    pub fn respond(name: &str, response: &[u8]) -> io::Result<Self> {
        let response: Arc<[u8]> = response.into();
        let (config, authority_pem) = issued(name).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let server = Self {
            address: listener.local_addr()?,
            authority_pem,
            requests: Arc::default(),
            closing: Arc::default(),
        };
        let (requests, closing) = (Arc::clone(&server.requests), Arc::clone(&server.closing));
        thread::Builder::new()
            .name("tls-server".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if closing.load(Ordering::SeqCst) {
                        return;
                    }
                    let (config, requests, response) =
                        (Arc::clone(&config), Arc::clone(&requests), Arc::clone(&response));
                    // Fails where the client does not trust the certificate.
                    thread::spawn(move || answer(stream, config, &requests, &response));
                }
            })?;
        Ok(server)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the certificate of the authority, in PEM form: what a client has to trust.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// Returns how many requests have come through the handshake.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect_timeout(&self.address, PATIENCE);
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Settings of a server with a certificate for this name, and the authority that issued it.
fn issued(name: &str) -> Result<(Arc<ServerConfig>, String), Failure> {
    let mut params = CertificateParams::new(vec![])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Unlike the server's, or OpenSSL takes the server's certificate for a self-signed one.
    let authority_name = "test authority";
    params.distinguished_name.push(DnType::CommonName, authority_name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    // All authorities have the same name. Without the ID of the key, OpenSSL takes the first one of that name for the
    // issuer, and then cannot verify the signature.
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((Arc::new(config), authority.pem()))
}

fn answer(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    requests: &AtomicUsize,
    response: &[u8],
) -> Result<(), Failure> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, stream);
    read_request(&mut stream)?;
    requests.fetch_add(1, Ordering::SeqCst);
    stream.write_all(response)?;
    stream.conn.send_close_notify();
    Ok(stream.flush()?)
}

fn read_request(stream: &mut impl Read) -> io::Result<()> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    while !is_whole(&request) {
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => request.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
    Ok(())
}

/// Whether head and body are there.
fn is_whole(request: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = request.windows(END.len()).position(|bytes| bytes == END) else {
        return false;
    };
    let (head, rest) = request.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    rest.len() >= END.len() + length
}
