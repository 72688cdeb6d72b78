//! A cache of whole encoded responses, valid until the next commit.
//!
//! The key of an entry is the request as it was written. The entry also stores the change number of the store
//! ([`Store::change_number`](crate::store::Store::change_number)) from before the response was computed, and is valid
//! while that number is current. A cached response is therefore never older than the last commit that was reported as
//! done. The cache is bounded by bytes, and frequent requests stay in it.
//!
//! The caller decides whether a response is cacheable.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::negotiation::{AcceptedEncoding, Format};
use super::representation::Representation;

/// The bytes that an entry costs in addition to its body and its key: headers, reference counts, the cache's own data.
const ENTRY_BYTES: u64 = 512;
/// The size of a typical response, for the initial size of the table.
const TYPICAL_ENTRY_BYTES: u64 = 8 << 10;

/// A request as it was written: everything a response depends on, except for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey<'a> {
    pub path: &'a str,
    pub query: &'a str,
    pub format: Format,
    pub encoding: AcceptedEncoding,
}

#[derive(Clone, Debug)]
struct OwnedCacheKey {
    path: Box<str>,
    query: Box<str>,
    format: Format,
    encoding: AcceptedEncoding,
}

#[derive(Clone)]
struct CachedResponse {
    change_number: u64,
    representation: Arc<Representation>,
}

#[derive(Clone)]
struct ByteWeighter;

/// The response cache. `None` if it is disabled.
pub struct ResponseCache(Option<Cache<OwnedCacheKey, CachedResponse, ByteWeighter>>);

impl ResponseCache {
    /// Creates a cache of at most `bytes` bytes; 0 disables it.
    pub fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / TYPICAL_ENTRY_BYTES).unwrap_or(usize::MAX).max(1);
        Self((bytes > 0).then(|| Cache::with_weighter(entries, bytes, ByteWeighter)))
    }

    /// Returns the cached response to a request if it is current.
    pub fn get(&self, key: &CacheKey<'_>, change_number: u64) -> Option<Arc<Representation>> {
        let cached = self.0.as_ref()?.get(key)?;
        (cached.change_number == change_number).then_some(cached.representation)
    }

    /// The bytes in use.
    pub fn used_bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, Cache::weight)
    }

    /// Caches a response that was computed from a state no older than `change_number`.
    pub fn put(&self, key: &CacheKey<'_>, change_number: u64, representation: Arc<Representation>) {
        if let Some(cache) = &self.0 {
            cache.insert(OwnedCacheKey::from(key), CachedResponse { change_number, representation });
        }
    }
}

impl Weighter<OwnedCacheKey, CachedResponse> for ByteWeighter {
    fn weight(&self, key: &OwnedCacheKey, cached: &CachedResponse) -> u64 {
        (key.path.len() + key.query.len() + cached.representation.len()) as u64 + ENTRY_BYTES
    }
}

impl From<&CacheKey<'_>> for OwnedCacheKey {
    fn from(key: &CacheKey<'_>) -> Self {
        let CacheKey { path, query, format, encoding } = *key;
        Self { path: path.into(), query: query.into(), format, encoding }
    }
}

impl OwnedCacheKey {
    fn key(&self) -> CacheKey<'_> {
        CacheKey { path: &self.path, query: &self.query, format: self.format, encoding: self.encoding }
    }
}

impl PartialEq for OwnedCacheKey {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for OwnedCacheKey {}

/// Equals the hash of the borrowed key, so that a lookup copies nothing.
impl Hash for OwnedCacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Equivalent<OwnedCacheKey> for CacheKey<'_> {
    fn equivalent(&self, key: &OwnedCacheKey) -> bool {
        *self == key.key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::http::representation::{Rendered, ResponseMeta};

    fn key<'a>(path: &'a str, query: &'a str) -> CacheKey<'a> {
        CacheKey { path, query, format: Format::Json, encoding: AcceptedEncoding::NONE }
    }

    fn representation(bytes: usize) -> Arc<Representation> {
        let content = Rendered { body: vec![b'x'; bytes], meta: ResponseMeta::json(false), cacheable: true };
        Arc::new(Representation::new(content, AcceptedEncoding::NONE, usize::MAX).unwrap())
    }

    #[test]
    fn a_cached_response_is_valid_for_the_same_request_and_change_number() {
        let cache = ResponseCache::new(1 << 20);
        cache.put(&key("/sr", "url=a"), 7, representation(10));
        assert_eq!(cache.get(&key("/sr", "url=a"), 7).unwrap().len(), 10);
        assert!(cache.get(&key("/sr", "url=a"), 8).is_none());
        assert!(cache.get(&key("/sr", "url=b"), 7).is_none());
        assert!(cache.get(&key("/s", "rurl=a"), 7).is_none());
        assert!(cache.get(&CacheKey { format: Format::Csv, ..key("/sr", "url=a") }, 7).is_none());
        cache.put(&key("/sr", "url=a"), 8, representation(20));
        assert_eq!(cache.get(&key("/sr", "url=a"), 8).unwrap().len(), 20);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = ResponseCache::new(100_000);
        for number in 0..1_000 {
            cache.put(&key("/sr", &number.to_string()), 1, representation(5_000));
        }
        let entries = cache.0.as_ref().unwrap();
        assert!(entries.weight() <= 100_000 && entries.len() > 5, "{} responses", entries.len());
        cache.put(&key("/sr", "huge"), 1, representation(200_000));
        assert!(cache.get(&key("/sr", "huge"), 1).is_none());
        let none = ResponseCache::new(0);
        none.put(&key("/sr", ""), 1, representation(1));
        assert!(none.get(&key("/sr", ""), 1).is_none());
    }
}
