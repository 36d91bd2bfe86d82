//! Throughput of `oss-credentials serve` beside a bare axum handler: two processes with a thread each, asked in turn by
//! the same callers over connections that stay open.
//!
//! The throughput is that of a second of the server's own CPU time: on a quiet machine a server with one thread uses all of
//! a core, and on a busy one the rest of the time says nothing about it. Needs Linux.
//!
//! `cargo run --release --no-default-features --features agent --bin agent -- PATH-TO-oss-credentials [--gate]`
#![allow(clippy::disallowed_methods, reason = "a benchmark takes the time")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Less than this part of the bare handler's throughput fails the gate.
const GOAL: f64 = 0.8;
const CALLERS: usize = 4;
const ROUNDS: usize = 31;
const ROUND: Duration = Duration::from_millis(200);
/// As long as the agent's document for a key without a token.
const BODY: &str = r#"{"AccessKeyId":"LTAIEXAMPLEEXAMPLE","AccessKeySecret":"EXAMPLEEXAMPLEEXAMPLEEXAMPLE","Code":"Success","Expiration":"2026-01-02T03:04:05Z","SecurityToken":""}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--bare") {
        return bare();
    }
    let Some(program) = arguments.iter().find(|argument| !argument.starts_with("--")) else {
        panic!("name the program oss-credentials, built with --release");
    };
    let own = std::env::current_exe().expect("the path of this program");
    let mut contenders = [
        Server::start(Command::new(own).arg("--bare")),
        Server::start(
            Command::new(program)
                .args(["serve", "--keys", "oss"])
                .env("OSS_ACCESS_KEY_ID", "LTAIEXAMPLEEXAMPLE")
                .env("OSS_ACCESS_KEY_SECRET", "EXAMPLEEXAMPLEEXAMPLEEXAMPLE"),
        ),
    ];
    for contender in &mut contenders {
        contender.round();
        contender.rates.clear();
    }
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            contender.round();
        }
    }
    let [bare, agent] = contenders.map(|contender| contender.rates.clone());
    // Each pair of rounds is next to each other, so that what else the machine does falls on both.
    let ratio = median(bare.iter().zip(&agent).map(|(bare, agent)| agent / bare));
    let [bare, agent] = [bare, agent].map(|rates| median(rates.into_iter()));
    println!(
        "for each second of CPU time, bare axum handler: {bare:.0} requests; agent: {agent:.0} requests; ratio {ratio:.2}, goal {GOAL}"
    );
    if arguments.iter().any(|argument| argument == "--gate") && ratio < GOAL {
        std::process::exit(1);
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Serves one document at a free port, which is printed as a URL.
fn bare() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        println!("http://{address}/credentials");
        let handler = || async {
            (
                [
                    ("content-type", "application/json"),
                    ("cache-control", "no-store"),
                ],
                BODY,
            )
        };
        let router = axum::Router::new().route("/credentials", axum::routing::get(handler));
        axum::serve(listener, router).await.expect("it serves");
    });
}

struct Server {
    process: Child,
    address: String,
    request: String,
    rates: Vec<f64>,
}

impl Server {
    /// Starts a program that prints its URL first.
    fn start(command: &mut Command) -> Self {
        let mut process = command
            .env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut url = String::new();
        let mut out = BufReader::new(process.stdout.take().expect("its output"));
        out.read_line(&mut url).expect("its URL");
        let rest = url.trim().strip_prefix("http://").expect("a URL");
        let (address, path) = rest.split_once('/').expect("a path");
        Self {
            request: format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\n\r\n"),
            address: address.to_owned(),
            process,
            rates: Vec::new(),
        }
    }

    /// Requests of all callers together, for each second of the server's CPU time.
    fn round(&mut self) {
        let begun = Instant::now();
        let before = self.cpu_time();
        let total: usize = std::thread::scope(|scope| {
            let caller = || scope.spawn(|| ask(&self.address, &self.request, begun));
            let callers: Vec<_> = (0..CALLERS).map(|_| caller()).collect();
            callers
                .into_iter()
                .map(|caller| caller.join().expect("a caller"))
                .sum()
        });
        self.rates.push(total as f64 / (self.cpu_time() - before));
    }

    /// Seconds of CPU time of the server's main thread, which does all the work. Manual page proc_schedstat(5).
    fn cpu_time(&self) -> f64 {
        let path = format!("/proc/{}/schedstat", self.process.id());
        let text = std::fs::read_to_string(path).expect("the CPU time of the server");
        let nanoseconds = text
            .split(' ')
            .next()
            .and_then(|number| number.parse::<f64>().ok());
        nanoseconds.expect("nanoseconds") / 1e9
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Asks over one connection until the round is over.
fn ask(address: &str, request: &str, begun: Instant) -> usize {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut buffer = [0; 4096];
    let mut count = 0;
    while begun.elapsed() < ROUND {
        stream.write_all(request.as_bytes()).expect("sent");
        // Head and body are small, and arrive together.
        let read = stream.read(&mut buffer).expect("received");
        assert!(buffer[..read].starts_with(b"HTTP/1.1 200"), "refused");
        count += 1;
    }
    count
}
