//! Requests to OSS: enough to check that credentials work.

mod ls;
mod presign;

use clap::Args;
use oss_client::{Client, ENV_OSS_ENDPOINT, ENV_OSS_REGION, region_from_env};
use oss_credentials::Env as _;

use crate::chain::Chain;
use crate::failure::Failure;
pub(crate) use ls::Ls;
pub(crate) use presign::Presign;

/// Where the bucket is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Where the bucket is")]
pub(crate) struct Place {
    /// Region of the bucket, such as cn-hangzhou [OSS_REGION]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Host of OSS, if it is not the region's [OSS_ENDPOINT]
    #[arg(long, value_name = "HOST")]
    endpoint: Option<String>,
}

impl Place {
    /// The region of the flag, otherwise the one that `Client::from_env` finds with these variables.
    pub(crate) fn region(&self, chain: &Chain) -> Result<Option<String>, oss_client::Error> {
        match &self.region {
            Some(region) => Ok(Some(region.clone())),
            None => region_from_env(&*chain.env),
        }
    }

    /// Where to set another region. The variable takes precedence over a region in a profile.
    pub(crate) fn region_setting(&self) -> &'static str {
        match self.region {
            Some(_) => "--region",
            None => ENV_OSS_REGION,
        }
    }

    pub(crate) fn client(&self, command: &'static str, chain: &Chain) -> Result<Client, Failure> {
        let Some(region) = self.region(chain)? else {
            let text = "the region of the bucket is not known; pass --region, set OSS_REGION, or choose a region with \
                        `aliyun configure`";
            return Err(Failure::usage(command, text));
        };
        Ok(self.client_of(region, chain)?)
    }

    /// A client for this region, whatever is set.
    pub(crate) fn client_of(&self, region: String, chain: &Chain) -> Result<Client, oss_client::Error> {
        let mut builder = Client::builder()
            .region(region)
            .credentials(chain.provider.clone());
        if let Some((endpoint, _)) = self.endpoint(chain) {
            builder = builder.endpoint(endpoint);
        }
        builder.build()
    }

    /// The endpoint that is set, and where.
    pub(crate) fn endpoint(&self, chain: &Chain) -> Option<(String, &'static str)> {
        let by_flag = self.endpoint.clone().map(|endpoint| (endpoint, "--endpoint"));
        let by_variable = || Some((chain.env.non_empty(ENV_OSS_ENDPOINT)?, ENV_OSS_ENDPOINT));
        by_flag.or_else(by_variable)
    }
}
