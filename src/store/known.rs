//! Whether anything is known of a scope that was never visited: from a few rows, however large the scope is.

use crate::urls::{CanonicalUrl, Scope};

use super::schema::{FRONTIER, HOSTS};
use super::{Changes, Snapshot, StoreError};

impl Snapshot<'_> {
    /// Whether a URL was met, a host was met or asked, or a page links there. Of links, those from another host count
    /// however long ago they were lost; those within a host, once the crawl follows them.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, a record is damaged or the set of known URLs cannot be read.
    pub fn is_known(&self, scope: &Scope) -> Result<bool, StoreError> {
        if self.backlinks(scope, None).next().transpose()?.is_some() {
            return Ok(true);
        }
        match scope {
            Scope::Url { url, also } => std::iter::once(url).chain(also).try_fold(false, |known, url| {
                Ok(known || self.store.was_met(url)? || self.page_rank(url)?.0 > 0)
            }),
            Scope::Host { host, port } => {
                let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
                Ok(self.has_server(scope)? || self.home_was_met(&authority)?)
            }
            Scope::Domain { domain } => Ok(self.changes(domain)? != Changes::default()
                || self.has_server(scope)?
                || self.home_was_met(domain)?
                || self.home_was_met(&format!("www.{domain}"))?),
        }
    }

    /// Whether a host of the scope has URLs in its queue, or was asked for any.
    fn has_server(&self, scope: &Scope) -> Result<bool, StoreError> {
        for family in [FRONTIER, HOSTS] {
            if self.rows_of(family, scope, None, |_, _| Ok(())).next().transpose()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a crawl met the home page, by which most hosts are met first: robots.txt may have kept it from going
    /// there.
    fn home_was_met(&self, authority: &str) -> Result<bool, StoreError> {
        for scheme in ["http", "https"] {
            let home = CanonicalUrl::from_stored(format!("{scheme}://{authority}/"));
            if let Some(home) = home
                && self.store.was_met(&home)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
