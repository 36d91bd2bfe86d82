//! `ls`: what is in a bucket, to see whether it can be reached.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use oss_client::{ObjectsPage, OssUrl};
use serde_json::{Value, json};

use super::Place;
use crate::chain::ChainOptions;
use crate::failure::Outcome;
use crate::terminal;
use crate::time::rfc3339;

const EXAMPLES: &str = "\
Examples:
  oss-credentials ls oss://reports
  oss-credentials ls oss://reports/2026/ --limit 10 --json

This is enough to check access; for work with objects there is ossutil.";

/// List a bucket's objects and folders, to check access
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Ls {
    /// The bucket, optionally with a prefix of keys
    #[arg(value_name = "URL")]
    prefix: OssUrl,
    /// Maximum number of lines, 1 to 1000
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Print one JSON object; docs/cli.md describes its fields
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    chain: ChainOptions,
}

impl Ls {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        let chain = self.chain.chain()?;
        let client = self.place.client("ls", &chain)?;
        let request = client
            .list_objects_v2(self.prefix.bucket())
            .prefix(self.prefix.key().unwrap_or_default());
        let page = request.delimiter("/").max_keys(self.limit).send().await?;
        if self.json {
            terminal::print_json(&to_json(&page))?;
            return Ok(ExitCode::SUCCESS);
        }
        terminal::print(&lines(&page))?;
        if page.is_truncated {
            // An empty page need not be the last one.
            terminal::print_note("there are more; raise --limit, or name a longer prefix");
        } else if page.common_prefixes.is_empty() && page.objects.is_empty() {
            terminal::print_note("no objects");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn to_json(page: &ObjectsPage) -> Value {
    let objects = page.objects.iter().map(|object| {
        json!({
            "key": object.key,
            "size": object.size,
            "last_modified": object.last_modified.and_then(rfc3339),
        })
    });
    json!({
        "prefixes": page.common_prefixes,
        "objects": objects.collect::<Vec<_>>(),
        "is_truncated": page.is_truncated,
    })
}

/// A line for each folder and object.
fn lines(page: &ObjectsPage) -> String {
    let mut lines = String::new();
    // Keys come from anybody. Writing to a String cannot fail.
    for prefix in &page.common_prefixes {
        let _ = writeln!(lines, "{:>12}  {:20}  {}", "-", "", terminal::safe(prefix));
    }
    for object in &page.objects {
        let modified = object.last_modified.and_then(rfc3339).unwrap_or_default();
        let key = terminal::safe(&object.key);
        let _ = writeln!(lines, "{:>12}  {modified:20}  {key}", object.size);
    }
    lines
}
