//! The example of docs/acs-client.md; a test holds the two together.

use std::error::Error;
use std::sync::Arc;

use acs_client::{AcsClient, AcsError, Call, Paging};
use oss_credentials::{CredentialsProvider, DefaultProvider};
use serde_json::Value;

async fn print_regions(ecs: &AcsClient) -> Result<(), AcsError> {
    let body: Value = ecs.call(&Call::rpc("DescribeRegions")).await?.json()?;
    for region in body["Regions"]["Region"].as_array().into_iter().flatten() {
        println!("{}", region["RegionId"]);
    }
    Ok(())
}

async fn count_users(ram: &AcsClient) -> Result<usize, AcsError> {
    let mut pages = ram.pages(Call::rpc("ListUsers"), Paging::token("Marker"));
    let mut users = 0;
    while let Some(page) = pages.next().await {
        let page: Value = page?.json()?;
        users += page["Users"]["User"].as_array().map_or(0, Vec::len);
    }
    Ok(users)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider: Arc<dyn CredentialsProvider> = Arc::new(DefaultProvider::builder().build()?);
    let ecs = AcsClient::builder("ecs", "2014-05-26")
        .region("cn-hangzhou")
        .credentials_provider(Arc::clone(&provider))
        .build()?;
    print_regions(&ecs).await?;

    // RAM is central: one host for all regions.
    let ram = AcsClient::builder("ram", "2015-05-01")
        .endpoint("ram.aliyuncs.com")
        .credentials_provider(provider)
        .build()?;
    println!("{} users", count_users(&ram).await?);
    Ok(())
}
