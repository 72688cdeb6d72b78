//! Room on the disks of the index and of the WARC files, and the pause of a crawl that has none.

use std::path::PathBuf;

use super::desk::Fetched;
use super::scheduler::Loop;
use super::{CrawlError, Crawler};
use crate::config::CrawlConfig;
use crate::store::Store;
use crate::warc::WarcError;

/// A disk with fewer bytes free than `crawl.min_free_disk_bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LowDisk {
    /// What lies on it.
    pub directory: PathBuf,
    pub free: u64,
}

/// The first of the disks that a crawl writes to that is nearly full. A disk that cannot be asked is taken to have
/// room: writing to it tells more.
pub fn too_little_room(store: &Store, config: &CrawlConfig) -> Option<LowDisk> {
    let directories = [store.directory(), &config.warc_dir];
    directories.into_iter().filter(|directory| !directory.as_os_str().is_empty()).find_map(|directory| {
        let disk = rustix::fs::statvfs(directory).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let is_low = free < config.min_free_disk_bytes;
        is_low.then(|| LowDisk { directory: directory.to_owned(), free })
    })
}

/// Bytes that opening the database takes besides its log, which is written out then.
const TO_OPEN: u64 = 16 << 20;

/// Whether the database may be opened anew: closed, it must not find that there is no room for it.
pub(super) fn has_room_to_open(store: &Store) -> bool {
    let Ok(disk) = rustix::fs::statvfs(store.directory()) else { return true };
    disk.f_bavail.saturating_mul(disk.f_frsize) >= store.log_bytes().saturating_add(TO_OPEN)
}

impl Loop<'_> {
    /// Pauses when a disk is nearly full, and goes on when none is and all that was fetched is kept.
    pub fn look_at_disk(&mut self) -> Result<(), CrawlError> {
        let Crawler { store, config, .. } = self.crawler;
        let least = config.crawl.min_free_disk_bytes;
        match too_little_room(store, &config.crawl) {
            Some(_) if self.trouble.is_unwritable() => self.trouble.count_anew(),
            None if self.trouble.is_unwritable() => self.try_to_write()?,
            Some(LowDisk { directory, free }) if !self.paused => {
                self.paused = true;
                tracing::warn!(
                    free,
                    least,
                    "no pages are fetched: the disk of {} has less room than crawl.min_free_disk_bytes; the API goes on",
                    directory.display()
                );
            }
            Some(_) => {}
            None if !self.unkept.is_empty() => {
                for fetched in std::mem::take(&mut self.unkept) {
                    self.desk().hand_in(fetched);
                }
            }
            None if self.paused => {
                self.paused = false;
                tracing::info!(least, "pages are fetched again: the disks have room");
            }
            None => {}
        }
        Ok(())
    }

    /// Pauses because an answer could not be kept, which is tried again. A batch does not wait for somebody to see to
    /// that.
    pub fn take_in_unkept(&mut self, fetched: Fetched, error: WarcError) -> Result<(), CrawlError> {
        if !self.job.forever {
            return Err(error.into());
        }
        self.unkept.push(fetched);
        if !std::mem::replace(&mut self.paused, true) {
            tracing::warn!(%error, "no pages are fetched until answers can be kept; the API goes on");
        }
        Ok(())
    }
}
