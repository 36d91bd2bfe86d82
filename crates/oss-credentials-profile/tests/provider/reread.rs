//! A file that changes while the provider is in use.

use std::path::Path;
use std::time::Duration;

use oss_credentials_core::{COPY_LIFETIME, Clock, CredentialsProvider, Invalidation};
use oss_credentials_profile::{LOOK_INTERVAL, ProfileProvider};

use super::support::{Folder, get, keys};

fn text(id: &str) -> String {
    format!("[default]\ntype = access_key\naccess_key_id = {id}\naccess_key_secret = s\n")
}

/// As editors do it: another file in its place.
fn replace(path: &Path, text: &str) {
    let other = path.with_extension("new");
    std::fs::write(&other, text).unwrap();
    std::fs::rename(&other, path).unwrap();
}

fn id(provider: &ProfileProvider) -> String {
    keys(provider).0
}

#[test]
fn a_change_is_seen_after_five_seconds_and_not_by_cached() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert!(provider.cached().is_none(), "nothing is read before it is asked");
    assert_eq!(id(&provider), "old");
    replace(&path, &text("new"));
    folder.clock.advance(Duration::from_millis(4999));
    assert_eq!(id(&provider), "old");
    folder.clock.advance(Duration::from_millis(1));
    assert_eq!(
        provider.cached().unwrap().access_key_id(),
        "old",
        "cached() does no I/O"
    );
    assert_eq!(id(&provider), "new");
    assert_eq!(provider.cached().unwrap().access_key_id(), "new");
}

/// Same length, same place, perhaps the same tick of the file system's clock: the second look reads in any
/// case.
#[test]
fn a_change_that_left_no_trace_is_seen_too() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let times = std::fs::metadata(&path).unwrap().modified().unwrap();
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert_eq!(id(&provider), "old");
    std::fs::write(&path, text("new")).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(times)
        .unwrap();
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "new");
}

/// Writes as an editor does, into the file itself, as of a time that is this far from the provider's clock.
fn modified(path: &Path, text: &str, at: std::time::SystemTime) {
    std::fs::write(path, text).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(at).unwrap();
}

const NOW: u64 = super::support::NOW;
const HALF_A_SECOND: Duration = Duration::from_millis(500);

#[test]
fn a_file_younger_than_a_second_is_read_again_at_the_next_call() {
    let folder = Folder::new();
    let path = folder.path("credentials.ini");
    let now = super::support::at(NOW);
    modified(&path, &text("half"), now);
    folder.clock.set(now + HALF_A_SECOND);
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert_eq!(id(&provider), "half");
    modified(&path, &text("full"), now);
    assert_eq!(id(&provider), "full");
    folder.clock.set(now + 2 * HALF_A_SECOND);
    assert_eq!(id(&provider), "full");
    // Now it is old.
    modified(&path, &text("late"), now);
    assert_eq!(id(&provider), "full");
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "late");
}

#[test]
fn half_a_file_that_cannot_be_read_is_not_remembered() {
    let folder = Folder::new();
    let path = folder.path("credentials.ini");
    let now = super::support::at(NOW);
    modified(&path, "[default]\ntype = access_key\naccess_key_id = new\n", now);
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert!(folder.invalid(&provider).contains("has no access_key_secret"));
    modified(&path, &text("new"), now);
    assert_eq!(id(&provider), "new");
}

#[test]
fn a_time_in_the_future_counts_as_old() {
    let folder = Folder::new();
    let path = folder.path("credentials.ini");
    let future = super::support::at(NOW + 1);
    modified(&path, &text("old"), future);
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert_eq!(id(&provider), "old");
    modified(&path, &text("new"), future);
    assert_eq!(id(&provider), "old");
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "new");
}

/// A chain must not go on to another identity because an editor is writing the file.
#[test]
#[cfg(not(windows))]
fn a_file_without_its_section_is_unavailable_for_a_second_and_then_not_configured() {
    let folder = Folder::new();
    let path = folder.write(".alibabacloud/credentials.ini", "");
    let now = super::support::at(NOW);
    for (half, problem) in [
        ("", "is empty"),
        ("\u{feff}", "is empty"),
        (" \n", "is empty"),
        ("# Keys of the team\n", "has no section \"default\""),
        ("[other]\ntype = access_key\n", "has no section \"default\""),
    ] {
        modified(&path, half, now);
        folder.clock.set(now + Duration::from_millis(999));
        let builder = ProfileProvider::from_env(&folder.env()).unwrap();
        let provider = folder.set(builder).build().unwrap();
        let error = oss_credentials_core::blocking::wait(provider.credentials()).unwrap_err();
        let text = format!(
            "profile: the file {problem}, and was modified less than a second ago (.alibabacloud/credentials.ini); retry: it may not be complete yet"
        );
        assert_eq!(
            (error.kind(), folder.shown(&error)),
            ("unavailable", text),
            "{half:?}"
        );
        folder.clock.set(now + Duration::from_secs(1));
        let error = oss_credentials_core::blocking::wait(provider.credentials()).unwrap_err();
        assert_eq!(error.kind(), "not-configured", "{half:?}: {error}");
    }
}

/// A list of variables does not become an INI file by its second half.
#[test]
fn a_young_file_of_another_kind_is_named_at_once() {
    let folder = Folder::new();
    let path = folder.path("credentials.ini");
    modified(
        &path,
        "ALIBABA_CLOUD_ACCESS_KEY_ID=canary\n",
        super::support::at(NOW),
    );
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert!(folder.invalid(&provider).contains("it is a list of variables"));
}

#[test]
fn clones_share_what_was_read() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let provider = folder.builder().ini_file(&path).build().unwrap();
    let other = provider.clone();
    assert_eq!(id(&provider), "old");
    assert_eq!(other.cached().unwrap().access_key_id(), "old");
}

#[test]
fn a_rejected_key_makes_the_next_call_look_at_once() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let provider = folder.builder().ini_file(&path).build().unwrap();
    let rejected = get(&provider);
    replace(&path, &text("new"));
    assert_eq!(id(&provider), "old");
    // No provider drops keys in a file, but the next call reads it.
    assert_eq!(provider.invalidate(&rejected), Invalidation::Dropped);
    assert_eq!(id(&provider), "new");
    assert_eq!(provider.invalidate(&rejected), Invalidation::AlreadyReplaced);
}

#[test]
fn a_copy_of_keys_in_a_file_may_be_kept_for_a_minute() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let provider = folder.builder().ini_file(&path).build().unwrap();
    let now = folder.clock.now();
    assert_eq!(get(&provider).fresh_until(now), now + COPY_LIFETIME);
}

#[test]
fn broken_content_leaves_the_old_keys_in_use() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert_eq!(id(&provider), "old");
    for broken in [
        "[default",
        "[default]\ntype = bearer\n",
        "[default]\ntype = access_key\naccess_key_id = half\n",
        "",
    ] {
        replace(&path, broken);
        folder.clock.advance(LOOK_INTERVAL);
        assert_eq!(id(&provider), "old", "{broken}");
    }
    std::fs::remove_file(&path).unwrap();
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "old");
    // As soon as it can be read again, it counts.
    std::fs::write(&path, text("new")).unwrap();
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "new");
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "new");
}

#[test]
fn an_error_is_remembered_for_five_seconds() {
    let folder = Folder::new();
    let path = folder.path("credentials.ini");
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert!(folder.invalid(&provider).contains("there is no such file"));
    std::fs::write(&path, text("new")).unwrap();
    assert!(folder.invalid(&provider).contains("there is no such file"));
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "new");
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_it() {
    let folder = Folder::new();
    let path = folder.write("credentials.ini", text("old"));
    let provider = folder.builder().ini_file(&path).build().unwrap();
    assert_eq!(id(&provider), "old");
    replace(&path, &text("new"));
    folder.clock.set(super::support::at(super::support::NOW - 86_400));
    assert_eq!(id(&provider), "new");
}

#[test]
#[cfg(not(windows))]
fn an_earlier_file_that_appears_takes_over_and_one_that_goes_leaves_no_other_identity() {
    let folder = Folder::new();
    let ini = folder.write(".alibabacloud/credentials.ini", text("ini"));
    let builder = ProfileProvider::from_env(&folder.env()).unwrap();
    let provider = folder.set(builder).build().unwrap();
    assert_eq!(id(&provider), "ini");
    let json = folder.write(
        ".aliyun/config.json",
        r#"{"profiles": [{"name": "default", "mode": "AK", "access_key_id": "json", "access_key_secret": "s"}]}"#,
    );
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "json");
    std::fs::remove_file(json).unwrap();
    std::fs::remove_file(ini).unwrap();
    folder.clock.advance(LOOK_INTERVAL);
    assert_eq!(id(&provider), "json");
}

#[cfg(feature = "sts-assume-role")]
mod with_a_service {
    use super::*;
    use crate::support::{ROLE, session};
    use oss_credentials_core::{CredentialsError, blocking};
    use oss_credentials_http::HttpErrorKind;

    fn role(name: &str) -> String {
        format!(
            "[default]\ntype = ram_role_arn\naccess_key_id = id\naccess_key_secret = s\nrole_arn = {ROLE}\n\
             role_session_name = {name}\n"
        )
    }

    #[test]
    fn a_change_that_asks_for_the_same_keeps_the_cache() {
        let folder = Folder::answering(200, &session("STS.ONE"));
        let path = folder.write("credentials.ini", role("first"));
        let provider = folder.builder().ini_file(&path).build().unwrap();
        assert_eq!(id(&provider), "STS.ONE");
        replace(
            &path,
            &format!("# a comment\n{}\n[other]\nx = y\n", role("first")),
        );
        folder.clock.advance(LOOK_INTERVAL);
        assert_eq!(id(&provider), "STS.ONE");
        assert_eq!(folder.http.requests().len(), 1);
    }

    #[test]
    fn a_change_that_asks_for_something_else_fetches_anew() {
        let folder = Folder::answering(200, &session("STS.ONE")).then_answering(200, &session("STS.TWO"));
        let path = folder.write("credentials.ini", role("first"));
        let provider = folder.builder().ini_file(&path).build().unwrap();
        assert_eq!(id(&provider), "STS.ONE");
        replace(&path, &role("second"));
        folder.clock.advance(LOOK_INTERVAL);
        assert_eq!(id(&provider), "STS.TWO");
        assert_eq!(folder.http.requests().len(), 2);
    }

    /// What is wrong with the file says more than what the service says about the old content.
    #[test]
    fn once_the_old_content_brings_nothing_the_file_is_what_is_told_of() {
        let folder = Folder::answering(200, &session("STS.ONE"));
        let http = folder.http.clone().fails(HttpErrorKind::Connect);
        let path = folder.write("credentials.ini", role("first"));
        let provider = folder.builder().ini_file(&path).build().unwrap();
        assert_eq!(id(&provider), "STS.ONE");
        std::fs::remove_file(&path).unwrap();
        folder.clock.advance(Duration::from_secs(7200));
        let error = blocking::wait(provider.credentials()).unwrap_err();
        assert_eq!(http.left(), 0, "the old content was tried");
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(error.to_string().contains("there is no such file"), "{error}");
        assert!(provider.cached().is_none());
    }

    /// Nobody named the files. But they were there, so a chain must not go on to another identity.
    #[test]
    #[cfg(not(windows))]
    fn files_that_are_gone_do_not_make_it_not_configured() {
        let mut folder = Folder::answering(200, &session("STS.ONE"));
        folder.http = folder.http.fails(HttpErrorKind::Connect);
        let path = folder.write(".alibabacloud/credentials", role("first"));
        let builder = ProfileProvider::from_env(&folder.env()).unwrap();
        let provider = folder.set(builder).build().unwrap();
        assert_eq!(id(&provider), "STS.ONE");
        std::fs::remove_file(&path).unwrap();
        folder.clock.advance(Duration::from_secs(7200));
        let error = blocking::wait(provider.credentials()).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(
            error.to_string().contains("no file has a profile to use"),
            "{error}"
        );
    }

    #[test]
    fn rejected_credentials_are_dropped_by_the_inner_provider() {
        let folder = Folder::answering(200, &session("STS.ONE")).then_answering(200, &session("STS.TWO"));
        let path = folder.write("credentials.ini", role("first"));
        let provider = folder.builder().ini_file(&path).build().unwrap();
        let rejected = get(&provider);
        // The expiry of the session, whatever the time: it comes from the provider inside.
        assert_eq!(
            Some(rejected.fresh_until(folder.clock.now())),
            rejected.expires_at()
        );
        assert_eq!(provider.invalidate(&rejected), Invalidation::Dropped);
        assert!(provider.cached().is_none());
        assert_eq!(id(&provider), "STS.TWO");
    }
}
