//! One client that transfers one thing: a process of its own, so that CPU time and memory are those of this client.
//!
//! `transfers serve` is the server. `transfers CONTENDER TASK ADDRESS BYTES [FILE]` is a contender, and prints the most
//! memory that it had, in KiB. `benches/transfers` starts both, and compares.
//!
//! | contender | is |
//! |---|---|
//! | `bare` | reqwest without signature |
//! | `ours` | `oss-client` with a cached token of 720 bytes |
//! | `plain` | the same without comparing CRCs |
//! | `ossify`, `opendal` | the crates of these names |
//!
//! A client that fails ends its process by a panic: then there is nothing to measure, and `benches/transfers` stops.
//!
//! | task | is |
//! |---|---|
//! | `upload-file`, `download-file` | a file, by what the client has for files |
//! | `download-parts` | the same in three ranges at once |
//! | `put`, `get` | a stream in one request |
//! | `upload` | a stream whose length is not announced |
//! | `put-small`, `get-small` | as many objects of 1 KiB, 16 at once |

mod bare;
mod opendal_client;
mod ossify_client;
mod ours;
mod pieces;

use std::path::PathBuf;
use std::process::ExitCode;

use benches::server::{self, SMALL};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

/// What is transferred, and where to.
pub(crate) struct Job {
    pub(crate) task: String,
    /// Of the server.
    pub(crate) address: String,
    /// Bytes, or the number of small objects.
    pub(crate) size: u64,
    pub(crate) file: PathBuf,
}

/// Of small objects.
const IN_FLIGHT: usize = 16;
/// The vendor's default.
pub(crate) const PART: usize = 6 * 1024 * 1024;
/// The vendor's default.
pub(crate) const PARALLEL: usize = 3;

impl Job {
    /// The key of the large object, which states its size.
    pub(crate) fn key(&self) -> String {
        format!("transfers/{}.bin", self.size)
    }

    pub(crate) fn url(&self, key: &str) -> String {
        format!("http://{}/{}/{key}", self.address, benches::setting::BUCKET)
    }
}

/// Makes a call for each of the small objects, some at once.
pub(crate) async fn for_each_small<F: Future<Output = ()>>(job: &Job, call: impl Fn(String) -> F) {
    let calls = (0..job.size).map(|number| call(format!("transfers/{number:05}.txt")));
    let mut calls = stream::iter(calls).buffer_unordered(IN_FLIGHT);
    while calls.next().await.is_some() {}
}

/// The content of a small object.
pub(crate) fn small() -> Bytes {
    pieces::constant(SMALL).next().expect("is not empty")
}

/// The most memory that this process has had, in KiB.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or_default().trim().trim_end_matches(" kB").to_owned()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (contender, task, address, size, file) = match arguments[..] {
        ["serve"] => return server::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        [contender, task, address, size] => (contender, task, address, size, ""),
        [contender, task, address, size, file] => (contender, task, address, size, file),
        _ => {
            eprintln!("usage: transfers serve | transfers CONTENDER TASK ADDRESS BYTES [FILE]");
            return ExitCode::FAILURE;
        }
    };
    let job = Job {
        task: task.to_owned(),
        address: address.to_owned(),
        size: size.parse().unwrap_or_default(),
        file: file.into(),
    };
    // As `#[tokio::main]` builds it.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let is_known = runtime.expect("builds").block_on(async {
        match contender {
            "bare" => bare::run(&job).await,
            "ours" | "plain" => ours::run(&job, contender == "ours").await,
            "ossify" => ossify_client::run(&job).await,
            "opendal" => opendal_client::run(&job).await,
            _ => false,
        }
    });
    if !is_known {
        eprintln!("{contender} has no {task}");
        return ExitCode::FAILURE;
    }
    println!("{}", peak());
    ExitCode::SUCCESS
}
