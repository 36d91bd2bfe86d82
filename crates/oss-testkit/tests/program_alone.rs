//! The program, without another one beside it.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use support::*;

/// Ends the program also when the test fails, and removes what it leaves behind.
struct Program {
    child: Child,
    folder: tempfile::TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(arguments: &[&str]) -> (Program, BufReader<std::process::ChildStdout>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oss-testkit"));
    let folder = tempfile::tempdir().unwrap();
    command.args(arguments).env("TMPDIR", folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let out = child.stdout.take().unwrap();
    (Program { child, folder }, BufReader::new(out))
}

#[test]
fn the_program_prints_the_variables_and_serves() {
    let (_program, mut out) = program(&["--json", "--region", "cn-beijing", "--session-seconds", "30"]);
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let variables: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(variables["OSS_REGION"], "cn-beijing");
    let endpoint = variables["ALIBABA_CLOUD_STS_ENDPOINT"].as_str().unwrap();
    assert_eq!(
        send(endpoint, "GET", "/", &[], b"").unwrap().refusal().1,
        "InvalidVersion"
    );

    let arguments = [
        "--json",
        "--no-metadata-role",
        "--metadata-mode",
        "hardened",
        "--uri-user",
        "u:p:w",
    ];
    let (program_with_token, mut out) = program(&arguments);
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let variables: serde_json::Value = serde_json::from_str(&line).unwrap();
    let value = |name: &str| variables[name].as_str().unwrap();
    let metadata = value("ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT");
    let roles = "/latest/meta-data/ram/security-credentials/";
    assert_eq!(send(metadata, "GET", roles, &[], b"").unwrap().status, 403);
    let ttl = [("X-aliyun-ecs-metadata-token-ttl-seconds", "60")];
    let token = send(metadata, "PUT", "/latest/api/token", &ttl, b"")
        .unwrap()
        .body;
    let headers = [("X-aliyun-ecs-metadata-token", token.as_str())];
    assert_eq!(send(metadata, "GET", roles, &headers, b"").unwrap().status, 404);
    let uri = value("ALIBABA_CLOUD_CREDENTIALS_URI");
    assert!(uri.starts_with("http://u:p%3Aw@127.0.0.1:"), "{uri}");
    let arn = value("ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
    assert!(arn.starts_with("acs:ram::123456789012:oidc-provider/"), "{arn}");
    let file = std::path::Path::new(value("ALIBABA_CLOUD_OIDC_TOKEN_FILE"));
    assert_eq!(std::fs::read_to_string(file).unwrap().split('.').count(), 3);
    #[cfg(unix)]
    {
        // Asked to end, it takes its file along.
        let pid = program_with_token.child.id().to_string();
        assert!(file.starts_with(program_with_token.folder.path()));
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        wait_until("the end of the token file", || !file.parent().unwrap().exists());
    }

    let key = ["--access-key-id", "an-id", "--access-key-secret", "it's a secret"];
    let (_program, out) = program(&key);
    let lines: Vec<String> = out.lines().take(10).map(Result::unwrap).collect();
    assert_eq!(lines[0], "export OSS_ACCESS_KEY_ID='an-id'");
    assert_eq!(lines[1], r"export OSS_ACCESS_KEY_SECRET='it'\''s a secret'");
    assert!(lines.iter().all(|line| line.starts_with("export ")), "{lines:?}");
}
