//! What the builders' threads have to do: builds and writes, in the order in which they came.
//!
//! A build that has begun goes on although nobody waits any more, for the next who asks. One that waits its turn is
//! dropped when all who asked for it have gone without an answer. Whoever took a first answer is told that it is not
//! finished, and will ask again: such a build stays, unless too many wait and it is the oldest of them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::SearchFigures;

/// A thing that may be asked for by somebody.
pub(super) trait Asked {
    /// Whether somebody waits for it.
    fn is_waited_for(&self) -> bool;
    /// Whether somebody waits for it, or will come back for it.
    fn is_wanted(&self) -> bool;
    /// Tells whoever comes that it will not be done.
    fn give_up(&self);
}

/// Builds and writes that wait for a thread.
pub(super) struct Queue<B, W> {
    /// Builds at most, but for those that somebody waits for; likewise writes.
    most: usize,
    waiting: Mutex<Waiting<B, W>>,
    changed: Condvar,
    abandoned: AtomicU64,
    displaced: AtomicU64,
    unwritten: AtomicU64,
}

struct Waiting<B, W> {
    builds: VecDeque<B>,
    writes: VecDeque<W>,
    closed: bool,
}

/// What a thread is to do.
pub(super) enum Job<B, W> {
    Build(B),
    Write(W),
}

impl<B: Asked, W> Queue<B, W> {
    pub fn new(most: usize) -> Self {
        let waiting = Waiting { builds: VecDeque::new(), writes: VecDeque::new(), closed: false };
        Self {
            most,
            waiting: Mutex::new(waiting),
            changed: Condvar::new(),
            abandoned: AtomicU64::new(0),
            displaced: AtomicU64::new(0),
            unwritten: AtomicU64::new(0),
        }
    }

    /// Adds a build, and drops others where there are too many.
    pub fn build(&self, build: B) {
        let mut waiting = self.lock();
        if waiting.builds.len() >= self.most {
            waiting.builds.retain(|build| build.is_wanted() || self.drop_build(build, &self.abandoned));
        }
        if waiting.builds.len() >= self.most
            && let Some(at) = waiting.builds.iter().position(|build| !build.is_waited_for())
            && let Some(oldest) = waiting.builds.remove(at)
        {
            self.drop_build(&oldest, &self.displaced);
        }
        waiting.builds.push_back(build);
        drop(waiting);
        self.changed.notify_one();
    }

    /// Adds a write, or drops it where too many wait: what it would write stays in memory.
    pub fn write(&self, write: W) {
        let mut waiting = self.lock();
        if waiting.writes.len() >= self.most {
            self.unwritten.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.writes.push_back(write);
        drop(waiting);
        self.changed.notify_one();
    }

    /// The next job, as soon as there is one. None once the queue is closed.
    pub fn next(&self) -> Option<Job<B, W>> {
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

    /// Has all threads end after what they are at.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Fills in what waits, and what was dropped.
    pub fn figures(&self) -> SearchFigures {
        SearchFigures {
            builds_waiting: self.lock().builds.len(),
            builds_abandoned: self.abandoned.load(Ordering::Relaxed),
            builds_displaced: self.displaced.load(Ordering::Relaxed),
            writes_dropped: self.unwritten.load(Ordering::Relaxed),
            ..SearchFigures::default()
        }
    }

    /// Says that a build is not kept, which is false. Its number is logged whenever it has doubled.
    fn drop_build(&self, build: &B, count: &AtomicU64) -> bool {
        build.give_up();
        let dropped = count.fetch_add(1, Ordering::Relaxed) + 1;
        if dropped.is_power_of_two() {
            tracing::info!(dropped, "search indexes that nobody waits for are not built");
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
        waited_for: bool,
        wanted: bool,
        given_up: AtomicBool,
    }

    impl Asked for Arc<Build> {
        fn is_waited_for(&self) -> bool {
            self.waited_for
        }

        fn is_wanted(&self) -> bool {
            self.waited_for || self.wanted
        }

        fn give_up(&self) {
            self.given_up.store(true, Ordering::Relaxed);
        }
    }

    fn builds(number: usize, waited_for: bool, wanted: bool) -> Vec<Arc<Build>> {
        (0..number).map(|_| Arc::new(Build { waited_for, wanted, ..Build::default() })).collect()
    }

    fn given_up(builds: &[Arc<Build>]) -> usize {
        builds.iter().filter(|build| build.given_up.load(Ordering::Relaxed)).count()
    }

    #[test]
    fn a_thousand_abandoned_builds_are_never_built() {
        let queue: Queue<_, ()> = Queue::new(64);
        let (abandoned, asked) = (builds(1_000, false, false), builds(1, true, false));
        abandoned.iter().for_each(|build| queue.build(Arc::clone(build)));
        assert!(queue.figures().builds_waiting <= 64);
        queue.build(Arc::clone(&asked[0]));
        let Some(Job::Build(next)) = queue.next() else { panic!("nothing to build") };
        assert!(Arc::ptr_eq(&next, &asked[0]));
        assert_eq!((given_up(&abandoned), given_up(&asked)), (1_000, 0));
        assert_eq!((queue.figures().builds_abandoned, queue.figures().builds_waiting), (1_000, 0));
    }

    #[test]
    fn of_too_many_the_oldest_that_nobody_waits_for_goes() {
        let queue: Queue<_, ()> = Queue::new(4);
        let (first, later) = (builds(6, false, true), builds(6, true, true));
        first.iter().chain(&later).for_each(|build| queue.build(Arc::clone(build)));
        // Those that are waited for stay, however many.
        assert_eq!((given_up(&first), given_up(&later), queue.figures().builds_waiting), (6, 0, 6));
        assert_eq!(queue.figures().builds_displaced, 6);
    }

    #[test]
    fn writes_are_bounded_and_a_closed_queue_is_over() {
        let queue: Queue<Arc<Build>, u32> = Queue::new(2);
        (0..5).for_each(|write| queue.write(write));
        assert_eq!(queue.figures().writes_dropped, 3);
        assert!(matches!(queue.next(), Some(Job::Write(0))));
        queue.close();
        assert!(queue.next().is_none());
    }
}
