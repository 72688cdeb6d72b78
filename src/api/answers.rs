//! Answers kept to be given again: whole ones, as they were sent, for as long as the index is as it was.
//!
//! An answer is kept under the request as it was written and the number of the last change of the store before it
//! was computed ([`Store::change_number`](crate::store::Store::change_number)); it is given only while that number
//! is still the last. So an answer is never older than the last commit that was reported as done. The cache is
//! bounded by bytes; what is asked for often stays.
//!
//! Whether an answer may be kept at all is not decided here.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::negotiate::{Format, Wish};
use super::representation::Representation;

/// Bytes that an entry costs besides its body and its key: headers, reference counts, the cache's own.
const ENTRY_BYTES: u64 = 512;
/// A usual answer, for the first size of the cache's table.
const USUAL_BYTES: u64 = 8 << 10;

/// What an answer depends on besides the store: the request as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asked<'a> {
    pub path: &'a str,
    pub query: &'a str,
    pub format: Format,
    pub wish: Wish,
}

#[derive(Clone, Debug)]
struct Key {
    path: Box<str>,
    query: Box<str>,
    format: Format,
    wish: Wish,
}

#[derive(Clone)]
struct Kept {
    change_number: u64,
    answer: Arc<Representation>,
}

#[derive(Clone)]
struct ByBytes;

/// The answers kept.
pub struct Answers(Option<Cache<Key, Kept, ByBytes>>);

impl Answers {
    /// Keeps up to so many bytes; with 0, nothing.
    pub fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX).max(1);
        Self((bytes > 0).then(|| Cache::with_weighter(entries, bytes, ByBytes)))
    }

    /// The answer to a request, if it is kept and still true.
    pub fn get(&self, asked: &Asked<'_>, change_number: u64) -> Option<Arc<Representation>> {
        let kept = self.0.as_ref()?.get(asked)?;
        (kept.change_number == change_number).then_some(kept.answer)
    }

    /// Keeps an answer computed from a state no older than `change_number`.
    pub fn put(&self, asked: &Asked<'_>, change_number: u64, answer: Arc<Representation>) {
        if let Some(cache) = &self.0 {
            cache.insert(Key::from(asked), Kept { change_number, answer });
        }
    }
}

impl Weighter<Key, Kept> for ByBytes {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        (key.path.len() + key.query.len() + kept.answer.len()) as u64 + ENTRY_BYTES
    }
}

impl From<&Asked<'_>> for Key {
    fn from(asked: &Asked<'_>) -> Self {
        let Asked { path, query, format, wish } = *asked;
        Self { path: path.into(), query: query.into(), format, wish }
    }
}

impl Key {
    fn asked(&self) -> Asked<'_> {
        Asked { path: &self.path, query: &self.query, format: self.format, wish: self.wish }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.asked() == other.asked()
    }
}

impl Eq for Key {}

/// The hash of what was asked, so that a request is looked up without copying it.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.asked()
    }
}
