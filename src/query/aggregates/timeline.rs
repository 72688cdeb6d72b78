//! Timelines: the history of a selection in steps of equal kind, without gaps.
//!
//! Steps are whole: the first one contains the first day asked for, and the last one the last day. The days of a step are
//! added up, so a domain that is lost and comes back counts each time.

use std::ops::RangeInclusive;

use super::history::DayChange;
use crate::model::Day;
use crate::query::{Deadline, QueryError};

/// The length of a row of a timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStep {
    #[default]
    Day,
    /// From Monday to Sunday (ISO 8601).
    Week,
    Month,
}

impl TimeStep {
    /// The first day of the step that contains a day. The week of 1970-01-01 begins on that day.
    fn first_day(self, day: Day) -> Day {
        let passed = match self {
            Self::Day => 0,
            // 1970-01-01 is a Thursday.
            Self::Week => (day.0 + 3) % 7,
            Self::Month => day.as_number() % 100 - 1,
        };
        Day(day.0.saturating_sub(passed))
    }

    /// The first day of the step after the one that contains a day.
    fn next(self, day: Day) -> Day {
        let first = self.first_day(day);
        let later = match self {
            Self::Day => return Day(first.0.saturating_add(1)),
            Self::Week => Day(first.0.saturating_add(7)),
            // No month has more than 31 days, and no two have fewer.
            Self::Month => Day(first.0.saturating_add(31)),
        };
        // Numbers end with the year 9999.
        if later.as_number() / 100 == first.as_number() / 100 && self == Self::Month {
            return Day(u32::MAX);
        }
        self.first_day(later)
    }
}

/// The rows of a timeline, one for each step that has a day in the range; `None` if there are more than `max_rows`. The
/// date of a row is the first day of its step, and `active` counts what is active at the end of the last one.
///
/// # Errors
/// [`QueryError::Deadline`].
pub fn timeline(
    history: &[DayChange],
    days: RangeInclusive<Day>,
    step: TimeStep,
    max_rows: usize,
    deadline: &Deadline,
) -> Result<Option<Vec<DayChange>>, QueryError> {
    let mut start = step.first_day(*days.start());
    let (before, mut rest) = history.split_at(days_before(history, start));
    let mut active = before.last().map(|change| change.active).unwrap_or_default();
    let mut rows = Vec::new();
    while start <= *days.end() {
        deadline.check_at(rows.len())?;
        if rows.len() == max_rows {
            return Ok(None);
        }
        let next = step.next(start);
        let (of_step, later) = rest.split_at(days_before(rest, next));
        rest = later;
        active = of_step.last().map_or(active, |change| change.active);
        let mut row = sum(of_step, deadline)?;
        (row.date, row.active) = (start.as_number(), active);
        rows.push(row);
        start = next;
    }
    Ok(Some(rows))
}

/// The sum of the changes of some days. Its date and its active links are not set.
///
/// # Errors
/// [`QueryError::Deadline`].
pub fn sum(changes: &[DayChange], deadline: &Deadline) -> Result<DayChange, QueryError> {
    let mut total = DayChange::default();
    for (at, change) in changes.iter().enumerate() {
        deadline.check_at(at)?;
        for (sum, part) in [
            (&mut total.first_seen, change.first_seen),
            (&mut total.new, change.new),
            (&mut total.lost, change.lost),
        ] {
            sum.backlinks += part.backlinks;
            sum.refdoms += part.refdoms;
        }
    }
    Ok(total)
}

/// The number of changes before a day. The changes are in ascending order.
fn days_before(history: &[DayChange], day: Day) -> usize {
    history.partition_point(|change| change.date < day.as_number())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    #[test]
    fn steps_begin_on_mondays_and_on_the_first_of_a_month() {
        for (step, within, first, next) in [
            (TimeStep::Day, "20240229", "20240229", "20240301"),
            (TimeStep::Week, "20261130", "20261130", "20261207"),
            (TimeStep::Week, "20261129", "20261123", "20261130"),
            (TimeStep::Week, "20240101", "20240101", "20240108"),
            (TimeStep::Week, "19700103", "19700101", "19700105"),
            (TimeStep::Month, "20240131", "20240101", "20240201"),
            (TimeStep::Month, "20240201", "20240201", "20240301"),
            (TimeStep::Month, "20241231", "20241201", "20250101"),
        ] {
            assert_eq!(step.first_day(day(within)), day(first), "{step:?} {within}");
            assert_eq!(step.next(day(within)), day(next), "{step:?} {within}");
        }
        assert!(TimeStep::Month.next(day("99991231")) > day("99991231"));
    }
}
