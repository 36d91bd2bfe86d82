//! How long the client takes to sign what it is given, compared with the signer beneath it. Nothing is sent.
//!
//! `cargo run --release --no-default-features --features client --bin client`

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use benches::measure::{Contender, Goal, Table, interleaved};
use benches::subjects::token;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use oss_client::{Client, Operation, sign_reqwest};
use oss_credentials_core::{
    Clock, Credentials, CredentialsProvider, Fetched, RefreshingProvider, SystemClock, blocking, source_fn,
};
use oss_sign::{RequestView, Signer, v4};
use reqwest::Request;

const REGION: &str = "cn-hangzhou";
const BUCKET: &str = "examplebucket";
const KEY: &str = "path/to/exampleobject.txt";
const URL: &str = "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/path/to/exampleobject.txt";
const BODY: &[u8] = b"a short text";
/// What a `PutObject` has beside its body: the media type, and two that the service keeps with the object.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/plain")),
    (
        HeaderName::from_static("x-oss-storage-class"),
        HeaderValue::from_static("IA"),
    ),
    (
        HeaderName::from_static("x-oss-meta-author"),
        HeaderValue::from_static("somebody"),
    ),
];
/// Shorter than the credentials live.
const EXPIRES: Duration = Duration::from_secs(600);
const LIFE: Duration = Duration::from_secs(6 * 3600);

/// Requests in one batch, and batches in one run.
const BATCH: usize = 32;
const ROUNDS: usize = 3001;

/// What every contender gets.
struct Setting {
    client: Client,
    credentials: Credentials,
    signer: Signer,
    time: SystemTime,
}

impl Setting {
    /// The client asks a provider that holds refreshed credentials, and reads the system's clock.
    fn new(token_length: usize) -> Self {
        let end = SystemClock.now() + LIFE;
        let provider = RefreshingProvider::new(source_fn("bench", move || async move {
            let keys = Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002FakeTempSecr");
            let keys = keys.security_token(token(token_length)).expires_at(end);
            Ok(Fetched::new(keys.build()?))
        }));
        let credentials = blocking::wait(provider.credentials()).expect("the source answers");
        let client = Client::builder()
            .region(REGION)
            .disable_ssl(true)
            .no_proxy()
            .credentials(provider);
        Self {
            client: client.build().expect("valid"),
            credentials,
            signer: v4::Signer::builder(REGION).build().expect("valid").into(),
            time: SystemClock.now(),
        }
    }

    fn sign_by_client(&self, request: &mut Request) {
        let signed = self.client.sign_reqwest(request, Some(BUCKET), Some(KEY));
        blocking::wait(signed).expect("signs");
    }
}

/// What a program does that sends with a reqwest client of its own.
fn request() -> Request {
    let mut request = Request::new(Method::PUT, black_box(URL).parse().expect("valid"));
    fill(request.headers_mut());
    *request.body_mut() = Some(BODY.into());
    request
}

fn fill(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
}

/// Requests made and then given to `sign`; dropping them does not count.
fn made_and<'a>(sign: impl Fn(&mut Request) + 'a) -> Contender<'a> {
    let mut batch = Vec::with_capacity(BATCH);
    Box::new(move |watch| {
        batch.clear();
        watch.time(|| {
            for _ in 0..BATCH {
                let mut request = request();
                sign(&mut request);
                batch.push(black_box(request));
            }
        });
    })
}

/// Requests given to `sign`; making and dropping them does not count.
fn given_to<'a>(sign: impl Fn(&mut Request) + 'a) -> Contender<'a> {
    Box::new(move |watch| {
        let mut batch: Vec<Request> = (0..BATCH).map(|_| request()).collect();
        watch.time(|| batch.iter_mut().for_each(|request| sign(black_box(request))));
        black_box(batch);
    })
}

/// The signer beneath, on requests with room in their header maps.
fn signer_headers(setting: &Setting) -> Contender<'_> {
    let parts = || {
        let request = http::Request::put(URL).body(()).expect("valid");
        let mut parts: Parts = request.into_parts().0;
        parts.headers = HeaderMap::with_capacity(16);
        parts
    };
    let mut batch: Vec<Parts> = (0..BATCH).map(|_| parts()).collect();
    Box::new(move |watch| {
        for parts in &mut batch {
            parts.headers.clear();
            fill(&mut parts.headers);
        }
        watch.time(|| {
            for parts in &mut batch {
                let Setting {
                    credentials, time, ..
                } = setting;
                let signed = setting
                    .signer
                    .sign_parts(parts, Some(BUCKET), Some(KEY), credentials, *time);
                black_box(signed).expect("signs");
            }
        });
    })
}

/// The signer beneath: the query of a URL.
fn signer_url(setting: &Setting) -> Contender<'_> {
    let mut headers = HeaderMap::new();
    fill(&mut headers);
    Box::new(move |watch| {
        watch.time(|| {
            for _ in 0..BATCH {
                let view = RequestView::new("PUT").bucket(BUCKET).key(KEY).headers(&headers);
                let Setting {
                    credentials, time, ..
                } = setting;
                let signed = setting
                    .signer
                    .presign(black_box(&view), credentials, *time, EXPIRES);
                black_box(signed).expect("signs");
            }
        });
    })
}

fn operation() -> Operation {
    let operation = Operation::new("PutObject", Method::PUT).bucket(BUCKET).key(KEY);
    HEADERS.into_iter().fold(operation, |operation, (name, value)| {
        operation.header(name.as_str(), value.as_bytes())
    })
}

/// From an operation that is made for it to the whole URL as text.
fn client_url(setting: &Setting) -> Contender<'_> {
    Box::new(move |watch| {
        watch.time(|| {
            for _ in 0..BATCH {
                let presign = setting.client.presign(black_box(operation()), EXPIRES);
                black_box(blocking::wait(presign.into_future())).expect("signs");
            }
        });
    })
}

/// From an operation that is made for it to the request as it is sent, body included.
fn client_request(setting: &Setting) -> Contender<'_> {
    let mut batch = Vec::with_capacity(BATCH);
    Box::new(move |watch| {
        batch.clear();
        watch.time(|| {
            for _ in 0..BATCH {
                let signed = setting.client.sign(black_box(operation().body(BODY)));
                batch.push(black_box(blocking::wait(signed)).expect("signs"));
            }
        });
    })
}

fn main() -> ExitCode {
    let mut table = Table::default();
    for length in [140, 720] {
        let setting = Setting::new(length);
        let Setting {
            signer,
            credentials,
            time,
            ..
        } = &setting;
        let bare = |request: &mut Request| {
            let signed = sign_reqwest(request, signer, Some(BUCKET), Some(KEY), credentials, *time);
            signed.expect("signs");
        };
        let mut signed = request();
        setting.sign_by_client(&mut signed);
        assert!(signed.headers().contains_key(header::AUTHORIZATION));
        let contenders = [
            ("V4 headers", signer_headers(&setting)),
            ("request made, not signed", made_and(|_| {})),
            (
                "request made, Client::sign_reqwest",
                made_and(|request| setting.sign_by_client(request)),
            ),
            (
                "Client::sign_reqwest",
                given_to(|request| setting.sign_by_client(request)),
            ),
            ("sign_reqwest", given_to(bare)),
            ("V4 URL", signer_url(&setting)),
            ("operation made, Client::presign", client_url(&setting)),
            ("operation made, Client::sign", client_request(&setting)),
        ];
        let (names, mut contenders): (Vec<_>, Vec<_>) = contenders.into_iter().unzip();
        let rounds = interleaved(ROUNDS, &mut contenders);
        for (contender, name) in names.iter().enumerate() {
            let each = rounds.best(contender) * 1e9 / BATCH as f64;
            println!("{each:7.0} ns at best: {name}, token of {length} bytes");
        }
        for (contender, base) in [(2, 1), (2, 0), (1, 0), (3, 0), (4, 0), (6, 5), (7, 0)] {
            let what = format!("{} / {}, token of {length} bytes", names[contender], names[base]);
            // None has a goal.
            table.row(what, Goal::None, rounds.ratio(contender, base));
        }
    }
    println!();
    table.finish()
}
