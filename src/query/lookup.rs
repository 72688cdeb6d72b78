//! What is looked up by name, many pages or domains at a time: ranks and referring domains.

use super::page_state::PageState;
use super::pool::parallel;
use super::{Deadline, Internal, QueryError, Scan, Selection};
use crate::model::SearchRank;
use crate::store::Snapshot;
use crate::urls::{CanonicalUrl, Scope, Suffixes};

/// Fewer names than this are not worth a second thread.
const NAMES_SHARED: usize = 8_192;

/// Where names are looked up; 0 is the answer for what is unknown. One answer per name, in their order.
pub trait LookUp: Sync {
    /// Ranks of pages, in hundredths.
    ///
    /// # Errors
    /// What the store reports.
    fn page_ranks(&self, urls: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// Ranks of registrable domains, in hundredths.
    ///
    /// # Errors
    /// What the store reports.
    fn domain_ranks(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// The referring domains of pages that are named without their scheme: of both their spellings.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    fn refdoms(&self, pages: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// The registrable domains, other than itself, that link to each registrable domain.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    fn foreign_refdoms(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError>;
    /// How pages stand.
    ///
    /// # Errors
    /// What the store reports.
    fn page_states(&self, urls: &[&str]) -> Result<Vec<PageState>, QueryError>;
}

/// Looks up in one state of the store.
pub struct Known<'a> {
    pub snapshot: &'a Snapshot<'a>,
    pub suffixes: &'a Suffixes,
    pub deadline: &'a Deadline,
}

impl LookUp for Known<'_> {
    fn page_ranks(&self, urls: &[&str]) -> Result<Vec<u32>, QueryError> {
        let ranks = shared(urls, || self.snapshot.page_ranks(urls, &|| self.deadline.check()))?;
        Ok(hundredths(ranks))
    }

    fn domain_ranks(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError> {
        let ranks = shared(domains, || self.snapshot.domain_ranks(domains, &|| self.deadline.check()))?;
        Ok(hundredths(ranks))
    }

    fn refdoms(&self, pages: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.each(pages, |page| {
            let under = |scheme: &str| CanonicalUrl::from_stored(format!("{scheme}://{page}"));
            let Some(url) = under("http") else { return Ok(0) };
            let scope = Scope::Url { url, also: under("https") };
            self.referring(Selection { scope, internal: Internal::Include })
        })
    }

    fn foreign_refdoms(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.each(domains, |domain| {
            let scope = Scope::Domain { domain: domain.to_owned() };
            self.referring(Selection { scope, internal: Internal::Exclude })
        })
    }

    fn page_states(&self, urls: &[&str]) -> Result<Vec<PageState>, QueryError> {
        let states = shared(urls, || self.snapshot.page_statuses(urls, &|| self.deadline.check()))?;
        let states = states.into_iter().map(Option::unwrap_or_default);
        Ok(states.map(|(status, failure)| PageState { status, failure }).collect())
    }
}

/// Looks up many names with the queries' threads, and a few without.
fn shared<T: Send>(names: &[&str], look_up: impl FnOnce() -> T + Send) -> T {
    if names.len() < NAMES_SHARED { look_up() } else { parallel(look_up) }
}

fn hundredths(ranks: Vec<SearchRank>) -> Vec<u32> {
    ranks.into_iter().map(|rank| u32::from(rank.0)).collect()
}

impl Known<'_> {
    fn referring(&self, selection: Selection) -> Result<u32, QueryError> {
        let Self { snapshot, suffixes, deadline } = *self;
        let counts = Scan { snapshot, selection: &selection, suffixes, deadline }.counts()?;
        Ok(u32::try_from(counts.all.refdoms).unwrap_or(u32::MAX))
    }

    fn each<T>(
        &self,
        names: &[&str],
        look_up: impl Fn(&str) -> Result<T, QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            // Each is a query of its own.
            self.deadline.check()?;
            found.push(look_up(name)?);
        }
        Ok(found)
    }
}

/// The rank of a scope: the page's, the host's or the domain's. A URL given without a scheme has the higher rank
/// of its two spellings.
///
/// # Errors
/// What the store reports.
pub fn scope_rank(snapshot: &Snapshot<'_>, scope: &Scope) -> Result<SearchRank, QueryError> {
    Ok(match scope {
        Scope::Url { url, also } => {
            let rank = snapshot.page_rank(url)?;
            also.iter().try_fold(rank, |rank, url| snapshot.page_rank(url).map(|other| rank.max(other)))?
        }
        Scope::Host { host, .. } => snapshot.host_rank(host)?,
        Scope::Domain { domain } => snapshot.domain_rank(domain)?,
    })
}
