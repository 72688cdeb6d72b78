//! Free space on the disks of the index and of the WARC files. A crawl without space pauses.

use crate::crawl::event_loop::CrawlLoop;
use crate::crawl::process::FetchedResponse;
use crate::crawl::{CrawlError, Crawler};
use crate::policy::LowDisk;
use crate::store::{Store, free_bytes};
use crate::warc::WarcError;

/// Bytes that opening the database takes, in addition to its log, which is written out then.
const BYTES_TO_REOPEN: u64 = 16 << 20;

/// Whether there is space to reopen the database. It must not be closed otherwise.
pub(in crate::crawl) fn has_room_to_open(store: &Store) -> bool {
    free_bytes(store.directory()) >= store.log_bytes().saturating_add(BYTES_TO_REOPEN)
}

impl CrawlLoop<'_> {
    /// Pauses when a disk is nearly full. Resumes when no disk is and all responses are archived.
    pub fn check_disks(&mut self) -> Result<(), CrawlError> {
        let Crawler { store, config, .. } = self.crawler;
        let least = config.crawl.min_free_disk_bytes;
        match LowDisk::find(store.directory(), &config.crawl, free_bytes) {
            Some(_) if self.store_backoff.is_unwritable() => self.store_backoff.reset_attempts(),
            None if self.store_backoff.is_unwritable() => self.retry_writing()?,
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
            None if !self.unarchived.is_empty() => {
                for fetched in std::mem::take(&mut self.unarchived) {
                    self.processor().spawn(fetched);
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

    /// Pauses because a response could not be archived, and keeps it for a retry. A batch ends instead.
    pub fn on_archive_failed(
        &mut self,
        fetched: FetchedResponse,
        error: WarcError,
    ) -> Result<(), CrawlError> {
        if !self.job.forever {
            return Err(error.into());
        }
        self.unarchived.push(fetched);
        if !std::mem::replace(&mut self.paused, true) {
            tracing::warn!(%error, "no pages are fetched until answers can be kept; the API goes on");
        }
        Ok(())
    }
}
