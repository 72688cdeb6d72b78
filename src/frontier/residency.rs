//! Decides which queues are in memory: admission, eviction and pruning. [`super`] states the policy.

use std::cmp::Reverse;
use std::time::Instant;

use hashbrown::hash_map::Entry;

use super::host_queue::HostQueue;
use super::state::QueueState;
use super::{Arrival, Backlog, Frontier, Priority, QueueName};
use crate::urls::CanonicalUrl;

/// One queue in 16 is reserved for seeds. While queues wait on disk, as many again are kept free.
const RESERVED_FRACTION: usize = 16;

impl<R> Frontier<R> {
    /// Notes that a queue has new URLs on disk, and admits it if there is room. A queue that is not in memory
    /// stays unadmitted when memory is full, or when others wait on disk.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn admit_if_room<B: Backlog>(&mut self, arrival: &Arrival, backlog: &B) -> Result<(), B::Error> {
        let has_room = match arrival.priority {
            Priority::Seed => self.queues.len() < self.rules.max_queues,
            _ => !self.unadmitted && self.free_capacity() > 0,
        };
        if has_room || self.contains(&arrival.queue) {
            return self.admit(arrival, backlog);
        }
        self.unadmitted = true;
        Ok(())
    }

    /// Admits a queue that has URLs on disk, even if others wait.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn admit<B: Backlog>(&mut self, arrival: &Arrival, backlog: &B) -> Result<(), B::Error> {
        let Arrival { queue: name, url, priority } = arrival;
        self.get_or_load(name, url, backlog)?;
        if let Some(queue) = self.queues.get_mut(name) {
            queue.add_arrival(*priority);
            if queue.state() == QueueState::OverBudget
                && !(priority.is_new_page() && self.domains.is_exhausted(queue))
            {
                queue.enter(QueueState::Idle);
            }
        }
        self.enqueue_if_idle(name);
        Ok(())
    }

    pub(super) fn get_or_load<B: Backlog>(
        &mut self,
        name: &QueueName,
        sample_url: &CanonicalUrl,
        backlog: &B,
    ) -> Result<&mut HostQueue<R>, B::Error> {
        match self.queues.entry(name.clone()) {
            Entry::Occupied(entry) => Ok(entry.into_mut().as_mut()),
            Entry::Vacant(entry) => {
                let status = backlog.budget_status(name, sample_url)?;
                self.domains.add_queue(&status);
                Ok(entry.insert(Box::new(HostQueue::new(sample_url.clone(), &status))).as_mut())
            }
        }
    }

    /// How many more queues fit, seeds excepted.
    pub fn free_capacity(&self) -> usize {
        let unreserved = self.rules.max_queues - self.rules.max_queues / RESERVED_FRACTION;
        unreserved.saturating_sub(self.queues.len())
    }

    /// Whether queues with work wait on disk for admission.
    pub fn has_unadmitted(&self) -> bool {
        self.unadmitted
    }

    /// Notes that a queue with work waits on disk.
    pub fn mark_unadmitted(&mut self) {
        self.unadmitted = true;
    }

    /// Starts a new scan of the queues on disk. It finds again whether any queue is unadmitted.
    pub fn restart_scan(&mut self) {
        self.unadmitted = false;
    }

    /// Whether a ready queue leaves memory, so that others can enter.
    pub(super) fn should_evict(&self, queue: &HostQueue<R>, now: Instant) -> bool {
        self.unadmitted
            && self.free_capacity() <= self.rules.max_queues / RESERVED_FRACTION
            && !queue.has_robots_requests()
            && !queue.awaits_robots
            && queue.had_min_residency(&self.rules, now)
    }

    /// Evicts a ready queue; the delays of its host and its address have passed. A queue with URLs in flight
    /// becomes idle instead, and is evicted when it is ready again.
    pub(super) fn evict<B: Backlog>(&mut self, name: &QueueName, backlog: &B) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        queue.enter(QueueState::Idle);
        if queue.in_flight == 0
            && let Some(queue) = self.queues.remove(name)
            && self.domains.remove_queue(&queue.domain)
        {
            backlog.domain_evicted(&queue.domain);
        }
    }

    /// Removes queues without work, and addresses without queues and without a delay. The URLs of such queues
    /// stay on disk. Parked queues go only when memory is more than half full.
    pub fn prune<B: Backlog>(&mut self, now: Instant, backlog: &B) {
        let is_crowded = self.queues.len() * 2 > self.rules.max_queues;
        let domains = &mut self.domains;
        self.queues.retain(|_, queue| {
            let is_rested = queue.free_at.is_none_or(|at| at <= now);
            let is_idle = match queue.state() {
                QueueState::Idle | QueueState::OverBudget => is_rested,
                QueueState::Parked => is_crowded && is_rested,
                _ => false,
            };
            let keep = !is_idle || queue.in_flight > 0 || queue.awaits_robots || queue.has_robots_requests();
            if !keep && domains.remove_queue(&queue.domain) {
                backlog.domain_evicted(&queue.domain);
            }
            keep
        });
        let queues = &self.queues;
        self.wakeups.retain(|Reverse((_, name))| queues.contains_key(name));
        self.addresses.prune(now);
        self.limits.prune(now);
        self.debug_assert_invariants();
    }

    /// Checks in debug builds that the queues agree with the heap of wake-ups and with the URLs in flight.
    fn debug_assert_invariants(&self) {
        let count = |has: fn(&HostQueue<R>) -> bool| self.queues.values().filter(|queue| has(queue)).count();
        debug_assert_eq!(self.wakeups.len(), count(|queue| queue.state().has_wakeup()), "wake-ups");
        debug_assert_eq!(
            self.awaited,
            count(|queue| queue.state() == QueueState::BackingOff),
            "awaited queues"
        );
        let in_flight = || self.queues.values().map(|queue| queue.in_flight).sum::<usize>();
        debug_assert_eq!(self.in_flight_urls.len(), in_flight(), "URLs in flight");
    }

    /// Whether a queue is in memory.
    pub fn contains(&self, name: &QueueName) -> bool {
        self.queues.contains_key(name)
    }

    /// Whether the frontier handles all that a queue has on disk: it is in memory, and if it is over budget,
    /// its budget has not grown.
    pub fn needs_no_scan(&self, name: &QueueName) -> bool {
        let covers = |queue: &HostQueue<R>| {
            queue.state() != QueueState::OverBudget || self.domains.is_exhausted(queue)
        };
        self.queues.get(name).is_some_and(|queue| covers(queue))
    }

    /// Queues in memory.
    pub fn queue_count(&self) -> usize {
        self.queues.len()
    }
}
