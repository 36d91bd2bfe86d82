//! The sizes of the parts of a transfer.

use crate::error::InvalidInput;
use crate::operation::Operation;
use crate::ops::multipart::MAX_PARTS;

/// The size of the parts unless the object needs larger ones, in bytes: 6 MiB, the default of the vendor's SDKs V2.
pub const DEFAULT_PART_SIZE: u64 = 6 * 1024 * 1024;
/// The smallest part except for the last one.
///
/// Vendor document: "`CompleteMultipartUpload`" (Object Storage Service, API reference).
pub(super) const MIN_PART_SIZE: u64 = 100 * 1024;
/// The largest part: 5 GiB, from the same page.
pub(super) const MAX_PART_SIZE: u64 = 5 * 1024 * 1024 * 1024;
/// Part sizes that grow are multiples of this.
const PART_SIZE_STEP: u64 = 1024 * 1024;
/// After this many parts of a stream of unknown length the part size doubles: enough for 6 TiB with the default size.
const PARTS_OF_A_SIZE: u16 = 1000;

/// Refuses a size that no part may have.
pub(crate) fn check_part_size(operation: &mut Operation, bytes: u64) {
    if !(MIN_PART_SIZE..=MAX_PART_SIZE).contains(&bytes) {
        let what = format!("a part size of {bytes} bytes is out of range");
        operation.refuse(InvalidInput::new(
            what,
            "use 100 KiB to 5 GiB: 102400 to 5368709120",
        ));
    }
}

/// The size of each part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) size: u64,
    /// Whether later parts are larger, because their number is not known.
    grows: bool,
}

impl Plan {
    pub(crate) fn new(asked: Option<u64>, total: Option<u64>) -> Self {
        let size = asked.unwrap_or(DEFAULT_PART_SIZE);
        let least = total.unwrap_or_default().div_ceil(u64::from(MAX_PARTS));
        Self {
            size: if least > size {
                least.next_multiple_of(PART_SIZE_STEP)
            } else {
                size
            },
            grows: total.is_none(),
        }
    }

    /// The size of a part by its number, from 1.
    pub(super) fn size_of(self, number: u16) -> u64 {
        let doublings = if self.grows {
            number.saturating_sub(1) / PARTS_OF_A_SIZE
        } else {
            0
        };
        self.size
            .saturating_mul(1 << doublings.min(16))
            .min(MAX_PART_SIZE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn there_are_never_more_than_10000_parts() {
        for (asked, total, size) in [
            (None, Some(0), 6 * MIB),
            (None, Some(60_000 * MIB), 6 * MIB),
            (None, Some(60_000 * MIB + 1), 7 * MIB),
            (Some(MIN_PART_SIZE), Some(1000 * MIB), 102_400.max(MIB)),
            (Some(8 * MIB), Some(60_000 * MIB + 1), 8 * MIB),
            // The largest object: 48.8 TB.
            (None, Some(48_828 * 1024 * MIB), 5000 * MIB),
        ] {
            let plan = Plan::new(asked, total);
            assert_eq!(plan.size, size, "{asked:?} {total:?}");
            assert_eq!(plan.size_of(10_000), size);
            assert!(size * 10_000 >= total.unwrap());
        }
    }

    #[test]
    fn parts_of_a_stream_grow() {
        let plan = Plan::new(None, None);
        let sizes = [1, 1000, 1001, 2001, 10_000].map(|number| plan.size_of(number) / MIB);
        assert_eq!(sizes, [6, 6, 12, 24, 3072]);
        let all: u64 = (1..=10_000).map(|number| plan.size_of(number)).sum();
        assert!(all > 5 * 1024 * 1024 * MIB, "{all}");
    }
}
