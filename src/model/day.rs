//! A UTC calendar day, the resolution of all dates in the API.

use std::fmt;

use time::{Date, Duration, Month, UtcDateTime};

const UNIX_EPOCH: Date = UtcDateTime::UNIX_EPOCH.date();
const SECONDS_A_DAY: u64 = 86_400;

/// Tolerated clock difference, in seconds.
pub const CLOCK_ERROR: u64 = SECONDS_A_DAY;

/// Days since 1970-01-01, UTC. Shown as `yyyyMMdd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

/// A text that is not a calendar day of the form `yyyyMMdd`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is not a calendar day; write it as yyyyMMdd, for example 20240229")]
pub struct DayError(pub String);

impl Day {
    /// The UTC day of a Unix time.
    pub fn from_unix_seconds(seconds: u64) -> Self {
        Self(u32::try_from(seconds / SECONDS_A_DAY).unwrap_or(u32::MAX))
    }

    /// The day as the decimal number `yyyyMMdd`, which sorts by date.
    pub fn as_number(self) -> u32 {
        let date = UNIX_EPOCH.checked_add(Duration::days(self.0.into())).unwrap_or(Date::MAX);
        let year = date.year().unsigned_abs();
        year * 10_000 + u32::from(u8::from(date.month())) * 100 + u32::from(date.day())
    }

    /// The day of a decimal number `yyyyMMdd`; `None` if it is no calendar day, or before 1970.
    pub fn from_number(number: u32) -> Option<Self> {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let year = i32::try_from(year).ok()?;
        let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
        u32::try_from((date - UNIX_EPOCH).whole_days()).ok().map(Self)
    }

    /// Parses `yyyyMMdd`.
    ///
    /// # Errors
    /// [`DayError`] when the text is not eight digits, is not a calendar day, or is before 1970.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        parse_day(text).ok_or_else(|| DayError(text.to_owned()))
    }
}

fn parse_day(text: &str) -> Option<Day> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Day::from_number(text.parse().ok()?)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.as_number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_formatted_and_parsed() {
        for (unix, shown) in [
            (0, "19700101"),
            (86_399, "19700101"),
            (951_782_400, "20000229"),
            (1_709_164_800, "20240229"),
            (4_102_444_800, "21000101"),
        ] {
            let day = Day::from_unix_seconds(unix);
            assert_eq!(day.to_string(), shown);
            assert_eq!(Day::parse(shown), Ok(day));
        }
    }

    #[test]
    fn invalid_days_are_rejected() {
        for text in
            ["", "2024", "20240230", "20241301", "20240001", "19691231", "2024-1-1", "２０２４０１０１"]
        {
            assert_eq!(Day::parse(text), Err(DayError(text.to_owned())));
        }
    }
}
