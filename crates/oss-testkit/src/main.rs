//! Runs a local cloud until it is stopped, after printing the variables that point programs at it.

use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use oss_testkit::LocalCloud;

/// STS, OSS and KMS on loopback ports, checking signatures like the services do.
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
    /// Port of the shared gateway of KMS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_kms: u16,
    /// Port of the gateway of a KMS instance on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_kms_instance: u16,
    /// Open a control port on 127.0.0.1, to rotate secrets by HTTP; 0 is a free one
    #[arg(long)]
    port_control: Option<u16>,
    /// Region that V4 signatures must name
    #[arg(long, default_value = "cn-hangzhou")]
    region: String,
    /// Name of the bucket
    #[arg(long, default_value = "example-bucket")]
    bucket: String,
    /// Fixed `AccessKey` id; a new one is made up otherwise
    #[arg(long, requires = "access_key_secret")]
    access_key_id: Option<String>,
    /// Fixed `AccessKey` secret
    #[arg(long, requires = "access_key_id")]
    access_key_secret: Option<String>,
    /// End all sessions after this many seconds, to see credentials being refreshed
    #[arg(long)]
    session_seconds: Option<u64>,
    /// Rotate the RAM secret of KMS after this many seconds, again and again
    #[arg(long)]
    rotation_seconds: Option<u64>,
    /// Print the variables as one JSON object instead of export lines
    #[arg(long)]
    json: bool,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let mut builder = LocalCloud::builder()
        .sts_port(options.port_sts)
        .oss_port(options.port_oss)
        .kms_port(options.port_kms)
        .kms_instance_port(options.port_kms_instance)
        .region(options.region)
        .bucket(options.bucket);
    if let (Some(id), Some(secret)) = (options.access_key_id, options.access_key_secret) {
        builder = builder.access_key(id, secret);
    }
    if let Some(seconds) = options.session_seconds {
        builder = builder.session_length(Duration::from_secs(seconds));
    }
    if let Some(seconds) = options.rotation_seconds {
        builder = builder.rotation_interval(Duration::from_secs(seconds));
    }
    if let Some(port) = options.port_control {
        builder = builder.control_port(port);
    }
    let cloud = builder.start_blocking()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Before the first file is written, so that none is left behind.
    let stopped = {
        let _in_runtime = runtime.enter();
        stopped()?
    };
    // Deleted at the end. The client key is in every copy of this program, and no secret.
    let dir = tempfile::Builder::new().prefix("oss-testkit-").tempdir()?;
    cloud.write_client_key(dir.path())?;
    print(&cloud, options.json)?;
    runtime.block_on(stopped)
}

/// Ends with Ctrl-C, or when the system asks to stop. Both are caught from the call on.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as where signals have to be registered")]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
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
