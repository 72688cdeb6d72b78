//! The queue of one host: two lanes with their buffers of URLs, its robots.txt requests, and its state.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::in_flight::InFlightUrls;
use super::slot::Slot;
use super::state::QueueState;
use super::{Backlog, BudgetStatus, FrontierRules, Lane, Priority, QueueEntry, QueueName};
use crate::urls::CanonicalUrl;

/// What a fetch is for.
#[derive(Debug)]
pub(super) enum Work<R> {
    Url(QueueEntry),
    RobotsTxt(R),
}

/// What a ready queue yields.
#[derive(Debug)]
pub(super) enum Taken<R> {
    Work(Work<R>),
    /// Nothing is queued, or the queue waits for a robots.txt of another host.
    Nothing,
    /// New pages are queued, but the budget has none left.
    OverBudget,
}

#[derive(Debug)]
pub(super) struct HostQueue<R> {
    state: QueueState,
    pub address: Option<IpAddr>,
    pub resolved_at: Option<Instant>,
    /// The slot of the fetch or the resolution in flight.
    pub slot: Option<Slot>,
    /// The moving average of its fetch times. The last fetch counts half.
    pub average_duration: Option<Duration>,
    /// When its host may next be asked, at any address.
    pub free_at: Option<Instant>,
    /// New pages fetched over all crawls, and those in flight.
    pub pages: u64,
    pub budget: u64,
    /// Whether any of its pages was ever requested, and whether it counts as a requested queue of its domain:
    /// see [`super::domain_budgets::DomainBudgets::update_requested`].
    pub was_requested: bool,
    pub counts_as_requested: bool,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    pub host_priority: u8,
    /// Whether its pages wait for a robots.txt of another host. It still makes robots.txt requests for
    /// others.
    pub awaits_robots: bool,
    /// URLs in flight.
    pub in_flight: usize,
    /// URLs dispatched since its admission, and when the first was.
    pub dispatched: usize,
    pub first_dispatched_at: Option<Instant>,
    /// A URL of the queue, for the resolution of its host.
    pub sample_url: CanonicalUrl,
    robots_requests: VecDeque<R>,
    unbudgeted: LaneBuffer,
    new: LaneBuffer,
    /// Whether any arrival came yet. The first one makes both lanes read the disk.
    loaded: bool,
    /// Whether the last URL was a sitemap or a page due for a revisit.
    unbudgeted_was_last: bool,
}

impl<R> HostQueue<R> {
    pub(super) fn new(sample_url: CanonicalUrl, status: &BudgetStatus) -> Self {
        Self {
            state: QueueState::Idle,
            address: None,
            resolved_at: None,
            slot: None,
            average_duration: None,
            free_at: None,
            pages: status.pages,
            budget: status.budget,
            was_requested: status.was_requested,
            counts_as_requested: status.was_requested,
            domain: Arc::clone(&status.domain),
            host_priority: status.host_priority,
            awaits_robots: false,
            in_flight: 0,
            dispatched: 0,
            first_dispatched_at: None,
            sample_url,
            robots_requests: VecDeque::new(),
            unbudgeted: LaneBuffer::of(Lane::Unbudgeted),
            new: LaneBuffer::of(Lane::New),
            loaded: false,
            unbudgeted_was_last: false,
        }
    }

    pub(super) fn state(&self) -> QueueState {
        self.state
    }

    /// Moves the queue to another state. The caller puts it into the line or the heap of that state.
    pub(super) fn enter(&mut self, state: QueueState) {
        debug_assert!(self.state.may_become(state), "a queue goes from {:?} to {state:?}", self.state);
        self.state = state;
    }

    /// URLs were queued on disk, the best of them with this priority. URLs on disk that precede those in the
    /// buffer are fetched before them.
    pub(super) fn add_arrival(&mut self, best: Priority) {
        if !std::mem::replace(&mut self.loaded, true) {
            // An earlier crawl may have left more than this arrival.
            self.expect_more_on_disk();
        }
        self.lane_buffer(best.lane()).add_arrival(best);
    }

    /// Notes that the disk may hold more than the buffers.
    pub(super) fn expect_more_on_disk(&mut self) {
        self.unbudgeted.more_on_disk = true;
        self.new.more_on_disk = true;
    }

    /// Whether the queue may be evicted: it has dispatched as many URLs as a lane buffers, or one URL at least, and has
    /// stayed for its time.
    pub(super) fn had_min_residency(&self, rules: &FrontierRules, now: Instant) -> bool {
        self.dispatched >= rules.lane_buffer
            || self.first_dispatched_at.is_some_and(|since| now >= since + rules.min_residency)
    }

    /// Counts a URL that goes in flight.
    pub(super) fn dispatch(&mut self, now: Instant) {
        self.in_flight += 1;
        self.dispatched += 1;
        self.first_dispatched_at.get_or_insert(now);
    }

    /// Puts a URL that was dispatched but not fetched back to the front of its lane.
    pub(super) fn requeue(&mut self, entry: QueueEntry) {
        self.in_flight -= 1;
        self.dispatched = self.dispatched.saturating_sub(1);
        if self.dispatched == 0 {
            self.first_dispatched_at = None;
        }
        self.lane_buffer(entry.priority.lane()).urls.push_front(entry);
    }

    fn lane_buffer(&mut self, lane: Lane) -> &mut LaneBuffer {
        match lane {
            Lane::Unbudgeted => &mut self.unbudgeted,
            Lane::New => &mut self.new,
        }
    }

    pub(super) fn push_robots_request(&mut self, request: R) {
        self.robots_requests.push_back(request);
    }

    pub(super) fn has_robots_requests(&self) -> bool {
        !self.robots_requests.is_empty()
    }

    pub(super) fn take_robots_requests(&mut self) -> Vec<R> {
        self.robots_requests.drain(..).collect()
    }

    /// Takes the next work, a robots.txt request first. An empty buffer is refilled from disk. URLs that
    /// `in_flight` excludes are left out, and marked there when the disk holds them. New pages stay queued when the
    /// queue is `over_budget`.
    pub(super) fn take_work<B: Backlog>(
        &mut self,
        name: &QueueName,
        in_flight: &mut InFlightUrls,
        lane_buffer: usize,
        over_budget: bool,
        backlog: &B,
    ) -> Result<Taken<R>, B::Error> {
        if let Some(request) = self.robots_requests.pop_front() {
            return Ok(Taken::Work(Work::RobotsTxt(request)));
        }
        if self.awaits_robots {
            return Ok(Taken::Nothing);
        }
        let wanted = self.unbudgeted.peek(name, in_flight, lane_buffer, backlog)?;
        let alternates = matches!(wanted, Some(Priority::Sitemap | Priority::Revisit(_)));
        let is_new_lanes_turn = alternates && self.unbudgeted_was_last && !over_budget;
        let lane = if wanted.is_some() && !is_new_lanes_turn {
            Lane::Unbudgeted
        } else if self.new.peek(name, in_flight, lane_buffer, backlog)?.is_some() {
            Lane::New
        } else {
            Lane::Unbudgeted
        };
        if lane == Lane::New && over_budget {
            return Ok(Taken::OverBudget);
        }
        let entry = self.lane_buffer(lane).urls.pop_front();
        self.unbudgeted_was_last = alternates && lane == Lane::Unbudgeted;
        Ok(entry.map_or(Taken::Nothing, |entry| Taken::Work(Work::Url(entry))))
    }
}

/// The next URLs of one lane. All of them are on disk too.
#[derive(Debug)]
struct LaneBuffer {
    lane: Lane,
    urls: VecDeque<QueueEntry>,
    /// Whether the disk may hold URLs that are not in the buffer.
    more_on_disk: bool,
    /// The last URL read from disk in this pass over the lane; `None` between passes.
    cursor: Option<QueueEntry>,
    /// Whether this pass found a URL that is not excluded.
    found_any: bool,
}

impl LaneBuffer {
    fn of(lane: Lane) -> Self {
        Self { lane, urls: VecDeque::new(), more_on_disk: false, cursor: None, found_any: false }
    }

    fn add_arrival(&mut self, best: Priority) {
        self.more_on_disk = true;
        let kept = self.urls.partition_point(|entry| entry.priority <= best);
        let is_behind = self.cursor.as_ref().is_some_and(|last| best <= last.priority);
        if kept < self.urls.len() || is_behind {
            self.urls.truncate(kept);
            self.cursor = None;
        }
    }

    /// The priority of the first URL that is not excluded, if there is one.
    fn peek<B: Backlog>(
        &mut self,
        name: &QueueName,
        in_flight: &mut InFlightUrls,
        most: usize,
        backlog: &B,
    ) -> Result<Option<Priority>, B::Error> {
        loop {
            while self.urls.is_empty() && self.more_on_disk {
                self.refill(name, in_flight, most, backlog)?;
            }
            let Some(first) = self.urls.front() else { return Ok(None) };
            // A URL may be queued twice, with different priorities.
            if !in_flight.excludes(&first.url) {
                return Ok(Some(first.priority));
            }
            self.urls.pop_front();
        }
    }

    /// Reads the next part of the lane. Another pass follows its end, because URLs may have arrived behind
    /// the cursor. The lane is empty when a whole pass finds nothing.
    fn refill<B: Backlog>(
        &mut self,
        name: &QueueName,
        in_flight: &mut InFlightUrls,
        most: usize,
        backlog: &B,
    ) -> Result<(), B::Error> {
        self.found_any &= self.cursor.is_some();
        let read = backlog.entries_of_lane(name, self.lane, self.cursor.as_ref(), most)?;
        let at_end = read.len() < most;
        self.cursor = if at_end { None } else { read.last().cloned() };
        for entry in read {
            if !in_flight.excludes(&entry.url) {
                self.urls.push_back(entry);
            }
        }
        self.found_any |= !self.urls.is_empty();
        self.more_on_disk = !at_end || self.found_any;
        Ok(())
    }
}
