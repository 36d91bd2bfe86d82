//! The README's example; a test holds the two together.

use std::error::Error;

use oss_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let credentials = oss_credentials::default_provider()?;
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
