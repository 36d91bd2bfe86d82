//! The signing time in the two spellings that OSS wants.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::SignError;

/// First second of the year 10000.
const END: u64 = 253_402_300_800;
const SECONDS_PER_DAY: u64 = 86_400;
const WEEKDAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// One reading of the clock, in whole seconds. Day and second come from the same reading, so a signature made
/// at midnight is of one piece.
pub(crate) struct Stamp {
    unix: u64,
    /// `20260101T083000Z`
    iso: [u8; 16],
    /// `Thu, 01 Jan 2026 08:30:00 GMT`
    http: [u8; 29],
}

/// The signing time in whole seconds since 1970.
pub(crate) fn second_of(time: SystemTime) -> Result<u64, SignError> {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| SignError::TimeOutOfRange)?;
    if is_in_range(since.as_secs()) {
        Ok(since.as_secs())
    } else {
        Err(SignError::TimeOutOfRange)
    }
}

/// Returns whether a second since 1970 is before the year 10000.
pub(crate) fn is_in_range(second: u64) -> bool {
    second < END
}

/// An instant that prints as UTC in whole seconds, such as `2026-01-01T08:30:00Z` (RFC 3339).
///
/// An instant before 1970 or after 9999 prints as `an unknown time`.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_sign::UtcTime;
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
/// assert_eq!(UtcTime::from(time).to_string(), "2026-01-01T08:30:00Z");
/// assert_eq!(SystemTime::from(UtcTime::from(time)), time);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcTime(SystemTime);

impl From<SystemTime> for UtcTime {
    fn from(time: SystemTime) -> Self {
        Self(time)
    }
}

impl From<UtcTime> for SystemTime {
    fn from(time: UtcTime) -> Self {
        time.0
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match second_of(self.0) {
            Ok(second) => f.write_str(&Stamp::new(second).extended("")),
            Err(_) => f.write_str("an unknown time"),
        }
    }
}

impl fmt::Debug for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The instant `after` the signed second.
pub(crate) fn instant(second: u64, after: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(second) + after
}

impl Stamp {
    /// Spells a second of [`second_of`].
    pub(crate) fn new(unix: u64) -> Self {
        let (year, month, day) = civil(unix / SECONDS_PER_DAY);
        let second = unix % SECONDS_PER_DAY;
        let (weekday, month_name) = (
            three(WEEKDAYS, unix / SECONDS_PER_DAY % 7),
            three(MONTHS, month - 1),
        );
        let (century, year, month, day) = (two(year / 100), two(year % 100), two(month), two(day));
        let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60].map(two);

        let mut iso = *b"YYYYMMDDThhmmssZ";
        let mut http = *b"Www, DD Mmm YYYY hh:mm:ss GMT";
        iso[..2].copy_from_slice(&century);
        iso[2..4].copy_from_slice(&year);
        iso[4..6].copy_from_slice(&month);
        iso[6..8].copy_from_slice(&day);
        iso[9..11].copy_from_slice(&hour);
        iso[11..13].copy_from_slice(&minute);
        iso[13..15].copy_from_slice(&second);
        http[..3].copy_from_slice(&weekday);
        http[5..7].copy_from_slice(&day);
        http[8..11].copy_from_slice(&month_name);
        http[12..14].copy_from_slice(&century);
        http[14..16].copy_from_slice(&year);
        http[17..19].copy_from_slice(&hour);
        http[20..22].copy_from_slice(&minute);
        http[23..25].copy_from_slice(&second);
        Self { unix, iso, http }
    }

    /// Seconds since 1970.
    pub(crate) fn second(&self) -> u64 {
        self.unix
    }

    /// `YYYYMMDD'T'HHMMSS'Z'`
    pub(crate) fn iso(&self) -> &[u8; 16] {
        &self.iso
    }

    /// The day of [`Stamp::iso`], `YYYYMMDD`.
    pub(crate) fn day(&self) -> &[u8] {
        &self.iso[..8]
    }

    /// `YYYY-MM-DD'T'HH:MM:SS<fraction>'Z'`
    pub(crate) fn extended(&self, fraction: &str) -> String {
        let mut marks = [(4, "-"), (6, "-"), (11, ":"), (13, ":"), (15, fraction)]
            .into_iter()
            .peekable();
        let mut out = String::with_capacity(24);
        for (at, byte) in self.iso.into_iter().enumerate() {
            if let Some((_, mark)) = marks.next_if(|(place, _)| *place == at) {
                out.push_str(mark);
            }
            out.push(char::from(byte));
        }
        out
    }

    /// The HTTP date with `GMT` and a two-digit day.
    pub(crate) fn http(&self) -> &[u8; 29] {
        &self.http
    }
}

/// The day of an HTTP date in the form of [`Stamp::http`], as `YYYYMMDD`; `None` for any other text.
pub(crate) fn day_of_http(text: &[u8]) -> Option<[u8; 8]> {
    const SHAPE: &[u8; 29] = b"Www, 00 Mmm 0000 00:00:00 GMT";
    let fits = text.iter().zip(SHAPE).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'W' | b'w' | b'M' | b'm' => true,
        fixed => byte == fixed,
    });
    let (weekday, name) = (text.get(..3)?, text.get(8..11)?);
    if text.len() != SHAPE.len() || !fits || !WEEKDAYS.chunks(3).any(|known| known == weekday) {
        return None;
    }
    let month = MONTHS.chunks(3).position(|known| known == name)?;
    let month = two(u64::try_from(month).ok()? + 1);
    let mut day = *b"YYYYMMDD";
    day[..4].copy_from_slice(text.get(12..16)?);
    day[4..6].copy_from_slice(&month);
    day[6..].copy_from_slice(text.get(5..7)?);
    Some(day)
}

/// Year, month and day of a number of days since 1970-01-01, by counting in 400-year eras that begin on a
/// first of March: then the leap day is the last of its year and the month lengths repeat every five months.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Two decimal digits of a number under 100.
fn two(number: u64) -> [u8; 2] {
    [tens(number / 10), tens(number)]
}

fn tens(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// The three letters at place `index` of a table of names.
fn three(table: &[u8], index: u64) -> [u8; 3] {
    let at = usize::try_from(index).unwrap_or(0) * 3;
    table
        .get(at..at + 3)
        .and_then(|name| name.try_into().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(unix: u64) -> (String, String) {
        let late = SystemTime::UNIX_EPOCH + Duration::from_millis(unix * 1000 + 999);
        let stamp = Stamp::new(second_of(late).unwrap());
        (
            String::from_utf8(stamp.iso.into()).unwrap(),
            String::from_utf8(stamp.http.into()).unwrap(),
        )
    }

    /// Expected values were printed by GNU `date --utc`.
    #[test]
    fn known_instants() {
        for (unix, iso, http) in [
            (0, "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "20000228T235959Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "20000301T000000Z", "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_767_256_200, "20260101T083000Z", "Thu, 01 Jan 2026 08:30:00 GMT"),
            (1_798_761_599, "20261231T235959Z", "Thu, 31 Dec 2026 23:59:59 GMT"),
            (4_107_542_400, "21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
            (
                253_402_300_799,
                "99991231T235959Z",
                "Fri, 31 Dec 9999 23:59:59 GMT",
            ),
        ] {
            assert_eq!(spelled(unix), (iso.to_owned(), http.to_owned()));
            assert_eq!(day_of_http(http.as_bytes()).unwrap(), iso.as_bytes()[..8]);
        }
    }

    #[test]
    fn the_extended_form_may_have_a_fraction() {
        let stamp = Stamp::new(1_798_761_599);
        assert_eq!(stamp.extended(".000"), "2026-12-31T23:59:59.000Z");
        assert_eq!(stamp.extended(""), "2026-12-31T23:59:59Z");
    }

    #[test]
    fn times_that_cannot_be_written_still_print() {
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(UtcTime(early).to_string(), "an unknown time");
    }

    #[test]
    fn other_texts_are_no_http_date() {
        for text in [
            "",
            "20260101T083000Z",
            "Thu, 01 Jan 2026 08:30:00 UTC",
            "Thu, 01 Jan 2026 08:30:00 GMT ",
            "Thu, 1 Jan 2026 08:30:00 GMT",
            "Thu, 01 Jen 2026 08:30:00 GMT",
            "Mun, 01 Jan 2026 08:30:00 GMT",
            "Thu, 0x Jan 2026 08:30:00 GMT",
        ] {
            assert_eq!(day_of_http(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_outside_four_digit_years_are_refused() {
        for time in [
            SystemTime::UNIX_EPOCH - Duration::from_nanos(1),
            SystemTime::UNIX_EPOCH + Duration::from_secs(END),
        ] {
            assert_eq!(second_of(time), Err(SignError::TimeOutOfRange));
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let lengths = |year: u64| {
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            [
                31,
                if leap { 29 } else { 28 },
                31,
                30,
                31,
                30,
                31,
                31,
                30,
                31,
                30,
                31,
            ]
        };
        let mut days = 0;
        for year in 1970..=2401 {
            for (month, length) in (1..).zip(lengths(year)) {
                for day in 1..=length {
                    assert_eq!(civil(days), (year, month, day));
                    days += 1;
                }
            }
        }
    }
}
