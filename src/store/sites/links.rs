//! The links into each site, counted from host pairs in key order.
//!
//! The pairs of one target host are adjacent. Those of a domain are not, because hosts of other domains may sort between
//! them: `b.s3.amazonaws.com` between two hosts of `amazonaws.com`. All keys of a domain begin with its name, so a
//! domain is complete once a key begins otherwise. The open domains are a stack, and each begins with the one below it.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use crate::store::codec::varint::Damage;
use crate::urls::{Suffixes, Surt, host_prefix};

/// The figures of sites by their names, as in a SURT.
pub(super) type SiteTotals = BTreeMap<Vec<u8>, LinkTotals>;

/// Links into one site.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinkTotals {
    pub backlinks: u64,
    pub refdoms: u64,
}

/// Counts links into hosts and domains.
pub(super) struct LinkCounter<'s> {
    suffixes: &'s Suffixes,
    sources: SourceDomains,
    host: Option<OpenSite>,
    domains: Vec<OpenSite>,
    /// The domain of the present host in `domains`.
    own: usize,
    pub host_totals: SiteTotals,
    pub domain_totals: SiteTotals,
}

/// A site whose links are being counted.
struct OpenSite {
    name: Vec<u8>,
    backlinks: u64,
    referrers: HashSet<u32>,
}

/// Registrable domains of sources, numbered.
#[derive(Default)]
struct SourceDomains {
    numbers: HashMap<Box<str>, u32>,
    /// The last source host and its number: most pairs have the source of a neighbour.
    last: (Vec<u8>, u32),
}

impl<'s> LinkCounter<'s> {
    pub(super) fn new(suffixes: &'s Suffixes) -> Self {
        Self {
            suffixes,
            sources: SourceDomains::default(),
            host: None,
            domains: Vec::new(),
            own: 0,
            host_totals: SiteTotals::new(),
            domain_totals: SiteTotals::new(),
        }
    }

    /// Counts the links of one pair. Target and source are as in a SURT, and targets arrive in their order.
    pub(super) fn add(&mut self, target: &[u8], source: &[u8], links: u64) -> Result<(), Damage> {
        if self.host.as_ref().is_none_or(|host| host.name != target) {
            self.open(target)?;
        }
        let source = self.sources.number(source, self.suffixes)?;
        for site in self.host.iter_mut().chain(self.domains.get_mut(self.own)) {
            site.backlinks += links;
            site.referrers.insert(source);
        }
        Ok(())
    }

    /// Completes all open sites.
    pub(super) fn finish(&mut self) {
        self.host.take().into_iter().for_each(|host| host.close(&mut self.host_totals));
        self.domains.drain(..).for_each(|domain| domain.close(&mut self.domain_totals));
    }

    fn open(&mut self, target: &[u8]) -> Result<(), Damage> {
        self.host.take().into_iter().for_each(|host| host.close(&mut self.host_totals));
        while let Some(domain) = self.domains.pop_if(|domain| !target.starts_with(&domain.name)) {
            domain.close(&mut self.domain_totals);
        }
        let host = Surt::decode_host(target).map_err(|_| Damage("the target host"))?;
        let domain = host_prefix(self.suffixes.domain_of(&host));
        self.own = match self.domains.iter().rposition(|open| open.name == domain) {
            Some(own) => own,
            None => {
                self.domains.push(OpenSite::new(domain));
                self.domains.len() - 1
            }
        };
        self.host = Some(OpenSite::new(target.to_vec()));
        Ok(())
    }
}

impl OpenSite {
    fn new(name: Vec<u8>) -> Self {
        Self { name, backlinks: 0, referrers: HashSet::new() }
    }

    fn close(self, totals: &mut SiteTotals) {
        totals.insert(
            self.name,
            LinkTotals { backlinks: self.backlinks, refdoms: self.referrers.len() as u64 },
        );
    }
}

impl SourceDomains {
    fn number(&mut self, host: &[u8], suffixes: &Suffixes) -> Result<u32, Damage> {
        if self.last.0 != host {
            let name = Surt::decode_host(host).map_err(|_| Damage("the source host"))?;
            let domain = suffixes.domain_of(&name);
            let next = u32::try_from(self.numbers.len()).map_err(|_| Damage("the number of domains"))?;
            let number = match self.numbers.get(domain) {
                Some(number) => *number,
                None => *self.numbers.entry(domain.into()).or_insert(next),
            };
            self.last = (host.to_vec(), number);
        }
        Ok(self.last.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(pairs: &[(&str, &str, u64)]) -> Vec<(String, u64, u64)> {
        let suffixes = Suffixes::built_in().unwrap();
        let mut keys: Vec<_> = pairs
            .iter()
            .map(|(target, source, links)| (host_prefix(target), host_prefix(source), *links))
            .collect();
        keys.sort();
        let mut counter = LinkCounter::new(&suffixes);
        keys.iter().for_each(|(target, source, links)| counter.add(target, source, *links).unwrap());
        counter.finish();
        let row = |(name, totals): (&Vec<u8>, &LinkTotals)| {
            (Surt::decode_host(name).unwrap(), totals.backlinks, totals.refdoms)
        };
        counter.domain_totals.iter().map(row).collect()
    }

    #[test]
    fn a_domain_is_one_although_others_sort_between_its_hosts() {
        let found = counted(&[
            ("amazonaws.com", "a.test", 1),
            ("www.amazonaws.com", "a.test", 2),
            ("zeta.amazonaws.com", "www.a.test", 3),
            ("b.s3.amazonaws.com", "a.test", 5),
            ("b.s3.amazonaws.com", "c.test", 7),
            ("s3.amazonaws.com", "c.test", 1),
        ]);
        let expected = [("amazonaws.com", 6, 1), ("s3.amazonaws.com", 1, 1), ("b.s3.amazonaws.com", 12, 2)];
        assert_eq!(found, expected.map(|(name, links, refdoms)| (name.to_owned(), links, refdoms)));
    }
}
