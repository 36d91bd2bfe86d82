//! Many who renew the same login at once: a refresh token is good once, and whoever spends one that is spent has lost
//! the login for all of them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::Clock as _;
use oss_credentials_core::CredentialsProvider as _;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::{HttpClient, HttpRequest, http_fn};
use oss_credentials_profile::ProfileProvider;
use oss_testkit::Service;

use crate::bench::{Bench, HOUR, client};
use crate::renewal::{answers, holds_the_login, unix};

const ROUNDS: u64 = 4;

/// That each renewal was made once, and none was refused.
fn nothing_was_lost(bench: &Bench, rounds: u64) {
    assert_eq!(bench.cloud.count(Service::OAuth, "RefreshToken"), rounds);
    let refused: Vec<_> = answers(bench)
        .into_iter()
        .filter(|(_, status)| *status != Some(200))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    holds_the_login(bench);
}

#[test]
fn providers_of_one_process() {
    let bench = Bench::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let providers: Vec<_> = (0..8).map(|_| Arc::new(bench.writing("OAuth"))).collect();
    for round in 1..=ROUNDS {
        bench.pass(3 * HOUR);
        let tasks: Vec<_> = providers
            .iter()
            .map(|provider| {
                let provider = Arc::clone(provider);
                runtime.spawn(async move { provider.credentials().await })
            })
            .collect();
        for task in tasks {
            let credentials = runtime.block_on(task).unwrap();
            bench.owner(&credentials.unwrap_or_else(|error| panic!("{round}: {error}")));
        }
        nothing_was_lost(&bench, round);
    }
}

const CONFIG: &str = "OSS_TEST_CONFIG";
const ENDPOINT: &str = "OSS_TEST_OAUTH_ENDPOINT";

/// This program once more, as a process that does what its standard input says.
pub(crate) struct Process {
    child: Child,
    pub(crate) input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(bench: &Bench) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "at_once::a_process_of_its_own",
                "--ignored",
                "--nocapture",
            ])
            .env(CONFIG, bench.config())
            .env(ENDPOINT, bench.cloud.oauth_endpoint())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// What it says to this time.
    fn answer(&mut self) -> String {
        let mut line = String::new();
        while !line.contains("answer: ") {
            line.clear();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the process has ended"
            );
        }
        line.trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn processes_of_one_machine() {
    let bench = Bench::new();
    let mut processes: Vec<_> = (0..4).map(|_| Process::start(&bench)).collect();
    for round in 1..=ROUNDS {
        bench.pass(3 * HOUR);
        for process in &mut processes {
            writeln!(process.input, "{}", unix(bench.now())).unwrap();
        }
        for process in &mut processes {
            let answer = process.answer();
            assert!(answer.contains("answer: STS."), "{round}: {answer}");
        }
        nothing_was_lost(&bench, round);
    }
}

/// Asks for credentials at each time that it reads.
#[test]
#[ignore = "a part of another test, which starts it"]
#[expect(clippy::disallowed_methods, reason = "it is a program of its own")]
fn a_process_of_its_own() {
    let (Ok(config), Ok(endpoint)) = (std::env::var(CONFIG), std::env::var(ENDPOINT)) else {
        return;
    };
    let inner = Arc::new(client(Arc::default()));
    let routed = http_fn(move |request: HttpRequest| {
        let inner = Arc::clone(&inner);
        let url = request.url().replace("https://oauth.aliyun.com", &endpoint);
        let to = HttpRequest::new(request.method(), url).with_body(request.body().to_vec());
        let to = request
            .headers()
            .fold(to, |to, (name, value)| to.with_header(name, value));
        async move { inner.send(to).await }
    });
    let clock = ManualClock::at_unix(0);
    let provider = ProfileProvider::builder()
        .cli_file(config)
        .profile("OAuth")
        .write_back(true)
        .http_client(routed)
        .clock(clock.clone())
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for line in std::io::stdin().lines() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(line.unwrap().parse().unwrap());
        clock.advance(now.duration_since(clock.now()).unwrap());
        let answer = runtime.block_on(async { provider.credentials().await });
        match answer {
            Ok(credentials) => println!("answer: {}", credentials.access_key_id()),
            Err(error) => println!("answer: {error}"),
        }
    }
}
