//! What stands in a queue, and how queues are named.

use super::SitemapGrant;
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

    /// The home page of the server whose queue it is; `None` where the name is damaged.
    pub fn home(&self) -> Option<CanonicalUrl> {
        let (&scheme, authority) = self.0.split_last()?;
        Surt::bytes_to_url(&[authority, b"/", &[scheme]].concat()).ok()
    }

    /// Scheme, host and port, as people read them: `https://example.com:8443`.
    pub fn origin(&self) -> Option<String> {
        self.home().map(|home| home.origin().to_owned())
    }
}

/// How soon a URL is fetched among those of its lane: the lower, the sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Seed,
    Sitemap,
    /// A page that has fallen due for another visit, by when it did: what waits longest comes first, so that a host
    /// with more pages due than it has turns has none that is never visited again. See [`Self::again`].
    Again(u32),
    /// A page that was never visited: 0 is fetched first.
    New(u16),
}

impl Priority {
    /// That of a page that fell due at this Unix time. (A time that 32 bits do not hold is that of the year 2106.)
    pub fn again(due: u64) -> Self {
        Self::Again(u32::try_from(due).unwrap_or(u32::MAX))
    }

    /// Whether this is the priority of a page that was only just met.
    pub fn is_new_page(self) -> bool {
        self.lane() == Lane::New
    }

    pub fn lane(self) -> Lane {
        match self {
            Self::Seed | Self::Sitemap | Self::Again(_) => Lane::Wanted,
            Self::New(_) => Lane::New,
        }
    }
}

/// The two parts of a queue. Seeds come first. Then the others of the one lane, sitemaps before pages due for another
/// visit, and new pages take turns, one by one, so that neither can keep the other from being fetched for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Seeds, sitemaps, and pages due for another visit. They count towards no budget.
    Wanted,
    /// New pages.
    New,
}

/// What is expected at a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    #[default]
    Page,
    /// A sitemap, and whose URLs it may list. Boxed, for nearly all that waits is pages.
    Sitemap(Box<SitemapGrant>),
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
        Self { url, priority: Priority::New(depth), depth, target: Target::Page }
    }

    /// A seed. It is queued although it was met before.
    pub fn seed(url: CanonicalUrl) -> Self {
        Self { url, priority: Priority::Seed, depth: 0, target: Target::Page }
    }

    /// Whether it is queued although it was met before.
    pub fn is_wanted_again(&self) -> bool {
        !self.priority.is_new_page()
    }
}

/// Word that a lane of a queue has new URLs on disk.
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
