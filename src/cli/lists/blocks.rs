//! `backlinkd block`: the block list of the index, `blocks.txt` in the data directory. It names hosts and domains
//! that are not fetched, in addition to the file of `crawl.block_list`.

use std::path::Path;

use anyhow::anyhow;

use super::ListEntry;
use crate::config::Config;
use crate::policy::{BlockList, BlockListError, BlockedName};
use crate::store::BLOCKS_FILE;
use crate::urls::UrlRules;

impl ListEntry for BlockedName {
    const FILE: &'static str = BLOCKS_FILE;
    const DESCRIPTION: &'static str = "the list of blocked hosts";
    const ALREADY_LISTED: &'static str = "is blocked already";
    const NOT_LISTED: &'static str = "is not in";
    const LIST_COMMAND: &'static str = "block list";

    fn from_argument(word: &str, rules: &UrlRules) -> anyhow::Result<Self> {
        Self::in_line(word.as_bytes(), rules).ok().flatten().ok_or_else(|| {
            anyhow!("\"{word}\" names no host; give a host or *.domain, without scheme, port or path")
        })
    }

    fn from_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        Self::in_line(line, rules).map_err(|text| format!("\"{text}\" names no host"))
    }
}

/// Loads both block lists. Returns the blocked names, and the errors of skipped lines of the list of the index.
///
/// # Errors
/// [`BlockListError`] when a list cannot be used.
pub fn load(config: &Config, data: &Path) -> Result<(BlockList, Vec<BlockListError>), BlockListError> {
    BlockList::read_both(&config.crawl.block_list, &BlockedName::path_in(data))
}
