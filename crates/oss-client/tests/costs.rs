//! What a request allocates beyond its signature.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::Write as _;

use common::{builder, raw_server, read_head, response};
use oss_client::{Client, Operation};
use oss_credentials_core::Credentials;
use oss_credentials_static::StaticProvider;
use reqwest::Method;

/// Requests of which the cheapest counts: the others may meet a buffer that has to grow.
const ROUNDS: usize = 20;

/// A server that keeps its connection, and answers each request alike.
fn endpoint() -> String {
    let head = response(200, &[("x-oss-request-id", "5C3D9175B6FC201293AD4A94")], "");
    let head = String::from_utf8(head)
        .unwrap()
        .replace("Connection: close\r\n", "");
    let address = raw_server(move |_, mut stream| {
        let _ = stream.set_nodelay(true);
        while stream.write_all(head.as_bytes()).is_ok() && read_head(&mut stream).is_some() {}
    });
    format!("http://{address}")
}

fn client(endpoint: &str, token_length: usize) -> Client {
    // No part of it may look like the request ID, which is compared more closely then.
    let keys = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002FakeTempSecr")
        .security_token("T".repeat(token_length))
        .build()
        .unwrap();
    builder(endpoint, StaticProvider::from_credentials(keys))
        .build()
        .unwrap()
}

fn operation() -> Operation {
    Operation::new("PutObject", Method::PUT)
        .bucket("bkt")
        .key("k")
        .body("text")
}

/// Bytes that the cheapest of the rounds allocates on this thread, which is all that is not the server's.
fn least(mut round: impl FnMut()) -> u64 {
    (0..ROUNDS)
        .map(|_| allocation_counter::measure(&mut round).bytes_total)
        .min()
        .unwrap()
}

/// What a request takes that the client sends; and one that it signs, sent by bare reqwest.
fn taken(token_length: usize) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let whole = client(&endpoint(), token_length);
    let whole = least(|| {
        let response = runtime.block_on(whole.send(operation())).unwrap();
        assert_eq!(response.request_id(), Some("5C3D9175B6FC201293AD4A94"));
        runtime.block_on(response.bytes()).unwrap();
    });
    let signer = client(&endpoint(), token_length);
    let bare = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent_bare = least(|| {
        let request = runtime.block_on(signer.sign(operation())).unwrap();
        let response = runtime.block_on(bare.execute(request)).unwrap();
        runtime.block_on(response.bytes()).unwrap();
    });
    (whole, sent_bare)
}

/// Checking the request ID of a successful response once hashed each piece of the token: 320,000 instructions.
#[test]
fn nothing_but_signing_and_sending_depends_on_the_length_of_the_token() {
    let ((short, short_signed), (long, long_signed)) = (taken(720), taken(7200));
    let grown = i128::from(long) - i128::from(short);
    let signed = i128::from(long_signed) - i128::from(short_signed);
    assert!(
        grown <= signed + 1024,
        "{grown} bytes more, and {signed} of them for signing and sending"
    );
}
