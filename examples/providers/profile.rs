//! A profile of the aliyun CLI or the SDKs, of any kind: the named one, otherwise the current one.
//!
//! `cargo run -p oss-testkit -- cargo run --example profile -- ChainableRamRoleArn`

mod whoami;

use std::error::Error;

use oss_credentials_core::ProcessEnv;
use oss_credentials_profile::ProfileProvider;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The files in the home directory, or those that variables name. `oss-testkit` sets them to its own files.
    let mut builder = ProfileProvider::from_env(&ProcessEnv)?;
    if let Some(name) = std::env::args().nth(1) {
        builder = builder.profile(name);
    }
    whoami::show(&builder.build()?).await
}
