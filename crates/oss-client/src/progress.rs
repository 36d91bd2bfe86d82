//! How far an upload has come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use oss_credentials_core::Clock;

use crate::crc::Digest;

/// The progress of an upload. The read timeout runs only while nothing moves and the client waits for the service.
#[derive(Default)]
pub(crate) struct Progress {
    /// How often the source has yielded something.
    moves: AtomicU64,
    /// When it yielded last, in nanoseconds of the clock.
    moved_at: AtomicU64,
    clock: OnceLock<Arc<dyn Clock>>,
    handed_over: AtomicU64,
    source_is_slow: AtomicBool,
    /// The task that waits for the response.
    waiting: AtomicWaker,
    /// Whether the next move wakes it. Waking it for each piece costs more than sending the piece, where it runs on
    /// another thread than the connection.
    wakes: AtomicBool,
    /// The CRC-64 of what was passed to the HTTP stack; `None` if it is not wanted.
    crc: Option<Mutex<Digest>>,
}

impl Progress {
    /// Computes the CRC-64 too.
    pub(crate) fn with_crc() -> Self {
        Self {
            crc: Some(Mutex::new(Digest::new())),
            ..Self::default()
        }
    }

    fn digest(&self, piece: &[u8]) {
        if let Some(crc) = &self.crc {
            crc.lock().unwrap_or_else(PoisonError::into_inner).write(piece);
        }
    }

    /// The HTTP stack has received a piece.
    pub(crate) fn hand_over(&self, piece: &[u8]) {
        self.digest(piece);
        self.handed_over.fetch_add(size(piece), Ordering::Relaxed);
    }

    /// The source is still pending, or has yielded something (including its end). `tell` wakes the waiting task.
    pub(crate) fn asked(&self, has_answer: bool, tell: bool) {
        self.source_is_slow.store(!has_answer, Ordering::Release);
        if !has_answer {
            return;
        }
        if let Some(now) = self.clock.get().and_then(Clock::monotonic) {
            self.moved_at.store(nanos(now), Ordering::Release);
        }
        // In one order with `wake_on_move`: either this sees its flag, or it sees this move.
        self.moves.fetch_add(1, Ordering::SeqCst);
        if tell || self.wakes.load(Ordering::SeqCst) {
            self.waiting.wake();
        }
    }

    /// Notes the time of each move by this clock.
    pub(crate) fn keep_time(&self, clock: &Arc<dyn Clock>) {
        let now = clock.monotonic().unwrap_or_default();
        self.moved_at.store(nanos(now), Ordering::Release);
        self.clock.get_or_init(|| Arc::clone(clock));
    }

    /// When the HTTP stack got something last, by the monotonic clock.
    pub(crate) fn moved_at(&self) -> Duration {
        Duration::from_nanos(self.moved_at.load(Ordering::Acquire))
    }

    /// Whether moves wake the waiting task. A move that this call comes too late for is visible after it.
    pub(crate) fn wake_on_move(&self, wakes: bool) {
        self.wakes.store(wakes, Ordering::SeqCst);
    }

    /// The CRC-64/XZ of what was passed to the HTTP stack.
    pub(crate) fn crc(&self) -> Option<u64> {
        let crc = self.crc.as_ref()?;
        Some(crc.lock().unwrap_or_else(PoisonError::into_inner).sum64())
    }

    /// Changes whenever the HTTP stack gets more.
    pub(crate) fn moves(&self) -> u64 {
        self.moves.load(Ordering::SeqCst)
    }

    /// How many bytes the HTTP stack has received.
    pub(crate) fn handed_over(&self) -> u64 {
        self.handed_over.load(Ordering::Relaxed)
    }

    /// Whether the caller's stream is pending.
    pub(crate) fn source_is_slow(&self) -> bool {
        self.source_is_slow.load(Ordering::Acquire)
    }

    /// Registers the waker of the waiting task.
    pub(crate) fn register(&self, waker: &Waker) {
        self.waiting.register(waker);
    }
}

/// Counts how much of an upload was sent.
#[derive(Clone)]
pub(crate) struct Counter {
    /// The sum over all parts.
    sum: Arc<AtomicU64>,
    /// Whether each piece wakes the task that reports the progress.
    wakes: bool,
}

impl Counter {
    pub(crate) fn new(wakes: bool) -> Self {
        Self {
            sum: Arc::default(),
            wakes,
        }
    }

    /// How many bytes of all parts the HTTP stack has received, each counted once.
    pub(crate) fn sent(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

/// Counts how much of one part was sent. Each byte is counted once, even if it is sent several times.
#[derive(Clone)]
pub(crate) struct Meter {
    /// How far the best attempt has come.
    furthest: Arc<AtomicU64>,
    all: Counter,
}

impl Meter {
    /// A meter for one more part of an upload.
    pub(crate) fn of(all: &Counter) -> Self {
        Self {
            furthest: Arc::default(),
            all: all.clone(),
        }
    }

    /// Whether each piece wakes the task that reports the progress.
    pub(crate) fn wakes(&self) -> bool {
        self.all.wakes
    }

    /// So many bytes of the part were sent, or are there already.
    pub(crate) fn reached(&self, at: u64) {
        let before = self.furthest.fetch_max(at, Ordering::Relaxed);
        self.all
            .sum
            .fetch_add(at.saturating_sub(before), Ordering::Relaxed);
    }
}

/// CRC-64/XZ of a body that was sent; nothing before, and where checksums are off.
#[derive(Clone, Default)]
pub(crate) struct CrcNote(Arc<Mutex<Option<u64>>>);

impl CrcNote {
    pub(crate) fn set(&self, crc: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(crc);
    }

    pub(crate) fn get(&self) -> Option<u64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn size(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}
