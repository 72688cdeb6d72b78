//! Brings queues on disk into the frontier, as arrivals and by scans.
//!
//! The writer reports each queue that received URLs as an arrival. A *scan* reads all queues on disk in
//! order. It finds hosts whose backoff has passed, queues that had no room in memory, and queues whose budget
//! has grown.
//!
//! A queue whose host is blocked stays on disk as it is. When the block list changes, a scan finds the queues that are
//! not blocked any more.
//!
//! Each pass of the loop admits arrivals and scans for a bounded time, so that the events of fetches are
//! handled however many arrive.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::unix_now;
use crate::crawl::adapters::backlog::StoreBacklog;
use crate::crawl::messages::QueuedRobotsRequest;
use crate::crawl::timing::{HEARTBEAT, HOUSEKEEPING_INTERVAL, INTAKE_SLICE, SCAN_INTERVAL};
use crate::frontier::{Backlog, Frontier};
use crate::model::{Arrival, Priority, QueueName};
use crate::policy::{BlockList, backoff_end};
use crate::store::{Store, StoreError};

/// Queues that one step of a scan reads at most, and those it reads at least unless its time is up.
const SCAN_STEP_MAX: usize = 500;
const SCAN_STEP_MIN: usize = 16;
/// Arrivals that wait for admission. Scans find the queues of those beyond.
const MAX_ARRIVALS: usize = 100_000;

/// The position of the scan over the queues on disk.
enum ScanState {
    /// No scan until this time.
    Resting(Instant),
    /// Scanning, behind this queue.
    After(Option<QueueName>),
    /// Scanning while there is no other work. It becomes an ordinary scan as soon as it admits a queue.
    Last(Option<QueueName>),
    /// The last scan is over, and has admitted no queue.
    Finished,
}

/// The scan, and the arrivals.
pub(in crate::crawl) struct QueueScan {
    store: Arc<Store>,
    /// A backoff of a host is never longer.
    max_stored_backoff: Duration,
    blocks: BlockList,
    state: ScanState,
    /// Whether the block list has changed since the scan started.
    is_outdated: bool,
    /// Queues that are not in memory.
    arrivals: VecDeque<Arrival>,
}

impl QueueScan {
    pub(crate) fn new(store: &Arc<Store>, max_stored_backoff: Duration, blocks: BlockList) -> Self {
        Self {
            store: Arc::clone(store),
            max_stored_backoff,
            blocks,
            state: ScanState::After(None),
            is_outdated: false,
            arrivals: VecDeque::new(),
        }
    }

    /// Replaces the block list. If it differs, the next scan starts as soon as the present one is over.
    pub(crate) fn set_blocks(&mut self, blocks: BlockList) {
        self.is_outdated |= self.blocks != blocks;
        self.blocks = blocks;
    }

    /// Whether the last scan is over and has admitted no queue.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.state, ScanState::Finished) && !self.is_outdated
    }

    /// Whether arrivals wait for admission.
    pub(crate) fn has_arrivals(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Takes queues that received URLs. Those in memory are updated at once; the others wait for admission.
    pub(crate) fn add_arrivals(
        &mut self,
        arrivals: Vec<Arrival>,
        frontier: &mut Frontier<QueuedRobotsRequest>,
        backlog: &StoreBacklog,
    ) -> Result<(), StoreError> {
        for arrival in arrivals {
            if frontier.contains(&arrival.queue) {
                frontier.admit_if_room(&arrival, backlog)?;
            } else if arrival.priority == Priority::Seed || self.arrivals.len() < MAX_ARRIVALS {
                self.arrivals.push_back(arrival);
            } else {
                frontier.mark_unadmitted();
            }
        }
        Ok(())
    }

    /// Admits some of the waiting queues, unless they are blocked or in backoff. A seed ends a backoff.
    pub(crate) fn admit_arrivals(
        &mut self,
        frontier: &mut Frontier<QueuedRobotsRequest>,
        backlog: &StoreBacklog,
    ) -> Result<(), StoreError> {
        let end = Instant::now() + INTAKE_SLICE;
        while let Some(arrival) = self.arrivals.pop_front() {
            let is_seed = arrival.priority == Priority::Seed;
            let is_blocked = self.blocks.blocks(arrival.url.host());
            let may_be_asked = || Ok::<_, StoreError>(is_seed || !self.is_backing_off(&arrival.queue)?);
            if frontier.contains(&arrival.queue) || !is_blocked && may_be_asked()? {
                frontier.admit_if_room(&arrival, backlog)?;
            }
            if Instant::now() >= end {
                break;
            }
        }
        Ok(())
    }

    fn is_backing_off(&self, queue: &QueueName) -> Result<bool, StoreError> {
        let host = self.store.host(queue)?;
        Ok(backoff_end(self.max_stored_backoff, &host, unix_now()).is_some())
    }

    /// Takes one step of a scan, if one is due and a queue may be admitted.
    pub(crate) fn step(
        &mut self,
        now: Instant,
        frontier: &mut Frontier<QueuedRobotsRequest>,
        backlog: &StoreBacklog,
    ) -> Result<(), StoreError> {
        match &mut self.state {
            ScanState::Resting(until) => {
                if frontier.has_unadmitted() {
                    *until = (*until).min(now + HOUSEKEEPING_INTERVAL);
                }
                if self.is_outdated {
                    *until = now;
                }
                if *until > now {
                    return Ok(());
                }
                self.start(ScanState::After(None), frontier);
            }
            // The crawl did not end with that scan.
            ScanState::Finished => self.start(ScanState::After(None), frontier),
            ScanState::After(_) | ScanState::Last(_) => {}
        }
        if frontier.free_capacity() > 0 || !frontier.has_unadmitted() {
            self.take_step(frontier, backlog)?;
        }
        Ok(())
    }

    fn start(&mut self, state: ScanState, frontier: &mut Frontier<QueuedRobotsRequest>) {
        frontier.restart_scan();
        self.is_outdated = false;
        self.state = state;
    }

    fn take_step(
        &mut self,
        frontier: &mut Frontier<QueuedRobotsRequest>,
        backlog: &StoreBacklog,
    ) -> Result<(), StoreError> {
        let end = Instant::now() + INTAKE_SLICE;
        let (mut last, mut is_last_scan) = match &mut self.state {
            ScanState::After(after) => (after.take(), false),
            ScanState::Last(after) => (after.take(), true),
            ScanState::Resting(_) | ScanState::Finished => return Ok(()),
        };
        let most = frontier.free_capacity().clamp(SCAN_STEP_MIN, SCAN_STEP_MAX);
        let found = self.store.queues(last.as_ref(), most)?;
        if found.is_empty() {
            let rests = ScanState::Resting(Instant::now() + SCAN_INTERVAL);
            self.state = if is_last_scan { ScanState::Finished } else { rests };
            return Ok(());
        }
        for arrival in found {
            if self.may_be_fetched(&arrival, frontier, backlog)? {
                if frontier.free_capacity() == 0 && !frontier.contains(&arrival.queue) {
                    // The next step starts with this queue.
                    frontier.mark_unadmitted();
                    break;
                }
                is_last_scan = false;
                frontier.admit(&arrival, backlog)?;
            }
            last = Some(arrival.queue);
            if Instant::now() >= end {
                break;
            }
        }
        self.state = if is_last_scan { ScanState::Last(last) } else { ScanState::After(last) };
        Ok(())
    }

    /// Whether a queue on disk has work that the frontier does not cover.
    fn may_be_fetched(
        &self,
        Arrival { queue, url, priority }: &Arrival,
        frontier: &Frontier<QueuedRobotsRequest>,
        backlog: &StoreBacklog,
    ) -> Result<bool, StoreError> {
        if frontier.needs_no_scan(queue) || self.blocks.blocks(url.host()) || self.is_backing_off(queue)? {
            return Ok(false);
        }
        Ok(!priority.is_new_page() || !backlog.budget_status(queue, url)?.is_exhausted())
    }

    /// Continues, or starts, the last scan before a batch crawl ends. Returns how long to wait.
    pub(crate) fn step_last(
        &mut self,
        frontier: &mut Frontier<QueuedRobotsRequest>,
        backlog: &StoreBacklog,
    ) -> Duration {
        if matches!(self.state, ScanState::Resting(_)) {
            backlog.forget_counts();
            self.start(ScanState::Last(None), frontier);
        }
        // If idle queues fill the frontier, pruning them frees places once their delays have passed.
        frontier.prune(Instant::now(), backlog);
        if frontier.free_capacity() > 0 { Duration::ZERO } else { HEARTBEAT }
    }
}
