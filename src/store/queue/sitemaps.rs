//! Queued sitemaps: one row for each URL, however many robots.txt files name it.
//!
//! One commit may change a row several times, and another host may name a sitemap while it is read. Therefore changes
//! are collected here, each applied to the result of the previous one. A row is removed only if the read entry covers
//! everything that the row grants by then.

use hashbrown::hash_map::Entry;

use hashbrown::HashMap;

use crate::model::{QueueEntry, SitemapGrant, Target};
use crate::store::codec::queue_entry::{decode_entry, encode_entry, entry_key};
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::FRONTIER;
use crate::store::{Store, StoreError};

/// The changed rows by key. `None` removes the row.
#[derive(Default)]
pub(in crate::store) struct SitemapRows(HashMap<Vec<u8>, Option<QueueEntry>>);

impl SitemapRows {
    /// Queues a sitemap, in addition to what its row grants already. Returns whether the entry is a sitemap.
    pub(crate) fn add(&mut self, store: &Store, entry: &QueueEntry) -> Result<bool, StoreError> {
        let Target::Sitemap(added) = &entry.target else { return Ok(false) };
        let row = self.row(store, entry)?;
        let mut grant = added.clone();
        if let Some(QueueEntry { target: Target::Sitemap(existing), .. }) = row.take() {
            // The existing grant comes first: with too many hosts, the last ones are dropped.
            grant = existing;
            grant.merge(SitemapGrant::clone(added), store.sitemap_hosts);
        }
        *row = Some(QueueEntry { target: Target::Sitemap(grant), ..entry.clone() });
        Ok(true)
    }

    /// Removes a sitemap that was read with the grant of this entry. Keeps it if its row grants more by now. Returns
    /// whether the entry is a sitemap.
    pub(crate) fn remove(&mut self, store: &Store, entry: &QueueEntry) -> Result<bool, StoreError> {
        let Target::Sitemap(read) = &entry.target else { return Ok(false) };
        let row = self.row(store, entry)?;
        row.take_if(|row| !matches!(&row.target, Target::Sitemap(grant) if !read.covers(grant)));
        Ok(true)
    }

    fn row(&mut self, store: &Store, entry: &QueueEntry) -> Result<&mut Option<QueueEntry>, StoreError> {
        Ok(match self.0.entry(entry_key(&entry.url, entry.priority)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let row = match store.read_entry(free.key()) {
                    // The row is overwritten or removed.
                    Err(StoreError::Damaged { .. }) => None,
                    row => row?,
                };
                free.insert(row)
            }
        })
    }

    pub(crate) fn stage(self, batch: &mut RowBatch<'_>) -> Result<(), StoreError> {
        for (key, row) in self.0 {
            match row {
                Some(entry) => batch.put(FRONTIER, key, encode_entry(&entry))?,
                None => batch.delete(FRONTIER, key)?,
            }
        }
        Ok(())
    }
}

impl Store {
    /// The current state of an entry: other hosts may have named the sitemap since the entry was read. `None` if it is
    /// gone.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn reread_entry(&self, entry: &QueueEntry) -> Result<Option<QueueEntry>, StoreError> {
        self.read_entry(&entry_key(&entry.url, entry.priority))
    }

    fn read_entry(&self, key: &[u8]) -> Result<Option<QueueEntry>, StoreError> {
        let value = self.get(FRONTIER, key)?;
        value.map(|value| decode_entry(key, &value)).transpose()
    }
}
