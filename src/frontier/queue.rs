//! One queue: its window of URLs in memory, its errands, and where it stands.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::{Backlog, Priority, QueueName, QueuedUrl, Standing};
use crate::urls::CanonicalUrl;

/// Where a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing queued.
    Idle,
    /// In the line of queues whose host's address is to be found.
    Unresolved,
    Resolving,
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
    /// When its host may next be asked, at whatever address.
    pub free_at: Option<Instant>,
    /// New pages fetched over all crawls, and those handed out that are not stored yet.
    pub pages: u64,
    pub budget: u64,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    pub merit: u8,
    /// Whether its pages wait for an errand elsewhere; errands of others it runs meanwhile.
    pub waits: bool,
    /// URLs handed out whose fate is not known yet.
    pub out: usize,
    /// A URL of the queue, for resolving its host.
    pub sample: CanonicalUrl,
    errands: VecDeque<E>,
    /// The next URLs. All of them are on disk too.
    window: VecDeque<QueuedUrl>,
    /// Whether the disk may hold URLs that are not in the window.
    more: bool,
    /// The last URL read from disk in this pass over the queue; `None` between passes.
    cursor: Option<QueuedUrl>,
    /// Whether this pass found anything that is not under way.
    found: bool,
}

impl<E> HostQueue<E> {
    pub fn new(sample: CanonicalUrl, standing: &Standing) -> Self {
        Self {
            place: Place::Idle,
            address: None,
            resolved_at: None,
            free_at: None,
            pages: standing.pages,
            budget: standing.budget,
            domain: Arc::clone(&standing.domain),
            merit: standing.merit,
            waits: false,
            out: 0,
            sample,
            errands: VecDeque::new(),
            window: VecDeque::new(),
            more: false,
            cursor: None,
            found: false,
        }
    }

    /// URLs were queued on disk, the best of them with this priority. Those that come before what the window holds
    /// are fetched before it.
    pub fn arrive(&mut self, best: Priority) {
        self.more = true;
        let kept = self.window.partition_point(|queued| queued.priority <= best);
        let is_behind = self.cursor.as_ref().is_some_and(|last| best <= last.priority);
        if kept < self.window.len() || is_behind {
            self.window.truncate(kept);
            self.cursor = None;
        }
    }

    /// There may be more on disk than the window holds.
    pub fn look_on_disk(&mut self) {
        self.more = true;
    }

    /// Puts a URL that was handed out, but not fetched, back to where it came from.
    pub fn put_back(&mut self, queued: QueuedUrl) {
        self.window.push_front(queued);
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

    /// The next piece of work, an errand first; reads on from disk when the window is empty. URLs in `taken` are
    /// under way, and marked there when the disk holds them.
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
        let mut read_anew = false;
        loop {
            while self.window.is_empty() && self.more {
                self.refill(name, taken, window, backlog)?;
            }
            let stuck = over_budget && self.window.front().is_some_and(|first| first.priority.is_new_page());
            if stuck && self.more && !read_anew {
                // What counts towards no budget may stand on disk before it.
                read_anew = true;
                self.window.clear();
                self.cursor = None;
                continue;
            }
            // A URL may stand in the queue twice, with different priorities.
            match self.window.front().and_then(|first| taken.get_mut(&first.url)) {
                Some(on_disk) => *on_disk = true,
                None => break,
            }
            self.window.pop_front();
        }
        match self.window.front() {
            Some(first) if over_budget && first.priority.is_new_page() => Ok(Taken::OverBudget),
            Some(_) => Ok(self.window.pop_front().map_or(Taken::Nothing, |url| Taken::Work(Work::Page(url)))),
            None => Ok(Taken::Nothing),
        }
    }

    /// Reads the next part of the queue. After its end comes another pass, for URLs may have come in behind the
    /// cursor; a pass that found nothing says that there is no more.
    fn refill<B: Backlog>(
        &mut self,
        name: &QueueName,
        taken: &mut FxHashMap<CanonicalUrl, bool>,
        most: usize,
        backlog: &B,
    ) -> Result<(), B::Error> {
        self.found &= self.cursor.is_some();
        let read = backlog.queued(name, self.cursor.as_ref(), most)?;
        let at_end = read.len() < most;
        self.cursor = if at_end { None } else { read.last().cloned() };
        for queued in read {
            match taken.get_mut(&queued.url) {
                Some(on_disk) => *on_disk = true,
                None => self.window.push_back(queued),
            }
        }
        self.found |= !self.window.is_empty();
        self.more = !at_end || self.found;
        Ok(())
    }
}
