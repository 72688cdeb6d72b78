//! A cache of whole encoded responses, valid until the next commit.
//!
//! The key of an entry is the request as it was written. The entry also stores the change number of the store
//! ([`Store::change_number`](crate::store::Store::change_number)) from before the response was computed, and is valid
//! while that number is current. A cached response is therefore never older than the last commit that was reported as
//! done. The cache is bounded by bytes, and the least recently used responses leave it first.
//!
//! The caller decides whether a response is cacheable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::negotiation::{AcceptedCoding, Format};
use super::representation::Representation;
use crate::lru::Lru;

/// The bytes that an entry costs in addition to its body and its key: headers, reference counts, the cache's own data.
const ENTRY_BYTES: usize = 512;

/// A request as it was written: everything a response depends on, except for the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    pub path: Box<str>,
    pub query: Box<str>,
    pub format: Format,
    pub accepted: AcceptedCoding,
}

struct CachedResponse {
    change_number: u64,
    representation: Arc<Representation>,
}

/// The response cache. Entries are weighed by their bytes.
pub(crate) struct ResponseCache {
    /// 0 disables the cache.
    max_bytes: usize,
    responses: Mutex<Lru<CacheKey, CachedResponse>>,
}

impl ResponseCache {
    /// Creates a cache of at most `max_bytes` bytes; 0 disables it.
    pub(crate) fn new(max_bytes: u64) -> Self {
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        Self { max_bytes, responses: Mutex::new(Lru::new(max_bytes)) }
    }

    /// Returns the cached response to a request if it is current.
    pub(crate) fn get(&self, key: &CacheKey, change_number: u64) -> Option<Arc<Representation>> {
        let mut responses = self.responses();
        let cached = responses.get(key)?;
        (cached.change_number == change_number).then(|| Arc::clone(&cached.representation))
    }

    /// The bytes in use.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.responses().size().0 as u64
    }

    /// Caches a response that was computed from a state no older than `change_number`.
    pub(crate) fn put(&self, key: CacheKey, change_number: u64, representation: Arc<Representation>) {
        let bytes = key.path.len() + key.query.len() + representation.len() + ENTRY_BYTES;
        if bytes <= self.max_bytes {
            self.responses().insert(key, CachedResponse { change_number, representation }, bytes);
        }
    }

    /// A panic in another thread cannot leave the cache half changed.
    fn responses(&self) -> MutexGuard<'_, Lru<CacheKey, CachedResponse>> {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::http::representation::{Rendered, ResponseMeta};

    fn key(path: &str, query: &str) -> CacheKey {
        CacheKey {
            path: path.into(),
            query: query.into(),
            format: Format::Json,
            accepted: AcceptedCoding::NONE,
        }
    }

    fn representation(bytes: usize) -> Arc<Representation> {
        let content = Rendered { body: vec![b'x'; bytes], meta: ResponseMeta::json(false), cacheable: true };
        Arc::new(Representation::new(content, AcceptedCoding::NONE, usize::MAX).unwrap())
    }

    #[test]
    fn a_cached_response_is_valid_for_the_same_request_and_change_number() {
        let cache = ResponseCache::new(1 << 20);
        cache.put(key("/sr", "url=a"), 7, representation(10));
        assert_eq!(cache.get(&key("/sr", "url=a"), 7).unwrap().len(), 10);
        assert!(cache.get(&key("/sr", "url=a"), 8).is_none());
        assert!(cache.get(&key("/sr", "url=b"), 7).is_none());
        assert!(cache.get(&key("/s", "rurl=a"), 7).is_none());
        assert!(cache.get(&CacheKey { format: Format::Csv, ..key("/sr", "url=a") }, 7).is_none());
        cache.put(key("/sr", "url=a"), 8, representation(20));
        assert_eq!(cache.get(&key("/sr", "url=a"), 8).unwrap().len(), 20);
    }

    #[test]
    fn memory_is_bounded() {
        let cache = ResponseCache::new(100_000);
        for number in 0..1_000 {
            cache.put(key("/sr", &number.to_string()), 1, representation(5_000));
        }
        let (bytes, entries) = cache.responses().size();
        assert!(bytes <= 100_000 && entries > 5, "{entries} responses");
        cache.put(key("/sr", "huge"), 1, representation(200_000));
        assert!(cache.get(&key("/sr", "huge"), 1).is_none());
        let none = ResponseCache::new(0);
        none.put(key("/sr", ""), 1, representation(1));
        assert!(none.get(&key("/sr", ""), 1).is_none());
    }
}
