//! Variables that configure a client.

#[cfg(feature = "default-chain")]
use oss_credentials::{Env, profile::ProfileProvider};

#[cfg(feature = "default-chain")]
use crate::error::Error;

/// The variable that names the region of the buckets, such as `cn-hangzhou`. Read with the feature `default-chain`
/// where `ClientBuilder::env` or `Client::from_env` is called.
pub const ENV_OSS_REGION: &str = "OSS_REGION";
/// The variable with the endpoint, in any form that [`ClientBuilder::endpoint`](crate::ClientBuilder::endpoint)
/// accepts. Read like [`ENV_OSS_REGION`].
pub const ENV_OSS_ENDPOINT: &str = "OSS_ENDPOINT";

/// Returns the region that [`ClientBuilder::env`](crate::ClientBuilder::env) uses: [`ENV_OSS_REGION`], otherwise
/// `region_id` of the profile in the CLI's `config.json` that the default chain would use. `None` if neither names one.
/// The file is read only if the variable is not set. (A client that signs with V1 for an endpoint needs no region, and
/// reads neither.)
///
/// # Errors
///
/// [`Error::Credentials`] if the CLI's file is needed and cannot be read.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::test_util::FakeEnv;
///
/// let env = FakeEnv::from([("OSS_REGION", "cn-hangzhou")]);
/// assert_eq!(oss_client::region_from_env(&env)?.as_deref(), Some("cn-hangzhou"));
/// # Ok::<(), oss_client::Error>(())
/// ```
#[cfg(feature = "default-chain")]
#[cfg_attr(docsrs, doc(cfg(feature = "default-chain")))]
pub fn region_from_env(env: &dyn Env) -> Result<Option<String>, Error> {
    if let Some(region) = env.non_empty(ENV_OSS_REGION) {
        return Ok(Some(region));
    }
    ProfileProvider::builder()
        .env(env)
        .region()
        .map_err(Error::Credentials)
}
