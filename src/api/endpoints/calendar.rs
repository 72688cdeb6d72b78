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
    let changes = call.ask(|scan| scan.history(days))?;
    let rows = changes.iter().filter_map(|change| {
        let date = change.day.as_number();
        row(date, change).map(|row| (date, row))
    });
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
