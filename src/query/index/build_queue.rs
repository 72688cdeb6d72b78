//! The job queue of the builder threads: builds and writes, first in, first out.
//!
//! A running build always completes, even without waiters: the next query can use it. A queued build is
//! dropped when all clients that requested it have gone without an answer. A client that received a preview
//! knows that it is incomplete and will ask again. So a build with a preview stays queued, unless the queue
//! is full and it is the oldest such build.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::IndexMetrics;

/// A build in the queue.
pub(super) trait QueuedBuild {
    /// Whether a client waits for it.
    fn has_waiters(&self) -> bool;
    /// Whether a client waits for it or is likely to ask for it again.
    fn is_wanted(&self) -> bool;
    /// Reports to later clients that it will not be done.
    fn abandon(&self);
}

/// Builds and writes that wait for a thread.
pub(super) struct JobQueue<B, W> {
    /// The maximum number of builds without waiters, and of writes. Builds with waiters may exceed it.
    capacity: usize,
    waiting: Mutex<Waiting<B, W>>,
    changed: Condvar,
    abandoned: AtomicU64,
    displaced: AtomicU64,
    dropped_writes: AtomicU64,
}

struct Waiting<B, W> {
    builds: VecDeque<B>,
    writes: VecDeque<W>,
    closed: bool,
}

/// A job for a thread.
pub(super) enum Job<B, W> {
    Build(B),
    Write(W),
}

impl<B: QueuedBuild, W> JobQueue<B, W> {
    pub(super) fn new(capacity: usize) -> Self {
        let waiting = Waiting { builds: VecDeque::new(), writes: VecDeque::new(), closed: false };
        Self {
            capacity,
            waiting: Mutex::new(waiting),
            changed: Condvar::new(),
            abandoned: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
            dropped_writes: AtomicU64::new(0),
        }
    }

    /// Queues a build. If the queue is full, builds that are not wanted are dropped, then the oldest one
    /// without waiters.
    pub(super) fn build(&self, build: B) {
        let mut waiting = self.lock();
        if waiting.builds.len() >= self.capacity {
            waiting.builds.retain(|build| build.is_wanted() || self.drop_build(build, &self.abandoned));
        }
        if waiting.builds.len() >= self.capacity
            && let Some(at) = waiting.builds.iter().position(|build| !build.has_waiters())
            && let Some(oldest) = waiting.builds.remove(at)
        {
            self.drop_build(&oldest, &self.displaced);
        }
        waiting.builds.push_back(build);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Queues a write, or drops it if the queue is full: the value stays in memory.
    pub(super) fn write(&self, write: W) {
        let mut waiting = self.lock();
        if waiting.writes.len() >= self.capacity {
            self.dropped_writes.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.writes.push_back(write);
        drop(waiting);
        self.changed.notify_one();
    }

    /// The next job. Blocks until there is one; `None` when the queue is closed.
    pub(super) fn next(&self) -> Option<Job<B, W>> {
        let mut waiting = self.lock();
        while !waiting.closed {
            while let Some(build) = waiting.builds.pop_front() {
                if build.is_wanted() {
                    return Some(Job::Build(build));
                }
                self.drop_build(&build, &self.abandoned);
            }
            if let Some(write) = waiting.writes.pop_front() {
                return Some(Job::Write(write));
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// Closes the queue: every thread ends after its current job.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The number of queued builds and the counts of dropped jobs; all other metrics are 0.
    pub(super) fn metrics(&self) -> IndexMetrics {
        IndexMetrics {
            builds_waiting: self.lock().builds.len(),
            builds_abandoned: self.abandoned.load(Ordering::Relaxed),
            builds_displaced: self.displaced.load(Ordering::Relaxed),
            writes_dropped: self.dropped_writes.load(Ordering::Relaxed),
            ..IndexMetrics::default()
        }
    }

    /// Drops a build and counts it. Always returns false, for `retain`. Logs the count whenever it reaches a
    /// power of two.
    fn drop_build(&self, build: &B, count: &AtomicU64) -> bool {
        build.abandon();
        let dropped = count.fetch_add(1, Ordering::Relaxed) + 1;
        if dropped.is_power_of_two() {
            tracing::info!(dropped, "dropped search index builds that no client waits for");
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<B, W>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[derive(Default)]
    struct Build {
        has_waiters: bool,
        is_wanted: bool,
        abandoned: AtomicBool,
    }

    impl QueuedBuild for Arc<Build> {
        fn has_waiters(&self) -> bool {
            self.has_waiters
        }

        fn is_wanted(&self) -> bool {
            self.has_waiters || self.is_wanted
        }

        fn abandon(&self) {
            self.abandoned.store(true, Ordering::Relaxed);
        }
    }

    fn builds(number: usize, has_waiters: bool, is_wanted: bool) -> Vec<Arc<Build>> {
        (0..number).map(|_| Arc::new(Build { has_waiters, is_wanted, ..Build::default() })).collect()
    }

    fn count_abandoned(builds: &[Arc<Build>]) -> usize {
        builds.iter().filter(|build| build.abandoned.load(Ordering::Relaxed)).count()
    }

    #[test]
    fn a_thousand_abandoned_builds_are_never_built() {
        let queue: JobQueue<_, ()> = JobQueue::new(64);
        let (abandoned, asked) = (builds(1_000, false, false), builds(1, true, false));
        abandoned.iter().for_each(|build| queue.build(Arc::clone(build)));
        assert!(queue.metrics().builds_waiting <= 64);
        queue.build(Arc::clone(&asked[0]));
        let Some(Job::Build(next)) = queue.next() else { panic!("nothing to build") };
        assert!(Arc::ptr_eq(&next, &asked[0]));
        assert_eq!((count_abandoned(&abandoned), count_abandoned(&asked)), (1_000, 0));
        assert_eq!((queue.metrics().builds_abandoned, queue.metrics().builds_waiting), (1_000, 0));
    }

    #[test]
    fn a_full_queue_drops_the_oldest_build_without_waiters() {
        let queue: JobQueue<_, ()> = JobQueue::new(4);
        let (first, later) = (builds(6, false, true), builds(6, true, true));
        first.iter().chain(&later).for_each(|build| queue.build(Arc::clone(build)));
        // Builds with waiters stay, however many there are.
        assert_eq!(
            (count_abandoned(&first), count_abandoned(&later), queue.metrics().builds_waiting),
            (6, 0, 6)
        );
        assert_eq!(queue.metrics().builds_displaced, 6);
    }

    #[test]
    fn writes_are_bounded_and_a_closed_queue_ends() {
        let queue: JobQueue<Arc<Build>, u32> = JobQueue::new(2);
        (0..5).for_each(|write| queue.write(write));
        assert_eq!(queue.metrics().writes_dropped, 3);
        assert!(matches!(queue.next(), Some(Job::Write(0))));
        queue.close();
        assert!(queue.next().is_none());
    }
}
