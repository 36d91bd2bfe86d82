//! What readers may rely on: they allocate nothing, and see one generation of keys at a time.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::path::Path;
use std::time::Duration;

use allocation_counter::measure;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_profile::{LOOK_INTERVAL, ProfileProvider};

fn write(path: &Path, generation: u32) {
    let other = path.with_extension("new");
    let text = format!(
        "[default]\ntype = sts\naccess_key_id = id-{generation}\naccess_key_secret = secret-{generation}\n\
         security_token = token-{generation}\n"
    );
    std::fs::write(&other, text).unwrap();
    std::fs::rename(&other, path).unwrap();
}

#[test]
fn a_read_between_two_looks_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.ini");
    write(&path, 1);
    let provider = ProfileProvider::builder()
        .ini_file(&path)
        .clock(ManualClock::at_unix(1_767_323_045));
    let provider = provider.build().unwrap();
    // The first call reads the file, and arc-swap sets itself up.
    blocking::wait(provider.credentials()).unwrap();
    let counted = measure(|| {
        for _ in 0..100 {
            assert!(provider.cached().is_some());
            assert!(matches!(provider.credentials().into_ready(), Ok(Ok(_))));
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn readers_see_one_generation_at_a_time_while_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.ini");
    let clock = ManualClock::at_unix(1_767_323_045);
    write(&path, 0);
    let provider = ProfileProvider::builder()
        .ini_file(&path)
        .clock(clock.clone())
        .build()
        .unwrap();
    let last = 200;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut newest = 0;
                while newest < last {
                    let credentials = blocking::wait(provider.credentials()).unwrap();
                    let generation: u32 = credentials
                        .access_key_id()
                        .trim_start_matches("id-")
                        .parse()
                        .unwrap();
                    assert_eq!(credentials.access_key_secret(), format!("secret-{generation}"));
                    assert_eq!(
                        credentials.security_token(),
                        Some(format!("token-{generation}").as_str())
                    );
                    assert!(generation >= newest, "{generation} after {newest}");
                    newest = generation;
                }
            });
        }
        for generation in 1..=last {
            write(&path, generation);
            clock.advance(LOOK_INTERVAL);
            std::thread::yield_now();
        }
        // Whoever looked just before the last change looks again.
        clock.advance(LOOK_INTERVAL + Duration::from_secs(1));
    });
}

/// While one caller reads for the first time, the others have nothing to go on with.
#[test]
fn callers_of_the_first_moment_wait_for_the_first_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.ini");
    write(&path, 1);
    for _ in 0..100 {
        let provider = ProfileProvider::builder().ini_file(&path).build().unwrap();
        let barrier = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    blocking::wait(provider.credentials()).unwrap();
                });
            }
        });
    }
}
