//! Runs a local cloud: until it is stopped, after printing the variables that point programs at it, or as long as a
//! program given to it runs.

use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use oss_testkit::LocalCloud;

/// STS and OSS on loopback ports, checking signatures like the services do.
///
/// Prints the variables to set and serves until Ctrl-C; with a command, runs that with the variables set, and ends
/// with its exit code.
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
    #[arg(long, conflicts_with = "command")]
    json: bool,
    /// Program to run with the variables set, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

#[expect(clippy::print_stderr, reason = "a program tells why it ends")]
fn main() -> ExitCode {
    serve(Options::parse()).unwrap_or_else(|error| {
        eprintln!("oss-testkit: {error}");
        ExitCode::FAILURE
    })
}

fn serve(options: Options) -> io::Result<ExitCode> {
    let mut builder = LocalCloud::builder()
        .sts_port(options.port_sts)
        .oss_port(options.port_oss)
        .region(options.region)
        .bucket(options.bucket);
    if let (Some(id), Some(secret)) = (options.access_key_id, options.access_key_secret) {
        builder = builder.access_key(id, secret);
    }
    if let Some(seconds) = options.session_seconds {
        builder = builder.session_length(Duration::from_secs(seconds));
    }
    let cloud = builder.start_blocking()?;
    if let Some((program, arguments)) = options.command.split_first() {
        return run(&cloud, program, arguments);
    }
    print(&cloud, options.json)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(tokio::signal::ctrl_c())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs a program that finds this cloud in its variables.
fn run(cloud: &LocalCloud, program: &str, arguments: &[String]) -> io::Result<ExitCode> {
    let status = Command::new(program)
        .args(arguments)
        .envs(cloud.env())
        .status()
        .map_err(|error| io::Error::new(error.kind(), format!("{program} cannot be run: {error}")))?;
    // Ended by a signal it has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
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
