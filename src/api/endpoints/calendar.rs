//! What the histograms share: the days asked for, and the answer that lists them.

use serde::Serialize;

use crate::api::{ApiError, Call};
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
    let days = call.params.days(|| call.today())?;
    let days = days.start().as_number()..=days.end().as_number();
    let facts = call.facts()?;
    let changes = facts.history.iter().filter(|change| days.contains(&change.date));
    let rows = changes.filter_map(|change| row(change.date, change).map(|row| (change.date, row)));
    let (calendar, response): (Vec<u32>, Vec<T>) = rows.unzip();
    let count = response.len();
    call.explain_empty(count == 0)?;
    call.json(&Reply { calendar, response, count, status: 200 }, &[])
}
