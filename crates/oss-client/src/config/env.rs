//! Variables that configure a client.

/// The variable that names the region of the buckets, such as `cn-hangzhou`. Read with the feature `default-chain`
/// where `ClientBuilder::env` or `Client::from_env` is called.
pub const ENV_OSS_REGION: &str = "OSS_REGION";
/// The variable that says where OSS is, as [`ClientBuilder::endpoint`](crate::ClientBuilder::endpoint) takes it. Read
/// like [`ENV_OSS_REGION`].
pub const ENV_OSS_ENDPOINT: &str = "OSS_ENDPOINT";
