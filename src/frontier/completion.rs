//! Ends resolutions and fetches: the next state of their queues, and the disposition of their URLs.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::state::QueueState;
use super::{Backoff, Disposition, Frontier, QueueEntry, QueueName, Target};

impl<R> Frontier<R> {
    /// Excludes a wait from the duration of a queue's fetch, because this machine caused it and not the host.
    pub fn exclude_wait(&mut self, name: &QueueName, waited: Duration) {
        if let Some(slot) = self.queues.get_mut(name).and_then(|queue| queue.slot.as_mut()) {
            slot.started += waited;
        }
    }

    /// Ends a resolution: with an address, or with the backoff of a host that has none.
    pub fn finish_resolution(&mut self, name: &QueueName, now: Instant, found: Result<IpAddr, Backoff>) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        if let Some(slot) = queue.slot.take() {
            self.limits.finish_resolution(slot, &queue.domain, now);
        }
        match found {
            Ok(ip) => {
                queue.address = Some(ip);
                queue.resolved_at = Some(now);
                match queue.free_at {
                    // The delay belongs to the host, so it holds at a new address too.
                    Some(free_at) if free_at > now => self.back_off(name, free_at, QueueState::BackingOff),
                    _ => self.enqueue(name),
                }
            }
            Err(Backoff::Parked(length)) => self.back_off(name, now + length, QueueState::Parked),
            Err(Backoff::For(length)) => self.back_off(name, now + length, QueueState::BackingOff),
            Err(Backoff::None | Backoff::AwaitMovedRobots | Backoff::Resolve | Backoff::Held) => {
                self.enqueue(name);
            }
        }
    }

    /// Ends a fetch at `at`. Its address may be asked again after `delay`. `None` says that no request was
    /// made: then the address keeps its former time. The queue waits as `backoff` says.
    pub fn finish_fetch(&mut self, name: &QueueName, at: Instant, delay: Option<Duration>, backoff: Backoff) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let ip = queue.address;
        if let (Some(slot), Some(ip)) = (queue.slot.take(), ip) {
            let took = delay.map(|_| at.saturating_duration_since(slot.started));
            if let Some(took) = took {
                queue.average_duration =
                    Some(queue.average_duration.map_or(took, |average| (average + took) / 2));
            }
            self.limits.finish_fetch(slot, &queue.domain, ip, at, took);
        }
        let free_at = delay.map(|delay| at + delay);
        queue.free_at = free_at.or(queue.free_at);
        queue.awaits_robots |= backoff == Backoff::AwaitMovedRobots;
        if matches!(backoff, Backoff::For(_) | Backoff::Parked(_) | Backoff::Resolve) {
            // After a failure the host may be tried at another address.
            queue.address = None;
        }
        if let Some(ip) = ip {
            self.addresses.finish_fetch(ip, free_at);
        }
        match backoff {
            Backoff::AwaitMovedRobots if !queue.has_robots_requests() => {
                queue.enter(QueueState::AwaitingMovedRobots);
            }
            Backoff::None | Backoff::AwaitMovedRobots => self.enqueue(name),
            Backoff::Resolve => self.back_off(name, at, QueueState::BackingOff),
            Backoff::For(length) => self.back_off(name, at + length, QueueState::BackingOff),
            Backoff::Parked(length) => self.back_off(name, at + length, QueueState::Parked),
            Backoff::Held => queue.enter(QueueState::Idle),
        }
        if let Some(ip) = ip {
            self.addresses.reschedule(ip);
        }
    }

    /// Puts a URL that was dispatched but not fetched back to the front of its queue.
    pub fn requeue(&mut self, name: &QueueName, entry: QueueEntry) {
        self.in_flight_urls.remove(&entry.url);
        if let Some(queue) = self.queues.get_mut(name) {
            if entry.priority.is_new_page() {
                queue.pages -= 1;
                self.domains.refund_page(&queue.domain);
            }
            queue.requeue(entry);
            self.domains.update_requested(queue);
        }
    }

    /// Ends a queue's wait for a robots.txt.
    pub fn end_robots_wait(&mut self, name: &QueueName) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.awaits_robots = false;
            if queue.state() == QueueState::AwaitingMovedRobots {
                self.enqueue(name);
            }
        }
    }

    /// Ends the flight of a URL by its disposition. [`Disposition::Retry`] leaves it in the queue, whether or not a
    /// visit failed.
    pub fn complete(&mut self, entry: QueueEntry, disposition: Disposition) {
        let is_on_disk = self.in_flight_urls.remove(&entry.url);
        let name = QueueName::of(&entry.url);
        let Some(queue) = self.queues.get_mut(&name) else { return };
        queue.in_flight -= 1;
        queue.was_requested |= disposition.was_requested() && entry.target == Target::Page;
        self.domains.update_requested(queue);
        // A retry waits until the other URLs of its queue were dispatched.
        if is_on_disk || disposition == Disposition::Retry {
            queue.expect_more_on_disk();
        }
        if disposition != Disposition::Fetched && entry.priority.is_new_page() {
            queue.pages = queue.pages.saturating_sub(1);
            self.domains.refund_page(&queue.domain);
        }
        // The queue may go on when its URLs in flight had filled the budget, or with URLs that count towards
        // none.
        let is_exempt = disposition == Disposition::Retry && !entry.priority.is_new_page();
        if queue.state() == QueueState::OverBudget && (is_exempt || is_on_disk || queue.pages < queue.budget)
        {
            queue.enter(QueueState::Idle);
        }
        self.enqueue_if_idle(&name);
    }

    /// Gives up a URL in flight whose rows on disk are damaged. It stays on disk, and the frontier does not
    /// yield it again.
    pub fn skip(&mut self, entry: QueueEntry) {
        self.in_flight_urls.skip(entry.url.clone());
        self.complete(entry, Disposition::Withdrawn);
    }

    fn back_off(&mut self, name: &QueueName, until: Instant, state: QueueState) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.enter(state);
            self.awaited += usize::from(state == QueueState::BackingOff);
            self.wakeups.push(Reverse((until, name.clone())));
        }
    }
}
