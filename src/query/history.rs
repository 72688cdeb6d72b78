//! What changed in a selection's backlinks from day to day.
//!
//! A link is new on the day on which it was first seen, and again on every day on which it came back after an
//! absence; it is lost on every day on which it went. A domain is new on the day on which its first link came while
//! it had none, and lost on the day on which its last one went; so it, too, can be new and lost many times. What
//! comes and goes within one day is new and lost on that day. Hence for links and domains alike: active at the end
//! of a day = active at the end of the day before + new - lost.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;

use super::scan::Activity;
use super::{QueryError, Scan, Totals};
use crate::model::Day;

/// A day on which something changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayChange {
    pub day: Day,
    /// Links first seen on this day, and the distinct domains of these.
    pub first_seen: Totals,
    pub new: Totals,
    pub lost: Totals,
    /// What is active at the end of the day.
    pub active: Totals,
}

/// Something that happened to a link. Sorts by day, then by domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    day: Day,
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

impl Scan<'_> {
    /// The days of the range on which something changed, in their order.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn history(&self, days: RangeInclusive<Day>) -> Result<Vec<DayChange>, QueryError> {
        let mut events = self.events()?;
        events.sort_unstable();
        let mut changes = Vec::new();
        let mut active = Active::default();
        for (at, of_day) in events.chunk_by(|a, b| a.day == b.day).enumerate() {
            self.deadline.check_at(at)?;
            let change = active.pass(of_day[0].day, of_day);
            if days.contains(&change.day) {
                changes.push(change);
            }
        }
        Ok(changes)
    }

    fn events(&self) -> Result<Vec<Event>, QueryError> {
        let mut domains: FxHashMap<Box<str>, u32> = FxHashMap::default();
        let mut events = Vec::new();
        for link in self.backlinks(Activity::Both) {
            let link = link?;
            let name = self.suffixes.domain_of(link.source.host());
            let domain = match domains.get(name) {
                Some(&domain) => domain,
                None => {
                    let next = domains.len() as u32;
                    domains.insert(name.into(), next);
                    next
                }
            };
            let mut push = |day, what| events.push(Event { day, domain, what });
            push(link.ins_day, What::FirstSeen);
            for toggle in link.toggles {
                push(toggle.lost, What::Lost);
                if let Some(back) = toggle.back {
                    push(back, What::Back);
                }
            }
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
    fn pass(&mut self, day: Day, events: &[Event]) -> DayChange {
        let mut change = DayChange { day, ..DayChange::default() };
        for of_domain in events.chunk_by(|a, b| a.domain == b.domain) {
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
        change
    }
}

impl Totals {
    fn add(&mut self, links: u64, domain: bool) {
        self.backlinks += links;
        self.refdoms += u64::from(domain);
    }
}
