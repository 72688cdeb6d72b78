//! Intersections: the registrable domains that link to all of several scopes and to none of some others.
//!
//! A domain links to a scope when `referringdomains` of the scope lists it. For hosts and domains the links
//! are counted from host pairs, without reading a link.

use hashbrown::HashMap;

use crate::query::engine::fields::referrers::{REFERRER_FIELDS, Referrer};
use crate::query::engine::order::by_name;
use crate::query::engine::table::TableBuilder;
use crate::query::{QueryError, Scan, Selection, Table};

/// The scopes of an intersection.
#[derive(Clone, Copy, Debug)]
pub struct Intersection<'a> {
    /// Domains must link to each of these: at least one and at most
    /// [`MAX_TARGETS`](crate::query::MAX_TARGETS).
    pub targets: &'a [Selection],
    /// Domains must link to none of these.
    pub exclude: &'a [Selection],
}

impl Intersection<'_> {
    /// The domains in the order of their names. The selection of the scan is not used.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::TooManyRows`] for counts beyond 32 bits.
    pub fn table(&self, scan: &Scan<'_>) -> Result<Table, QueryError> {
        let mut rows = Vec::new();
        for (at, (domain, links)) in self.links_by_domain(scan)?.into_iter().enumerate() {
            scan.deadline.check_at(at)?;
            rows.push(Referrer::new(domain, &links)?);
        }
        let order = by_name(rows.len(), |row| &rows[row].domain, scan.deadline)?;
        TableBuilder::from_rows(REFERRER_FIELDS, &rows, scan.suffixes, scan.deadline)?
            .pick(&order, scan.deadline)
    }

    /// The domains that link to all targets, with the number of their links to each.
    fn links_by_domain(&self, scan: &Scan<'_>) -> Result<HashMap<Box<str>, Vec<u64>>, QueryError> {
        let mut domains: HashMap<Box<str>, Vec<u64>> = HashMap::new();
        for (at, selection) in self.targets.iter().enumerate() {
            scan.deadline.check()?;
            Scan { selection, ..*scan }.host_pairs(|_, host, counts| {
                let domain = scan.suffixes.domain_of(host);
                if let Some(links) = domains.get_mut(domain) {
                    links.resize(at + 1, 0);
                    links[at] += counts.links;
                } else if at == 0 {
                    domains.insert(domain.into(), vec![counts.links]);
                }
            })?;
            domains.retain(|_, links| links.len() == at + 1);
        }
        for selection in self.exclude {
            scan.deadline.check()?;
            Scan { selection, ..*scan }.host_pairs(|_, host, _| {
                domains.remove(scan.suffixes.domain_of(host));
            })?;
        }
        Ok(domains)
    }
}

impl Referrer {
    fn new(domain: Box<str>, links: &[u64]) -> Result<Self, QueryError> {
        let cell = |count: u64| u32::try_from(count).map_err(|_| QueryError::TooManyRows);
        let sum = cell(links.iter().sum())?;
        Ok(Self { domain, links: links.iter().copied().map(cell).collect::<Result<_, _>>()?, sum })
    }
}
