//! What the sitemaps of a host may still bring until its robots.txt is read again.
//!
//! Sitemaps are read beside the budgets of pages, so they have bounds of their own: `sitemaps.max_per_host` of them,
//! as many pages in them as a host may ever have, and `sitemaps.max_named_elsewhere` on a host that other domains keep
//! theirs on. A host that is forgotten here, because there are very many or the program was restarted, has all of it again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use crate::config::Config;
use crate::lru::Lru;
use crate::urls::CanonicalUrl;

#[derive(Clone, Copy, Debug)]
struct Allowance {
    sitemaps: usize,
    /// Sitemaps that lie here, and that other domains alone name.
    named_elsewhere: usize,
    pages: usize,
    /// Whether the robots.txt was read since. Sitemaps of a host may be named elsewhere before it is.
    read: bool,
}

/// The allowances of all hosts, by a fingerprint of host and port. Both schemes share one.
pub(super) struct Allowances {
    whole: Allowance,
    left: Mutex<Lru<u64, Allowance>>,
}

impl Allowances {
    pub fn new(config: &Config) -> Self {
        let whole = Allowance {
            sitemaps: config.sitemaps.max_per_host,
            named_elsewhere: config.sitemaps.max_named_elsewhere,
            pages: usize::try_from(config.crawl.max_pages_per_host).unwrap_or(usize::MAX),
            read: false,
        };
        Self { whole, left: Mutex::new(Lru::new(config.crawl.hosts_in_memory)) }
    }

    /// The robots.txt of this URL's host was read, and declares sitemaps or does not.
    pub fn renew(&self, url: &CanonicalUrl, declares: bool) {
        let (key, mut all) = (key(url.authority()), self.lock());
        let whole = Allowance { read: true, ..self.whole };
        match all.get(&key) {
            Some(allowance) if allowance.read => *allowance = whole,
            Some(allowance) => allowance.read = true,
            None if declares => _ = all.insert(key, whole, 1),
            None => {}
        }
    }

    /// Whether one more sitemap may be read at the expense of this host; it counts as read then.
    pub fn takes_sitemap(&self, host: &str) -> bool {
        self.take(host, |left| (&mut left.sitemaps, 1)) == 1
    }

    /// Whether one more sitemap may be read that lies on this host, and that other domains alone name.
    pub fn takes_named_elsewhere(&self, host: &str) -> bool {
        self.take(host, |left| (&mut left.named_elsewhere, 1)) == 1
    }

    /// How many of so many pages in sitemaps count, at the expense of this host.
    pub fn take_pages(&self, host: &str, listed: usize) -> usize {
        self.take(host, |left| (&mut left.pages, listed))
    }

    fn take(&self, host: &str, of: impl Fn(&mut Allowance) -> (&mut usize, usize)) -> usize {
        let (key, mut all) = (key(host), self.lock());
        let mut allowance = all.get(&key).copied().unwrap_or(self.whole);
        let (left, wanted) = of(&mut allowance);
        let taken = wanted.min(*left);
        *left -= taken;
        all.insert(key, allowance, 1);
        taken
    }

    fn lock(&self) -> MutexGuard<'_, Lru<u64, Allowance>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Host as [`CanonicalUrl::authority`] has it.
fn key(host: &str) -> u64 {
    xxh3_64(host.as_bytes())
}
