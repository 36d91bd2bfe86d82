//! The access key pair that KMS rotates, fetched with a client key.
//!
//! `cargo run -p oss-testkit -- cargo run --example kms_client_key`

mod whoami;

use std::error::Error;

use oss_credentials_core::ProcessEnv;
use oss_credentials_kms_client_key::KmsClientKey;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // credentials_type, client_key_private_key_path, client_key_password_from_file_path, cache_client_region_id and
    // secret_names
    whoami::show(&KmsClientKey::from_env(&ProcessEnv)?.build()?).await
}
