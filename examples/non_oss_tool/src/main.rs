//! OpenAPI calls that have nothing to do with OSS: ECS regions and a RAM policy (RPC), and container clusters (ROA).
//!
//! `cargo run -p non-oss-tool -- --provider ecs-ram-role regions`, or against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p non-oss-tool -- regions`

use std::error::Error;
use std::sync::Arc;

use acs_client::{AcsClient, AcsClientBuilder, Call};
use clap::{Parser, Subcommand, ValueEnum};
use oss_credentials_core::{ChainProvider, CredentialsError, CredentialsProvider, Env as _, ProcessEnv};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_env::{EnvProvider, Family};
use oss_credentials_http::HttpMethod;
use oss_credentials_uri::CredentialsUri;
use serde_json::Value;

/// Calls products of Alibaba Cloud.
#[derive(Parser)]
struct Options {
    /// Where credentials come from
    #[arg(long, value_enum, default_value_t = Source::First)]
    provider: Source,
    /// Region of ECS and of the container clusters
    #[arg(long, default_value = "cn-hangzhou")]
    region: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Lists the regions of ECS
    Regions,
    /// Prints a system policy of RAM
    Policy { name: String },
    /// Lists container clusters
    Clusters,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    /// The first of the others that is configured
    First,
    Env,
    Uri,
    EcsRamRole,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let provider = provider(options.provider)?;
    let client = |product, version| {
        AcsClient::builder(product, version)
            .region(&options.region)
            .credentials_provider(Arc::clone(&provider))
    };
    match options.what {
        What::Regions => {
            let ecs = at(client("ecs", "2014-05-26"), "ALIBABA_CLOUD_ECS_ENDPOINT").build()?;
            let body: Value = ecs.call(&Call::rpc("DescribeRegions")).await?.json()?;
            print_each(&body["Regions"]["Region"], "RegionId");
        }
        What::Policy { name } => {
            // RAM is central: one host for all regions.
            let ram = client("ram", "2015-05-01").endpoint("ram.aliyuncs.com");
            let ram = at(ram, "ALIBABA_CLOUD_RAM_ENDPOINT").build()?;
            let call = Call::rpc("GetPolicy")
                .query("PolicyType", "System")
                .query("PolicyName", name);
            let body: Value = ram.call(&call).await?.json()?;
            println!(
                "{}",
                body["DefaultPolicyVersion"]["PolicyDocument"]
                    .as_str()
                    .unwrap_or_default()
            );
        }
        What::Clusters => {
            let cs = at(client("cs", "2015-12-15"), "ALIBABA_CLOUD_CS_ENDPOINT").build()?;
            let call = Call::roa("DescribeClusters", HttpMethod::Get, "/clusters");
            let body: Value = cs.call(&call).await?.json()?;
            print_each(&body, "cluster_id");
        }
    }
    Ok(())
}

/// The local cloud sets variables with the endpoints of its services.
fn at(client: AcsClientBuilder, variable: &str) -> AcsClientBuilder {
    match ProcessEnv.non_empty(variable) {
        Some(endpoint) => client.endpoint(endpoint),
        None => client,
    }
}

fn print_each(items: &Value, name: &str) {
    for item in items.as_array().into_iter().flatten() {
        println!("{}", item[name].as_str().unwrap_or_default());
    }
}

/// The only function of this tool that names providers.
fn provider(source: Source) -> Result<Arc<dyn CredentialsProvider>, CredentialsError> {
    let env = || EnvProvider::new().families([Family::AlibabaCloud]);
    let uri = || CredentialsUri::from_env(&ProcessEnv)?.build();
    let ecs = || EcsRamRole::from_env(&ProcessEnv)?.build();
    Ok(match source {
        Source::Env => Arc::new(env()),
        Source::Uri => Arc::new(uri()?),
        Source::EcsRamRole => Arc::new(ecs()?),
        // A configured member that fails stops the chain, so that the identity never changes silently.
        Source::First => Arc::new(
            ChainProvider::builder()
                .member("env", Ok(env()))
                .member("uri", uri())
                .member("ecs-ram-role", ecs())
                .build(),
        ),
    })
}
