//! IV Search Rank by name.

use super::QueryError;
use crate::model::SearchRank;
use crate::store::Snapshot;
use crate::urls::{CanonicalUrl, Scope};

/// Where ranks are looked up; 0 is the rank of what is unknown.
pub trait RankSource {
    /// # Errors
    /// What the store reports.
    fn page(&self, url: &CanonicalUrl) -> Result<SearchRank, QueryError>;
    /// # Errors
    /// What the store reports.
    fn domain(&self, domain: &str) -> Result<SearchRank, QueryError>;
}

impl RankSource for Snapshot<'_> {
    fn page(&self, url: &CanonicalUrl) -> Result<SearchRank, QueryError> {
        Ok(self.page_rank(url)?)
    }

    fn domain(&self, domain: &str) -> Result<SearchRank, QueryError> {
        Ok(self.domain_rank(domain)?)
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
