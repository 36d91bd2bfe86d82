//! What depends on a TLS feature.

#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub(crate) use on::{AVAILABLE, Config, config, is_verified_by, trusting_only, with};

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
pub(crate) use off::{AVAILABLE, Config, config, is_verified_by, trusting_only, with};

pub(crate) const MISSING: &str =
    "https needs the feature `rustls` or `native-tls` of oss-credentials-ureq; enable one of them";

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod on {
    use oss_credentials_http::{HttpError, HttpErrorKind};
    use ureq::Agent;
    use ureq::config::ConfigBuilder;
    use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsConfigBuilder, parse_pem};
    use ureq::typestate::AgentScope;

    use crate::error;

    pub(crate) const AVAILABLE: bool = true;

    pub(crate) type Config = TlsConfig;

    /// Trusts the system's certificates.
    pub(crate) fn config() -> Config {
        provider(TlsConfig::builder())
            .root_certs(RootCerts::PlatformVerifier)
            .build()
    }

    pub(crate) fn trusting_only(pem: &[u8]) -> Result<Config, HttpError> {
        let items = parse_pem(pem).collect::<Result<Vec<_>, _>>();
        let items = items.map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let certificates: Vec<_> = items
            .into_iter()
            .filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(error::request(
                "the text given to `trust_only_pem` contains no certificate; give it one in PEM form",
            ));
        }
        let builder = provider(TlsConfig::builder());
        Ok(builder.root_certs(RootCerts::from(certificates)).build())
    }

    pub(crate) fn is_verified_by(agent: &Agent) -> bool {
        !agent.config().tls_config().disable_verification()
    }

    pub(crate) fn with(config: ConfigBuilder<AgentScope>, tls: Config) -> ConfigBuilder<AgentScope> {
        config.tls_config(tls)
    }

    #[cfg(feature = "rustls")]
    fn provider(builder: TlsConfigBuilder) -> TlsConfigBuilder {
        let crypto = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        builder
            .provider(ureq::tls::TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(crypto)
    }

    #[cfg(not(feature = "rustls"))]
    fn provider(builder: TlsConfigBuilder) -> TlsConfigBuilder {
        builder.provider(ureq::tls::TlsProvider::NativeTls)
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
mod off {
    use oss_credentials_http::HttpError;
    use ureq::Agent;
    use ureq::config::ConfigBuilder;
    use ureq::typestate::AgentScope;

    use crate::error;

    pub(crate) const AVAILABLE: bool = false;

    /// There is nothing to set without TLS.
    pub(crate) struct Config;

    pub(crate) fn config() -> Config {
        Config
    }

    pub(crate) fn trusting_only(_: &[u8]) -> Result<Config, HttpError> {
        Err(error::request(super::MISSING))
    }

    /// ureq shows its TLS settings only where its TLS features are known to be enabled.
    pub(crate) fn is_verified_by(_: &Agent) -> bool {
        true
    }

    pub(crate) fn with(config: ConfigBuilder<AgentScope>, Config: Config) -> ConfigBuilder<AgentScope> {
        config
    }
}
