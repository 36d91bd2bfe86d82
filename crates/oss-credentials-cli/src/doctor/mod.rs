//! `doctor`: shows which credentials are found, and why those that do not work fail.

mod advice;
mod bucket;

use std::process::ExitCode;

use clap::Args;
use oss_credentials::{
    ClockOffset, Credentials, CredentialsError, CredentialsProvider as _, Explanation, MemberReport, Standing,
};
use serde_json::{Value, json};

use crate::chain::{Chain, ChainOptions};
use crate::failure::{Exit, Failure, Outcome};
use crate::guard;
use crate::identity::{self, Answer};
use crate::oss::Place;
use crate::terminal::{self, BAD, GOOD, Page, QUIET, TITLE};

const EXAMPLES: &str = "\
Examples:
  oss-credentials doctor                    the chain as programs see it
  oss-credentials doctor --online           does STS accept the key?
  oss-credentials doctor --bucket reports   may the key list this bucket?
  oss-credentials doctor --all              also what the chain does not reach
  oss-credentials doctor --profile staging  one profile alone
  oss-credentials doctor --json             for programs, see docs/cli.md

Exit codes: 0 usable, 3 not configured, 4 configured and failing, 5 refused by the service, 1 and 2 as for all commands.";

/// Show which credentials are found, where they come from, and why those that do not work fail
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Doctor {
    /// Also check the members that the chain does not reach; may run programs and send requests
    #[arg(long)]
    all: bool,
    /// Also call STS GetCallerIdentity: only a service can detect that a secret is wrong
    #[arg(long)]
    online: bool,
    /// Print one JSON object; docs/cli.md describes its fields
    #[arg(long)]
    json: bool,
    /// Also request one object from a list of this bucket, to check access
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    chain: ChainOptions,
}

/// All findings.
struct Findings {
    explanation: Explanation,
    online: Option<Answer>,
    bucket: Option<bucket::Answer>,
    /// The loop that the program of a profile has found.
    looped: Option<CredentialsError>,
    advice: Vec<String>,
}

impl Doctor {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        let chain = self.chain.chain()?;
        let findings = self.examine(&chain).await?;
        if self.json {
            terminal::print_json(&findings.to_json())?;
        } else {
            findings.page().print()?;
        }
        Ok(findings.exit().map_or(ExitCode::SUCCESS, Exit::code))
    }

    async fn examine(&self, chain: &Chain) -> Result<Findings, Failure> {
        let explanation = if self.all {
            chain.provider.explain_all().await
        } else {
            chain.provider.explain().await
        };
        let online = match self.usable(chain, &explanation).await {
            Some(credentials) => Some(identity::ask(chain, &credentials).await?),
            None => None,
        };
        let bucket = match &self.bucket {
            Some(bucket) if explanation.error().is_none() => {
                Some(bucket::ask(bucket, &self.place, chain).await)
            }
            _ => None,
        };
        let mut findings = Findings {
            looped: guard::found_below().filter(|_| explanation.error().is_some()),
            explanation,
            online,
            bucket,
            advice: Vec::new(),
        };
        findings.advice = advice::advice(&findings, &*chain.env);
        Ok(findings)
    }

    /// The credentials for the online check, if it was requested. They are cached.
    async fn usable(&self, chain: &Chain, explanation: &Explanation) -> Option<Credentials> {
        if !self.online || explanation.error().is_some() {
            return None;
        }
        chain.provider.credentials().await.ok()
    }
}

impl Findings {
    /// Why the chain has no credentials; `None` if it has some.
    fn chain_error(&self) -> Option<&CredentialsError> {
        self.looped.as_ref().or_else(|| self.explanation.error())
    }

    /// The error that advice is about. The chain's own error says more of the chain, which is not advice.
    fn to_repair(&self) -> Option<&CredentialsError> {
        let is_failed = |member: &&MemberReport| member.standing() == Standing::Failed;
        let failed = || self.explanation.members().find(is_failed)?.error();
        match self.explanation.error() {
            Some(error) => self.looped.as_ref().or_else(failed).or(Some(error)),
            None => self.refusal(),
        }
    }

    /// Why STS does not accept them.
    fn refusal(&self) -> Option<&CredentialsError> {
        self.online.as_ref()?.identity.as_ref().err()
    }

    fn exit(&self) -> Option<Exit> {
        let of_bucket = || self.bucket.as_ref().and_then(bucket::Answer::exit);
        let of_chain = self.chain_error().map(Exit::of);
        of_chain
            .or_else(|| self.refusal().map(Exit::of_call))
            .or_else(of_bucket)
    }

    fn page(&self) -> Page {
        let mut page = Page::new();
        self.write_chain(&mut page);
        if let Some(error) = &self.looped {
            page.line("", 0, None);
            page.line(&error.to_string(), 2, Some(("leads back", BAD)));
        }
        if let Some(answer) = &self.online {
            write_online(&mut page, answer);
        }
        if let Some(answer) = &self.bucket {
            answer.write(&mut page);
        }
        if !self.advice.is_empty() {
            page.line("", 0, None);
            page.line(
                "What to do, the most likely first:",
                0,
                Some(("What to do", TITLE)),
            );
            for (number, advice) in (1..).zip(&self.advice) {
                page.line(&format!("  {number}. {advice}"), 5, None);
            }
        }
        page
    }

    /// The report of the library, with the state of each member in color.
    fn write_chain(&self, page: &mut Page) {
        let names = self.explanation.members().map(|member| member.name().len());
        let column = names.max().unwrap_or_default() + 4;
        let mut write = |text: String, style| {
            for (number, line) in text.lines().enumerate() {
                page.line(line, column, (number == 0).then_some(style));
            }
        };
        write(self.explanation.headline(), ("default chain", TITLE));
        for member in self.explanation.members() {
            write(self.explanation.describe(member), mark(member));
        }
    }

    fn to_json(&self) -> Value {
        let explanation = serde_json::from_str(&self.explanation.to_json());
        // The library has just written it.
        let mut report: Value = explanation.unwrap_or_default();
        if let Some(error) = &self.looped {
            report["error"]["kind"] = json!(error.kind());
            report["error"]["text"] = json!(error.to_string());
        }
        report["online"] = self.online.as_ref().map(online_json).unwrap_or_default();
        report["bucket"] = self
            .bucket
            .as_ref()
            .map(bucket::Answer::to_json)
            .unwrap_or_default();
        report["advice"] = json!(self.advice);
        report["exit_code"] = json!(self.exit().map_or(0, Exit::number));
        report
    }
}

fn mark(member: &MemberReport) -> (&'static str, anstyle::Style) {
    let standing = member.standing();
    let style = match standing {
        Standing::InUse | Standing::Available => GOOD,
        Standing::Failed => BAD,
        _ => QUIET,
    };
    (standing.as_str(), style)
}

fn write_online(page: &mut Page, answer: &Answer) {
    page.line("", 0, None);
    match &answer.identity {
        Ok(identity) => {
            let title = format!("STS accepts the key ({})", answer.endpoint);
            page.line(&title, 2, Some(("accepts", GOOD)));
            page.fact("account", identity.account_id());
            page.fact("identity", identity.arn());
            if let Some((role, session)) = identity::role_and_session(identity.arn()) {
                page.fact("role", role);
                page.fact("session", session);
            }
        }
        Err(error @ CredentialsError::Denied(_)) => {
            page.line(
                &format!("STS refused the key: {error}"),
                2,
                Some(("refused", BAD)),
            );
        }
        Err(error) => page.line(
            &format!("STS cannot be reached: {error}"),
            2,
            Some(("cannot be reached", BAD)),
        ),
    }
    if let Some(exchange) = answer.exchange {
        page.fact("clock", &clock(exchange.clock_offset));
        page.fact("latency", &format!("{} ms", exchange.latency.as_millis()));
    }
}

/// How the clock of this machine compares with the service's, which is known to a second.
fn clock(offset: Option<ClockOffset>) -> String {
    match offset.map(|offset| (offset.as_secs(), offset.abs().as_secs())) {
        None => "the response has no usable date".to_owned(),
        Some((_, 0 | 1)) => "right".to_owned(),
        Some((ahead, by)) if ahead > 0 => format!("this machine's is {by} s behind the service's"),
        Some((_, by)) => format!("this machine's is {by} s ahead of the service's"),
    }
}

fn online_json(answer: &Answer) -> Value {
    let error = answer.identity.as_ref().err();
    let detail = error.and_then(CredentialsError::detail);
    json!({
        "endpoint": answer.endpoint,
        "identity": answer.identity.as_ref().ok().map(identity::to_json),
        "latency_ms": answer.exchange.map(|exchange| u64::try_from(exchange.latency.as_millis()).ok()),
        "clock_offset_seconds": answer.exchange.and_then(|exchange| Some(exchange.clock_offset?.as_secs())),
        "error": error.map(|error| json!({
            "kind": error.kind(),
            "text": error.to_string(),
            "http_status": detail.and_then(oss_credentials::ErrorDetail::http_status),
            "code": detail.and_then(oss_credentials::ErrorDetail::code),
            "request_id": detail.and_then(oss_credentials::ErrorDetail::request_id),
        })),
    })
}
