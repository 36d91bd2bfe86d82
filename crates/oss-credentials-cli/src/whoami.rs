//! `whoami`: the identity in use.

use std::process::ExitCode;

use clap::Args;
use oss_credentials::{Clock as _, Credentials, CredentialsProvider as _, MaskedId, SystemClock};
use serde_json::{Value, json};

use crate::chain::ChainOptions;
use crate::failure::{Failure, Outcome};
use crate::identity;
use crate::terminal::{self, Page};
use crate::time::{rfc3339, with_distance};

const EXAMPLES: &str = "\
Examples:
  oss-credentials whoami
  oss-credentials whoami --profile staging
  oss-credentials whoami --json | jq -r .arn";

/// Show the account and identity of the credentials in use, as STS GetCallerIdentity reports them; no permission is needed
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Whoami {
    /// Print one JSON object, whose fields docs/cli.md describes
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    chain: ChainOptions,
}

impl Whoami {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        let chain = self.chain.chain()?;
        let credentials = chain.provider.credentials().await?;
        let answer = identity::ask(&chain, &credentials).await?;
        let identity = answer.identity.map_err(Failure::Call)?;
        if self.json {
            let mut report = identity::to_json(&identity);
            describe(&mut report, &credentials, chain.provider.answered());
            terminal::print_json(&report)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut page = Page::new();
        page.fact("account", identity.account_id());
        page.fact("identity", identity.arn());
        page.fact("key", &MaskedId(credentials.access_key_id()).to_string());
        page.fact("source", &source(&credentials, chain.provider.answered()));
        page.fact("expires", &expiry(&credentials));
        page.print()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Adds what is known of the credentials themselves.
fn describe(report: &mut Value, credentials: &Credentials, member: Option<&str>) {
    report["access_key_id"] = json!(MaskedId(credentials.access_key_id()).to_string());
    report["member"] = json!(member);
    report["source"] = json!(credentials.source());
    report["expires_at"] = json!(credentials.expires_at().and_then(rfc3339));
}

/// The member of the chain, and the source behind it where that has another name.
fn source(credentials: &Credentials, member: Option<&str>) -> String {
    match member {
        Some(member) if member != credentials.source() => format!("{member}, {}", credentials.source()),
        _ => credentials.source().to_owned(),
    }
}

/// When the credentials expire, as far as that is known.
fn expiry(credentials: &Credentials) -> String {
    match credentials.expires_at() {
        Some(at) => with_distance(at, SystemClock.now()),
        None if credentials.security_token().is_some() => {
            "unknown: the source of the token does not state it".to_owned()
        }
        None => "never".to_owned(),
    }
}
