//! The column families, how each is tuned, and the format version of the whole.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `pages` | page SURT | what the last visits found, without links |
//! | `outlinks` | page SURT | all links of the page, column by column, active and not |
//! | `backlinks` | target SURT · source SURT · seq | one external link as the API shows it |
//! | `pairs` | target host · `00` · source host | counts of active external links; sums by merge |
//! | `referrals` | source host · `00` · target host | active external links, counted; sums by merge |
//! | `met` | number | URLs that a commit met, which wait to be held against the set of all known ones |
//! | `frontier` | queue · priority · page SURT | a URL waiting to be fetched: its depth and failed attempts; of a sitemap the hosts whose URLs it may list |
//! | `schedule` | Unix time, big end first · page SURT | a URL waiting for its next visit: its depth, and a mark if it has no page |
//! | `hosts` | queue | pages fetched, failures in a row, the last visits and the last requests that failed |
//! | `robots` | scheme, host and port | the last robots.txt, and when it was asked for |
//! | `ranks` | generation · kind · page SURT or host | IV Search Rank in hundredths, big end first |
//! | `changes` | kind · registrable domain, sortable | number of the last commit that changed something of it |
//! | `meta` | name | format version, rank generation, counters, API users, token key, files of the set of known URLs |
//!
//! Only external links stand in `backlinks`: internal ones are never backlinks, and they are nine of ten.
//! A backlink's row repeats what it shows of its source page, so that a scope is one range scan.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, MergeOperands,
    Options, ReadOptions,
};

use crate::config::StoreConfig;

use super::StoreError;
use super::codec::{Reader, put_signed};

/// Raised whenever a stored key or value changes its meaning.
pub const FORMAT: u32 = 5;

/// The earliest format whose directories are carried over. Records of formats 4 and 5 differ by tails alone, which
/// both may lack, so a directory is carried over by its number: records are rewritten as pages are visited.
pub const OLDEST_FORMAT: u32 = 4;

pub(super) const PAGES: &str = "pages";
pub(super) const OUTLINKS: &str = "outlinks";
pub(super) const BACKLINKS: &str = "backlinks";
pub(super) const PAIRS: &str = "pairs";
pub(super) const REFERRALS: &str = "referrals";
pub(super) const MET: &str = "met";
pub(super) const FRONTIER: &str = "frontier";
pub(super) const SCHEDULE: &str = "schedule";
pub(super) const HOSTS: &str = "hosts";
pub(super) const ROBOTS: &str = "robots";
pub(super) const RANKS: &str = "ranks";
pub(super) const CHANGES: &str = "changes";
pub(super) const META: &str = "meta";

/// Every column family, as the README's table lists them.
pub const COLUMN_FAMILIES: [&str; 13] = [
    PAGES, OUTLINKS, BACKLINKS, PAIRS, REFERRALS, MET, FRONTIER, SCHEDULE, HOSTS, ROBOTS, RANKS, CHANGES,
    META,
];

/// Column families of earlier formats that are no more.
const FORMER: [&str; 1] = ["seen"];

/// The column family that RocksDB itself adds; nothing is stored in it.
const DEFAULT: &str = "default";

/// Opens the database, making it if `create` and it is not there.
pub(super) fn open(path: &Path, config: &StoreConfig, create: bool) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(config.block_cache_bytes);
    DB::open_cf_descriptors(&options(config, create), path, families(config, &cache))
}

/// Opens a database whose files are damaged, to read what can be read. Where its log is damaged, what comes after is
/// taken nevertheless; where the list of its files is, that is made anew from the files.
pub(super) fn open_damaged(path: &Path, config: &StoreConfig) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(config.block_cache_bytes);
    let mut options = options(config, true);
    options.set_paranoid_checks(false);
    options.set_wal_recovery_mode(DBRecoveryMode::SkipAnyCorruptedRecord);
    let open = || DB::open_cf_descriptors(&options, path, families(config, &cache));
    open().or_else(|error| {
        // Nobody else has it open, and the files are there.
        let is_of_files =
            error.kind() == rocksdb::ErrorKind::Corruption || error.to_string().contains("No such file");
        if !is_of_files {
            return Err(error);
        }
        let mut options = options.clone();
        options.set_merge_operator_associative("sums", add_sums);
        DB::repair(&options, path)?;
        open()
    })
}

fn options(config: &StoreConfig, create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(create);
    options.set_db_write_buffer_size(config.write_buffer_bytes);
    options.set_max_total_wal_size(2 * config.write_buffer_bytes as u64);
    options.set_max_background_jobs(4);
    options.set_max_open_files(config.max_open_files);
    options.set_bytes_per_sync(1 << 20);
    // Neither the log nor the list of files may grow for as long as the process runs.
    options.set_keep_log_file_num(5);
    options.set_max_log_file_size(config.log_file_bytes);
    options.set_max_manifest_file_size(64 << 20);
    options.set_wal_compression_type(DBCompressionType::Zstd);
    options
}

/// Opens the database as it is now, to be read beside the process that has it open. `folder` is for RocksDB itself.
pub(super) fn open_beside(path: &Path, folder: &Path, config: &StoreConfig) -> Result<DB, rocksdb::Error> {
    let cache = Cache::new_lru_cache(config.block_cache_bytes);
    let mut options = Options::default();
    // The other process deletes files that are not needed any more: those in use here have to stay open.
    options.set_max_open_files(-1);
    DB::open_cf_descriptors_as_secondary(&options, path, folder, families(config, &cache))
}

fn families(config: &StoreConfig, cache: &Cache) -> [ColumnFamilyDescriptor; COLUMN_FAMILIES.len()] {
    COLUMN_FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, family_options(name, config, cache)))
}

/// Why the database in `directory` cannot be this program's, if it cannot.
pub(super) fn foreign(directory: &Path) -> Result<Option<String>, rocksdb::Error> {
    let options = Options::default();
    let names = DB::list_cf(&options, directory)?;
    let is_own = |name: &String| {
        name == DEFAULT || COLUMN_FAMILIES.contains(&name.as_str()) || FORMER.contains(&name.as_str())
    };
    let unknown: Vec<String> = names.iter().filter(|name| !is_own(name)).cloned().collect();
    if !unknown.is_empty() {
        return Ok(Some(format!(
            "it holds column families that this backlinkd does not know ({}); use the version that wrote it, or \
             give another --data",
            unknown.join(", ")
        )));
    }
    // Opening for the first time may have been cut short; then there is nothing in it.
    if names.len() > 1 {
        return Ok(None);
    }
    let database = DB::open_for_read_only(&options, directory, false)?;
    let mut cursor = database.raw_iterator();
    cursor.seek_to_first();
    let reason = "it holds a RocksDB database of something else; give an empty or a new directory";
    Ok(cursor.valid().then(|| reason.to_owned()))
}

/// A database of format 1 or 2 lacks column families, and cannot be opened as one of this format. Gives such a
/// one, with nothing but its [`META`], to be looked at.
pub(super) fn incomplete(directory: &Path) -> Result<Option<DB>, rocksdb::Error> {
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
    // Neighbours in an index share most of their key as well. Kept whole, the keys of long URLs would make indexes as
    // large as their files, and those of new files stay in memory.
    blocks.set_index_block_restart_interval(16);
    let mut options = Options::default();
    // Neighbouring pages share most of their links, neighbouring backlinks most of their page: the larger the
    // block, the more of that the compressor sees. Small blocks serve what is read key by key.
    let block_size = match name {
        OUTLINKS => 64 << 10,
        BACKLINKS => 32 << 10,
        PAGES | PAIRS | REFERRALS => 16 << 10,
        _ => 4 << 10,
    };
    blocks.set_block_size(block_size);
    if matches!(name, PAGES | OUTLINKS) {
        // Asked for keys that are mostly absent: new pages.
        blocks.set_bloom_filter(10.0, false);
    }
    options.set_block_based_table_factory(&blocks);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    options.set_bottommost_compression_options(-14, config.compression_level, 0, 0, true);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_write_buffer_size(64 << 20);
    if matches!(name, PAIRS | REFERRALS | META) {
        options.set_merge_operator_associative("sums", add_sums);
    }
    options
}

/// The merge operator: lists of signed numbers, added place by place.
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

pub(super) fn encode_sums(sums: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(sums.len() * 2);
    for &sum in sums {
        put_signed(&mut out, sum);
    }
    out
}

pub(super) fn decode_sums(family: &'static str, key: &[u8], bytes: &[u8]) -> Result<Vec<i64>, StoreError> {
    let mut reader = Reader(bytes);
    let mut sums = Vec::new();
    while !reader.0.is_empty() {
        sums.push(reader.signed("a sum").map_err(|damage| StoreError::damaged(family, key, damage.0))?);
    }
    Ok(sums)
}

/// Read options for a range that ends before `end`.
pub(super) fn bounded(end: Option<Vec<u8>>) -> ReadOptions {
    let mut options = ReadOptions::default();
    if let Some(end) = end {
        options.set_iterate_upper_bound(end);
    }
    options
}
