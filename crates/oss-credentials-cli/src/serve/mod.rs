//! `serve`: an agent that shares one refreshing provider with the programs of a machine.
//!
//! `listener` accepts connections and limits them, `share` limits those of each user, `router` chooses the response to
//! a request, `caller` identifies the caller, `credentials` is the provider whose credentials are served, and
//! `document` and `response` write the responses.

mod caller;
mod credentials;
mod document;
mod limit;
mod listener;
mod metadata;
mod response;
mod router;
mod secret;
mod share;
#[cfg(unix)]
mod signals;
mod url_file;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use oss_credentials::CredentialsProvider as _;
use tokio::net::TcpListener;

use crate::TRACING_TARGET;
use crate::chain::ChainOptions;
use crate::export::refuse_terminal;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use credentials::ChainSource;
use listener::Connections;
use router::Router;
use secret::Secret;
use url_file::UrlFile;

const EXAMPLES: &str = "\
Examples:
  oss-credentials serve --url-file \"$XDG_RUNTIME_DIR/agent.url\"
  export ALIBABA_CLOUD_CREDENTIALS_URI=$(cat \"$XDG_RUNTIME_DIR/agent.url\")
  oss-credentials serve --listen 127.0.0.1:7373 --url-file url --keep-url

SIGHUP reads settings and files again, SIGTERM and Ctrl-C end it. docs/cli.md has a systemd unit and a sidecar.";

/// Share credentials with the programs of this machine: one refreshing provider behind a credentials URI
///
/// The URI is on loopback and has a secret in its query; anyone who has the URI gets the credentials. They are
/// refreshed at least 20 minutes before they expire, if their lifetime allows that: the vendor's SDKs fetch again at 15
/// minutes.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// Address on loopback; with port 0 a free port is used
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = parse_address)]
    listen: SocketAddr,
    /// Write the URL to this file, which only its owner can read; by default the URL is printed
    #[arg(long, value_name = "PATH")]
    url_file: Option<PathBuf>,
    /// Reuse the secret in the URL file for the same address, so that programs survive a restart of the agent
    #[arg(long, requires = "url_file")]
    keep_url: bool,
    /// Also serve instance metadata (version 2, with tokens), only for programs of the same user
    #[arg(long)]
    imds: bool,
    /// Print the URL even if standard output is a terminal
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    chain: ChainOptions,
}

/// What an agent is started with.
pub(crate) struct AgentSettings {
    listen: SocketAddr,
    /// The secret of an earlier agent at the same address.
    secret: Option<Secret>,
    imds: bool,
    /// Whether to start without credentials where a service cannot be reached yet.
    is_patient: bool,
}

impl AgentSettings {
    /// On a free port, with a secret of its own.
    pub(crate) fn private() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            secret: None,
            imds: false,
            is_patient: false,
        }
    }
}

/// An agent that listens, and responds while `run` is polled.
pub(crate) struct Agent {
    listener: TcpListener,
    address: SocketAddr,
    router: Arc<Router>,
    connections: Connections,
}

impl Agent {
    /// Listens, and fetches credentials once: an agent that has none to share does not start, unless it is patient.
    pub(crate) async fn start(settings: AgentSettings, chain: &ChainOptions) -> Result<Self, Failure> {
        let failed =
            |error| Failure::other("serve", format!("cannot listen on {}: {error}", settings.listen));
        // Flags that cannot be used have exit codes of their own.
        chain.env()?;
        let provider = credentials::provider(ChainSource::new(chain.clone()));
        match provider.credentials().await {
            Err(error) if settings.is_patient && error.is_retryable() => {
                tracing::warn!(target: TRACING_TARGET, %error, "there are no credentials yet");
            }
            Ok(first) if settings.imds && first.security_token().is_none() => {
                return Err(Failure::other("serve", metadata::NO_TOKEN));
            }
            first => drop(first?),
        }
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let secret = match settings.secret {
            Some(secret) => secret,
            None => Secret::random()?,
        };
        Ok(Self {
            listener,
            address,
            router: Arc::new(Router::new(provider, secret, address, settings.imds)),
            connections: Connections::default(),
        })
    }

    /// The credentials URI, which is a secret.
    pub(crate) fn url(&self) -> String {
        self.router.url()
    }

    /// Responds to requests until this is dropped.
    pub(crate) async fn run(&self) {
        self.connections.accept(&self.listener, &self.router).await;
    }
}

/// Reads an address with its port.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| match text.parse::<IpAddr>() {
        Ok(ip) => format!("a port is missing; write {}", SocketAddr::from((ip, 7373))),
        Err(_) => "write an IP address and a port, such as 127.0.0.1:7373".to_owned(),
    })
}

impl Serve {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        let settings = self.settings()?;
        #[cfg(unix)]
        let mut signals = signals::Signals::listen()
            .map_err(|error| Failure::other("serve", format!("cannot listen for signals: {error}")))?;
        // The first fetch may take long; a signal that ends the agent does not wait for it.
        #[cfg(unix)]
        let agent = tokio::select! {
            agent = Agent::start(settings, &self.chain) => agent?,
            () = signals.end() => return Ok(ExitCode::SUCCESS),
        };
        #[cfg(not(unix))]
        let agent = Agent::start(settings, &self.chain).await?;
        match &self.url_file {
            Some(path) => UrlFile::new(path).write(&agent.url())?,
            None => terminal::print(&format!("{}\n", agent.url()))?,
        }
        tracing::info!(target: TRACING_TARGET, address = %agent.address, imds = self.imds, "listening");
        #[cfg(unix)]
        tokio::select! {
            () = agent.run() => {}
            () = obey(&agent, &mut signals) => {}
        }
        #[cfg(not(unix))]
        tokio::select! {
            () = agent.run() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        self.end(agent).await
    }

    fn settings(&self) -> Result<AgentSettings, Failure> {
        if !self.listen.ip().is_loopback() {
            let text = format!(
                "{} is not on loopback: anyone who reaches the address could request credentials; listen on 127.0.0.1",
                self.listen
            );
            return Err(Failure::usage("serve", text));
        }
        if self.imds && !caller::ARE_KNOWN {
            let text = "--imds needs Linux: this system does not show which user makes a connection";
            return Err(Failure::usage("serve", text));
        }
        let secret = match &self.url_file {
            None => {
                refuse_terminal("serve", self.show)?;
                None
            }
            Some(path) if self.keep_url => UrlFile::new(path).secret(self.listen)?,
            Some(_) => None,
        };
        Ok(AgentSettings {
            listen: self.listen,
            secret,
            imds: self.imds,
            is_patient: true,
        })
    }

    /// Completes requests in progress, and removes the URL file, unless the next agent is to use the same URL.
    async fn end(&self, agent: Agent) -> Outcome {
        tracing::info!(target: TRACING_TARGET, "ending");
        let url = agent.url();
        let Agent {
            listener,
            connections,
            ..
        } = agent;
        drop(listener);
        connections.finish().await;
        if let Some(path) = self.url_file.as_ref().filter(|_| !self.keep_url) {
            UrlFile::new(path).remove(&url);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Follows signals until one ends the agent. A reload keeps neither callers nor the next signal waiting.
#[cfg(unix)]
async fn obey(agent: &Agent, signals: &mut signals::Signals) {
    let mut wish = signals.next().await;
    while wish == signals::Wish::Reload {
        wish = tokio::select! {
            () = reload(agent) => signals.next().await,
            wish = signals.next() => wish,
        };
    }
}

/// Reads settings and files again. Credentials that are valid stay in use if that fails.
#[cfg(unix)]
async fn reload(agent: &Agent) {
    let provider = agent.router.provider();
    provider.source().forget_member();
    match provider.refresh_now().await {
        Ok(_) => tracing::info!(target: TRACING_TARGET, "reloaded"),
        Err(error) => tracing::warn!(target: TRACING_TARGET, %error, "not reloaded"),
    }
}
