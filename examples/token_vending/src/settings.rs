//! Settings of the service, and the CORS rule that its page needs.

use std::error::Error;

use http::Method;
use oss_client::{Client, Operation};
use oss_credentials_env::EnvProvider;

/// Where the bucket is, and where the service listens.
pub struct Settings {
    pub region: String,
    pub bucket: String,
    /// Endpoint without the bucket; none is the region's public one.
    pub endpoint: Option<String>,
    pub port: u16,
    pub allow_this_origin: bool,
}

impl Settings {
    /// Reads variables and arguments: `--port <number>`, 0 for a free one, and `--allow-this-origin`.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let mut settings = Self {
            region: variable("OSS_REGION")?,
            bucket: variable("OSS_BUCKET")?,
            endpoint: std::env::var("OSS_ENDPOINT").ok(),
            port: 8080,
            allow_this_origin: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--port" => settings.port = arguments.next().ok_or("--port needs a number")?.parse()?,
                "--allow-this-origin" => settings.allow_this_origin = true,
                other => return Err(format!("{other} is not an option of this program").into()),
            }
        }
        Ok(settings)
    }

    /// The URL below which browsers find the objects. An endpoint that is set is that of a local cloud, whose URLs have the
    /// bucket in the path.
    pub fn bucket_url(&self) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{}", self.bucket),
            None => format!("https://{}.oss-{}.aliyuncs.com", self.bucket, self.region),
        }
    }

    /// A client with these keys.
    pub fn client(
        &self,
        credentials: impl oss_credentials_core::CredentialsProvider,
    ) -> Result<Client, oss_client::Error> {
        let mut builder = Client::builder().region(&self.region).credentials(credentials);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        builder.build()
    }
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

/// Lets pages of this origin send uploads to the bucket. Operators set such a rule once, in the console or with ossutil; it
/// replaces the rules of the bucket, so this is for the local cloud.
pub async fn allow_origin(settings: &Settings, origin: &str) -> Result<(), Box<dyn Error>> {
    let rule = format!(
        "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
         <AllowedMethod>POST</AllowedMethod><AllowedMethod>GET</AllowedMethod>\
         <AllowedHeader>content-type</AllowedHeader><AllowedHeader>x-oss-forbid-overwrite</AllowedHeader>\
         <MaxAgeSeconds>600</MaxAgeSeconds></CORSRule></CORSConfiguration>"
    );
    let operation = Operation::new("PutBucketCors", Method::PUT)
        .bucket(&settings.bucket)
        .query("cors", "")
        .header("content-type", "application/xml")
        .body(rule);
    settings.client(EnvProvider::new())?.send(operation).await?;
    Ok(())
}
