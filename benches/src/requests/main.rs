//! Sends so many requests over one connection to this machine, for `benches/callgrind` to count their instructions.
//!
//! `requests serve` is the server, a process of its own, whose instructions do not count. It prints its address.
//! `requests CONTENDER-WHAT ADDRESS COUNT` is a contender, `requests cpu CONTENDER-WHAT ADDRESS COUNT` prints the CPU
//! time that it takes, in milliseconds:
//!
//! | contender | is |
//! |---|---|
//! | `bare` | reqwest without signature |
//! | `ours` | `oss-client` with a cached token of 720 bytes |
//! | `plain` | the same without comparing CRCs |
//! | `ossify`, `others` | `ossify` and `ali-oss-rs` (feature `rivals`) |
//!
//! | what | is |
//! |---|---|
//! | `get`, `put` | an object of 1 KiB |
//! | `download`, `upload` | one of 64 MiB |
//! | `role`, `metadata` | a refresh by AssumeRole, and by instance metadata |
//!
//! `hashing` is what signing cannot do without: SHA-256 of the canonical request, and one HMAC. Nothing is sent.

mod contenders;

use std::process::ExitCode;

use benches::server;
use benches::setting::{self, Standing};
use oss_credentials_core::{Clock as _, Credentials};

pub(crate) const KEY: &str = "path/to/exampleobject.txt";
pub(crate) const SMALL: &[u8] = &[b'x'; 1024];

pub(crate) fn credentials() -> Credentials {
    setting::credentials(Standing.now())
}

/// CPU time of this process so far, of the user and of the system, in hundredths of a second.
fn cpu_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace();
    // utime and stime: the 14th and 15th field, of which two are left out here.
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (timed, rest) = match arguments[..] {
        ["serve"] => return server::serve().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        ["cpu", ref rest @ ..] => (true, rest),
        ref rest => (false, rest),
    };
    let &[name, address, count] = rest else {
        eprintln!("usage: requests serve | requests [cpu] CONTENDER-WHAT ADDRESS COUNT");
        return ExitCode::FAILURE;
    };
    let run = |count| contenders::run(name, address, count);
    let count = count.parse().unwrap_or_default();
    if !timed {
        return if run(count) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    // The first one opens the connection and makes room.
    let is_known = run(1);
    let before = cpu_time();
    run(count);
    println!("{}", (cpu_time() - before) * 10);
    if is_known {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
