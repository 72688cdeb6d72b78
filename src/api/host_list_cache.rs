//! Lists of hosts that are cached for a while, because each of them reads the key of every queued URL.
//!
//! A list is cached for ten times as long as it took. A page that asks again and again takes a tenth of a core at
//! most, however long the queue is. A short queue is always shown as it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::inspect::HostList;
use crate::lru::Lru;

/// How long a list is cached, as a multiple of the time that it took.
const TTL_FACTOR: u32 = 10;
/// Rows of all cached lists, of a few hundred bytes each.
const MAX_ROWS: usize = 10_000;

/// The cached lists, by question.
#[derive(Debug)]
pub struct HostListCache(Mutex<Lru<String, CachedHostList>>);

#[derive(Debug)]
struct CachedHostList {
    list: Arc<HostList>,
    until: Instant,
}

impl Default for HostListCache {
    fn default() -> Self {
        Self(Mutex::new(Lru::new(MAX_ROWS)))
    }
}

impl HostListCache {
    /// Returns the cached answer to a question, or reads it.
    ///
    /// # Errors
    /// Those of `read`.
    pub(in crate::api) fn get_or_read<E>(
        &self,
        question: String,
        read: impl FnOnce() -> Result<HostList, E>,
    ) -> Result<Arc<HostList>, E> {
        let lists = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = Instant::now();
        if let Some(cached) = lists().get(&question).filter(|cached| start < cached.until) {
            return Ok(Arc::clone(&cached.list));
        }
        let list = Arc::new(read()?);
        let until = Instant::now() + TTL_FACTOR * start.elapsed();
        lists().insert(question, CachedHostList { list: Arc::clone(&list), until }, list.rows.len() + 1);
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_list_is_cached_for_ten_times_as_long_as_it_took() {
        let cache = HostListCache::default();
        let list = |count| HostList { rows: Vec::new(), count, change: 0, read_at: 0 };
        let ask = |question: &str, count, takes| {
            let read = || {
                std::thread::sleep(Duration::from_millis(takes));
                Ok::<_, ()>(list(count))
            };
            cache.get_or_read(question.to_owned(), read).unwrap().count
        };
        let start = Instant::now();
        assert_eq!((ask("a", 1, 100), ask("a", 2, 0), ask("b", 3, 0)), (1, 1, 3));
        while ask("a", 4, 0) != 4 {
            assert!(start.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(start.elapsed() >= Duration::from_millis(1_100), "{:?}", start.elapsed());
        assert!(cache.get_or_read("c".to_owned(), || Err(())).is_err());
        assert_eq!(ask("c", 5, 0), 5);
    }
}
