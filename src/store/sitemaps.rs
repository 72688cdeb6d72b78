//! Sitemaps in the queue: one row for each URL, however many robots.txt files name it.
//!
//! A commit may touch a row more than once, and another host may name a sitemap while it is being read. So changes are
//! collected here, each on top of the one before, and a row is removed only if what was read covers what it grants by then.

use std::collections::hash_map::Entry;

use rocksdb::WriteBatch;
use rustc_hash::FxHashMap;

use crate::frontier::{QueuedUrl, SitemapGrant, Target};

use super::queue::{decode_entry, encode_entry, entry_key};
use super::schema::FRONTIER;
use super::{Store, StoreError};

/// The rows that a commit changes, by their keys; `None`: the row is removed.
#[derive(Default)]
pub(super) struct SitemapRows(FxHashMap<Vec<u8>, Option<QueuedUrl>>);

impl SitemapRows {
    /// Queues a sitemap, with what its row grants already besides. Says whether the entry is one.
    pub fn add(&mut self, store: &Store, entry: &QueuedUrl) -> Result<bool, StoreError> {
        let Target::Sitemap(added) = &entry.target else { return Ok(false) };
        let row = self.row(store, entry)?;
        let mut grant = added.clone();
        if let Some(QueuedUrl { target: Target::Sitemap(standing), .. }) = row.take() {
            // What stands there comes first: where there are too many hosts, those that came last go without.
            grant = standing;
            grant.merge(SitemapGrant::clone(added), store.sitemap_hosts);
        }
        *row = Some(QueuedUrl { target: Target::Sitemap(grant), ..entry.clone() });
        Ok(true)
    }

    /// Takes off a sitemap that was read as this entry has it; one that grants more by now stays. Says whether the entry
    /// is one.
    pub fn take_off(&mut self, store: &Store, entry: &QueuedUrl) -> Result<bool, StoreError> {
        let Target::Sitemap(read) = &entry.target else { return Ok(false) };
        let row = self.row(store, entry)?;
        row.take_if(|row| !matches!(&row.target, Target::Sitemap(grant) if !read.covers(grant)));
        Ok(true)
    }

    fn row(&mut self, store: &Store, entry: &QueuedUrl) -> Result<&mut Option<QueuedUrl>, StoreError> {
        Ok(match self.0.entry(entry_key(&entry.url, entry.priority)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let row = match store.read_entry(free.key()) {
                    // It is written anew, or removed.
                    Err(StoreError::Damaged { .. }) => None,
                    row => row?,
                };
                free.insert(row)
            }
        })
    }

    pub fn stage(self, store: &Store, batch: &mut WriteBatch) -> Result<(), StoreError> {
        let family = store.family(FRONTIER)?;
        for (key, row) in self.0 {
            match row {
                Some(entry) => batch.put_cf(family, key, encode_entry(&entry)),
                None => batch.delete_cf(family, key),
            }
        }
        Ok(())
    }
}

impl Store {
    /// The entry of the queue as it stands there now: a sitemap may have been named by other hosts since it was read from
    /// there. `None`: it is gone.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the record is damaged.
    pub fn entry_now(&self, entry: &QueuedUrl) -> Result<Option<QueuedUrl>, StoreError> {
        self.read_entry(&entry_key(&entry.url, entry.priority))
    }

    fn read_entry(&self, key: &[u8]) -> Result<Option<QueuedUrl>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(FRONTIER)?, key)?;
        value.map(|value| decode_entry(key, &value)).transpose()
    }
}
