//! Large bodies, and services that stop in the middle. Time is a manual clock's.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "what is sent has to run beside what the test does"
)]

#[path = "../common/mod.rs"]
mod common;
mod downloads;
mod lengths;
mod uploads;

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use common::{Keys, builder};
use futures_util::stream;
use oss_client::{Client, Error};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::HttpErrorKind;

const MIB: u64 = 1024 * 1024;

fn manual(endpoint: &str, clock: &ManualClock) -> Client {
    builder(endpoint, Keys::new(1))
        .clock(clock.clone())
        .sleep(clock.clone())
        .build()
        .unwrap()
}

fn kind(error: &Error) -> HttpErrorKind {
    match error {
        Error::Transport(error) => error.kind(),
        other => panic!("{other}"),
    }
}

fn read_exactly(stream: &mut TcpStream, mut bytes: u64) {
    let mut buffer = vec![0; 64 * 1024];
    while bytes > 0 {
        let wanted = buffer.len().min(usize::try_from(bytes).unwrap());
        let read = stream.read(&mut buffer[..wanted]).unwrap();
        assert!(read > 0, "the upload ended early");
        bytes -= u64::try_from(read).unwrap();
    }
}

/// Pieces of zeros that tell how many bytes were taken.
fn counted(
    total: u64,
) -> (
    impl futures_util::Stream<Item = Result<Bytes, io::Error>> + Send,
    Arc<AtomicU64>,
) {
    static PIECE: [u8; 65_536] = [0; 65_536];
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let pieces = (0..total / 65_536).map(move |_| {
        counter.fetch_add(65_536, Ordering::SeqCst);
        Ok(Bytes::from_static(&PIECE))
    });
    (stream::iter(pieces), taken)
}

/// Lets everything else run until this holds.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}
