//! The providers whose lives are simulated.

use std::path::Path;
use std::time::Duration;

use oss_credentials_core::{Clock, Credentials, CredentialsSource};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_uri::CredentialsUri;

use crate::service::Service;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A provider, and how long its keys live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    StsHour,
    StsQuarter,
    OidcHalfDay,
    /// Repeats its key until ten minutes before the expiry.
    Metadata,
    UriHour,
    UriMinute,
}

impl Shape {
    pub(crate) const ALL: [Self; 6] = [
        Self::StsHour,
        Self::StsQuarter,
        Self::OidcHalfDay,
        Self::Metadata,
        Self::UriHour,
        Self::UriMinute,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::StsHour => "STS 1 h",
            Self::StsQuarter => "STS 15 min",
            Self::OidcHalfDay => "OIDC 12 h",
            Self::Metadata => "metadata 6 h",
            Self::UriHour => "URI 1 h",
            Self::UriMinute => "URI 1 min",
        }
    }

    /// How long a key is valid when it is issued.
    pub(crate) fn lifetime(self) -> Duration {
        match self {
            Self::StsHour | Self::UriHour => HOUR,
            Self::StsQuarter => 15 * MINUTE,
            Self::OidcHalfDay => 12 * HOUR,
            Self::Metadata => 6 * HOUR,
            Self::UriMinute => MINUTE,
        }
    }

    /// The service repeats a key while it is valid for longer than this.
    pub(crate) fn repeats_above(self) -> Duration {
        match self {
            Self::Metadata => 10 * MINUTE,
            _ => self.lifetime(),
        }
    }

    /// How often a program asks for credentials: often enough for each end of a key to be seen, and seldom enough for
    /// the whole to be quick.
    pub(crate) fn asked_every(self) -> Duration {
        Duration::from_secs(match self {
            Self::UriMinute => 3,
            Self::StsQuarter => 10,
            Self::StsHour | Self::UriHour | Self::Metadata => 15,
            Self::OidcHalfDay => 60,
        })
    }

    pub(crate) fn source(
        self,
        service: &Service,
        clock: impl Clock,
        oidc_token: &Path,
    ) -> Box<dyn CredentialsSource> {
        match self {
            Self::StsHour | Self::StsQuarter => {
                let base = Credentials::builder("LTAIExampleKeyId", "example-secret").build();
                Box::new(
                    StsAssumeRole::builder(base.unwrap())
                        .role_arn("acs:ram::123456789012:role/lives")
                        .role_session_name("lives")
                        .duration(self.lifetime())
                        .http_client(service.clone())
                        .clock(clock)
                        .build_source()
                        .unwrap(),
                )
            }
            Self::OidcHalfDay => Box::new(
                OidcRrsa::builder()
                    .role_arn("acs:ram::123456789012:role/lives")
                    .oidc_provider_arn("acs:ram::123456789012:oidc-provider/lives")
                    .role_session_name("lives")
                    .oidc_token_file(oidc_token)
                    .duration(self.lifetime())
                    .http_client(service.clone())
                    .clock(clock)
                    .build_source()
                    .unwrap(),
            ),
            Self::Metadata => Box::new(
                EcsRamRole::builder()
                    .role_name("lives")
                    .http_client(service.clone())
                    .clock(clock)
                    .build_source()
                    .unwrap(),
            ),
            Self::UriHour | Self::UriMinute => Box::new(
                CredentialsUri::builder()
                    .uri("http://127.0.0.1:6666/credentials")
                    .http_client(service.clone())
                    .clock(clock)
                    .build_source()
                    .unwrap(),
            ),
        }
    }
}
