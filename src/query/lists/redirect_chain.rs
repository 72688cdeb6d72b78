//! Redirect chains: where a URL leads, by the responses of the last visits.
//!
//! A page redirects by the redirect of its last response or, after a success, by its first refresh. A
//! canonical link names another URL but redirects no client, so it is not followed. A page whose last visit
//! failed redirects as its last response did.

use crate::model::{LinkTag, OutlinkRecord};
use crate::query::engine::fields::hops::{ChainEnd, HOP_FIELDS, Hop};
use crate::query::engine::table::TableBuilder;
use crate::query::{QueryError, Scan, Table};
use crate::urls::{CanonicalUrl, Scope};

impl Scan<'_> {
    /// The chain of the scope's URL, with at most `max_redirects` redirects. A URL without a scheme has a
    /// chain under http and then one under https. Of these, the chains of visited URLs are kept; if neither
    /// was visited, the first.
    ///
    /// # Errors
    /// [`QueryError::Store`]; [`QueryError::Deadline`]; [`QueryError::Declaration`] for a scope that is not a URL.
    pub fn redirect_chains(&self, max_redirects: usize) -> Result<Table, QueryError> {
        let Scope::Url { url, https_url } = &self.selection.scope else {
            return Err(QueryError::Declaration("a redirect chain of a scope that is not a URL".to_owned()));
        };
        let mut chains = vec![self.follow_redirects(url, max_redirects)?];
        if let Some(https_url) = https_url {
            chains.push(self.follow_redirects(https_url, max_redirects)?);
            let known = |chain: &Vec<Hop>| chain.first().is_some_and(|hop| hop.status != 0);
            if chains.iter().any(known) {
                chains.retain(known);
            } else {
                chains.truncate(1);
            }
        }
        let hops: Vec<Hop> = chains.into_iter().flatten().collect();
        TableBuilder::from_rows(HOP_FIELDS, &hops, self.suffixes, self.deadline)
    }

    fn follow_redirects(&self, start: &CanonicalUrl, max_redirects: usize) -> Result<Vec<Hop>, QueryError> {
        let mut hops: Vec<Hop> = Vec::new();
        let mut next = Some(start.clone());
        while let Some(url) = next {
            self.deadline.check()?;
            let (status, onward) = self.last_answer(&url)?;
            let end = if status == 0 {
                Some(ChainEnd::Unknown)
            } else if hops.iter().any(|hop| hop.url == url) {
                Some(ChainEnd::Loop)
            } else if onward.is_none() {
                Some(ChainEnd::Reached)
            } else if hops.len() >= max_redirects {
                Some(ChainEnd::TooLong)
            } else {
                None
            };
            let (tag, target) = onward.map(|link| (link.tag, link.target)).unzip();
            let number = u32::try_from(hops.len() + 1).map_err(|_| QueryError::TooManyRows)?;
            hops.push(Hop { start: start.clone(), number, url, status, tag, end });
            next = target.filter(|_| end.is_none());
        }
        Ok(hops)
    }

    /// The status of the last response of a URL, 0 for none, and the link by which it redirects.
    fn last_answer(&self, url: &CanonicalUrl) -> Result<(u16, Option<OutlinkRecord>), QueryError> {
        let Some(page) = self.snapshot.page(url)? else { return Ok((0, None)) };
        let tag = match page.facts.status {
            200..=299 => Some(LinkTag::Refresh),
            status => LinkTag::from_redirect_status(status),
        };
        let Some(tag) = tag else { return Ok((page.facts.status, None)) };
        let links = self.snapshot.outlinks(url)?;
        Ok((page.facts.status, links.into_iter().find(|link| link.is_active() && link.tag == tag)))
    }
}
