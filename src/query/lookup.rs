//! Bulk lookups by name: ranks, referring domains and states of many pages or domains.

use super::thread_pool::parallel;
use super::{Deadline, QueryError, SameDomainLinks, Scan, Selection};
use crate::model::{PageOutcome, SearchRank};
use crate::store::Snapshot;
use crate::urls::{CanonicalUrl, Scope, Suffixes};

/// Below this number of names, a second thread costs more than it saves.
const MIN_PARALLEL_NAMES: usize = 8_192;

/// A source of values for names. Every method returns one value per name, in the order of the names; 0 means
/// unknown.
pub trait NameLookup: Sync {
    /// Ranks of pages, in hundredths.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    fn page_ranks(&self, urls: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// Ranks of registrable domains, in hundredths.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    fn domain_ranks(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// The number of referring domains of pages. A page is named without its scheme: its links under http and
    /// https count.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    fn refdoms(&self, pages: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// The number of other registrable domains that link to each registrable domain.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`].
    fn foreign_refdoms(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// The outcomes of the visits to pages.
    ///
    /// # Errors
    /// [`QueryError::Store`].
    fn page_outcomes(&self, urls: &[&str]) -> Result<Vec<PageOutcome>, QueryError>;
}

/// Looks up names in one snapshot of the store.
pub struct SnapshotLookup<'a> {
    pub snapshot: &'a Snapshot<'a>,
    pub suffixes: &'a Suffixes,
    pub deadline: &'a Deadline,
}

impl NameLookup for SnapshotLookup<'_> {
    fn page_ranks(&self, urls: &[&str]) -> Result<Vec<u32>, QueryError> {
        let ranks = run_in_pool_if_many(urls, || self.snapshot.page_ranks(urls, &|| self.deadline.check()))?;
        Ok(hundredths(ranks))
    }

    fn domain_ranks(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError> {
        let ranks =
            run_in_pool_if_many(domains, || self.snapshot.domain_ranks(domains, &|| self.deadline.check()))?;
        Ok(hundredths(ranks))
    }

    fn refdoms(&self, pages: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.lookup_each(pages, |page| {
            let under = |scheme: &str| CanonicalUrl::from_stored(format!("{scheme}://{page}"));
            let Some(url) = under("http") else { return Ok(0) };
            let scope = Scope::Url { url, https_url: under("https") };
            self.count_refdoms(Selection { scope, internal: SameDomainLinks::Include })
        })
    }

    fn foreign_refdoms(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.lookup_each(domains, |domain| {
            let scope = Scope::Domain { domain: domain.to_owned() };
            self.count_refdoms(Selection { scope, internal: SameDomainLinks::Exclude })
        })
    }

    fn page_outcomes(&self, urls: &[&str]) -> Result<Vec<PageOutcome>, QueryError> {
        run_in_pool_if_many(urls, || self.snapshot.page_outcomes(urls, &|| self.deadline.check()))
    }
}

/// Runs a lookup of many names in the query thread pool, and one of few names on the calling thread.
fn run_in_pool_if_many<T: Send>(names: &[&str], lookup: impl FnOnce() -> T + Send) -> T {
    if names.len() < MIN_PARALLEL_NAMES { lookup() } else { parallel(lookup) }
}

fn hundredths(ranks: Vec<SearchRank>) -> Vec<u32> {
    ranks.into_iter().map(|rank| u32::from(rank.0)).collect()
}

impl SnapshotLookup<'_> {
    fn count_refdoms(&self, selection: Selection) -> Result<u32, QueryError> {
        let Self { snapshot, suffixes, deadline } = *self;
        let counts = Scan { snapshot, selection: &selection, suffixes, deadline }.counts()?;
        Ok(u32::try_from(counts.all.refdoms).unwrap_or(u32::MAX))
    }

    fn lookup_each<T>(
        &self,
        names: &[&str],
        lookup: impl Fn(&str) -> Result<T, QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            // Each lookup is a query of its own.
            self.deadline.check()?;
            found.push(lookup(name)?);
        }
        Ok(found)
    }
}

/// The rank of a scope: of its page, host or domain. A URL without a scheme has the higher rank of its two
/// spellings, and so has a prefix, whose page is that at its path.
///
/// # Errors
/// [`QueryError::Store`].
pub fn scope_rank(snapshot: &Snapshot<'_>, scope: &Scope) -> Result<SearchRank, QueryError> {
    Ok(match scope {
        Scope::Url { url, https_url } => {
            let rank = snapshot.page_rank(url)?;
            https_url
                .iter()
                .try_fold(rank, |rank, url| snapshot.page_rank(url).map(|other| rank.max(other)))?
        }
        Scope::Host { host, .. } => snapshot.host_rank(host)?,
        Scope::Domain { domain } => snapshot.domain_rank(domain)?,
        Scope::Prefix { .. } => {
            scope.pages_at_path().iter().try_fold(SearchRank::default(), |rank, url| {
                snapshot.page_rank(url).map(|other| rank.max(other))
            })?
        }
    })
}
