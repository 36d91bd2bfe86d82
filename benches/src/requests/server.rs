//! The server of the benchmark: answers as the services do, as fast as it can.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use benches::subjects::token;

use crate::{LARGE, LARGE_KEY, SMALL, TOKEN_LENGTH};

/// CRC-64/XZ of that many `x`, by a table of its own in Python.
const SMALL_CRC: &str = "10431547062287506539";
const LARGE_CRC: &str = "16248800271597426276";

const BLOCK: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Prints its address, and serves until it is ended.
pub(crate) fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(|| serve_connection(stream));
    }
    Ok(())
}

struct Request {
    line: String,
    length: u64,
}

fn serve_connection(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(BLOCK.len(), stream);
    while let Some(request) = read_request(&mut reader)? {
        respond(&mut writer, &request)?;
    }
    Ok(())
}

/// Reads a request with its body; `None` at the end of the connection.
fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let (mut first, mut length, mut is_chunked) = (String::new(), 0, false);
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length: ") {
            length = value.trim_end().parse().unwrap_or_default();
        }
        is_chunked |= lower.starts_with("transfer-encoding: chunked");
    }
    if is_chunked {
        skip_chunks(reader)?;
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    Ok(Some(Request { line: first, length }))
}

fn skip_chunks(reader: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = u64::from_str_radix(size.trim_end(), 16).unwrap_or_default();
        std::io::copy(&mut reader.take(size + 2), &mut std::io::sink())?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn respond(writer: &mut TcpStream, request: &Request) -> std::io::Result<()> {
    let line = &request.line;
    if line.starts_with("POST / ") || line.starts_with("POST /?") {
        return small(writer, "application/json", &assumed_role());
    }
    if line.contains("/latest/api/token") {
        return small(writer, "text/plain", "AQAAAExampleMetadataToken0001==");
    }
    if line.contains("/security-credentials/") {
        return small(writer, "text/plain", &metadata());
    }
    let is_large =
        line.contains(LARGE_KEY) || request.length > u64::try_from(SMALL.len()).unwrap_or(u64::MAX);
    let crc = if is_large { LARGE_CRC } else { SMALL_CRC };
    let length = match (line.starts_with("GET "), is_large) {
        (false, _) => 0,
        (true, false) => SMALL.len(),
        (true, true) => LARGE,
    };
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nServer: AliyunOSS\r\nDate: Thu, 01 Jan 2026 08:30:00 GMT\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\
         x-oss-request-id: 5C3D9175B6FC201293AD4A94\r\nETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n\
         Last-Modified: Thu, 01 Jan 2026 08:00:00 GMT\r\nx-oss-hash-crc64ecma: {crc}\r\n\
         x-oss-server-time: 2\r\n\r\n"
    )
    .into_bytes();
    if length <= SMALL.len() {
        // In one piece, so that it is read at once.
        answer.extend_from_slice(&BLOCK[..length]);
        return writer.write_all(&answer);
    }
    writer.write_all(&answer)?;
    (0..length / BLOCK.len()).try_for_each(|_| writer.write_all(&BLOCK))
}

fn small(writer: &mut TcpStream, content_type: &str, body: &str) -> std::io::Result<()> {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 08:30:00 GMT\r\nContent-Type: {content_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    writer.write_all(answer.as_bytes())
}

fn assumed_role() -> String {
    format!(
        r#"{{"RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F", "AssumedRoleUser": {{
            "Arn": "acs:ram::123456789012:role/reader/bench", "AssumedRoleId": "344:bench"}},
            "Credentials": {{"AccessKeyId": "STS.FakeTempKeyId0003", "AccessKeySecret": "FakeTempSecret0003",
            "Expiration": "2026-01-01T09:30:00Z", "SecurityToken": "{}"}}}}"#,
        token(TOKEN_LENGTH)
    )
}

fn metadata() -> String {
    format!(
        r#"{{"AccessKeyId": "STS.FakeTempKeyId0004", "AccessKeySecret": "FakeTempSecret0004",
            "Expiration": "2026-01-01T14:30:00Z", "SecurityToken": "{}",
            "LastUpdated": "2026-01-01T08:30:00Z", "Code": "Success"}}"#,
        token(TOKEN_LENGTH)
    )
}
