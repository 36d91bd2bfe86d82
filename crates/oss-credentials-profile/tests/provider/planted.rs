//! Files that the owner of a folder plants there for a process of root's with `write_back(true)`.

#![cfg(all(unix, feature = "process"))]

use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use oss_credentials_core::CredentialsProvider as _;
use oss_credentials_core::blocking;

use super::support::{Folder, get, read};
use super::write_back::config;

/// Not root, and nobody that exists.
const USER: u32 = 12345;

/// A folder of a user's with a `config.json`, and a folder of root's with a file. `None` if this process is not root's,
/// and can give nothing to anybody.
struct Trap {
    users: Folder,
    config: PathBuf,
    roots: Folder,
    victim: PathBuf,
}

impl Trap {
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    fn new() -> Option<Self> {
        let (users, roots) = (Folder::new(), Folder::new());
        let config = users.write("config.json", config(&users));
        let victim = roots.write("victim", "of root's alone");
        if chown(&config, Some(USER), Some(USER)).is_err() {
            println!("skipped: only root can try what is planted for root");
            return None;
        }
        chown(users.path(""), Some(USER), Some(USER)).unwrap();
        Some(Self {
            users,
            config,
            roots,
            victim,
        })
    }

    fn lock(&self) -> PathBuf {
        self.users.path("config.json.lock")
    }

    /// The keys of the program, which are returned whatever is planted.
    fn write_back(&self) {
        let builder = self.users.builder().cli_file(&self.config);
        let provider = builder.write_back(true).build().unwrap();
        assert_eq!(get(&provider).access_key_id(), "STS.PROGRAM");
    }

    fn is_stored(&self) -> bool {
        read(&self.config).contains("STS.PROGRAM")
    }

    fn assert_victim_is_roots(&self, planted: &str) {
        assert_eq!(read(&self.victim), "of root's alone", "{planted}");
        assert_eq!(owner(&self.victim), 0, "{planted}");
    }
}

fn owner(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().uid()
}

#[test]
fn a_planted_lock_is_neither_followed_nor_given_away() {
    let Some(trap) = Trap::new() else { return };
    let lock = trap.lock();

    symlink(&trap.victim, &lock).unwrap();
    trap.write_back();
    trap.assert_victim_is_roots("symbolic link");
    assert!(!trap.is_stored());
    std::fs::remove_file(&lock).unwrap();

    let missing = trap.roots.path("missing");
    symlink(&missing, &lock).unwrap();
    trap.write_back();
    assert!(!missing.exists(), "nothing is created where a link leads");
    assert!(!trap.is_stored());
    std::fs::remove_file(&lock).unwrap();

    // Both folders are on one file system, so that this works.
    std::fs::hard_link(&trap.victim, &lock).unwrap();
    trap.write_back();
    trap.assert_victim_is_roots("hard link");
    assert!(!trap.is_stored());
    std::fs::remove_file(&lock).unwrap();

    assert!(Command::new("mkfifo").arg(&lock).status().unwrap().success());
    trap.write_back();
    assert_eq!(owner(&lock), 0, "a FIFO is not given away");
    assert!(!trap.is_stored());
    std::fs::remove_file(&lock).unwrap();

    trap.write_back();
    assert!(trap.is_stored());
    assert_eq!(owner(&lock), USER, "a lock that was just created is the user's");
}

#[test]
fn a_lock_that_was_there_keeps_its_owner_and_its_content() {
    let Some(trap) = Trap::new() else { return };
    std::fs::write(trap.lock(), "left alone").unwrap();
    trap.write_back();
    assert!(trap.is_stored());
    assert_eq!(owner(&trap.lock()), 0);
    assert_eq!(read(&trap.lock()), "left alone");
}

/// Whoever owns the folder may remove the file and put a link to root's in its place while the keys are fetched.
#[test]
fn a_file_that_is_now_a_link_gives_nothing_of_roots_away() {
    let Some(trap) = Trap::new() else { return };
    let theirs = trap
        .roots
        .write("config.json", r#"{"profiles": [{"name": "x", "mode": "AK"}]}"#);
    let helper = trap.users.path("helper");
    let command = format!(
        "sh -c 'rm {0} && ln -s {1} {0} && cat {2}'",
        trap.config.display(),
        theirs.display(),
        helper.display()
    );
    let profile = format!(r#"{{"name": "x", "mode": "External", "process_command": "{command}"}}"#);
    std::fs::write(
        &trap.config,
        format!(r#"{{"current": "x", "profiles": [{profile}]}}"#),
    )
    .unwrap();
    let before = read(&theirs);
    trap.write_back();
    assert_eq!(read(&theirs), before);
    for name in ["config.json", "config.json.lock"] {
        assert_eq!(owner(&trap.roots.path(name)), 0, "{name}");
    }
}

/// What is wrong with the lock is said, with its path.
#[test]
#[cfg(feature = "oauth")]
fn a_planted_lock_is_named_in_the_error() {
    let folder = Folder::new();
    let profile = r#"{"name": "x", "mode": "OAuth", "oauth_site_type": "CN", "oauth_access_token": "a",
        "oauth_access_token_expire": 1, "oauth_refresh_token": "r"}"#;
    let path = folder.write("config.json", format!(r#"{{"profiles": [{profile}]}}"#));
    symlink("elsewhere", folder.path("config.json.lock")).unwrap();
    let builder = folder.builder().cli_file(path).profile("x").write_back(true);
    let provider = builder.build().unwrap();
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert_eq!(
        (error.kind(), folder.shown(&error)),
        (
            "unavailable",
            "profile: the lock file is not a regular file with one link (config.json.lock); remove it; configured by the \
             profile \"x\" in config.json"
                .to_owned()
        )
    );
    assert!(folder.http.requests().is_empty(), "the login is not spent");
}
