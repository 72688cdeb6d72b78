//! Room on the disk of the index.

use crate::config::CrawlConfig;
use crate::store::Store;

/// Bytes free on the disk of an index, when they are fewer than `crawl.min_free_disk_bytes`. A disk that cannot be
/// asked is taken to have room: writing to it tells more.
pub fn too_little_room(store: &Store, config: &CrawlConfig) -> Option<u64> {
    let disk = rustix::fs::statvfs(store.directory()).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    (free < config.min_free_disk_bytes).then_some(free)
}
