//! Runs a local cloud: until it is stopped, after printing the variables that point programs at it, or as long as a
//! program given to it runs.

mod command;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use oss_credentials_core::{Sleep as _, TokioSleep};
use oss_testkit::{LocalCloud, MetadataMode};

use command::{Signals, execute};

/// STS, OSS, KMS, instance metadata, a credentials URI and logins on loopback ports, checking signatures and tokens
/// like the services do.
///
/// Prints the variables to set and serves until Ctrl-C; with a command, runs that with the variables set, passes on
/// the signals that ask it to end, and ends with its exit code, or 128 and the number of the signal that ended it.
///
/// The ports are on loopback, where other local users can reach them.
#[derive(Parser)]
#[command(name = "oss-testkit", version)]
struct Options {
    /// Port of STS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_sts: u16,
    /// Port of OSS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_oss: u16,
    /// Port of ECS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_ecs: u16,
    /// Port of the instance metadata on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_metadata: u16,
    /// Port of the credentials URI on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_uri: u16,
    /// Port of the shared gateway of KMS on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_kms: u16,
    /// Port of the gateway of a KMS instance on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_kms_instance: u16,
    /// Port of `CloudSSO` on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_cloud_sso: u16,
    /// Port of the OAuth service on 127.0.0.1; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port_oauth: u16,
    /// Open a control port on 127.0.0.1, to rotate secrets by HTTP; 0 is a free one
    #[arg(long)]
    port_control: Option<u16>,
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
    /// Refuse request bodies of more bytes than this; 1 GiB otherwise
    #[arg(long)]
    body_limit: Option<usize>,
    /// Rotate the RAM secret of KMS after this many seconds, again and again
    #[arg(long)]
    rotation_seconds: Option<u64>,
    /// Let the program ask for instance metadata. Otherwise `ALIBABA_CLOUD_ECS_METADATA_DISABLED` is set, since the
    /// vendor's SDKs ask the real metadata service of the machine. Every other metadata option implies it
    #[arg(long)]
    metadata: bool,
    /// How the instance metadata treats requests with and without a token
    #[arg(long, value_enum, default_value_t = Mode::Normal)]
    metadata_mode: Mode,
    /// Role attached to the instance; may be repeated. The first role otherwise
    #[arg(long = "metadata-role", conflicts_with = "no_metadata_role")]
    metadata_roles: Vec<String>,
    /// Attach no role to the instance
    #[arg(long)]
    no_metadata_role: bool,
    /// User and password that the credentials URI asks for, as `user:password`
    #[arg(long, value_parser = user_and_password)]
    uri_user: Option<(String, String)>,
    /// Token that has to stand in the path of the credentials URI
    #[arg(long)]
    uri_token: Option<String>,
    /// Life of the OIDC token in the file, which is renewed in time; 0 is one that has expired
    #[arg(long, default_value_t = 3600)]
    oidc_token_seconds: u64,
    /// Print the variables as one JSON object instead of export lines
    #[arg(long, conflicts_with = "command")]
    json: bool,
    /// Program to run with the variables set, and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

impl Options {
    fn asks_for_metadata(&self) -> bool {
        self.metadata
            || self.port_metadata != 0
            || !matches!(self.metadata_mode, Mode::Normal)
            || !self.metadata_roles.is_empty()
            || self.no_metadata_role
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Tokens are handed out, but not needed
    Normal,
    /// Without a token every request is refused
    Hardened,
    /// There are no tokens
    V1Only,
    /// The answer to the request for a token gets lost
    HopLimit,
}

impl From<Mode> for MetadataMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Normal => Self::Normal,
            Mode::Hardened => Self::Hardened,
            Mode::V1Only => Self::V1Only,
            Mode::HopLimit => Self::HopLimit,
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program tells why it ends")]
fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.and_then(|runtime| runtime.block_on(run(options)));
    ended.unwrap_or_else(|error| {
        eprintln!("oss-testkit: {error}");
        ExitCode::FAILURE
    })
}

async fn run(mut options: Options) -> io::Result<ExitCode> {
    // Before there is a file to be removed at the end.
    let signals = Signals::listen()?;
    let json = options.json;
    let command = std::mem::take(&mut options.command);
    let metadata = options.asks_for_metadata();
    let token_lifetime = Duration::from_secs(options.oidc_token_seconds);
    let cloud = start(options)?;
    // Deleted at the end. The client key is in every copy of this program, and no secret.
    let folder = tempfile::Builder::new().prefix("oss-testkit-").tempdir()?;
    cloud.write_client_key(folder.path())?;
    let token = OidcTokenFile {
        cloud: &cloud,
        path: cloud.write_profiles(folder.path())?.oidc_token(),
        lifetime: token_lifetime,
    };
    token.write()?;
    let mut variables = cloud.env();
    variables.push(("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", cloud.oidc_provider_arn()));
    variables.push(("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.path.display().to_string()));
    if !metadata {
        variables.push(("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true".to_owned()));
    }
    if !command.is_empty() {
        return tokio::select! {
            ended = execute(&command, variables, signals) => ended,
            failed = token.renew() => failed.map(|()| ExitCode::FAILURE),
        };
    }
    print(variables, json)?;
    tokio::select! {
        ended = signals.stopped() => ended.map(|()| ExitCode::SUCCESS),
        failed = token.renew() => failed.map(|()| ExitCode::FAILURE),
    }
}

fn start(options: Options) -> io::Result<LocalCloud> {
    let mut builder = LocalCloud::builder()
        .sts_port(options.port_sts)
        .oss_port(options.port_oss)
        .ecs_port(options.port_ecs)
        .metadata_port(options.port_metadata)
        .credentials_uri_port(options.port_uri)
        .metadata_mode(options.metadata_mode.into())
        .kms_port(options.port_kms)
        .kms_instance_port(options.port_kms_instance)
        .cloud_sso_port(options.port_cloud_sso)
        .oauth_port(options.port_oauth)
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
    if let Some(bytes) = options.body_limit {
        builder = builder.body_limit(bytes);
    }
    if options.no_metadata_role || !options.metadata_roles.is_empty() {
        builder = builder.metadata_roles(options.metadata_roles);
    }
    if let Some((user, password)) = options.uri_user {
        builder = builder.credentials_uri_user(user, password);
    }
    if let Some(token) = options.uri_token {
        builder = builder.credentials_uri_token(token);
    }
    if let Some(seconds) = options.rotation_seconds {
        builder = builder.rotation_interval(Duration::from_secs(seconds));
    }
    if let Some(port) = options.port_control {
        builder = builder.control_port(port);
    }
    builder.start_blocking()
}

fn user_and_password(text: &str) -> Result<(String, String), &'static str> {
    let (user, password) = text.split_once(':').ok_or("it has no colon")?;
    Ok((user.to_owned(), password.to_owned()))
}

/// A file with an OIDC token.
struct OidcTokenFile<'a> {
    cloud: &'a LocalCloud,
    path: PathBuf,
    lifetime: Duration,
}

impl OidcTokenFile<'_> {
    fn write(&self) -> io::Result<()> {
        self.cloud.write_oidc_token_lasting(&self.path, self.lifetime)
    }

    /// Writes another token whenever four fifths of a token's life are over, as the kubelet does.
    async fn renew(&self) -> io::Result<()> {
        if self.lifetime.is_zero() {
            std::future::pending::<()>().await;
        }
        loop {
            TokioSleep.sleep(self.lifetime / 5 * 4).await;
            self.write()?;
        }
    }
}

fn print(variables: Vec<(&'static str, String)>, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let object: serde_json::Map<String, serde_json::Value> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        writeln!(out, "{}", serde_json::Value::Object(object))?;
    } else {
        for (name, value) in variables {
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
