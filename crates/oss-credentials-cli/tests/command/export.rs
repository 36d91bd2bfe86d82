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
    }
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
    assert_eq!(ended.code, Some(4), "{}", ended.err);
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
