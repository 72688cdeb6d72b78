//! The common part of the histograms: the range of days, and the reply.

use serde::Serialize;

use crate::api::{ApiError, JsonReply, RequestContext};
use crate::query::DayChange;

/// The reply of a histogram.
#[derive(Serialize)]
struct HistogramReply<T> {
    calendar: Vec<u32>,
    response: Vec<T>,
    count: usize,
    status: u16,
}

/// Serializes the days for which `row` returns a row.
pub(super) fn render<T: Serialize>(
    context: &RequestContext<'_>,
    row: impl Fn(u32, &DayChange) -> Option<T>,
) -> Result<JsonReply, ApiError> {
    let range = context.day_range()?;
    let days = range.days().start().as_number()..=range.days().end().as_number();
    let (statistics, provenance) = context.statistics()?;
    let changes = statistics.history.iter().filter(|change| days.contains(&change.date));
    let rows = changes.filter_map(|change| row(change.date, change).map(|row| (change.date, row)));
    let (calendar, response): (Vec<u32>, Vec<T>) = rows.unzip();
    let count = response.len();
    let provenance = context.explain_empty(count == 0, range.provenance().and(provenance))?;
    context.render_json(&HistogramReply { calendar, response, count, status: 200 }, &[], &provenance)
}
