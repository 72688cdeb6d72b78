//! The queues that a batch adds URLs to.

use hashlink::LinkedHashMap;
use hashlink::linked_hash_map::Entry;

use crate::model::{Arrival, Lane, QueueEntry, QueueName};

/// The lanes of queues that received a URL, each once with its highest priority, in the order of their first URLs.
#[derive(Default)]
pub(in crate::store) struct ArrivalSet(LinkedHashMap<(QueueName, Lane), Arrival>);

impl ArrivalSet {
    pub(crate) fn add(&mut self, entry: QueueEntry) {
        match self.0.entry((QueueName::of(&entry.url), entry.priority.lane())) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.priority = known.priority.min(entry.priority);
            }
            Entry::Vacant(free) => {
                let queue = free.key().0.clone();
                free.insert(Arrival { queue, url: entry.url, priority: entry.priority });
            }
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Arrival> {
        self.0.into_iter().map(|(_, arrival)| arrival).collect()
    }
}
