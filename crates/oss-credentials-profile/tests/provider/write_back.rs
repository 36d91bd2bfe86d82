//! How `config.json` is replaced.

#![cfg(all(unix, feature = "process"))]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::support::{Folder, get, read};

const OUTPUT: &str = r#"{"access_key_id": "STS.PROGRAM", "access_key_secret": "new", "sts_token": "token",
    "expiration": "2026-01-02T04:04:05Z"}"#;

/// As the CLI writes it, and things that it does not know.
fn config(folder: &Folder) -> String {
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
