//! What stands in a queue, and how queues are named.

use crate::urls::{CanonicalUrl, Surt};

/// The name of a queue: scheme, host and port in sortable form, `com,example,www,)` and the scheme byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName(Box<[u8]>);

impl QueueName {
    /// The queue that a URL belongs to.
    pub fn of(url: &CanonicalUrl) -> Self {
        Self::of_surt(Surt::from(url).as_bytes())
    }

    /// The queue that a URL in sortable form belongs to.
    pub fn of_surt(surt: &[u8]) -> Self {
        let end = surt.iter().position(|&b| b == b')').map_or(surt.len(), |at| at + 1);
        let mut name = Vec::with_capacity(end + 1);
        name.extend_from_slice(&surt[..end]);
        name.extend(surt.last());
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

/// How soon a URL is fetched among those of its queue: the lower, the sooner. [`Priority::SEED`],
/// [`Priority::SITEMAP`] and [`Priority::AGAIN`] come before all new pages, and count towards no budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(pub u16);

impl Priority {
    pub const SEED: Self = Self(0);
    pub const SITEMAP: Self = Self(1);
    /// A page that has fallen due for another visit.
    pub const AGAIN: Self = Self(2);

    /// That of a new page: 0 is fetched first.
    pub fn new_page(place: u16) -> Self {
        Self(place.saturating_add(Self::AGAIN.0 + 1))
    }

    /// Whether this is the priority of a page that was only just met.
    pub fn is_new_page(self) -> bool {
        self > Self::AGAIN
    }
}

/// What is expected at a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    #[default]
    Page,
    /// A sitemap, so many indexes away from the one that a robots.txt names.
    Sitemap(u8),
}

/// A URL that waits to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedUrl {
    pub url: CanonicalUrl,
    pub priority: Priority,
    /// Links away from a seed.
    pub depth: u16,
    /// Visits that failed so far.
    pub attempts: u32,
    pub target: Target,
}

/// A URL to queue, unless it was met before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub url: CanonicalUrl,
    pub priority: Priority,
    pub depth: u16,
    pub target: Target,
}

impl Found {
    /// A page met for the first time, so many links away from a seed, as breadth-first order has it.
    pub fn page(url: CanonicalUrl, depth: u16) -> Self {
        Self { url, priority: Priority::new_page(depth), depth, target: Target::Page }
    }

    /// A seed. It is queued although it was met before.
    pub fn seed(url: CanonicalUrl) -> Self {
        Self { url, priority: Priority::SEED, depth: 0, target: Target::Page }
    }

    /// Whether it is queued although it was met before.
    pub fn is_wanted_again(&self) -> bool {
        !self.priority.is_new_page()
    }
}

/// Word that a queue has new URLs on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub queue: QueueName,
    /// One of them.
    pub url: CanonicalUrl,
    /// The best of them.
    pub priority: Priority,
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
