//! `export` and `assume-role`.

use std::process::Command;

use oss_testkit::Service;

use crate::support::{PROGRAM, Place, run};

#[test]
fn a_shell_takes_the_variables() {
    let place = Place::new();
    let script = format!(
        "OSS_SESSION_TOKEN=old; export OSS_SESSION_TOKEN; eval \"$({PROGRAM} export)\"; \
         echo $OSS_ACCESS_KEY_ID $OSS_ACCESS_KEY_SECRET ${{OSS_SESSION_TOKEN-none}}"
    );
    let mut shell = place.program("sh");
    let keys = place.cloud.access_key();
    shell
        .args(["-c", &script])
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.access_key_id())
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.access_key_secret());
    let expected = format!("{} {} none\n", keys.access_key_id(), keys.access_key_secret());
    assert_eq!(run(shell).out, expected);
}

#[test]
fn every_format_has_the_same_key() {
    let place = Place::new();
    for format in ["env", "json", "process", "dotenv", "powershell"] {
        let ended = run(place.with_uri(&["export", "--format", format]));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.out.contains("STS."), "{format}: {}", ended.out);
    }
    let report = run(place.with_uri(&["export", "--format", "json"])).json();
    assert_eq!(report["source"], "uri");
    assert!(
        report["security_token"].is_string() && report["expires_at"].is_string(),
        "{report}"
    );
}

#[test]
fn a_profile_runs_the_command_of_another_profile_but_never_itself() {
    let place = Place::new();
    let write = |command: &str| {
        let config = serde_json::json!({
            "current": "agent",
            "profiles": [
                { "name": "agent", "mode": "External", "process_command": command },
                { "name": "base", "mode": "StsToken", "access_key_id": "STS.EXAMPLE",
                  "access_key_secret": "EXAMPLE", "sts_token": "TOKEN" },
            ],
        });
        std::fs::write(place.path("config.json"), config.to_string()).unwrap();
    };
    let export = || run(place.with_profiles(&["export", "--format", "json"]));
    write(&format!("{PROGRAM} export --format process --profile base"));
    let ended = export();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(ended.json()["access_key_id"], "STS.EXAMPLE");
    // Itself, and itself behind a script.
    let script = place.path("helper.sh");
    std::fs::write(
        &script,
        format!("#!/bin/sh\necho run >> \"$0.log\"\nexec {PROGRAM} export --format process\n"),
    )
    .unwrap();
    for command in [
        format!("{PROGRAM} export --format process"),
        format!("sh {}", script.display()),
    ] {
        write(&command);
        let ended = export();
        assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{}", ended.err);
        assert_eq!(ended.err, LOOP);
    }
    assert!(left_in(&place).is_empty(), "{:?}", left_in(&place));
    let runs = std::fs::read_to_string(place.path("helper.sh.log")).unwrap();
    assert_eq!(runs.lines().count(), 1, "the second process refuses");
    // What the vendor's SDK would see of the refusal.
    let mut inner = place.with_profiles(&["export", "--format", "process"]);
    inner.env("OSS_CREDENTIALS_CLI_ASKED", "0,1,2,3,4,5,6,7,8");
    let ended = run(inner);
    assert!(
        ended
            .err
            .starts_with("oss-credentials: the profile's process_command leads back"),
        "{}",
        ended.err
    );
}

/// What every command says of a profile that leads back to it.
const LOOP: &str = "oss-credentials: the profile's process_command leads back to this command with the same settings; \
                    name another profile in the process_command with --profile, or another source with --provider\n";

/// Files of loops that were not removed.
fn left_in(place: &Place) -> Vec<std::ffi::OsString> {
    let files = std::fs::read_dir(place.folder.path()).unwrap();
    let names = files.map(|file| file.unwrap().file_name());
    names
        .filter(|name| name.to_string_lossy().contains("-loop-"))
        .collect()
}

#[test]
fn every_command_reports_a_loop_and_none_waits_for_its_end() {
    let place = Place::new();
    let config = |words: &str| {
        let command = format!("{PROGRAM} export --format process{words}");
        let other = format!("{PROGRAM} export --format process --profile agent");
        let config = serde_json::json!({
            "current": "agent",
            "profiles": [
                { "name": "agent", "mode": "External", "process_command": command },
                { "name": "other", "mode": "External", "process_command": other },
            ],
        });
        std::fs::write(place.path("config.json"), config.to_string()).unwrap();
    };
    // Through another profile, there are three processes.
    for through in ["", " --profile other"] {
        config(through);
        for (arguments, code) in [
            (&["whoami"][..], 4),
            (&["serve"], 4),
            (&["exec", "--", "true"], 125),
            (&["exec", "--serve", "--", "true"], 125),
            (&["ls", "oss://example-bucket"], 4),
            (&["presign", "GET", "oss://example-bucket/a"], 4),
            (&["assume-role", "acs:ram::1:role/a"], 4),
            (
                &["call", "ecs", "A", "--version", "1", "--region", "cn-hangzhou"],
                4,
            ),
        ] {
            let ended = run(place.with_profiles(arguments));
            assert_eq!(
                (ended.code, ended.out.as_str(), ended.err.as_str()),
                (Some(code), "", LOOP),
                "{arguments:?}{through}"
            );
        }
        let ended = run(place.with_profiles(&["doctor"]));
        assert_eq!(ended.code, Some(4), "{}", ended.out);
        assert!(ended.out.contains(LOOP.trim_end()), "{}", ended.out);
        let report = run(place.with_profiles(&["doctor", "--json"])).json();
        assert_eq!(report["error"]["text"], LOOP.trim_end());
        assert_eq!(report["exit_code"], 4);
        assert!(
            report["advice"][0]
                .as_str()
                .unwrap()
                .starts_with("name another profile"),
            "{report}"
        );
    }
    assert!(left_in(&place).is_empty(), "{:?}", left_in(&place));
    // A program that has found a loop, and something else to print.
    let script = place.path("helper.sh");
    let fallback = r#"{"mode": "AK", "access_key_id": "EXAMPLE", "access_key_secret": "EXAMPLE"}"#;
    std::fs::write(
        &script,
        format!("{PROGRAM} export --format process || echo '{fallback}'\n"),
    )
    .unwrap();
    profile_of(&place, &script);
    for arguments in [
        &["export"][..],
        &["exec", "--", "true"],
        &["exec", "--serve", "--", "true"],
        &["doctor"],
    ] {
        let ended = run(place.with_profiles(arguments));
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        assert!(left_in(&place).is_empty(), "{arguments:?}: {:?}", left_in(&place));
    }
}

/// The profile in use runs a script.
fn profile_of(place: &Place, script: &std::path::Path) {
    let config = serde_json::json!({
        "current": "agent",
        "profiles": [
            { "name": "agent", "mode": "External", "process_command": format!("sh {}", script.display()) },
        ],
    });
    std::fs::write(place.path("config.json"), config.to_string()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_loop_ends_even_where_the_environment_is_cleared() {
    let place = Place::new();
    let script = place.path("helper.sh");
    let config = place.path("config.json");
    // It ends by itself, too, so that a failure of this test leaves nothing behind.
    let text = format!(
        "echo run >> \"$0.log\"\n[ $(wc -l < \"$0.log\") -lt 40 ] || exit 1\n\
         exec env -i HOME=/nowhere {PROGRAM} export --format process --config-file {}\n",
        config.display()
    );
    std::fs::write(&script, text).unwrap();
    profile_of(&place, &script);
    let ended = run(place.with_profiles(&["export"]));
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{}", ended.err);
    let runs = std::fs::read_to_string(place.path("helper.sh.log")).unwrap();
    assert!(runs.lines().count() < 12, "{} runs", runs.lines().count());
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_is_added_to_the_command_line_that_others_see() {
    let place = Place::new();
    let script = place.path("seen.sh");
    std::fs::write(
        &script,
        "tr '\\0' ' ' < /proc/$PPID/cmdline > \"$0.seen\"\nexit 1\n",
    )
    .unwrap();
    profile_of(&place, &script);
    run(place.with_profiles(&["whoami"]));
    let seen = std::fs::read_to_string(place.path("seen.sh.seen")).unwrap();
    assert_eq!(seen.trim_end(), format!("{PROGRAM} whoami"));
}

#[test]
fn a_role_is_assumed_with_a_policy_and_a_duration() {
    let place = Place::new();
    let policy = place.path("policy.json");
    std::fs::write(
        &policy,
        r#"{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#,
    )
    .unwrap();
    let role = place.cloud.role_arn();
    let ended = run(place.with_keys(&[
        "assume-role",
        &role,
        "--duration",
        "15m",
        "--session-name",
        "alice",
        "--policy",
        policy.to_str().unwrap(),
        "--format",
        "json",
    ]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let report = ended.json();
    let mut whoami = place.bare(&["whoami", "--json"]);
    for (name, field) in [
        ("OSS_ACCESS_KEY_ID", "access_key_id"),
        ("OSS_ACCESS_KEY_SECRET", "access_key_secret"),
        ("OSS_SESSION_TOKEN", "security_token"),
    ] {
        whoami.env(name, report[field].as_str().unwrap());
    }
    assert_eq!(run(whoami).json()["session"], "alice");
    let ended = run(place.with_keys(&["assume-role", "reader"]));
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.starts_with("assume-role: "), "{}", ended.err);
    assert_eq!(
        place.cloud.count(Service::Sts, "AssumeRole"),
        1,
        "the second was not sent"
    );
}

#[test]
fn no_secret_can_be_given_on_the_command_line() {
    for command in [
        "export",
        "assume-role",
        "serve",
        "exec",
        "presign",
        "ls",
        "doctor",
        "whoami",
    ] {
        let help = Command::new(PROGRAM).args([command, "--help"]).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let flags: Vec<&str> = help
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
            .collect();
        for flag in flags {
            let is_secret = ["secret", "token", "key-id", "password"]
                .iter()
                .any(|word| flag.contains(word));
            assert!(!is_secret || flag.ends_with("-file"), "{command}: {flag}");
        }
    }
}
