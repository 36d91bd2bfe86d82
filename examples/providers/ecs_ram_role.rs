//! The RAM role of the ECS instance that the program runs on.
//!
//! `cargo run -p oss-testkit -- --metadata -- cargo run --example ecs_ram_role`

mod whoami;

use std::error::Error;

use oss_credentials_core::ProcessEnv;
use oss_credentials_ecs_ram_role::EcsRamRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = EcsRamRole::from_env(&ProcessEnv)?.build()?;
    whoami::show(&provider).await
}
