//! One queue: its window of URLs in memory, its errands, and where it stands.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::{Backlog, FrontierRules, QueueName, QueuedUrl};
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
    /// It has had all the fetches it may have.
    Spent,
}

/// What a turn is for.
#[derive(Debug)]
pub(super) enum Work<E> {
    Page(QueuedUrl),
    Errand(E),
}

#[derive(Debug)]
pub(super) struct HostQueue<E> {
    pub place: Place,
    pub address: Option<IpAddr>,
    pub resolved_at: Option<Instant>,
    /// When its host may next be asked, at whatever address.
    pub free_at: Option<Instant>,
    /// Pages fetched over all crawls, and those handed out that are not stored yet.
    pub fetches: u64,
    /// Whether its pages wait for an errand elsewhere; errands of others it runs meanwhile.
    pub waits: bool,
    /// A URL of the queue, for resolving its host.
    pub sample: CanonicalUrl,
    errands: VecDeque<E>,
    window: VecDeque<QueuedUrl>,
    /// Whether the disk may hold URLs that are not in the window.
    more: bool,
    /// The last URL read from disk in this pass over the queue; `None` between passes.
    cursor: Option<QueuedUrl>,
    /// Whether this pass found anything that is not under way.
    found: bool,
}

impl<E> HostQueue<E> {
    pub fn new(sample: CanonicalUrl, fetches: u64) -> Self {
        Self {
            place: Place::Idle,
            address: None,
            resolved_at: None,
            free_at: None,
            fetches,
            waits: false,
            sample,
            errands: VecDeque::new(),
            window: VecDeque::new(),
            more: false,
            cursor: None,
            found: false,
        }
    }

    /// Takes in a URL that was just queued on disk.
    pub fn push(&mut self, queued: QueuedUrl, most: usize) {
        if self.more || self.window.len() >= most {
            self.more = true;
        } else {
            self.window.push_back(queued);
        }
    }

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
    /// under way.
    pub fn take<B: Backlog>(
        &mut self,
        name: &QueueName,
        taken: &FxHashMap<CanonicalUrl, bool>,
        rules: &FrontierRules,
        backlog: &B,
    ) -> Result<Option<Work<E>>, B::Error> {
        if let Some(errand) = self.errands.pop_front() {
            return Ok(Some(Work::Errand(errand)));
        }
        if self.rest(rules) != Place::Idle {
            return Ok(None);
        }
        while self.window.is_empty() && self.more {
            self.refill(name, taken, rules.window, backlog)?;
        }
        Ok(self.window.pop_front().map(Work::Page))
    }

    /// Where the queue stands when there is nothing for it to do.
    pub fn rest(&self, rules: &FrontierRules) -> Place {
        if self.waits {
            Place::Waiting
        } else if self.fetches >= rules.max_fetches {
            Place::Spent
        } else {
            Place::Idle
        }
    }

    /// Reads the next part of the queue. After its end comes another pass, for URLs may have come in behind the
    /// cursor; a pass that found nothing says that there is no more.
    fn refill<B: Backlog>(
        &mut self,
        name: &QueueName,
        taken: &FxHashMap<CanonicalUrl, bool>,
        most: usize,
        backlog: &B,
    ) -> Result<(), B::Error> {
        self.found &= self.cursor.is_some();
        let read = backlog.queued(name, self.cursor.as_ref(), most)?;
        let at_end = read.len() < most;
        self.cursor = if at_end { None } else { read.last().cloned() };
        self.window.extend(read.into_iter().filter(|queued| !taken.contains_key(&queued.url)));
        self.found |= !self.window.is_empty();
        self.more = !at_end || self.found;
        Ok(())
    }
}
