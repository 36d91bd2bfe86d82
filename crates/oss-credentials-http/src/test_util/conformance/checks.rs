//! The checks of the conformance suite.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::runtime::{dropped_future, without_runtime};
use super::socket::{Connection, Recorded, ScriptedSocket, answer, chunked};
use super::subject::{Answer, CANARY, Checked, LONG, Problem, Subject, expect, fails, ok, request_to};
use crate::{HttpErrorKind, HttpMethod, HttpRequest, MAX_BODY};

/// One check. It makes its own socket and client.
pub(super) type Check = fn(&Subject) -> Checked;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("statuses", statuses),
    ("redirects", redirects),
    ("request_as_given", request_as_given),
    ("response_as_sent", response_as_sent),
    ("cookies", cookies),
    ("no_decompression", no_decompression),
    ("timeout_silent", timeout_silent),
    ("timeout_dripping_head", timeout_dripping_head),
    ("timeout_dripping_body", timeout_dripping_body),
    ("connect_refused", connect_refused),
    ("connect_timeout", connect_timeout),
    ("no_answer", no_answer),
    ("cut_body", cut_body),
    ("cut_chunked_body", cut_chunked_body),
    ("answer_begun", answer_begun),
    ("garbage", garbage),
    ("endless_head", endless_head),
    ("largest_body", largest_body),
    ("body_over_limit", body_over_limit),
    ("endless_body", endless_body),
    ("bad_requests", bad_requests),
    ("no_tls_there", no_tls_there),
    ("without_runtime", without_runtime),
    ("dropped_future", dropped_future),
    ("metadata_host_and_proxy", metadata_host_and_proxy),
];

/// Timeout of a request that must time out.
const SHORT: Duration = Duration::from_millis(200);
/// How often, and how many times, a dripping socket sends: longer than `SHORT` in all, never long in between.
const DRIP: (Duration, usize) = (Duration::from_millis(20), 50);
/// An endless thing ends here, so that a client without limits ends too, in bytes.
const ENDLESS: usize = 32 * MAX_BODY;

fn statuses(suite: &Subject) -> Checked {
    for (line, status) in [
        ("200 OK", 200),
        ("201 Created", 201),
        ("400 Bad Request", 400),
        ("401 Unauthorized", 401),
        ("403 Forbidden", 403),
        ("404 Not Found", 404),
        ("407 Proxy Authentication Required", 407),
        ("429 Too Many Requests", 429),
        ("500 Internal Server Error", 500),
        ("503 Service Unavailable", 503),
    ] {
        let socket = ScriptedSocket::answering(answer(line, "", b"the body"))?;
        let response = ok(suite.send(request_to(&socket)))?;
        expect(response.status() == status, || {
            format!("{line} arrived as {}", response.status())
        })?;
        expect(response.body() == b"the body", || {
            format!("the body of {line} was changed")
        })?;
        let count = socket.requests().len();
        expect(count == 1, || {
            format!("{line} made the client send {count} requests")
        })?;
    }
    Ok(())
}

fn redirects(suite: &Subject) -> Checked {
    for line in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let target = ScriptedSocket::answering(answer("200 OK", "", b"followed"))?;
        let location = format!("Location: {}\r\n", target.url("/target"));
        let socket = ScriptedSocket::answering(answer(line, &location, b""))?;
        let response = ok(suite.send(request_to(&socket)))?;
        expect(target.requests().is_empty(), || format!("{line} was followed"))?;
        expect(line.starts_with(&response.status().to_string()), || {
            format!("{line} arrived as {}", response.status())
        })?;
        expect(
            response.header("location") == Some(&target.url("/target")),
            || format!("the location of {line} did not arrive"),
        )?;
    }
    Ok(())
}

fn request_as_given(suite: &Subject) -> Checked {
    let path = "/a%2Fb/c?x=1&x=&y=%20z~*+%2B&Signature=a%3D";
    for (method, body) in [
        (HttpMethod::Get, Vec::new()),
        (HttpMethod::Put, Vec::new()),
        (HttpMethod::Post, (0..=255).collect()),
        (HttpMethod::Delete, Vec::new()),
        (HttpMethod::Patch, (0..=255).collect()),
    ] {
        let socket = ScriptedSocket::answering(answer("200 OK", "", b""))?;
        let request = HttpRequest::new(method, socket.url(path))
            .with_header("x-aliyun-ecs-metadata-token", "a token/with+signs==")
            .with_header("x-twice", "first")
            .with_header("x-twice", "second")
            .with_body(body.clone());
        ok(suite.send(request))?;
        let requests = socket.requests();
        let [seen] = &*requests else {
            return Err(format!("{method}: {} requests arrived", requests.len()).into());
        };
        as_given(seen, method, path, &body, &socket.address()).map_err(|what| format!("{method}: {what}"))?;
    }
    Ok(())
}

fn as_given(
    seen: &Recorded,
    method: HttpMethod,
    path: &str,
    body: &[u8],
    address: &SocketAddr,
) -> Result<(), String> {
    expect(seen.method == method.as_str(), || {
        format!("the method arrived as {}", seen.method)
    })?;
    expect(seen.target == path, || {
        format!("path and query arrived as {}", seen.target)
    })?;
    expect(seen.body == body, || "the body was changed".to_owned())?;
    for (name, values) in [
        ("x-aliyun-ecs-metadata-token", vec!["a token/with+signs=="]),
        ("x-twice", vec!["first", "second"]),
        ("host", vec![&*address.to_string()]),
    ] {
        let arrived = seen.values(name);
        expect(arrived == values, || {
            format!("header {name} arrived as {arrived:?}")
        })?;
    }
    let length = seen.values("content-length");
    let expected = body.len().to_string();
    expect(
        length == [&*expected] || (length.is_empty() && body.is_empty()),
        || format!("content-length arrived as {length:?}, wanted {expected}"),
    )?;
    let chunked = seen.values("transfer-encoding");
    expect(chunked.is_empty(), || {
        format!("transfer-encoding {chunked:?} was added")
    })?;
    for name in ["authorization", "proxy-authorization", "cookie", "referer"] {
        expect(seen.values(name).is_empty(), || {
            format!("header {name} was added")
        })?;
    }
    asks_for_no_coding(seen)
}

fn asks_for_no_coding(seen: &Recorded) -> Result<(), String> {
    let codings = seen.values("accept-encoding");
    expect(codings.iter().all(|value| *value == "identity"), || {
        format!("header accept-encoding was added and asks for {codings:?}")
    })
}

fn response_as_sent(suite: &Subject) -> Checked {
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let until_close = [b"HTTP/1.0 200 OK\r\n\r\n", &*body].concat();
    for (what, bytes) in [
        ("with a length", answer("200 OK", "", &body)),
        ("in chunks", chunked(&body)),
        ("that ends with the connection", until_close),
    ] {
        let socket = ScriptedSocket::answering(bytes)?;
        let response = ok(suite.send(request_to(&socket)))?;
        expect(response.body() == body, || format!("a body {what} was changed"))?;
    }
    let headers = "X-Acs-Request-Id: 6894B13B\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-empty:\r\n";
    let socket = ScriptedSocket::answering(answer("200 OK", headers, b""))?;
    let response = ok(suite.send(request_to(&socket)))?;
    for (name, value) in [
        ("x-acs-request-id", "6894B13B"),
        ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("x-empty", ""),
    ] {
        let arrived = response.header(name);
        expect(arrived == Some(value), || {
            format!("header {name} arrived as {arrived:?}")
        })?;
    }
    Ok(())
}

fn cookies(suite: &Subject) -> Checked {
    let headers = "Set-Cookie: session=1; Path=/\r\n";
    let socket = ScriptedSocket::answering(answer("200 OK", headers, b""))?;
    let client = suite.client();
    for _ in 0..2 {
        ok(suite.send_with(&*client, request_to(&socket)))?;
    }
    let replayed = socket
        .requests()
        .iter()
        .any(|request| !request.values("cookie").is_empty());
    Ok(expect(!replayed, || {
        "a cookie was kept and sent back".to_owned()
    })?)
}

fn no_decompression(suite: &Subject) -> Checked {
    /// `credentials as they were sent`, compressed by gzip.
    const GZIP: [u8; 48] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x2e, 0x4a, 0x4d, 0x49, 0xcd, 0x2b,
        0xc9, 0x4c, 0xcc, 0x29, 0x56, 0x48, 0x2c, 0x56, 0x28, 0xc9, 0x48, 0xad, 0x54, 0x28, 0x4f, 0x2d, 0x4a,
        0x55, 0x28, 0x06, 0x8a, 0x02, 0x00, 0xf5, 0xf3, 0xd0, 0x9c, 0x1d, 0x00, 0x00, 0x00,
    ];
    let socket = ScriptedSocket::answering(answer("200 OK", "Content-Encoding: gzip\r\n", &GZIP))?;
    let response = ok(suite.send(request_to(&socket)))?;
    expect(response.body() == GZIP, || {
        "the body was decompressed or changed".to_owned()
    })?;
    for request in socket.requests() {
        asks_for_no_coding(&request)?;
    }
    Ok(())
}

fn runs_into_timeout(suite: &Subject, socket: &ScriptedSocket) -> Checked {
    let request = request_to(socket).with_timeout(SHORT);
    Ok(fails(suite.send(request), &[HttpErrorKind::Timeout])?)
}

fn timeout_silent(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::start(|connection, _| {
        connection.closes_within(LONG);
    })?;
    runs_into_timeout(suite, &socket)
}

/// Sends a piece again and again, with pauses, until the peer has had enough or the script is over.
fn drip(connection: &mut Connection, before: &[u8], piece: &[u8], after: &[u8]) {
    let (pause, times) = DRIP;
    let mut there = connection.send(before);
    for _ in 0..times {
        there = there && !connection.closes_within(pause) && connection.send(piece);
    }
    if there {
        connection.send(after);
    }
}

fn timeout_dripping_head(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::start(|connection, _| {
        drip(
            connection,
            b"HTTP/1.1 200 OK\r\n",
            b"x",
            b": y\r\nContent-Length: 0\r\n\r\n",
        );
    })?;
    runs_into_timeout(suite, &socket)
}

fn timeout_dripping_body(suite: &Subject) -> Checked {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", DRIP.1);
    let socket = ScriptedSocket::start(move |connection, _| drip(connection, head.as_bytes(), b"x", b""))?;
    runs_into_timeout(suite, &socket)
}

fn connect_refused(suite: &Subject) -> Checked {
    // A port that was free a moment ago.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    drop(listener);
    let request = HttpRequest::get(format!("http://{address}/?{CANARY}")).with_header("x-secret", CANARY);
    Ok(fails(suite.send(request), &[HttpErrorKind::Connect])?)
}

fn connect_timeout(suite: &Subject) -> Checked {
    // Nobody accepts here. Once the queue is full, the system leaves further attempts without an answer.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let mut queued = Vec::new();
    let full = loop {
        match TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            Ok(stream) if queued.len() < 5000 => queued.push(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => break true,
            _ => break false,
        }
    };
    if !full {
        let reason = "this system has no queue of connections that can be filled on loopback";
        return Err(Problem::Skipped(reason.to_owned()));
    }
    let request = HttpRequest::get(format!("http://{address}/?{CANARY}"))
        .with_connect_timeout(SHORT)
        .with_timeout(LONG);
    Ok(fails(suite.send(request), &[HttpErrorKind::Connect])?)
}

fn no_answer(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::answering("")?;
    Ok(fails(
        suite.send(request_to(&socket)),
        &[HttpErrorKind::Interrupted],
    )?)
}

fn cut_body(suite: &Subject) -> Checked {
    let bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{{\"Secret\": \"{CANARY}");
    let socket = ScriptedSocket::answering(bytes)?;
    Ok(fails(
        suite.send(request_to(&socket)),
        &[HttpErrorKind::Interrupted],
    )?)
}

fn cut_chunked_body(suite: &Subject) -> Checked {
    let bytes = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{CANARY}\r\n",
        CANARY.len()
    );
    let socket = ScriptedSocket::answering(bytes)?;
    Ok(fails(
        suite.send(request_to(&socket)),
        &[HttpErrorKind::Interrupted],
    )?)
}

/// Whether a server exists decides whether a chain may continue with another identity.
fn answer_begun(suite: &Subject) -> Checked {
    const SAYS_NOTHING: &str =
        "the error does not say that an answer had begun; see `HttpError::with_answer_begun`";
    const SAYS_TOO_MUCH: &str = "the error says that an answer had begun, where none had";
    let begun = |answer: Answer| answer.is_err_and(|error| error.has_answer_begun());

    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", DRIP.1);
    let drips = ScriptedSocket::start(move |connection, _| drip(connection, head.as_bytes(), b"x", b""))?;
    let drips = begun(suite.send(request_to(&drips).with_timeout(SHORT)));
    expect(drips, || format!("a body that took too long: {SAYS_NOTHING}"))?;
    let ends = ScriptedSocket::answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart")?;
    let ends = begun(suite.send(request_to(&ends)));
    expect(ends, || format!("a body that was cut: {SAYS_NOTHING}"))?;

    let silent = ScriptedSocket::start(|connection, _| {
        connection.closes_within(LONG);
    })?;
    let silent = begun(suite.send(request_to(&silent).with_timeout(SHORT)));
    expect(!silent, || format!("a silent server: {SAYS_TOO_MUCH}"))?;
    let empty = ScriptedSocket::answering("")?;
    let empty = begun(suite.send(request_to(&empty)));
    Ok(expect(!empty, || {
        format!("a connection closed without a byte: {SAYS_TOO_MUCH}")
    })?)
}

fn garbage(suite: &Subject) -> Checked {
    for bytes in [
        format!("SSH-2.0-OpenSSH_9.9 {CANARY}\r\n"),
        format!("HTTP/1.1 {CANARY}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{CANARY}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n"),
    ] {
        let socket = ScriptedSocket::answering(bytes)?;
        fails(
            suite.send(request_to(&socket)),
            &[HttpErrorKind::Other, HttpErrorKind::Interrupted],
        )?;
    }
    Ok(())
}

fn endless_head(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::start(|connection, _| {
        let lines = "x-header: a value\r\n".repeat(1000).into_bytes();
        let mut there = connection.send(b"HTTP/1.1 200 OK\r\n");
        for _ in 0..ENDLESS / lines.len() {
            there = there && connection.send(&lines);
        }
        connection.send(b"Content-Length: 0\r\n\r\n");
    })?;
    Ok(fails(
        suite.send(request_to(&socket)),
        &[HttpErrorKind::Other, HttpErrorKind::Interrupted],
    )?)
}

fn largest_body(suite: &Subject) -> Checked {
    let body = vec![b'x'; MAX_BODY];
    for bytes in [answer("200 OK", "", &body), chunked(&body)] {
        let socket = ScriptedSocket::answering(bytes)?;
        let response = ok(suite.send(request_to(&socket)))?;
        expect(response.body() == body, || {
            format!("{MAX_BODY} bytes arrived as {response:?}")
        })?;
    }
    Ok(())
}

fn body_over_limit(suite: &Subject) -> Checked {
    let body = vec![b'x'; MAX_BODY + 1];
    for bytes in [answer("200 OK", "", &body), chunked(&body)] {
        let socket = ScriptedSocket::answering(bytes)?;
        fails(suite.send(request_to(&socket)), &[HttpErrorKind::Other])?;
    }
    Ok(())
}

fn endless_body(suite: &Subject) -> Checked {
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let socket = ScriptedSocket::start(move |connection, _| {
        let piece = vec![b'x'; 64 * 1024];
        let mut there = connection.send(b"HTTP/1.0 200 OK\r\n\r\n");
        while there && counter.fetch_add(piece.len(), Ordering::SeqCst) < ENDLESS {
            there = connection.send(&piece);
        }
    })?;
    fails(suite.send(request_to(&socket)), &[HttpErrorKind::Other])?;
    let sent = sent.load(Ordering::SeqCst);
    Ok(expect(sent < ENDLESS, || {
        format!("the client took all {sent} bytes before it gave up")
    })?)
}

fn bad_requests(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::answering(answer("200 OK", "", b""))?;
    let injected = format!("{CANARY}\r\nauthorization: {CANARY}");
    for (what, request) in [
        ("an empty URL", HttpRequest::get("")),
        ("a URL without scheme", HttpRequest::get(format!("{CANARY}/path"))),
        (
            "a URL without host",
            HttpRequest::get(format!("http://?{CANARY}")),
        ),
        (
            "a bad IPv6 address",
            HttpRequest::get(format!("http://[::1/?{CANARY}")),
        ),
        (
            "scheme ftp",
            HttpRequest::get(format!("ftp://127.0.0.1/?{CANARY}")),
        ),
        (
            "a header with a line end",
            request_to(&socket).with_header("x-token", injected),
        ),
        (
            "a header with a bad name",
            request_to(&socket).with_header("x token:", CANARY),
        ),
    ] {
        fails(suite.send(request), &[HttpErrorKind::Request])
            .map_err(|reason| format!("{what}: {reason}"))?;
    }
    let count = socket.requests().len();
    Ok(expect(count == 0, || {
        format!("{count} of the bad requests were sent")
    })?)
}

fn no_tls_there(suite: &Subject) -> Checked {
    let socket = ScriptedSocket::raw(|connection| {
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    })?;
    let request = HttpRequest::get(format!("https://{}/?{CANARY}", socket.address()));
    // A client without TLS says that it cannot make such a request.
    Ok(fails(
        suite.send(request),
        &[HttpErrorKind::Tls, HttpErrorKind::Request],
    )?)
}

fn metadata_host_and_proxy(suite: &Subject) -> Checked {
    let proxy = ScriptedSocket::answering(answer("200 OK", "", b"proxy"))?;
    let Some(client) = suite.client_through(&proxy.url("")) else {
        let reason = "no client with a proxy was given; see `HttpConformance::through_proxy`";
        return Err(Problem::Skipped(reason.to_owned()));
    };
    // First that the proxy is used at all, or the rest would prove nothing. The name exists nowhere.
    let control = HttpRequest::get("http://sts.proxy-check.invalid/path");
    let response = ok(suite.send_with(&*client, control))?;
    expect(response.body() == b"proxy" && proxy.requests().len() == 1, || {
        "the client that was given does not use the proxy".to_owned()
    })?;
    let direct = ScriptedSocket::answering(answer("200 OK", "", b"direct"))?;
    let port = direct.address().port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let request = HttpRequest::get(format!("http://{host}:{port}/path"));
        let answer = suite.send_with(&*client, request);
        expect(proxy.requests().len() == 1, || {
            format!("{host} was asked through the proxy")
        })?;
        // The others depend on what loopback is like here.
        if host == "127.0.0.1" {
            expect(ok(answer)?.body() == b"direct", || {
                format!("{host} was not asked directly")
            })?;
        }
    }
    Ok(())
}
