//! Lists the objects of a bucket, with nothing but the name of the bucket in code: credentials come from the default
//! chain, and the region from `OSS_REGION` or the profile of the aliyun CLI.
//!
//! `cargo run --example from_env -- BUCKET`. Without an account, in a local cloud:
//! `cargo run -p oss-testkit -- cargo run --example from_env -- example-bucket`.

use std::error::Error;

use oss_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bucket = std::env::args().nth(1).ok_or("usage: from_env BUCKET")?;
    let client = Client::from_env()?;
    let mut objects = client.list_objects_v2(bucket).objects();
    let mut count = 0;
    while let Some(object) = objects.try_next().await? {
        println!("{:>12}  {}", object.size, object.key);
        count += 1;
    }
    println!("{count} objects");
    Ok(())
}
