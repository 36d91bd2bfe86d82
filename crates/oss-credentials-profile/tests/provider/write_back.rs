//! How `config.json` is replaced.

#![cfg(all(unix, feature = "process"))]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oss_credentials_core::test_util::RecordedSleep;

use super::support::{Folder, get, read};

const OUTPUT: &str = r#"{"access_key_id": "STS.PROGRAM", "access_key_secret": "new", "sts_token": "token",
    "expiration": "2026-01-02T04:04:05Z"}"#;

/// As the CLI writes it, and things that it does not know.
pub(super) fn config(folder: &Folder) -> String {
    let helper = folder.write("helper", OUTPUT);
    format!(
        "{{\n\t\"current\": \"x\",\n\t\"profiles\": [\n\t\t{{\n\t\t\t\"name\": \"other\",\n\t\t\t\"mode\": \"AK\"\n\t\t}},\n\
         \t\t{{\n\t\t\t\"name\": \"x\",\n\t\t\t\"mode\": \"External\",\n\t\t\t\"access_key_id\": \"\",\n\
         \t\t\t\"process_command\": \"cat {}\",\n\t\t\t\"odd\": [1.50, {{\"z\": 1, \"a\": null}}]\n\t\t}}\n\t],\n\
         \t\"meta_path\": \"\",\n\t\"unknown\": 1e400\n}}\n",
        helper.display()
    )
}

#[test]
fn the_keys_of_a_program_are_stored_and_all_else_is_kept() {
    let folder = Folder::new();
    let text = config(&folder);
    let path = folder.write("config.json", &text);
    let provider = folder.builder().cli_file(&path).write_back(true).build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.PROGRAM");
    let after = text
        .replace("\"access_key_id\": \"\"", "\"access_key_id\": \"STS.PROGRAM\"")
        .replace(
            "\"a\": null}]",
            "\"a\": null}],\n\t\t\t\"access_key_secret\": \"new\",\n\t\t\t\"sts_token\": \"token\",\n\
         \t\t\t\"sts_expiration\": 1767326645",
        );
    assert_eq!(read(&path), after);
}

#[test]
fn without_the_switch_nothing_is_written() {
    let folder = Folder::new();
    let text = config(&folder);
    let path = folder.write("config.json", &text);
    let provider = folder.builder().cli_file(&path).build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.PROGRAM");
    assert_eq!(read(&path), text);
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(names, 2, "config.json and the helper");
}

#[test]
fn the_file_is_replaced_behind_symbolic_links_and_is_its_owners_alone() {
    let folder = Folder::new();
    let real = folder.write("elsewhere/real.json", config(&folder));
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o644)).unwrap();
    let before = std::fs::metadata(&real).unwrap().ino();
    let link = folder.path("config.json");
    symlink("elsewhere/middle.json", &link).unwrap();
    symlink("real.json", folder.path("elsewhere/middle.json")).unwrap();
    let provider = folder.builder().cli_file(&link).write_back(true).build().unwrap();
    get(&provider);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(
        std::fs::symlink_metadata(folder.path("elsewhere/middle.json"))
            .unwrap()
            .is_symlink()
    );
    assert!(read(&real).contains("STS.PROGRAM"));
    let after = std::fs::metadata(&real).unwrap();
    assert_ne!(after.ino(), before, "another file in its place, at once");
    assert_eq!(after.mode() & 0o777, 0o600);
    let lock = std::fs::metadata(folder.path("elsewhere/real.json.lock")).unwrap();
    assert_eq!(lock.mode() & 0o777, 0o600);
    let left: Vec<_> = std::fs::read_dir(real.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "no draft is left: {left:?}");
}

#[test]
fn keys_that_cannot_be_stored_are_used_anyway() {
    let folder = Folder::new();
    let path = folder.write("config.json", config(&folder));
    std::fs::create_dir(folder.path("config.json.lock")).unwrap();
    let provider = folder.builder().cli_file(&path).write_back(true).build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.PROGRAM");
    assert!(!read(&path).contains("STS.PROGRAM"));
}

/// Whoever gives the profile other keys while its program runs knows no lock.
#[test]
fn a_profile_that_somebody_changed_meanwhile_stays_as_it_is() {
    let folder = Folder::new();
    let path = folder.path("config.json");
    let theirs = folder.write(
        "theirs",
        r#"{"current": "x", "profiles": [{"name": "x", "mode": "AK", "access_key_id": "LTAI5tEXAMPLEKEYID",
            "access_key_secret": "EXAMPLE", "process_command": "left over"}]}"#,
    );
    let helper = folder.write("helper", OUTPUT);
    let command = format!(
        "sh -c 'cp {} {} && cat {}'",
        theirs.display(),
        path.display(),
        helper.display()
    );
    let profile = format!(r#"{{"name": "x", "mode": "External", "process_command": "{command}"}}"#);
    folder.write("config.json", format!(r#"{{"profiles": [{profile}]}}"#));
    let builder = folder.builder().cli_file(&path).profile("x").write_back(true);
    let provider = builder.build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.PROGRAM");
    assert_eq!(read(&path), read(&theirs));
    folder.clock.advance(oss_credentials_profile::LOOK_INTERVAL);
    assert_eq!(get(&provider).access_key_id(), "LTAI5tEXAMPLEKEYID");
}

/// A program that root runs with somebody's home directory must not lock that person out. Root alone can try it.
#[test]
fn the_file_stays_its_owners() {
    let folder = Folder::new();
    let path = folder.write("config.json", config(&folder));
    if std::os::unix::fs::chown(&path, Some(12345), Some(12345)).is_err() {
        return;
    }
    let provider = folder.builder().cli_file(&path).write_back(true).build().unwrap();
    get(&provider);
    assert!(read(&path).contains("STS.PROGRAM"));
    for path in [path, folder.path("config.json.lock")] {
        let found = std::fs::metadata(&path).unwrap();
        assert_eq!(
            (found.uid(), found.mode() & 0o777),
            (12345, 0o600),
            "{}",
            path.display()
        );
    }
}

/// Drafts of a process that was killed hold keys. Only what has exactly their name is one.
#[test]
fn drafts_of_killed_writers_are_removed_and_nothing_else() {
    let folder = Folder::new();
    let path = folder.write("config.json", config(&folder));
    let stale = [
        ".config.json.oss-credentials-0123456789abcdef.draft",
        ".config.json.oss-credentials-ffffffffffffffff.draft",
    ];
    let others = [
        ".config.json.oss-credentials-0123456789abcde.draft",
        ".config.json.oss-credentials-0123456789abcdeg.draft",
        ".config.json.oss-credentials-0123456789abcdef.draft.bak",
        ".other.json.oss-credentials-0123456789abcdef.draft",
        "config.json.oss-credentials-0123456789abcdef.draft",
        "config.json.draft",
    ];
    for name in stale.iter().chain(&others) {
        folder.write(name, "access_key_secret");
    }
    let provider = folder.builder().cli_file(&path).write_back(true).build().unwrap();
    get(&provider);
    assert!(read(&path).contains("STS.PROGRAM"));
    for name in stale {
        assert!(!folder.path(name).exists(), "{name}");
    }
    for name in others {
        assert!(folder.path(name).exists(), "{name}");
    }
}

/// A process that holds the lock until it is killed.
struct Holder(Child);

impl Holder {
    fn of(lock: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "write_back::a_holder_of_the_lock",
                "--ignored",
                "--nocapture",
            ])
            .env(LOCK, lock)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let holds = output
            .lines()
            .any(|line| line.unwrap().contains("holds the lock"));
        assert!(holds, "the process has ended");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const LOCK: &str = "OSS_TEST_LOCK";

#[test]
#[ignore = "a part of another test, which starts it"]
#[expect(clippy::disallowed_methods, reason = "it is a program of its own")]
fn a_holder_of_the_lock() {
    let Ok(path) = std::env::var(LOCK) else { return };
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let mut lock = fd_lock::RwLock::new(file.unwrap());
    let _held = lock.write().unwrap();
    println!("holds the lock");
    let _ = std::io::stdin().lines().count();
}

#[test]
fn keys_that_are_there_wait_for_no_lock() {
    let folder = Folder::new();
    let path = folder.write("config.json", config(&folder));
    let holder = Holder::of(&folder.path("config.json.lock"));
    let pauses = RecordedSleep::default();
    let builder = folder.builder().cli_file(&path).write_back(true);
    let provider = builder.sleep(pauses.clone()).build().unwrap();
    assert_eq!(get(&provider).access_key_id(), "STS.PROGRAM");
    assert!(pauses.taken().is_empty());
    assert!(!read(&path).contains("STS.PROGRAM"));
    // The kernel releases the lock of a process that was killed, and the next refresh stores its keys.
    drop(holder);
    folder.clock.advance(Duration::from_secs(3600));
    folder.write(
        "helper",
        OUTPUT.replace("PROGRAM", "NEXT").replace("04:04:05", "06:04:05"),
    );
    assert_eq!(get(&provider).access_key_id(), "STS.NEXT");
    assert!(read(&path).contains("STS.NEXT"));
}
