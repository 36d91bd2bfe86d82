//! What happens to a program during its life, the same for the same seed.

use std::time::Duration;

use crate::service::Outage;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How far the wall clock may be from the true time, in seconds.
const SKEW: i64 = 2 * 3600;

/// Which kinds of events a life has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Calm,
    Outages,
    Ahead,
    Behind,
    Suspends,
    /// On a system without a clock that counts suspended time.
    SuspendsUnseen,
    Steps,
    /// On a system without a clock that counts suspended time. There a step forward cannot be told from a suspend,
    /// and ends keys early.
    StepsBackUnseen,
    SmallSteps,
    Everything,
}

impl Weather {
    pub(crate) const ALL: [Self; 10] = [
        Self::Calm,
        Self::Outages,
        Self::Ahead,
        Self::Behind,
        Self::Suspends,
        Self::SuspendsUnseen,
        Self::Steps,
        Self::StepsBackUnseen,
        Self::SmallSteps,
        Self::Everything,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calm => "none",
            Self::Outages => "outages",
            Self::Ahead => "outages, clock 2 h ahead",
            Self::Behind => "outages, clock 2 h behind",
            Self::Suspends => "outages, suspends",
            Self::SuspendsUnseen => "same, no boot clock",
            Self::Steps => "outages, clock steps",
            Self::StepsBackUnseen => "steps back, no boot clock",
            Self::SmallSteps => "outages, small steps",
            Self::Everything => "all of these",
        }
    }

    /// How far the wall clock is ahead of the true time at first, in seconds.
    pub(crate) fn skew(self) -> i64 {
        match self {
            Self::Ahead | Self::StepsBackUnseen => SKEW,
            Self::Behind => -SKEW,
            _ => 0,
        }
    }

    pub(crate) fn has_boot_clock(self) -> bool {
        !matches!(self, Self::SuspendsUnseen | Self::StepsBackUnseen)
    }

    fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Calm => &[],
            Self::Outages | Self::Ahead | Self::Behind => &[Kind::Outage],
            Self::Suspends | Self::SuspendsUnseen => &[Kind::Outage, Kind::Suspend],
            Self::Steps => &[Kind::Outage, Kind::Step],
            Self::StepsBackUnseen => &[Kind::Outage, Kind::StepBack],
            Self::SmallSteps => &[Kind::Outage, Kind::SmallStep],
            Self::Everything => &[Kind::Outage, Kind::Suspend, Kind::Step, Kind::SmallStep],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Outage,
    Suspend,
    Step,
    StepBack,
    SmallStep,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    OutageBegins(Outage),
    OutageEnds,
    Suspend(Duration),
    /// Sets the wall clock to be this many seconds ahead of the true time.
    SetSkew(i64),
    /// Sets the wall clock forward by this many milliseconds, or back.
    StepBy(i64),
}

/// An event and when it happens, by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    pub(crate) at: Duration,
    pub(crate) event: Event,
    /// Not before a request is under way.
    pub(crate) during_exchange: bool,
}

/// Pseudo-random numbers (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// From `low` to `high`, both included.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap() + 1;
        low + i64::try_from(self.next() % width).unwrap()
    }

    /// Short ones are as likely as long ones: the exponent is even.
    fn duration(&mut self, least: Duration, doublings: u32) -> Duration {
        let step = i64::try_from(least.as_millis()).unwrap();
        let low = step << self.between(0, i64::from(doublings) - 1);
        Duration::from_millis(u64::try_from(self.between(low, 2 * low)).unwrap())
    }
}

/// All events of a life, in order.
pub(crate) fn plan(weather: Weather, length: Duration, chance: &mut Chance) -> Vec<Planned> {
    let mut planned = Vec::new();
    for kind in weather.kinds() {
        // Minutes to hours apart.
        let mut at = chance.duration(5 * MINUTE, 5);
        while at < length {
            let during_exchange = *kind == Kind::Outage && chance.between(0, 4) == 0;
            match kind {
                Kind::Outage => {
                    let how = [Outage::Refused, Outage::Silent, Outage::Busy];
                    let how = how[usize::try_from(chance.between(0, 2)).unwrap()];
                    planned.push(Planned {
                        at,
                        event: Event::OutageBegins(how),
                        during_exchange,
                    });
                    // A minute to four hours.
                    at += chance.duration(MINUTE, 8);
                    planned.push(Planned {
                        at,
                        event: Event::OutageEnds,
                        during_exchange: false,
                    });
                }
                Kind::Suspend => planned.push(Planned {
                    at,
                    event: Event::Suspend(chance.duration(5 * SECOND, 12)),
                    during_exchange: false,
                }),
                Kind::Step => planned.push(Planned {
                    at,
                    event: Event::SetSkew(chance.between(-SKEW, SKEW)),
                    during_exchange: false,
                }),
                Kind::StepBack => planned.push(Planned {
                    at,
                    event: Event::StepBy(-chance.between(1000, 20 * 60_000)),
                    during_exchange: false,
                }),
                Kind::SmallStep => planned.push(Planned {
                    at,
                    event: Event::StepBy(chance.between(-25_000, 25_000)),
                    during_exchange: false,
                }),
            }
            at += chance.duration(5 * MINUTE, 5);
        }
    }
    planned.sort_by_key(|planned| planned.at);
    planned
}
