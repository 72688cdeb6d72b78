//! A simulated web: hosts whose addresses change, fetches that take time and fail, a queue in a `BTreeMap`, and a clock
//! that jumps from event to event. It acts as the crawl for the frontier, and checks the invariants at every step.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use backlinkd::frontier::{Backoff, Frontier, FrontierRules, NextStep};
use backlinkd::model::{Arrival, Disposition, Priority, QueueEntry, QueueName};
use backlinkd::urls::{CanonicalUrl, UrlRules};

use super::disk::Disk;
use super::hosts::Host;
use crate::support::dice::Dice;

/// Longer than any of the simulations.
const DORMANT: Duration = Duration::from_secs(1_000_000);
/// Interval of the check for slow fetches, while no other event happens.
const MOMENT: Duration = Duration::from_millis(50);
const MAX_ATTEMPTS: u32 = 3;
pub const MAX_REDIRECTS: u32 = 5;

pub fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

/// A request for a host's robots.txt, and the queue that waits for it.
pub(super) struct Errand {
    target: usize,
    waiting: usize,
    redirects: u32,
}

enum Event {
    Resolved {
        host: usize,
        found: Option<IpAddr>,
    },
    Robots {
        turn: usize,
        errand: Errand,
    },
    Page {
        entry: QueueEntry,
        failed: bool,
    },
    /// The disk changes now; the frontier is notified later.
    Commit {
        entry: QueueEntry,
        disposition: Disposition,
        found: Vec<CanonicalUrl>,
    },
    Told {
        entry: QueueEntry,
        disposition: Disposition,
        new: Vec<Arrival>,
    },
    /// Pages become due.
    Due(Vec<CanonicalUrl>),
}

/// The known state of a host's robots.txt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Robots {
    Unknown,
    Known,
    Unreachable,
}

pub struct Settings {
    pub rules: FrontierRules,
    pub delay: Duration,
    /// One in this number of page fetches finds its host's robots.txt evicted.
    pub forget: u64,
    pub disallow: u64,
    /// Longest duration of a fetch and of a commit, in milliseconds.
    pub slowest: u64,
    pub slowest_commit: u64,
    pub due: bool,
    /// Seeds are queued as new pages, or as seeds.
    pub seed: Priority,
    /// New pages that a host may have, and a domain.
    pub budgets: (u64, u64),
    /// Queues of a domain from which new pages may be fetched.
    pub max_domain_requested: u64,
}

pub struct World {
    pub settings: Settings,
    pub hosts: Vec<Host>,
    pub disk: Disk,
    pub(super) frontier: Frontier<Errand>,
    /// The last queue on disk that was scanned.
    pub(super) swept: Option<QueueName>,
    dice: Dice,
    start: Instant,
    now: Duration,
    events: BinaryHeap<Reverse<(Duration, u64)>>,
    waiting_events: BTreeMap<u64, Event>,
    numbered: u64,
    robots: Vec<Robots>,
    address: Vec<Option<IpAddr>>,
    pub(super) dormant: BTreeSet<usize>,
    /// Fetches in flight, with their addresses.
    turns: BTreeMap<usize, IpAddr>,
    /// The earliest times of the next request to a host and to an address.
    host_free: BTreeMap<usize, Duration>,
    ip_free: BTreeMap<IpAddr, Duration>,
    /// Dispatched URLs without a result so far.
    out: BTreeSet<CanonicalUrl>,
    outstanding: usize,
    pub order: Vec<CanonicalUrl>,
    pub fetched: BTreeMap<CanonicalUrl, u32>,
    /// The time at which the last page of each host arrived.
    pub last_page: BTreeMap<usize, Duration>,
    /// The maximum number of fetches in flight.
    pub most_turns: usize,
    pub elapsed: Duration,
    resolved: usize,
    /// The number of resolved names when the last page was dispatched.
    pub resolved_at_last_page: usize,
}

impl World {
    pub fn new(hosts: Vec<Host>, settings: Settings, dice: Dice) -> Self {
        let count = hosts.len();
        Self {
            frontier: Frontier::new(settings.rules),
            hosts,
            disk: Disk {
                budgets: settings.budgets,
                max_domain_requested: settings.max_domain_requested,
                ..Disk::default()
            },
            swept: None,
            settings,
            dice,
            start: Instant::now(),
            now: Duration::ZERO,
            events: BinaryHeap::new(),
            waiting_events: BTreeMap::new(),
            numbered: 0,
            robots: vec![Robots::Unknown; count],
            address: vec![None; count],
            dormant: BTreeSet::new(),
            turns: BTreeMap::new(),
            host_free: BTreeMap::new(),
            ip_free: BTreeMap::new(),
            out: BTreeSet::new(),
            outstanding: 0,
            order: Vec::new(),
            fetched: BTreeMap::new(),
            last_page: BTreeMap::new(),
            most_turns: 0,
            elapsed: Duration::ZERO,
            resolved: 0,
            resolved_at_last_page: 0,
        }
    }

    pub fn page(&self, host: usize, page: usize) -> CanonicalUrl {
        url(&format!("http://{}/{page}", self.hosts[host].name))
    }

    pub(super) fn host_of(&self, url: &CanonicalUrl) -> usize {
        self.hosts.iter().position(|host| host.name == url.host()).unwrap()
    }

    fn name_of(&self, host: usize) -> QueueName {
        QueueName::of(&self.page(host, 0))
    }

    fn at(&self) -> Instant {
        self.start + self.now
    }

    fn after(&mut self, wait: Duration, event: Event) {
        self.numbered += 1;
        self.events.push(Reverse((self.now + wait, self.numbered)));
        self.waiting_events.insert(self.numbered, event);
    }

    fn some_time(&mut self) -> Duration {
        Duration::from_millis(self.dice.below(self.settings.slowest + 1))
    }

    /// Queues URLs as a crawl does at its start: it scans those on disk, and notifies the frontier of new ones.
    pub fn begin(&mut self, seeds: &[CanonicalUrl]) {
        let left = self.disk.queues();
        self.arrive(left);
        let new = seeds.iter().filter_map(|seed| self.disk.queue(seed, 0, self.settings.seed)).collect();
        self.arrive(new);
    }

    fn arrive(&mut self, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            if self.dormant.contains(&self.host_of(&arrival.url)) && !self.frontier.contains(&arrival.queue) {
                continue;
            }
            self.frontier.admit_if_room(&arrival, &self.disk).unwrap();
        }
    }

    /// Runs until the frontier is drained and all results are stored.
    pub fn run(&mut self) {
        for _ in 0..200_000 {
            let Some(until) = self.hand_out() else { break };
            let next = self.events.peek().map(|Reverse((at, _))| *at);
            let now = match (until, next) {
                (Some(until), Some(next)) => until.min(next),
                (Some(until), None) => until,
                (None, Some(next)) => next,
                (None, None) => panic!("the frontier waits for something that is not under way"),
            };
            assert!(
                now >= self.now && (now > self.now || next == Some(now)),
                "the frontier waits for the past"
            );
            self.now = now;
            while let Some(Reverse((at, number))) = self.events.peek().copied()
                && at <= self.now
            {
                self.events.pop();
                let event = self.waiting_events.remove(&number).unwrap();
                self.happen(event);
            }
        }
        self.elapsed = self.now;
        assert!(self.events.is_empty(), "the history does not end");
        assert!(!self.frontier.has_in_flight());
        self.check_the_end();
    }

    /// `None` when all work is done; else the time of the next event, if it is known.
    fn hand_out(&mut self) -> Option<Option<Duration>> {
        if self.frontier.has_unadmitted() && self.frontier.free_capacity() > 0 {
            self.sweep();
        }
        for _ in 0..10_000 {
            let now = self.at();
            if !self.frontier.has_fetch_slot(now) {
                return Some(Some(self.now + MOMENT));
            }
            match self.frontier.next(now, &self.disk).unwrap() {
                NextStep::Resolve(_, url) => self.resolve(&url),
                NextStep::RobotsTxt(name, errand) => {
                    let turn = (0..self.hosts.len()).find(|&host| self.name_of(host) == name).unwrap();
                    self.fetch_robots(turn, errand);
                }
                NextStep::Url(name, entry) => self.take_page(&name, entry),
                NextStep::Wait(until) => {
                    let until = until.duration_since(self.start);
                    assert!(until > self.now, "a wait for what is past");
                    return Some(Some(until));
                }
                NextStep::Busy => {
                    assert!(!self.events.is_empty(), "busy with nothing");
                    return Some(None);
                }
                NextStep::Drained if self.outstanding > 0 || !self.events.is_empty() => return Some(None),
                NextStep::Drained => {
                    self.frontier.prune(now, &self.disk);
                    let is_whole = self.swept.is_none();
                    if self.sweep() {
                        continue;
                    }
                    if self.frontier.has_unadmitted() && self.frontier.free_capacity() == 0 {
                        // Full of queues whose hosts have not had their rest yet.
                        return Some(Some(self.now + Duration::from_millis(1)));
                    }
                    if is_whole {
                        return None;
                    }
                }
            }
        }
        panic!("the frontier hands out without end");
    }

    fn resolve(&mut self, url: &CanonicalUrl) {
        let host = self.host_of(url);
        let Host { addresses, found_by_dns, .. } = &self.hosts[host];
        let number = addresses[self.dice.below(addresses.len() as u64) as usize];
        let network = self.hosts[host].network;
        let found = found_by_dns.then_some(IpAddr::V4(Ipv4Addr::new(192, 0, network, number)));
        let wait = self.hosts[host].name_takes.unwrap_or_else(|| self.some_time());
        self.after(wait, Event::Resolved { host, found });
    }

    /// A request begins: no other request to the address or the host is in flight, and the delays of both are over.
    fn begin_turn(&mut self, host: usize) {
        let ip = self.address[host].expect("only a host that was found has turns");
        assert!(!self.turns.contains_key(&host), "two turns of {}", self.hosts[host].name);
        assert!(self.turns.values().all(|busy| *busy != ip), "two turns at {ip}");
        assert!(self.host_free.get(&host).is_none_or(|free| *free <= self.now), "{host} had no rest");
        assert!(self.ip_free.get(&ip).is_none_or(|free| *free <= self.now), "{ip} had no rest");
        assert!(!self.dormant.contains(&host), "a turn of a dormant host");
        self.turns.insert(host, ip);
        self.most_turns = self.most_turns.max(self.turns.len());
    }

    fn end_turn(&mut self, host: usize) {
        let ip = self.turns.remove(&host).expect("a turn that ends had begun");
        let free = self.now + self.settings.delay;
        self.host_free.insert(host, free);
        self.ip_free.insert(ip, free);
    }

    fn fetch_robots(&mut self, turn: usize, errand: Errand) {
        self.begin_turn(turn);
        let wait = self.hosts[turn].takes.unwrap_or_else(|| self.some_time());
        self.after(wait, Event::Robots { turn, errand });
    }

    fn take_page(&mut self, name: &QueueName, entry: QueueEntry) {
        let host = self.host_of(&entry.url);
        assert_eq!(*name, self.name_of(host));
        assert!(self.disk.holds(&entry), "{} is not in the queue", entry.url);
        assert!(!self.out.contains(&entry.url), "{} is handed out twice", entry.url);
        if self.settings.forget > 0 && self.dice.below(self.settings.forget) == 0 {
            self.robots[host] = Robots::Unknown;
        }
        match self.robots[host] {
            Robots::Unknown => {
                self.frontier.requeue(name, entry);
                self.fetch_robots(host, Errand { target: host, waiting: host, redirects: 0 });
            }
            Robots::Unreachable => {
                self.frontier.requeue(name, entry);
                self.dormant.insert(host);
                let now = self.at();
                self.frontier.finish_fetch(name, now, None, Backoff::Parked(DORMANT));
            }
            Robots::Known if self.settings.disallow > 0 && self.dice.below(self.settings.disallow) == 0 => {
                self.hand_over(&entry);
                let now = self.at();
                self.frontier.finish_fetch(name, now, None, Backoff::None);
                self.commit(entry, Disposition::Withdrawn, Vec::new());
            }
            Robots::Known => {
                self.hand_over(&entry);
                self.order.push(entry.url.clone());
                self.resolved_at_last_page = self.resolved;
                self.begin_turn(host);
                let failing = self.hosts[host].failing;
                let failed = failing > 0 && self.dice.below(failing) == 0;
                let wait = self.hosts[host].takes.unwrap_or_else(|| self.some_time());
                self.after(wait, Event::Page { entry, failed });
            }
        }
    }

    fn hand_over(&mut self, entry: &QueueEntry) {
        self.out.insert(entry.url.clone());
        self.outstanding += 1;
    }

    fn commit(&mut self, entry: QueueEntry, disposition: Disposition, found: Vec<CanonicalUrl>) {
        let wait = Duration::from_millis(self.dice.below(self.settings.slowest_commit + 1));
        self.after(wait, Event::Commit { entry, disposition, found });
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Resolved { host, found } => self.resolved(host, found),
            Event::Robots { turn, errand } => self.robots_came(turn, errand),
            Event::Page { entry, failed } => self.page_came(entry, failed),
            Event::Commit { entry, disposition, found } => self.committed(entry, disposition, &found),
            Event::Told { entry, disposition, new } => {
                self.outstanding -= 1;
                self.out.remove(&entry.url);
                self.frontier.complete(entry, disposition);
                self.arrive(new);
                if self.dice.below(8) == 0 {
                    let now = self.at();
                    self.frontier.prune(now, &self.disk);
                }
            }
            Event::Due(urls) => {
                let again = Priority::revisit(self.now.as_secs());
                let new = urls.iter().filter_map(|url| self.disk.queue(url, 0, again)).collect();
                self.arrive(new);
            }
        }
    }

    fn resolved(&mut self, host: usize, found: Option<IpAddr>) {
        self.resolved += 1;
        let (name, now) = (self.name_of(host), self.at());
        if found.is_none() {
            self.dormant.insert(host);
            for errand in self.frontier.take_robots_requests(&name) {
                self.give_up(errand.waiting);
            }
        }
        self.address[host] = found;
        self.frontier.finish_resolution(&name, now, found.ok_or(Backoff::Parked(DORMANT)));
    }

    /// A robots.txt that is not requested is unavailable.
    fn give_up(&mut self, waiting: usize) {
        self.robots[waiting] = Robots::Unreachable;
        self.frontier.end_robots_wait(&self.name_of(waiting));
    }

    fn robots_came(&mut self, turn: usize, Errand { target, waiting, redirects }: Errand) {
        self.end_turn(turn);
        let moved = self.hosts[target].moved.filter(|_| redirects < MAX_REDIRECTS);
        if moved.is_none() {
            let unreachable = self.hosts[target].failing > 0 && self.dice.below(20) == 0;
            self.robots[waiting] = if unreachable { Robots::Unreachable } else { Robots::Known };
        }
        let elsewhere = moved.is_some_and(|next| next != waiting);
        let pause = if elsewhere && turn == waiting { Backoff::AwaitMovedRobots } else { Backoff::None };
        let now = self.at();
        self.frontier.finish_fetch(&self.name_of(turn), now, Some(self.settings.delay), pause);
        let Some(next) = moved else { return self.frontier.end_robots_wait(&self.name_of(waiting)) };
        if !self.frontier.contains(&self.name_of(next)) {
            // Forgotten while it slept, and woken by the errand of another.
            self.dormant.remove(&next);
        }
        let errand = Errand { target: next, waiting, redirects: redirects + 1 };
        if self.frontier.queue_robots_request(&self.page(next, 0), errand, &self.disk).unwrap().is_some() {
            self.give_up(waiting);
        } else if !elsewhere {
            self.frontier.end_robots_wait(&self.name_of(waiting));
        }
    }

    fn page_came(&mut self, entry: QueueEntry, failed: bool) {
        let host = self.host_of(&entry.url);
        self.end_turn(host);
        let pause = match self.dice.below(6) {
            _ if !failed => Backoff::None,
            0 => Backoff::Parked(DORMANT),
            1 => Backoff::None,
            _ => Backoff::For(Duration::from_millis(self.dice.below(3_000))),
        };
        if matches!(pause, Backoff::Parked(_)) {
            self.dormant.insert(host);
        }
        let now = self.at();
        self.frontier.finish_fetch(&self.name_of(host), now, Some(self.settings.delay), pause);
        let entry = QueueEntry { attempts: entry.attempts + 1, ..entry };
        if failed && entry.attempts < MAX_ATTEMPTS {
            return self.commit(entry, Disposition::Retry, Vec::new());
        }
        *self.fetched.entry(entry.url.clone()).or_default() += 1;
        self.last_page.insert(host, self.now);
        let found = if failed { Vec::new() } else { self.links() };
        if self.settings.due && self.dice.below(4) == 0 {
            let wait = self.some_time();
            self.after(wait, Event::Due(vec![entry.url.clone()]));
        }
        self.commit(entry, Disposition::Fetched, found);
    }

    fn links(&mut self) -> Vec<CanonicalUrl> {
        (0..self.dice.below(6))
            .map(|_| {
                let host = self.dice.below(self.hosts.len() as u64) as usize;
                let page = self.dice.below(self.hosts[host].pages as u64) as usize;
                self.page(host, page)
            })
            .collect()
    }

    fn committed(&mut self, entry: QueueEntry, disposition: Disposition, found: &[CanonicalUrl]) {
        let key = Disk::key(&entry);
        let known = match disposition {
            Disposition::Retry => self.disk.entries.insert(key, (entry.depth, entry.attempts)),
            Disposition::Fetched | Disposition::Postponed(_) | Disposition::Withdrawn => {
                self.disk.entries.remove(&key)
            }
        };
        assert!(known.is_some(), "{} was not in the queue", entry.url);
        if disposition.was_requested() {
            self.disk.asked.insert(QueueName::of(&entry.url));
        }
        if disposition == Disposition::Fetched && entry.priority.is_new_page() {
            *self.disk.pages.entry(QueueName::of(&entry.url)).or_default() += 1;
        }
        let depth = entry.depth + 1;
        let new = found.iter().filter_map(|url| self.disk.queue(url, depth, Priority::New(depth))).collect();
        // The writer's notifications may be late, but they keep their order.
        let told = self.waiting_events.iter().filter(|(_, event)| matches!(event, Event::Told { .. }));
        let last = told.map(|(number, _)| *number).max();
        let earliest =
            self.events.iter().find(|Reverse((_, number))| Some(*number) == last).map(|Reverse((at, _))| *at);
        let wait = Duration::from_millis(self.dice.below(self.settings.slowest_commit / 4 + 1));
        let wait = wait.max(earliest.unwrap_or(self.now).saturating_sub(self.now));
        self.after(wait, Event::Told { entry, disposition, new });
    }
}
