//! The IP addresses that hosts are fetched from: the queues in line at each, and when it may next be asked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use hashbrown::HashMap;

use super::QueueName;

#[derive(Debug, Default)]
struct Address {
    line: VecDeque<QueueName>,
    /// When the next fetch may start.
    free_at: Option<Instant>,
    /// A fetch is in flight.
    is_busy: bool,
    /// Whether it is in one of the heaps.
    scheduled: bool,
    /// The greatest host priority in the line since it was last empty.
    host_priority: u8,
}

/// An address, and when it may be asked. `None` sorts before all times: the address was never asked.
type NextAt = Reverse<(Option<Instant>, IpAddr)>;

/// All addresses with queues in line or a delay to keep.
#[derive(Debug, Default)]
pub(super) struct AddressQueue {
    known: HashMap<IpAddr, Address>,
    /// By the time at which they may be asked.
    waiting: BinaryHeap<NextAt>,
    /// Those that may be asked now: the greatest host priority first, then the longest wait.
    free: BinaryHeap<(u8, NextAt)>,
}

impl AddressQueue {
    /// Puts a queue into the line of an address.
    pub(super) fn enqueue(&mut self, ip: IpAddr, name: QueueName, host_priority: u8) {
        let address = self.known.entry(ip).or_default();
        address.host_priority =
            if address.line.is_empty() { host_priority } else { address.host_priority.max(host_priority) };
        address.line.push_back(name);
        self.schedule(ip);
    }

    /// Puts an address into the heap if it has queues and no fetch in flight.
    fn schedule(&mut self, ip: IpAddr) {
        if let Some(address) = self.known.get_mut(&ip)
            && !address.is_busy
            && !address.scheduled
            && !address.line.is_empty()
        {
            address.scheduled = true;
            self.waiting.push(Reverse((address.free_at, ip)));
        }
    }

    /// Takes an address that may be asked at `now` out of the heaps.
    pub(super) fn pop_free(&mut self, now: Instant) -> Option<IpAddr> {
        while let Some(&Reverse((free_at, ip))) = self.waiting.peek()
            && free_at.is_none_or(|at| at <= now)
        {
            self.waiting.pop();
            let host_priority = self.known.get(&ip).map_or(0, |address| address.host_priority);
            self.free.push((host_priority, Reverse((free_at, ip))));
        }
        let (_, Reverse((_, ip))) = self.free.pop()?;
        if let Some(address) = self.known.get_mut(&ip) {
            address.scheduled = false;
        }
        Some(ip)
    }

    /// Takes the first queue in the line of an address.
    pub(super) fn pop_queue(&mut self, ip: IpAddr) -> Option<QueueName> {
        self.known.get_mut(&ip)?.line.pop_front()
    }

    /// A fetch starts.
    pub(super) fn start_fetch(&mut self, ip: IpAddr) {
        if let Some(address) = self.known.get_mut(&ip) {
            address.is_busy = true;
        }
    }

    /// A fetch ends. Without a time, the address keeps its former one.
    pub(super) fn finish_fetch(&mut self, ip: IpAddr, free_at: Option<Instant>) {
        if let Some(address) = self.known.get_mut(&ip) {
            address.is_busy = false;
            address.free_at = free_at.or(address.free_at);
        }
    }

    /// Schedules an address after [`Self::finish_fetch`], once its queue is in the next state.
    pub(super) fn reschedule(&mut self, ip: IpAddr) {
        self.schedule(ip);
    }

    /// When the first address that has to wait may be asked.
    pub(super) fn next_free(&self, now: Instant) -> Option<Instant> {
        if !self.free.is_empty() {
            return Some(now);
        }
        self.waiting.peek().map(|Reverse((free_at, _))| free_at.unwrap_or(now))
    }

    /// Addresses with queues in line and no fetch in flight.
    pub(super) fn scheduled(&self) -> usize {
        self.waiting.len() + self.free.len()
    }

    /// Removes the addresses without queues whose delay has passed.
    pub(super) fn prune(&mut self, now: Instant) {
        self.known.retain(|_, address| {
            address.is_busy
                || address.scheduled
                || !address.line.is_empty()
                || address.free_at.is_some_and(|at| at > now)
        });
    }
}
