//! Rows of the column families, by name: what the rest of the store uses of RocksDB.

use rocksdb::{
    DB, DBPinnableSlice, DBRawIteratorWithThreadMode, ReadOptions, SnapshotWithThreadMode, WriteBatch,
    WriteOptions,
};

use crate::store::{Store, StoreError};

use super::families::family;

/// A cursor over the rows of a column family in key order.
pub(in crate::store) type RowCursor<'a> = DBRawIteratorWithThreadMode<'a, DB>;

/// A value that borrows from the database.
pub(in crate::store) type RowValue<'a> = DBPinnableSlice<'a>;

/// A consistent state of the database. A secondary instance supports no snapshots: its state changes only when it
/// catches up with the primary, which happens while it is opened.
pub(in crate::store) struct DatabaseState<'a> {
    db: &'a DB,
    snapshot: Option<SnapshotWithThreadMode<'a, DB>>,
}

/// Bytes that a sequential cursor reads ahead, never beyond its last key. One disk access serves some ten thousand
/// rows.
const READ_AHEAD_BYTES: usize = 2 << 20;

/// How a scan reads blocks from disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum ReadPattern {
    /// A few rows, which may be read again soon: their blocks enter the block cache.
    Random,
    /// All rows, which are not read again soon: blocks are read ahead, and the block cache keeps its content.
    Sequential,
}

impl ReadPattern {
    /// Read options for keys before `end`.
    pub(crate) fn options(self, end: Option<Vec<u8>>) -> ReadOptions {
        let mut options = ReadOptions::default();
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        if self == Self::Sequential {
            options.fill_cache(false);
            options.set_readahead_size(READ_AHEAD_BYTES);
        }
        options
    }
}

impl DatabaseState<'_> {
    pub(in crate::store) fn get(
        &self,
        name: &'static str,
        key: &[u8],
    ) -> Result<Option<RowValue<'_>>, StoreError> {
        let family = family(self.db, name)?;
        let row = match &self.snapshot {
            Some(snapshot) => snapshot.get_pinned_cf(family, key),
            None => self.db.get_pinned_cf(family, key),
        };
        Ok(row?)
    }

    /// A cursor over the rows before `end`. The caller must move it to its first row.
    pub(in crate::store) fn cursor(
        &self,
        name: &'static str,
        pattern: ReadPattern,
        end: Option<Vec<u8>>,
    ) -> Result<RowCursor<'_>, StoreError> {
        let (family, options) = (family(self.db, name)?, pattern.options(end));
        Ok(match &self.snapshot {
            Some(snapshot) => snapshot.raw_iterator_cf_opt(family, options),
            None => self.db.raw_iterator_cf_opt(family, options),
        })
    }
}

/// Changes of rows that are written in one atomic step.
pub(in crate::store) struct RowBatch<'a> {
    db: &'a DB,
    changes: WriteBatch,
}

impl RowBatch<'_> {
    pub(crate) fn put(
        &mut self,
        name: &'static str,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), StoreError> {
        self.changes.put_cf(family(self.db, name)?, key, value);
        Ok(())
    }

    /// Adds a value to a row by the merge operator of its column family.
    pub(crate) fn merge(
        &mut self,
        name: &'static str,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), StoreError> {
        self.changes.merge_cf(family(self.db, name)?, key, value);
        Ok(())
    }

    pub(crate) fn delete(&mut self, name: &'static str, key: impl AsRef<[u8]>) -> Result<(), StoreError> {
        self.changes.delete_cf(family(self.db, name)?, key);
        Ok(())
    }

    /// Deletes the rows from one key on and before another one.
    pub(crate) fn delete_range(
        &mut self,
        name: &'static str,
        from: &[u8],
        before: &[u8],
    ) -> Result<(), StoreError> {
        self.changes.delete_range_cf(family(self.db, name)?, from, before);
        Ok(())
    }

    /// The number of changes.
    pub(crate) fn len(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn size_in_bytes(&self) -> usize {
        self.changes.size_in_bytes()
    }

    /// The changes so far. The batch is empty then.
    pub(crate) fn take(&mut self) -> Self {
        Self { db: self.db, changes: std::mem::take(&mut self.changes) }
    }
}

impl Store {
    /// The current state of the database.
    pub(in crate::store) fn state(&self) -> DatabaseState<'_> {
        let snapshot = self.secondary_folder.is_none().then(|| self.db.snapshot());
        DatabaseState { db: &self.db, snapshot }
    }

    pub(in crate::store) fn batch(&self) -> RowBatch<'_> {
        RowBatch { db: &self.db, changes: WriteBatch::default() }
    }

    pub(in crate::store) fn write(&self, batch: RowBatch<'_>) -> Result<(), StoreError> {
        self.write_with_sync(batch, self.sync)
    }

    /// Writes a batch. With `sync`, this batch and all earlier ones are durable on return.
    pub(in crate::store) fn write_with_sync(
        &self,
        batch: RowBatch<'_>,
        sync: bool,
    ) -> Result<(), StoreError> {
        if batch.changes.is_empty() {
            return Ok(());
        }
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        Ok(self.db.write_opt(batch.changes, &options)?)
    }

    /// Writes one row. It may be lost with the machine until a later write is synced.
    pub(in crate::store) fn put_row(
        &self,
        name: &'static str,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), StoreError> {
        Ok(self.db.put_cf(self.family(name)?, key, value)?)
    }

    /// As [`Self::put_row`], but deletes the row.
    pub(in crate::store) fn delete_row(
        &self,
        name: &'static str,
        key: impl AsRef<[u8]>,
    ) -> Result<(), StoreError> {
        Ok(self.db.delete_cf(self.family(name)?, key)?)
    }

    /// Writes one row durably. Fails instead of waiting for compactions.
    pub(in crate::store) fn put_without_delay(
        &self,
        name: &'static str,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        options.set_no_slowdown(true);
        Ok(self.db.put_cf_opt(self.family(name)?, key, value, &options)?)
    }

    pub(in crate::store) fn get(
        &self,
        name: &'static str,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<RowValue<'_>>, StoreError> {
        Ok(self.db.get_pinned_cf(self.family(name)?, key)?)
    }

    /// A cursor over the current rows. The caller must move it to its first row.
    pub(in crate::store) fn cursor(&self, name: &'static str) -> Result<RowCursor<'_>, StoreError> {
        self.cursor_before(name, None)
    }

    /// As [`Self::cursor`], for keys before `end`.
    pub(in crate::store) fn cursor_before(
        &self,
        name: &'static str,
        end: Option<Vec<u8>>,
    ) -> Result<RowCursor<'_>, StoreError> {
        Ok(self.db.raw_iterator_cf_opt(self.family(name)?, ReadPattern::Random.options(end)))
    }
}
