//! Counts: the backlinks of a selection by kind, their registrable domains, and the links on a scope's pages.

use hashbrown::HashSet;
use serde::{Deserialize, Serialize};

use crate::query::{QueryError, Scan};
use crate::store::PairCounts;
use crate::urls::is_internal;

/// A number of links, and of the registrable domains of their pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub backlinks: u64,
    /// Distinct registrable domains of the source pages.
    pub refdoms: u64,
}

/// The counts of a selection's backlinks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub all: Totals,
    pub nofollow: u64,
    /// With tag `a`.
    pub text: u64,
    /// With tag `aimg` or `area`.
    pub image: u64,
    /// Links to the home page of the requested host or domain.
    pub home: u64,
    /// Links from hosts whose public suffix has the label `edu`, like `edu` and `edu.au`.
    pub edu: Totals,
    /// The same for `gov`.
    pub gov: Totals,
}

/// The counts of the active links on a scope's pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Pages that were parsed as HTML.
    pub pages: u64,
    pub external: u64,
    pub internal: u64,
}

impl Scan<'_> {
    /// Counts backlinks. For a host or a domain the counts come from the store's host pairs, without reading
    /// a link; for a URL, a prefix or a host with a port its backlinks are read.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn counts(&self) -> Result<Counts, QueryError> {
        let asked = self.selection.scope.host();
        let mut counts = Counts::default();
        let [mut all, mut edu, mut gov] = [const { Domains::new() }; 3];
        let mut source = CountSource::default();
        let mut target = (String::new(), false);
        self.host_pairs(|target_host, source_host, pair| {
            let PairCounts { links, nofollow, text, image, home } = *pair;
            if source.host != source_host {
                source = CountSource::of(source_host, self);
            }
            if target.0 != target_host {
                target = (target_host.to_owned(), is_internal(target_host, asked));
            }
            all.add(&source, links);
            if source.edu {
                edu.add(&source, links);
            }
            if source.gov {
                gov.add(&source, links);
            }
            counts.nofollow += nofollow;
            counts.text += text;
            counts.image += image;
            counts.home += if target.1 { home } else { 0 };
        })?;
        Ok(Counts { all: all.totals(), edu: edu.totals(), gov: gov.totals(), ..counts })
    }

    /// Counts the links on the scope's pages.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    pub fn link_counts(&self) -> Result<LinkCounts, QueryError> {
        let mut counts = LinkCounts::default();
        for page in self.pages() {
            let page = page?.stored;
            counts.pages += u64::from(page.facts.html);
            counts.external += u64::from(page.ext_links);
            counts.internal += u64::from(page.int_links);
        }
        Ok(counts)
    }
}

/// A source host, with the facts that follow from its name.
#[derive(Default)]
struct CountSource {
    host: String,
    domain: String,
    edu: bool,
    gov: bool,
}

impl CountSource {
    fn of(host: &str, scan: &Scan<'_>) -> Self {
        let suffix = scan.suffixes.suffix_of(host);
        let has = |label: &str| suffix.split('.').any(|part| part == label);
        let domain = scan.suffixes.domain_of(host).to_owned();
        Self { host: host.to_owned(), domain, edu: has("edu"), gov: has("gov") }
    }
}

/// A number of links, and the distinct domains that they come from.
struct Domains {
    backlinks: u64,
    domains: Option<HashSet<Box<str>>>,
}

impl Domains {
    const fn new() -> Self {
        Self { backlinks: 0, domains: None }
    }

    fn add(&mut self, source: &CountSource, links: u64) {
        self.backlinks += links;
        let domains = self.domains.get_or_insert_default();
        if !domains.contains(source.domain.as_str()) {
            domains.insert(source.domain.as_str().into());
        }
    }

    fn totals(&self) -> Totals {
        Totals {
            backlinks: self.backlinks,
            refdoms: self.domains.as_ref().map_or(0, |domains| domains.len() as u64),
        }
    }
}
