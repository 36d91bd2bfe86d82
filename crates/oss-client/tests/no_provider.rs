//! With `rustls-no-provider` alone and nothing installed, building is an error and no panic.
#![cfg(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "native-tls"))
))]

use oss_client::{Client, Error};
use oss_credentials_core::Credentials;

#[test]
fn a_missing_crypto_provider_is_named() {
    let builder = Client::builder()
        .region("cn-hangzhou")
        .credentials(Credentials::anonymous());
    let error = builder.build().unwrap_err();
    assert!(matches!(error, Error::InvalidConfig(_)));
    assert_eq!(
        error.to_string(),
        "oss-client: no rustls crypto provider is installed; call `CryptoProvider::install_default` when the program \
         starts, or enable the feature `rustls`"
    );
}
