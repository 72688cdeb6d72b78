//! Backoff of a crawl that runs forever when the disks or the store fail. URLs that could not be stored stay
//! queued. While the disks have no space or the store takes no writes, the crawl pauses and retries. Damaged
//! data is skipped until it is repaired.
//!
//! After some errors, such as a full disk, RocksDB resumes writing by itself. After others it resumes only
//! when it is reopened. So the crawl asks for that after some failed attempts; but not after damage, which
//! reopening does not mend. A batch crawl ends with any failure of the store.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use super::disk::has_room_to_open;
use crate::config::CrawlConfig;
use crate::crawl::CrawlError;
use crate::crawl::messages::FetchedResponse;
use crate::crawl::progress::Progress;
use crate::crawl::state::PauseCause;
use crate::crawl::timing::{HOUSEKEEPING_INTERVAL, WRITE_RETRY_INTERVAL};
use crate::log_throttle::LogThrottle;
use crate::policy::LowDisk;
use crate::store::{Store, StoreError, free_bytes};
use crate::warc::WarcError;

/// Failed attempts, with free space on the disks, after which the database is reopened. RocksDB checks every
/// five seconds whether it can resume by itself.
const MAX_WRITE_ATTEMPTS: u32 = 8;
/// Files that must be free before the database is closed: reopening needs this many at least.
const FILES_TO_REOPEN: usize = 32;

/// The state of the disks and of the store, and the responses that wait for them.
pub(in crate::crawl) struct StoreBackoff {
    store: Arc<Store>,
    config: CrawlConfig,
    progress: Arc<Progress>,
    /// Whether the crawl waits for the disks and the store, instead of ending.
    forever: bool,
    /// Whether no pages are fetched because the disks or the store take no more.
    is_paused: bool,
    /// Failed attempts to write since the disks had space; `None` while the store takes writes.
    attempts: Option<u32>,
    damage: LogThrottle,
    next_check: Instant,
    /// Responses that could not be archived, for a retry.
    unarchived: Vec<FetchedResponse>,
}

impl StoreBackoff {
    pub(crate) fn new(
        store: &Arc<Store>,
        config: &CrawlConfig,
        progress: &Arc<Progress>,
        forever: bool,
        now: Instant,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            config: config.clone(),
            progress: Arc::clone(progress),
            forever,
            is_paused: false,
            attempts: None,
            damage: LogThrottle::default(),
            next_check: now,
            unarchived: Vec::new(),
        }
    }

    /// Whether no pages are fetched because the disks or the store take no more.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Why no pages are fetched; `None` while they are.
    pub(crate) fn pause_cause(&self) -> Option<PauseCause> {
        let cause = match (self.is_unwritable(), self.unarchived.is_empty()) {
            (true, _) => PauseCause::Store,
            (false, false) => PauseCause::Archive,
            (false, true) => PauseCause::Disk,
        };
        self.is_paused.then_some(cause)
    }

    /// Whether the crawl ends because of the pause. A batch crawl does not wait for free disk space.
    pub(crate) fn ends_crawl(&self) -> bool {
        self.is_paused && !self.forever
    }

    /// Whether the store takes no writes.
    pub(crate) fn is_unwritable(&self) -> bool {
        self.attempts.is_some()
    }

    /// Whether [`Self::check_disks`] is due. The next one is due after the usual interval then.
    pub(crate) fn start_check(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next_check;
        if is_due {
            self.next_check = now + HOUSEKEEPING_INTERVAL;
        }
        is_due
    }

    /// Pauses when a disk is nearly full. Resumes when no disk is and all responses are archived. Returns the
    /// responses to archive again.
    pub(crate) fn check_disks(&mut self) -> Result<Vec<FetchedResponse>, CrawlError> {
        let least = self.config.min_free_disk_bytes;
        match LowDisk::find(self.store.directory(), &self.config, free_bytes) {
            // The attempts start over when the disks have space.
            Some(_) if self.is_unwritable() => self.attempts = Some(0),
            None if self.is_unwritable() => self.retry_writing()?,
            Some(LowDisk { directory, free }) if !self.is_paused => {
                self.is_paused = true;
                let then = if self.forever { "the API goes on" } else { "the crawl ends" };
                tracing::warn!(
                    free,
                    least,
                    "no pages are fetched: the disk of {} has less room than crawl.min_free_disk_bytes; {then}",
                    directory.display()
                );
            }
            Some(_) => {}
            None if !self.unarchived.is_empty() => return Ok(std::mem::take(&mut self.unarchived)),
            None if self.is_paused => {
                self.is_paused = false;
                tracing::info!(least, "pages are fetched again: the disks have room");
            }
            None => {}
        }
        Ok(Vec::new())
    }

    /// Pauses because a response could not be archived, and keeps it for a retry. A batch crawl ends instead.
    pub(crate) fn on_archive_failed(
        &mut self,
        fetched: FetchedResponse,
        error: WarcError,
    ) -> Result<(), CrawlError> {
        if !self.forever {
            return Err(error.into());
        }
        self.unarchived.push(fetched);
        if !std::mem::replace(&mut self.is_paused, true) {
            tracing::warn!(%error, "no pages are fetched until answers can be kept; the API goes on");
        }
        Ok(())
    }

    /// Replaces a store error by `otherwise`, unless it must end the crawl.
    pub(crate) fn tolerate<T>(
        &mut self,
        result: Result<T, CrawlError>,
        otherwise: T,
    ) -> Result<T, CrawlError> {
        match result {
            Err(CrawlError::Store(error)) => self.on_store_error(error).map(|()| otherwise),
            result => result,
        }
    }

    /// Counts damage, and pauses while the store takes no writes. A batch crawl ends instead.
    pub(crate) fn on_store_error(&mut self, error: StoreError) -> Result<(), CrawlError> {
        if !self.forever {
            return Err(error.into());
        }
        // RocksDB stops writing when it finds damage during a compaction.
        let is_local_damage = error.is_damage() && self.store.check_writable().is_ok();
        if is_local_damage {
            Progress::add(&self.progress.damaged, 1);
            if let Some(count) = self.damage.count(Instant::now()) {
                tracing::error!(
                    %error,
                    count,
                    "the index is damaged; the crawl goes on without what cannot be read; stop the daemon and run \
                     `backlinkd verify --repair`"
                );
            }
        } else if !self.is_unwritable() {
            self.attempts = Some(0);
            self.is_paused = true;
            self.next_check = Instant::now() + WRITE_RETRY_INTERVAL;
            tracing::warn!(%error, "no pages are fetched until the index can be written to; the API goes on");
        }
        Ok(())
    }

    /// Retries to write, while the store takes no writes.
    fn retry_writing(&mut self) -> Result<(), CrawlError> {
        let Some(attempts) = self.attempts else { return Ok(()) };
        match self.store.check_writable() {
            Ok(()) => {
                self.attempts = None;
                self.next_check = Instant::now();
                Ok(())
            }
            Err(error) if attempts >= MAX_WRITE_ATTEMPTS && !error.is_damage() && self.may_reopen() => {
                Err(CrawlError::Reopen(error))
            }
            Err(_) => {
                self.attempts = Some(attempts.saturating_add(1));
                self.next_check = Instant::now() + WRITE_RETRY_INTERVAL;
                Ok(())
            }
        }
    }

    fn may_reopen(&self) -> bool {
        let files: Result<Vec<File>, std::io::Error> =
            (0..FILES_TO_REOPEN).map(|_| File::open("/dev/null")).collect();
        files.is_ok() && has_room_to_open(&self.store)
    }
}
