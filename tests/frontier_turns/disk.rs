//! The frontier's backlog on a `BTreeMap`, with the rules of the store's.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use backlinkd::frontier::{Backlog, QueueName, QueuedUrl};
use backlinkd::urls::CanonicalUrl;

/// The queue as it stands on disk: by queue, depth and URL; and fetches by queue.
#[derive(Default)]
pub struct Disk {
    pub entries: BTreeMap<(QueueName, u16, CanonicalUrl), u32>,
    seen: BTreeMap<CanonicalUrl, u16>,
    pub fetches: BTreeMap<QueueName, u64>,
}

impl Disk {
    pub fn key(queued: &QueuedUrl) -> (QueueName, u16, CanonicalUrl) {
        (QueueName::of(&queued.url), queued.depth, queued.url.clone())
    }

    /// Queues a URL that was never queued, or that is wanted `again` and not queued now.
    pub fn queue(&mut self, url: &CanonicalUrl, depth: u16, again: bool) -> Option<QueuedUrl> {
        let depth = match self.seen.get(url) {
            Some(_) if !again => return None,
            Some(known) => *known,
            None => depth,
        };
        let queued = QueuedUrl { url: url.clone(), depth, attempts: 0 };
        if self.entries.contains_key(&Self::key(&queued)) {
            return None;
        }
        self.seen.insert(url.clone(), depth);
        self.entries.insert(Self::key(&queued), 0);
        Some(queued)
    }

    pub fn holds(&self, queued: &QueuedUrl) -> bool {
        self.entries.contains_key(&Self::key(queued))
    }

    pub fn queues(&self) -> BTreeSet<QueueName> {
        self.entries.keys().map(|(name, ..)| name.clone()).collect()
    }
}

impl Backlog for Disk {
    type Error = Infallible;

    fn queued(
        &self,
        queue: &QueueName,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, Infallible> {
        let after = after.map(Self::key);
        let of_queue = self.entries.iter().filter(|((name, ..), _)| name == queue);
        let rest = of_queue.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let entry = |((_, depth, url), attempts): (&(_, u16, CanonicalUrl), &u32)| QueuedUrl {
            url: url.clone(),
            depth: *depth,
            attempts: *attempts,
        };
        Ok(rest.take(most).map(entry).collect())
    }

    fn fetches_of(&self, queue: &QueueName) -> Result<u64, Infallible> {
        Ok(self.fetches.get(queue).copied().unwrap_or(0))
    }
}
