//! `backlinkd block`: the index's own list of hosts and domains that are not fetched, `blocks.txt` in the data
//! directory, besides the file that `crawl.block_list` names.

use std::path::Path;

use anyhow::anyhow;

use super::own_list::Entry;
use crate::config::Config;
use crate::frontier::{BlockList, BlockListError, BlockedName};
use crate::store::BLOCKS_FILE;
use crate::urls::UrlRules;

impl Entry for BlockedName {
    const FILE: &'static str = BLOCKS_FILE;
    const LIST: &'static str = "the list of blocked hosts";
    const KNOWN: &'static str = "is blocked already";
    const UNKNOWN: &'static str = "is not in";
    const SHOWN_BY: &'static str = "block list";

    fn typed(word: &str, rules: &UrlRules) -> anyhow::Result<Self> {
        Self::in_line(word.as_bytes(), rules).ok().flatten().ok_or_else(|| {
            anyhow!("\"{word}\" names no host; give a host or *.domain, without scheme, port or path")
        })
    }

    fn in_line(line: &[u8], rules: &UrlRules) -> Result<Option<Self>, String> {
        Self::in_line(line, rules).map_err(|text| format!("\"{text}\" names no host"))
    }
}

/// What is not fetched, by both lists, and the lines of the index's own that are skipped.
///
/// # Errors
/// [`BlockListError`] when one of them cannot be used.
pub(super) fn read(config: &Config, data: &Path) -> Result<(BlockList, Vec<BlockListError>), BlockListError> {
    BlockList::read_both(&config.crawl.block_list, &BlockedName::path_in(data))
}
