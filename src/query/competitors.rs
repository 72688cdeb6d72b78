//! The registrable domains that have referring domains in common with a scope.
//!
//! Referring domains are those that link from outside: links within one registrable domain make nobody refer to
//! anybody here, neither for the scope nor for those it is compared with.

use rustc_hash::{FxHashMap, FxHashSet};

use super::compute::percentage;
use super::field::{Family, Field, Read, field};
use super::order::by_name;
use super::table::TableBuilder;
use super::{Internal, QueryError, Scan, Selection, Table};

/// A domain with referring domains that the scope has as well.
#[derive(Clone, Debug)]
pub struct Competitor {
    pub domain: Box<str>,
    /// Referring domains of both.
    pub common: u32,
    /// Referring domains of the scope.
    pub own: u32,
}

/// Domains with referring domains in common.
pub struct Competitors;

impl Family for Competitors {
    type Row<'a> = Competitor;
}

/// The fields of a competitor.
pub static COMPETITOR_FIELDS: &[Field<Competitors>] = &[
    field("domain", Read::Text(|row, _| &row.domain)),
    field("common", Read::Number(|row| row.common)),
    field("own", Read::Number(|row| row.own)),
];

/// How many referrers link to a domain, and the number of the last of them.
struct Shared {
    referrers: u32,
    last: usize,
}

impl Scan<'_> {
    /// The domains, in the order of their names. Which domains refer to the scope is read from
    /// its host pairs, or from its links where it has none; where else these link to, from theirs.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    pub fn competitors(&self) -> Result<Table, QueryError> {
        let referrers = self.foreign_referrers()?;
        let own = u32::try_from(referrers.len()).map_err(|_| QueryError::TooManyRows)?;
        let mut rows = Vec::new();
        for (at, (domain, shared)) in self.linked_to_by(&referrers)?.into_iter().enumerate() {
            self.deadline.check_at(at)?;
            rows.push(Competitor { domain, common: shared.referrers, own });
        }
        let order = by_name(rows.len(), |row| &rows[row].domain, self.deadline)?;
        TableBuilder::of(COMPETITOR_FIELDS, &rows, self.suffixes, self.deadline)?.pick(&order, self.deadline)
    }

    /// The domains that link to the scope from outside its own.
    fn foreign_referrers(&self) -> Result<FxHashSet<Box<str>>, QueryError> {
        let selection = Selection { scope: self.selection.scope.clone(), internal: Internal::Exclude };
        let mut domains: FxHashSet<Box<str>> = FxHashSet::default();
        Scan { selection: &selection, ..*self }.host_pairs(|_, host, _| {
            let domain = self.suffixes.domain_of(host);
            if !domains.contains(domain) {
                domains.insert(domain.into());
            }
        })?;
        Ok(domains)
    }

    /// The domains that these link to, the scope's and each one's own left out.
    fn linked_to_by(
        &self,
        referrers: &FxHashSet<Box<str>>,
    ) -> Result<FxHashMap<Box<str>, Shared>, QueryError> {
        let own = self.selection.scope.domain(self.suffixes);
        let mut domains: FxHashMap<Box<str>, Shared> = FxHashMap::default();
        for (number, referrer) in referrers.iter().enumerate() {
            // One that links to nobody has no row to look at the deadline for.
            self.deadline.check()?;
            for row in self.deadline.over(self.snapshot.referrals(referrer)) {
                let (host, _) = row?;
                let domain = self.suffixes.domain_of(&host);
                if domain == own || domain == &**referrer {
                    continue;
                }
                match domains.get_mut(domain) {
                    Some(shared) if shared.last == number => {}
                    Some(shared) => *shared = Shared { referrers: shared.referrers + 1, last: number },
                    None => {
                        domains.insert(domain.into(), Shared { referrers: 1, last: number });
                    }
                }
            }
        }
        Ok(domains)
    }
}

/// `|A ∩ B| / |A ∪ B|` in ten thousandths, rounded to the nearest, halves up.
pub(super) fn jaccard(shared: u32, own: u32, other: u32) -> u32 {
    let either = u64::from(own) + u64::from(other) - u64::from(shared.min(own).min(other));
    percentage(u64::from(shared), either)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaccard_is_rounded_to_four_decimals() {
        for (shared, own, other, parts) in [
            (0, 0, 0, 0),
            (1, 1, 1, 10_000),
            (1, 2, 2, 3_333),
            (2, 3, 2, 6_667),
            (1, 20_000, 1, 1),
            (1, 20_001, 1, 0),
        ] {
            assert_eq!(jaccard(shared, own, other), parts, "{shared} of {own} and {other}");
        }
    }
}
