//! A UTC calendar day, the resolution of all dates in the API.

use std::fmt;

use time::{Date, Month};

/// The Julian day number of 1970-01-01.
const UNIX_EPOCH_JULIAN: i32 = 2_440_588;
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
        let julian = i32::try_from(self.0).unwrap_or(i32::MAX).saturating_add(UNIX_EPOCH_JULIAN);
        let date = Date::from_julian_day(julian).unwrap_or(Date::MAX);
        let year = u32::try_from(date.year()).unwrap_or(0);
        year * 10_000 + u32::from(u8::from(date.month())) * 100 + u32::from(date.day())
    }

    /// Parses `yyyyMMdd`.
    ///
    /// # Errors
    /// [`DayError`] when the text is not eight digits, is not a calendar day, or is before 1970.
    pub fn parse(text: &str) -> Result<Self, DayError> {
        let wrong = || DayError(text.to_owned());
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let number: u32 = text.parse().map_err(|_| wrong())?;
        let year = i32::try_from(number / 10_000).map_err(|_| wrong())?;
        let month = u8::try_from(number / 100 % 100).map_err(|_| wrong())?;
        let day = u8::try_from(number % 100).map_err(|_| wrong())?;
        let month = Month::try_from(month).map_err(|_| wrong())?;
        let date = Date::from_calendar_date(year, month, day).map_err(|_| wrong())?;
        u32::try_from(date.to_julian_day() - UNIX_EPOCH_JULIAN).map(Self).map_err(|_| wrong())
    }
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
