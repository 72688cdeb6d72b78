//! One queue: its two lanes with their windows of URLs in memory, its errands, and where it stands.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::shares::Turn;
use super::{Backlog, FrontierRules, Lane, Priority, QueueName, QueuedUrl, Standing};
use crate::urls::CanonicalUrl;

/// Where a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing queued.
    Idle,
    /// In the line of queues whose host's address is to be found.
    Unresolved,
    Resolving,
    /// In the line of a group that has no room for its turn, or its resolution.
    Held,
    /// In its address's line.
    Ready,
    /// Its turn is under way.
    Turn,
    /// Until a time; the crawl waits for it.
    Asleep,
    /// Until a time; the crawl ends without it.
    Dormant,
    /// Until an errand elsewhere is run.
    Waiting,
    /// It has had all the new pages it may have.
    Spent,
}

/// What a turn is for.
#[derive(Debug)]
pub(super) enum Work<E> {
    Page(QueuedUrl),
    Errand(E),
}

/// What a queue gives when it is its turn.
#[derive(Debug)]
pub(super) enum Taken<E> {
    Work(Work<E>),
    /// Nothing is queued, or it waits for an errand elsewhere.
    Nothing,
    /// New pages are queued, but it may not have any more.
    OverBudget,
}

#[derive(Debug)]
pub(super) struct HostQueue<E> {
    pub place: Place,
    pub address: Option<IpAddr>,
    pub resolved_at: Option<Instant>,
    /// The turn or the resolution that is under way.
    pub turn: Option<Turn>,
    /// How long its turns took of late: half of it the last.
    pub lately: Option<Duration>,
    /// When its host may next be asked, at whatever address.
    pub free_at: Option<Instant>,
    /// New pages fetched over all crawls, and those handed out that are not stored yet.
    pub pages: u64,
    pub budget: u64,
    /// Whether any of its URLs was ever asked for, and whether it counts as one of its domain's queues that were:
    /// see [`super::budget::Domains::count`].
    pub was_asked: bool,
    pub is_counted: bool,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    pub merit: u8,
    /// Whether its pages wait for an errand elsewhere; errands of others it runs meanwhile.
    pub waits: bool,
    /// URLs handed out whose fate is not known yet.
    pub out: usize,
    /// URLs handed out since it was taken in, and when the first was.
    pub had: usize,
    pub had_since: Option<Instant>,
    /// A URL of the queue, for resolving its host.
    pub sample: CanonicalUrl,
    errands: VecDeque<E>,
    wanted: Window,
    new: Window,
    /// Whether any URLs came yet: then both lanes were told to look on disk.
    arrived: bool,
    /// Whether the last turn was had by a sitemap or a page that was due for another visit.
    wanted_last: bool,
}

impl<E> HostQueue<E> {
    pub fn new(sample: CanonicalUrl, standing: &Standing) -> Self {
        Self {
            place: Place::Idle,
            address: None,
            resolved_at: None,
            turn: None,
            lately: None,
            free_at: None,
            pages: standing.pages,
            budget: standing.budget,
            was_asked: standing.was_asked,
            is_counted: standing.was_asked,
            domain: Arc::clone(&standing.domain),
            merit: standing.merit,
            waits: false,
            out: 0,
            had: 0,
            had_since: None,
            sample,
            errands: VecDeque::new(),
            wanted: Window::of(Lane::Wanted),
            new: Window::of(Lane::New),
            arrived: false,
            wanted_last: false,
        }
    }

    /// URLs were queued on disk, the best of them with this priority. Those that come before what the window of
    /// their lane holds are fetched before it.
    pub fn arrive(&mut self, best: Priority) {
        if !std::mem::replace(&mut self.arrived, true) {
            // An earlier crawl may have left more than what has just arrived.
            self.look_on_disk();
        }
        self.window(best.lane()).arrive(best);
    }

    /// There may be more on disk than the windows hold.
    pub fn look_on_disk(&mut self) {
        self.wanted.more = true;
        self.new.more = true;
    }

    /// Whether it may be asked to make room: it has had a window of URLs, or one at least and its time.
    pub fn had_share(&self, rules: &FrontierRules, now: Instant) -> bool {
        self.had >= rules.window || self.had_since.is_some_and(|since| now >= since + rules.share)
    }

    /// Counts a URL that is handed out.
    pub fn hand_out(&mut self, now: Instant) {
        self.out += 1;
        self.had += 1;
        self.had_since.get_or_insert(now);
    }

    /// Puts a URL that was handed out, but not fetched, back to where it came from.
    pub fn put_back(&mut self, queued: QueuedUrl) {
        self.out -= 1;
        self.had = self.had.saturating_sub(1);
        if self.had == 0 {
            self.had_since = None;
        }
        self.window(queued.priority.lane()).urls.push_front(queued);
    }

    fn window(&mut self, lane: Lane) -> &mut Window {
        match lane {
            Lane::Wanted => &mut self.wanted,
            Lane::New => &mut self.new,
        }
    }

    pub fn push_errand(&mut self, errand: E) {
        self.errands.push_back(errand);
    }

    pub fn has_errands(&self) -> bool {
        !self.errands.is_empty()
    }

    pub fn take_errands(&mut self) -> Vec<E> {
        self.errands.drain(..).collect()
    }

    /// The next piece of work, an errand first; reads on from disk when a window is empty. URLs in `taken` are
    /// under way, and marked there when the disk holds them. New pages are left where they are when it is
    /// `over_budget`.
    pub fn take<B: Backlog>(
        &mut self,
        name: &QueueName,
        taken: &mut FxHashMap<CanonicalUrl, bool>,
        window: usize,
        over_budget: bool,
        backlog: &B,
    ) -> Result<Taken<E>, B::Error> {
        if let Some(errand) = self.errands.pop_front() {
            return Ok(Taken::Work(Work::Errand(errand)));
        }
        if self.waits {
            return Ok(Taken::Nothing);
        }
        let wanted = self.wanted.first(name, taken, window, backlog)?;
        let takes_turns = matches!(wanted, Some(Priority::Sitemap | Priority::Again(_)));
        let others_turn = takes_turns && self.wanted_last && !over_budget;
        let lane = if wanted.is_some() && !others_turn {
            Lane::Wanted
        } else if self.new.first(name, taken, window, backlog)?.is_some() {
            Lane::New
        } else {
            Lane::Wanted
        };
        if lane == Lane::New && over_budget {
            return Ok(Taken::OverBudget);
        }
        let queued = self.window(lane).urls.pop_front();
        self.wanted_last = takes_turns && lane == Lane::Wanted;
        Ok(queued.map_or(Taken::Nothing, |queued| Taken::Work(Work::Page(queued))))
    }
}

/// The next URLs of one lane. All of them are on disk too.
#[derive(Debug)]
struct Window {
    lane: Lane,
    urls: VecDeque<QueuedUrl>,
    /// Whether the disk may hold URLs that are not here.
    more: bool,
    /// The last URL read from disk in this pass over the lane; `None` between passes.
    cursor: Option<QueuedUrl>,
    /// Whether this pass found anything that is not under way.
    found: bool,
}

impl Window {
    fn of(lane: Lane) -> Self {
        Self { lane, urls: VecDeque::new(), more: false, cursor: None, found: false }
    }

    fn arrive(&mut self, best: Priority) {
        self.more = true;
        let kept = self.urls.partition_point(|queued| queued.priority <= best);
        let is_behind = self.cursor.as_ref().is_some_and(|last| best <= last.priority);
        if kept < self.urls.len() || is_behind {
            self.urls.truncate(kept);
            self.cursor = None;
        }
    }

    /// The priority of the first that is not under way; `None`: there is none.
    fn first<B: Backlog>(
        &mut self,
        name: &QueueName,
        taken: &mut FxHashMap<CanonicalUrl, bool>,
        most: usize,
        backlog: &B,
    ) -> Result<Option<Priority>, B::Error> {
        loop {
            while self.urls.is_empty() && self.more {
                self.refill(name, taken, most, backlog)?;
            }
            let Some(first) = self.urls.front() else { return Ok(None) };
            // A URL may stand in the queue twice, with different priorities.
            match taken.get_mut(&first.url) {
                Some(on_disk) => *on_disk = true,
                None => return Ok(Some(first.priority)),
            }
            self.urls.pop_front();
        }
    }

    /// Reads the next part of the lane. After its end comes another pass, for URLs may have come in behind the
    /// cursor; a pass that found nothing says that there is no more.
    fn refill<B: Backlog>(
        &mut self,
        name: &QueueName,
        taken: &mut FxHashMap<CanonicalUrl, bool>,
        most: usize,
        backlog: &B,
    ) -> Result<(), B::Error> {
        self.found &= self.cursor.is_some();
        let read = backlog.queued(name, self.lane, self.cursor.as_ref(), most)?;
        let at_end = read.len() < most;
        self.cursor = if at_end { None } else { read.last().cloned() };
        for queued in read {
            match taken.get_mut(&queued.url) {
                Some(on_disk) => *on_disk = true,
                None => self.urls.push_back(queued),
            }
        }
        self.found |= !self.urls.is_empty();
        self.more = !at_end || self.found;
        Ok(())
    }
}
