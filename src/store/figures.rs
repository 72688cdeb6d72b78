//! What the database says of itself: sizes and work at hand, without reading any row. Cheap enough to be asked for
//! every few seconds.

use super::meta::COUNTERS;
use super::schema::{COLUMN_FAMILIES, META, decode_sums};
use super::{Store, StoreError};

/// Levels of a column family's tree of files.
const LEVELS: usize = 7;

/// The database at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    pub families: Vec<FamilyFigures>,
    /// Bytes of decompressed blocks, indexes and filters in memory, and how many there may be.
    pub block_cache_bytes: u64,
    pub block_cache_capacity_bytes: u64,
    /// Compactions and flushes under way.
    pub compactions: u64,
    pub flushes: u64,
    /// Whether writes wait for compactions.
    pub writes_stopped: bool,
    /// Number of the last commit that changed anything.
    pub change_number: u64,
    /// Number of the ranks that are current; 0 before the first.
    pub rank_generation: u32,
    /// Visited pages, HTML pages, active links, external ones among them, and former links.
    pub visited: u64,
    pub html_pages: u64,
    pub links: u64,
    pub backlinks: u64,
    pub inactive_links: u64,
}

/// One column family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyFigures {
    pub name: &'static str,
    /// An estimate.
    pub keys: u64,
    /// Bytes and number of its files.
    pub file_bytes: u64,
    pub files: u64,
    /// Bytes in memory that are not yet in files.
    pub memtable_bytes: u64,
    /// Bytes that compaction will have to rewrite.
    pub pending_compaction_bytes: u64,
}

impl Store {
    /// Bytes of the database's log: what is not in other files yet.
    pub fn log_bytes(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return 0 };
        let logs = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "log"));
        logs.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum()
    }

    /// The database's own figures. A figure that the database does not know is 0.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a counter is damaged.
    pub fn figures(&self) -> Result<StoreFigures, StoreError> {
        let families =
            COLUMN_FAMILIES.iter().map(|name| self.family_figures(name)).collect::<Result<_, _>>()?;
        let whole =
            |property: &str| Ok::<u64, StoreError>(self.db.property_int_value(property)?.unwrap_or(0));
        let cache = |property: &str| {
            Ok::<u64, StoreError>(self.db.property_int_value_cf(self.family(META)?, property)?.unwrap_or(0))
        };
        let value = self.db.get_cf(self.family(META)?, COUNTERS)?.unwrap_or_default();
        let sums = decode_sums(META, COUNTERS, &value)?;
        let count = |at: usize| sums.get(at).map_or(0, |&sum| u64::try_from(sum).unwrap_or(0));
        Ok(StoreFigures {
            families,
            block_cache_bytes: cache("rocksdb.block-cache-usage")?,
            block_cache_capacity_bytes: cache("rocksdb.block-cache-capacity")?,
            compactions: whole("rocksdb.num-running-compactions")?,
            flushes: whole("rocksdb.num-running-flushes")?,
            writes_stopped: whole("rocksdb.is-write-stopped")? > 0,
            change_number: self.change_number(),
            rank_generation: self.snapshot().rank_generation()?,
            visited: count(0),
            html_pages: count(1),
            links: count(2),
            backlinks: count(3),
            inactive_links: count(4),
        })
    }

    fn family_figures(&self, name: &'static str) -> Result<FamilyFigures, StoreError> {
        let family = self.family(name)?;
        let figure = |property: &str| {
            Ok::<u64, StoreError>(self.db.property_int_value_cf(family, property)?.unwrap_or(0))
        };
        let mut files = 0;
        for level in 0..LEVELS {
            // Told as text, unlike the others.
            let property = format!("rocksdb.num-files-at-level{level}");
            let text = self.db.property_value_cf(family, &property)?;
            files += text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(FamilyFigures {
            name,
            keys: figure("rocksdb.estimate-num-keys")?,
            file_bytes: figure("rocksdb.total-sst-files-size")?,
            files,
            memtable_bytes: figure("rocksdb.cur-size-all-mem-tables")?,
            pending_compaction_bytes: figure("rocksdb.estimate-pending-compaction-bytes")?,
        })
    }
}
