//! What a crawl that runs forever does when the store fails. What could not be stored stays in the queue; while nothing
//! can be written, the crawl pauses and tries again; and what is damaged is passed over until it is repaired.
//!
//! RocksDB takes up writing by itself after some errors, a full disk among them, and after others only when it is
//! opened anew. So after some attempts in vain the crawl asks for that; but not after damage, which it would meet again.
//! A batch ends by any failure of the store.

use std::fs::File;
use std::time::{Duration, Instant};

use super::CrawlError;
use super::disk::has_room_to_open;
use super::messages::Unstored;
use super::progress::Progress;
use super::scheduler::Loop;
use super::want;
use crate::frontier::{Fate, Pause, QueueName, QueuedUrl, Target};
use crate::log_throttle::LogThrottle;
use crate::store::StoreError;

/// Between two attempts to write.
const RETRY: Duration = Duration::from_secs(1);
/// Attempts in vain, with room on the disks, after which the database is to be opened anew. RocksDB looks every five
/// seconds whether it may go on by itself.
const ATTEMPTS: u32 = 8;
/// Files that must be to be had before that: it opens as many at least.
const FILES: usize = 32;

/// How the store stands.
#[derive(Debug, Default)]
pub(super) struct StoreTrouble {
    /// Nothing can be written: attempts to, since the disks had room.
    attempts: Option<u32>,
    damage: LogThrottle,
}

impl StoreTrouble {
    /// Whether nothing can be written.
    pub fn is_unwritable(&self) -> bool {
        self.attempts.is_some()
    }

    /// The disks have no room: attempts before say nothing.
    pub fn count_anew(&mut self) {
        self.attempts = self.attempts.map(|_| 0);
    }
}

impl Loop<'_> {
    /// Takes back what was not stored. Its URLs have another turn; but one that is to blame by itself, for its own rows
    /// are damaged, has none until the next start.
    pub fn take_in_unstored(&mut self, Unstored { queued, error }: Unstored) -> Result<(), CrawlError> {
        let is_to_blame = error.is_damage() && queued.len() == 1;
        Progress::add(&self.crawler.progress.unstored, queued.len() as u64);
        for queued in queued {
            self.outstanding -= 1;
            self.handed_out = self.handed_out.saturating_sub(u64::from(queued.target == Target::Page));
            if !is_to_blame {
                self.frontier.stored(queued, Fate::Again);
            }
        }
        self.store_failed(error)
    }

    /// Ends the turn of a URL that nothing could be read of, likewise.
    pub fn pass_over(
        &mut self,
        queue: &QueueName,
        queued: QueuedUrl,
        now: Instant,
        error: StoreError,
    ) -> Result<(), CrawlError> {
        let pause = if error.is_damage() {
            Pause::None
        } else {
            self.frontier.put_back(queue, queued);
            Pause::For(want::REST)
        };
        self.frontier.ended(queue, now, None, pause);
        self.store_failed(error)
    }

    /// Goes on without what failed for the store's sake.
    pub fn endure<T>(&mut self, result: Result<T, CrawlError>, otherwise: T) -> Result<T, CrawlError> {
        match result {
            Err(CrawlError::Store(error)) => self.store_failed(error).map(|()| otherwise),
            result => result,
        }
    }

    fn store_failed(&mut self, error: StoreError) -> Result<(), CrawlError> {
        if !self.job.forever {
            return Err(error.into());
        }
        let trouble = &mut self.trouble;
        // RocksDB writes no more when it has met damage while it put files together.
        let is_local = error.is_damage() && self.crawler.store.check_writable().is_ok();
        if is_local {
            Progress::add(&self.crawler.progress.damaged, 1);
            if let Some(count) = trouble.damage.count(Instant::now()) {
                tracing::error!(
                    %error,
                    count,
                    "the index is damaged; the crawl goes on without what cannot be read; stop the daemon and run \
                     `backlinkd verify --repair`"
                );
            }
        } else if !trouble.is_unwritable() {
            trouble.attempts = Some(0);
            self.paused = true;
            self.next_housekeeping = Instant::now() + RETRY;
            tracing::warn!(%error, "no pages are fetched until the index can be written to; the API goes on");
        }
        Ok(())
    }

    /// Tries to write, while nothing can be written.
    pub fn try_to_write(&mut self) -> Result<(), CrawlError> {
        let Some(attempts) = self.trouble.attempts else { return Ok(()) };
        match self.crawler.store.check_writable() {
            Ok(()) => {
                self.trouble.attempts = None;
                self.next_housekeeping = Instant::now();
                Ok(())
            }
            Err(error) if attempts >= ATTEMPTS && !error.is_damage() && self.may_open_anew() => {
                Err(CrawlError::Reopen(error))
            }
            Err(_) => {
                self.trouble.attempts = Some(attempts.saturating_add(1));
                self.next_housekeeping = Instant::now() + RETRY;
                Ok(())
            }
        }
    }

    fn may_open_anew(&self) -> bool {
        let files: Result<Vec<File>, std::io::Error> = (0..FILES).map(|_| File::open("/dev/null")).collect();
        files.is_ok() && has_room_to_open(&self.crawler.store)
    }
}
