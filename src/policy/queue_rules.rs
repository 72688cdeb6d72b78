//! Which discovered URLs the crawl queues. The crawl applies these rules, and `inspect` explains them.

use std::collections::HashSet;
use std::iter::once_with;
use std::sync::Arc;

use super::{BlockList, Reason, TrapRules};
use crate::model::Day;
use crate::urls::{CanonicalUrl, Suffixes};

/// The registrable domains that a crawl with `crawl.stay_on_seed_domains` stays on.
#[derive(Clone, Debug)]
pub struct SeedDomains {
    domains: HashSet<String>,
    suffixes: Arc<Suffixes>,
}

impl SeedDomains {
    pub fn new(domains: HashSet<String>, suffixes: &Arc<Suffixes>) -> Self {
        Self { domains, suffixes: Arc::clone(suffixes) }
    }

    /// Adds the domains of seeds.
    pub fn add(&mut self, seeds: &[CanonicalUrl]) {
        self.domains.extend(seeds.iter().map(|seed| self.suffixes.domain_of(seed.host()).to_owned()));
    }

    /// Returns why a link to this URL is not followed, if there is a reason.
    pub fn judge(&self, url: &CanonicalUrl) -> Option<Reason> {
        let domain = self.suffixes.domain_of(url.host());
        let is_off = !self.domains.contains(domain);
        is_off.then(|| Reason::OffSeedDomains { domain: domain.to_owned() })
    }
}

/// The rules for discovered URLs.
#[derive(Clone, Debug)]
pub struct AdmissionRules {
    /// `None` when the crawl goes to any domain.
    pub seed_domains: Option<SeedDomains>,
    pub blocks: BlockList,
    pub traps: TrapRules,
    /// Links away from a seed at most.
    pub max_depth: u16,
}

impl AdmissionRules {
    /// Decides whether a URL may be queued.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn admit(&self, url: &CanonicalUrl, today: Day) -> Result<(), Reason> {
        self.reasons(url, today).next().map_or(Ok(()), Err)
    }

    /// All reasons against a URL. Each rule is applied when its reason is asked for.
    pub fn reasons(&self, url: &CanonicalUrl, today: Day) -> impl Iterator<Item = Reason> {
        once_with(move || self.seed_domains.as_ref()?.judge(url))
            .chain(once_with(move || self.blocks.find_name(url.host()).map(Reason::Blocked)))
            .chain(once_with(move || self.traps.judge(url, today).map(Reason::Trap)))
            .flatten()
    }

    /// Decides whether a URL at this depth may be queued.
    ///
    /// # Errors
    /// The reason against it.
    pub fn admit_depth(&self, depth: u16) -> Result<(), Reason> {
        if depth > self.max_depth { Err(Reason::TooDeep { depth }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrapsConfig;
    use crate::policy::BlockedName;
    use crate::urls::UrlRules;

    #[test]
    fn the_first_reason_decides_and_all_are_listed() {
        let url = |text: &str| UrlRules::default().canonical(text).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "b.test\n").unwrap();
        let mut seed_domains = SeedDomains::new(HashSet::new(), &Arc::new(Suffixes::built_in().unwrap()));
        seed_domains.add(&[url("http://www.example.co.uk/x"), url("http://b.test/")]);
        let rules = AdmissionRules {
            seed_domains: Some(seed_domains),
            blocks: BlockList::read(file.path()).unwrap(),
            traps: TrapRules::new(&TrapsConfig::default()),
            max_depth: 3,
        };
        let today = Day::from_unix_seconds(1_700_000_000);
        let reasons = |text: &str| rules.reasons(&url(text), today).collect::<Vec<_>>();
        let blocked =
            || Reason::Blocked(BlockedName::in_line(b"b.test", &UrlRules::default()).unwrap().unwrap());
        let off = |domain: &str| Reason::OffSeedDomains { domain: domain.to_owned() };
        assert_eq!(reasons("http://example.co.uk/"), []);
        assert_eq!(reasons("http://www.b.test/"), [blocked()]);
        assert_eq!(reasons("http://c.co.uk/"), [off("c.co.uk")]);
        let trap = "http://www.c.test/x/y/x/y/x/y/x/y/x/y";
        assert!(matches!(&reasons(trap)[..], [first, Reason::Trap(_)] if *first == off("c.test")));
        assert_eq!(rules.admit(&url(trap), today), Err(off("c.test")));
        assert_eq!(rules.admit(&url("http://b.test/x/y/x/y/x/y/x/y/x/y"), today), Err(blocked()));
        assert_eq!(rules.admit(&url("http://example.co.uk/a"), today), Ok(()));
        assert_eq!((rules.admit_depth(3), rules.admit_depth(4)), (Ok(()), Err(Reason::TooDeep { depth: 4 })));
    }
}
