//! `exec`, with keys and beside an agent.

use std::process::Command;

use oss_testkit::Service;

use crate::support::{PROGRAM, Place, Running, run, send};

#[test]
fn a_program_gets_the_key_and_nothing_that_its_sdk_would_take_first() {
    let place = Place::new();
    let script = "env | grep -E 'ALIBABA|ALICLOUD|OSS_A|OSS_S|OSS_CRED' | sort";
    let mut command = place.with_profiles(&["exec", "--profile", "StsToken", "--", "sh", "-c", script]);
    command
        .env("ALICLOUD_ACCESS_KEY", "canary")
        .env("ALIBABA_CLOUD_ROLE_ARN", "canary")
        .env("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/canary");
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        !ended.out.contains("canary") && !ended.out.contains("OSS_CREDENTIALS_CLI"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("OSS_SESSION_TOKEN=") && ended.out.contains("ALIBABA_CLOUD_SECURITY_TOKEN="));
}

fn join<'a>(flags: &[&'a str], rest: &[&'a str]) -> Vec<&'a str> {
    [flags, rest].concat()
}

#[test]
fn it_exits_as_the_program_does() {
    let place = Place::new();
    for serve in [false, true] {
        let run = |script: &str| {
            let mut arguments = vec!["exec"];
            arguments.extend(serve.then_some("--serve"));
            arguments.extend(["--", "sh", "-c", script]);
            // With keys it is the program that is ended, and a shell shows 128 and the number.
            run(place.with_keys(&arguments)).code.unwrap_or(128 + 15)
        };
        assert_eq!(
            (run("exit 0"), run("exit 7"), run("kill -s TERM $$")),
            (0, 7, 143),
            "serve: {serve}"
        );
        let flags: &[&str] = if serve { &["exec", "--serve"] } else { &["exec"] };
        assert_eq!(
            crate::support::run(place.with_keys(&join(flags, &["--", "/no/such/program"]))).code,
            Some(127)
        );
        let plain = place.path("plain");
        std::fs::write(&plain, "").unwrap();
        let ended = crate::support::run(place.with_keys(&join(flags, &["--", plain.to_str().unwrap()])));
        assert_eq!(ended.code, Some(126), "{}", ended.err);
        let ended = crate::support::run(place.bare(&join(flags, &["--", "true"])));
        assert_eq!(ended.code, Some(125));
        assert!(
            ended.err.starts_with("chain: no provider has credentials"),
            "{}",
            ended.err
        );
    }
}

#[test]
fn signals_reach_a_program_beside_an_agent() {
    let place = Place::new();
    for signal in ["TERM", "HUP", "INT", "QUIT", "USR1"] {
        let script = format!(
            "trap 'echo caught; kill $!; exit 9' {signal}; sleep 60 >/dev/null 2>&1 & echo ready; wait; exit 1"
        );
        let mut running = Running::start(attentive(
            place.with_keys(&["exec", "--serve", "--", "sh", "-c", &script]),
        ));
        assert_eq!(running.line(), "ready");
        running.kill(signal);
        let ended = running.end();
        assert_eq!(
            (ended.out.as_str(), ended.code),
            ("caught\n", Some(9)),
            "{signal}: {}",
            ended.err
        );
    }
}

/// The same command, with no signal ignored, whatever has started this test. Only GNU's `env` can do that.
fn attentive(command: Command) -> Command {
    if !cfg!(target_os = "linux") {
        return command;
    }
    through_env(&["--default-signal"], &command)
}

/// The same command, started by `env`.
fn through_env(flags: &[&str], command: &Command) -> Command {
    let mut env = Command::new("env");
    env.args(flags)
        .arg(command.get_program())
        .args(command.get_args());
    env.env_clear();
    for (name, value) in command.get_envs() {
        env.env(name, value.unwrap_or_default());
    }
    env.stdin(std::process::Stdio::null());
    env
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let place = Place::new();
    for flags in [&["exec"][..], &["exec", "--serve"]] {
        let script = "kill -s HUP $$; kill -s INT $$; echo alive";
        let command = place.with_keys(&join(flags, &["--", "sh", "-c", script]));
        // As `nohup` and shells without job control do.
        let ended = run(through_env(&["--ignore-signal=HUP,INT"], &command));
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(0), "alive\n"),
            "{flags:?}"
        );
    }
}

#[test]
fn a_program_beside_an_agent_asks_the_agent_alone() {
    let place = Place::new();
    // Every other source has another identity: the user's key, a profile, a role.
    let script = format!("{PROGRAM} whoami --json; echo \"$ALIBABA_CLOUD_CREDENTIALS_URI\"; cat");
    let mut command = place.with_uri(&["exec", "--serve", "--provider", "uri", "--", "sh", "-c", &script]);
    let keys = place.cloud.access_key();
    command
        .stdin(std::process::Stdio::piped())
        .env("OSS_ACCESS_KEY_ID", keys.access_key_id())
        .env("OSS_ACCESS_KEY_SECRET", keys.access_key_secret())
        .env("ALIBABA_CLOUD_CONFIG_FILE", place.path("config.json"))
        .env("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", place.cloud.oidc_provider_arn())
        .env("ALIBABA_CLOUD_OIDC_TOKEN_FILE", place.path("oidc-token"))
        .env("ALIBABA_CLOUD_ROLE_ARN", place.cloud.role_arn());
    let mut running = Running::start(command);
    let mut report = String::new();
    while !report.ends_with('}') {
        report.push_str(&running.line());
    }
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["member"], "uri");
    assert_eq!(
        report["session"], "credentials-uri",
        "the cloud's own URI, through the agent"
    );
    assert_eq!(place.cloud.count(Service::CredentialsUri, "GetCredentials"), 1);
    let url = running.line();
    assert_eq!(send("GET", &url, &[]).status, 200);
    drop(running.child.stdin.take());
    assert_eq!(running.end().code, Some(0));
    let address = url
        .strip_prefix("http://")
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "the agent ends with the program"
    );
}
