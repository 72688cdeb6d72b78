//! The changes of a batch in the records of hosts.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::model::{Cut, HostRecord, HostVisit, QueueName, Visit, VisitRecord};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::HOSTS;
use crate::store::{Store, StoreError, codec};

/// The hosts that a batch changes.
#[derive(Default)]
pub(in crate::store) struct HostChanges(HashMap<QueueName, HostRecord>);

impl HostChanges {
    pub(crate) fn host(&mut self, store: &Store, queue: QueueName) -> Result<&mut HostRecord, StoreError> {
        Ok(match self.0.entry(queue) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let host = store.host(free.key())?;
                free.insert(host)
            }
        })
    }

    /// Adds the outcome of a visit to the record of its host. Every failed visit counts, whatever its kind. A good
    /// response ends the backoff, as it does in the running crawl.
    pub(crate) fn add_visit(
        &mut self,
        store: &Store,
        queue: QueueName,
        record: &VisitRecord,
    ) -> Result<(), StoreError> {
        let (status, failure) = match &record.visit {
            Visit::Responded(content) => (content.facts.status, 0),
            Visit::NotModified => (304, 0),
            Visit::Failed(kind, _) => (0, kind.code()),
        };
        let host = self.host(store, queue)?;
        host.add(HostVisit { visited_at: record.visited, status, failure });
        if ends_backoff(&record.visit) {
            host.backoff_until = 0;
        }
        Ok(())
    }

    pub(crate) fn stage(self, batch: &mut RowBatch<'_>) -> Result<(), StoreError> {
        for (queue, host) in self.0 {
            batch.put(HOSTS, queue.as_bytes(), codec::encode_host(&host))?;
        }
        Ok(())
    }
}

/// Whether a visit shows that the host answers again: neither an error nor a request for a pause, and in time.
fn ends_backoff(visit: &Visit) -> bool {
    match visit {
        Visit::Responded(content) => {
            let facts = &content.facts;
            let is_error = facts.status == 429 || (500..600).contains(&facts.status);
            !is_error && facts.cut != Some(Cut::Time)
        }
        Visit::NotModified => true,
        Visit::Failed(..) => false,
    }
}
