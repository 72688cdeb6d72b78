//! Dates in URLs: recognises calendar pages, and their dates.
//!
//! A date counts when the URL is about it: it ends the path (`/2031/05`, `/2031/05/01/`, `/2031-05`), or it
//! is a parameter. A date before a name (`/1945/07/an-article`) is the date of an article.

use std::ops::RangeInclusive;

/// Segments after which a number behind year and month is a day, even if no month has such a day.
const CALENDARS: [&str; 8] =
    ["agenda", "cal", "calendar", "event", "events", "kalender", "schedule", "calendrier"];
/// Parameters that hold a date.
const DATES: [&str; 10] =
    ["calendar", "cal", "date", "day", "month", "ym", "start", "week", "start_date", "tribe-bar-date"];
/// Parameters that hold only a month, so that their six digits are no other number.
const COMPACT_MONTHS: [&str; 2] = ["month", "ym"];
const YEARS: [&str; 4] = ["year", "y", "yr", "yyyy"];
const MONTHS: [&str; 5] = ["month", "m", "mon", "mo", "mm"];

/// The date of a path, if it lies outside of `years` or is invalid.
pub(super) fn in_path(segments: &[&str], years: RangeInclusive<u32>) -> Option<String> {
    let last = segments.last().is_some_and(|last| last.is_empty() || last.starts_with("index."));
    let segments = &segments[..segments.len() - usize::from(last)];
    if let [.., date] = segments
        && let Some((year, _)) = year_and_month(date)
    {
        return outside(year, date, &years);
    }
    let numbers = segments.iter().rev().take_while(|segment| number(segment, 1..=4).is_some()).count();
    let is_year = |from_end: usize| numbers >= from_end && segments[segments.len() - from_end].len() == 4;
    let length = [3, 2].into_iter().find(|&length| is_year(length))?;
    let (before, date) = segments.split_at(segments.len() - length);
    let [year, month, day @ ..] = date else { return None };
    let (year_number, month_number) = (number(year, 4..=4)?, number(month, 1..=2)?);
    let text = date.join("-");
    let day = day.first().and_then(|day| number(day, 1..=4));
    let is_calendar =
        before.iter().any(|word| CALENDARS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    if is_calendar && (!(1..=12).contains(&month_number) || day.is_some_and(|day| !(1..=31).contains(&day))) {
        return Some(text);
    }
    // A number behind a month that is no day is the id of an article.
    let is_date = (1..=12).contains(&month_number) && day.is_none_or(|day| (1..=31).contains(&day));
    if is_date { outside(year_number, &text, &years) } else { None }
}

/// As [`in_path`], for a query: its first such date.
pub(super) fn in_query(parameters: &[(&str, &str)], years: RangeInclusive<u32>) -> Option<String> {
    let values_of = |names: &'static [&str]| {
        let is_named = |name: &str| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        parameters.iter().filter(move |(name, _)| is_named(name)).map(|(_, value)| *value)
    };
    let year = values_of(&YEARS).find_map(|year| Some((number(year, 4..=4)?, year)));
    let month = values_of(&MONTHS).find(|month| number(month, 1..=2).is_some());
    if let (Some((number, year)), Some(month)) = (year, month)
        && let Some(date) = outside(number, &format!("{year}-{month}"), &years)
    {
        return Some(date);
    }
    let is_outside = |date: &str| outside(year_and_month(date).or_else(|| compact(date))?.0, date, &years);
    values_of(&DATES).find_map(is_outside).or_else(|| {
        let is_outside = |date: &str| outside(compact_month(date)?.0, date, &years);
        values_of(&COMPACT_MONTHS).find_map(is_outside)
    })
}

fn outside(year: u32, date: &str, years: &RangeInclusive<u32>) -> Option<String> {
    (!years.contains(&year)).then(|| date.to_owned())
}

/// Year and month of `2031-05` or `2031-05-01`.
fn year_and_month(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('-');
    let (year, month) = (number(parts.next()?, 4..=4)?, number(parts.next()?, 1..=2)?);
    let day = parts.next().map(|day| number(day, 1..=2));
    let is_date = (1..=12).contains(&month) && day != Some(None) && parts.next().is_none();
    is_date.then_some((year, month))
}

/// Year and month of `20310501`.
fn compact(text: &str) -> Option<(u32, u32)> {
    let date = number(text, 8..=8)?;
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month))
}

/// Year and month of `203105`.
fn compact_month(text: &str) -> Option<(u32, u32)> {
    let date = number(text, 6..=6)?;
    (1..=12).contains(&(date % 100)).then_some((date / 100, date % 100))
}

/// Parses a number with an allowed count of digits.
fn number(text: &str, digits: RangeInclusive<usize>) -> Option<u32> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
