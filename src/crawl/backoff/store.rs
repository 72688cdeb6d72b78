//! Backoff of a crawl that runs forever when the store fails. URLs that could not be stored stay queued.
//! While the store takes no writes, the crawl pauses and retries. Damaged data is skipped until it is
//! repaired.
//!
//! After some errors, such as a full disk, RocksDB resumes writing by itself. After others it resumes only
//! when it is reopened. So the crawl asks for that after some failed attempts; but not after damage, which
//! reopening does not mend. A batch ends with any failure of the store.

use std::fs::File;
use std::time::Instant;

use crate::crawl::CrawlError;
use crate::crawl::backoff::disk::has_room_to_open;
use crate::crawl::event_loop::CrawlLoop;
use crate::crawl::messages::FailedCommit;
use crate::crawl::progress::Progress;
use crate::crawl::timing::{RESOURCE_PAUSE, WRITE_RETRY_INTERVAL};
use crate::frontier::Backoff;
use crate::log_throttle::LogThrottle;
use crate::model::{Fate, QueueName, QueuedUrl, Target};
use crate::store::StoreError;

/// Failed attempts, with free space on the disks, after which the database is reopened. RocksDB checks every
/// five seconds whether it can resume by itself.
const MAX_WRITE_ATTEMPTS: u32 = 8;
/// Files that must be free before the database is closed: reopening needs this many at least.
const FILES_TO_REOPEN: usize = 32;

/// The state of the store.
#[derive(Debug, Default)]
pub(in crate::crawl) struct StoreBackoff {
    /// Failed attempts to write since the disks had space; `None` while the store takes writes.
    attempts: Option<u32>,
    damage: LogThrottle,
}

impl StoreBackoff {
    /// Whether the store takes no writes.
    pub fn is_unwritable(&self) -> bool {
        self.attempts.is_some()
    }

    /// Forgets the failed attempts, because the disks have no space.
    pub fn reset_attempts(&mut self) {
        self.attempts = self.attempts.map(|_| 0);
    }
}

impl CrawlLoop<'_> {
    /// Takes back the URLs of a failed commit, for a retry. A single URL whose own rows are damaged has none
    /// until the next start.
    pub fn on_commit_failed(
        &mut self,
        FailedCommit { queued, error }: FailedCommit,
    ) -> Result<(), CrawlError> {
        let is_the_cause = error.is_damage() && queued.len() == 1;
        Progress::add(&self.crawler.progress.unstored, queued.len() as u64);
        for queued in queued {
            self.writer.outstanding -= 1;
            self.pages_dispatched =
                self.pages_dispatched.saturating_sub(u64::from(queued.target == Target::Page));
            if !is_the_cause {
                self.frontier.complete(queued, Fate::Again);
            }
        }
        self.on_store_error(error)
    }

    /// Ends the fetch of a URL whose record cannot be read, likewise.
    pub fn skip_unreadable(
        &mut self,
        queue: &QueueName,
        queued: QueuedUrl,
        now: Instant,
        error: StoreError,
    ) -> Result<(), CrawlError> {
        let backoff = if error.is_damage() {
            Backoff::None
        } else {
            self.frontier.requeue(queue, queued);
            Backoff::For(RESOURCE_PAUSE)
        };
        self.frontier.finish_fetch(queue, now, None, backoff);
        self.on_store_error(error)
    }

    /// Replaces a store error by `otherwise`, unless it must end the crawl.
    pub fn tolerate<T>(&mut self, result: Result<T, CrawlError>, otherwise: T) -> Result<T, CrawlError> {
        match result {
            Err(CrawlError::Store(error)) => self.on_store_error(error).map(|()| otherwise),
            result => result,
        }
    }

    fn on_store_error(&mut self, error: StoreError) -> Result<(), CrawlError> {
        if !self.job.forever {
            return Err(error.into());
        }
        let store_backoff = &mut self.store_backoff;
        // RocksDB stops writing when it finds damage during a compaction.
        let is_local_damage = error.is_damage() && self.crawler.store.check_writable().is_ok();
        if is_local_damage {
            Progress::add(&self.crawler.progress.damaged, 1);
            if let Some(count) = store_backoff.damage.count(Instant::now()) {
                tracing::error!(
                    %error,
                    count,
                    "the index is damaged; the crawl goes on without what cannot be read; stop the daemon and run \
                     `backlinkd verify --repair`"
                );
            }
        } else if !store_backoff.is_unwritable() {
            store_backoff.attempts = Some(0);
            self.paused = true;
            self.next_housekeeping = Instant::now() + WRITE_RETRY_INTERVAL;
            tracing::warn!(%error, "no pages are fetched until the index can be written to; the API goes on");
        }
        Ok(())
    }

    /// Retries to write, while the store takes no writes.
    pub fn retry_writing(&mut self) -> Result<(), CrawlError> {
        let Some(attempts) = self.store_backoff.attempts else { return Ok(()) };
        match self.crawler.store.check_writable() {
            Ok(()) => {
                self.store_backoff.attempts = None;
                self.next_housekeeping = Instant::now();
                Ok(())
            }
            Err(error) if attempts >= MAX_WRITE_ATTEMPTS && !error.is_damage() && self.may_reopen() => {
                Err(CrawlError::Reopen(error))
            }
            Err(_) => {
                self.store_backoff.attempts = Some(attempts.saturating_add(1));
                self.next_housekeeping = Instant::now() + WRITE_RETRY_INTERVAL;
                Ok(())
            }
        }
    }

    fn may_reopen(&self) -> bool {
        let files: Result<Vec<File>, std::io::Error> =
            (0..FILES_TO_REOPEN).map(|_| File::open("/dev/null")).collect();
        files.is_ok() && has_room_to_open(&self.crawler.store)
    }
}
