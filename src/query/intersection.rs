//! The registrable domains that link to all of several scopes and to none of some others.
//!
//! A domain links to a scope when the scope has a backlink from it, by the very count that the scope's
//! `referringdomains` would show. Hosts and domains are answered from host pairs, without reading a link.

use rustc_hash::FxHashMap;

use super::field::{Family, Field, Read, field};
use super::order::by_name;
use super::table::TableBuilder;
use super::{QueryError, Scan, Selection, Table};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Intersection<'a> {
    /// Domains must link to each of these, of which there is at least one and at most [`MAX_TARGETS`].
    pub targets: &'a [Selection],
    /// Domains must link to none of these.
    pub exclude: &'a [Selection],
}

/// A domain that links to all targets.
#[derive(Clone, Debug)]
pub struct Referrer {
    pub domain: Box<str>,
    /// Its links to each target, in their order.
    pub links: Vec<u32>,
    pub sum: u32,
}

/// Domains that link to all targets.
pub struct Referrers;

impl Family for Referrers {
    type Row<'a> = Referrer;
}

fn links_to(row: &Referrer, target: usize) -> u32 {
    row.links.get(target - 1).copied().unwrap_or(0)
}

/// Declares the names of the columns that count the links to each target, and the fields of a referrer.
macro_rules! per_target {
    ($($number:literal)*) => {
        /// The names of the fields that count the links to the first target, the second, and so on.
        pub const LINKS_TO_TARGET: [&str; MAX_TARGETS] = [$(concat!("links", $number)),*];

        /// The fields of a domain that links to all targets: `links` to all of them, and to each.
        pub static REFERRER_FIELDS: &[Field<Referrers>] = &[
            field("domain", Read::Text(|row, _| &row.domain)),
            field("links", Read::Number(|row| row.sum)),
            $(field(concat!("links", $number), Read::Number(|row| links_to(row, $number)))),*
        ];
    };
}

/// Targets that there are fields for.
pub const MAX_TARGETS: usize = 20;

per_target!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20);

impl Intersection<'_> {
    /// The domains, which stand in the order of their names. The scan's own selection says
    /// nothing.
    ///
    /// # Errors
    /// What the store or the deadline reports; [`QueryError::TooManyRows`] for counts beyond 32 bits.
    pub fn table(&self, scan: &Scan<'_>) -> Result<Table, QueryError> {
        let mut rows = Vec::new();
        for (at, (domain, links)) in self.links_by_domain(scan)?.into_iter().enumerate() {
            scan.deadline.check_at(at)?;
            rows.push(Referrer::new(domain, &links)?);
        }
        let order = by_name(rows.len(), |row| &rows[row].domain, scan.deadline)?;
        TableBuilder::of(REFERRER_FIELDS, &rows, scan.suffixes, scan.deadline)?.pick(&order, scan.deadline)
    }

    /// The links to each target of the domains that link to all.
    fn links_by_domain(&self, scan: &Scan<'_>) -> Result<FxHashMap<Box<str>, Vec<u64>>, QueryError> {
        let mut domains: FxHashMap<Box<str>, Vec<u64>> = FxHashMap::default();
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
