//! Domain changes: the days on which registrable domains began or ceased to link to a scope.
//!
//! The definition is that of [`LinkHistory`](crate::query::LinkHistory): a domain is new on the day of its first active
//! link after none, and lost on the day on which its last one goes. Both can happen many times, and on one day.

use hashbrown::HashMap;

use crate::model::Day;
use crate::query::engine::fields::domain_changes::{DOMAIN_CHANGE_FIELDS, DomainChange};
use crate::query::engine::order::{by_name, sort_numbers};
use crate::query::engine::table::TableBuilder;
use crate::query::{Deadline, QueryError, Scan, Table};
use crate::store::BacklinkRef;
use crate::urls::host_of;

/// Rows that are read from the store at once.
const BATCH: usize = 8_192;

/// The kind of a domain change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DomainChangeKind {
    /// The domain has its first active link after none.
    New,
    /// The last active link of the domain goes.
    Lost,
}

/// A link that came or went. Sorts by domain, then by day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LinkEvent {
    /// The code of its domain.
    domain: u32,
    date: Day,
    /// Whether the link came or went.
    kind: DomainChangeKind,
    /// The code of the country of its page.
    ccode: u32,
}

/// Texts with codes.
#[derive(Default)]
struct NameTable {
    codes: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

/// The events of all links of a scope.
#[derive(Default)]
struct EventLog {
    events: Vec<LinkEvent>,
    domains: NameTable,
    ccodes: NameTable,
}

impl Scan<'_> {
    /// The domain changes of one kind, in the order of names and days. Reads all links of the scope, lost ones
    /// included.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::TooManyRows`].
    pub fn domain_changes(&self, kind: DomainChangeKind) -> Result<Table, QueryError> {
        let mut log = EventLog::default();
        for batch in self.snapshot.backlink_batches(&self.selection.scope, BATCH) {
            self.deadline.check()?;
            for link in &batch?.rows()? {
                let host = host_of(link.source);
                if self.selection.counts_source(host, self.suffixes) {
                    log.add(link, self.suffixes.domain_of(host))?;
                }
            }
        }
        let rows = log.changes(kind, self.deadline)?;
        TableBuilder::from_rows(DOMAIN_CHANGE_FIELDS, &rows, self.suffixes, self.deadline)
    }
}

impl EventLog {
    fn add(&mut self, link: &BacklinkRef<'_>, domain: &str) -> Result<(), QueryError> {
        let (domain, ccode) = (self.domains.code(domain)?, self.ccodes.code(link.page.ccode)?);
        let event = |date, kind| LinkEvent { domain, date, kind, ccode };
        self.events.push(event(link.first_day, DomainChangeKind::New));
        for absence in &link.absences {
            self.events.push(event(absence.lost, DomainChangeKind::Lost));
            self.events.extend(absence.back.map(|day| event(day, DomainChangeKind::New)));
        }
        Ok(())
    }

    /// The changes of one kind, by domain and day.
    fn changes(
        mut self,
        kind: DomainChangeKind,
        deadline: &Deadline,
    ) -> Result<Vec<DomainChange>, QueryError> {
        let order = by_name(self.domains.names.len(), |at| &self.domains.names[at], deadline)?;
        let mut places = vec![0; order.len()];
        for (place, &code) in (0..).zip(&order) {
            places[code as usize] = place;
        }
        for (at, event) in self.events.iter_mut().enumerate() {
            deadline.check_at(at)?;
            event.domain = places[event.domain as usize];
        }
        sort_numbers(&mut self.events, deadline)?;
        let (mut rows, mut active, mut last) = (Vec::new(), 0, None);
        let days = self.events.chunk_by(|a, b| (a.domain, a.date) == (b.domain, b.date));
        for (at, of_day) in days.enumerate() {
            deadline.check_at(at)?;
            let LinkEvent { domain, date, .. } = of_day[0];
            let before = if last.replace(domain) == Some(domain) { active } else { 0 };
            let (new, lost) =
                of_day.split_at(of_day.partition_point(|event| event.kind == DomainChangeKind::New));
            active = (before + new.len()).saturating_sub(lost.len());
            let turned = match kind {
                DomainChangeKind::New if before == 0 => new,
                DomainChangeKind::Lost if active == 0 => lost,
                _ => continue,
            };
            if !turned.is_empty() {
                let domain = self.domains.names[order[domain as usize] as usize].clone();
                let links = u32::try_from(turned.len()).map_err(|_| QueryError::TooManyRows)?;
                rows.push(DomainChange { domain, date, links, ccode: self.most_frequent_country(turned) });
            }
        }
        Ok(rows)
    }

    /// The most frequent country of these events, which are sorted. An unknown one is chosen only if there is no
    /// other. Of equally frequent ones the lowest is chosen.
    fn most_frequent_country(&self, events: &[LinkEvent]) -> Box<str> {
        let countries = events.chunk_by(|a, b| a.ccode == b.ccode);
        let countries = countries.map(|group| (&self.ccodes.names[group[0].ccode as usize], group.len()));
        let best = countries
            .max_by(|(a, rows), (b, others)| (!a.is_empty(), rows, b).cmp(&(!b.is_empty(), others, a)));
        best.map(|(ccode, _)| ccode.clone()).unwrap_or_default()
    }
}

impl NameTable {
    fn code(&mut self, name: &str) -> Result<u32, QueryError> {
        if let Some(&code) = self.codes.get(name) {
            return Ok(code);
        }
        let code = u32::try_from(self.names.len()).map_err(|_| QueryError::TooManyRows)?;
        self.names.push(name.into());
        self.codes.insert(name.into(), code);
        Ok(code)
    }
}
