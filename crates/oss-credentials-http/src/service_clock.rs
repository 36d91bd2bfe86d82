//! The clock of a service: what its refusals show, and how far that is trusted.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::{CLOCK_TOLERANCE, Clock, ClockOffset};

use crate::learned_offset::LearnedOffset;

/// 2026-11-01T00:00:00Z: this version was released later, so a local clock that shows an earlier time is wrong.
pub const RELEASED_AFTER: Duration = Duration::from_secs(1_793_491_200);
/// The largest offset that may be learned from a service if the local clock can be right: 24 hours.
pub const MAX_LEARNED_OFFSET: Duration = Duration::from_secs(24 * 3600);
/// 2100-01-01T00:00:00Z: a later date is not a clock's.
const LATEST: Duration = Duration::from_secs(4_102_444_800);

/// The local clock, and the offset learned from the service; a client keeps one, and its calls share it.
///
/// A service that refuses the time of a request reports its own. A call then repeats the request once with the
/// corrected time ([`CallClock`]), and the offset is kept for later calls if the service accepted it. The trust is
/// bounded:
///
/// - The offset is at most 24 hours. It may be more only if the local clock shows a time before [`RELEASED_AFTER`],
///   as on a machine that was started without a real-time clock.
/// - Over plain HTTP to a host that is not loopback, anyone on the network path can send the refusal. The offset then
///   applies only to the repetition of that request, and is not kept.
///
/// # Examples
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use oss_credentials_core::{Clock, ClockOffset, test_util::ManualClock};
/// use oss_credentials_http::ServiceClock;
///
/// let local = ManualClock::at_unix(1_798_000_000);
/// let shown = ClockOffset::between(local.now(), local.now() + Duration::from_secs(7_200));
/// let clock = ServiceClock::new(Arc::new(local.clone()));
///
/// let mut call = clock.begin(true);
/// assert_eq!(call.now(), local.now());
/// // The service refuses the time, shows its own, and accepts that:
/// assert!(call.refused([shown]));
/// assert_eq!(call.now(), local.now() + Duration::from_secs(7_200));
/// call.accepted(None);
/// assert_eq!(clock.offset(), Some(shown));
/// ```
#[derive(Debug)]
pub struct ServiceClock {
    local: Arc<dyn Clock>,
    /// Accepted by the service.
    learned: LearnedOffset,
    /// Shown by a refusal of a call that could not be repeated.
    untried: LearnedOffset,
    corrects: bool,
}

impl ServiceClock {
    /// Creates a clock that shows the local time until an offset is learned.
    pub fn new(local: Arc<dyn Clock>) -> Self {
        Self {
            local,
            learned: LearnedOffset::default(),
            untried: LearnedOffset::default(),
            corrects: true,
        }
    }

    /// Sets whether a service may correct the time at all. With `false`, only the local clock counts. Default: `true`.
    #[must_use]
    pub fn correct(mut self, correct: bool) -> Self {
        self.corrects = correct;
        self
    }

    /// Returns the local clock.
    pub fn local(&self) -> &Arc<dyn Clock> {
        &self.local
    }

    /// Returns the offset that a success over TLS or loopback has confirmed. Presigned URLs and forms use it, and
    /// calls begin with it. `None` if there is none, or the local clock was set since.
    pub fn offset(&self) -> Option<ClockOffset> {
        self.learned.get(&*self.local)
    }

    /// Returns the time by the service's clock, with the confirmed [`offset`](Self::offset).
    pub fn now(&self) -> SystemTime {
        self.offset().unwrap_or_default().to_service(self.local.now())
    }

    /// Begins a call. `is_protected` states whether nobody on the network path can modify a response; see
    /// [`Endpoint::is_protected`](crate::Endpoint::is_protected).
    pub fn begin(&self, is_protected: bool) -> CallClock<'_> {
        CallClock {
            clock: self,
            is_protected,
            state: match self.untried.get(&*self.local).filter(|_| is_protected) {
                Some(offset) => State::Untried(offset),
                None => State::Known(self.offset()),
            },
        }
    }

    /// Returns the offset that the service's time in a response shows: `sent` and `received` are readings
    /// of the local clock, and the service's time is assumed to belong to the middle between them. `None` if that
    /// cannot be represented.
    pub fn measure(service: SystemTime, sent: SystemTime, received: SystemTime) -> Option<ClockOffset> {
        let round_trip = received.duration_since(sent).unwrap_or_default();
        let middle = sent.checked_add(round_trip / 2)?;
        Some(ClockOffset::between(middle, service))
    }

    /// Discards the learned offset, which something else proved wrong.
    pub fn forget(&self) {
        self.keep(None);
    }

    fn keep(&self, offset: Option<ClockOffset>) {
        self.learned.set(offset, &*self.local);
        self.untried.set(None, &*self.local);
    }

    /// Whether the time that an offset leads to is plausible for the service.
    fn believes(&self, offset: ClockOffset) -> bool {
        let unix = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let local = self.local.now();
        let service = unix(offset.to_service(local));
        if unix(local) < RELEASED_AFTER {
            let earliest = RELEASED_AFTER.saturating_sub(MAX_LEARNED_OFFSET);
            return offset.abs() <= MAX_LEARNED_OFFSET || (earliest..LATEST).contains(&service);
        }
        offset.abs() <= MAX_LEARNED_OFFSET
    }
}

/// The clock of one call: the time that its requests are signed for.
///
/// States and transitions:
///
/// | state | requests are signed with | `refused` | `accepted` |
/// |---|---|---|---|
/// | known | the kept offset, or the local clock | a plausible offset begins the trial | an offset in use is compared with what the response shows |
/// | untried | the offset that an earlier call left | as in *known* | the offset is kept |
/// | trial | the offset that the refusal showed | ended: the time is not what is wrong, or the date is | the offset is kept, if nobody could have modified the response |
/// | ended | the local clock | stays | nothing |
///
/// See [`ServiceClock`] for the bounds, and for an example.
#[derive(Debug)]
pub struct CallClock<'c> {
    clock: &'c ServiceClock,
    is_protected: bool,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Known(Option<ClockOffset>),
    Untried(ClockOffset),
    Trial(ClockOffset),
    Ended,
}

impl CallClock<'_> {
    /// Returns the offset that the next request is signed with.
    pub fn offset(&self) -> Option<ClockOffset> {
        match self.state {
            State::Known(offset) => offset,
            State::Untried(offset) | State::Trial(offset) => Some(offset),
            State::Ended => None,
        }
    }

    /// Returns the time to sign the next request with.
    pub fn now(&self) -> SystemTime {
        let offset = self.offset().unwrap_or_default();
        offset.to_service(self.clock.local.now())
    }

    /// Records that the service refused the time. `shown` is what its response shows, the most reliable first: the
    /// first plausible one counts. Returns whether the request may be sent once more, signed with the corrected time.
    ///
    /// A time that differs by at most 30 seconds from the refused one cannot be the reason for the refusal, and is
    /// skipped: a proxy may have written that date.
    #[must_use]
    pub fn refused(&mut self, shown: impl IntoIterator<Item = ClockOffset>) -> bool {
        if matches!(self.state, State::Trial(_) | State::Ended) {
            self.state = State::Ended;
            return false;
        }
        self.refused_again(shown)
    }

    /// Records that the service refused the time, like [`refused`](Self::refused), but also tries another time if the
    /// corrected one was refused. For callers that limit their attempts in another way.
    #[must_use]
    pub fn refused_again(&mut self, shown: impl IntoIterator<Item = ClockOffset>) -> bool {
        let used = self.offset();
        self.state = State::Ended;
        if self.is_protected {
            self.clock.forget();
        }
        let differs = |shown: ClockOffset| {
            let at = |offset: ClockOffset| offset.to_service(self.clock.local.now());
            ClockOffset::between(at(used.unwrap_or_default()), at(shown)).abs() > CLOCK_TOLERANCE
        };
        let mut shown = shown.into_iter();
        match shown.find(|shown| differs(*shown) && self.clock.believes(*shown)) {
            Some(offset) if self.clock.corrects => {
                self.state = State::Trial(offset);
                true
            }
            _ => false,
        }
    }

    /// Leaves the offset on trial to the next calls, because this one cannot be repeated. It is kept once the service
    /// accepts a call with it; until then [`ServiceClock::now`] does not use it.
    pub fn leave_untried(&self) {
        if let State::Trial(offset) = self.state
            && self.is_protected
        {
            self.clock.untried.set(offset, &*self.clock.local);
        }
    }

    /// Records that the service accepted the time. `shown` is what the response shows: a kept offset is compared with
    /// it, and ends if the clocks agree.
    pub fn accepted(&self, shown: Option<ClockOffset>) {
        if !self.is_protected {
            return;
        }
        match self.state {
            // Right to 15 minutes, as services judge.
            State::Trial(offset) => return self.clock.keep(Some(offset)),
            State::Untried(offset) => self.clock.keep(Some(offset)),
            State::Known(Some(_)) => {}
            State::Known(None) | State::Ended => return,
        }
        if let Some(shown) = shown.filter(|shown| self.clock.believes(*shown)) {
            self.clock.learned.confirm(shown, &*self.clock.local);
        }
    }
}

#[cfg(test)]
mod tests {
    use oss_credentials_core::test_util::ManualClock;

    use super::*;

    /// 2027-01-01T00:00:00Z
    const NOW: u64 = 1_798_761_600;
    const HOUR: u64 = 3600;

    fn at(unix: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
    }

    /// A clock that shows `local`, and the offset of a service whose clock shows `service`.
    fn clocks(local: u64, service: u64) -> (ServiceClock, ClockOffset) {
        let clock = ServiceClock::new(Arc::new(ManualClock::at_unix(local)));
        (clock, ClockOffset::between(at(local), at(service)))
    }

    #[test]
    fn a_corrected_time_is_tried_once_and_kept_when_it_was_accepted() {
        let (clock, shown) = clocks(NOW, NOW + 2 * HOUR);
        let mut call = clock.begin(true);
        assert_eq!((call.offset(), call.now()), (None, at(NOW)));
        assert!(call.refused([shown]));
        assert_eq!(call.now(), at(NOW + 2 * HOUR));
        assert_eq!(clock.offset(), None, "nothing was accepted yet");
        call.accepted(None);
        assert_eq!((clock.offset(), clock.now()), (Some(shown), at(NOW + 2 * HOUR)));
        assert_eq!(clock.begin(true).offset(), Some(shown));

        // Another call finds that it became wrong, and that the new date is wrong too.
        let mut call = clock.begin(true);
        let other = ClockOffset::between(at(NOW), at(NOW + HOUR));
        assert!(call.refused([other]));
        assert_eq!(clock.offset(), None);
        assert!(!call.refused([shown]));
        assert_eq!((call.offset(), clock.offset()), (None, None));
        call.accepted(Some(shown));
        assert_eq!(clock.offset(), None);
    }

    #[test]
    fn an_offset_over_24_hours_needs_a_local_clock_from_before_the_release() {
        let released = RELEASED_AFTER.as_secs();
        let day = 24 * HOUR;
        let year = 365 * day;
        for (local, service, believed) in [
            (NOW, NOW + day, true),
            (NOW, NOW - day, true),
            (NOW, NOW + day + 1, false),
            (NOW, NOW - day - 1, false),
            // One 403 with a date in 2035.
            (NOW, 2_051_222_400, false),
            (released, released + 2 * day, false),
            (released - 1, released + 2 * day, true),
            (0, NOW, true),
            (1_262_304_000, NOW + 20 * year, true),
            // Nobody's clock.
            (0, 4_102_444_800, false),
            (0, 1_577_836_800, false),
            (released - 5 * year, released - 5 * year + HOUR, true),
        ] {
            let (clock, shown) = clocks(local, service);
            assert_eq!(clock.begin(true).refused([shown]), believed, "{local} {service}");
        }
    }

    #[test]
    fn plain_http_teaches_nothing_but_the_repetition() {
        let (clock, shown) = clocks(NOW, NOW + 2 * HOUR);
        let mut call = clock.begin(false);
        assert!(call.refused([shown]));
        assert_eq!(call.now(), at(NOW + 2 * HOUR));
        call.accepted(Some(shown));
        assert_eq!((clock.offset(), clock.now()), (None, at(NOW)));

        // Nor does it change what was confirmed over TLS.
        let mut call = clock.begin(true);
        assert!(call.refused([shown]));
        call.accepted(None);
        let mut call = clock.begin(false);
        assert_eq!(call.offset(), Some(shown));
        call.accepted(Some(ClockOffset::ZERO));
        let _ = call.refused([]);
        assert_eq!(clock.offset(), Some(shown));
    }

    #[test]
    fn the_first_date_that_can_be_right_counts() {
        let (clock, right) = clocks(NOW, NOW + 2 * HOUR);
        let of = |service| ClockOffset::between(at(NOW), at(service));
        // From 1970; rewritten by a proxy to the local time; right.
        for wrong in [of(0), of(NOW), of(NOW + 29)] {
            let mut call = clock.begin(true);
            assert!(call.refused([wrong, right]));
            assert_eq!(call.offset(), Some(right));
            assert!(!clock.begin(true).refused([wrong]), "{wrong:?}");
        }
        assert!(!clock.begin(true).refused([]));
    }

    #[test]
    fn an_accepted_response_ends_an_offset_that_is_no_longer_right() {
        let (clock, shown) = clocks(NOW, NOW + 2 * HOUR);
        let mut call = clock.begin(true);
        assert!(call.refused([shown]));
        call.accepted(None);
        let nearer = ClockOffset::between(at(NOW), at(NOW + HOUR));
        clock.begin(true).accepted(Some(nearer));
        assert_eq!(clock.offset(), Some(nearer));
        // What a cache or a broken server shows is no reason.
        clock
            .begin(true)
            .accepted(Some(ClockOffset::between(at(NOW), at(0))));
        assert_eq!(clock.offset(), Some(nearer));
        clock.begin(true).accepted(Some(ClockOffset::ZERO));
        assert_eq!(clock.offset(), None);
        // Where no offset is in use, nothing is learned from a success.
        clock.begin(true).accepted(Some(shown));
        assert_eq!(clock.offset(), None);
    }

    #[test]
    fn what_a_call_could_not_try_is_left_to_the_next() {
        let (clock, shown) = clocks(NOW, NOW + 2 * HOUR);
        let leave = |is_protected| {
            let mut call = clock.begin(is_protected);
            assert!(call.refused([shown]));
            call.leave_untried();
        };
        leave(false);
        assert_eq!(
            clock.begin(true).offset(),
            None,
            "anybody may have sent the refusal"
        );
        leave(true);
        assert_eq!(
            (clock.offset(), clock.now()),
            (None, at(NOW)),
            "nothing was accepted yet"
        );
        assert_eq!(clock.begin(false).offset(), None);
        let next = clock.begin(true);
        assert_eq!(next.offset(), Some(shown));
        next.accepted(None);
        assert_eq!(clock.offset(), Some(shown));
        clock.forget();

        // The service refuses it, and shows another.
        leave(true);
        let mut next = clock.begin(true);
        assert!(!next.refused([shown]), "that was refused");
        leave(true);
        let mut next = clock.begin(true);
        let other = ClockOffset::between(at(NOW), at(NOW + HOUR));
        assert!(next.refused([other]));
        next.accepted(None);
        assert_eq!(
            (clock.offset(), clock.begin(true).offset()),
            (Some(other), Some(other))
        );
        clock.forget();

        // The local clock is right after all.
        leave(true);
        clock.begin(true).accepted(Some(ClockOffset::ZERO));
        assert_eq!((clock.offset(), clock.begin(true).offset()), (None, None));
    }

    #[test]
    fn a_caller_with_bounds_of_its_own_may_try_another_time() {
        let (clock, shown) = clocks(NOW, NOW + 2 * HOUR);
        let mut call = clock.begin(true);
        let of = |service| ClockOffset::between(at(NOW), at(service));
        assert!(call.refused([of(NOW - HOUR)]));
        assert!(call.refused_again([shown]));
        assert_eq!(call.now(), at(NOW + 2 * HOUR));
        assert!(!call.refused_again([shown]), "that was refused");
        assert!(call.refused_again([of(NOW + HOUR)]), "after the end, too");
        call.accepted(None);
        assert_eq!(clock.offset(), Some(of(NOW + HOUR)));
    }

    #[test]
    fn a_clock_that_is_not_corrected_stays_as_it_is() {
        let (clock, shown) = clocks(NOW, NOW + 2 * HOUR);
        let clock = clock.correct(false);
        let mut call = clock.begin(true);
        assert!(!call.refused([shown]));
        assert_eq!((call.now(), clock.offset()), (at(NOW), None));
    }
}
