//! Brings queues on disk into the frontier, as arrivals and by scans.
//!
//! The writer reports each queue that received URLs as an arrival. A *scan* reads all queues on disk in
//! order. It finds hosts whose backoff has passed, queues that had no room in memory, and queues whose budget
//! has grown.
//!
//! Each pass of the loop admits arrivals and scans for a bounded time, so that the events of fetches are
//! handled however many arrive.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::CrawlError;
use super::event_loop::CrawlLoop;
use super::progress::unix_now;
use super::timing::{HEARTBEAT, HOUSEKEEPING_INTERVAL, INTAKE_SLICE, SCAN_INTERVAL};
use crate::frontier::Backlog;
use crate::model::{Arrival, Priority, QueueName};
use crate::policy::backoff_end;
use crate::store::StoreError;

/// Queues that one step of a scan reads at most, and those it reads at least unless its time is up.
const SCAN_STEP_MAX: usize = 500;
const SCAN_STEP_MIN: usize = 16;
/// Arrivals that wait for admission. Scans find the queues of those beyond.
const MAX_ARRIVALS: usize = 100_000;

/// The position of the scan over the queues on disk.
pub(super) enum ScanState {
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
pub(super) struct QueueScan {
    state: ScanState,
    /// Queues that are not in memory.
    arrivals: VecDeque<Arrival>,
}

impl QueueScan {
    pub fn new() -> Self {
        Self { state: ScanState::After(None), arrivals: VecDeque::new() }
    }

    /// Whether the last scan is over and has admitted no queue.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, ScanState::Finished)
    }

    /// Whether arrivals wait for admission.
    pub fn has_arrivals(&self) -> bool {
        !self.arrivals.is_empty()
    }
}

impl CrawlLoop<'_> {
    /// Takes queues that received URLs. Those in memory are updated at once; the others wait for admission.
    pub fn add_arrivals(&mut self, arrivals: Vec<Arrival>) -> Result<(), CrawlError> {
        for arrival in arrivals {
            let waiting = &mut self.queue_scan.arrivals;
            if self.frontier.contains(&arrival.queue) {
                self.frontier.admit_if_room(&arrival, &self.backlog)?;
            } else if arrival.priority == Priority::Seed || waiting.len() < MAX_ARRIVALS {
                waiting.push_back(arrival);
            } else {
                self.frontier.mark_unadmitted();
            }
        }
        Ok(())
    }

    /// Admits some of the waiting queues, unless they are in backoff. A seed is admitted even then.
    pub fn admit_arrivals(&mut self) -> Result<(), CrawlError> {
        let end = Instant::now() + INTAKE_SLICE;
        while let Some(arrival) = self.queue_scan.arrivals.pop_front() {
            let is_seed = arrival.priority == Priority::Seed;
            if is_seed || self.frontier.contains(&arrival.queue) || !self.is_asleep(&arrival.queue)? {
                self.frontier.admit_if_room(&arrival, &self.backlog)?;
            }
            if Instant::now() >= end {
                break;
            }
        }
        Ok(())
    }

    fn is_asleep(&self, queue: &QueueName) -> Result<bool, StoreError> {
        let host = self.crawler.store.host(queue)?;
        Ok(backoff_end(&self.crawler.config, &host, unix_now()).is_some())
    }

    /// Takes one step of a scan, if one is due and a queue may be admitted.
    pub fn continue_scan(&mut self, now: Instant) -> Result<(), CrawlError> {
        let has_unadmitted = self.frontier.has_unadmitted();
        match &mut self.queue_scan.state {
            ScanState::Resting(until) => {
                if has_unadmitted {
                    *until = (*until).min(now + HOUSEKEEPING_INTERVAL);
                }
                if *until > now {
                    return Ok(());
                }
                self.start_scan(ScanState::After(None));
            }
            // The crawl did not end with that scan.
            ScanState::Finished => self.start_scan(ScanState::After(None)),
            ScanState::After(_) | ScanState::Last(_) => {}
        }
        if self.frontier.free_capacity() > 0 || !self.frontier.has_unadmitted() {
            self.scan_step()?;
        }
        Ok(())
    }

    fn start_scan(&mut self, state: ScanState) {
        self.frontier.restart_scan();
        self.queue_scan.state = state;
    }

    fn scan_step(&mut self) -> Result<(), CrawlError> {
        let end = Instant::now() + INTAKE_SLICE;
        let (mut last, mut is_last_scan) = match &mut self.queue_scan.state {
            ScanState::After(after) => (after.take(), false),
            ScanState::Last(after) => (after.take(), true),
            ScanState::Resting(_) | ScanState::Finished => return Ok(()),
        };
        let most = self.frontier.free_capacity().clamp(SCAN_STEP_MIN, SCAN_STEP_MAX);
        let found = self.crawler.store.queues(last.as_ref(), most)?;
        if found.is_empty() {
            let rests = ScanState::Resting(Instant::now() + SCAN_INTERVAL);
            self.queue_scan.state = if is_last_scan { ScanState::Finished } else { rests };
            return Ok(());
        }
        for arrival in found {
            if self.may_be_fetched(&arrival)? {
                if self.frontier.free_capacity() == 0 && !self.frontier.contains(&arrival.queue) {
                    // The next step starts with this queue.
                    self.frontier.mark_unadmitted();
                    break;
                }
                is_last_scan = false;
                self.frontier.admit(&arrival, &self.backlog)?;
            }
            last = Some(arrival.queue);
            if Instant::now() >= end {
                break;
            }
        }
        self.queue_scan.state = if is_last_scan { ScanState::Last(last) } else { ScanState::After(last) };
        Ok(())
    }

    /// Whether a queue on disk has work that the frontier does not cover.
    fn may_be_fetched(&self, Arrival { queue, url, priority }: &Arrival) -> Result<bool, StoreError> {
        if self.frontier.covers(queue) || self.is_asleep(queue)? {
            return Ok(false);
        }
        Ok(!priority.is_new_page() || !self.backlog.budget_status(queue, url)?.is_exhausted())
    }

    /// Continues, or starts, the last scan before a batch ends. Returns how long to wait.
    pub fn continue_last_scan(&mut self) -> Duration {
        if matches!(self.queue_scan.state, ScanState::Resting(_)) {
            self.backlog.forget_counts();
            self.start_scan(ScanState::Last(None));
        }
        // If idle queues fill the frontier, pruning them frees places once their delays have passed.
        self.frontier.prune(Instant::now(), &self.backlog);
        if self.frontier.free_capacity() > 0 { Duration::ZERO } else { HEARTBEAT }
    }
}
