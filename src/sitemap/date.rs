//! Dates in sitemaps: the W3C profile of ISO 8601 (<https://www.w3.org/TR/NOTE-datetime>).
//!
//! `2024`, `2024-05`, `2024-05-01`, `2024-05-01T12:30Z`, `2024-05-01T12:30:15.25+02:00`. Missing parts default to the
//! start of the period. Common mistakes are accepted: a time without a zone counts as UTC, and the T may be a blank,
//! and the colon of the zone may be missing.

use time::{Date, Month};

/// Unix seconds; `None` for a text that is not a date, or a date before 1970.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let seconds = midnight(date)? + time.map_or(Some(0), seconds)?;
    u64::try_from(seconds).ok()
}

/// Unix seconds of the start of a day, UTC.
fn midnight(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = i32::try_from(number(parts.next()?, 4)?).ok()?;
    let month = parts.next().map_or(Some(1), |month| number(month, 2))?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2))?;
    if parts.next().is_some() {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp())
}

/// Seconds since midnight UTC of the written day. The zone may make them negative, or longer than a day.
fn seconds(text: &str) -> Option<i64> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let mut parts = clock.trim_end().split(':');
    let (hours, minutes) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let seconds = match parts.next() {
        Some(seconds) => number(seconds.split('.').next()?, 2)?,
        None => 0,
    };
    // A leap second counts as the following second.
    let is_time = hours <= 23 && minutes <= 59 && seconds <= 60 && parts.next().is_none();
    is_time.then_some(hours * 3_600 + minutes * 60 + seconds - offset(zone)?)
}

/// Offset of a zone from UTC, in seconds, positive to the east.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = (if zone.starts_with('-') { -1 } else { 1 }, zone.get(1..)?);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (number(hours, 2)?, number(minutes, 2)?),
        None if digits.len() == 4 => (number(digits.get(..2)?, 2)?, number(digits.get(2..)?, 2)?),
        None => (number(digits, 2)?, 0),
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// A number with exactly this many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
