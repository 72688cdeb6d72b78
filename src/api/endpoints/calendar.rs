//! What the histograms share: the days asked for, and the answer that lists them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::api::{ApiError, Call};
use crate::model::Day;
use crate::query::DayChange;

/// The answer of a histogram.
#[derive(Serialize)]
struct Reply<T> {
    calendar: Vec<u32>,
    response: Vec<T>,
    count: usize,
    status: u16,
}

/// The JSON of the days that make a row.
pub(super) fn answer<T: Serialize>(
    call: &Call<'_>,
    row: impl Fn(u32, &DayChange) -> Option<T>,
) -> Result<Vec<u8>, ApiError> {
    let days = call.params.days(today())?;
    let days = days.start().as_number()..=days.end().as_number();
    let facts = call.facts()?;
    let changes = facts.history.iter().filter(|change| days.contains(&change.date));
    let rows = changes.filter_map(|change| row(change.date, change).map(|row| (change.date, row)));
    let (calendar, response): (Vec<u32>, Vec<T>) = rows.unzip();
    let count = response.len();
    Ok(serde_json::to_vec(&Reply { calendar, response, count, status: 200 })?)
}

/// The day it is now, UTC.
pub(super) fn today() -> Day {
    // A clock before 1970 is as wrong as one that says 1970.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Day::from_unix_seconds(since.as_secs())
}
