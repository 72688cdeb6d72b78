//! The write path of the crawl's visit records: they and their changes of the queue, in one atomic batch. The other one
//! is that of imports ([`super::history`]).
//!
//! The batch holds the changes of every column family, so a crash leaves all of a record or nothing. Commits are
//! serialised by a lock. Each reads the previous links of a page, computes the difference ([`super::diff`]) and writes
//! it.

use std::sync::{MutexGuard, PoisonError};

use hashbrown::HashMap;

use crate::model::{
    Arrival, DiscoveredUrl, Disposition, HostFailure, QueueEntry, QueueName, Target, VisitRecord,
};
use crate::store::db::rows::RowBatch;
use crate::store::queue::seen_set::WriteState;
use crate::store::queue::sitemaps::SitemapRows;
use crate::store::{Store, StoreError};
use crate::urls::CanonicalUrl;

use super::builder::CommitBuilder;
use super::hosts::HostChanges;

/// Maximum number of unmerged URLs while [`Store::put`] stores pages: 16 bytes of memory each.
const MAX_UNMERGED: usize = 1 << 20;

/// A unit of work of the crawl, stored in one atomic batch.
#[derive(Debug, Default)]
pub struct Commit {
    pub records: Vec<VisitRecord>,
    /// Entries of the queue that were in flight, and what happens to each.
    pub dispositions: Vec<(QueueEntry, Disposition)>,
    /// Discovered URLs, whether seen before or not.
    pub discovered: Vec<DiscoveredUrl>,
    /// Hosts that get no request until this Unix time.
    pub backoffs: Vec<(QueueName, u64)>,
    /// Failed requests, with the host whose record keeps them.
    pub failures: Vec<(QueueName, HostFailure)>,
}

impl Store {
    /// Stores visit records without changing the queue.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn put(&self, records: &[VisitRecord]) -> Result<(), StoreError> {
        for chunk in records.chunks(self.batch_pages) {
            self.commit(Commit { records: chunk.to_vec(), ..Commit::default() })?;
            if self.unmerged_urls() >= MAX_UNMERGED {
                self.merge_discovered()?;
            }
        }
        Ok(())
    }

    /// Stores a commit in one atomic batch. Returns the queues that received seeds, sitemaps or due pages. New pages
    /// are queued by the next [`Self::merge_discovered`].
    ///
    /// A commit with two records of one URL, or with more than one batch holds, is stored in several batches. The
    /// changes of the queue are in the last one.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a record it needs is damaged; then nothing of the batch is stored.
    pub fn commit(&self, commit: Commit) -> Result<Vec<Arrival>, StoreError> {
        let mut writer = self.lock_writes();
        let mut builder = CommitBuilder::new(self);
        builder.set_queue_state(&commit.dispositions);
        let postponed = last_postponements(&commit);
        for record in commit.records {
            if builder.must_be_written_before(&record.url) {
                let next = builder.next_batch();
                self.write_commit(std::mem::replace(&mut builder, next))?;
            }
            builder.add_record(record)?;
        }
        self.add_host_changes(&mut builder.hosts, &commit.dispositions, commit.backoffs, commit.failures)?;
        let never_queued = std::mem::take(&mut builder.never_queued);
        let (batch, mut sitemaps) = (&mut builder.batch, SitemapRows::default());
        self.update_entries(batch, &mut sitemaps, &commit.dispositions)?;
        for (url, (depth, next)) in postponed {
            self.postpone(batch, &url, depth, next)?;
        }
        let (unmerged_row, arrivals) =
            self.add_discovered(batch, &mut sitemaps, &writer, commit.discovered, never_queued)?;
        sitemaps.stage(batch)?;
        self.write_commit(builder)?;
        writer.confirm_unmerged_row(self, unmerged_row);
        Ok(arrivals)
    }

    /// Locks all writes of the store.
    pub(in crate::store) fn lock_writes(&self) -> MutexGuard<'_, WriteState> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_host_changes(
        &self,
        hosts: &mut HostChanges,
        dispositions: &[(QueueEntry, Disposition)],
        backoffs: Vec<(QueueName, u64)>,
        failures: Vec<(QueueName, HostFailure)>,
    ) -> Result<(), StoreError> {
        for (entry, disposition) in dispositions {
            if *disposition == Disposition::Fetched && entry.priority.is_new_page() {
                hosts.host(self, QueueName::of(&entry.url))?.pages += 1;
            }
        }
        for (queue, until) in backoffs {
            hosts.host(self, queue)?.backoff_until = until;
        }
        for (queue, failure) in failures {
            hosts.host(self, queue)?.add_failure(failure);
        }
        Ok(())
    }

    /// Puts the entries that stay in the queue, then deletes those that leave it.
    fn update_entries(
        &self,
        batch: &mut RowBatch<'_>,
        sitemaps: &mut SitemapRows,
        dispositions: &[(QueueEntry, Disposition)],
    ) -> Result<(), StoreError> {
        let (kept, removed): (Vec<_>, Vec<_>) =
            dispositions.iter().partition(|(_, disposition)| *disposition == Disposition::Retry);
        for (entry, _) in kept {
            if !sitemaps.add(self, entry)? {
                self.put_entry(batch, entry)?;
            }
        }
        for (entry, _) in removed {
            if !sitemaps.remove(self, entry)? {
                self.delete_entry(batch, entry)?;
            }
        }
        Ok(())
    }

    pub(super) fn write_commit(&self, builder: CommitBuilder<'_>) -> Result<(), StoreError> {
        let (batch, changed) = builder.finish()?;
        if changed.is_empty() { self.write(batch) } else { self.write_numbered(batch, &changed) }
    }
}

/// For each page that the commit postpones: the last given depth and time. A page with a record is left out, because
/// the record determines its next visit. A sitemap is left out, because its robots.txt queues it again.
fn last_postponements(commit: &Commit) -> HashMap<CanonicalUrl, (u16, u64)> {
    let mut last: HashMap<CanonicalUrl, (u16, u64)> = HashMap::default();
    for (entry, disposition) in &commit.dispositions {
        if let Disposition::Postponed(next) = disposition
            && entry.target == Target::Page
        {
            last.insert(entry.url.clone(), (entry.depth, *next));
        }
    }
    if !last.is_empty() {
        for record in &commit.records {
            last.remove(&record.url);
        }
    }
    last
}
