//! The ranges of an object, and which of them have arrived.

use std::ops::Range;

use crate::crc::combined;

/// The ranges that make up an object, and the state of each.
pub(super) struct Parts {
    pub(super) size: u64,
    total: u64,
    /// By index of the range; `None` if it is still missing.
    pub(super) done: Vec<Option<Arrived>>,
}

/// A range that is in the file.
#[derive(Clone, Copy)]
pub(super) struct Arrived {
    /// `None` if it is not wanted.
    pub(super) crc: Option<u64>,
}

impl Parts {
    pub(super) fn new(size: u64, total: u64) -> Self {
        let count = usize::try_from(total.div_ceil(size.max(1))).unwrap_or(usize::MAX);
        Self {
            size,
            total,
            done: vec![None; count],
        }
    }

    pub(super) fn range(&self, at: usize) -> Range<u64> {
        let start = u64::try_from(at).unwrap_or(u64::MAX).saturating_mul(self.size);
        start..start.saturating_add(self.size).min(self.total)
    }

    /// The missing ranges.
    pub(super) fn missing(&self) -> Vec<(usize, Range<u64>)> {
        let missing = |(at, done): (usize, &Option<Arrived>)| done.is_none().then(|| (at, self.range(at)));
        self.done.iter().enumerate().filter_map(missing).collect()
    }

    pub(super) fn arrived(&mut self, at: usize, crc: Option<u64>) {
        if let Some(done) = self.done.get_mut(at) {
            *done = Some(Arrived { crc });
        }
    }

    /// The CRC-64 of the whole; `None` unless that of every range is known.
    pub(super) fn crc(&self) -> Option<u64> {
        self.done.iter().enumerate().try_fold(0, |whole, (at, done)| {
            let range = self.range(at);
            let crc = done.as_ref()?.crc?;
            Some(combined(whole, crc, range.end.saturating_sub(range.start)))
        })
    }
}
