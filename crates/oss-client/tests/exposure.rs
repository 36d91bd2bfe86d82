//! Plain http to another machine is warned of, once per client.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Server, builder, ok};
use oss_credentials_core::test_util::logged;
use oss_credentials_core::{Credentials, CredentialsProvider};

/// How many warnings three requests to this endpoint bring.
fn warnings(endpoint: &str, keys: impl CredentialsProvider, server: &Server) -> usize {
    let client = builder(endpoint, keys).proxy(server.endpoint()).build().unwrap();
    let log = logged(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for _ in 0..3 {
            runtime
                .block_on(client.head_object("examplebucket", "k").send())
                .unwrap();
        }
    });
    log.matches("the endpoint is plain http").count()
}

#[test]
fn credentials_over_plain_http_to_another_machine_are_warned_of_once() {
    let server = Server::start((0..9).map(|_| ok()));
    assert_eq!(warnings("http://oss.example", Keys::new(1), &server), 1);
    assert_eq!(
        warnings("http://oss.example", Credentials::anonymous(), &server),
        0
    );
    assert_eq!(warnings("http://127.0.0.1:1", Keys::new(1), &server), 0);
}
