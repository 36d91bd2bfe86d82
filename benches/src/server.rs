//! The server of the benchmarks: responds as the services do, as fast as it can, and keeps nothing.
//!
//! Every object consists of the byte `x`. The size of an object is part of its key: `1024.bin` has 1 KiB.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::subjects::token;

/// The key of an object with [`LARGE`] bytes.
pub const LARGE_KEY: &str = "path/to/large.bin";
/// Bytes of a large object.
pub const LARGE: u64 = 64 * 1024 * 1024;
/// Bytes of an object whose key states nothing else.
pub const SMALL: u64 = 1024;
/// The length of security tokens.
pub const TOKEN_LENGTH: usize = 720;

static BLOCK: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Prints its address, and serves until it is ended.
///
/// # Errors
///
/// If it cannot listen.
pub fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let service = Arc::new(Service::default());
    for stream in listener.incoming() {
        let (stream, service) = (stream?, Arc::clone(&service));
        std::thread::spawn(move || serve_connection(stream, &service));
    }
    Ok(())
}

#[derive(Default)]
struct Service {
    /// CRC-64/XZ by the number of bytes.
    checksums: Mutex<HashMap<u64, u64>>,
    /// The sizes of the parts of each upload.
    uploads: Mutex<Vec<BTreeMap<u64, u64>>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    range: Option<(u64, Option<u64>)>,
    /// Bytes of the body.
    length: u64,
}

impl Request {
    fn parameter(&self, name: &str) -> Option<u64> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name)?.1.parse().ok()
    }

    /// The size of the object, as its key states it.
    fn size(&self) -> Option<u64> {
        if self.path.ends_with(LARGE_KEY) {
            return Some(LARGE);
        }
        let (_, name) = self.path.rsplit_once('/')?;
        name.strip_suffix(".bin")?.parse().ok()
    }
}

fn serve_connection(stream: TcpStream, service: &Service) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::with_capacity(BLOCK.len(), stream);
    while let Some(request) = read_request(&mut reader)? {
        respond(&mut writer, &request, service)?;
    }
    Ok(())
}

/// Reads a request with its body; `None` at the end of the connection.
fn read_request(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let (mut first, mut length, mut range, mut is_chunked) = (String::new(), 0, None, false);
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
        if let Some((from, to)) = lower
            .strip_prefix("range: bytes=")
            .and_then(|v| v.split_once('-'))
        {
            range = Some((from.parse().unwrap_or_default(), to.trim_end().parse().ok()));
        }
        is_chunked |= lower.starts_with("transfer-encoding: chunked");
    }
    if is_chunked {
        length = skip_chunks(reader)?;
    } else {
        std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    }
    let mut words = first.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        range,
        length,
    }))
}

/// Returns how many bytes there were.
fn skip_chunks(reader: &mut BufReader<TcpStream>) -> std::io::Result<u64> {
    let mut sum = 0;
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = u64::from_str_radix(size.trim_end(), 16).unwrap_or_default();
        std::io::copy(&mut reader.take(size + 2), &mut std::io::sink())?;
        if size == 0 {
            return Ok(sum);
        }
        sum += size;
    }
}

fn respond(writer: &mut TcpStream, request: &Request, service: &Service) -> std::io::Result<()> {
    let path = request.path.as_str();
    if path == "/" {
        return small(writer, "200 OK", "application/json", &assumed_role(), None);
    }
    if path.contains("/latest/api/token") {
        let token = "AQAAAExampleMetadataToken0001==";
        return small(writer, "200 OK", "text/plain", token, None);
    }
    if path.contains("/security-credentials/") {
        return small(writer, "200 OK", "text/plain", &metadata(), None);
    }
    match request.method.as_str() {
        "GET" | "HEAD" => object(writer, request, service),
        "POST" => multipart(writer, request, service),
        _ => stored(writer, request, service),
    }
}

/// Sends an object, or a range of it.
fn object(writer: &mut TcpStream, request: &Request, service: &Service) -> std::io::Result<()> {
    let size = request.size().unwrap_or(SMALL);
    let (mut status, mut length, mut range) = ("200 OK", size, String::new());
    if let Some((from, to)) = request.range {
        let last = to.unwrap_or(size).min(size - 1);
        status = "206 Partial Content";
        length = last + 1 - from;
        range = format!("Content-Range: bytes {from}-{last}/{size}\r\n");
    }
    let mut response = head(status, length, service.checksum(size), &range);
    if request.method == "HEAD" {
        return writer.write_all(&response);
    }
    if length <= SMALL {
        // In one piece, so that it is read at once.
        response.extend_from_slice(block(length));
        return writer.write_all(&response);
    }
    writer.write_all(&response)?;
    let mut left = length;
    while left > 0 {
        let piece = block(left);
        writer.write_all(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

fn block(length: u64) -> &'static [u8] {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    &BLOCK[..length.min(BLOCK.len())]
}

/// Responds to an object or a part that has arrived.
fn stored(writer: &mut TcpStream, request: &Request, service: &Service) -> std::io::Result<()> {
    match (request.parameter("uploadId"), request.parameter("partNumber")) {
        (Some(upload), Some(number)) => service.part(upload, number, request.length),
        _ if request.size().is_some_and(|size| size != request.length) => {
            return refused(writer, request.length);
        }
        _ => {}
    }
    writer.write_all(&head("200 OK", 0, service.checksum(request.length), ""))
}

/// Begins an upload in parts, or completes it.
fn multipart(writer: &mut TcpStream, request: &Request, service: &Service) -> std::io::Result<()> {
    const XML: &str = "application/xml";
    let mut names = request.path.splitn(3, '/').skip(1);
    let (bucket, key) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let names = format!("<Bucket>{bucket}</Bucket><Key>{key}</Key>");
    let Some(upload) = request.parameter("uploadId") else {
        let id = service.begin();
        let body = format!(
            "<InitiateMultipartUploadResult>{names}<UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        return small(writer, "200 OK", XML, &body, None);
    };
    let size = service.complete(upload);
    if request.size().is_some_and(|expected| expected != size) {
        return refused(writer, size);
    }
    let body = format!(
        "<CompleteMultipartUploadResult>{names}<Location>http://localhost/</Location>\
         <ETag>\"5B3C1A2E053D763E1B002CC607C5A0FE-2\"</ETag></CompleteMultipartUploadResult>"
    );
    small(writer, "200 OK", XML, &body, Some(service.checksum(size)))
}

/// A client that sends anything but the whole object must not look quick.
fn refused(writer: &mut TcpStream, length: u64) -> std::io::Result<()> {
    let body = format!("<Error><Code>IncompleteBody</Code><Message>{length} bytes arrived</Message></Error>");
    small(writer, "400 Bad Request", "application/xml", &body, None)
}

impl Service {
    fn checksum(&self, length: u64) -> u64 {
        let mut known = self.checksums.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(length).or_insert_with(|| checksum(length))
    }

    fn begin(&self) -> usize {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.push(BTreeMap::new());
        uploads.len() - 1
    }

    fn part(&self, upload: u64, number: u64, length: u64) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let upload = usize::try_from(upload).unwrap_or(usize::MAX);
        if let Some(parts) = uploads.get_mut(upload) {
            parts.insert(number, length);
        }
    }

    /// The size of the object.
    fn complete(&self, upload: u64) -> u64 {
        let uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let upload = usize::try_from(upload).unwrap_or(usize::MAX);
        uploads.get(upload).map_or(0, |parts| parts.values().sum())
    }
}

/// CRC-64/XZ of that many `x`.
fn checksum(length: u64) -> u64 {
    let mut digest = crc64fast::Digest::new();
    let mut left = length;
    while left > 0 {
        let piece = block(left);
        digest.write(piece);
        left -= piece.len() as u64;
    }
    digest.sum64()
}

fn head(status: &str, length: u64, crc: u64, range: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nServer: AliyunOSS\r\nDate: Thu, 01 Jan 2026 08:30:00 GMT\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\
         x-oss-request-id: 5C3D9175B6FC201293AD4A94\r\nETag: \"5B3C1A2E053D763E1B002CC607C5A0FE\"\r\n\
         Last-Modified: Thu, 01 Jan 2026 08:00:00 GMT\r\nx-oss-hash-crc64ecma: {crc}\r\n{range}\
         x-oss-server-time: 2\r\n\r\n"
    )
    .into_bytes()
}

fn small(
    writer: &mut TcpStream,
    status: &str,
    content_type: &str,
    body: &str,
    crc: Option<u64>,
) -> std::io::Result<()> {
    let crc = crc.map_or(String::new(), |crc| format!("x-oss-hash-crc64ecma: {crc}\r\n"));
    let response = format!(
        "HTTP/1.1 {status}\r\nDate: Thu, 01 Jan 2026 08:30:00 GMT\r\nContent-Type: {content_type}\r\n\
         {crc}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    writer.write_all(response.as_bytes())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// From a table-driven implementation in Python.
    #[test]
    fn checksums_are_those_of_other_programs() {
        assert_eq!(checksum(SMALL), 10_431_547_062_287_506_539);
        assert_eq!(checksum(LARGE), 16_248_800_271_597_426_276);
    }
}
