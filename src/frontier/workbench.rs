//! The queues' lines: whose turn is it now, and if nobody's, when.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::addresses::Addresses;
use super::budget::Domains;
use super::queue::{HostQueue, Place, Taken, Work};
use super::shares::Shares;
use super::{Backlog, Fate, QueueName, QueuedUrl, Target};
use crate::urls::CanonicalUrl;

/// What the configuration says about turns.
#[derive(Clone, Copy, Debug)]
pub struct FrontierRules {
    /// Turns under way at once that are not slow yet, and those that are.
    pub fetchers: usize,
    pub slow_fetchers: usize,
    /// How long a turn, or a resolution, may take before it is slow.
    pub slow_after: Duration,
    /// Resolutions under way at once that are not slow yet.
    pub resolvers: usize,
    /// URLs of each lane of a queue held in memory.
    pub window: usize,
    /// Queues in memory.
    pub max_queues: usize,
    /// How long a queue goes on, once it has had a URL, before it makes room for others. One that has had a window of
    /// URLs goes earlier.
    pub share: Duration,
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

/// All queues with work, and the addresses they take turns at.
#[derive(Debug)]
pub struct Frontier<E> {
    pub(super) rules: FrontierRules,
    /// Boxed, because the map keeps room for up to twice as many as there are.
    pub(super) queues: FxHashMap<QueueName, Box<HostQueue<E>>>,
    unresolved: VecDeque<QueueName>,
    pub(super) domains: Domains,
    pub(super) addresses: Addresses,
    pub(super) asleep: BinaryHeap<Reverse<(Instant, QueueName)>>,
    /// Queues asleep that the crawl waits for.
    awaited: usize,
    /// What is under way, and who may begin.
    pub(super) shares: Shares,
    /// URLs handed out whose fate is not known yet, and whether the disk was seen to hold them meanwhile: either
    /// because their fate is not stored yet, or because they are queued once more.
    taken: FxHashMap<CanonicalUrl, bool>,
    /// Whether queues with work wait on disk for a place.
    pub(super) left_out: bool,
}

impl<E> Frontier<E> {
    pub fn new(rules: FrontierRules) -> Self {
        Self {
            rules,
            queues: FxHashMap::default(),
            unresolved: VecDeque::new(),
            domains: Domains::default(),
            addresses: Addresses::default(),
            asleep: BinaryHeap::new(),
            awaited: 0,
            shares: Shares::new(rules),
            taken: FxHashMap::default(),
            left_out: false,
        }
    }

    /// Asks for an errand at the host of `url`. Gives it back when that host is dormant.
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
        self.queues.get_mut(name).map_or_else(Vec::new, |queue| queue.take_errands())
    }

    /// Puts an idle queue into a line.
    pub(super) fn offer(&mut self, name: &QueueName) {
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
                self.addresses.line_up(ip, name.clone(), queue.merit);
            }
            None => {
                queue.place = Place::Unresolved;
                self.unresolved.push_back(name.clone());
            }
        }
    }

    /// What to do at `now`. Work that is handed out must be ended by one of the calls [`Next`] names.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn next<B: Backlog>(&mut self, now: Instant, backlog: &B) -> Result<Next<E>, B::Error> {
        self.wake(now);
        self.shares.slow_down(now, &mut self.queues);
        loop {
            if let Some(next) = self.resolve_next(now) {
                return Ok(next);
            }
            while let Some(ip) = self.addresses.pop_free(now) {
                if let Some(next) = self.turn_at(ip, now, backlog)? {
                    return Ok(next);
                }
            }
            if let Some(name) = self.shares.call_in() {
                self.line_up(&name);
                continue;
            }
            // An address too old to go by sends its queue back to the start.
            if self.unresolved.is_empty() || !self.shares.has_resolver() {
                return Ok(self.idle(now));
            }
        }
    }

    /// The next resolution, of a domain that has room for it.
    fn resolve_next(&mut self, now: Instant) -> Option<Next<E>> {
        while self.shares.has_resolver() {
            let name = self.unresolved.pop_front()?;
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            if let Err(group) = self.shares.admit_name(&queue.domain) {
                queue.place = Place::Held;
                self.shares.wait(group, name, now);
                continue;
            }
            queue.place = Place::Resolving;
            queue.turn = Some(self.shares.begin_name(&name, &queue.domain, now));
            return Some(Next::Resolve(name, queue.sample.clone()));
        }
        None
    }

    /// Whether a turn may begin at `now`: without a place, [`Self::next`] must not be called.
    pub fn has_place(&mut self, now: Instant) -> bool {
        self.shares.slow_down(now, &mut self.queues);
        self.shares.has_place()
    }

    /// Gives the turn at an address to the first in its line that has work.
    fn turn_at<B: Backlog>(
        &mut self,
        ip: IpAddr,
        now: Instant,
        backlog: &B,
    ) -> Result<Option<Next<E>>, B::Error> {
        while let Some(name) = self.addresses.pop_line(ip) {
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let stale = queue.resolved_at.is_none_or(|at| now.duration_since(at) >= self.rules.address_ttl);
            if stale {
                queue.address = None;
                self.line_up(&name);
                continue;
            }
            if self.queues.get(&name).is_some_and(|queue| self.makes_room(queue, now)) {
                self.make_room(&name, backlog);
                continue;
            }
            let Some(queue) = self.queues.get_mut(&name) else { continue };
            let kind = match self.shares.admit(&queue.domain, ip, queue.lately) {
                Ok(kind) => kind,
                Err(group) => {
                    queue.place = Place::Held;
                    self.shares.wait(group, name, now);
                    continue;
                }
            };
            let Some(work) = self.take(&name, now, backlog)? else { continue };
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.turn = Some(self.shares.begin(&name, &queue.domain, ip, kind, now));
            }
            self.addresses.begin(ip);
            return Ok(Some(match work {
                Work::Errand(errand) => Next::Errand(name, errand),
                Work::Page(queued) => Next::Page(name, queued),
            }));
        }
        Ok(None)
    }

    /// The work of a queue whose turn it is. Without any, the queue goes where it rests.
    fn take<B: Backlog>(
        &mut self,
        name: &QueueName,
        now: Instant,
        backlog: &B,
    ) -> Result<Option<Work<E>>, B::Error> {
        let Some(queue) = self.queues.get_mut(name) else { return Ok(None) };
        let is_spent = self.domains.is_spent(queue);
        let mut taken = queue.take(name, &mut self.taken, self.rules.window, is_spent, backlog)?;
        if matches!(taken, Taken::OverBudget) {
            // Others may link to the host by now.
            let standing = backlog.standing(name, &queue.sample)?;
            queue.budget = standing.budget;
            queue.merit = standing.merit;
            self.domains.renew(&standing);
            let is_spent = self.domains.is_spent(queue);
            taken = queue.take(name, &mut self.taken, self.rules.window, is_spent, backlog)?;
        }
        match taken {
            Taken::Work(work) => {
                queue.place = Place::Turn;
                if let Work::Page(queued) = &work {
                    self.taken.insert(queued.url.clone(), false);
                    queue.hand_out(now);
                    self.domains.count(queue);
                    if queued.priority.is_new_page() {
                        queue.pages += 1;
                        self.domains.add_page(&queue.domain);
                    }
                }
                return Ok(Some(work));
            }
            Taken::Nothing if queue.waits => queue.place = Place::Waiting,
            Taken::Nothing => queue.place = Place::Idle,
            Taken::OverBudget => queue.place = Place::Spent,
        }
        Ok(None)
    }

    /// When to ask again, given that there is nothing to do now.
    fn idle(&self, now: Instant) -> Next<E> {
        let free = self.addresses.next_free(now);
        let woken = self.asleep.peek().map(|Reverse((until, _))| *until);
        let is_kept_waiting = self.shares.waiting() > 0 || !self.unresolved.is_empty();
        let slow = if is_kept_waiting { self.shares.next_slow() } else { None };
        let free = free.into_iter().chain(slow).min();
        match (free, woken) {
            (Some(free), woken) => Next::Wait(woken.map_or(free, |woken| woken.min(free))),
            (None, Some(woken)) if self.awaited > 0 => Next::Wait(woken),
            _ if self.is_busy() => Next::Busy,
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

    /// The address at which a queue has its turn.
    pub fn address(&self, name: &QueueName) -> Option<IpAddr> {
        self.queues.get(name)?.address
    }

    /// The address of a queue's host was found; or it was not, and the queue is asleep or dormant for so long.
    pub fn resolved(&mut self, name: &QueueName, now: Instant, found: Result<IpAddr, Pause>) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        if let Some(turn) = queue.turn.take() {
            self.shares.end_name(turn, &queue.domain, now);
        }
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
            Err(Pause::Dormant(length)) => self.sleep(name, now + length, Place::Dormant),
            Err(Pause::For(length)) => self.sleep(name, now + length, Place::Asleep),
            Err(Pause::None | Pause::Waiting) => self.line_up(name),
        }
    }

    /// A turn ended at `at`. Its address may be asked again after `delay`; `None` when no request was made, so that
    /// the address stands as it did. The queue goes on as `pause` says.
    pub fn ended(&mut self, name: &QueueName, at: Instant, delay: Option<Duration>, pause: Pause) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        let ip = queue.address;
        if let (Some(turn), Some(ip)) = (queue.turn.take(), ip) {
            let took = delay.map(|_| at.saturating_duration_since(turn.began));
            if let Some(took) = took {
                queue.lately = Some(queue.lately.map_or(took, |lately| (lately + took) / 2));
            }
            self.shares.end(turn, &queue.domain, ip, at, took);
        }
        let free_at = delay.map(|delay| at + delay);
        queue.free_at = free_at.or(queue.free_at);
        queue.waits |= pause == Pause::Waiting;
        if matches!(pause, Pause::For(_) | Pause::Dormant(_)) {
            // After a failure the host may be tried at another address.
            queue.address = None;
        }
        if let Some(ip) = ip {
            self.addresses.end(ip, free_at);
        }
        match pause {
            Pause::Waiting if !queue.has_errands() => queue.place = Place::Waiting,
            Pause::None | Pause::Waiting => self.line_up(name),
            Pause::For(length) => self.sleep(name, at + length, Place::Asleep),
            Pause::Dormant(length) => self.sleep(name, at + length, Place::Dormant),
        }
        if let Some(ip) = ip {
            self.addresses.relist(ip);
        }
    }

    /// Puts a page that was handed out, but not fetched, back to the front of its queue.
    pub fn put_back(&mut self, name: &QueueName, queued: QueuedUrl) {
        self.taken.remove(&queued.url);
        if let Some(queue) = self.queues.get_mut(name) {
            if queued.priority.is_new_page() {
                queue.pages -= 1;
                self.domains.take_back_page(&queue.domain);
            }
            queue.put_back(queued);
            self.domains.count(queue);
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

    /// The fate of a URL that was handed out is stored.
    pub fn stored(&mut self, queued: QueuedUrl, fate: Fate) {
        let on_disk = self.taken.remove(&queued.url).unwrap_or(false);
        let name = QueueName::of(&queued.url);
        let Some(queue) = self.queues.get_mut(&name) else { return };
        queue.out -= 1;
        queue.was_asked |= fate != Fate::Dropped && queued.target == Target::Page;
        self.domains.count(queue);
        // Another attempt waits until the others of its queue have had their turn.
        if on_disk || fate == Fate::Again {
            queue.look_on_disk();
        }
        if fate != Fate::Fetched && queued.priority.is_new_page() {
            queue.pages = queue.pages.saturating_sub(1);
            self.domains.take_back_page(&queue.domain);
        }
        // It may go on where it had too many pages under way, and with what counts towards no budget.
        let exempt = fate == Fate::Again && !queued.priority.is_new_page();
        if queue.place == Place::Spent && (exempt || on_disk || queue.pages < queue.budget) {
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
        self.addresses.listed()
    }

    /// Part of the time that a queue's turn has taken so far is not its host's doing.
    pub fn excuse(&mut self, name: &QueueName, waited: Duration) {
        if let Some(turn) = self.queues.get_mut(name).and_then(|queue| queue.turn.as_mut()) {
            turn.began += waited;
        }
    }

    /// Turns under way, and those of them that are slow.
    pub fn turns(&self) -> usize {
        self.shares.turns()
    }

    pub fn slow_turns(&self) -> usize {
        self.shares.slow_turns()
    }

    /// Queues that could have their turn if their domain, their network or their kind had not enough of them.
    pub fn held(&self) -> usize {
        self.shares.waiting()
    }

    /// Whether a resolution or a turn is under way.
    pub fn is_busy(&self) -> bool {
        self.shares.turns() + self.shares.resolutions() > 0
    }
}
