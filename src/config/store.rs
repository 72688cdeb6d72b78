//! `[store]`: the RocksDB database under `--data`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Bytes of decompressed blocks, indexes and filters kept in memory.
    pub block_cache_bytes: usize,
    /// Bytes written to memory before they are sorted to disk, over all column families.
    pub write_buffer_bytes: usize,
    /// zstd level of the bottommost data.
    pub compression_level: i32,
    /// Whether each batch waits for the disk. Without it, a power failure may lose the last seconds. A killed process
    /// loses nothing either way.
    pub sync: bool,
    /// Visit records in one write at most.
    pub batch_pages: usize,
    /// Former links of one page that are remembered.
    pub max_former_links: usize,
    /// Absences of one link that are kept apart.
    pub max_absences: usize,
    /// Visits to one imported page that are remembered.
    pub max_past_visits: usize,
    /// Hosts whose robots.txt names one sitemap that are kept with it in the queue.
    pub max_sitemap_hosts: usize,
    /// Time that a write waits for more visit records.
    pub batch_wait: Span,
    /// Files held open at most; -1: no limit.
    pub max_open_files: i32,
    /// Bytes of a file of the database's own log, of which the last five are kept.
    pub log_file_bytes: usize,
    /// Bytes of memory for comparing rows while the store is verified.
    pub verify_memory_bytes: usize,
    /// Whether a data directory of an earlier format is upgraded when it is opened.
    pub upgrade: bool,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            block_cache_bytes: 256 << 20,
            write_buffer_bytes: 256 << 20,
            compression_level: 3,
            sync: false,
            batch_pages: 64,
            max_former_links: 10_000,
            max_absences: 100,
            max_past_visits: 100,
            max_sitemap_hosts: 100,
            batch_wait: Span(Duration::from_millis(5)),
            max_open_files: 1_000,
            log_file_bytes: 8 << 20,
            verify_memory_bytes: 256 << 20,
            upgrade: true,
        }
    }
}

impl StoreConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("store.block_cache_bytes", self.block_cache_bytes as u64, 1 << 20)?;
        at_least("store.write_buffer_bytes", self.write_buffer_bytes as u64, 1 << 20)?;
        at_least("store.verify_memory_bytes", self.verify_memory_bytes as u64, 1 << 20)?;
        at_least("store.log_file_bytes", self.log_file_bytes as u64, 1 << 20)?;
        at_least("store.batch_pages", self.batch_pages as u64, 1)?;
        at_least("store.max_absences", self.max_absences as u64, 1)?;
        at_least("store.max_past_visits", self.max_past_visits as u64, 2)?;
        at_least("store.max_sitemap_hosts", self.max_sitemap_hosts as u64, 1)?;
        if !(1..=22).contains(&self.compression_level) {
            return Err(format!(
                "store.compression_level is {}; it must be from 1 to 22",
                self.compression_level
            ));
        }
        if self.max_open_files != -1 && self.max_open_files < 64 {
            return Err(format!(
                "store.max_open_files is {}; it must be at least 64, or -1 for no limit",
                self.max_open_files
            ));
        }
        Ok(())
    }
}
