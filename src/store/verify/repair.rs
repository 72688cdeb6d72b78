//! Writes repairs in small batches, numbered as commits are, so that cached answers become out of date.
//!
//! After an interruption between two batches, some rows are repaired, and the next repair handles the others.

use crate::store::db::rows::RowBatch;
use crate::store::db::schema::{FRONTIER, MET, META, SCHEDULE};
use crate::store::queue::seen_set::{REBUILD_MARK, SIEVE_KEY};
use crate::store::read::display::display_key;
use crate::store::write::change_numbers::ChangedDomains;
use crate::store::{Store, StoreError};

/// Maximum number of rows in one batch.
const MAX_BATCH_ROWS: usize = 1_000;
/// Size in bytes from which on a batch is written, whatever the number of its rows. The links of one page can take
/// megabytes.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// Writes repairs if they are enabled.
pub(in crate::store) struct RepairWriter<'a> {
    store: &'a Store,
    enabled: bool,
    batch: RowBatch<'a>,
    changed: ChangedDomains,
    /// Whether URLs were removed that are still in the seen set.
    seen_set_is_stale: bool,
}

impl<'a> RepairWriter<'a> {
    /// The caller must hold the writer's lock for as long as an enabled writer lives.
    pub(super) fn new(store: &'a Store, enabled: bool) -> Self {
        Self {
            store,
            enabled,
            batch: store.batch(),
            changed: ChangedDomains::default(),
            seen_set_is_stale: false,
        }
    }

    pub(super) fn put(&mut self, family: &'static str, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if self.enabled {
            self.batch.put(family, key, value)?;
        }
        self.flush_from(MAX_BATCH_ROWS)
    }

    /// Removes a derived row that should not exist.
    pub(super) fn delete(&mut self, family: &'static str, key: &[u8]) -> Result<(), StoreError> {
        if self.enabled {
            self.batch.delete(family, key)?;
        }
        self.flush_from(MAX_BATCH_ROWS)
    }

    /// Removes a row that cannot be rebuilt from others, and logs it. If the row holds a waiting URL, the same batch
    /// invalidates the seen set: after any crash it is rebuilt without that URL, which then counts as new.
    pub(super) fn remove_damaged(
        &mut self,
        family: &'static str,
        key: &[u8],
        reason: &'static str,
    ) -> Result<(), StoreError> {
        if self.enabled {
            tracing::warn!(family, key = display_key(family, key), reason, "a damaged row was removed");
            self.invalidate_seen_set(family)?;
        }
        self.delete(family, key)
    }

    /// Removes the unreadable rest of a row, as [`Self::remove_damaged`] removes a whole one.
    pub(super) fn truncate_damaged(
        &mut self,
        family: &'static str,
        key: &[u8],
        left: &[u8],
        reason: &'static str,
    ) -> Result<(), StoreError> {
        if self.enabled {
            tracing::warn!(
                family,
                key = display_key(family, key),
                reason,
                "a part of a damaged row was removed"
            );
            self.invalidate_seen_set(family)?;
        }
        self.put(family, key, left)
    }

    /// Adds a row of unmerged URLs. Invalidates the seen set, so that each of them counts as new unless it is in a
    /// page, the queue or the schedule.
    pub(super) fn put_unmerged(&mut self, number: u64, row: &[u8]) -> Result<(), StoreError> {
        if self.enabled {
            self.invalidate_seen_set(MET)?;
        }
        self.put(MET, &number.to_be_bytes(), row)
    }

    fn invalidate_seen_set(&mut self, family: &'static str) -> Result<(), StoreError> {
        if [FRONTIER, SCHEDULE, MET].contains(&family)
            && !std::mem::replace(&mut self.seen_set_is_stale, true)
        {
            self.batch.put(META, SIEVE_KEY, REBUILD_MARK)?;
        }
        Ok(())
    }

    /// Marks a registrable domain as having changed incoming links.
    pub(super) fn mark_incoming(&mut self, domain: &str) -> Result<(), StoreError> {
        if self.enabled {
            self.changed.add_incoming(domain);
        }
        self.flush_from(MAX_BATCH_ROWS)
    }

    /// Marks a registrable domain as having changed pages, or changed links on them.
    pub(super) fn mark_outgoing(&mut self, domain: &str) -> Result<(), StoreError> {
        if self.enabled {
            self.changed.add_outgoing(domain);
        }
        self.flush_from(MAX_BATCH_ROWS)
    }

    /// Numbers the repairs after this number, which a cached answer may carry already.
    pub(super) fn raise_change_number(&self, number: u64) {
        if self.enabled {
            self.store.raise_change_number(number);
        }
    }

    /// Writes the last batch. Returns whether the seen set must be rebuilt.
    pub(super) fn finish(mut self) -> Result<bool, StoreError> {
        self.flush_from(1)?;
        Ok(self.seen_set_is_stale)
    }

    fn flush_from(&mut self, rows: usize) -> Result<(), StoreError> {
        if self.batch.len() + self.changed.len() < rows && self.batch.size_in_bytes() < MAX_BATCH_BYTES {
            return Ok(());
        }
        let changed = std::mem::take(&mut self.changed);
        self.store.write_numbered(self.batch.take(), &changed)
    }
}
