//! Competitors: the registrable domains that share referring domains with a scope.
//!
//! Only links from outside count, for the scope and for its competitors: a link within one registrable domain
//! makes no domain a referring domain.

use hashbrown::{HashMap, HashSet};

use crate::query::engine::fields::competitors::{COMPETITOR_FIELDS, Competitor};
use crate::query::engine::order::by_name;
use crate::query::engine::table::TableBuilder;
use crate::query::{QueryError, SameDomainLinks, Scan, Selection, Table};

/// The number of referrers that link to a domain, and the index of the last of them.
struct CommonReferrers {
    referrers: u32,
    last: usize,
}

impl Scan<'_> {
    /// The competitors in the order of their names. The referring domains of the scope come from its host
    /// pairs, or from its links if it has no pairs. The domains to which these refer come from their own host
    /// pairs.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn competitors(&self) -> Result<Table, QueryError> {
        let referrers = self.external_referrers()?;
        let scope_refdoms = u32::try_from(referrers.len()).map_err(|_| QueryError::TooManyRows)?;
        let mut rows = Vec::new();
        for (at, (domain, common)) in self.linked_to_by(&referrers)?.into_iter().enumerate() {
            self.deadline.check_at(at)?;
            rows.push(Competitor { domain, common: common.referrers, scope_refdoms });
        }
        let order = by_name(rows.len(), |row| &rows[row].domain, self.deadline)?;
        TableBuilder::from_rows(COMPETITOR_FIELDS, &rows, self.suffixes, self.deadline)?
            .pick(&order, self.deadline)
    }

    /// The domains that link to the scope from outside its own domain.
    fn external_referrers(&self) -> Result<HashSet<Box<str>>, QueryError> {
        let selection = Selection { scope: self.selection.scope.clone(), internal: SameDomainLinks::Exclude };
        let mut domains: HashSet<Box<str>> = HashSet::new();
        Scan { selection: &selection, ..*self }.host_pairs(|_, host, _| {
            let domain = self.suffixes.domain_of(host);
            if !domains.contains(domain) {
                domains.insert(domain.into());
            }
        })?;
        Ok(domains)
    }

    /// The domains that the referrers link to. The scope's own domain and links of a referrer to itself are
    /// left out.
    fn linked_to_by(
        &self,
        referrers: &HashSet<Box<str>>,
    ) -> Result<HashMap<Box<str>, CommonReferrers>, QueryError> {
        let own = self.selection.scope.domain(self.suffixes);
        let mut domains: HashMap<Box<str>, CommonReferrers> = HashMap::new();
        for (number, referrer) in referrers.iter().enumerate() {
            // A referrer without links has no row at which the deadline would be checked.
            self.deadline.check()?;
            for row in self.deadline.guard_rows(self.snapshot.referrals(referrer)) {
                let (host, _) = row?;
                let domain = self.suffixes.domain_of(&host);
                if domain == own || domain == &**referrer {
                    continue;
                }
                match domains.get_mut(domain) {
                    Some(common) if common.last == number => {}
                    Some(common) => {
                        *common = CommonReferrers { referrers: common.referrers + 1, last: number }
                    }
                    None => {
                        domains.insert(domain.into(), CommonReferrers { referrers: 1, last: number });
                    }
                }
            }
        }
        Ok(domains)
    }
}
