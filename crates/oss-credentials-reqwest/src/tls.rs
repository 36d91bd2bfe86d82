//! What depends on a TLS feature.

#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
pub(crate) use on::{AVAILABLE, Trusted, strict};

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
pub(crate) use off::{AVAILABLE, Trusted, strict};

pub(crate) const MISSING: &str = "https needs the feature `rustls`, `rustls-no-provider` or `native-tls` of \
    oss-credentials-reqwest; enable `rustls`, also in the provider's crate";

pub(crate) const NO_CERTIFICATES: &str = "no CA certificates were found on this system; install the package \
    `ca-certificates`, or set SSL_CERT_FILE to a file with certificates in PEM form";

/// Which certificates are trusted.
#[derive(Clone, Copy)]
pub(crate) enum Certificates<'a> {
    Systems,
    Only(&'a Trusted),
    /// None, so that none are read.
    None,
}

#[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
mod on {
    use oss_credentials_http::{HttpError, HttpErrorKind};
    use reqwest::{Certificate, ClientBuilder};

    use super::Certificates;
    use crate::error;

    pub(crate) const AVAILABLE: bool = true;

    /// The only certificates that are trusted.
    pub(crate) struct Trusted(Vec<Certificate>);

    impl Trusted {
        pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, HttpError> {
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|error| HttpError::new(HttpErrorKind::Request, error.without_url()))?;
            if certificates.is_empty() {
                return Err(error::request(
                    "the text given to `trust_only_pem` contains no certificate; give it one in PEM form",
                ));
            }
            Ok(Self(certificates))
        }
    }

    pub(crate) fn strict(builder: ClientBuilder, certificates: Certificates<'_>) -> ClientBuilder {
        let builder = builder
            .tls_danger_accept_invalid_certs(false)
            .tls_danger_accept_invalid_hostnames(false);
        match certificates {
            Certificates::Systems => builder,
            Certificates::Only(Trusted(certificates)) => builder.tls_certs_only(certificates.iter().cloned()),
            Certificates::None => builder.tls_certs_only([]),
        }
    }
}

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
mod off {
    use oss_credentials_http::HttpError;
    use reqwest::ClientBuilder;

    use super::Certificates;
    use crate::error;

    pub(crate) const AVAILABLE: bool = false;

    /// Cannot be made: there is nothing to trust without TLS.
    pub(crate) enum Trusted {}

    impl Trusted {
        pub(crate) fn from_pem(_: &[u8]) -> Result<Self, HttpError> {
            Err(error::request(super::MISSING))
        }
    }

    pub(crate) fn strict(builder: ClientBuilder, certificates: Certificates<'_>) -> ClientBuilder {
        match certificates {
            Certificates::Only(trusted) => match *trusted {},
            Certificates::Systems | Certificates::None => builder,
        }
    }
}

/// With `rustls-no-provider` alone reqwest panics if the program has installed none.
#[cfg(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "native-tls"))
))]
pub(crate) fn check_provider() -> Result<(), oss_credentials_http::HttpError> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    Err(crate::error::request(
        "no rustls crypto provider is installed; call `CryptoProvider::install_default` when the program \
         starts, or enable the feature `rustls` instead of `rustls-no-provider`",
    ))
}

#[cfg(not(all(
    feature = "rustls-no-provider",
    not(any(feature = "rustls", feature = "native-tls"))
)))]
#[expect(clippy::unnecessary_wraps, reason = "its twin under another feature can fail")]
pub(crate) fn check_provider() -> Result<(), oss_credentials_http::HttpError> {
    Ok(())
}
