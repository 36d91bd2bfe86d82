//! What a read of the cached value needs to know.

use super::moment::{Moment, Reading};
use super::policy::Snapshot;
use super::shared::{Purpose, Shared};
use crate::credentials::Credentials;

impl Shared {
    /// The time, with all that is needed to judge the value in use.
    pub(super) fn now(&self) -> Moment {
        self.moment(self.read_clock(), self.snapshot.load().as_deref())
    }

    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn read_clock(&self) -> Reading {
        Reading::take(&*self.clock)
    }

    /// A reading, with all that is needed to judge this value.
    pub(super) fn moment(&self, reading: Reading, snapshot: Option<&Snapshot>) -> Moment {
        let now = Moment::from(reading);
        match snapshot {
            Some(snapshot) if !snapshot.trusts(now) => {
                snapshot.distrust();
                now.with_since_boot(&*self.clock)
            }
            Some(snapshot) if snapshot.expired_by_wall_clock_alone(now) => now.with_since_boot(&*self.clock),
            _ => now,
        }
    }

    /// Whether the value may be returned, for a reading of which it is not plain.
    #[cold]
    pub(super) fn is_usable_after_all(&self, snapshot: &Snapshot, reading: Reading) -> bool {
        snapshot.is_usable(self.moment(reading, Some(snapshot)))
    }

    pub(super) fn usable(&self, now: Moment) -> Option<Credentials> {
        let snapshot = self.snapshot.load();
        snapshot
            .as_ref()
            .filter(|snapshot| snapshot.is_usable(now))
            .map(|snapshot| snapshot.credentials.clone())
    }

    /// What a caller receives at once, or what it joins an attempt for, if the value is not plainly fresh.
    #[cold]
    pub(super) fn read_closely(
        &self,
        snapshot: Option<&Snapshot>,
        reading: Reading,
    ) -> Result<Credentials, Purpose> {
        let now = self.moment(reading, snapshot);
        let Some(snapshot) = snapshot.filter(|snapshot| snapshot.is_usable(now)) else {
            return Err(Purpose::Need);
        };
        if snapshot.is_due(now) && self.wants_volunteer(now) {
            return Err(Purpose::Volunteer);
        }
        Ok(snapshot.credentials.clone())
    }
}
