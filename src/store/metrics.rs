//! Metrics of the database: sizes and work in progress. Reads no rows, so it is cheap enough for every few seconds.

use crate::store::db::schema::{COLUMN_FAMILIES, META};
use crate::store::{Store, StoreError};

/// Levels of a column family's LSM tree.
const LEVELS: usize = 7;

/// Metrics of the database at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreMetrics {
    pub families: Vec<FamilyMetrics>,
    /// Bytes of decompressed blocks, indexes and filters in memory, and the limit.
    pub block_cache_bytes: u64,
    pub block_cache_capacity_bytes: u64,
    /// Running compactions and flushes.
    pub compactions: u64,
    pub flushes: u64,
    /// Whether writes are stopped until compactions finish.
    pub writes_stopped: bool,
    /// Number of the last commit that changed anything.
    pub change_number: u64,
    /// Generation of the current ranks; 0 before the first.
    pub rank_generation: u32,
    /// Visited pages, HTML pages, active links, active external links, lost links.
    pub visited: u64,
    pub html_pages: u64,
    pub links: u64,
    pub backlinks: u64,
    pub lost_links: u64,
}

/// Metrics of one column family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyMetrics {
    pub name: &'static str,
    /// An estimate.
    pub keys: u64,
    /// Bytes and number of its files.
    pub file_bytes: u64,
    pub files: u64,
    /// Bytes in memtables that are not yet in files.
    pub memtable_bytes: u64,
    /// Bytes that compactions still have to rewrite.
    pub pending_compaction_bytes: u64,
}

impl Store {
    /// Bytes of the write-ahead log: data that is not in other files yet.
    pub fn log_bytes(&self) -> u64 {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return 0 };
        let logs = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "log"));
        logs.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum()
    }

    /// The metrics of the database. A property that RocksDB does not know is 0.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a counter is damaged.
    pub fn metrics(&self) -> Result<StoreMetrics, StoreError> {
        let families =
            COLUMN_FAMILIES.iter().map(|name| self.family_metrics(name)).collect::<Result<_, _>>()?;
        let whole =
            |property: &str| Ok::<u64, StoreError>(self.db.property_int_value(property)?.unwrap_or(0));
        let cache = |property: &str| {
            Ok::<u64, StoreError>(self.db.property_int_value_cf(self.family(META)?, property)?.unwrap_or(0))
        };
        let [visited, html_pages, links, backlinks, lost_links] = self.counters()?;
        Ok(StoreMetrics {
            families,
            block_cache_bytes: cache("rocksdb.block-cache-usage")?,
            block_cache_capacity_bytes: cache("rocksdb.block-cache-capacity")?,
            compactions: whole("rocksdb.num-running-compactions")?,
            flushes: whole("rocksdb.num-running-flushes")?,
            writes_stopped: whole("rocksdb.is-write-stopped")? > 0,
            change_number: self.change_number(),
            rank_generation: self.snapshot().rank_generation()?,
            visited,
            html_pages,
            links,
            backlinks,
            lost_links,
        })
    }

    fn family_metrics(&self, name: &'static str) -> Result<FamilyMetrics, StoreError> {
        let family = self.family(name)?;
        let property = |property: &str| {
            Ok::<u64, StoreError>(self.db.property_int_value_cf(family, property)?.unwrap_or(0))
        };
        let mut files = 0;
        for level in 0..LEVELS {
            // RocksDB reports this property as text, unlike the others.
            let property = format!("rocksdb.num-files-at-level{level}");
            let text = self.db.property_value_cf(family, &property)?;
            files += text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(FamilyMetrics {
            name,
            keys: property("rocksdb.estimate-num-keys")?,
            file_bytes: property("rocksdb.total-sst-files-size")?,
            files,
            memtable_bytes: property("rocksdb.cur-size-all-mem-tables")?,
            pending_compaction_bytes: property("rocksdb.estimate-pending-compaction-bytes")?,
        })
    }
}
