//! Intersections: the registrable domains that link to all, or to some number, of several scopes and to none of some
//! others.
//!
//! A domain links to a scope when `referringdomains` of the scope lists it. For hosts and domains the links
//! are counted from host pairs, without reading a link.

use hashbrown::HashMap;

use crate::query::engine::fields::referrers::{REFERRER_FIELDS, Referrer};
use crate::query::engine::order::by_name;
use crate::query::engine::table::TableBuilder;
use crate::query::{QueryError, Scan, Selection, SnapshotLookup, Table};

/// The scopes of an intersection.
#[derive(Clone, Copy, Debug)]
pub struct Intersection<'a> {
    /// Domains must link to enough of these: at least one and at most
    /// [`MAX_TARGETS`](crate::query::MAX_TARGETS).
    pub targets: &'a [Selection],
    /// The number of targets that are enough, from 1 to all of them.
    pub at_least: usize,
    /// Domains must link to none of these.
    pub exclude: &'a [Selection],
}

impl Intersection<'_> {
    /// The domains in the order of their names.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::TooManyRows`] for counts beyond 32 bits.
    pub fn table(&self, from: &SnapshotLookup<'_>) -> Result<Table, QueryError> {
        let mut rows = Vec::new();
        for (at, (domain, links)) in self.links_by_domain(from)?.into_iter().enumerate() {
            from.deadline.check_at(at)?;
            rows.push(Referrer::new(domain, &links)?);
        }
        let order = by_name(rows.len(), |row| &rows[row].domain, from.deadline)?;
        TableBuilder::from_rows(REFERRER_FIELDS, &rows, from.suffixes, from.deadline)?
            .pick(&order, from.deadline)
    }

    /// The domains that link to enough targets, with the number of their links to each. Targets without links at the
    /// end are left out.
    fn links_by_domain(&self, from: &SnapshotLookup<'_>) -> Result<HashMap<Box<str>, Vec<u64>>, QueryError> {
        let &SnapshotLookup { snapshot, suffixes, deadline } = from;
        let scan = |selection| Scan { snapshot, selection, suffixes, deadline };
        let mut domains: HashMap<Box<str>, Vec<u64>> = HashMap::new();
        for (at, selection) in self.targets.iter().enumerate() {
            deadline.check()?;
            let left = self.targets.len() - at - 1;
            scan(selection).host_pairs(|_, host, counts| {
                let domain = suffixes.domain_of(host);
                if let Some(links) = domains.get_mut(domain) {
                    links.resize(at + 1, 0);
                    links[at] += counts.links;
                } else if left + 1 >= self.at_least {
                    let mut links = vec![0; at];
                    links.push(counts.links);
                    domains.insert(domain.into(), links);
                }
            })?;
            // Domains that cannot reach enough targets any more take no memory.
            domains.retain(|_, links| count_linked(links) + left >= self.at_least);
        }
        for selection in self.exclude {
            deadline.check()?;
            scan(selection).host_pairs(|_, host, _| {
                domains.remove(suffixes.domain_of(host));
            })?;
        }
        Ok(domains)
    }
}

/// The number of targets with links.
fn count_linked(links: &[u64]) -> usize {
    links.iter().filter(|&&count| count > 0).count()
}

impl Referrer {
    fn new(domain: Box<str>, links: &[u64]) -> Result<Self, QueryError> {
        let cell = |count: u64| u32::try_from(count).map_err(|_| QueryError::TooManyRows);
        let sum = cell(links.iter().sum())?;
        Ok(Self { domain, links: links.iter().copied().map(cell).collect::<Result<_, _>>()?, sum })
    }
}
