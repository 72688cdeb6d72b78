//! Records that exist once per database: format version, counters, token key.

use std::path::Path;

use crate::store::codec::sums::decode_sums;
use crate::store::codec::varint::{Reader, put_varint};
use crate::store::db::families;
use crate::store::db::schema::{FORMAT, META, OLDEST_FORMAT, PAGES};
use crate::store::{Store, StoreError};

pub(in crate::store) const FORMAT_KEY: &[u8] = b"format";
pub(in crate::store) const TOKEN_KEY: &[u8] = b"token-key";

/// The file of RocksDB that every database has.
const CURRENT_FILE: &str = "CURRENT";

/// Sums: visited pages, HTML pages, active links, active external links, lost links.
pub(in crate::store) const COUNTERS: &[u8] = b"counters";

impl Store {
    /// Checks the format of the database. Writes format and token key into a new database. Upgrades an earlier format
    /// if `upgrade` allows it, and refuses any other.
    pub(in crate::store) fn check_or_stamp_format(&self, upgrade: bool) -> Result<(), StoreError> {
        match self.get(META, FORMAT_KEY)? {
            Some(value) => self.upgrade(expect_format(&self.directory, &value)?, upgrade),
            None => {
                let value = format_value();
                let mut key = [0u8; 32];
                getrandom::fill(&mut key).map_err(|error| StoreError::Random(error.to_string()))?;
                let mut batch = self.batch();
                batch.put(META, TOKEN_KEY, key)?;
                batch.put(META, FORMAT_KEY, value)?;
                self.write(batch)
            }
        }
    }

    /// Upgrades a database to the current format. The opening has created the column families that it lacked, which are
    /// empty. So only the stored number changes, and after a crash the database has either format completely.
    fn upgrade(&self, found: u32, allowed: bool) -> Result<(), StoreError> {
        if found == FORMAT {
            return Ok(());
        }
        let directory = self.directory.display();
        if !allowed {
            let directory = self.directory.clone();
            return Err(StoreError::UpgradeRefused { directory, found, expected: FORMAT });
        }
        tracing::info!(%directory, from = found, to = FORMAT, "the data directory is upgraded to a new format");
        let mut batch = self.batch();
        batch.put(META, FORMAT_KEY, format_value())?;
        self.write_with_sync(batch, true)?;
        tracing::info!(%directory, format = FORMAT, "the data directory has the new format; earlier versions of backlinkd cannot read it now");
        Ok(())
    }

    /// Refuses a database of an unsupported format, and one without a format.
    pub(in crate::store) fn refuse_unreadable_format(&self) -> Result<(), StoreError> {
        match self.get(META, FORMAT_KEY)? {
            Some(value) => expect_format(&self.directory, &value).map(|_| ()),
            None => Err(StoreError::Absent(self.directory.clone())),
        }
    }

    /// The format of the database.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or its format is unsupported.
    pub fn format(&self) -> Result<u32, StoreError> {
        let value = self.get(META, FORMAT_KEY)?.ok_or_else(|| StoreError::Absent(self.directory.clone()))?;
        expect_format(&self.directory, &value)
    }

    /// The values of [`COUNTERS`]. One that is missing or negative is 0.
    pub(in crate::store) fn counters(&self) -> Result<[u64; 5], StoreError> {
        decode_counters(self.get(META, COUNTERS)?.as_deref())
    }

    /// A random key for signing tokens, generated with the database.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the key is damaged.
    pub fn token_key(&self) -> Result<[u8; 32], StoreError> {
        let value = self.get(META, TOKEN_KEY)?;
        let key = value.as_deref().and_then(|value| value.try_into().ok());
        key.ok_or_else(|| StoreError::damaged(META, TOKEN_KEY, "the token key"))
    }

    /// Reads a few rows, to check that the database is readable.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the token key is damaged.
    pub fn check_readable(&self) -> Result<(), StoreError> {
        self.token_key()?;
        let mut cursor = self.cursor(PAGES)?;
        cursor.seek_to_first();
        Ok(cursor.status()?)
    }

    /// Writes a row with its current value, to check that the database is writable. Does not wait for compactions.
    ///
    /// # Errors
    /// [`StoreError`] with the reason why it is not writable.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        self.put_without_delay(META, FORMAT_KEY, &format_value())
    }
}

/// Decodes the values of [`COUNTERS`]. One that is missing or negative is 0.
pub(in crate::store) fn decode_counters(value: Option<&[u8]>) -> Result<[u64; 5], StoreError> {
    let sums = decode_sums(META, COUNTERS, value.unwrap_or_default())?;
    Ok(std::array::from_fn(|at| sums.get(at).map_or(0, |&sum| u64::try_from(sum).unwrap_or(0))))
}

/// Refuses a database of an unsupported format that lacks column families, before it is opened and they are created.
/// After an interrupted first opening they are missing too, but then there is no format.
pub(in crate::store) fn refuse_earlier_format(directory: &Path) -> Result<(), StoreError> {
    format_of_incomplete(directory).map(|_| ())
}

/// Refuses a database that lacks column families of the current format, for one that must not be upgraded.
pub(in crate::store) fn refuse_missing_families(directory: &Path) -> Result<(), StoreError> {
    match format_of_incomplete(directory)? {
        Some(found) => {
            let directory = directory.to_owned();
            Err(StoreError::UpgradeRefused { directory, found, expected: FORMAT })
        }
        None => Ok(()),
    }
}

/// The supported format of a database that lacks column families; `None` if it lacks none, or has no format.
fn format_of_incomplete(directory: &Path) -> Result<Option<u32>, StoreError> {
    if !directory.join(CURRENT_FILE).exists() {
        return Ok(None);
    }
    let Some(db) = families::open_incomplete(directory)? else { return Ok(None) };
    let Some(meta) = db.cf_handle(META) else { return Ok(None) };
    db.get_cf(meta, FORMAT_KEY)?.map(|value| expect_format(directory, &value)).transpose()
}

fn format_value() -> Vec<u8> {
    let mut value = Vec::new();
    put_varint(&mut value, u64::from(FORMAT));
    value
}

/// Decodes the format of a database. Refuses an unsupported one.
fn expect_format(directory: &Path, value: &[u8]) -> Result<u32, StoreError> {
    let found = Reader(value).u32("the format");
    match found.map_err(|damage| StoreError::damaged(META, FORMAT_KEY, damage.0))? {
        found @ OLDEST_FORMAT..=FORMAT => Ok(found),
        found => Err(StoreError::Format { directory: directory.to_owned(), found, expected: FORMAT }),
    }
}
