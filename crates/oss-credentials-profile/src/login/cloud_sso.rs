//! Credentials for a CloudSSO login of the CLI.
//!
//! Vendor document: *Use Alibaba Cloud CLI to access CloudSSO*; the exchange is observed from the vendor's
//! clients.

use std::fmt;
use std::sync::Arc;

use oss_credentials_core::{BoxFuture, Clock, CredentialsError, CredentialsSource, Fetched};
use oss_credentials_http::{Endpoint, HttpClient};
use serde::Serialize;
use zeroize::Zeroizing;

use super::exchange::Exchange;
use super::fields::read_fields;
use super::wire;
use crate::plan::{CloudSso, Mode};
use crate::section::Place;
use crate::{NAME, TRACING_TARGET, events};

const SERVICE: &str = "CloudSSO";

/// Fetches credentials from CloudSSO. The login cannot be renewed; the CLI makes a new one.
pub(crate) struct CloudSsoSource {
    place: Place,
    url: String,
    settings: CloudSso,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted<'a> {
    account_id: &'a str,
    access_configuration_id: &'a str,
}

impl CloudSsoSource {
    pub(crate) fn new(
        place: Place,
        settings: &CloudSso,
        allow_http: bool,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CredentialsError> {
        let endpoint = Endpoint::parse(&settings.sign_in_url).map_err(|error| {
            let what = format!("has a cloud_sso_sign_in_url that {}", error.problem());
            place.invalid(what, "correct it")
        })?;
        if !endpoint.is_protected() {
            if !allow_http {
                return Err(place.invalid(
                    "has a cloud_sso_sign_in_url that is plain http, which shows the login to the network",
                    "use https://, or allow_http(true) for a network you trust",
                ));
            }
            tracing::warn!(
                name: events::PLAIN_HTTP, target: TRACING_TARGET, provider = NAME, profile = place.name,
                host = endpoint.host(), event = events::PLAIN_HTTP,
                "the cloud_sso_sign_in_url is plain http: anyone on the network path can read login and credentials"
            );
        }
        Ok(Self {
            place,
            // Only scheme, host and port count; one of the vendor's clients drops the port.
            url: format!("{}/cloud-credentials", endpoint.origin()),
            settings: settings.clone(),
            http,
            clock,
        })
    }

    /// The token that the CLI's login left.
    fn access_token(&self) -> Result<Zeroizing<String>, CredentialsError> {
        let (token, ends) = read_fields(&self.place, &Mode::CloudSso(self.settings.clone()), |section| {
            let ends = section.instant("cloud_sso_access_token_expire")?;
            Ok((section.secret("access_token")?, ends))
        })?;
        match token {
            Some(token) if ends.is_none_or(|ends| ends > self.clock.now()) => Ok(token),
            token => {
                let what = if token.is_some() {
                    "has expired"
                } else {
                    "was never made, or is signed out"
                };
                let what = format!("the CloudSSO login of the {} {what}", self.place.subject());
                let detail = self.place.detail(what).hint(self.hint());
                Err(CredentialsError::expired(detail))
            }
        }
    }

    fn hint(&self) -> String {
        format!(
            "log in with `aliyun configure --mode CloudSSO --profile {:?}`",
            self.place.name
        )
    }

    async fn ask(&self) -> Result<Fetched, CredentialsError> {
        let token = self.access_token()?;
        let hint = self.hint();
        let exchange = Exchange {
            service: SERVICE,
            url: &self.url,
            http: &*self.http,
            clock: &self.clock,
            secrets: vec![&token],
            hint: &hint,
        };
        let wanted = Wanted {
            account_id: &self.settings.account_id,
            access_configuration_id: &self.settings.access_config,
        };
        // Texts become JSON without fail.
        let body = serde_json::to_vec(&wanted).unwrap_or_default();
        let bearer = Zeroizing::new(["Bearer ", &token].concat());
        let request = exchange
            .request()
            .with_header("content-type", "application/json")
            .with_header("authorization", bearer.as_str())
            .with_body(body);
        let answer = exchange.send(request).await?;
        let session = wire::parse_cloud_credential(answer.response.body())
            .map_err(|fault| exchange.fault(&answer, &fault))?;
        exchange.credentials(&answer, session)
    }
}

impl CredentialsSource for CloudSsoSource {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(self.ask())
    }
}

impl fmt::Debug for CloudSsoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudSsoSource")
            .field("place", &self.place)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
