//! The database read beside the process that has it open: for questions about a daemon's index while it runs.
//!
//! It is opened as RocksDB's *secondary* instance, which reads the files and the log of the other process, and shows
//! the state of that moment. Nothing can be written by it. A folder in the system's temporary directory holds what
//! RocksDB insists on keeping for it.

use std::path::Path;
use std::sync::Arc;

use crate::config::StoreConfig;
use crate::urls::Suffixes;

use super::presence::{refuse_absent, refuse_foreign};
use super::seen::Writer;
use super::{Store, StoreError, opening, schema};

/// How often the set of known URLs is opened, which the other process may be replacing.
const ATTEMPTS: usize = 5;

impl Store {
    /// Opens the database in `directory` to read it as it is now, whether another process uses it or not.
    ///
    /// # Errors
    /// As [`Self::open_existing`], but never that it is in use.
    pub fn open_beside(
        directory: &Path,
        config: &StoreConfig,
        suffixes: Arc<Suffixes>,
    ) -> Result<Self, StoreError> {
        refuse_absent(directory)?;
        refuse_foreign(directory)?;
        let unusable = |error: std::io::Error| StoreError::Directory {
            directory: std::env::temp_dir(),
            reason: error.to_string(),
        };
        let folder = tempfile::tempdir().map_err(unusable)?;
        let db = schema::open_beside(directory, folder.path(), config)
            .map_err(|error| opening(directory, error))?;
        let mut store = Self::over(db, directory, config, suffixes);
        store.beside = Some(folder);
        store.refuse_other_formats()?;
        store.resume_numbers()?;
        store.look_for_users()?;
        store.open_seen_beside()?;
        Ok(store)
    }

    fn open_seen_beside(&self) -> Result<(), StoreError> {
        let mut opened = Writer::open(self);
        for _ in 1..ATTEMPTS {
            if !matches!(opened, Err(StoreError::Seen(_))) {
                break;
            }
            self.db.try_catch_up_with_primary()?;
            opened = Writer::open(self);
        }
        *self.lock() = opened?;
        Ok(())
    }
}
