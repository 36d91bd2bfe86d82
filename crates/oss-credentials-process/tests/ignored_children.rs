//! A process that ignores `SIGCHLD`, as some supervisors start theirs, hears nothing of how its children end.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use oss_credentials_core::{CredentialsError, CredentialsSource as _, blocking};
use oss_credentials_process::CredentialsProcess;

/// Whether this process ignores the signal number 17.
fn ignores_children() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << 16) != 0
}

fn fetch(script: &str) -> Result<String, CredentialsError> {
    let source = CredentialsProcess::builder()
        .command(["/bin/sh", "-c", script])
        .time_limit(Duration::from_millis(700))
        .build_source()?;
    blocking::wait(source.fetch()).map(|fetched| fetched.credentials().access_key_id().to_owned())
}

/// In a process of its own: such a setting is inherited, and is no test's to change.
#[test]
fn without_an_exit_status_the_output_counts() {
    let again = Command::new("perl")
        .args(["-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV"])
        .arg(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "within_a_process_that_ignores_its_children",
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && told.contains("1 passed"), "{again:?}");
}

#[test]
#[ignore = "run by the test above"]
fn within_a_process_that_ignores_its_children() {
    assert!(ignores_children());
    let id = fetch(r#"echo '{"access_key_id": "id", "access_key_secret": "secret"}'"#);
    assert_eq!(id.unwrap(), "id");
    for (script, defect) in [
        ("exit 3", "is empty"),
        ("echo canary; exit 3", "is not a JSON object"),
    ] {
        let error = fetch(script).unwrap_err();
        assert!(matches!(error, CredentialsError::Unavailable(_)), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "process: the program's output {defect}, and its exit status is lost, as this process ignores \
                 SIGCHLD (sh); run it by hand to see whether it fails"
            )
        );
    }
    let error = fetch("exec sleep 600").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("process: the program did not exit within 0.7 s, and was killed (sh); "),
        "{error}"
    );
}
