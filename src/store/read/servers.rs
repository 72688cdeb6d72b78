//! All servers that the crawl knows, each with its record and the number of URLs in its queue.

use crate::model::{HostRecord, QueueName};
use crate::store::codec::queue_entry::split_entry_key;
use crate::store::db::rows::{ReadPattern, RowCursor};
use crate::store::db::schema::{FRONTIER, HOSTS};
use crate::store::{Snapshot, StoreError, codec};

/// Keys of a queue that are counted between two checks for an abort.
const KEYS_PER_CHECK: u64 = 512;

/// A scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedServer {
    pub queue: QueueName,
    /// The default if nothing was requested yet.
    pub record: HostRecord,
    /// URLs in its queue.
    pub queued: u64,
}

impl Snapshot<'_> {
    /// Passes all servers with a record or a queue to `each`, in the order of their names. Reads the key of each queued
    /// URL. Calls `proceed` for each server and every few hundred keys; its error ends the scan, and so does that of
    /// `each`.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a row is damaged, and those of `proceed` and `each`.
    pub fn for_each_queued_server<E: From<StoreError>>(
        &self,
        proceed: &dyn Fn() -> Result<(), E>,
        mut each: impl FnMut(QueuedServer) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut records = self.cursor(HOSTS, ReadPattern::Sequential, None)?;
        let mut entries = self.cursor(FRONTIER, ReadPattern::Sequential, None)?;
        records.seek_to_first();
        entries.seek_to_first();
        loop {
            proceed()?;
            let queue = entries.key().map(|key| split_entry_key(key).map(|(name, ..)| name)).transpose()?;
            let name = match (records.key(), queue) {
                (None, None) => break,
                (Some(name), None) | (None, Some(name)) => name.to_vec(),
                // No name begins with another one, so entries are in the order of their queues.
                (Some(host), Some(queue)) => host.min(queue).to_vec(),
            };
            let record = match records.item().filter(|(key, _)| *key == name) {
                None => HostRecord::default(),
                Some((key, value)) => {
                    let record = codec::decode_host(value)
                        .map_err(|damage| StoreError::damaged(HOSTS, key, damage.0))?;
                    records.next();
                    record
                }
            };
            let queued = count_queue(&mut entries, &name, proceed)?;
            each(QueuedServer { queue: QueueName::from_stored(&name), record, queued })?;
        }
        records.status().map_err(StoreError::from)?;
        Ok(entries.status().map_err(StoreError::from)?)
    }
}

/// Counts the entries of a queue, and moves the cursor behind them.
fn count_queue<E: From<StoreError>>(
    entries: &mut RowCursor<'_>,
    name: &[u8],
    proceed: &dyn Fn() -> Result<(), E>,
) -> Result<u64, E> {
    let mut count = 0_u64;
    while entries.key().is_some_and(|key| key.starts_with(name)) {
        count += 1;
        if count.is_multiple_of(KEYS_PER_CHECK) {
            proceed()?;
        }
        entries.next();
    }
    Ok(count)
}
