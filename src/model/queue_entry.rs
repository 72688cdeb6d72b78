//! The entries of a queue, and the names of queues.

use super::SitemapGrant;
use crate::urls::{CanonicalUrl, Surt};

/// The name of a queue: scheme, host and port as in a SURT, `com,example,www,)` and the scheme byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName(Box<[u8]>);

impl QueueName {
    /// The queue of a URL.
    pub fn of(url: &CanonicalUrl) -> Self {
        Self::of_surt(Surt::from(url).as_bytes())
    }

    /// The queue of a URL, given as its SURT.
    pub fn of_surt(surt: &[u8]) -> Self {
        let end = surt.iter().position(|&b| b == b')').map_or(surt.len(), |at| at + 1);
        let mut name = Vec::with_capacity(end + 1);
        name.extend_from_slice(&surt[..end]);
        name.extend(surt.last());
        Self(name.into_boxed_slice())
    }

    /// Reads a name that [`Self::as_bytes`] gave.
    pub fn from_stored(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The home page of the server; `None` when the name is damaged.
    pub fn home(&self) -> Option<CanonicalUrl> {
        let (&scheme, authority) = self.0.split_last()?;
        Surt::bytes_to_url(&[authority, b"/", &[scheme]].concat()).ok()
    }

    /// Scheme, host and port for people: `https://example.com:8443`.
    pub fn origin(&self) -> Option<String> {
        self.home().map(|home| home.origin().to_owned())
    }
}

/// The order of URLs in a lane: lower ones are fetched first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// A seed, or a visit that an operator requested.
    Seed,
    Sitemap,
    /// A page due for a revisit, by the time at which it fell due. The longest wait comes first. So a host
    /// with more due pages than fetches revisits each of them in the end. See [`Self::revisit`].
    Revisit(u32),
    /// A page that was never visited: 0 is fetched first.
    New(u16),
}

impl Priority {
    /// The priority of a page that fell due at this Unix time. A time beyond 32 bits counts as the last one,
    /// in the year 2106.
    pub fn revisit(due: u64) -> Self {
        Self::Revisit(u32::try_from(due).unwrap_or(u32::MAX))
    }

    /// Whether this is the priority of a newly discovered page.
    pub fn is_new_page(self) -> bool {
        self.lane() == Lane::New
    }

    pub fn lane(self) -> Lane {
        match self {
            Self::Seed | Self::Sitemap | Self::Revisit(_) => Lane::Unbudgeted,
            Self::New(_) => Lane::New,
        }
    }
}

/// The two parts of a queue. Seeds come first. Then the rest of the `Unbudgeted` lane, sitemaps before revisits,
/// and new pages alternate one by one, so that neither starves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Seeds, sitemaps, and pages due for a revisit. They count towards no budget.
    Unbudgeted,
    /// New pages.
    New,
}

/// The kind of document at a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Target {
    #[default]
    Page,
    /// A sitemap, and whose URLs it may list. Boxed, because nearly all entries are pages.
    Sitemap(Box<SitemapGrant>),
}

/// A queued URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    pub url: CanonicalUrl,
    pub priority: Priority,
    /// Links away from a seed.
    pub depth: u16,
    /// Failed visits so far.
    pub attempts: u32,
    pub target: Target,
}

/// A discovered URL. It is queued unless it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredUrl {
    pub url: CanonicalUrl,
    pub priority: Priority,
    pub depth: u16,
    pub target: Target,
}

impl DiscoveredUrl {
    /// A newly discovered page, `depth` links away from a seed, in breadth-first order.
    pub fn page(url: CanonicalUrl, depth: u16) -> Self {
        Self { url, priority: Priority::New(depth), depth, target: Target::Page }
    }

    /// A seed. It is queued even if it is known.
    pub fn seed(url: CanonicalUrl) -> Self {
        Self { url, priority: Priority::Seed, depth: 0, target: Target::Page }
    }

    /// Whether it is queued even if it is known.
    pub fn bypasses_seen_set(&self) -> bool {
        !self.priority.is_new_page()
    }
}

/// The notice that a lane of a queue has new URLs on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub queue: QueueName,
    /// One of the new URLs.
    pub url: CanonicalUrl,
    /// The best priority among them.
    pub priority: Priority,
}

/// What happens to the queue entry of a URL that was in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It leaves the queue, because it was fetched, with or without success.
    Fetched,
    /// It stays in the queue. Its entry has the number of failed attempts.
    Retry,
    /// It leaves the queue unfetched, and is examined again at this Unix time.
    Postponed(u64),
    /// It leaves the queue unfetched, because it was fetched before or its entry is gone. `Frontier::skip` uses it
    /// too, for a URL whose rows are damaged.
    Withdrawn,
}

impl Disposition {
    /// Whether the URL was requested.
    pub fn was_requested(self) -> bool {
        matches!(self, Self::Fetched | Self::Retry)
    }
}
