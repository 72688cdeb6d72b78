//! What is looked up by name, one page or domain at a time: ranks, referring domains, how a page last answered.

use super::{Internal, PageState, QueryError, Scan, Selection};
use crate::model::SearchRank;
use crate::store::Snapshot;
use crate::urls::{CanonicalUrl, Scope};

/// Where names are looked up; 0 is the answer for what is unknown.
pub trait LookUp {
    /// # Errors
    /// What the store reports.
    fn page_rank(&self, url: &CanonicalUrl) -> Result<SearchRank, QueryError>;
    /// # Errors
    /// What the store reports.
    fn domain_rank(&self, domain: &str) -> Result<SearchRank, QueryError>;
    /// The referring domains of a page that is named without its scheme: of both its spellings.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    fn refdoms(&self, page: &str) -> Result<u32, QueryError>;
    /// The registrable domains, other than itself, that link to a registrable domain.
    ///
    /// # Errors
    /// What the store or the deadline reports.
    fn foreign_refdoms(&self, domain: &str) -> Result<u32, QueryError>;
    /// # Errors
    /// What the store reports.
    fn page_state(&self, url: &CanonicalUrl) -> Result<PageState, QueryError>;
}

impl LookUp for Scan<'_> {
    fn page_rank(&self, url: &CanonicalUrl) -> Result<SearchRank, QueryError> {
        Ok(self.snapshot.page_rank(url)?)
    }

    fn domain_rank(&self, domain: &str) -> Result<SearchRank, QueryError> {
        Ok(self.snapshot.domain_rank(domain)?)
    }

    fn refdoms(&self, page: &str) -> Result<u32, QueryError> {
        let under = |scheme: &str| CanonicalUrl::from_stored(format!("{scheme}://{page}"));
        let Some(url) = under("http") else { return Ok(0) };
        let scope = Scope::Url { url, also: under("https") };
        refdoms(self, Selection { scope, internal: Internal::Include })
    }

    fn foreign_refdoms(&self, domain: &str) -> Result<u32, QueryError> {
        let scope = Scope::Domain { domain: domain.to_owned() };
        refdoms(self, Selection { scope, internal: Internal::Exclude })
    }

    fn page_state(&self, url: &CanonicalUrl) -> Result<PageState, QueryError> {
        Ok(self.snapshot.page(url)?.as_ref().map(PageState::from).unwrap_or_default())
    }
}

fn refdoms(scan: &Scan<'_>, selection: Selection) -> Result<u32, QueryError> {
    let totals = Scan { selection: &selection, ..*scan }.totals()?;
    Ok(u32::try_from(totals.refdoms).unwrap_or(u32::MAX))
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
