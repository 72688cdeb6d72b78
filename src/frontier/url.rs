//! What stands in a queue, and how queues are named.

use crate::urls::{CanonicalUrl, Surt};

/// The name of a queue: scheme, host and port in sortable form, `com,example,www,)` and the scheme byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName(Box<[u8]>);

impl QueueName {
    /// The queue that a URL belongs to.
    pub fn of(url: &CanonicalUrl) -> Self {
        let surt = Surt::from(url);
        let bytes = surt.as_bytes();
        let end = bytes.iter().position(|&b| b == b')').map_or(bytes.len(), |at| at + 1);
        let mut name = Vec::with_capacity(end + 1);
        name.extend_from_slice(&bytes[..end]);
        name.extend(bytes.last());
        Self(name.into_boxed_slice())
    }

    /// Takes back a name that [`Self::as_bytes`] gave.
    pub fn from_stored(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A URL that waits to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedUrl {
    pub url: CanonicalUrl,
    /// Links away from a seed.
    pub depth: u16,
    /// Visits that failed so far.
    pub attempts: u32,
}

/// A URL to queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub url: CanonicalUrl,
    pub depth: u16,
    /// Queue it although it was queued before: a seed given anew, a page due for another visit.
    pub again: bool,
}

/// What became of a URL that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was fetched, for good or ill, and is off the queue.
    Fetched,
    /// It is off the queue without having been fetched.
    Dropped,
    /// It stays in the queue for another attempt.
    Again,
}
