//! A file that names a program, and who else may change it. Alone in its file: it captures what is logged.
#![cfg(all(unix, feature = "process"))]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use oss_credentials_core::test_util::logged;
use oss_credentials_core::{CredentialsProvider as _, blocking};
use oss_credentials_profile::ProfileProvider;

const PROGRAM: &str = r#"{"profiles": [{"name": "x", "mode": "External",
    "process_command": "echo '{\"access_key_id\": \"id\", \"access_key_secret\": \"s\"}'"}]}"#;
const KEYS: &str =
    r#"{"profiles": [{"name": "x", "mode": "AK", "access_key_id": "id", "access_key_secret": "s"}]}"#;

/// How often a warning is logged about a file of this mode in a folder of that one.
fn warnings(text: &str, file_mode: u32, folder_mode: u32) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(file_mode)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(folder_mode)).unwrap();
    let log = logged(|| {
        let provider = ProfileProvider::builder()
            .cli_file(&path)
            .profile("x")
            .build()
            .unwrap();
        for _ in 0..3 {
            let credentials = blocking::wait(provider.credentials()).unwrap();
            assert_eq!(credentials.access_key_id(), "id");
            provider.invalidate(&credentials);
        }
    });
    log.lines()
        .filter(|line| line.contains("the profile's file names a program, and other users may change it"))
        .inspect(|line| assert!(line.starts_with(" WARN "), "{line}"))
        .count()
}

#[test]
fn a_file_that_others_can_write_gets_one_warning_if_it_names_a_program() {
    assert_eq!(warnings(PROGRAM, 0o600, 0o700), 0);
    assert_eq!(warnings(PROGRAM, 0o644, 0o755), 0);
    assert_eq!(warnings(PROGRAM, 0o620, 0o700), 1);
    assert_eq!(warnings(PROGRAM, 0o602, 0o700), 1);
    // Others can put another file in its place; in a folder like /tmp they cannot.
    assert_eq!(warnings(PROGRAM, 0o600, 0o777), 1);
    assert_eq!(warnings(PROGRAM, 0o600, 0o1777), 0);
    assert_eq!(warnings(KEYS, 0o666, 0o777), 0);
}
