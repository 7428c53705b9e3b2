use std::fmt;
use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Serialize, Serializer};

/// A moment, in milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

/// A text that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time; write it as 2026-05-31, 2026-05-31T10:30:00Z or in seconds since 1970")]
pub struct NoTime;

impl FromStr for Moment {
    type Err = NoTime;

    /// Reads a date, a date with a time (RFC 3339, a blank in place of the `T` allowed; UTC where no
    /// zone stands there), or seconds since 1970.
    fn from_str(text: &str) -> Result<Self, NoTime> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            // Years to 9999: what is larger counts in milliseconds or is no time.
            let fits = seconds.is_finite() && (0.0..2.6e11).contains(&seconds);
            return fits.then_some(Self((seconds * 1000.0) as i64)).ok_or(NoTime);
        }
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date, time),
            None => (text, "00:00"),
        };
        let days = days(date).ok_or(NoTime)?;
        let milliseconds = milliseconds(time.trim()).ok_or(NoTime)?;
        Ok(Self(days * 86_400_000 + milliseconds))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = u64::try_from(self.0.div_euclid(1000)).unwrap_or(0);
        f.write_str(&secondpass_core::rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Days since 1970 of `2026-05-31` (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(date: &str) -> Option<i64> {
    let [year, month, day] = numbers(date, '-')?;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let lengths = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1970..=9999).contains(&year) || !(1..=length).contains(&day) {
        return None;
    }
    let year = if month < 3 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Milliseconds of `10:30`, `10:30:00.5`, with `Z` or a zone as `+02:00` behind them.
fn milliseconds(time: &str) -> Option<i64> {
    let (clock, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, "Z"),
    };
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let (sign, zone) = zone.split_at(1);
            let digits: String = zone.chars().filter(|c| *c != ':').collect();
            let (hours, minutes) = digits.split_at_checked(2)?;
            let minutes = if minutes.is_empty() { "0" } else { minutes };
            let minutes = whole(hours, 23)? * 60 + whole(minutes, 59)?;
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let mut parts = clock.trim_end().splitn(3, ':');
    let hours = whole(parts.next()?, 23)?;
    let minutes = whole(parts.next()?, 59)?;
    let seconds = match parts.next() {
        None => 0,
        Some(seconds) => {
            let seconds: f64 = seconds.parse().ok()?;
            if !(0.0..61.0).contains(&seconds) {
                return None;
            }
            (seconds * 1000.0) as i64
        }
    };
    Some((hours * 60 + minutes - offset) * 60_000 + seconds)
}

fn whole(text: &str, most: i64) -> Option<i64> {
    let digits = (1..3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|value| digits && *value <= most)
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse::<u32>().ok().map(i64::from));
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_zones_and_seconds_are_moments() {
        let shown = |text: &str| text.parse::<Moment>().map(|moment| moment.to_string());
        for (text, expected) in [
            ("2026-05-31", "2026-05-31T00:00:00Z"),
            ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59Z"),
            ("2026-01-01 00:30+02:00", "2025-12-31T22:30:00Z"),
            ("2026-01-01T00:30:00-0130", "2026-01-01T02:00:00Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
        ] {
            assert_eq!(shown(text).unwrap(), expected, "{text}");
        }
        for text in
            ["", "yesterday", "2025-02-29", "2026-13-01", "2026-01-01T25:00", "31.05.2026", "-5"]
        {
            assert!(shown(text).is_err(), "{text}");
        }
        let half = "2026-01-01T00:00:00.5Z".parse::<Moment>().unwrap();
        assert!("2026-01-01".parse::<Moment>().unwrap() < half);
    }
}
