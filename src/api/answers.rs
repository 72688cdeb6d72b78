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
pub struct AnswerKey<'a> {
    pub path: &'a str,
    pub query: &'a str,
    pub format: Format,
    pub wish: Wish,
}

#[derive(Clone, Debug)]
struct OwnedKey {
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
pub struct Answers(Option<Cache<OwnedKey, Kept, ByBytes>>);

impl Answers {
    /// Keeps up to so many bytes; with 0, nothing.
    pub fn new(bytes: u64) -> Self {
        let entries = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX).max(1);
        Self((bytes > 0).then(|| Cache::with_weighter(entries, bytes, ByBytes)))
    }

    /// The answer to a request, if it is kept and still true.
    pub fn get(&self, asked: &AnswerKey<'_>, change_number: u64) -> Option<Arc<Representation>> {
        let kept = self.0.as_ref()?.get(asked)?;
        (kept.change_number == change_number).then_some(kept.answer)
    }

    /// Bytes of what is kept now.
    pub fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, Cache::weight)
    }

    /// Keeps an answer computed from a state no older than `change_number`.
    pub fn put(&self, asked: &AnswerKey<'_>, change_number: u64, answer: Arc<Representation>) {
        if let Some(cache) = &self.0 {
            cache.insert(OwnedKey::from(asked), Kept { change_number, answer });
        }
    }
}

impl Weighter<OwnedKey, Kept> for ByBytes {
    fn weight(&self, key: &OwnedKey, kept: &Kept) -> u64 {
        (key.path.len() + key.query.len() + kept.answer.len()) as u64 + ENTRY_BYTES
    }
}

impl From<&AnswerKey<'_>> for OwnedKey {
    fn from(asked: &AnswerKey<'_>) -> Self {
        let AnswerKey { path, query, format, wish } = *asked;
        Self { path: path.into(), query: query.into(), format, wish }
    }
}

impl OwnedKey {
    fn asked(&self) -> AnswerKey<'_> {
        AnswerKey { path: &self.path, query: &self.query, format: self.format, wish: self.wish }
    }
}

impl PartialEq for OwnedKey {
    fn eq(&self, other: &Self) -> bool {
        self.asked() == other.asked()
    }
}

impl Eq for OwnedKey {}

/// The hash of what was asked, so that a request is looked up without copying it.
impl Hash for OwnedKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked().hash(state);
    }
}

impl Equivalent<OwnedKey> for AnswerKey<'_> {
    fn equivalent(&self, key: &OwnedKey) -> bool {
        *self == key.asked()
    }
}

#[cfg(test)]
mod tests {
    use super::super::representation::{About, Content};
    use super::*;

    fn asked<'a>(path: &'a str, query: &'a str) -> AnswerKey<'a> {
        AnswerKey { path, query, format: Format::Json, wish: Wish::NONE }
    }

    fn answer(bytes: usize) -> Arc<Representation> {
        let content = Content { body: vec![b'x'; bytes], about: About::json(false), lasting: true };
        Arc::new(Representation::new(content, Wish::NONE, usize::MAX).unwrap())
    }

    #[test]
    fn an_answer_is_given_to_the_same_question_in_the_same_state() {
        let answers = Answers::new(1 << 20);
        answers.put(&asked("/sr", "url=a"), 7, answer(10));
        assert_eq!(answers.get(&asked("/sr", "url=a"), 7).unwrap().len(), 10);
        assert!(answers.get(&asked("/sr", "url=a"), 8).is_none());
        assert!(answers.get(&asked("/sr", "url=b"), 7).is_none());
        assert!(answers.get(&asked("/s", "rurl=a"), 7).is_none());
        assert!(answers.get(&AnswerKey { format: Format::Csv, ..asked("/sr", "url=a") }, 7).is_none());
        answers.put(&asked("/sr", "url=a"), 8, answer(20));
        assert_eq!(answers.get(&asked("/sr", "url=a"), 8).unwrap().len(), 20);
    }

    #[test]
    fn memory_is_bounded() {
        let answers = Answers::new(100_000);
        for number in 0..1_000 {
            answers.put(&asked("/sr", &number.to_string()), 1, answer(5_000));
        }
        let cache = answers.0.as_ref().unwrap();
        assert!(cache.weight() <= 100_000 && cache.len() > 5, "{} answers", cache.len());
        answers.put(&asked("/sr", "huge"), 1, answer(200_000));
        assert!(answers.get(&asked("/sr", "huge"), 1).is_none());
        let none = Answers::new(0);
        none.put(&asked("/sr", ""), 1, answer(1));
        assert!(none.get(&asked("/sr", ""), 1).is_none());
    }
}
