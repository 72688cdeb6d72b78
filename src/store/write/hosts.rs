//! The changes of a batch in the records of hosts.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::model::{HostRecord, HostVisit, QueueName, Visit, VisitRecord};
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

    /// Adds the outcome of a visit to the record of its host. Every failed visit counts, whatever its kind.
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
        self.host(store, queue)?.add(HostVisit { visited_at: record.visited, status, failure });
        Ok(())
    }

    pub(crate) fn stage(self, batch: &mut RowBatch<'_>) -> Result<(), StoreError> {
        for (queue, host) in self.0 {
            batch.put(HOSTS, queue.as_bytes(), codec::encode_host(&host))?;
        }
        Ok(())
    }
}
