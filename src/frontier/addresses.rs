//! The addresses that hosts are fetched from: who is in line at each, and when it may next be asked.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::QueueName;

#[derive(Debug, Default)]
struct Address {
    line: VecDeque<QueueName>,
    /// When the next turn may begin.
    free_at: Option<Instant>,
    /// A turn is under way.
    busy: bool,
    /// In one of the heaps.
    listed: bool,
    /// The greatest merit in the line since it was last empty.
    merit: u8,
}

/// An address, and when it may be asked; `None`, before all times, for one never asked yet.
type Since = Reverse<(Option<Instant>, IpAddr)>;

/// All addresses with somebody in line or a time to wait for.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    known: FxHashMap<IpAddr, Address>,
    /// By the time they may be asked.
    waiting: BinaryHeap<Since>,
    /// Those that may be asked now: the greatest merit first, then who has waited longest.
    free: BinaryHeap<(u8, Since)>,
}

impl Addresses {
    /// Puts a queue into an address's line.
    pub fn line_up(&mut self, ip: IpAddr, name: QueueName, merit: u8) {
        let address = self.known.entry(ip).or_default();
        address.merit = if address.line.is_empty() { merit } else { address.merit.max(merit) };
        address.line.push_back(name);
        self.list(ip);
    }

    /// Lists an address, if somebody is in its line and no turn is under way.
    fn list(&mut self, ip: IpAddr) {
        if let Some(address) = self.known.get_mut(&ip)
            && !address.busy
            && !address.listed
            && !address.line.is_empty()
        {
            address.listed = true;
            self.waiting.push(Reverse((address.free_at, ip)));
        }
    }

    /// Takes an address that may be asked at `now` off the list.
    pub fn pop_free(&mut self, now: Instant) -> Option<IpAddr> {
        while let Some(&Reverse((free_at, ip))) = self.waiting.peek()
            && free_at.is_none_or(|at| at <= now)
        {
            self.waiting.pop();
            let merit = self.known.get(&ip).map_or(0, |address| address.merit);
            self.free.push((merit, Reverse((free_at, ip))));
        }
        let (_, Reverse((_, ip))) = self.free.pop()?;
        if let Some(address) = self.known.get_mut(&ip) {
            address.listed = false;
        }
        Some(ip)
    }

    /// Takes the first in an address's line.
    pub fn pop_line(&mut self, ip: IpAddr) -> Option<QueueName> {
        self.known.get_mut(&ip)?.line.pop_front()
    }

    /// A turn begins.
    pub fn begin(&mut self, ip: IpAddr) {
        if let Some(address) = self.known.get_mut(&ip) {
            address.busy = true;
        }
    }

    /// The turn is over. Without a time the address may be asked when it could have been before.
    pub fn end(&mut self, ip: IpAddr, free_at: Option<Instant>) {
        if let Some(address) = self.known.get_mut(&ip) {
            address.busy = false;
            address.free_at = free_at.or(address.free_at);
        }
    }

    /// Lists an address again after [`Self::end`], once its queue has gone where it goes.
    pub fn relist(&mut self, ip: IpAddr) {
        self.list(ip);
    }

    /// When the first of those that cannot be asked yet can be.
    pub fn next_free(&self, now: Instant) -> Option<Instant> {
        if !self.free.is_empty() {
            return Some(now);
        }
        self.waiting.peek().map(|Reverse((free_at, _))| free_at.unwrap_or(now))
    }

    /// Addresses with somebody in line and no turn under way.
    pub fn listed(&self) -> usize {
        self.waiting.len() + self.free.len()
    }

    /// Forgets the addresses that nobody waits for and that may be asked.
    pub fn prune(&mut self, now: Instant) {
        self.known.retain(|_, address| {
            address.busy
                || address.listed
                || !address.line.is_empty()
                || address.free_at.is_some_and(|at| at > now)
        });
    }
}
