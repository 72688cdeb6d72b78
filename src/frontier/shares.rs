//! Who has how many of the places for turns, so that slow hosts cannot hold them all.
//!
//! A turn begins in one of [`FrontierRules::fetchers`] places. One that takes longer than [`FrontierRules::slow_after`]
//! gives its place back, and from then on has one of [`FrontierRules::slow_fetchers`]; a host whose turns took so long
//! of late has one of those at once. So whatever turns take, places for quick ones come free all the time. Three bounds
//! see to it that they come to others:
//!
//! * Each registrable domain and each network (IPv4 /24, IPv6 /48) has a *window* of turns under way. It grows by one
//!   with each quick turn and halves with each slow one, as TCP's does with losses: whoever is quick has all places soon,
//!   whoever is slow has one in the end, be it at a thousand hosts.
//! * The hosts that have not been seen to be quick leave as many places to the others as there are slow turns, up to
//!   half of all. New hosts come first otherwise, and each slow one costs a place for [`FrontierRules::slow_after`].
//! * Of the slow places, half at most are for hosts that are known to be slow; the others are kept for turns that become
//!   slow, so that these leave their places in time.
//!
//! Resolutions are bounded likewise: they have places of their own, and a window for each registrable domain, whose name
//! servers may be slow.
//!
//! A queue that finds its window full, or no place of its kind, waits apart in that group's line. Each turn that ends
//! there calls in the first who waits, and goes on to the next as long as there is room and nothing else to do: nobody
//! is looked at who cannot begin.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::queue::HostQueue;
use super::{FrontierRules, QueueName};

/// Turns that a domain, or a network, may have under way before anything is known of it.
const FIRST_WINDOW: usize = 8;
/// How long a window that tells something is remembered while nothing is under way.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Whose places are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Group {
    Domain(Arc<str>),
    Network(IpAddr),
    /// The resolutions of a registrable domain's hosts.
    Names(Arc<str>),
    /// All turns in slow places.
    Slow,
    /// All turns of hosts that were not seen to be quick.
    Unproven,
}

impl Group {
    pub fn network(ip: IpAddr) -> Self {
        Self::Network(match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                [a, b, c, 0].into()
            }
            IpAddr::V6(ip) => {
                let [a, b, c, ..] = ip.segments();
                Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
            }
        })
    }
}

/// In what kind of place a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Quick,
    Unproven,
    /// A slow one, from its beginning.
    Slow,
    /// A slow one, since it took too long.
    Overdue,
}

/// A turn, or a resolution, under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Without the time that it waited for this machine.
    pub began: Instant,
    pub kind: Kind,
    number: u64,
}

/// When a turn or a resolution began, of which queue, and its number.
type Begun = (Instant, QueueName, u64);

#[derive(Debug)]
struct Share {
    window: usize,
    under_way: usize,
    waiting: VecDeque<QueueName>,
    /// Whether it is in the list of those that have room for one who waits.
    listed: bool,
    /// When anything last ended.
    ended: Instant,
}

impl Share {
    fn has_room(&self) -> bool {
        self.under_way < self.window
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Shares {
    rules: FrontierRules,
    windows: FxHashMap<Group, Share>,
    /// Windows with room for one who waits.
    open: VecDeque<Group>,
    waiting_slow: VecDeque<QueueName>,
    waiting_unproven: VecDeque<QueueName>,
    waiting: usize,
    /// Turns in places for quick ones, those among them of hosts not seen to be quick, and turns in slow places.
    quick: usize,
    unproven: usize,
    slow: usize,
    /// Turns in slow places from their beginning.
    known_slow: usize,
    /// Resolutions in their places, and those that took too long for them.
    resolving: usize,
    late: usize,
    /// Turns and resolutions by their beginnings; those that have ended are found out when they would be slow now.
    begun: VecDeque<Begun>,
    asked: VecDeque<Begun>,
    number: u64,
}

impl Shares {
    pub fn new(rules: FrontierRules) -> Self {
        Self {
            rules,
            windows: FxHashMap::default(),
            open: VecDeque::new(),
            waiting_slow: VecDeque::new(),
            waiting_unproven: VecDeque::new(),
            waiting: 0,
            quick: 0,
            unproven: 0,
            slow: 0,
            known_slow: 0,
            resolving: 0,
            late: 0,
            begun: VecDeque::new(),
            asked: VecDeque::new(),
            number: 0,
        }
    }

    /// Whether any turn, and any resolution, may begin.
    pub fn has_place(&self) -> bool {
        self.quick < self.rules.fetchers
    }

    pub fn has_resolver(&self) -> bool {
        self.resolving < self.rules.resolvers
    }

    pub fn turns(&self) -> usize {
        self.quick + self.slow
    }

    pub fn slow_turns(&self) -> usize {
        self.slow
    }

    pub fn resolutions(&self) -> usize {
        self.resolving + self.late
    }

    /// Queues that wait because of others of their group.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// In what kind of place the turn of a host may begin whose turns took so long of late; or which group is full.
    pub fn admit(&self, domain: &Arc<str>, ip: IpAddr, lately: Option<Duration>) -> Result<Kind, Group> {
        for group in [Group::Domain(Arc::clone(domain)), Group::network(ip)] {
            if !self.has_room(&group) {
                return Err(group);
            }
        }
        let (kind, group) = match lately {
            Some(lately) if lately < self.rules.slow_after => return Ok(Kind::Quick),
            Some(_) => (Kind::Slow, Group::Slow),
            None => (Kind::Unproven, Group::Unproven),
        };
        if self.has_room(&group) { Ok(kind) } else { Err(group) }
    }

    /// Whether the name of a host of this domain may be resolved; or which group is full.
    pub fn admit_name(&self, domain: &Arc<str>) -> Result<(), Group> {
        let group = Group::Names(Arc::clone(domain));
        if self.has_room(&group) { Ok(()) } else { Err(group) }
    }

    fn has_room(&self, group: &Group) -> bool {
        let FrontierRules { fetchers, slow_fetchers, .. } = self.rules;
        match group {
            Group::Slow => self.slow < slow_fetchers && self.known_slow < slow_fetchers.div_ceil(2),
            Group::Unproven => self.unproven < fetchers - self.slow.min(fetchers / 2),
            group => self.windows.get(group).is_none_or(Share::has_room),
        }
    }

    /// Has a queue wait until there is room in a group.
    pub fn wait(&mut self, group: Group, name: QueueName, now: Instant) {
        self.waiting += 1;
        match group {
            Group::Slow => self.waiting_slow.push_back(name),
            Group::Unproven => self.waiting_unproven.push_back(name),
            group => self.window(group, now).waiting.push_back(name),
        }
    }

    /// One who waited for room in a group that has it now.
    pub fn call_in(&mut self) -> Option<QueueName> {
        let called = self.next_waiting();
        self.waiting -= usize::from(called.is_some());
        called
    }

    fn next_waiting(&mut self) -> Option<QueueName> {
        while let Some(group) = self.open.pop_front() {
            let Some(share) = self.windows.get_mut(&group) else { continue };
            share.listed = false;
            let called = if share.has_room() { share.waiting.pop_front() } else { None };
            self.list(&group);
            if called.is_some() {
                return called;
            }
        }
        if !self.waiting_unproven.is_empty() && self.has_room(&Group::Unproven) {
            return self.waiting_unproven.pop_front();
        }
        if !self.waiting_slow.is_empty() && self.has_room(&Group::Slow) {
            return self.waiting_slow.pop_front();
        }
        None
    }

    fn list(&mut self, group: &Group) {
        if let Some(share) = self.windows.get_mut(group)
            && !share.listed
            && share.has_room()
            && !share.waiting.is_empty()
        {
            share.listed = true;
            self.open.push_back(group.clone());
        }
    }

    fn window(&mut self, group: Group, now: Instant) -> &mut Share {
        let new = || Share {
            window: FIRST_WINDOW,
            under_way: 0,
            waiting: VecDeque::new(),
            listed: false,
            ended: now,
        };
        self.windows.entry(group).or_insert_with(new)
    }

    /// A turn begins that was admitted.
    pub fn begin(
        &mut self,
        name: &QueueName,
        domain: &Arc<str>,
        ip: IpAddr,
        kind: Kind,
        now: Instant,
    ) -> Turn {
        for group in [Group::Domain(Arc::clone(domain)), Group::network(ip)] {
            self.window(group, now).under_way += 1;
        }
        self.number += 1;
        match kind {
            Kind::Slow | Kind::Overdue => {
                self.slow += 1;
                self.known_slow += 1;
            }
            kind => {
                self.quick += 1;
                self.unproven += usize::from(kind == Kind::Unproven);
                self.begun.push_back((now, name.clone(), self.number));
            }
        }
        Turn { began: now, kind, number: self.number }
    }

    pub fn begin_name(&mut self, name: &QueueName, domain: &Arc<str>, now: Instant) -> Turn {
        self.window(Group::Names(Arc::clone(domain)), now).under_way += 1;
        self.number += 1;
        self.resolving += 1;
        self.asked.push_back((now, name.clone(), self.number));
        Turn { began: now, kind: Kind::Quick, number: self.number }
    }

    /// A turn has ended; `took`: how long it took, if anybody was asked.
    pub fn end(&mut self, turn: Turn, domain: &Arc<str>, ip: IpAddr, at: Instant, took: Option<Duration>) {
        match turn.kind {
            Kind::Slow => {
                self.slow -= 1;
                self.known_slow -= 1;
            }
            Kind::Overdue => self.slow -= 1,
            kind => {
                self.quick -= 1;
                self.unproven -= usize::from(kind == Kind::Unproven);
            }
        }
        let most = self.rules.fetchers;
        self.end_in(Group::Domain(Arc::clone(domain)), at, took, most);
        self.end_in(Group::network(ip), at, took, most);
    }

    pub fn end_name(&mut self, turn: Turn, domain: &Arc<str>, at: Instant) {
        match turn.kind {
            Kind::Overdue => self.late -= 1,
            _ => self.resolving -= 1,
        }
        let took = at.saturating_duration_since(turn.began);
        self.end_in(Group::Names(Arc::clone(domain)), at, Some(took), self.rules.resolvers);
    }

    fn end_in(&mut self, group: Group, at: Instant, took: Option<Duration>, most: usize) {
        let slow_after = self.rules.slow_after;
        let Some(share) = self.windows.get_mut(&group) else { return };
        share.under_way -= 1;
        share.ended = at;
        match took {
            Some(took) if took < slow_after => {
                share.window = (share.window + 1).min(most.max(FIRST_WINDOW));
            }
            Some(_) => share.window = (share.window / 2).max(1),
            None => {}
        }
        self.list(&group);
    }

    /// Gives the turns and resolutions that are overdue by `now` slow places, as far as there are any.
    pub fn slow_down<E>(&mut self, now: Instant, queues: &mut FxHashMap<QueueName, Box<HostQueue<E>>>) {
        let FrontierRules { slow_after, slow_fetchers, .. } = self.rules;
        let mut sift = |begun: &mut VecDeque<Begun>, slow: &mut usize, quick: &mut dyn FnMut(Kind)| {
            while let Some((began, name, number)) = begun.front()
                && now.saturating_duration_since(*began) >= slow_after
            {
                let turn = queues.get_mut(name).and_then(|queue| queue.turn.as_mut());
                if let Some(turn) = turn.filter(|turn| turn.number == *number) {
                    if *slow >= slow_fetchers {
                        break;
                    }
                    *slow += 1;
                    quick(std::mem::replace(&mut turn.kind, Kind::Overdue));
                }
                begun.pop_front();
            }
        };
        sift(&mut self.begun, &mut self.slow, &mut |kind| {
            self.quick -= 1;
            self.unproven -= usize::from(kind == Kind::Unproven);
        });
        sift(&mut self.asked, &mut self.late, &mut |_| self.resolving -= 1);
    }

    /// When the next turn or resolution gives its place back at the latest, if there is a slow place for it.
    pub fn next_slow(&self) -> Option<Instant> {
        let next = |begun: &VecDeque<Begun>, slow: usize| {
            let has_room = slow < self.rules.slow_fetchers;
            begun.front().filter(|_| has_room).map(|(began, ..)| *began + self.rules.slow_after)
        };
        next(&self.begun, self.slow).into_iter().chain(next(&self.asked, self.late)).min()
    }

    /// Forgets the windows that tell nothing, or have not for long.
    pub fn prune(&mut self, now: Instant) {
        self.windows.retain(|_, share| {
            let tells = !(FIRST_WINDOW..2 * FIRST_WINDOW).contains(&share.window);
            let is_recent = now.saturating_duration_since(share.ended) < REMEMBERED;
            share.under_way > 0 || !share.waiting.is_empty() || (tells && is_recent)
        });
    }
}
