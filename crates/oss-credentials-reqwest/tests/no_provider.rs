//! Feature `rustls-no-provider`: the program installs the crypto provider. Alone in its process, since a
//! provider is installed for good.
#![cfg(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "native-tls"))
))]

use oss_credentials_http::{HttpClient, HttpErrorKind, HttpRequest, test_util::HttpConformance};
use oss_credentials_reqwest::ReqwestClient;
use tokio_rustls::rustls::crypto::aws_lc_rs;

#[test]
fn a_missing_provider_is_an_error_until_one_is_installed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = ReqwestClient::new();
    let error = runtime
        .block_on(client.send(HttpRequest::get("https://127.0.0.1:9/")))
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert_eq!(
        error.to_string(),
        "the request could not be made: no rustls crypto provider is installed; call \
         `CryptoProvider::install_default` when the program starts, or enable the feature `rustls` instead of \
         `rustls-no-provider`"
    );

    aws_lc_rs::default_provider().install_default().unwrap();
    let error = runtime
        .block_on(client.send(HttpRequest::get("https://127.0.0.1:9/")))
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect, "{error}");
    let _ = HttpConformance::new(move || client.clone())
        .block_on(move |future| runtime.block_on(future))
        .run_all();
}
