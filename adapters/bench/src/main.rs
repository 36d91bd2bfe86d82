//! Sends so many requests through one library, or only signs them, for `adapters/bench/measure` to count the instructions.
//!
//! `adapters-bench serve` is the server. It prints its address, and its instructions do not count.
//! `adapters-bench CONTENDER-WHAT ADDRESS COUNT` is a contender.
//!
//! | contender | is |
//! |---|---|
//! | `opendal-none` | opendal's OSS service without signature |
//! | `opendal-own` | with its own signer: signature version 1, with a constant key |
//! | `opendal-ours` | with `oss-credentials-opendal`: version 4, with a cached key |
//! | `object_store-none`, `object_store-own` | its S3 store without signature, and with its own SigV4 and a constant key |
//! | `object_store-s3`, `object_store-connector`, `object_store-native` | with `oss-credentials-object-store` and a cached key; `connector` is `s3` with its `S3Connector` |
//! | `reqsign-own`, `reqsign-ours` | reqsign's signer with a constant key, and with `oss-credentials-reqsign` |
//! | `aws-own`, `aws-ours` | the provider of credentials that the AWS SDK calls: a constant key, and `oss-credentials-aws` |
//!
//! What: `get` and `put` send an object of 1 KiB; `sign` signs with V4, `sign1` with V1, and `read` reads credentials. All
//! keys have a token of 720 bytes, and all clocks are the system's, since the libraries read no other.

mod providers;
mod stores;

use std::error::Error;
use std::process::ExitCode;

use benches::{server, setting};
use oss_credentials_core::{Clock as _, Credentials, CredentialsProvider, Fetched, RefreshingProvider};
use oss_credentials_core::{SystemClock, source_fn};

/// Whether there is such a contender, or why it failed: then its instructions count for nothing.
pub(crate) type Outcome = Result<bool, Box<dyn Error>>;

pub(crate) const KEY: &str = "path/to/exampleobject.txt";

pub(crate) fn credentials() -> Credentials {
    setting::credentials(SystemClock.now())
}

/// A provider whose cache is warm after the first call.
pub(crate) fn provider() -> impl CredentialsProvider {
    let source = source_fn("bench", || async { Ok(Fetched::new(credentials())) });
    RefreshingProvider::builder(source).build()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if arguments[..] == ["serve"] {
        return server::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    let Some((contender, what, address, count)) = parsed(&arguments) else {
        eprintln!("usage: adapters-bench serve | adapters-bench CONTENDER-WHAT ADDRESS COUNT");
        return ExitCode::FAILURE;
    };
    match run(contender, what, address, count) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("there is no {contender}-{what}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{contender}-{what}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(contender: &str, what: &str, address: &str, count: usize) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match contender.split_once('-') {
            Some(("opendal", how)) => stores::opendal(how, what, address, count).await,
            Some(("object_store", how)) => stores::object_store(how, what, address, count).await,
            Some(("reqsign", how)) => providers::reqsign(how, what, count).await,
            Some(("aws", how)) => providers::aws(how, count).await,
            _ => Ok(false),
        }
    })
}

fn parsed<'a>(arguments: &[&'a str]) -> Option<(&'a str, &'a str, &'a str, usize)> {
    let &[name, address, count] = arguments else {
        return None;
    };
    let (contender, what) = name.rsplit_once('-')?;
    Some((contender, what, address, count.parse().ok()?))
}
