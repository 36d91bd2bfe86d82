//! Names of log events, which are a contract: `docs/events.md`. Alone in its file: it captures what is logged.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_profile::ProfileProvider;

#[test]
fn a_profile_that_changes_is_reported_under_the_documented_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials.ini");
    let write = |text: &str| {
        let other = folder.path().join("other");
        std::fs::write(&other, text).unwrap();
        std::fs::rename(&other, &path).unwrap();
    };
    let keys = |id: &str| {
        format!("[default]\ntype = access_key\naccess_key_id = {id}\naccess_key_secret = canary\n")
    };
    write(&keys("first"));
    let clock = ManualClock::at_unix(4_102_444_800);
    let provider = ProfileProvider::builder()
        .ini_file(&path)
        .clock(clock.clone())
        .build()
        .unwrap();
    // A package that was taken out of the repository has no page.
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md"));
    for (text, event) in [
        (keys("first"), "profile.read"),
        (keys("second"), "profile.changed"),
        ("[default".to_owned(), "profile.unreadable"),
    ] {
        write(&text);
        clock.advance(std::time::Duration::from_secs(60));
        let log = logged(|| drop(blocking::wait(provider.credentials()).unwrap()));
        assert!(log.contains(&format!(" event={event:?}")), "{log}");
        let is_documented = |page: &String| page.contains(&format!("| `{event}` |"));
        assert!(page.as_ref().map_or(true, is_documented), "{event}");
        assert!(!log.contains("canary"), "{log}");
    }
}
