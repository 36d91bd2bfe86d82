//! Sends messages with the RAM role of its ECS instance, through an SDK that knows nothing about instances.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- --metadata -- cargo run -p pick-one-provider`

use std::error::Error;

use oss_credentials_core::ProcessEnv;
use oss_credentials_ecs_ram_role::EcsRamRole;
use pick_one_provider::QueueClient;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let role = EcsRamRole::from_env(&ProcessEnv)?.build()?;
    let queue = QueueClient::new(role.clone());

    // A thousand messages at once, before there are any credentials, cause one fetch.
    let messages: Vec<_> = (0..1000)
        .map(|number| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.sign(format!("message {number}")).await })
        })
        .collect();
    let mut signed = 0;
    for message in messages {
        signed += usize::from(!message.await??.headers.is_empty());
    }
    let status = role.status();
    println!(
        "{signed} messages signed; the instance was asked {} time(s)",
        status.fetches()
    );
    Ok(())
}
