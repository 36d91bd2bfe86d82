//! Durations on the command line: `90s`, `15m`, `1h`, `7d`.

use std::time::Duration;

/// Reads whole seconds, minutes, hours or days.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Err(format!(
                "a unit is missing; write {digits}s, {digits}m, {digits}h or {digits}d"
            ));
        }
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        other => return Err(format!("there is no unit {other:?}; use s, m, h or d")),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "write a number and a unit, such as 15m".to_owned())?;
    let seconds = number.checked_mul(unit).ok_or("that is too long")?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_seconds_minutes_hours_and_days() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("15min", 900),
            ("1h", 3600),
            ("7d", 604_800),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(
            parse("15"),
            Err("a unit is missing; write 15s, 15m, 15h or 15d".to_owned())
        );
        for text in [
            "",
            "90",
            "h",
            "1.5h",
            "-1s",
            "1w",
            "99999999999999999999s",
            "9999999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
