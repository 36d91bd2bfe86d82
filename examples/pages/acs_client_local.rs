//! The program of docs/acs-client.md that needs no account; a test holds the two together.

use std::error::Error;
use std::time::Duration;

use acs_client::{AcsClient, AcsError, Call, Caller};
use oss_testkit::LocalCloud;
use serde_json::Value;

/// A clone of the client and a call that owns its texts can move into a task.
async fn regions(ecs: &AcsClient, language: String) -> Result<Value, Box<dyn Error>> {
    let ecs = ecs.clone();
    let call: Call<'static> = Call::rpc("DescribeRegions").query("AcceptLanguage", language);
    let task = tokio::spawn(async move { ecs.call(&call).await });
    Ok(task.await??.json()?)
}

/// The client has no provider: each call names its caller.
async fn identity(sts: &AcsClient, caller: Caller<'_>) -> Result<Value, AcsError> {
    let call = Call::rpc("GetCallerIdentity");
    sts.call_as(caller, &call).await?.json()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let cloud = LocalCloud::start().await?;
    let ecs = AcsClient::builder("ecs", "2014-05-26")
        .endpoint(cloud.ecs_endpoint())
        .credentials_provider(cloud.access_key())
        .build()?;
    let body = regions(&ecs, "en-US".to_owned()).await?;
    for region in body["Regions"]["Region"].as_array().into_iter().flatten() {
        println!("{} is {}", region["RegionId"], region["LocalName"]);
    }

    let sts = AcsClient::builder("sts", "2015-04-01")
        .endpoint(cloud.sts_endpoint())
        .build()?;
    let session = cloud.issue(Duration::from_secs(900))?;
    for key in [cloud.access_key(), session] {
        let caller = Caller::Credentials(&key);
        println!("{}", identity(&sts, caller).await?["Arn"]);
    }
    Ok(())
}
