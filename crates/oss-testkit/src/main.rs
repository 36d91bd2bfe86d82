//! Runs a local cloud until it is stopped, after printing the variables that point programs at it.

use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use oss_testkit::LocalCloud;

/// STS and OSS on loopback ports, checking signatures like the services do.
///
/// Prints the variables to set and serves until Ctrl-C.
#[derive(Parser)]
#[command(name = "oss-testkit", version)]
struct Options {
    /// Port of STS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_sts: u16,
    /// Port of OSS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_oss: u16,
    /// Region that V4 signatures must name
    #[arg(long, default_value = "cn-hangzhou")]
    region: String,
    /// Name of the bucket
    #[arg(long, default_value = "example-bucket")]
    bucket: String,
    /// Name of a further bucket that keeps only lengths and checksums and gives back zero bytes
    #[arg(long)]
    sink_bucket: Option<String>,
    /// Fixed `AccessKey` id; a new one is made up otherwise
    #[arg(long, requires = "access_key_secret")]
    access_key_id: Option<String>,
    /// Fixed `AccessKey` secret
    #[arg(long, requires = "access_key_id")]
    access_key_secret: Option<String>,
    /// End all sessions after this many seconds, to see credentials being refreshed
    #[arg(long)]
    session_seconds: Option<u64>,
    /// Print the variables as one JSON object instead of export lines
    #[arg(long)]
    json: bool,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let mut builder = LocalCloud::builder()
        .sts_port(options.port_sts)
        .oss_port(options.port_oss)
        .region(options.region)
        .bucket(options.bucket);
    if let (Some(id), Some(secret)) = (options.access_key_id, options.access_key_secret) {
        builder = builder.access_key(id, secret);
    }
    if let Some(name) = options.sink_bucket {
        builder = builder.sink_bucket(name);
    }
    if let Some(seconds) = options.session_seconds {
        builder = builder.session_length(Duration::from_secs(seconds));
    }
    let cloud = builder.start_blocking()?;
    print(&cloud, options.json)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(tokio::signal::ctrl_c())
}

fn print(cloud: &LocalCloud, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let object: serde_json::Map<String, serde_json::Value> = cloud
            .env()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        writeln!(out, "{}", serde_json::Value::Object(object))?;
    } else {
        for (name, value) in cloud.env() {
            writeln!(out, "export {name}={}", quoted(&value))?;
        }
    }
    // A reader that waits for the line gets it now.
    out.flush()
}

/// A value as a shell reads it back.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}
