//! Read access to a database that another process has open: for commands that inspect a daemon's index while it runs.
//!
//! The database is opened as a RocksDB *secondary* instance. It reads the files and the log of the primary process,
//! and shows the state at the moment of opening. It cannot write. RocksDB needs a folder for files of its own; that
//! folder lies in the system's temporary directory.

use std::path::Path;
use std::sync::Arc;

use crate::config::StoreConfig;
use crate::store::queue::seen_set::WriteState;
use crate::store::{Store, StoreError};
use crate::urls::Suffixes;

use super::directory::{refuse_absent, refuse_foreign};
use super::families;

/// Attempts to open the seen set, whose files the primary process may replace meanwhile.
const ATTEMPTS: usize = 5;

impl Store {
    /// Opens the database in `directory` for reading the current state, even if another process has it open.
    ///
    /// # Errors
    /// As [`Self::open_existing`], but never that it is in use.
    pub fn open_secondary(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
    ) -> Result<Self, StoreError> {
        refuse_absent(directory)?;
        refuse_foreign(directory)?;
        let folder =
            tempfile::tempdir().map_err(|error| StoreError::unusable(&std::env::temp_dir(), error))?;
        let db = families::open_secondary(directory, folder.path(), config)
            .map_err(|error| StoreError::from_open(directory, error))?;
        let mut store = Self::with_database(db, directory, config, suffixes);
        store.secondary_folder = Some(folder);
        store.refuse_unreadable_format()?;
        store.load_change_number()?;
        store.load_has_users()?;
        store.open_seen_set_secondary()?;
        Ok(store)
    }

    fn open_seen_set_secondary(&self) -> Result<(), StoreError> {
        let mut opened = WriteState::open(self);
        for _ in 1..ATTEMPTS {
            if !matches!(opened, Err(StoreError::Seen(_))) {
                break;
            }
            self.db.try_catch_up_with_primary()?;
            opened = WriteState::open(self);
        }
        *self.lock_writes() = opened?;
        Ok(())
    }
}
