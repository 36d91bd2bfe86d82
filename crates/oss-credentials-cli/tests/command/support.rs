//! A local cloud, and the command beside it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use oss_testkit::LocalCloud;
use serde_json::Value;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_oss-credentials");

/// A cloud with files of profiles, and an empty home. Nothing else of this machine is seen.
pub(crate) struct Place {
    pub(crate) cloud: LocalCloud,
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::of(LocalCloud::start_blocking().unwrap())
    }

    pub(crate) fn of(cloud: LocalCloud) -> Self {
        let folder = tempfile::tempdir().unwrap();
        cloud.write_profiles(folder.path()).unwrap();
        Self { cloud, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that finds STS, OSS and the home, and no credentials.
    pub(crate) fn program(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.folder.path())
            .env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
            .env("ALIBABA_CLOUD_STS_ENDPOINT", self.cloud.sts_endpoint())
            .env("OSS_ENDPOINT", self.cloud.oss_endpoint())
            .env("OSS_REGION", self.cloud.region())
            .stdin(Stdio::null());
        command
    }

    /// The command, which finds no credentials.
    pub(crate) fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(PROGRAM);
        command.args(arguments);
        command
    }

    /// The command, which finds the key of the cloud's user in variables.
    pub(crate) fn with_keys(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        let keys = self.cloud.access_key();
        command
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", keys.access_key_id())
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys.access_key_secret());
        command
    }

    /// The command, which finds the cloud's files with profiles.
    pub(crate) fn with_profiles(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.env("ALIBABA_CLOUD_CONFIG_FILE", self.path("config.json"));
        command
    }

    /// The command, which finds the credentials URI of the cloud.
    pub(crate) fn with_uri(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.env("ALIBABA_CLOUD_CREDENTIALS_URI", self.cloud.credentials_uri());
        command
    }
}

/// What a command printed, and its exit code.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

pub(crate) fn run(mut command: Command) -> Ended {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Ended {
        code: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// A command that goes on; ended also when the test fails.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) out: BufReader<ChildStdout>,
    pub(crate) err: Option<BufReader<ChildStderr>>,
}

impl Running {
    /// Away from the terminal that the test may have.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        Self {
            out: BufReader::new(child.stdout.take().unwrap()),
            err: child.stderr.take().map(BufReader::new),
            child,
        }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut log = String::new();
            self.err.as_mut().unwrap().read_to_string(&mut log).unwrap();
            panic!("it has ended: {log}");
        }
        line.trim_end().to_owned()
    }

    /// Lines of the log until one has this text, that included.
    pub(crate) fn log_until(&mut self, text: &str) -> String {
        let mut log = String::new();
        while !log.contains(text) {
            let read = self.err.as_mut().unwrap().read_line(&mut log).unwrap();
            assert_ne!(read, 0, "the log ends without {text:?}: {log}");
        }
        log
    }

    pub(crate) fn kill(&self, signal: &str) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(killed.unwrap().success());
    }

    pub(crate) fn end(mut self) -> Ended {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.err.take().unwrap().read_to_string(&mut err).unwrap();
        let status = self.child.wait().unwrap();
        Ended {
            code: status.code(),
            out,
            err,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response over plain HTTP, as it came.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Address and target of a URL.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    let at = rest.find('/').unwrap();
    rest.split_at(at)
}

/// Sends a request with these header lines, and reads the response to the end.
pub(crate) fn send(method: &str, url: &str, headers: &[&str]) -> Response {
    let (address, target) = split(url);
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|line| line.starts_with("host:")) {
        let _ = write!(head, "host: {address}\r\n");
    }
    for line in headers {
        let _ = write!(head, "{line}\r\n");
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    read(&mut stream)
}

pub(crate) fn get(url: &str) -> Response {
    send("GET", url, &[])
}

/// Reads a response to the end of the connection.
pub(crate) fn read(stream: &mut TcpStream) -> Response {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Response {
        status: status.unwrap_or_else(|| panic!("no response: {text:?}")),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}
