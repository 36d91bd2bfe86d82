//! The README's example; a test holds the two together.

use std::error::Error;

use oss_client::Client;
use oss_credentials_env::EnvProvider;
use oss_credentials_sts_assume_role::StsAssumeRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET may assume the role; the role may use the bucket.
    let credentials = StsAssumeRole::builder(EnvProvider::new())
        .role_arn("acs:ram::123456789012:role/uploader")
        .region("cn-hangzhou")
        .build()?;
    let client = Client::builder()
        .region("cn-hangzhou")
        .credentials(credentials)
        .build()?;

    client
        .put_object("my-bucket", "hello.txt", "hello")
        .send()
        .await?;
    let object = client.get_object("my-bucket", "hello.txt").send().await?;
    println!("{} bytes", object.bytes().await?.len());
    Ok(())
}
