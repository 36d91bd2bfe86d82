//! Does one operation so many times, for `benches/callgrind` to count its instructions.
//!
//! `operations NAME COUNT`

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use benches::subjects::{Ours, Reply, Source};
use http::{HeaderMap, Request};
use oss_credentials_core::{Clock, CredentialsProvider, RefreshingProvider, blocking};
use oss_sign::v4::Signer;

const HOUR: Duration = Duration::from_secs(3600);
const REGION: &str = "cn-hangzhou";
const BUCKET: &str = "examplebucket";
const KEY: &str = "path/to/exampleobject.txt";

/// The same on every machine, where reading the clock is not.
#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)
    }

    fn monotonic(&self) -> Option<Duration> {
        Some(Duration::from_secs(3_600))
    }
}

fn provider() -> RefreshingProvider<Ours> {
    let source = Source::new(Standing, Duration::ZERO, Reply::Lasting(HOUR));
    RefreshingProvider::builder(Ours(Arc::clone(&source)))
        .clock(Standing)
        .build()
}

fn with_cached(provider: &RefreshingProvider<Ours>) {
    black_box(provider.with_cached(|credentials| black_box(credentials.access_key_id()).len()));
}

fn cached(provider: &RefreshingProvider<Ours>) {
    black_box(provider.cached());
}

fn credentials(provider: &RefreshingProvider<Ours>) {
    black_box(
        provider
            .credentials()
            .into_ready()
            .is_ok_and(|answer| black_box(answer).is_ok()),
    );
}

/// What no cached read can do without, as it judges expiry by both clocks: reads them, and converts them to integers.
fn read_clocks(clock: &dyn Clock) {
    let (wall, monotonic) = (clock.now(), clock.monotonic());
    let wall = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let nanos = |time: Duration| time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos());
    black_box(nanos(wall) - nanos(monotonic.unwrap_or_default()));
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (name, count) = (arguments.next().unwrap_or_default(), arguments.next());
    let Some(count) = count.and_then(|count| count.parse::<usize>().ok()) else {
        eprintln!("usage: operations read-clocks|with-cached|cached|credentials|sign-headers|presign COUNT");
        return ExitCode::FAILURE;
    };
    let provider = provider();
    let keys = blocking::wait(provider.credentials()).expect("the source answers");
    let signer = Signer::builder(REGION).build().expect("valid");
    let time = Standing.now();
    let url = format!("https://{BUCKET}.oss-{REGION}.aliyuncs.com/{KEY}");
    let mut parts = Request::get(url).body(()).expect("valid").into_parts().0;
    parts.headers = HeaderMap::with_capacity(16);
    let view = oss_sign::RequestView::new("GET").bucket(BUCKET).key(KEY);

    let read: fn(&RefreshingProvider<Ours>) = match name.as_str() {
        "read-clocks" => {
            let clock: Arc<dyn Clock> = black_box(Arc::new(Standing));
            for _ in 0..count {
                read_clocks(&*clock);
            }
            return ExitCode::SUCCESS;
        }
        "with-cached" => with_cached,
        "cached" => cached,
        "credentials" => credentials,
        "sign-headers" => {
            for _ in 0..count {
                parts.headers.clear();
                let signed = signer.sign_parts(&mut parts, Some(BUCKET), Some(KEY), &keys, time);
                black_box(signed).expect("signs");
            }
            return ExitCode::SUCCESS;
        }
        "presign" => {
            for _ in 0..count {
                black_box(signer.presign(black_box(&view), &keys, time, HOUR)).expect("signs");
            }
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("there is no operation {other:?}");
            return ExitCode::FAILURE;
        }
    };
    for _ in 0..count {
        read(&provider);
    }
    ExitCode::SUCCESS
}
