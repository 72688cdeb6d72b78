//! What the sitemaps of a host may still bring until its robots.txt is read again.
//!
//! Sitemaps are read beside the budgets of pages, so they have bounds of their own: `sitemaps.max_per_host` of them, and
//! as many pages in them as a host may ever have. Whoever is forgotten here, when there are very many or the program
//! starts anew, has all of it again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use crate::config::Config;
use crate::frontier::QueueName;
use crate::lru::Lru;
use crate::urls::CanonicalUrl;

#[derive(Clone, Copy, Debug)]
struct Allowance {
    sitemaps: usize,
    pages: usize,
    /// Whether the robots.txt was read since. Sitemaps of a host may be named elsewhere before it is.
    read: bool,
}

/// The allowances of all hosts, by a fingerprint of their queue's name.
pub(super) struct Allowances {
    whole: Allowance,
    left: Mutex<Lru<u64, Allowance>>,
}

impl Allowances {
    pub fn new(config: &Config) -> Self {
        let pages = usize::try_from(config.crawl.max_pages_per_host).unwrap_or(usize::MAX);
        let whole = Allowance { sitemaps: config.sitemaps.max_per_host, pages, read: false };
        Self { whole, left: Mutex::new(Lru::new(config.crawl.hosts_in_memory)) }
    }

    /// The robots.txt of this URL's host was read, and declares sitemaps or does not.
    pub fn renew(&self, url: &CanonicalUrl, declares: bool) {
        let (key, mut all) = (key(url), self.lock());
        let whole = Allowance { read: true, ..self.whole };
        match all.get(&key) {
            Some(allowance) if allowance.read => *allowance = whole,
            Some(allowance) => allowance.read = true,
            None if declares => _ = all.insert(key, whole, 1),
            None => {}
        }
    }

    /// Whether the sitemap at this URL may be read; it counts as read then.
    pub fn takes_sitemap(&self, url: &CanonicalUrl) -> bool {
        self.take(url, |left| (&mut left.sitemaps, 1)) == 1
    }

    /// How many of so many pages count that the sitemap at this URL lists.
    pub fn take_pages(&self, url: &CanonicalUrl, listed: usize) -> usize {
        self.take(url, |left| (&mut left.pages, listed))
    }

    fn take(&self, url: &CanonicalUrl, of: impl Fn(&mut Allowance) -> (&mut usize, usize)) -> usize {
        let (key, mut all) = (key(url), self.lock());
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

fn key(url: &CanonicalUrl) -> u64 {
    xxh3_64(QueueName::of(url).as_bytes())
}
