//! The queues' lines: whose turn is it now, and if nobody's, when.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::queue::{HostQueue, Place, Work};
use super::{Backlog, Fate, QueueName, QueuedUrl};
use crate::urls::CanonicalUrl;

/// What the configuration says about turns.
#[derive(Clone, Copy, Debug)]
pub struct FrontierRules {
    /// Resolutions under way at once.
    pub resolvers: usize,
    /// URLs of one queue held in memory.
    pub window: usize,
    /// URLs of a queue that may be fetched, over all crawls.
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
    /// URLs handed out whose fate is not known yet, and whether word came meanwhile that they are queued: either
    /// old news of a URL that was read from disk before, or the URL was stored and is queued once more.
    taken: FxHashMap<CanonicalUrl, bool>,
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
            taken: FxHashMap::default(),
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
            if let Some(queued_again) = self.taken.get_mut(&queued.url) {
                *queued_again = true;
                continue;
            }
            let name = QueueName::of(&queued.url);
            let url = queued.url.clone();
            self.queue(&name, &url, backlog)?.push(queued, window);
            self.offer(&name);
        }
        Ok(())
    }

    /// Asks for an errand at the host of `url`. Gives it back when that host is dormant: see [`Self::give_up`].
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
        if queue.place == Place::Dormant {
            return Ok(Some(errand));
        }
        queue.push_errand(errand);
        // What keeps a queue's own pages does not keep an errand that others wait for.
        if matches!(queue.place, Place::Idle | Place::Waiting | Place::Spent) {
            self.line_up(&name);
        }
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
        loop {
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
            // An address too old to go by sends its queue back to the start.
            if self.unresolved.is_empty() || self.resolving >= self.rules.resolvers {
                return Ok(self.idle(now));
            }
        }
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
            let Some(work) = queue.take(&name, &self.taken, &self.rules, backlog)? else {
                queue.place = queue.rest(&self.rules);
                continue;
            };
            queue.place = Place::Turn;
            queue.fetches += u64::from(matches!(work, Work::Page(_)));
            self.turns += 1;
            if let Some(address) = self.addresses.get_mut(&ip) {
                address.busy = true;
            }
            return Ok(Some(match work {
                Work::Errand(errand) => Next::Errand(name, errand),
                Work::Page(queued) => {
                    self.taken.insert(queued.url.clone(), false);
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
                match queue.free_at {
                    // The pause is the host's too, also when it has moved.
                    Some(free_at) if free_at > now => self.sleep(name, free_at, Place::Asleep),
                    _ => self.line_up(name),
                }
            }
            Err(dormant) => self.sleep(name, now + dormant, Place::Dormant),
        }
    }

    /// A turn ended at `at`. Its address may be asked again after `delay`; `None` when no request was made, so that
    /// the address stands as it did. The queue goes on as `pause` says.
    pub fn ended(&mut self, name: &QueueName, at: Instant, delay: Option<Duration>, pause: Pause) {
        self.turns -= 1;
        let Some(queue) = self.queues.get_mut(name) else { return };
        let ip = queue.address;
        let free_at = delay.map(|delay| at + delay);
        queue.free_at = free_at.or(queue.free_at);
        queue.waits |= pause == Pause::Waiting;
        if matches!(pause, Pause::For(_) | Pause::Dormant(_)) {
            // After a failure the host may be tried at another address.
            queue.address = None;
        }
        if let Some(address) = ip.and_then(|ip| self.addresses.get_mut(&ip)) {
            address.busy = false;
            address.free_at = free_at.or(address.free_at);
        }
        match pause {
            Pause::Waiting if !queue.has_errands() => queue.place = Place::Waiting,
            Pause::None | Pause::Waiting => self.line_up(name),
            Pause::For(length) => self.sleep(name, at + length, Place::Asleep),
            Pause::Dormant(length) => self.sleep(name, at + length, Place::Dormant),
        }
        if let Some(ip) = ip {
            self.raise(ip);
        }
    }

    /// Puts a page that was handed out, but not fetched, back to the front of its queue.
    pub fn put_back(&mut self, name: &QueueName, queued: QueuedUrl) {
        self.taken.remove(&queued.url);
        if let Some(queue) = self.queues.get_mut(name) {
            queue.fetches -= 1;
            queue.put_back(queued);
        }
    }

    /// Ends a queue's wait for an errand.
    pub fn resume(&mut self, name: &QueueName) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.waits = false;
            if queue.place == Place::Waiting {
                self.line_up(name);
            }
        }
    }

    /// Ends a queue's wait for an errand that cannot be run: the queue is dormant from `now` for so long.
    pub fn give_up(&mut self, name: &QueueName, now: Instant, length: Duration) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.waits = false;
            if queue.place == Place::Waiting {
                self.sleep(name, now + length, Place::Dormant);
            }
        }
    }

    /// The fate of a URL that was handed out is stored.
    pub fn stored(&mut self, queued: QueuedUrl, fate: Fate) {
        let queued_again = self.taken.remove(&queued.url).unwrap_or(false);
        let name = QueueName::of(&queued.url);
        let Some(queue) = self.queues.get_mut(&name) else { return };
        if queued_again {
            queue.look_on_disk();
        }
        if fate != Fate::Fetched {
            queue.fetches -= 1;
        }
        if fate == Fate::Again {
            queue.push(queued, self.rules.window);
        }
        if queue.place == Place::Spent && queue.rest(&self.rules) == Place::Idle {
            queue.place = Place::Idle;
        }
        self.offer(&name);
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
