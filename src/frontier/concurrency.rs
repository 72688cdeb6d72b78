//! Limits of fetches in flight, so that slow hosts cannot hold all slots.
//!
//! A fetch starts in one of [`FrontierRules::fetchers`] slots. After [`FrontierRules::slow_after`] it gives
//! that slot back and takes one of [`FrontierRules::slow_fetchers`]. A host whose average fetch is that slow
//! starts in a slow slot. So fast slots become free all the time, however long fetches take. Three limits
//! share them out:
//!
//! * Each registrable domain and each network (IPv4 /24, IPv6 /48) has a *window* of fetches in flight. A
//!   fast fetch widens it by one, a slow fetch halves it, as a loss halves TCP's. A fast domain soon has all
//!   slots. A slow one ends with a single slot, even with a thousand hosts.
//! * Hosts that are not proven fast leave as many slots to the others as slow fetches are in flight, up to
//!   half of all. Otherwise new hosts would come first, and each slow one would cost a slot for
//!   [`FrontierRules::slow_after`].
//! * Hosts known to be slow use at most half of the slow slots. The rest is for fetches that turn slow, so
//!   that these leave their fast slots in time.
//!
//! Resolutions have slots of their own, and a window for each registrable domain, because its name servers
//! may be slow.
//!
//! A queue whose window is full, or whose kind has no free slot, waits in the line of that group. Each fetch
//! that ends there releases the first queue of the line, and further ones while there is room and no other
//! work. So no queue is examined that cannot start.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::host_queue::HostQueue;
use super::slot::{LimitGroup, Slot, SlotKind};
use super::{FrontierRules, QueueName};

/// The window of a domain or a network without history.
const INITIAL_WINDOW: usize = 8;
/// How long an informative window is remembered while nothing is in flight.
const WINDOW_TTL: Duration = Duration::from_secs(600);

/// The start of a fetch or a resolution, its queue, and its number.
type Started = (Instant, QueueName, u64);

#[derive(Debug)]
struct GroupWindow {
    window: usize,
    in_flight: usize,
    throttled: VecDeque<QueueName>,
    /// Whether it is in the list of windows that can release a queue.
    is_open: bool,
    /// When the last fetch or resolution ended.
    last_end: Instant,
}

impl GroupWindow {
    fn has_room(&self) -> bool {
        self.in_flight < self.window
    }
}

/// All limits, and what is in flight.
#[derive(Debug)]
pub(super) struct ConcurrencyLimits {
    rules: FrontierRules,
    windows: HashMap<LimitGroup, GroupWindow>,
    /// Windows that have room and a queue in line.
    open: VecDeque<LimitGroup>,
    throttled_slow: VecDeque<QueueName>,
    throttled_unproven: VecDeque<QueueName>,
    throttled: usize,
    /// Fetches in fast slots, those of unproven hosts among them, and fetches in slow slots.
    fast: usize,
    unproven: usize,
    slow: usize,
    /// Fetches that were slow from their start.
    known_slow: usize,
    /// Resolutions in their slots, and those that took too long for them.
    resolving: usize,
    overdue_resolutions: usize,
    /// Fetches and resolutions by their start. Those that have ended are dropped when they would become slow.
    started_fetches: VecDeque<Started>,
    started_resolutions: VecDeque<Started>,
    number: u64,
}

impl ConcurrencyLimits {
    pub(super) fn new(rules: FrontierRules) -> Self {
        Self {
            rules,
            windows: HashMap::new(),
            open: VecDeque::new(),
            throttled_slow: VecDeque::new(),
            throttled_unproven: VecDeque::new(),
            throttled: 0,
            fast: 0,
            unproven: 0,
            slow: 0,
            known_slow: 0,
            resolving: 0,
            overdue_resolutions: 0,
            started_fetches: VecDeque::new(),
            started_resolutions: VecDeque::new(),
            number: 0,
        }
    }

    /// Whether any fetch, and any resolution, may start.
    pub(super) fn has_fetch_slot(&self) -> bool {
        self.fast < self.rules.fetchers
    }

    pub(super) fn has_resolver_slot(&self) -> bool {
        self.resolving < self.rules.resolvers
    }

    pub(super) fn fetches(&self) -> usize {
        self.fast + self.slow
    }

    pub(super) fn slow_fetches(&self) -> usize {
        self.slow
    }

    pub(super) fn resolutions(&self) -> usize {
        self.resolving + self.overdue_resolutions
    }

    /// Queues that a limit holds back.
    pub(super) fn throttled(&self) -> usize {
        self.throttled
    }

    /// The kind of slot for a fetch of a host with this average duration, or the group that is full.
    pub(super) fn slot_kind(
        &self,
        domain: &Arc<str>,
        ip: IpAddr,
        average_duration: Option<Duration>,
    ) -> Result<SlotKind, LimitGroup> {
        for group in [LimitGroup::Domain(Arc::clone(domain)), LimitGroup::network(ip)] {
            if !self.has_room(&group) {
                return Err(group);
            }
        }
        let (kind, group) = match average_duration {
            Some(average_duration) if average_duration < self.rules.slow_after => return Ok(SlotKind::Fast),
            Some(_) => (SlotKind::Slow, LimitGroup::Slow),
            None => (SlotKind::Unproven, LimitGroup::Unproven),
        };
        if self.has_room(&group) { Ok(kind) } else { Err(group) }
    }

    /// Whether a host of this domain may be resolved, or the group that is full.
    pub(super) fn admit_resolution(&self, domain: &Arc<str>) -> Result<(), LimitGroup> {
        let group = LimitGroup::Resolutions(Arc::clone(domain));
        if self.has_room(&group) { Ok(()) } else { Err(group) }
    }

    fn has_room(&self, group: &LimitGroup) -> bool {
        let FrontierRules { fetchers, slow_fetchers, .. } = self.rules;
        match group {
            LimitGroup::Slow => self.slow < slow_fetchers && self.known_slow < slow_fetchers.div_ceil(2),
            LimitGroup::Unproven => self.unproven < fetchers - self.slow.min(fetchers / 2),
            group => self.windows.get(group).is_none_or(GroupWindow::has_room),
        }
    }

    /// Holds a queue back until the group has room.
    pub(super) fn throttle(&mut self, group: LimitGroup, name: QueueName, now: Instant) {
        self.throttled += 1;
        match group {
            LimitGroup::Slow => self.throttled_slow.push_back(name),
            LimitGroup::Unproven => self.throttled_unproven.push_back(name),
            group => self.window(group, now).throttled.push_back(name),
        }
    }

    /// Takes a queue whose group has room now.
    pub(super) fn pop_throttled(&mut self) -> Option<QueueName> {
        let name = self.next_throttled();
        self.throttled -= usize::from(name.is_some());
        name
    }

    fn next_throttled(&mut self) -> Option<QueueName> {
        while let Some(group) = self.open.pop_front() {
            let Some(window) = self.windows.get_mut(&group) else { continue };
            window.is_open = false;
            let name = if window.has_room() { window.throttled.pop_front() } else { None };
            self.mark_open(&group);
            if name.is_some() {
                return name;
            }
        }
        if !self.throttled_unproven.is_empty() && self.has_room(&LimitGroup::Unproven) {
            return self.throttled_unproven.pop_front();
        }
        if !self.throttled_slow.is_empty() && self.has_room(&LimitGroup::Slow) {
            return self.throttled_slow.pop_front();
        }
        None
    }

    fn mark_open(&mut self, group: &LimitGroup) {
        if let Some(window) = self.windows.get_mut(group)
            && !window.is_open
            && window.has_room()
            && !window.throttled.is_empty()
        {
            window.is_open = true;
            self.open.push_back(group.clone());
        }
    }

    fn window(&mut self, group: LimitGroup, now: Instant) -> &mut GroupWindow {
        let new = || GroupWindow {
            window: INITIAL_WINDOW,
            in_flight: 0,
            throttled: VecDeque::new(),
            is_open: false,
            last_end: now,
        };
        self.windows.entry(group).or_insert_with(new)
    }

    /// Starts a fetch that was admitted.
    pub(super) fn start_fetch(
        &mut self,
        name: &QueueName,
        domain: &Arc<str>,
        ip: IpAddr,
        kind: SlotKind,
        now: Instant,
    ) -> Slot {
        for group in [LimitGroup::Domain(Arc::clone(domain)), LimitGroup::network(ip)] {
            self.window(group, now).in_flight += 1;
        }
        self.number += 1;
        match kind {
            SlotKind::Slow | SlotKind::Overdue => {
                self.slow += 1;
                self.known_slow += 1;
            }
            kind => {
                self.fast += 1;
                self.unproven += usize::from(kind == SlotKind::Unproven);
                self.started_fetches.push_back((now, name.clone(), self.number));
            }
        }
        Slot { started: now, kind, number: self.number }
    }

    pub(super) fn start_resolution(&mut self, name: &QueueName, domain: &Arc<str>, now: Instant) -> Slot {
        self.window(LimitGroup::Resolutions(Arc::clone(domain)), now).in_flight += 1;
        self.number += 1;
        self.resolving += 1;
        self.started_resolutions.push_back((now, name.clone(), self.number));
        Slot { started: now, kind: SlotKind::Fast, number: self.number }
    }

    /// Ends a fetch. `took` is its duration, if a request was made.
    pub(super) fn finish_fetch(
        &mut self,
        slot: Slot,
        domain: &Arc<str>,
        ip: IpAddr,
        at: Instant,
        took: Option<Duration>,
    ) {
        match slot.kind {
            SlotKind::Slow => {
                self.slow -= 1;
                self.known_slow -= 1;
            }
            SlotKind::Overdue => self.slow -= 1,
            kind => {
                self.fast -= 1;
                self.unproven -= usize::from(kind == SlotKind::Unproven);
            }
        }
        let most = self.rules.fetchers;
        self.finish_in(LimitGroup::Domain(Arc::clone(domain)), at, took, most);
        self.finish_in(LimitGroup::network(ip), at, took, most);
    }

    pub(super) fn finish_resolution(&mut self, slot: Slot, domain: &Arc<str>, at: Instant) {
        match slot.kind {
            SlotKind::Overdue => self.overdue_resolutions -= 1,
            _ => self.resolving -= 1,
        }
        let took = at.saturating_duration_since(slot.started);
        self.finish_in(LimitGroup::Resolutions(Arc::clone(domain)), at, Some(took), self.rules.resolvers);
    }

    fn finish_in(&mut self, group: LimitGroup, at: Instant, took: Option<Duration>, most: usize) {
        let slow_after = self.rules.slow_after;
        let Some(window) = self.windows.get_mut(&group) else { return };
        window.in_flight -= 1;
        window.last_end = at;
        match took {
            Some(took) if took < slow_after => {
                window.window = (window.window + 1).min(most.max(INITIAL_WINDOW));
            }
            Some(_) => window.window = (window.window / 2).max(1),
            None => {}
        }
        self.mark_open(&group);
    }

    /// Moves the fetches and resolutions that are slow by `now` to slow slots, as far as there are free ones.
    pub(super) fn mark_overdue<R>(
        &mut self,
        now: Instant,
        queues: &mut HashMap<QueueName, Box<HostQueue<R>>>,
    ) {
        let FrontierRules { slow_after, slow_fetchers, .. } = self.rules;
        let mut expire = |begun: &mut VecDeque<Started>, slow: &mut usize, fast: &mut dyn FnMut(SlotKind)| {
            while let Some((started, name, number)) = begun.front()
                && now.saturating_duration_since(*started) >= slow_after
            {
                let slot = queues.get_mut(name).and_then(|queue| queue.slot.as_mut());
                if let Some(slot) = slot.filter(|slot| slot.number == *number) {
                    if *slow >= slow_fetchers {
                        break;
                    }
                    *slow += 1;
                    fast(std::mem::replace(&mut slot.kind, SlotKind::Overdue));
                }
                begun.pop_front();
            }
        };
        expire(&mut self.started_fetches, &mut self.slow, &mut |kind| {
            self.fast -= 1;
            self.unproven -= usize::from(kind == SlotKind::Unproven);
        });
        expire(&mut self.started_resolutions, &mut self.overdue_resolutions, &mut |_| self.resolving -= 1);
    }

    /// When the next fetch or resolution becomes slow, if there is a slow slot for it.
    pub(super) fn next_overdue(&self) -> Option<Instant> {
        let next = |begun: &VecDeque<Started>, slow: usize| {
            let has_room = slow < self.rules.slow_fetchers;
            begun.front().filter(|_| has_room).map(|(started, ..)| *started + self.rules.slow_after)
        };
        next(&self.started_fetches, self.slow)
            .into_iter()
            .chain(next(&self.started_resolutions, self.overdue_resolutions))
            .min()
    }

    /// Forgets the windows that differ little from a new one, and those that are too old.
    pub(super) fn prune(&mut self, now: Instant) {
        self.windows.retain(|_, window| {
            let is_informative = !(INITIAL_WINDOW..2 * INITIAL_WINDOW).contains(&window.window);
            let is_recent = now.saturating_duration_since(window.last_end) < WINDOW_TTL;
            window.in_flight > 0 || !window.throttled.is_empty() || (is_informative && is_recent)
        });
    }
}
