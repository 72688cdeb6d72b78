//! History: the daily changes of a selection's backlinks.
//!
//! A link is new on the day on which it was first seen, and on every day on which it returned after an
//! absence. It is lost on every day on which it disappeared. A domain is new on the day of its first link
//! after having none, and lost on the day on which its last link disappeared; both can happen many times. A
//! change that is undone on the same day counts as new and as lost on that day. Hence, for links and for
//! domains: active at the end of a day = active at the end of the day before + new - lost.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::counts::Totals;
use crate::query::engine::column::Column;
use crate::query::engine::order::sort_numbers;
use crate::query::{Deadline, QueryError};

/// A day on which links changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayChange {
    /// The day as the number `yyyyMMdd`.
    pub date: u32,
    /// Links first seen on this day, and their distinct domains.
    pub first_seen: Totals,
    pub new: Totals,
    pub lost: Totals,
    /// The active links and domains at the end of the day.
    pub active: Totals,
}

/// An absence of a link: its row, the day on which it was lost and, if it has returned, that day, as
/// `yyyyMMdd`.
pub(crate) type RowAbsence = (u32, u32, Option<u32>);

/// The history of links: when each was first seen, and when it was absent.
#[derive(Clone, Debug)]
pub struct LinkHistory {
    /// The day on which the link of each row was first seen, as `yyyyMMdd`.
    pub first_seen: Column,
    /// For each row, the code of its source's registrable domain.
    pub domain: Column,
    pub absences: Vec<RowAbsence>,
}

/// An event of a link. Sorts by day, then by domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    date: u32,
    /// The code of the link's source domain.
    domain: u32,
    kind: EventKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum EventKind {
    FirstSeen,
    Back,
    Lost,
}

impl LinkHistory {
    /// The days with changes, in ascending order.
    ///
    /// # Errors
    /// [`QueryError::Deadline`].
    pub fn days(&self, deadline: &Deadline) -> Result<Vec<DayChange>, QueryError> {
        let mut events = self.events(deadline)?;
        sort_numbers(&mut events, deadline)?;
        let mut active = ActiveTotals::default();
        let days = events.chunk_by(|a, b| a.date == b.date);
        days.map(|of_day| active.apply_day(of_day[0].date, of_day, deadline)).collect()
    }

    fn events(&self, deadline: &Deadline) -> Result<Vec<Event>, QueryError> {
        let first = self.first_seen.cells().iter().zip(self.domain.cells().iter());
        let mut events = Vec::with_capacity(self.first_seen.rows() + self.absences.len());
        for (row, (date, domain)) in first.enumerate() {
            deadline.check_at(row)?;
            events.push(Event { date, domain, kind: EventKind::FirstSeen });
        }
        for (at, &(row, lost, back)) in self.absences.iter().enumerate() {
            deadline.check_at(at)?;
            let domain = self.domain.cell(row as usize);
            events.push(Event { date: lost, domain, kind: EventKind::Lost });
            events.extend(back.map(|date| Event { date, domain, kind: EventKind::Back }));
        }
        Ok(events)
    }
}

/// The active links and domains after the days so far.
#[derive(Default)]
struct ActiveTotals {
    totals: Totals,
    /// The number of active links of each domain that has or had one.
    links_of: HashMap<u32, u64>,
}

impl ActiveTotals {
    /// Applies the events of one day. There is at least one.
    fn apply_day(
        &mut self,
        date: u32,
        events: &[Event],
        deadline: &Deadline,
    ) -> Result<DayChange, QueryError> {
        let mut change = DayChange { date, ..DayChange::default() };
        for (at, of_domain) in events.chunk_by(|a, b| a.domain == b.domain).enumerate() {
            deadline.check_at(at)?;
            let count = |kind| of_domain.iter().filter(|event| event.kind == kind).count() as u64;
            let (first_seen, back, lost) =
                (count(EventKind::FirstSeen), count(EventKind::Back), count(EventKind::Lost));
            let new = first_seen + back;
            let links = self.links_of.entry(of_domain[0].domain).or_default();
            let before = *links;
            *links = (before + new).saturating_sub(lost);
            change.first_seen.add(first_seen, first_seen > 0);
            change.new.add(new, before == 0 && new > 0);
            change.lost.add(lost, *links == 0 && lost > 0);
        }
        let after = |before: u64, new: u64, lost: u64| (before + new).saturating_sub(lost);
        self.totals = Totals {
            backlinks: after(self.totals.backlinks, change.new.backlinks, change.lost.backlinks),
            refdoms: after(self.totals.refdoms, change.new.refdoms, change.lost.refdoms),
        };
        change.active = self.totals;
        Ok(change)
    }
}

impl Totals {
    fn add(&mut self, links: u64, domain: bool) {
        self.backlinks += links;
        self.refdoms += u64::from(domain);
    }
}
