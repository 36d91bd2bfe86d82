//! Real programs, run for their credentials.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{
    Clock as _, Credentials, CredentialsError, CredentialsProvider as _, CredentialsSource as _, Fetched,
    blocking,
};
use oss_credentials_process::{CredentialsProcess, CredentialsProcessBuilder};
use tempfile::TempDir;

const KEYS: &str = r#"{"access_key_id": "STS.canary-id", "access_key_secret": "canary-secret", "sts_token": "canary-token"}"#;

/// A folder with a shell script, the program.
struct Script(TempDir);

impl Script {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("helper"), text).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn builder(&self) -> CredentialsProcessBuilder {
        CredentialsProcess::builder().command([Path::new("/bin/sh"), &self.path("helper")])
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.path("runs"))
            .unwrap_or_default()
            .lines()
            .count()
    }
}

fn fetch(builder: CredentialsProcessBuilder) -> Result<Credentials, CredentialsError> {
    blocking::wait(builder.build_source()?.fetch()).map(Fetched::into_credentials)
}

fn text_of(outcome: Result<Credentials, CredentialsError>) -> String {
    let error = outcome.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary"), "{shown}");
    error.to_string()
}

/// Whether somebody with this id is alive.
fn alive(pid: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    // A zombie has ended; who inherited it has not looked yet.
    !state.is_empty() && !state.contains(") Z ")
}

/// Waits for what another process does; there is no clock to advance for those.
fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let (_sender, never) = std::sync::mpsc::channel::<()>();
    (0..500).any(|_| holds() || never.recv_timeout(Duration::from_millis(10)).is_ok())
}

#[test]
fn a_program_is_asked_and_its_credentials_are_kept() {
    let script = Script::new(&format!("echo run >> \"$(dirname $0)/runs\"\necho '{KEYS}'"));
    let provider = script.builder().build().unwrap();
    for _ in 0..3 {
        let credentials = blocking::wait(provider.credentials()).unwrap();
        assert_eq!(credentials.access_key_id(), "STS.canary-id");
        assert_eq!(credentials.access_key_secret(), "canary-secret");
        assert_eq!(credentials.security_token(), Some("canary-token"));
        assert_eq!(credentials.source(), "process");
    }
    assert_eq!(script.runs(), 1);
}

#[test]
fn without_an_expiration_it_is_asked_again_after_a_while() {
    let script = Script::new(&format!("echo run >> \"$(dirname $0)/runs\"\necho '{KEYS}'"));
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let provider = script
        .builder()
        .clock(clock.clone())
        .refresh_after(Duration::from_secs(600))
        .build()
        .unwrap();
    blocking::wait(provider.credentials()).unwrap();
    clock.advance(Duration::from_secs(599));
    blocking::wait(provider.credentials()).unwrap();
    assert_eq!(script.runs(), 1);
    clock.advance(Duration::from_secs(2));
    blocking::wait(provider.credentials()).unwrap();
    assert_eq!(script.runs(), 2);
}

#[test]
fn an_expiration_rules_over_the_setting() {
    let script = Script::new(
        r#"echo '{"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": "2027-01-15T09:00:00Z"}'"#,
    );
    // 2027-01-15T08:00:00Z
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let source = script.builder().clock(clock.clone()).build_source().unwrap();
    let fetched = blocking::wait(source.fetch()).unwrap();
    assert_eq!(fetched.refresh_after(), None);
    let ends = fetched.credentials().expires_at().unwrap();
    assert_eq!(
        ends.duration_since(clock.now()).unwrap(),
        Duration::from_secs(3600)
    );

    clock.advance(Duration::from_secs(3600));
    let error = blocking::wait(source.fetch()).unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("process: the credentials had expired when the program printed them (sh); "),
        "{error}"
    );
}

#[test]
fn standard_error_is_thrown_away_however_long_it_is() {
    // More than any pipe holds, and more than may stand on the other output, before its first byte.
    let script = Script::new(&format!(
        "i=0; while [ $i -lt 70 ]; do printf '%01000d' 0 >&2; i=$((i + 1)); done; echo canary >&2; echo '{KEYS}'"
    ));
    assert_eq!(fetch(script.builder()).unwrap().access_key_id(), "STS.canary-id");
}

#[test]
fn a_program_that_prints_too_much_is_ended() {
    let script = Script::new("echo $$ > \"$(dirname $0)/pid\"; while :; do echo canary-canary-canary; done");
    let text = text_of(fetch(script.builder()));
    assert_eq!(
        text,
        "process: the program printed more than 64 KiB, and was killed (sh); let it print the credentials only, and \
         log to a file"
    );
    let pid = fs::read_to_string(script.path("pid")).unwrap();
    assert!(eventually(|| !alive(&pid)));
}

#[test]
fn a_program_that_left_its_process_group_is_ended() {
    let script = Script::new(
        "echo $$ > \"$(dirname $0)/pid\"; exec perl -e 'setpgrp(0, getpgrp(getppid())) or die; sleep 600'",
    );
    let text = text_of(fetch(script.builder().time_limit(Duration::from_millis(500))));
    assert!(
        text.starts_with("process: the program did not exit within 0.5 s, and was killed (sh); "),
        "{text}"
    );
    let pid = fs::read_to_string(script.path("pid")).unwrap();
    assert!(eventually(|| !alive(&pid)));
}

#[test]
fn after_its_time_the_program_is_ended_with_all_that_it_started() {
    let script = Script::new(
        "sleep 600 & echo $! > \"$(dirname $0)/child\"; echo $$ > \"$(dirname $0)/pid\"; echo canary; wait",
    );
    let text = text_of(fetch(script.builder().time_limit(Duration::from_millis(300))));
    assert_eq!(
        text,
        "process: the program did not exit within 0.3 s, and was killed (sh); see by hand what it waits for, or \
         raise the time limit"
    );
    for name in ["pid", "child"] {
        let pid = fs::read_to_string(script.path(name)).unwrap();
        assert!(eventually(|| !alive(&pid)), "{name} lives on");
    }
}

#[test]
fn dropping_the_fetch_ends_the_program() {
    let script = Script::new("echo $$ > \"$(dirname $0)/pid\"; exec sleep 600");
    let source = script.builder().build_source().unwrap();
    {
        let mut fetch = pin!(source.fetch());
        let poll = fetch.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(poll, Poll::Pending));
        assert!(eventually(|| script.path("pid").exists()));
    }
    let pid = fs::read_to_string(script.path("pid")).unwrap();
    assert!(eventually(|| !alive(&pid)));
}

#[test]
fn what_a_program_leaves_behind_does_not_hold_up_its_answer() {
    let script = Script::new(&format!("sleep 600 & echo '{KEYS}'"));
    let builder = script.builder().time_limit(Duration::from_secs(120));
    assert_eq!(fetch(builder).unwrap().access_key_id(), "STS.canary-id");
}

#[test]
fn nothing_stands_on_its_standard_input() {
    let script = Script::new(&format!("read line || echo '{KEYS}'"));
    assert!(fetch(script.builder()).is_ok());
}

#[test]
fn a_command_line_is_split_without_a_shell() {
    // No key has a space: the script replaces the one in its second argument.
    let script = Script::new(
        "printf '{\"access_key_id\": \"%s\", \"access_key_secret\": \"%s\"}' \"$1\" \"${2% *}_${2#* }\"",
    );
    let helper = script.path("helper");
    let line = format!("/bin/sh '{}' \"$HOME\" a\\ b#c", helper.display());
    let credentials = fetch(CredentialsProcess::builder().command_line(line)).unwrap();
    assert_eq!(credentials.access_key_id(), "$HOME");
    assert_eq!(credentials.access_key_secret(), "a_b#c");
}

#[test]
fn faults_are_named_and_nothing_is_quoted() {
    for (script, what) in [
        (
            "echo canary >&2; exit 3",
            "the program failed with exit status: 3",
        ),
        ("kill -9 $$", "the program failed with signal: 9 (SIGKILL)"),
        (":", "the program's output is empty"),
        ("echo canary", "the program's output is not a JSON object"),
        ("echo '<html>canary'", "the program's output is HTML or XML"),
        (
            "echo '{\"access_key_id\": \"canary\"'",
            "the program's output is not the JSON that was expected (line 1, column 26)",
        ),
        (
            "echo '{\"access_key_id\": \"canary\"}'",
            "the program's output has no access_key_secret",
        ),
        // tests/cases/process-mode: a base pair is not the identity that is meant.
        (
            "echo '{\"mode\": \"RamRoleArn\", \"access_key_id\": \"canary\", \"access_key_secret\": \"s\", \
             \"ram_role_arn\": \"acs:ram::1:role/x\"}'",
            "the program's output has a mode other than AK and StsToken",
        ),
        (
            "echo '{\"mode\": \"ststoken\", \"access_key_id\": \"canary\", \"access_key_secret\": \"s\"}'",
            "the program's output has no sts_token, though its mode is StsToken",
        ),
        (
            "echo '{\"access_key_id\": \"canary \", \"access_key_secret\": \"s\"}'",
            "in the program's output the access key ID begins or ends with white space",
        ),
    ] {
        let script = Script::new(script);
        let text = text_of(fetch(script.builder()));
        assert!(text.starts_with(&format!("process: {what} (sh); ")), "{text}");
    }
    let advice = |output: &str| {
        let text = text_of(fetch(Script::new(&format!("echo '{output}'")).builder()));
        text.split_once("; ").unwrap().1.to_owned()
    };
    assert_eq!(
        advice("canary"),
        "let it print one JSON object with access_key_id and access_key_secret, and nothing else"
    );
    assert_eq!(
        advice(r#"{"mode": "RamRoleArn", "access_key_id": "i", "access_key_secret": "s"}"#),
        "let it print the keys to use, with the mode AK or StsToken, or without a mode"
    );
}

#[test]
fn a_bad_command_is_a_bad_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("login-helper");
    let error = fetch(CredentialsProcess::builder().command([&missing])).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "process: the program cannot be run (login-helper); check its path; without a slash it is looked up in PATH"
    );
    let no_program = Script::new("canary");
    let error = fetch(CredentialsProcess::builder().command([no_program.path("helper")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "process: the program cannot be run (helper); make it executable for the user of this process"
    );
    // Not every word with an equals sign is a variable of a shell.
    for line in ["1A=x helper", "a-b=x helper"] {
        assert!(
            CredentialsProcess::builder().command_line(line).build().is_ok(),
            "{line}"
        );
    }
    for (line, what) in [
        ("", "the command is empty"),
        ("  ", "the command is empty"),
        ("'' canary", "the command is empty"),
        (
            "helper 'canary",
            "the command line has a quote that is not closed",
        ),
        ("helper canary\\", "the command line ends with a backslash"),
        (
            "PASSWORD=canary helper",
            "the command line begins with a variable (NAME=value), and there is no shell to set it",
        ),
        (
            "_p2= helper canary",
            "the command line begins with a variable (NAME=value), and there is no shell to set it",
        ),
        ("helper canary\0", "the command contains a NUL character"),
    ] {
        let error = CredentialsProcess::builder()
            .command_line(line)
            .build()
            .unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)));
        assert!(
            error.to_string().starts_with(&format!("process: {what}; ")),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
    for words in [["canary\0", "x"], ["helper", "\0canary"]] {
        let error = CredentialsProcess::builder().command(words).build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)));
        assert_eq!(
            error.to_string(),
            "process: the command contains a NUL character; remove it: no program accepts one"
        );
    }
    let error = CredentialsProcess::builder().build().unwrap_err();
    assert!(error.is_not_configured(), "{error}");
}

#[test]
fn what_may_be_more_than_a_path_is_not_shown() {
    for program in [
        "helper --password canary",
        "PASSWORD=canary",
        "/opt/PASSWORD=canary/helper canary",
        "canary\n",
        "user:canary",
        "https://user:canary@host/",
        "..",
    ] {
        let source = CredentialsProcess::builder()
            .command([program])
            .build_source()
            .unwrap();
        assert_eq!(
            source.program(),
            "a program whose name is not shown",
            "{program:?}"
        );
        assert!(!format!("{source:?}").contains("canary"), "{source:?}");
        let error = blocking::wait(source.fetch()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("process: the program cannot be run (a program whose name is not shown); "),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("canary"));
    }
    for (program, name) in [
        ("helper", "helper"),
        ("./helper.sh", "helper.sh"),
        ("/usr/local/bin/login-helper_2", "login-helper_2"),
        ("~/报告", "报告"),
    ] {
        let source = CredentialsProcess::builder().command([program]).build_source();
        assert_eq!(source.unwrap().program(), name);
    }
}

#[test]
fn debug_shows_no_argument() {
    let builder = CredentialsProcess::builder().command(["helper", "--password", "canary"]);
    let shown = format!("{builder:?}");
    assert!(
        shown.starts_with("CredentialsProcessBuilder { time_limit: ") && !shown.contains("canary"),
        "{shown}"
    );
    let source = builder.build_source().unwrap();
    assert_eq!(source.name(), "process");
    let shown = format!("{source:?}");
    assert!(
        shown.starts_with("CredentialsProcess { program: \"helper\", arguments: 2, ")
            && !shown.contains("canary"),
        "{shown}"
    );
}

#[test]
fn a_failed_refresh_leaves_the_key_that_works() {
    let script = Script::new(&format!(
        "echo run >> \"$(dirname $0)/runs\"; [ $(wc -l < \"$(dirname $0)/runs\") = 1 ] && echo '{KEYS}'"
    ));
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let provider = script.builder().clock(clock.clone()).build().unwrap();
    let first = blocking::wait(provider.credentials()).unwrap();
    clock.advance(Duration::from_secs(3601));
    let second = blocking::wait(provider.credentials()).unwrap();
    assert!(second.same_key_as(&first));
    assert_eq!((script.runs(), provider.status().failures()), (2, 1));
}
