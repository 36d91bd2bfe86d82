//! What depends on a TLS feature.

use crate::error::InvalidInput;

const AVAILABLE: bool = cfg!(any(
    feature = "rustls",
    feature = "rustls-no-provider",
    feature = "native-tls"
));

/// Checks whether reqwest supports what the endpoint requires.
pub(crate) fn check(https: bool) -> Result<(), InvalidInput> {
    if https && !AVAILABLE {
        return Err(InvalidInput::new(
            "the endpoint is https, and no TLS feature is enabled",
            "enable the feature `rustls`, `rustls-no-provider` or `native-tls` of oss-client",
        ));
    }
    check_provider()
}

/// With `rustls-no-provider` alone reqwest panics if the program has installed none.
#[cfg(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "native-tls"))
))]
fn check_provider() -> Result<(), InvalidInput> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    Err(InvalidInput::new(
        "no rustls crypto provider is installed",
        "call `CryptoProvider::install_default` when the program starts, or enable the feature `rustls`",
    ))
}

#[cfg(not(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "native-tls"))
)))]
#[expect(clippy::unnecessary_wraps, reason = "its twin under another feature can fail")]
fn check_provider() -> Result<(), InvalidInput> {
    Ok(())
}

/// Disables the verification of certificates if that was requested, and reads the system's certificates only if they
/// are needed.
#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
pub(crate) fn verification(
    builder: reqwest::ClientBuilder,
    accept_any_certificate: bool,
    with_certificates: bool,
) -> reqwest::ClientBuilder {
    if accept_any_certificate {
        builder.tls_danger_accept_invalid_certs(true)
    } else if with_certificates {
        builder
    } else {
        builder.tls_certs_only([])
    }
}

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
pub(crate) fn verification(builder: reqwest::ClientBuilder, _: bool, _: bool) -> reqwest::ClientBuilder {
    builder
}
