//! Writers that are killed: the file is never half a file, and nothing with keys is left for long.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use oss_testkit::{Fault, OAuthSite, Service};
use serde_json::Value;

use crate::at_once::Process;
use crate::bench::{Bench, HOUR, ask};
use crate::renewal::{fields, holds_the_login, unix};

pub(crate) fn drafts(bench: &Bench) -> Vec<String> {
    let mut names = bench.names();
    names.retain(|name| name.contains(".oss-credentials-"));
    names
}

#[test]
fn a_draft_of_a_killed_writer_is_removed_by_the_next_one() {
    let bench = Bench::new();
    bench.pass(3 * HOUR);
    bench
        .cloud
        .fault(Service::OAuth, Fault::hang().action("RefreshToken"));
    let mut process = Process::start(&bench);
    writeln!(process.input, "{}", unix(bench.now())).unwrap();
    // It is there as long as the service does not answer.
    while drafts(&bench).is_empty() {
        assert!(!process.has_ended());
        std::thread::yield_now();
    }
    let before = bench.text();
    drop(process);
    let left = drafts(&bench);
    let name = left.first().unwrap();
    assert!(
        left.len() == 1 && name.starts_with(".config.json.oss-credentials-"),
        "{left:?}"
    );
    let permissions = std::fs::metadata(bench.folder.path().join(name))
        .unwrap()
        .permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    assert_eq!(bench.text(), before);
    // The service never saw the request, and the lock is free again.
    bench.cloud.clear_faults();
    bench.owner(&ask(&bench.writing("OAuth")).unwrap());
    holds_the_login(&bench);
    assert!(drafts(&bench).is_empty());
}

/// At many moments: before the lock, in the draft, during the exchange, in the rename, after it.
#[test]
fn killed_at_any_moment_a_writer_leaves_a_whole_file() {
    let bench = Bench::new();
    let (mut unchanged, mut renewed) = (0, 0);
    for round in 0..60_u32 {
        let login = bench.cloud.oauth_login(OAuthSite::China);
        bench.edit("OAuth", &fields(&login));
        bench.pass(3 * HOUR);
        let before = drafts(&bench);
        let mut process = Process::start(&bench);
        writeln!(process.input, "{}", unix(bench.now())).unwrap();
        let is_early = |bench: &Bench| match round % 4 {
            0 => drafts(bench) == before,
            1 => !is_renewed(bench, login.refresh_token()),
            2 => bench.stored("OAuth")["access_key_id"]
                .as_str()
                .is_none_or(str::is_empty),
            _ => false,
        };
        // Not for ever: it may have failed.
        for _ in 0..100_000 {
            if !is_early(&bench) || process.has_ended() {
                break;
            }
            std::thread::yield_now();
        }
        for _ in 0..round / 4 * 20 {
            std::thread::yield_now();
        }
        drop(process);
        serde_json::from_str::<Value>(&bench.text()).unwrap_or_else(|error| panic!("{round}: {error}"));
        assert!(drafts(&bench).len() <= 1, "{round}: {:?}", drafts(&bench));
        if is_renewed(&bench, login.refresh_token()) {
            renewed += 1;
        } else {
            unchanged += 1;
        }
    }
    println!("{unchanged} of 60 were killed before the rename, {renewed} after it");
    bench.edit("OAuth", &fields(&bench.cloud.oauth_login(OAuthSite::China)));
    bench.pass(3 * HOUR);
    bench.owner(&ask(&bench.writing("OAuth")).unwrap());
    assert!(drafts(&bench).is_empty());
}

fn is_renewed(bench: &Bench, refresh_token: &str) -> bool {
    bench.stored("OAuth")["oauth_refresh_token"] != refresh_token
}
