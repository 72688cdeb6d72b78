//! Repairs on their way to disk: small batches, numbered as commits are, so that answers kept elsewhere are known to
//! be out of date.
//!
//! A repair that is cut off between two batches leaves some rows mended and the others for the next one.

use rocksdb::WriteBatch;

use super::super::changes::ChangedDomains;
use super::super::schema::{FRONTIER, MET, META, SCHEDULE};
use super::super::seen::{INVALID, SIEVE_KEY};
use super::super::shown::shown_key;
use super::super::{Store, StoreError};

/// Rows put into one batch.
const ROWS: usize = 1_000;
/// Bytes from which on a batch is written, whatever the number of its rows: the links of one page can be megabytes.
const BYTES: usize = 16 << 20;

/// Writes repairs, where repairs are wanted.
pub(in crate::store) struct Mender<'a> {
    store: &'a Store,
    wanted: bool,
    batch: WriteBatch,
    changed: ChangedDomains,
    /// Whether URLs were given up that are known still.
    forgets: bool,
}

impl<'a> Mender<'a> {
    /// Whoever makes one that is wanted holds the writer's lock for as long as it is used.
    pub fn new(store: &'a Store, wanted: bool) -> Self {
        Self {
            store,
            wanted,
            batch: WriteBatch::default(),
            changed: ChangedDomains::default(),
            forgets: false,
        }
    }

    pub fn put(&mut self, family: &'static str, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if self.wanted {
            self.batch.put_cf(self.store.family(family)?, key, value);
        }
        self.flush_from(ROWS)
    }

    /// Removes a derived row that should not be there.
    pub fn delete(&mut self, family: &'static str, key: &[u8]) -> Result<(), StoreError> {
        if self.wanted {
            self.batch.delete_cf(self.store.family(family)?, key);
        }
        self.flush_from(ROWS)
    }

    /// Removes a row that cannot be made anew from others; says so for each. With a row that a URL waits in, the set of
    /// known URLs is given up too, in the same batch: whatever comes between, it is made anew without that URL, which
    /// is new then to whoever meets it.
    pub fn give_up(
        &mut self,
        family: &'static str,
        key: &[u8],
        reason: &'static str,
    ) -> Result<(), StoreError> {
        if self.wanted {
            tracing::warn!(family, key = shown_key(family, key), reason, "a damaged row was removed");
            self.forget(family)?;
        }
        self.delete(family, key)
    }

    /// Does the same to the rest of a row.
    pub fn cut(
        &mut self,
        family: &'static str,
        key: &[u8],
        left: &[u8],
        reason: &'static str,
    ) -> Result<(), StoreError> {
        if self.wanted {
            tracing::warn!(
                family,
                key = shown_key(family, key),
                reason,
                "a part of a damaged row was removed"
            );
            self.forget(family)?;
        }
        self.put(family, key, left)
    }

    /// Adds a row of URLs met. Whatever of them is known is forgotten, unless it stands anywhere.
    pub fn meet_anew(&mut self, number: u64, row: &[u8]) -> Result<(), StoreError> {
        if self.wanted {
            self.forget(MET)?;
        }
        self.put(MET, &number.to_be_bytes(), row)
    }

    fn forget(&mut self, family: &'static str) -> Result<(), StoreError> {
        if [FRONTIER, SCHEDULE, MET].contains(&family) && !std::mem::replace(&mut self.forgets, true) {
            self.batch.put_cf(self.store.family(META)?, SIEVE_KEY, INVALID);
        }
        Ok(())
    }

    /// Says that links into the hosts of a registrable domain change.
    pub fn changes_incoming(&mut self, domain: &str) -> Result<(), StoreError> {
        if self.wanted {
            self.changed.add_incoming(domain);
        }
        self.flush_from(ROWS)
    }

    /// Says that pages of a registrable domain change, or links on them.
    pub fn changes_outgoing(&mut self, domain: &str) -> Result<(), StoreError> {
        if self.wanted {
            self.changed.add_outgoing(domain);
        }
        self.flush_from(ROWS)
    }

    /// Has the repairs numbered beyond this number, which somebody may have been given already.
    pub fn count_beyond(&self, number: u64) {
        if self.wanted {
            self.store.count_beyond(number);
        }
    }

    /// Writes what is left; tells whether the set of known URLs has to be made anew.
    pub fn finish(mut self) -> Result<bool, StoreError> {
        self.flush_from(1)?;
        Ok(self.forgets)
    }

    fn flush_from(&mut self, rows: usize) -> Result<(), StoreError> {
        if self.batch.len() + self.changed.len() < rows && self.batch.size_in_bytes() < BYTES {
            return Ok(());
        }
        let changed = std::mem::take(&mut self.changed);
        self.store.write_numbered(std::mem::take(&mut self.batch), &changed)
    }
}
