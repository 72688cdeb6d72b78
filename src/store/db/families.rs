//! Opens RocksDB with the options of each column family.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    MergeOperands, Options,
};

use crate::config::StoreConfig;
use crate::store::StoreError;
use crate::store::codec::sums::encode_sums;
use crate::store::codec::varint::Reader;

use super::schema::{
    ADDED_FAMILIES, BACKLINKS, COLUMN_FAMILIES, DEFAULT_FAMILY, FORMER_FAMILIES, META, OUTLINKS, PAGES,
    PAIRS, REFERRALS, VISITS,
};

/// Threads for flushes and compactions.
const BACKGROUND_JOBS: i32 = 4;
/// Bytes written to a file between two requests to the operating system to write them to disk.
const SYNC_BYTES: u64 = 1 << 20;
/// Log files of RocksDB itself that are kept.
const KEPT_LOG_FILES: usize = 5;
/// Bytes of a manifest from which on RocksDB begins a new one.
const MAX_MANIFEST_BYTES: usize = 64 << 20;
/// Bytes of one memtable of a column family.
const MEMTABLE_BYTES: usize = 64 << 20;

/// Opens the database. With `create`, creates it if it does not exist. An upgrade creates column families that an
/// earlier format lacks.
pub(in crate::store) fn open(path: &Path, config: &StoreConfig, create: bool) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(config.block_cache_bytes);
    let mut options = options(config, create);
    options.create_missing_column_families(create || config.upgrade);
    DB::open_cf_descriptors(&options, path, families(config, &cache))
}

/// Opens a database with damaged files, to read its readable rows. Skips damaged records of the log. If the manifest
/// is damaged, RocksDB rebuilds it from the files.
pub(in crate::store) fn open_damaged(path: &Path, config: &StoreConfig) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(config.block_cache_bytes);
    let mut options = options(config, true);
    options.set_paranoid_checks(false);
    options.set_wal_recovery_mode(DBRecoveryMode::SkipAnyCorruptedRecord);
    let open = || DB::open_cf_descriptors(&options, path, families(config, &cache));
    open().or_else(|error| {
        // No other process has it open, and the files exist.
        let concerns_files =
            error.kind() == rocksdb::ErrorKind::Corruption || error.to_string().contains("No such file");
        if !concerns_files {
            return Err(error);
        }
        let mut options = options.clone();
        options.set_merge_operator_associative("sums", add_sums);
        DB::repair(&options, path)?;
        open()
    })
}

/// The handle of a column family.
pub(in crate::store) fn family<'d>(db: &'d DB, name: &'static str) -> Result<&'d ColumnFamily, StoreError> {
    db.cf_handle(name).ok_or(StoreError::Damaged {
        family: name,
        key: String::new(),
        what: "the column family itself",
    })
}

fn options(config: &StoreConfig, create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(create);
    options.set_db_write_buffer_size(config.write_buffer_bytes);
    options.set_max_total_wal_size(2 * config.write_buffer_bytes as u64);
    options.set_max_background_jobs(BACKGROUND_JOBS);
    options.set_max_open_files(config.max_open_files);
    options.set_bytes_per_sync(SYNC_BYTES);
    // The log of RocksDB and the manifest must not grow without bound while the process runs.
    options.set_keep_log_file_num(KEPT_LOG_FILES);
    options.set_max_log_file_size(config.log_file_bytes);
    options.set_max_manifest_file_size(MAX_MANIFEST_BYTES);
    options.set_wal_compression_type(DBCompressionType::Zstd);
    options
}

/// Opens the database as a secondary instance. `folder` is for the files of RocksDB itself.
pub(in crate::store) fn open_secondary(
    path: &Path,
    folder: &Path,
    config: &StoreConfig,
) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(config.block_cache_bytes);
    let mut options = Options::default();
    // The primary process deletes obsolete files. Files in use here must stay open.
    options.set_max_open_files(-1);
    // A secondary instance cannot create the families that a directory of an earlier format lacks.
    let names = DB::list_cf(&options, path)?;
    let is_there = |name: &&str| !ADDED_FAMILIES.contains(name) || names.iter().any(|there| there == name);
    let families = COLUMN_FAMILIES.into_iter().filter(is_there);
    let descriptor = |name| ColumnFamilyDescriptor::new(name, family_options(name, config, &cache));
    DB::open_cf_descriptors_as_secondary(&options, path, folder, families.map(descriptor))
}

fn families(config: &StoreConfig, cache: &Cache) -> [ColumnFamilyDescriptor; COLUMN_FAMILIES.len()] {
    COLUMN_FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, family_options(name, config, cache)))
}

/// The reason why the database in `directory` belongs to another program, if it does.
pub(in crate::store) fn foreign_reason(directory: &Path) -> Result<Option<String>, rocksdb::Error> {
    let options = Options::default();
    let names = DB::list_cf(&options, directory)?;
    let is_own = |name: &String| {
        name == DEFAULT_FAMILY
            || COLUMN_FAMILIES.contains(&name.as_str())
            || FORMER_FAMILIES.contains(&name.as_str())
    };
    let unknown: Vec<String> = names.iter().filter(|name| !is_own(name)).cloned().collect();
    if !unknown.is_empty() {
        return Ok(Some(format!(
            "it holds column families that this backlinkd does not know ({}); use the version that wrote it, or \
             give another --data",
            unknown.join(", ")
        )));
    }
    // A crash may have interrupted the first opening. Then the database is empty.
    if names.len() > 1 {
        return Ok(None);
    }
    let database = DB::open_for_read_only(&options, directory, false)?;
    let mut cursor = database.raw_iterator();
    cursor.seek_to_first();
    let reason = "it holds a RocksDB database of something else; give an empty or a new directory";
    Ok(cursor.valid().then(|| reason.to_owned()))
}

/// Opens a database that lacks column families, with nothing but its [`META`], for a look at its format. A database of
/// format 1 or 2 lacks some that no upgrade creates, so it cannot be opened as one of the current format. `None` if none
/// is missing.
pub(in crate::store) fn open_incomplete(directory: &Path) -> Result<Option<DB>, rocksdb::Error> {
    let options = Options::default();
    let names = DB::list_cf(&options, directory)?;
    let has = |family: &str| names.iter().any(|name| name == family);
    if !has(META) || COLUMN_FAMILIES.into_iter().all(has) {
        return Ok(None);
    }
    DB::open_cf_for_read_only(&options, directory, [META], false).map(Some)
}

fn family_options(name: &str, config: &StoreConfig, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_cache_index_and_filter_blocks_with_high_priority(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_format_version(6);
    // Neighbouring keys in an index share most of their bytes. Without delta encoding, the keys of long URLs make
    // indexes as large as their files, and indexes of new files stay in memory.
    blocks.set_index_block_restart_interval(16);
    let mut options = Options::default();
    // Neighbouring pages share most of their links, and neighbouring backlinks most of their page. Larger blocks let
    // the compressor use that. Small blocks serve reads of single keys.
    let block_size = match name {
        OUTLINKS => 64 << 10,
        BACKLINKS => 32 << 10,
        PAGES | PAIRS | REFERRALS | VISITS => 16 << 10,
        _ => 4 << 10,
    };
    blocks.set_block_size(block_size);
    if matches!(name, PAGES | OUTLINKS | VISITS) {
        // Most lookups here are for absent keys: new pages.
        blocks.set_bloom_filter(10.0, false);
    }
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    options.set_bottommost_compression_options(-14, config.compression_level, 0, 0, true);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size(MEMTABLE_BYTES);
    if matches!(name, PAIRS | REFERRALS | META) {
        options.set_merge_operator_associative("sums", add_sums);
    }
    options
}

/// The merge operator: adds lists of signed numbers element by element.
fn add_sums(_key: &[u8], existing: Option<&[u8]>, operands: &MergeOperands) -> Option<Vec<u8>> {
    let mut sums: Vec<i64> = Vec::new();
    for list in existing.into_iter().chain(operands) {
        let mut reader = Reader(list);
        let mut at = 0;
        while !reader.0.is_empty() {
            let number = reader.signed("a sum").ok()?;
            match sums.get_mut(at) {
                Some(sum) => *sum = sum.checked_add(number)?,
                None => sums.push(number),
            }
            at += 1;
        }
    }
    Some(encode_sums(&sums))
}
