//! Whether the index knows a scope that was never visited. Reads a few rows, however large the scope is.

use crate::store::codec::queue_entry::parse_entry_key;
use crate::store::codec::varint::Damage;
use crate::store::db::schema::{FRONTIER, HOSTS};
use crate::store::{ChangeNumbers, Rows, Snapshot, StoreError};
use crate::urls::{CanonicalUrl, Scope, Surt};

impl Snapshot<'_> {
    /// Whether a URL was discovered, a host was discovered or requested, or a page links there. Links from another
    /// host count even if they were lost long ago. Links within a host count once the crawl follows them. Of the URLs
    /// below a prefix, the one at its path counts; [`Self::queued_below`] finds others.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails, a record is damaged or the seen set cannot be read.
    pub fn is_known(&self, scope: &Scope) -> Result<bool, StoreError> {
        if self.backlinks(scope, None).next().transpose()?.is_some() {
            return Ok(true);
        }
        match scope {
            Scope::Url { url, https_url } => {
                std::iter::once(url).chain(https_url).try_fold(false, |known, url| {
                    Ok(known || self.store.was_seen(url)? || self.page_rank(url)?.0 > 0)
                })
            }
            Scope::Host { host, port } => {
                let authority = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
                Ok(self.has_server(scope)? || self.home_was_seen(&authority)?)
            }
            Scope::Domain { domain } => Ok(self.changes(domain)? != ChangeNumbers::default()
                || self.has_server(scope)?
                || self.home_was_seen(domain)?
                || self.home_was_seen(&format!("www.{domain}"))?),
            Scope::Prefix { .. } => scope.pages_at_path().iter().try_fold(false, |known, url| {
                Ok(known || self.store.was_seen(url)? || self.page_rank(url)?.0 > 0)
            }),
        }
    }

    /// For each queued URL of the host of a prefix, whether it is below the prefix. No rows for other scopes.
    pub fn queued_below(&self, scope: &Scope) -> Rows<'_, bool> {
        let Scope::Prefix { host, port, path } = scope else { return Box::new(std::iter::empty()) };
        let (host, path) = (Scope::Host { host: host.clone(), port: *port }, path.clone());
        self.rows_of(FRONTIER, &host, None, move |key, _| {
            let (_, _, surt) = parse_entry_key(key)?;
            let url = Surt::bytes_to_url(surt).map_err(|_| Damage("the URL"))?;
            Ok(path.holds(url.path_and_query()))
        })
    }

    /// Whether a host of the scope has queued URLs, or received a request.
    fn has_server(&self, scope: &Scope) -> Result<bool, StoreError> {
        for family in [FRONTIER, HOSTS] {
            if self.rows_of(family, scope, None, |_, _| Ok(())).next().transpose()?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a crawl discovered the home page. Most hosts are discovered by it, and robots.txt may have forbidden
    /// the visit.
    fn home_was_seen(&self, authority: &str) -> Result<bool, StoreError> {
        for scheme in ["http", "https"] {
            let home = CanonicalUrl::from_stored(format!("{scheme}://{authority}/"));
            if let Some(home) = home
                && self.store.was_seen(&home)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
