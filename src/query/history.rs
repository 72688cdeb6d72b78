//! What changed in a selection's backlinks from day to day.
//!
//! A link is new on the day on which it was first seen, and again on every day on which it came back after an
//! absence; it is lost on every day on which it went. A domain is new on the day on which its first link came while
//! it had none, and lost on the day on which its last one went; so it, too, can be new and lost many times. What
//! comes and goes within one day is new and lost on that day. Hence for links and domains alike: active at the end
//! of a day = active at the end of the day before + new - lost.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::column::Column;
use super::counts::Totals;
use super::order::sort_numbers;
use super::{Deadline, QueryError};

/// A day on which something changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayChange {
    /// The day as the number `yyyyMMdd`.
    pub date: u32,
    /// Links first seen on this day, and the distinct domains of these.
    pub first_seen: Totals,
    pub new: Totals,
    pub lost: Totals,
    /// What is active at the end of the day.
    pub active: Totals,
}

/// An absence of a link: the link's row, its lost day and, if it is back, the day of its return, as `yyyyMMdd`.
pub type Absence = (u32, u32, Option<u32>);

/// What the links of some rows went through.
#[derive(Clone, Debug)]
pub struct Past {
    /// The day on which the link of each row was first seen, as `yyyyMMdd`.
    pub first_seen: Column,
    /// The number of the source's registrable domain of each row.
    pub domain: Column,
    pub absences: Vec<Absence>,
}

/// Something that happened to a link. Sorts by day, then by domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    date: u32,
    /// The number of the link's source domain.
    domain: u32,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    FirstSeen,
    Back,
    Lost,
}

impl Past {
    /// The days on which something changed, in their order.
    ///
    /// # Errors
    /// What the deadline reports.
    pub fn history(&self, deadline: &Deadline) -> Result<Vec<DayChange>, QueryError> {
        let mut events = self.events(deadline)?;
        sort_numbers(&mut events, deadline)?;
        let mut active = Active::default();
        let days = events.chunk_by(|a, b| a.date == b.date);
        days.map(|of_day| active.pass(of_day[0].date, of_day, deadline)).collect()
    }

    fn events(&self, deadline: &Deadline) -> Result<Vec<Event>, QueryError> {
        let first = self.first_seen.cells().iter().zip(self.domain.cells().iter());
        let mut events = Vec::with_capacity(self.first_seen.rows() + self.absences.len());
        for (row, (date, domain)) in first.enumerate() {
            deadline.check_at(row)?;
            events.push(Event { date, domain, what: What::FirstSeen });
        }
        for (at, &(row, lost, back)) in self.absences.iter().enumerate() {
            deadline.check_at(at)?;
            let domain = self.domain.cell(row as usize);
            events.push(Event { date: lost, domain, what: What::Lost });
            events.extend(back.map(|date| Event { date, domain, what: What::Back }));
        }
        Ok(events)
    }
}

/// What is active after the days passed.
#[derive(Default)]
struct Active {
    totals: Totals,
    /// The active links of each domain that has or had one.
    links_of: FxHashMap<u32, u64>,
}

impl Active {
    /// Takes in the events of one day, of which there is at least one.
    fn pass(&mut self, date: u32, events: &[Event], deadline: &Deadline) -> Result<DayChange, QueryError> {
        let mut change = DayChange { date, ..DayChange::default() };
        for (at, of_domain) in events.chunk_by(|a, b| a.domain == b.domain).enumerate() {
            deadline.check_at(at)?;
            let count = |what| of_domain.iter().filter(|event| event.what == what).count() as u64;
            let (first_seen, back, lost) = (count(What::FirstSeen), count(What::Back), count(What::Lost));
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
