//! The queues' lines: whose turn is it now, and if nobody's, when.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use super::queue::{HostQueue, Place, Work};
use super::{Backlog, QueueName, QueuedUrl};
use crate::urls::CanonicalUrl;

/// What the configuration says about turns.
#[derive(Clone, Copy, Debug)]
pub struct FrontierRules {
    /// Resolutions under way at once.
    pub resolvers: usize,
    /// URLs of one queue held in memory.
    pub window: usize,
    /// Fetches a queue may have, over all crawls.
    pub max_fetches: u64,
    /// How long a found address is gone by.
    pub address_ttl: Duration,
}

/// What to do now. `E` is an errand.
#[derive(Debug)]
pub enum Next<E> {
    /// Find the address of this URL's host, then call [`Frontier::resolved`].
    Resolve(QueueName, CanonicalUrl),
    /// Fetch this page, then call [`Frontier::ended`].
    Page(QueueName, QueuedUrl),
    /// Run this errand, then call [`Frontier::ended`].
    Errand(QueueName, E),
    /// Nothing before this time, unless something ends earlier.
    Wait(Instant),
    /// Nothing until something under way ends.
    Busy,
    /// Nothing at all: what is left on disk is dormant.
    Drained,
}

/// How a queue goes on after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// As usual.
    None,
    /// The host is left alone for this long.
    For(Duration),
    /// The queue waits until [`Frontier::resume`] is called.
    Waiting,
    /// The host is given up for this long: the crawl may end without it.
    Dormant(Duration),
}

#[derive(Debug, Default)]
struct Address {
    line: VecDeque<QueueName>,
    /// When the next turn may begin.
    free_at: Option<Instant>,
    /// A turn is under way.
    busy: bool,
    in_heap: bool,
}

/// All queues with work, and the addresses they take turns at.
#[derive(Debug)]
pub struct Frontier<E> {
    rules: FrontierRules,
    queues: FxHashMap<QueueName, HostQueue<E>>,
    unresolved: VecDeque<QueueName>,
    addresses: FxHashMap<IpAddr, Address>,
    /// By the time they may be asked; `None`, before all times, for those never asked yet.
    heap: BinaryHeap<Reverse<(Option<Instant>, IpAddr)>>,
    asleep: BinaryHeap<Reverse<(Instant, QueueName)>>,
    /// Queues asleep that the crawl waits for.
    awaited: usize,
    /// Resolutions under way.
    resolving: usize,
    /// Turns under way.
    turns: usize,
    /// URLs handed out whose pages are not stored yet: they still stand on disk.
    taken: FxHashSet<CanonicalUrl>,
}

impl<E> Frontier<E> {
    pub fn new(rules: FrontierRules) -> Self {
        Self {
            rules,
            queues: FxHashMap::default(),
            unresolved: VecDeque::new(),
            addresses: FxHashMap::default(),
            heap: BinaryHeap::new(),
            asleep: BinaryHeap::new(),
            awaited: 0,
            resolving: 0,
            turns: 0,
            taken: FxHashSet::default(),
        }
    }

    /// Takes in a queue that an earlier crawl left on disk.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn restore<B: Backlog>(&mut self, name: QueueName, backlog: &B) -> Result<(), B::Error> {
        let Some(first) = backlog.queued(&name, None, 1)?.pop() else { return Ok(()) };
        self.queue(&name, &first.url, backlog)?.look_on_disk();
        self.offer(&name);
        Ok(())
    }

    /// Takes in URLs that were just queued on disk.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn queued<B: Backlog>(&mut self, urls: Vec<QueuedUrl>, backlog: &B) -> Result<(), B::Error> {
        let window = self.rules.window;
        for queued in urls {
            let name = QueueName::of(&queued.url);
            let url = queued.url.clone();
            self.queue(&name, &url, backlog)?.push(queued, window);
            self.offer(&name);
        }
        Ok(())
    }

    /// Asks for an errand at the host of `url`. Gives it back when that host is dormant: nobody need wait for it.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn errand<B: Backlog>(
        &mut self,
        url: &CanonicalUrl,
        errand: E,
        backlog: &B,
    ) -> Result<Option<E>, B::Error> {
        let name = QueueName::of(url);
        let queue = self.queue(&name, url, backlog)?;
        match queue.place {
            Place::Dormant => return Ok(Some(errand)),
            // Fetches of pages are used up; a robots.txt that others wait for is not one.
            Place::Spent => queue.place = Place::Idle,
            _ => {}
        }
        queue.push_errand(errand);
        self.offer(&name);
        Ok(None)
    }

    /// Takes back the errands that wait for a turn of this queue.
    pub fn take_errands(&mut self, name: &QueueName) -> Vec<E> {
        self.queues.get_mut(name).map_or_else(Vec::new, HostQueue::take_errands)
    }

    fn queue<B: Backlog>(
        &mut self,
        name: &QueueName,
        sample: &CanonicalUrl,
        backlog: &B,
    ) -> Result<&mut HostQueue<E>, B::Error> {
        if !self.queues.contains_key(name) {
            let queue = HostQueue::new(sample.clone(), backlog.fetches_of(name)?);
            self.queues.insert(name.clone(), queue);
        }
        Ok(self.queues.entry(name.clone()).or_insert_with(|| HostQueue::new(sample.clone(), 0)))
    }

    /// Puts an idle queue into a line.
    fn offer(&mut self, name: &QueueName) {
        if let Some(queue) = self.queues.get_mut(name)
            && queue.place == Place::Idle
        {
            self.line_up(name);
        }
    }

    /// Puts a queue into its address's line, or into the line of those whose address is to be found.
    fn line_up(&mut self, name: &QueueName) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        match queue.address {
            Some(ip) => {
                queue.place = Place::Ready;
                self.addresses.entry(ip).or_default().line.push_back(name.clone());
                self.raise(ip);
            }
            None => {
                queue.place = Place::Unresolved;
                self.unresolved.push_back(name.clone());
            }
        }
    }

    /// Puts an address into the heap, if somebody is in its line and no turn is under way.
    fn raise(&mut self, ip: IpAddr) {
        if let Some(address) = self.addresses.get_mut(&ip)
            && !address.busy
            && !address.in_heap
            && !address.line.is_empty()
        {
            address.in_heap = true;
            self.heap.push(Reverse((address.free_at, ip)));
        }
    }

    /// What to do at `now`. Work that is handed out must be ended by one of the calls [`Next`] names.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn next<B: Backlog>(&mut self, now: Instant, backlog: &B) -> Result<Next<E>, B::Error> {
        self.wake(now);
        if self.resolving < self.rules.resolvers
            && let Some(name) = self.unresolved.pop_front()
            && let Some(queue) = self.queues.get_mut(&name)
        {
            queue.place = Place::Resolving;
            self.resolving += 1;
            return Ok(Next::Resolve(name, queue.sample.clone()));
        }
        while let Some(&Reverse((free_at, ip))) = self.heap.peek() {
            if free_at.is_some_and(|at| at > now) {
                break;
            }
            self.heap.pop();
            if let Some(next) = self.turn_at(ip, now, backlog)? {
                return Ok(next);
            }
        }
        if self.resolving < self.rules.resolvers && !self.unresolved.is_empty() {
            return Ok(Next::Wait(now));
        }
        Ok(self.idle(now))
    }

    /// Gives the turn at an address to the first in its line that has work.
    fn turn_at<B: Backlog>(
        &mut self,
        ip: IpAddr,
        now: Instant,
        backlog: &B,
    ) -> Result<Option<Next<E>>, B::Error> {
        if let Some(address) = self.addresses.get_mut(&ip) {
            address.in_heap = false;
        }
        while let Some(name) = self.addresses.get_mut(&ip).and_then(|address| address.line.pop_front()) {
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let stale = queue.resolved_at.is_none_or(|at| now.duration_since(at) >= self.rules.address_ttl);
            if stale {
                queue.address = None;
                self.line_up(&name);
                continue;
            }
            let Some(work) = queue.take(&name, &self.taken, self.rules.window, backlog)? else {
                queue.place = Place::Idle;
                continue;
            };
            if matches!(work, Work::Page(_)) && queue.fetches >= self.rules.max_fetches {
                queue.place = Place::Spent;
                continue;
            }
            queue.place = Place::Turn;
            self.turns += 1;
            if let Some(address) = self.addresses.get_mut(&ip) {
                address.busy = true;
            }
            return Ok(Some(match work {
                Work::Errand(errand) => Next::Errand(name, errand),
                Work::Page(queued) => {
                    self.taken.insert(queued.url.clone());
                    Next::Page(name, queued)
                }
            }));
        }
        Ok(None)
    }

    /// When to ask again, given that there is nothing to do now.
    fn idle(&self, now: Instant) -> Next<E> {
        let free = self.heap.peek().map(|Reverse((free_at, _))| free_at.unwrap_or(now));
        let woken = self.asleep.peek().map(|Reverse((until, _))| *until);
        match (free, woken) {
            (Some(free), woken) => Next::Wait(woken.map_or(free, |woken| woken.min(free))),
            (None, Some(woken)) if self.awaited > 0 => Next::Wait(woken),
            _ if self.turns + self.resolving > 0 => Next::Busy,
            _ => Next::Drained,
        }
    }

    fn wake(&mut self, now: Instant) {
        while let Some(Reverse((until, _))) = self.asleep.peek()
            && *until <= now
            && let Some(Reverse((_, name))) = self.asleep.pop()
        {
            if let Some(queue) = self.queues.get(&name) {
                self.awaited -= usize::from(queue.place == Place::Asleep);
            }
            self.line_up(&name);
        }
    }

    /// The address of a queue's host was found; or it was not, and the queue is dormant for so long.
    pub fn resolved(&mut self, name: &QueueName, now: Instant, found: Result<IpAddr, Duration>) {
        self.resolving -= 1;
        let Some(queue) = self.queues.get_mut(name) else { return };
        match found {
            Ok(ip) => {
                queue.address = Some(ip);
                queue.resolved_at = Some(now);
                self.line_up(name);
            }
            Err(dormant) => self.sleep(name, now + dormant, Place::Dormant),
        }
    }

    /// A turn ended at `at`. Its address may be asked again after `delay`; `None` when no request was made, so that
    /// the address stands as it did. The queue goes on as `pause` says.
    pub fn ended(&mut self, name: &QueueName, at: Instant, delay: Option<Duration>, pause: Pause) {
        self.turns -= 1;
        let ip = self.queues.get(name).and_then(|queue| queue.address);
        if let Some(address) = ip.and_then(|ip| self.addresses.get_mut(&ip)) {
            address.busy = false;
            if let Some(delay) = delay {
                address.free_at = Some(at + delay);
            }
        }
        match pause {
            Pause::None => self.line_up(name),
            Pause::For(length) => self.sleep(name, at + length, Place::Asleep),
            Pause::Dormant(length) => self.sleep(name, at + length, Place::Dormant),
            Pause::Waiting => {
                if let Some(queue) = self.queues.get_mut(name) {
                    queue.place = Place::Waiting;
                }
            }
        }
        if let Some(ip) = ip {
            self.raise(ip);
        }
    }

    /// Puts a page that was handed out, but not fetched, back to the front of its queue.
    pub fn put_back(&mut self, name: &QueueName, queued: QueuedUrl) {
        self.taken.remove(&queued.url);
        if let Some(queue) = self.queues.get_mut(name) {
            queue.put_back(queued);
        }
    }

    /// Ends a queue's wait for an errand.
    pub fn resume(&mut self, name: &QueueName) {
        if self.queues.get(name).is_some_and(|queue| queue.place == Place::Waiting) {
            self.line_up(name);
        }
    }

    /// The page's record is stored and its URL is off the queue (or `again` on it, with one more attempt).
    pub fn stored(&mut self, queued: QueuedUrl, again: bool) {
        self.taken.remove(&queued.url);
        let name = QueueName::of(&queued.url);
        if let Some(queue) = self.queues.get_mut(&name) {
            if again {
                queue.push(queued, self.rules.window);
                self.offer(&name);
            } else {
                queue.fetches += 1;
            }
        }
    }

    fn sleep(&mut self, name: &QueueName, until: Instant, place: Place) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.place = place;
            self.awaited += usize::from(place == Place::Asleep);
            self.asleep.push(Reverse((until, name.clone())));
        }
    }

    /// Addresses that could be asked now or later without anything else happening.
    pub fn ready_addresses(&self) -> usize {
        self.heap.len()
    }

    /// Queues known.
    pub fn queues(&self) -> usize {
        self.queues.len()
    }

    /// Turns under way.
    pub fn turns(&self) -> usize {
        self.turns
    }

    /// Whether a resolution or a turn is under way.
    pub fn is_busy(&self) -> bool {
        self.turns + self.resolving > 0
    }
}
