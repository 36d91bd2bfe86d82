//! What many callers at once do to a cache and to the source behind it: fetches, errors, who waits.
//!
//! `cargo run --release --bin herds [-- --gate]`
//!
//! The clock of our cache is moved by hand. The others have no clock that can be moved, so that they meet the
//! same herds in real time, and are cut off after a second where they would go on for long.

use std::fmt;
use std::future::poll_fn;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use benches::subjects::{Ours, Reply, Source};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{
    Backoff, BoxFuture, Clock, CredentialsProvider, RefreshingProvider, Sleep, SystemClock,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

const CALLERS: usize = 1_000;
/// How long the source takes.
const FETCH: Duration = Duration::from_millis(50);
const SLOW_FETCH: Duration = Duration::from_secs(3);
const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
/// When a value of an hour is due with our defaults: 20 % before its end.
const DUE: Duration = Duration::from_secs(2880);
/// Life of a value that the others take for nearly expired; their windows are fixed, the smallest is 2 minutes.
const NEARLY_EXPIRED: Duration = Duration::from_secs(60);
/// How long the others may take for one herd.
const CUT_OFF: Duration = Duration::from_secs(1);
/// How often each herd meets our cache. The worst run counts.
const RUNS: usize = 5;
const MILLISECOND: Duration = Duration::from_millis(1);

/// One call: whether it brought credentials.
type Call = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Ours {
        driver: bool,
    },
    #[cfg(feature = "rivals")]
    Reqsign,
    #[cfg(feature = "rivals")]
    Ossify,
    #[cfg(feature = "rivals")]
    ObjectStore,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ours { driver: true } => "ours, driver",
            Self::Ours { driver: false } => "ours, lazy",
            #[cfg(feature = "rivals")]
            Self::Reqsign => "reqsign-core",
            #[cfg(feature = "rivals")]
            Self::Ossify => "ossify",
            #[cfg(feature = "rivals")]
            Self::ObjectStore => "object_store",
        })
    }
}

#[cfg(feature = "rivals")]
const RIVALS: &[Kind] = &[Kind::Reqsign, Kind::Ossify, Kind::ObjectStore];
#[cfg(not(feature = "rivals"))]
const RIVALS: &[Kind] = &[];

/// The driver's timer. Tells what the driver waits for: moving the clock between its look at the clock and the
/// start of its timer would make it late by as much.
#[derive(Clone, Debug)]
struct Timer {
    clock: ManualClock,
    set_for: Arc<Mutex<Option<SystemTime>>>,
}

impl Sleep for Timer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let done = self.clock.sleep(duration);
        *self.set_for.lock().unwrap() = Some(self.clock.now() + duration);
        done
    }
}

/// Our cache, and its clock.
struct Handle {
    provider: RefreshingProvider<Ours>,
    timer: Timer,
}

impl Handle {
    fn new(driver: bool, source: &Arc<Source>, clock: ManualClock) -> Self {
        // Without jitter the number of fetches is known beforehand.
        let provider = RefreshingProvider::builder(Ours(Arc::clone(source)))
            .clock(clock.clone())
            .jitter(0.0)
            .backoff(Backoff::default().jitter(false))
            .build();
        let timer = Timer {
            clock,
            set_for: Arc::default(),
        };
        if driver {
            let driver = provider.driver(timer.clone()).expect("the first");
            #[expect(clippy::disallowed_methods, reason = "a benchmark starts tasks")]
            tokio::spawn(driver);
        }
        Self { provider, timer }
    }

    /// Whether nothing is under way, and the driver, if there is one, waits for what comes next.
    fn is_settled(&self) -> bool {
        let status = self.provider.status();
        let next = status.next_attempt();
        let due = next.is_some_and(|at| at <= self.timer.clock.now());
        let driver_rests = !due && *self.timer.set_for.lock().unwrap() == next;
        !status.is_refreshing() && (!status.has_driver() || driver_rests)
    }
}

/// A cache with nothing in it, and the source behind it.
struct Subject {
    source: Arc<Source>,
    call: Arc<Call>,
    ours: Option<Handle>,
    /// Fetches that made the subject what it is when the herd comes.
    fetched_before: usize,
}

impl Subject {
    fn empty(kind: Kind, reply: Reply) -> Self {
        match kind {
            Kind::Ours { driver } => Self::ours(driver, reply),
            #[cfg(feature = "rivals")]
            rival => Self::rival(rival, reply),
        }
    }

    fn ours(driver: bool, reply: Reply) -> Self {
        let clock = ManualClock::new(SystemClock.now());
        let source = Source::new(clock.clone(), FETCH, reply);
        // Without jitter the number of fetches is known beforehand.
        let ours = Handle::new(driver, &source, clock);
        let provider = ours.provider.clone();
        Self {
            source,
            call: Arc::new(Box::new(move || {
                let provider = provider.clone();
                Box::pin(async move { provider.credentials().await.is_ok() })
            })),
            ours: Some(ours),
            fetched_before: 0,
        }
    }

    #[cfg(feature = "rivals")]
    fn rival(kind: Kind, reply: Reply) -> Self {
        use ::ossify::credentials::CredentialsProvider as _;
        use benches::subjects::{object_store, ossify, reqsign};

        let source = Source::new(SystemClock, FETCH, reply);
        let call: Call = match kind {
            Kind::Reqsign => {
                let cache = reqsign::cache(&source);
                Box::new(move || {
                    let cache = cache.clone();
                    Box::pin(async move { cache.sign(&mut reqsign::empty_head(), None).await.is_ok() })
                })
            }
            Kind::Ossify => {
                let cache = Arc::new(ossify::cache(&source));
                Box::new(move || {
                    let cache = Arc::clone(&cache);
                    Box::pin(async move { cache.get_credentials().await.is_ok() })
                })
            }
            Kind::ObjectStore => {
                let cache = object_store::cache(&source);
                Box::new(move || {
                    let cache = Arc::clone(&cache);
                    Box::pin(async move { cache.get_credential().await.is_ok() })
                })
            }
            Kind::Ours { .. } => unreachable!("has a clock"),
        };
        Self {
            source,
            call: Arc::new(call),
            ours: None,
            fetched_before: 0,
        }
    }

    /// A cache whose value is nearly expired, and a source that says `next` when it is asked again.
    async fn near_expiry(kind: Kind, delay: Duration, next: impl FnOnce(SystemTime) -> Reply) -> Self {
        let now = SystemClock.now();
        let ours = matches!(kind, Kind::Ours { .. });
        let end = now + if ours { HOUR } else { NEARLY_EXPIRED };
        let mut subject = Self::empty(kind, Reply::EndingAt(end));
        assert!((subject.call)().await);
        subject.fetched_before = subject.source.fetches();
        subject.source.obey(delay, next(end));
        if !ours {
            // One of them takes any value for fresh that it has had for less than 100 ms.
            pause(Duration::from_millis(150)).await;
        }
        // The last thing: a driver acts on it before anybody calls.
        subject.advance(DUE).await;
        subject
    }

    /// Moves our clock, without waiting for what comes of it.
    async fn advance(&self, by: Duration) {
        self.settle().await;
        if let Some(ours) = &self.ours {
            ours.timer.clock.advance(by);
        }
    }

    async fn settle(&self) {
        let settled = timeout(10 * SECOND, async {
            while self.ours.as_ref().is_some_and(|ours| !ours.is_settled()) {
                pause(MILLISECOND).await;
            }
        });
        settled.await.expect("the refresh ends, and the driver rests");
    }
}

async fn pause(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a benchmark waits")]
    sleep(time).await;
}

/// What became of the calls.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    fetches: usize,
    /// Calls that brought an error, or were given up by their caller.
    errors: usize,
    /// Calls that were not ready at once.
    waited: usize,
    /// Calls that had no answer when the herd was cut off.
    unanswered: usize,
    slowest: Duration,
    /// From the first call to the last answer, less the time that the last fetch took.
    beyond_fetch: Duration,
}

impl Tally {
    /// The worse of both in every respect.
    fn worse(self, other: Self) -> Self {
        Self {
            fetches: self.fetches.max(other.fetches),
            errors: self.errors.max(other.errors),
            waited: self.waited.max(other.waited),
            unanswered: self.unanswered.max(other.unanswered),
            slowest: self.slowest.max(other.slowest),
            beyond_fetch: self.beyond_fetch.max(other.beyond_fetch),
        }
    }
}

struct Answer {
    ok: bool,
    waited: bool,
    called: Instant,
    answered: Instant,
}

async fn one_caller(call: Arc<Call>, patience: Duration) -> Answer {
    let called = Instant::now();
    let mut future = call();
    let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
    let waited = first.is_pending();
    let ok = match first {
        Poll::Ready(ok) => ok,
        Poll::Pending => timeout(patience, future).await.unwrap_or(false),
    };
    let answered = Instant::now();
    Answer {
        ok,
        waited,
        called,
        answered,
    }
}

/// A herd that comes in waves.
struct Herd {
    waves: usize,
    callers: usize,
    patience: Duration,
    /// By how much our clock moves before each wave but the first.
    step: Duration,
    cut_off: Duration,
}

impl Default for Herd {
    fn default() -> Self {
        Self {
            waves: 1,
            callers: CALLERS,
            patience: Duration::from_secs(60),
            step: Duration::ZERO,
            cut_off: CUT_OFF,
        }
    }
}

impl Herd {
    /// Lets the herd loose, and counts.
    async fn meet(&self, subject: &Subject) -> Tally {
        let mut tally = Tally::default();
        let (start, mut last) = (Instant::now(), None);
        let end = start
            + if subject.ours.is_some() {
                HOUR
            } else {
                self.cut_off
            };
        for wave in 0..self.waves {
            if wave > 0 && !self.step.is_zero() {
                subject.advance(self.step).await;
            }
            let mut callers = JoinSet::new();
            for _ in 0..self.callers {
                callers.spawn(one_caller(Arc::clone(&subject.call), self.patience));
            }
            let mut unanswered = self.callers;
            while let Ok(Some(answer)) = timeout_at(end, callers.join_next()).await {
                let answer = answer.expect("does not panic");
                unanswered -= 1;
                tally.errors += usize::from(!answer.ok);
                tally.waited += usize::from(answer.waited);
                tally.slowest = tally.slowest.max(answer.answered - answer.called);
                last = last.max(Some(answer.answered));
            }
            // Who has no answer has waited as well.
            tally.unanswered += unanswered;
            tally.waited += unanswered;
            if unanswered > 0 {
                tally.slowest = tally.slowest.max(self.cut_off);
                // Now, since those who are cut off leave the fetching to each other.
                tally.fetches = subject.source.fetches() - subject.fetched_before;
                return tally;
            }
        }
        subject.settle().await;
        tally.fetches = subject.source.fetches() - subject.fetched_before;
        let span = last.map_or(Duration::ZERO, |last| last - start);
        tally.beyond_fetch = span.saturating_sub(subject.source.took());
        tally
    }
}

/// What ours has to achieve.
struct Goal {
    fetches: usize,
    errors: RangeInclusive<usize>,
    /// `None` where it is in the nature of the herd that callers wait.
    waited: Option<usize>,
    /// How long after the end of the fetch the last answer may come. A matter of time, so the gate lets it be.
    beyond_fetch: Option<Duration>,
}

impl Goal {
    fn is_met(&self, tally: &Tally) -> bool {
        tally.fetches == self.fetches
            && self.errors.contains(&tally.errors)
            && self.waited.is_none_or(|waited| tally.waited == waited)
            && tally.unanswered == 0
    }

    fn is_met_in_time(&self, tally: &Tally) -> bool {
        self.beyond_fetch.is_none_or(|limit| tally.beyond_fetch <= limit)
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fetches, ", self.fetches)?;
        match (self.errors.start(), self.errors.end()) {
            (start, end) if start == end => write!(f, "{end} errors")?,
            (_, end) => write!(f, "<= {end} errors")?,
        }
        if let Some(waited) = self.waited {
            write!(f, ", {waited} wait")?;
        }
        if let Some(limit) = self.beyond_fetch {
            write!(f, ", done within fetch + {limit:?}")?;
        }
        Ok(())
    }
}

const LETTERS: [char; 7] = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];

fn describe(letter: char) -> &'static str {
    match letter {
        'A' => "1,000 callers, nothing in the cache",
        'B' => "1,000 callers, nearly expired",
        'C' => "1,000 callers a second for 64 s, nearly expired, every refresh fails",
        'D' => "1,000 callers, nothing in the cache, the fetch fails",
        'E' => "1,000 callers, nearly expired, the refresh takes 3 s",
        'F' => "1,000 callers a second for 60 s, every fetch brings the same nearly expired value",
        _ => "10 waves of 20 callers who give up after 30 ms, nothing in the cache",
    }
}

fn goal(letter: char, driver: bool) -> Goal {
    let fetches = match letter {
        // At 0, 1, 3, 7, 15, 31 and 63 s: the pause doubles.
        'C' => 7,
        // At 0, 10, ... 50 s.
        'F' => 6,
        _ => 1,
    };
    Goal {
        fetches,
        errors: match letter {
            'D' => CALLERS..=CALLERS,
            // The first wave gives up before the fetch ends.
            'G' => 0..=20,
            _ => 0..=0,
        },
        waited: match letter {
            'A' | 'D' | 'G' => None,
            _ if driver => Some(0),
            // The one that refreshes.
            _ => Some(fetches),
        },
        beyond_fetch: (letter == 'A').then_some(3 * MILLISECOND),
    }
}

async fn run(letter: char, kind: Kind) -> Tally {
    let lasting = |_| Reply::Lasting(HOUR);
    let each_second = |waves| Herd {
        waves,
        step: SECOND,
        ..Herd::default()
    };
    match letter {
        'A' => {
            Herd::default()
                .meet(&Subject::empty(kind, Reply::Lasting(HOUR)))
                .await
        }
        'B' => {
            Herd::default()
                .meet(&Subject::near_expiry(kind, FETCH, lasting).await)
                .await
        }
        'C' => {
            each_second(64)
                .meet(&Subject::near_expiry(kind, FETCH, |_| Reply::Failure).await)
                .await
        }
        'D' => Herd::default().meet(&Subject::empty(kind, Reply::Failure)).await,
        'E' => {
            let herd = Herd {
                cut_off: SLOW_FETCH + CUT_OFF,
                ..Herd::default()
            };
            herd.meet(&Subject::near_expiry(kind, SLOW_FETCH, lasting).await)
                .await
        }
        'F' => {
            each_second(60)
                .meet(&Subject::near_expiry(kind, FETCH, Reply::EndingAt).await)
                .await
        }
        _ => {
            let patience = Duration::from_millis(30);
            let herd = Herd {
                waves: 10,
                callers: 20,
                patience,
                ..Herd::default()
            };
            herd.meet(&Subject::empty(kind, Reply::Lasting(HOUR))).await
        }
    }
}

fn print(kind: Kind, tally: &Tally, verdict: &str) {
    let Tally {
        fetches,
        errors,
        waited,
        unanswered,
        slowest,
        ..
    } = tally;
    let at_least = if *unanswered > 0 { ">= " } else { "" };
    let slowest = format!("{at_least}{:.2}", slowest.as_secs_f64() / FETCH.as_secs_f64());
    println!("   {kind:13} {fetches:>7} {errors:>6} {waited:>6} {unanswered:>10} {slowest:>15}  {verdict}");
}

/// Runs a herd against each kind: in turn, or at once where it only means waiting for a slow source.
async fn run_each(letter: char, kinds: &[Kind]) -> Vec<Tally> {
    let mut tallies = Vec::new();
    if letter == 'E' {
        #[expect(clippy::disallowed_methods, reason = "a benchmark starts tasks")]
        let tasks: Vec<_> = kinds
            .iter()
            .map(|&kind| tokio::spawn(run(letter, kind)))
            .collect();
        for task in tasks {
            tallies.push(task.await.expect("does not panic"));
        }
    } else {
        for &kind in kinds {
            tallies.push(run(letter, kind).await);
        }
    }
    tallies
}

/// One herd against all. Returns whether ours met the goals that are numbers, not times.
async fn one_herd(letter: char) -> bool {
    println!("{letter}  {}", describe(letter));
    // Where there is nothing in the cache, a driver has nothing to do.
    let mut kinds = match letter {
        'A' | 'D' | 'G' => vec![Kind::Ours { driver: false }],
        _ => vec![Kind::Ours { driver: true }, Kind::Ours { driver: false }],
    };
    let ours = kinds.len();
    let mut runs = Vec::new();
    if letter != 'E' {
        for _ in 1..RUNS {
            runs.push(run_each(letter, &kinds).await);
        }
    }
    kinds.extend(RIVALS);
    runs.push(run_each(letter, &kinds).await);

    let mut all_met = true;
    for (index, &kind) in kinds.iter().enumerate() {
        let tallies: Vec<Tally> = runs.iter().filter_map(|run| run.get(index)).copied().collect();
        let worst = tallies.iter().copied().reduce(Tally::worse).unwrap_or_default();
        let verdict = if index < ours {
            let goal = goal(letter, kind == Kind::Ours { driver: true });
            let met = tallies.iter().all(|tally| goal.is_met(tally));
            let in_time = tallies.iter().filter(|tally| goal.is_met_in_time(tally)).count();
            all_met &= met;
            let ok = if met && in_time * 2 > tallies.len() {
                "yes"
            } else {
                "NO"
            };
            format!("{ok} ({goal})")
        } else {
            String::new()
        };
        print(kind, &worst, &verdict);
    }
    all_met
}

async fn all_herds() -> bool {
    let mut all_met = true;
    println!("   {:13} fetches errors waited unanswered slowest/50 ms  ok", "");
    for letter in LETTERS {
        all_met &= one_herd(letter).await;
    }
    all_met
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build();
    let all_met = runtime.expect("starts").block_on(all_herds());
    if !all_met && std::env::args().any(|argument| argument == "--gate") {
        println!("a number of fetches, errors or waiting callers is not what it has to be");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
