//! The range of days of a request, and the current day.

use std::ops::RangeInclusive;

use super::query_string::QueryString;
use crate::api::ApiError;
use crate::api::reply::provenance::Provenance;
use crate::clock::unix_now;
use crate::model::Day;
use crate::query::ErrorCode;

/// The days from `from` to `to`, both ends included.
#[derive(Clone, Debug)]
pub struct DayRange {
    days: RangeInclusive<Day>,
    /// Whether the range ends on the current day.
    ends_today: bool,
}

impl DayRange {
    /// Parses `from` and `to`. `to` defaults to the current day.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if `from` is missing, a day is malformed, or `from` is later than `to`.
    pub(super) fn parse(params: &QueryString, today: fn() -> Day) -> Result<Self, ApiError> {
        let from = parse_day(params, "from")?.ok_or_else(|| {
            ApiError::missing("from", "give the first day as yyyyMMdd, for example from=20240101")
        })?;
        let given = parse_day(params, "to")?;
        let to = given.unwrap_or_else(today);
        check_order(from, to)?;
        Ok(Self { days: from..=to, ends_today: given.is_none() })
    }

    pub fn days(&self) -> &RangeInclusive<Day> {
        &self.days
    }

    /// What a reply about these days depends on.
    pub fn provenance(&self) -> Provenance {
        if self.ends_today { Provenance::volatile() } else { Provenance::current() }
    }
}

/// The days before the current one that `since` goes back without the parameter.
const SINCE_DAYS: u32 = 30;

/// Parses `since`, which defaults to 30 days before the current one. Also returns what a reply about it depends on.
///
/// # Errors
/// [`ApiError::BadRequest`] if the day is malformed.
pub(super) fn parse_since(params: &QueryString, today: fn() -> Day) -> Result<(Day, Provenance), ApiError> {
    Ok(match parse_day(params, "since")? {
        Some(day) => (day, Provenance::current()),
        None => (Day(today().0.saturating_sub(SINCE_DAYS)), Provenance::volatile()),
    })
}

/// Parses a day, if given.
///
/// # Errors
/// [`ApiError::BadRequest`] for a malformed day.
pub(in crate::api) fn parse_day(params: &QueryString, name: &str) -> Result<Option<Day>, ApiError> {
    let Some(text) = params.single(name)? else { return Ok(None) };
    let expected = "a calendar day from 19700101 on, written as yyyyMMdd";
    Day::parse(text).map(Some).map_err(|_| ApiError::parameter(name, text, expected))
}

/// Checks that a range of days does not end before it begins.
///
/// # Errors
/// [`ApiError::BadRequest`] if `from` is later than `to`.
pub(in crate::api) fn check_order(from: Day, to: Day) -> Result<(), ApiError> {
    if from <= to {
        return Ok(());
    }
    let message = format!(
        "from is {from}, which is after {to}, the last day asked for; give an earlier from or a later to"
    );
    Err(ApiError::of_value("from", &from.to_string(), ErrorCode::BadValue, message))
}

/// Returns the current day (UTC). A clock before 1970 is wrong anyway, and counts as 1970.
pub fn current_day() -> Day {
    Day::from_unix_seconds(unix_now())
}
