//! The two gateways of KMS: their requests and responses.

#[cfg(feature = "instance-gateway")]
pub mod instance;
#[cfg(feature = "instance-gateway")]
pub(crate) mod protobuf;
mod shared;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use acs_sign::{SignError, Signed, rpc};
use oss_credentials_core::body::BodyDefect;
use oss_credentials_http::{Endpoint, HttpClient, HttpRequest, HttpResponse};

use crate::client_key::ClientKey;
use crate::client_key::source::KeySource;
use crate::exchange::wire::{self, Secret, ServiceError};

pub(crate) const USER_AGENT: &str = concat!("oss-credentials-kms-client-key/", env!("CARGO_PKG_VERSION"));
const API_NAME: &str = "GetSecretValue";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gateway {
    Shared,
    #[cfg(feature = "instance-gateway")]
    Instance,
}

/// One place to fetch the secret from.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) region_id: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) gateway: Gateway,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) key: Arc<KeySource>,
}

/// A request, with what proves who sent it.
pub(crate) struct Prepared {
    pub(crate) request: HttpRequest,
    pub(crate) proof: Proof,
}

/// What signing added to a request. Texts for messages are made of it only where there is an error.
pub(crate) enum Proof {
    /// Parameters of the query, for the shared gateway.
    Query(Signed),
    /// The signature in a header, for an instance.
    #[cfg(feature = "instance-gateway")]
    Header(String),
}

impl Proof {
    /// The signature in Base64. It is in no message.
    pub(crate) fn signature(&self) -> &str {
        match self {
            Self::Query(signed) => {
                let signature = signed.query().iter().find(|added| added.name() == rpc::SIGNATURE);
                signature.map_or("", |added| added.value())
            }
            #[cfg(feature = "instance-gateway")]
            Self::Header(signature) => signature,
        }
    }
}

impl Target {
    /// Makes a request with its own nonce, time and region.
    pub(crate) fn prepare(
        &self,
        key: &ClientKey,
        secret_name: &str,
        time: SystemTime,
        timeouts: (Duration, Duration),
    ) -> Result<Prepared, SignError> {
        let mut prepared = match self.gateway {
            Gateway::Shared => shared::prepare(self, key, secret_name, time)?,
            #[cfg(feature = "instance-gateway")]
            Gateway::Instance => instance::prepare(self, key, secret_name, time)?,
        };
        let (connect, whole) = timeouts;
        prepared.request = prepared
            .request
            .with_header("user-agent", USER_AGENT)
            .with_header("accept-encoding", "identity")
            .with_connect_timeout(connect)
            .with_timeout(whole);
        Ok(prepared)
    }

    /// The string to sign, which the shared gateway repeats when it does not agree; empty for an instance, which repeats
    /// nothing.
    pub(crate) fn signed_text(&self, secret_name: &str, proof: &Proof) -> String {
        match proof {
            Proof::Query(signed) => shared::string_to_sign(self, secret_name, signed),
            #[cfg(feature = "instance-gateway")]
            Proof::Header(_) => String::new(),
        }
    }

    pub(crate) fn parse(&self, response: &HttpResponse) -> Result<Secret, BodyDefect> {
        match self.gateway {
            Gateway::Shared => wire::parse(response.body()),
            #[cfg(feature = "instance-gateway")]
            Gateway::Instance => protobuf::decode_secret(response.body()),
        }
    }

    /// Returns `None` if the response is not the service's: it is from a proxy, or from the other gateway.
    pub(crate) fn parse_error(&self, response: &HttpResponse) -> Option<ServiceError> {
        match self.gateway {
            Gateway::Shared => wire::parse_error(response.body()),
            #[cfg(feature = "instance-gateway")]
            Gateway::Instance => {
                protobuf::decode_error(response.body()).or_else(|| wire::parse_error(response.body()))
            }
        }
    }

    /// Where requests go, for messages.
    pub(crate) fn place(&self) -> String {
        format!("POST {}", self.endpoint.origin())
    }

    /// The code of the shared gateway that means the same, where the instance's differs.
    pub(crate) fn meaning<'a>(&self, error: &'a ServiceError) -> &'a str {
        match self.gateway {
            Gateway::Shared => &error.code,
            #[cfg(feature = "instance-gateway")]
            Gateway::Instance => instance::meaning(error),
        }
    }
}
