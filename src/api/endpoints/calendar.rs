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
    let changes = call.ask(|scan| scan.history(days))?;
    let rows = changes.iter().filter_map(|change| {
        let date = change.day.as_number();
        row(date, change).map(|row| (date, row))
    });
    let (calendar, response): (Vec<u32>, Vec<T>) = rows.unzip();
    let count = response.len();
    call.json(&Reply { calendar, response, count, status: 200 }, &[])
}
