//! `presign`: a URL that works without credentials.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use oss_client::{LimitedBy, OssUrl, PresignedRequest};
use oss_credentials::{Clock as _, CredentialsProvider as _, SystemClock};
use serde_json::{Value, json};

use super::Place;
use crate::chain::ChainOptions;
use crate::duration;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use crate::time::{rfc3339, with_distance};

const EXAMPLES: &str = "\
Examples:
  oss-credentials presign GET oss://reports/2026/june.pdf --expires 15m
  curl -T june.pdf \"$(oss-credentials presign PUT oss://reports/june.pdf)\"

The URL is printed to standard output, and until when it works to standard error. Whoever has it can use it until then. \
With a security token whose expiry is not known, it may end earlier: a URL expires with the token that has signed it.";

/// Print a URL with which anyone can read or store an object
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Presign {
    /// What the URL allows
    #[arg(value_enum, ignore_case = true)]
    method: Method,
    /// The object, as oss://bucket/key
    #[arg(value_name = "URL")]
    object: OssUrl,
    /// How long the URL is valid, at most 7 days; it expires earlier if the credentials do
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration::parse)]
    expires: Duration,
    /// With PUT: the Content-Type that the upload must have; by default it must have none
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Print one JSON object; docs/cli.md describes its fields
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    chain: ChainOptions,
}

/// The methods that a URL may allow.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Method {
    /// Read the object
    #[value(name = "GET")]
    Get,
    /// Store the object
    #[value(name = "PUT")]
    Put,
}

impl Presign {
    pub(crate) fn chain(&self) -> &ChainOptions {
        &self.chain
    }

    pub(crate) async fn run(self) -> Outcome {
        let key = self.key()?;
        let chain = self.chain.chain()?;
        let client = self.place.client("presign", &chain)?;
        // Cached: the URL is signed with the same.
        let credentials = chain.provider.credentials().await?;
        let bucket = self.object.bucket();
        let mut presign = match self.method {
            Method::Get => client.presign_get(bucket, key, self.expires),
            Method::Put => client.presign_put(bucket, key, self.expires),
        };
        if let Some(content_type) = &self.content_type {
            presign = presign.content_type(content_type);
        }
        let presigned = presign.await?;
        // A URL ends with the token that has signed it, even if nobody knows when that is.
        let may_expire_earlier = credentials.security_token().is_some() && credentials.expires_at().is_none();
        if self.json {
            terminal::print_json(&to_json(&presigned, may_expire_earlier))?;
        } else {
            terminal::print(&format!("{}\n", presigned.url()))?;
            terminal::print_note(&note(&presigned, may_expire_earlier));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The key of the object, if the arguments fit together.
    fn key(&self) -> Result<&str, Failure> {
        let Some(key) = self.object.key() else {
            let text = "the URL has no key; write it as oss://bucket/key";
            return Err(Failure::usage("presign", text));
        };
        if self.content_type.is_some() && matches!(self.method, Method::Get) {
            let text = "--content-type is for PUT: a download has no such header; leave it out";
            return Err(Failure::usage("presign", text));
        }
        Ok(key)
    }
}

fn to_json(presigned: &PresignedRequest, may_expire_earlier: bool) -> Value {
    let limited_by = match presigned.limited_by() {
        LimitedBy::Credentials => "credentials",
        LimitedBy::SevenDays => "seven-days",
        _ => "asked",
    };
    json!({
        "url": presigned.url(),
        "method": presigned.method(),
        "valid_until": rfc3339(presigned.valid_until()),
        "limited_by": limited_by,
        "may_expire_earlier": may_expire_earlier,
    })
}

/// Until when the URL works, and why no longer.
fn note(presigned: &PresignedRequest, may_expire_earlier: bool) -> String {
    let until = with_distance(presigned.valid_until(), SystemClock.now());
    if may_expire_earlier {
        return format!(
            "works at most until {until}, and no longer than its security token, whose expiry is not known"
        );
    }
    let reason = match presigned.limited_by() {
        LimitedBy::Credentials => "the credentials expire then",
        LimitedBy::SevenDays => "the service allows no longer",
        _ => "as requested",
    };
    format!("works until {until}: {reason}")
}
