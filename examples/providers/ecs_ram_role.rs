//! The RAM role of the ECS instance that the program runs on.
//!
//! `cargo run -p oss-testkit -- cargo run --example ecs_ram_role`

mod whoami;

use std::error::Error;

use oss_credentials_core::{Env as _, ProcessEnv};
use oss_credentials_ecs_ram_role::EcsRamRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut builder = EcsRamRole::from_env(&ProcessEnv)?;
    // Every instance has the service at the same address; a local cloud has it elsewhere.
    if let Some(endpoint) = ProcessEnv.non_empty("ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT") {
        builder = builder.endpoint(endpoint);
    }
    whoami::show(&builder.build()?).await
}
