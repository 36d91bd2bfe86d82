//! The program that runs another one beside the cloud.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The program, with signals as a flag of GNU's `env` says; elsewhere they are as they were for this test.
fn program(signals: &str) -> Command {
    const PROGRAM: &str = env!("CARGO_BIN_EXE_oss-testkit");
    if !cfg!(target_os = "linux") {
        return Command::new(PROGRAM);
    }
    let mut command = Command::new("env");
    command.args([signals, PROGRAM]);
    command
}

/// Ends the program also when the test fails.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

impl Program {
    /// Runs this script beside a cloud, away from the terminal that the test may have.
    fn running(script: &str) -> Self {
        Self::running_with(&[], &[], script)
    }

    fn running_with(options: &[&str], variables: &[(&str, &str)], script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = program("--default-signal")
            .args(options)
            .args(["--", "sh", "-c", script])
            .envs(variables.iter().copied())
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out, folder }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn kill(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(killed.unwrap().success());
    }

    /// What else was printed, and the exit code. Nothing may be left behind.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), None);
        let left: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
        (rest, status.code())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_exit_code_is_the_programs_own() {
    for (script, code) in [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -s TERM $$", 143),
        ("kill -s KILL $$", 137),
    ] {
        assert_eq!(
            Program::running(script).end(),
            (String::new(), Some(code)),
            "{script}"
        );
    }
    let missing = Command::new(env!("CARGO_BIN_EXE_oss-testkit"))
        .args(["--", "/there/is/no/such/program"])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(1));
    let text = String::from_utf8(missing.stderr).unwrap();
    assert!(
        text.starts_with("oss-testkit: /there/is/no/such/program cannot be run: "),
        "{text}"
    );
}

#[test]
fn signals_sent_to_the_cloud_alone_reach_the_program() {
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        // A shell waits for what it started, and for nothing else, when a signal comes.
        let script = format!(
            "trap 'echo caught; kill $!; exit 9' {signal}; sleep 60 >/dev/null & echo ready; wait; exit 1"
        );
        let mut program = Program::running(&script);
        assert_eq!(program.line(), "ready");
        program.kill(signal);
        assert_eq!(program.end(), ("caught\n".to_owned(), Some(9)), "{signal}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    // As `nohup` and shells without job control do.
    let script = "kill -s HUP $$; kill -s INT $$; echo alive";
    let ended = program("--ignore-signal=HUP,INT")
        .args(["--", "sh", "-c", script])
        .output()
        .unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    assert_eq!((ended.status.code(), out.as_str()), (Some(0), "alive\n"));
}

#[test]
fn a_program_without_a_handler_ends_by_the_signal() {
    let mut program = Program::running("echo ready; exec sleep 60");
    assert_eq!(program.line(), "ready");
    program.kill("TERM");
    assert_eq!(program.end(), (String::new(), Some(128 + 15)));
}

#[test]
fn a_program_may_take_its_time_and_gets_every_signal() {
    let script = "n=0; trap 'n=$((n+1)); echo $n; [ $n -lt 2 ] || { kill $!; exit 3; }' TERM; \
        sleep 60 >/dev/null & echo ready; while :; do wait; done";
    let mut program = Program::running(script);
    assert_eq!(program.line(), "ready");
    program.kill("TERM");
    assert_eq!(program.line(), "1");
    assert!(
        program.child.try_wait().unwrap().is_none(),
        "ends when the program does"
    );
    program.kill("TERM");
    assert_eq!(program.end(), ("2\n".to_owned(), Some(3)));
}

#[test]
fn the_program_finds_files_with_profiles() {
    let script = r#"cat "$ALIBABA_CLOUD_CONFIG_FILE"; echo; ls "$ALIBABA_CLOUD_CREDENTIALS_FILE""#;
    let program = Program::running(script);
    let home = program.folder.path().to_owned();
    let (text, code) = program.end();
    assert_eq!(code, Some(0));
    let (config, ini) = text.trim_end().rsplit_once('\n').unwrap();
    let config: serde_json::Value = serde_json::from_str(config).unwrap();
    assert_eq!(config["current"], "AK");
    assert!(PathBuf::from(ini).starts_with(home), "{ini}");
}

#[test]
fn a_program_is_led_to_the_cloud_and_nowhere_else() {
    let inherited = [
        ("http_proxy", "http://proxy.example:3128"),
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("ALIBABA_CLOUD_PROFILE", "staging"),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/elsewhere"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "elsewhere"),
        ("OSS_SESSION_TOKEN", "elsewhere"),
        ("ALIBABA_CLOUD_ECS_METADATA", "elsewhere"),
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "false"),
        ("ALIBABA_CLOUD_CREDENTIALS_PROVIDER", "oidc-rrsa"),
    ];
    let variables = |options: &[&str]| {
        let (text, code) = Program::running_with(options, &inherited, "env").end();
        assert_eq!(code, Some(0));
        text
    };
    let text = variables(&[]);
    for wrong in ["proxy.example", "staging", "elsewhere"] {
        assert!(!text.contains(wrong), "{wrong}: {text}");
    }
    for name in [
        "ALIBABA_CLOUD_STS_ENDPOINT",
        "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT",
    ] {
        assert!(
            text.contains(&format!("\n{name}=http://127.0.0.1:")),
            "{name}: {text}"
        );
    }
    let disabled = "ALIBABA_CLOUD_ECS_METADATA_DISABLED=";
    assert!(text.contains(&format!("{disabled}true\n")), "{text}");
    // Which member is asked is the caller's to say.
    assert!(
        text.contains("ALIBABA_CLOUD_CREDENTIALS_PROVIDER=oidc-rrsa\n"),
        "{text}"
    );
    for asked_for in [
        &["--metadata"][..],
        &["--metadata-mode", "hardened"],
        &["--no-metadata-role"],
    ] {
        let text = variables(asked_for);
        assert!(!text.contains(disabled), "{asked_for:?}: {text}");
    }
}
