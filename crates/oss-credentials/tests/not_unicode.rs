//! Variables that are not Unicode: somebody set them, so that nobody else's credentials may be taken in their place.
#![cfg(unix)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use oss_credentials::{Credentials, CredentialsProvider as _, DefaultProvider, blocking};

const INI: &str =
    "[default]\ntype = access_key\naccess_key_id = LTAI5tEXAMPLE-HOME\naccess_key_secret = EXAMPLE\n";

/// Runs the test below in a process with these variables and no others; what it says of the chain.
fn found(home: &Path, variables: &[(&str, &[u8])]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "within_such_an_environment",
        ])
        .env_clear()
        .env("HOME", home);
    for (name, value) in variables {
        command.env(name, OsStr::from_bytes(value));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find_map(|line| line.split_once("found: "));
    line.unwrap_or_else(|| panic!("{text}")).1.to_owned()
}

#[test]
#[ignore = "run by the tests below"]
fn within_such_an_environment() {
    let behind = Credentials::builder("LTAI5tEXAMPLE-BEHIND", "EXAMPLE").build();
    let found = DefaultProvider::builder()
        .member("behind", behind)
        .without("ecs-ram-role")
        .build()
        .and_then(|provider| blocking::wait(provider.credentials()));
    match found {
        Ok(credentials) => println!("\nfound: {}", credentials.access_key_id()),
        Err(error) => println!("\nfound: {}, {error}", error.kind()),
    }
}

#[test]
fn what_is_not_unicode_is_set_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".alibabacloud")).unwrap();
    let ini = home.path().join(".alibabacloud/credentials.ini");
    fs::write(&ini, INI).unwrap();
    // Old enough to be complete.
    let file = fs::File::options().write(true).open(&ini).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(found(home.path(), &[]), "LTAI5tEXAMPLE-HOME");
    let cases: [&[(&str, &[u8])]; 6] = [
        &[
            ("OSS_ACCESS_KEY_ID", b"LTAI\xff"),
            ("OSS_ACCESS_KEY_SECRET", b"EXAMPLE\xff"),
        ],
        &[("ALIBABA_CLOUD_PROFILE", b"st\xe4ging")],
        &[("ALIBABA_CLOUD_CREDENTIALS_PROVIDER", b"\xff")],
        &[("ALIBABA_CLOUD_CONFIG_FILE", b"/nowhere/\xff.json")],
        &[("ALIBABA_CLOUD_CREDENTIALS_FILE", b"/nowhere/\xff.ini")],
        &[("ALIBABA_CLOUD_OIDC_TOKEN_FILE", b"/nowhere/\xff")],
    ];
    for variables in cases {
        let found = found(home.path(), variables);
        assert!(found.starts_with("invalid-config, "), "{variables:?}: {found}");
    }
}

/// Such a path is as good as any.
#[test]
fn files_are_found_behind_paths_that_are_not_unicode() {
    let home = tempfile::tempdir().unwrap();
    let odd = home.path().join(OsStr::from_bytes(b"h\xf6me"));
    // Not every file system has such names.
    if fs::create_dir_all(odd.join(".alibabacloud")).is_err() {
        return;
    }
    fs::write(odd.join(".alibabacloud/credentials.ini"), INI).unwrap();
    assert_eq!(found(&odd, &[]), "LTAI5tEXAMPLE-HOME");
    let file = odd.join(".alibabacloud/credentials.ini");
    let named = [("ALIBABA_CLOUD_CREDENTIALS_FILE", file.as_os_str().as_bytes())];
    assert_eq!(found(home.path(), &named), "LTAI5tEXAMPLE-HOME");
}
