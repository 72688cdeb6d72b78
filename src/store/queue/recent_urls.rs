//! A cache of URLs that were discovered a short time ago.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;
use zerocopy::FromZeros;

use crate::urls::CanonicalUrl;

/// Hashes of recently discovered and stored URLs, in constant memory: a direct-mapped table of 64-bit hashes. Any
/// thread may read it at any time. A URL that was evicted, or is not yet entered, is discovered again without harm.
pub struct RecentUrls(Vec<AtomicU64>);

impl RecentUrls {
    pub(in crate::store) fn new(urls: usize) -> Arc<Self> {
        let zeroed = AtomicU64::new_vec_zeroed(urls.max(1).next_power_of_two());
        Arc::new(Self(zeroed.unwrap_or_else(|_| vec![AtomicU64::new(0)])))
    }

    /// Whether this URL is in the cache.
    pub fn holds(&self, url: &CanonicalUrl) -> bool {
        self.holds_hash(Self::hash(url))
    }

    pub(in crate::store) fn hash(url: &CanonicalUrl) -> u64 {
        xxh3_64(url.as_str().as_bytes())
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower bits of a hash choose a place")]
    fn slot(&self, hash: u64) -> &AtomicU64 {
        &self.0[hash as usize & (self.0.len() - 1)]
    }

    /// Zero marks an empty slot: the URL with hash zero is never cached.
    pub(in crate::store) fn holds_hash(&self, hash: u64) -> bool {
        hash != 0 && self.slot(hash).load(Ordering::Relaxed) == hash
    }

    pub(in crate::store) fn add(&self, hash: u64) {
        self.slot(hash).store(hash, Ordering::Relaxed);
    }

    pub(in crate::store) fn clear(&self) {
        self.0.iter().for_each(|slot| slot.store(0, Ordering::Relaxed));
    }
}
