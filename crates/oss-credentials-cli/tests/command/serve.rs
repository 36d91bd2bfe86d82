//! `serve`: the agent and its callers, good and bad.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use oss_testkit::{Fault, Service};

use crate::support::{Place, Running, get, run, send, split};

/// Starts an agent that prints its URL.
fn agent(command: Command) -> (Running, String) {
    let mut running = Running::start(command);
    let url = running.line();
    (running, url)
}

fn secret_of(url: &str) -> &str {
    url.split_once("secret=").unwrap().1
}

#[test]
fn the_url_is_in_a_file_that_nobody_else_can_read_and_goes_with_the_agent() {
    let place = Place::new();
    let file = place.path("url");
    let mut running = Running::start(place.with_uri(&["serve", "--url-file", file.to_str().unwrap()]));
    running.log_until("listening");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let url = std::fs::read_to_string(&file).unwrap();
    let response = get(url.trim());
    assert_eq!(response.status, 200);
    assert!(
        response.head.contains("cache-control: no-store"),
        "{}",
        response.head
    );
    assert!(
        response.head.contains("content-type: application/json"),
        "{}",
        response.head
    );
    let document = response.json();
    assert_eq!(document["Code"], "Success");
    for field in ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"] {
        assert!(
            document[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field}"
        );
    }
    running.kill("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(!file.exists());
    let caller = format!("caller=\"pid {}, user ", std::process::id());
    assert!(ended.err.contains(&caller), "{}", ended.err);
    let secrets = [
        secret_of(url.trim()),
        document["AccessKeySecret"].as_str().unwrap(),
    ];
    for secret in secrets {
        assert!(!ended.err.contains(secret), "{}", ended.err);
    }
}

#[test]
fn two_hundred_processes_cause_one_fetch() {
    let place = Place::new();
    let (_agent, url) = agent(place.with_profiles(&["serve", "--profile", "RamRoleArn"]));
    let start = |_| {
        let mut command = place.bare(&["export", "--format", "json"]);
        command
            .env("ALIBABA_CLOUD_CREDENTIALS_URI", &url)
            .stdout(Stdio::piped());
        command.spawn().unwrap()
    };
    let processes: Vec<_> = (0..200).map(start).collect();
    let mut keys = std::collections::BTreeSet::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        keys.insert(report["access_key_id"].to_string());
    }
    assert_eq!(keys.len(), 1);
    assert_eq!(place.cloud.count(Service::Sts, "AssumeRole"), 1);
}

#[test]
fn whoever_has_no_right_is_refused_and_whoever_asks_too_often_gets_no_reason() {
    let place = Place::new();
    let (mut agent, url) = agent(place.with_uri(&["serve"]));
    let (address, _) = split(&url);
    let with = |target: &str| format!("http://{address}{target}");
    let wrong = "0".repeat(64);
    for (method, url, headers, status) in [
        ("GET", with("/credentials"), &[][..], 403),
        ("GET", with(&format!("/credentials?secret={wrong}")), &[], 403),
        ("GET", with("/credentials?secret="), &[], 403),
        ("GET", with("/"), &[], 404),
        (
            "GET",
            with("/latest/meta-data/ram/security-credentials/"),
            &[],
            404,
        ),
        ("GET", url.clone(), &["host: evil.example"], 403),
        ("GET", url.clone(), &["host: evil.example:80"], 403),
        ("GET", url.clone(), &["host: 127.0.0.1:80"], 403),
        ("GET", url.clone(), &["host: 127.0.0.1.evil.example"], 403),
        ("POST", url.clone(), &["content-length: 0"], 405),
    ] {
        let response = send(method, &url, headers);
        assert_eq!(
            response.status, status,
            "{method} {url} {headers:?}: {}",
            response.body
        );
        assert!(!response.body.contains("AccessKey"), "{}", response.body);
    }
    // With and without its port, by name and by number.
    for host in ["127.0.0.1", "LOCALHOST", address] {
        assert_eq!(
            send("GET", &url, &[&format!("host: {host}")]).status,
            200,
            "{host}"
        );
    }
    let refused: Vec<u16> = (0..30).map(|_| get(&with("/credentials")).status).collect();
    // One more a second is told why.
    let throttled = refused.iter().filter(|status| **status == 429).count();
    assert!(throttled > 0, "{refused:?}");
    assert_eq!(get(&url).status, 200, "whoever has the secret is never throttled");
    agent.kill("TERM");
    agent.log_until("ending");
    let log = agent.end().err;
    assert!(!log.contains(secret_of(&url)), "{log}");
}

#[test]
fn a_rotation_is_served_after_a_reload_and_a_failed_one_takes_nothing_away() {
    let place = Place::new();
    let (mut agent, url) = agent(place.with_uri(&["serve"]));
    let key = || get(&url).json()["AccessKeyId"].to_string();
    let first = key();
    assert_eq!(key(), first);
    place.cloud.rotate_credentials_uri();
    assert_eq!(key(), first, "it is cached");
    agent.kill("HUP");
    agent.log_until(": reloaded");
    let second = key();
    assert_ne!(second, first);
    place.cloud.fault(
        Service::CredentialsUri,
        Fault::error(500, "InternalError").always(),
    );
    agent.kill("HUP");
    agent.log_until(": not reloaded");
    assert_eq!(key(), second);
}

#[test]
fn a_credentials_uri_in_a_file_is_read_again() {
    let place = Place::new();
    let file = place.path("uri");
    // What is in the file of an agent that has ended.
    std::fs::write(&file, "http://127.0.0.1:1/credentials?secret=old").unwrap();
    let path = file.to_str().unwrap();
    let (mut agent, url) = agent(place.bare(&["serve", "--credentials-uri-file", path]));
    assert_eq!(get(&url).status, 503);
    std::fs::write(&file, place.cloud.credentials_uri()).unwrap();
    agent.kill("HUP");
    agent.log_until(": reloaded");
    assert_eq!(get(&url).status, 200);
    std::fs::remove_file(&file).unwrap();
    agent.kill("HUP");
    let log = agent.log_until(": not reloaded");
    assert!(
        log.contains("--credentials-uri-file: ") && log.contains("cannot be read"),
        "{log}"
    );
    assert_eq!(get(&url).status, 200);
}

#[test]
fn an_agent_without_credentials_does_not_start_and_one_without_a_network_does() {
    let place = Place::new();
    let ended = run(place.bare(&["serve"]));
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let ended = run(place.with_uri(&["serve", "--listen", "0.0.0.0:0"]));
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.err.starts_with("serve: 0.0.0.0:0 is not on loopback"),
        "{}",
        ended.err
    );
    let unreachable = Fault::error(503, "ServiceUnavailable").always();
    place.cloud.fault(Service::CredentialsUri, unreachable);
    let (mut agent, url) = agent(place.with_uri(&["serve"]));
    let response = get(&url);
    assert_eq!(response.status, 503, "{}", response.body);
    assert_eq!(response.json()["Code"], "ServiceUnavailable");
    place.cloud.clear_faults();
    agent.kill("HUP");
    agent.log_until(": reloaded");
    assert_eq!(get(&url).status, 200);
}

#[test]
fn a_url_can_outlive_a_killed_agent() {
    let place = Place::new();
    let file = place.path("url");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listen = format!("127.0.0.1:{port}");
    let start = || {
        let arguments = [
            "serve",
            "--listen",
            &listen,
            "--keep-url",
            "--url-file",
            file.to_str().unwrap(),
        ];
        let mut running = Running::start(place.with_uri(&arguments));
        running.log_until("listening");
        running
    };
    let mut first = start();
    let url = std::fs::read_to_string(&file).unwrap();
    assert_eq!(get(url.trim()).status, 200);
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let second = start();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), url);
    assert_eq!(get(url.trim()).status, 200);
    second.kill("TERM");
    assert_eq!(second.end().code, Some(0));
    assert!(file.exists(), "the next agent is to have it");
    // Another user may have read it.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = run(place.with_uri(&[
        "serve",
        "--listen",
        &listen,
        "--keep-url",
        "--url-file",
        file.to_str().unwrap(),
    ]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("can be read by other users"), "{}", ended.err);
}

#[cfg(target_os = "linux")]
#[test]
fn instance_metadata_is_for_the_same_user_and_wants_a_token() {
    let place = Place::new();
    let (agent, url) = agent(place.with_uri(&["serve", "--imds"]));
    let (address, _) = split(&url);
    let with = |path: &str| format!("http://{address}{path}");
    let role = "/latest/meta-data/ram/security-credentials/";
    assert_eq!(get(&with(role)).status, 401, "version 1");
    let ttl = |seconds: &str| format!("x-aliyun-ecs-metadata-token-ttl-seconds: {seconds}");
    for bad in ["0", "21601", "x"] {
        assert_eq!(
            send("PUT", &with("/latest/api/token"), &[&ttl(bad)]).status,
            400,
            "{bad}"
        );
    }
    let proxied = send(
        "PUT",
        &with("/latest/api/token"),
        &[&ttl("60"), "x-forwarded-for: 10.0.0.1"],
    );
    assert_eq!(proxied.status, 403);
    let token = send("PUT", &with("/latest/api/token"), &[&ttl("21600")]).body;
    let token = format!("x-aliyun-ecs-metadata-token: {token}");
    let name = send("GET", &with(role), &[&token]).body;
    assert_eq!(name, "oss-credentials");
    let document = send("GET", &with(&format!("{role}{name}")), &[&token]).json();
    assert_eq!(document["Code"], "Success");
    assert!(
        document["AccessKeyId"].as_str().unwrap().starts_with("STS."),
        "{document}"
    );
    // Our own provider takes it for an instance.
    let ask = |user: Option<u32>| {
        let mut command = place.bare(&[
            "export",
            "--format",
            "json",
            "--ecs-metadata-endpoint",
            &format!("http://{address}"),
        ]);
        command.env_remove("ALIBABA_CLOUD_ECS_METADATA_DISABLED");
        if let Some(user) = user {
            command.uid(user);
        }
        run(command)
    };
    let ended = ask(None);
    assert_eq!(
        ended.json()["access_key_id"],
        document["AccessKeyId"],
        "{}",
        ended.err
    );
    if nix_is_root() {
        let ended = ask(Some(65_534));
        assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{}", ended.err);
        assert!(ended.err.contains("HTTP 403"), "{}", ended.err);
    }
    agent.kill("TERM");
    let log = agent.end().err;
    let caller = format!("credentials requested caller=\"pid {}, user ", std::process::id());
    assert!(log.contains(&caller), "{log}");
}

#[cfg(target_os = "linux")]
#[test]
fn keys_without_a_token_are_not_served_as_instance_metadata() {
    const TEXT: &str = "--imds needs temporary credentials: instance metadata always has a security token, and these \
                        keys have none; leave it out, or choose a profile that assumes a role";
    let place = Place::new();
    let ended = run(place.with_keys(&["serve", "--imds"]));
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{}", ended.err);
    assert!(
        ended.err.ends_with(&format!("\nserve: {TEXT}\n")),
        "{}",
        ended.err
    );
    // An agent that finds such keys later does not serve them.
    let write = |mode: &str, token: &str| {
        let config = serde_json::json!({
            "current": "a",
            "profiles": [{ "name": "a", "mode": mode, "access_key_id": "EXAMPLE", "access_key_secret": "EXAMPLE",
                           "sts_token": token }],
        });
        std::fs::write(place.path("config.json"), config.to_string()).unwrap();
    };
    write("StsToken", "TOKEN");
    let (mut agent, url) = agent(place.with_profiles(&["serve", "--imds"]));
    write("AK", "");
    agent.kill("HUP");
    agent.log_until(": reloaded");
    let (address, _) = split(&url);
    let with = |path: &str| format!("http://{address}{path}");
    let ttl = "x-aliyun-ecs-metadata-token-ttl-seconds: 60";
    let token = send("PUT", &with("/latest/api/token"), &[ttl]).body;
    let token = format!("x-aliyun-ecs-metadata-token: {token}");
    let path = "/latest/meta-data/ram/security-credentials/oss-credentials";
    let response = send("GET", &with(path), &[&token]);
    assert_eq!(response.status, 500, "{}", response.body);
    assert_eq!(response.json()["Message"], TEXT);
    assert_eq!(
        get(&url).json()["SecurityToken"],
        "",
        "the credentials URI has them"
    );
}

/// Whether this test may run a program as somebody else.
fn nix_is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// What the system says of the agent: descriptors, and memory in KiB.
#[cfg(target_os = "linux")]
fn size_of(agent: &Running) -> (usize, u64) {
    let process = std::path::PathBuf::from(format!("/proc/{}", agent.child.id()));
    let descriptors = std::fs::read_dir(process.join("fd")).unwrap().count();
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    (
        descriptors,
        line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap(),
    )
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_callers_and_ten_thousand_requests_leave_no_trace() {
    let place = Place::new();
    let (mut agent, url) = agent(place.with_uri(&["serve"]));
    // The log is read, so that the agent never waits for it.
    let mut log = agent.err.take().unwrap();
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    let (address, target) = split(&url);
    let request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    for _ in 0..200 {
        assert_eq!(get(&url).status, 200);
    }
    let (descriptors, memory) = size_of(&agent);

    // Slow: each sends half a request and waits.
    let slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /cred").unwrap();
            stream
        })
        .collect();
    assert_eq!(get(&url).status, 200, "others are answered meanwhile");
    // Endless: a head, a number of headers, a body.
    for endless in [
        format!("GET /{} HTTP/1.1\r\n", "x".repeat(64 * 1024)),
        format!(
            "GET / HTTP/1.1\r\nhost: {address}\r\n{}\r\n",
            "a: b\r\n".repeat(1000)
        ),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = stream.write_all(endless.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut head = [0; 64];
        let read = stream.read(&mut head).unwrap_or_default();
        let head = String::from_utf8_lossy(&head[..read]).into_owned();
        assert!(head.is_empty() || head.starts_with("HTTP/1.1 4"), "{head}");
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(
            format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 99999999\r\n\r\n").as_bytes(),
        )
        .unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    let body = [b'x'; 4096];
    let written = (0..4096).take_while(|_| stream.write_all(&body).is_ok()).count();
    assert!(written < 4096, "16 MiB of a body that nobody wants were read");
    drop(slow);

    // Ten thousand requests: half of them on connections of their own.
    for _ in 0..1000 {
        assert_eq!(get(&url).status, 200);
    }
    let mut stream = TcpStream::connect(address).unwrap();
    let mut response = [0; 4096];
    for _ in 0..9000 {
        stream.write_all(request.as_bytes()).unwrap();
        // Head and body are small, and arrive together.
        let read = stream.read(&mut response).unwrap();
        assert!(response[..read].starts_with(b"HTTP/1.1 200 OK"));
    }
    drop(stream);
    let (descriptors_after, memory_after) = size_of(&agent);
    assert!(
        descriptors_after <= descriptors + 4,
        "{descriptors} descriptors, then {descriptors_after}"
    );
    assert!(memory_after <= memory + 4096, "{memory} KiB, then {memory_after}");
    assert_eq!(place.cloud.count(Service::CredentialsUri, "GetCredentials"), 1);
}
