//! Picks the next host to fetch from, or the time at which one becomes available.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::addresses::AddressQueue;
use super::concurrency::ConcurrencyLimits;
use super::domain_budgets::DomainBudgets;
use super::host_queue::{HostQueue, Taken, Work};
use super::in_flight::InFlightUrls;
use super::state::QueueState;
use super::{Backlog, QueueEntry, QueueName};
use crate::urls::CanonicalUrl;

/// The limits of the frontier, from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct FrontierRules {
    /// Fetches in flight at once that are not slow yet, and those that are.
    pub fetchers: usize,
    pub slow_fetchers: usize,
    /// How long a fetch or a resolution may take before it counts as slow.
    pub slow_after: Duration,
    /// Resolutions in flight at once that are not slow yet.
    pub resolvers: usize,
    /// URLs of each lane of a queue in memory.
    pub lane_buffer: usize,
    /// Queues in memory.
    pub max_queues: usize,
    /// How long a queue stays in memory after its first fetch before it may be evicted. A queue that has
    /// dispatched `lane_buffer` URLs may be evicted earlier.
    pub min_residency: Duration,
    /// How long a resolved address is valid.
    pub address_ttl: Duration,
}

/// What the caller does next. `R` is a request for a robots.txt.
#[derive(Debug)]
pub enum NextStep<R> {
    /// Resolve the host of this URL, then call [`Frontier::finish_resolution`].
    Resolve(QueueName, CanonicalUrl),
    /// Fetch this URL, then call [`Frontier::finish_fetch`].
    Url(QueueName, QueueEntry),
    /// Make this request, then call [`Frontier::finish_fetch`].
    RobotsTxt(QueueName, R),
    /// Wait until this time, unless something in flight ends earlier.
    Wait(Instant),
    /// Wait until something in flight ends.
    Busy,
    /// No queue in memory has work, now or later. Queues on disk may have some.
    Drained,
}

/// How long a queue waits after a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// For the usual delay.
    None,
    /// For this long.
    For(Duration),
    /// Until [`Frontier::end_robots_wait`] is called: another host serves its robots.txt.
    AwaitMovedRobots,
    /// Only until its host is resolved again.
    Resolve,
    /// For this long, but the crawl may end before.
    Parked(Duration),
    /// Until it is admitted again: its host may not be asked. It leaves memory with the next [`Frontier::prune`].
    Held,
}

/// The queues in memory, and the addresses that they are fetched from.
#[derive(Debug)]
pub struct Frontier<R> {
    pub(super) rules: FrontierRules,
    /// Boxed, because the map allocates up to twice as many places as there are queues.
    pub(super) queues: HashMap<QueueName, Box<HostQueue<R>>>,
    unresolved: VecDeque<QueueName>,
    pub(super) domains: DomainBudgets,
    pub(super) addresses: AddressQueue,
    pub(super) wakeups: BinaryHeap<Reverse<(Instant, QueueName)>>,
    /// Queues that back off and that the crawl waits for.
    pub(super) awaited: usize,
    /// What is in flight, and what may start.
    pub(super) limits: ConcurrencyLimits,
    pub(super) in_flight_urls: InFlightUrls,
    /// Whether queues with work wait on disk for admission.
    pub(super) unadmitted: bool,
}

impl<R> Frontier<R> {
    pub fn new(rules: FrontierRules) -> Self {
        Self {
            rules,
            queues: HashMap::new(),
            unresolved: VecDeque::new(),
            domains: DomainBudgets::default(),
            addresses: AddressQueue::default(),
            wakeups: BinaryHeap::new(),
            awaited: 0,
            limits: ConcurrencyLimits::new(rules),
            in_flight_urls: InFlightUrls::default(),
            unadmitted: false,
        }
    }

    /// Queues a robots.txt request at the host of `url`. Returns it when that host is parked.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn queue_robots_request<B: Backlog>(
        &mut self,
        url: &CanonicalUrl,
        request: R,
        backlog: &B,
    ) -> Result<Option<R>, B::Error> {
        let name = QueueName::of(url);
        let queue = self.get_or_load(&name, url, backlog)?;
        if queue.state() == QueueState::Parked {
            return Ok(Some(request));
        }
        queue.push_robots_request(request);
        // States that hold back a queue's own pages do not hold back a request that other queues wait for.
        if matches!(
            queue.state(),
            QueueState::Idle | QueueState::AwaitingMovedRobots | QueueState::OverBudget
        ) {
            self.enqueue(&name);
        }
        Ok(None)
    }

    /// Removes and returns the robots.txt requests of this queue.
    pub fn take_robots_requests(&mut self, name: &QueueName) -> Vec<R> {
        self.queues.get_mut(name).map_or_else(Vec::new, |queue| queue.take_robots_requests())
    }

    /// Enqueues a queue if it is idle.
    pub(super) fn enqueue_if_idle(&mut self, name: &QueueName) {
        if let Some(queue) = self.queues.get_mut(name)
            && queue.state() == QueueState::Idle
        {
            self.enqueue(name);
        }
    }

    /// Puts a queue into the line of its address, or into the line of queues without an address.
    pub(super) fn enqueue(&mut self, name: &QueueName) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        match queue.address {
            Some(ip) => {
                queue.enter(QueueState::Ready);
                self.addresses.enqueue(ip, name.clone(), queue.host_priority);
            }
            None => {
                queue.enter(QueueState::Unresolved);
                self.unresolved.push_back(name.clone());
            }
        }
    }

    /// Returns what to do at `now`. The caller must end work by the call that [`NextStep`] names.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn next<B: Backlog>(&mut self, now: Instant, backlog: &B) -> Result<NextStep<R>, B::Error> {
        self.wake_due(now);
        self.limits.mark_overdue(now, &mut self.queues);
        loop {
            if let Some(next) = self.next_resolution(now) {
                return Ok(next);
            }
            while let Some(ip) = self.addresses.pop_free(now) {
                if let Some(next) = self.start_at(ip, now, backlog)? {
                    return Ok(next);
                }
            }
            if let Some(name) = self.limits.pop_throttled() {
                self.enqueue(&name);
                continue;
            }
            // A queue with an expired address goes back to the unresolved ones.
            if self.unresolved.is_empty() || !self.limits.has_resolver_slot() {
                return Ok(self.next_wakeup(now));
            }
        }
    }

    /// Starts the next resolution that the limits allow.
    fn next_resolution(&mut self, now: Instant) -> Option<NextStep<R>> {
        while self.limits.has_resolver_slot() {
            let name = self.unresolved.pop_front()?;
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            if let Err(group) = self.limits.admit_resolution(&queue.domain) {
                queue.enter(QueueState::Throttled);
                self.limits.throttle(group, name, now);
                continue;
            }
            queue.enter(QueueState::Resolving);
            queue.slot = Some(self.limits.start_resolution(&name, &queue.domain, now));
            return Some(NextStep::Resolve(name, queue.sample_url.clone()));
        }
        None
    }

    /// Whether a fetch may start at `now`. The caller must not call [`Self::next`] otherwise.
    pub fn has_fetch_slot(&mut self, now: Instant) -> bool {
        self.limits.mark_overdue(now, &mut self.queues);
        self.limits.has_fetch_slot()
    }

    /// Starts a fetch at an address, for the first queue in its line that has work.
    fn start_at<B: Backlog>(
        &mut self,
        ip: IpAddr,
        now: Instant,
        backlog: &B,
    ) -> Result<Option<NextStep<R>>, B::Error> {
        while let Some(name) = self.addresses.pop_queue(ip) {
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let is_stale =
                queue.resolved_at.is_none_or(|at| now.duration_since(at) >= self.rules.address_ttl);
            if is_stale {
                queue.address = None;
                self.enqueue(&name);
                continue;
            }
            if self.queues.get(&name).is_some_and(|queue| self.should_evict(queue, now)) {
                self.evict(&name, backlog);
                continue;
            }
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let kind = match self.limits.slot_kind(&queue.domain, ip, queue.average_duration) {
                Ok(kind) => kind,
                Err(group) => {
                    queue.enter(QueueState::Throttled);
                    self.limits.throttle(group, name, now);
                    continue;
                }
            };
            let Some(work) = self.take_work(&name, now, backlog)? else { continue };
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.slot = Some(self.limits.start_fetch(&name, &queue.domain, ip, kind, now));
            }
            self.addresses.start_fetch(ip);
            return Ok(Some(match work {
                Work::RobotsTxt(request) => NextStep::RobotsTxt(name, request),
                Work::Url(entry) => NextStep::Url(name, entry),
            }));
        }
        Ok(None)
    }

    /// Takes the work of a ready queue. A queue without work goes to the state that says why.
    fn take_work<B: Backlog>(
        &mut self,
        name: &QueueName,
        now: Instant,
        backlog: &B,
    ) -> Result<Option<Work<R>>, B::Error> {
        let Some(queue) = self.queues.get_mut(name) else { return Ok(None) };
        let (in_flight, lane_buffer) = (&mut self.in_flight_urls, self.rules.lane_buffer);
        let is_exhausted = self.domains.is_exhausted(queue);
        let mut taken = queue.take_work(name, in_flight, lane_buffer, is_exhausted, backlog)?;
        if matches!(taken, Taken::OverBudget) {
            // More domains may link to the host by now.
            let status = backlog.budget_status(name, &queue.sample_url)?;
            queue.budget = status.budget;
            queue.host_priority = status.host_priority;
            self.domains.update(&status);
            let is_exhausted = self.domains.is_exhausted(queue);
            taken = queue.take_work(name, in_flight, lane_buffer, is_exhausted, backlog)?;
        }
        match taken {
            Taken::Work(work) => {
                queue.enter(QueueState::InFlight);
                if let Work::Url(entry) = &work {
                    in_flight.insert(entry.url.clone());
                    queue.dispatch(now);
                    self.domains.update_requested(queue);
                    if entry.priority.is_new_page() {
                        queue.pages += 1;
                        self.domains.add_page(&queue.domain);
                    }
                }
                return Ok(Some(work));
            }
            Taken::Nothing if queue.awaits_robots => queue.enter(QueueState::AwaitingMovedRobots),
            Taken::Nothing => queue.enter(QueueState::Idle),
            Taken::OverBudget => queue.enter(QueueState::OverBudget),
        }
        Ok(None)
    }

    /// When to call again, given that there is nothing to do now.
    fn next_wakeup(&self, now: Instant) -> NextStep<R> {
        let free = self.addresses.next_free(now);
        let wakeup = self.wakeups.peek().map(|Reverse((until, _))| *until);
        let is_throttling = self.limits.throttled() > 0 || !self.unresolved.is_empty();
        let slow = if is_throttling { self.limits.next_overdue() } else { None };
        let free = free.into_iter().chain(slow).min();
        match (free, wakeup) {
            (Some(free), wakeup) => NextStep::Wait(wakeup.map_or(free, |wakeup| wakeup.min(free))),
            (None, Some(wakeup)) if self.awaited > 0 => NextStep::Wait(wakeup),
            _ if self.has_in_flight() => NextStep::Busy,
            _ => NextStep::Drained,
        }
    }

    fn wake_due(&mut self, now: Instant) {
        while let Some(Reverse((until, _))) = self.wakeups.peek()
            && *until <= now
            && let Some(Reverse((_, name))) = self.wakeups.pop()
        {
            if let Some(queue) = self.queues.get(&name) {
                debug_assert!(queue.state().has_wakeup(), "a queue wakes up in state {:?}", queue.state());
                self.awaited -= usize::from(queue.state() == QueueState::BackingOff);
            }
            self.enqueue(&name);
        }
    }

    /// The address that a queue is fetched from.
    pub fn address(&self, name: &QueueName) -> Option<IpAddr> {
        self.queues.get(name)?.address
    }

    /// Addresses that have work and no fetch in flight.
    pub fn ready_addresses(&self) -> usize {
        self.addresses.scheduled()
    }

    /// Fetches in flight, slow ones included.
    pub fn in_flight(&self) -> usize {
        self.limits.fetches()
    }

    pub fn slow_in_flight(&self) -> usize {
        self.limits.slow_fetches()
    }

    /// Queues that wait because their domain, their network or their kind of slot is at its limit.
    pub fn throttled(&self) -> usize {
        self.limits.throttled()
    }

    /// Whether a resolution or a fetch is in flight.
    pub fn has_in_flight(&self) -> bool {
        self.limits.fetches() + self.limits.resolutions() > 0
    }
}
