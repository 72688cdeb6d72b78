//! The free space that a crawl needs. A crawl without it pauses.

use std::path::{Path, PathBuf};

use crate::config::CrawlConfig;

/// A disk with fewer bytes free than `crawl.min_free_disk_bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowDisk {
    /// The directory that lies on it.
    pub directory: PathBuf,
    pub free: u64,
}

impl LowDisk {
    /// Returns the first disk of the crawl that is nearly full: that of the index, or that of the WARC files.
    pub fn find(index: &Path, config: &CrawlConfig, free_bytes: impl Fn(&Path) -> u64) -> Option<Self> {
        let directories = [index, &config.warc_dir];
        directories.into_iter().filter(|directory| !directory.as_os_str().is_empty()).find_map(|directory| {
            let free = free_bytes(directory);
            let is_low = free < config.min_free_disk_bytes;
            is_low.then(|| Self { directory: directory.to_owned(), free })
        })
    }
}
