//! Plain http to another machine is warned of, once per client.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Keys, Server, builder, ok};
use oss_client::{Client, Method};
use oss_credentials_core::test_util::logged;
use oss_credentials_core::{Credentials, CredentialsProvider};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// How many warnings three requests to this endpoint bring.
fn warnings(endpoint: &str, keys: impl CredentialsProvider, server: &Server) -> usize {
    let client = builder(endpoint, keys).proxy(server.endpoint()).build().unwrap();
    let log = logged(|| {
        let runtime = runtime();
        for _ in 0..3 {
            runtime
                .block_on(client.head_object("examplebucket", "k").send())
                .unwrap();
        }
    });
    log.matches("the endpoint is plain http").count()
}

/// Somebody else sends what is signed here, to the same place.
#[test]
fn what_is_signed_for_plain_http_to_another_machine_is_warned_of_once() {
    const HOUR: Duration = Duration::from_secs(3600);
    type Work = fn(&Client, &Runtime);
    let ways: &[Work] = &[
        |client, runtime| {
            let operation = client.get_object("examplebucket", "k").into_operation();
            runtime.block_on(client.sign(operation)).unwrap();
        },
        |client, runtime| {
            let url = client.object_url("examplebucket", "k").unwrap();
            let mut request = reqwest::Request::new(Method::GET, url.parse().unwrap());
            let signed = client.sign_reqwest(&mut request, Some("examplebucket"), Some("k"));
            runtime.block_on(signed).unwrap();
        },
        |client, runtime| {
            let url = client.presign_get("examplebucket", "k", HOUR);
            runtime.block_on(url.into_future()).unwrap();
        },
        #[cfg(feature = "post-policy")]
        |client, runtime| {
            let policy = oss_client::PostPolicy::new("examplebucket");
            let form = client.presign_post(policy, HOUR);
            runtime.block_on(form.into_future()).unwrap();
        },
    ];
    let runtime = runtime();
    let warnings = |endpoint: &str, ways: &[Work]| {
        let client = builder(endpoint, Keys::new(1)).build().unwrap();
        let log = logged(|| ways.iter().for_each(|way| way(&client, &runtime)));
        log.matches("the endpoint is plain http").count()
    };
    for way in ways {
        assert_eq!(warnings("http://oss.example", &[*way, *way]), 1);
    }
    assert_eq!(warnings("http://oss.example", ways), 1);
    assert_eq!(warnings("http://127.0.0.1:1", ways), 0);
    assert_eq!(warnings("https://oss.example", ways), 0);
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
