//! Quotas of sitemaps: what the sitemaps of a host may still list until its robots.txt is read again.
//!
//! Sitemaps do not count towards page budgets, so they have limits of their own. A host may have
//! `sitemaps.max_per_host` sitemaps, and as many pages in them as the largest page budget. On a host where
//! other domains keep sitemaps, `sitemaps.max_named_elsewhere` of those are read. A host that drops out of
//! this bounded table, or a restart, gets the full quota again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use crate::config::Config;
use crate::lru::Lru;
use crate::urls::CanonicalUrl;

#[derive(Clone, Copy, Debug)]
struct Quota {
    sitemaps: usize,
    /// Sitemaps on this host that only other domains name.
    named_elsewhere: usize,
    pages: usize,
    /// Whether the robots.txt was read since. Other hosts may name sitemaps of this one before.
    robots_read: bool,
}

/// The quotas of all hosts, by a fingerprint of host and port. Both schemes share one.
pub(super) struct SitemapQuotas {
    full: Quota,
    remaining: Mutex<Lru<u64, Quota>>,
}

impl SitemapQuotas {
    pub(super) fn new(config: &Config) -> Self {
        let full = Quota {
            sitemaps: config.sitemaps.max_per_host,
            named_elsewhere: config.sitemaps.max_named_elsewhere,
            pages: usize::try_from(config.crawl.max_pages_per_host).unwrap_or(usize::MAX),
            robots_read: false,
        };
        Self { full, remaining: Mutex::new(Lru::new(config.crawl.hosts_in_memory)) }
    }

    /// Renews the quota after the robots.txt of this URL's host was read. `declares` says whether it names
    /// sitemaps.
    pub(super) fn renew(&self, url: &CanonicalUrl, declares: bool) {
        let (key, mut all) = (key(url.authority()), self.lock());
        let full = Quota { robots_read: true, ..self.full };
        match all.get(&key) {
            Some(quota) if quota.robots_read => *quota = full,
            Some(quota) => quota.robots_read = true,
            None if declares => _ = all.insert(key, full, 1),
            None => {}
        }
    }

    /// Takes one sitemap from the quota of this host. Returns whether there was one left.
    pub(super) fn take_sitemap(&self, host: &str) -> bool {
        self.take(host, |left| (&mut left.sitemaps, 1)) == 1
    }

    /// Takes one sitemap that lies on this host and that only other domains name. Returns whether there was
    /// one left.
    pub(super) fn take_named_elsewhere(&self, host: &str) -> bool {
        self.take(host, |left| (&mut left.named_elsewhere, 1)) == 1
    }

    /// Takes up to `listed` pages from the quota of this host. Returns how many there were.
    pub(super) fn take_pages(&self, host: &str, listed: usize) -> usize {
        self.take(host, |left| (&mut left.pages, listed))
    }

    fn take(&self, host: &str, of: impl Fn(&mut Quota) -> (&mut usize, usize)) -> usize {
        let (key, mut all) = (key(host), self.lock());
        let mut quota = all.get(&key).copied().unwrap_or(self.full);
        let (left, wanted) = of(&mut quota);
        let taken = wanted.min(*left);
        *left -= taken;
        all.insert(key, quota, 1);
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Lru<u64, Quota>> {
        self.remaining.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The fingerprint of a host, which is written as in [`CanonicalUrl::authority`].
fn key(host: &str) -> u64 {
    xxh3_64(host.as_bytes())
}
