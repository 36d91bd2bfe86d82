//! Lists the regions that ECS has: `DescribeRegions`, an OpenAPI call that has nothing to do with OSS.
//!
//! `cargo run -p non-oss-tool -- --provider ecs-ram-role`, or against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p non-oss-tool`

use std::error::Error;
use std::sync::Arc;

use acs_sign::{ApiRequest, acs3};
use clap::{Parser, ValueEnum};
use oss_credentials_core::{
    ChainProvider, Clock as _, CredentialsError, CredentialsProvider, Env as _, ProcessEnv, SystemClock,
    nonce,
};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_env::{EnvProvider, Family};
use oss_credentials_http::{Endpoint, HttpClient, HttpRequest};
use oss_credentials_reqwest::ReqwestClient;
use oss_credentials_uri::CredentialsUri;
use serde_json::Value;

/// Lists the regions of ECS.
#[derive(Parser)]
struct Options {
    /// Where credentials come from
    #[arg(long, value_enum, default_value_t = Source::First)]
    provider: Source,
    /// Host of ECS; `http://` is for loopback only
    #[arg(long, default_value_t = endpoint_or("https://ecs.aliyuncs.com"))]
    endpoint: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    /// The first of the others that is set up
    First,
    Env,
    Uri,
    EcsRamRole,
}

fn endpoint_or(default: &str) -> String {
    ProcessEnv
        .non_empty("ALIBABA_CLOUD_ECS_ENDPOINT")
        .unwrap_or(default.to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let credentials = provider(options.provider)?;
    let http = ReqwestClient::new();
    for region in describe_regions(&http, &Endpoint::parse(&options.endpoint)?, &*credentials).await? {
        println!("{region}");
    }
    Ok(())
}

/// This tool names no provider below this function.
fn provider(source: Source) -> Result<Arc<dyn CredentialsProvider>, CredentialsError> {
    let env = || EnvProvider::new().families([Family::AlibabaCloud]);
    let uri = || CredentialsUri::from_env(&ProcessEnv)?.build();
    let ecs = || EcsRamRole::from_env(&ProcessEnv)?.build();
    Ok(match source {
        Source::Env => Arc::new(env()),
        Source::Uri => Arc::new(uri()?),
        Source::EcsRamRole => Arc::new(ecs()?),
        // One that is set up and fails stops the chain: it must not end up as somebody else.
        Source::First => Arc::new(
            ChainProvider::builder()
                .member("env", Ok(env()))
                .member("uri", uri())
                .member("ecs-ram-role", ecs())
                .build(),
        ),
    })
}

/// Signed with ACS3-HMAC-SHA256, and sent through whatever HTTP client there is.
async fn describe_regions(
    http: &dyn HttpClient,
    endpoint: &Endpoint,
    credentials: &dyn CredentialsProvider,
) -> Result<Vec<String>, Box<dyn Error>> {
    let credentials = credentials.credentials().await?;
    let query = [("AcceptLanguage", "en-US")];
    let host = endpoint.authority();
    let request = ApiRequest::new("POST", &host, "DescribeRegions", "2014-05-26").query(&query);
    let signed = acs3::sign(&request, &credentials, SystemClock.now(), &nonce())?;

    let url = format!("{}/?{}", endpoint.origin(), acs_sign::encode_pairs(query));
    let mut message = HttpRequest::post(url).with_header("accept", "application/json");
    for header in signed.headers() {
        message = message.with_header(header.name(), header.value());
    }
    let answer = http.send(message).await?;
    let body: Value = serde_json::from_slice(answer.body())?;
    if !answer.is_success() {
        return Err(format!(
            "ECS refused: {} {}, RequestId {}",
            body["Code"], body["Message"], body["RequestId"]
        )
        .into());
    }
    let regions = body["Regions"]["Region"].as_array().into_iter().flatten();
    let name = |region: &Value| region["RegionId"].as_str().map(str::to_owned);
    Ok(regions.filter_map(name).collect())
}
