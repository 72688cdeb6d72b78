//! The frontier's backlog in a `BTreeMap`, with the rules of the store's backlog.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use backlinkd::frontier::Backlog;
use backlinkd::model::{Arrival, Lane, Priority, QueueEntry, QueueName, Target};
use backlinkd::policy::BudgetStatus;
use backlinkd::urls::CanonicalUrl;

type Key = (QueueName, Priority, CanonicalUrl);

/// The queue on disk: by queue, priority and URL; and new pages by queue.
#[derive(Default)]
pub struct Disk {
    /// Depths and attempts.
    pub entries: BTreeMap<Key, (u16, u32)>,
    pub seen: BTreeSet<CanonicalUrl>,
    pub pages: BTreeMap<QueueName, u64>,
    /// Queues from which a page was fetched.
    pub asked: BTreeSet<QueueName>,
    /// New pages that a host may have, and a domain.
    pub budgets: (u64, u64),
    /// Queues of a domain from which new pages may be fetched.
    pub max_domain_requested: u64,
    /// The delay of each host.
    pub merits: BTreeMap<QueueName, u8>,
    /// Counts of pages and fetched queues by domain, as of the last count.
    pub counted: RefCell<BTreeMap<String, (u64, u64)>>,
}

pub fn domain_of(name: &QueueName) -> String {
    // com,example,www,) and the scheme: the domain is the first two labels.
    String::from_utf8_lossy(name.as_bytes()).split(',').take(2).collect::<Vec<_>>().join(",")
}

impl Disk {
    pub fn key(entry: &QueueEntry) -> Key {
        (QueueName::of(&entry.url), entry.priority, entry.url.clone())
    }

    /// Queues a URL that was never queued, or that is due again.
    pub fn queue(&mut self, url: &CanonicalUrl, depth: u16, priority: Priority) -> Option<Arrival> {
        if !self.seen.insert(url.clone()) && priority.is_new_page() {
            return None;
        }
        let queue = QueueName::of(url);
        self.entries.entry((queue.clone(), priority, url.clone())).or_insert((depth, 0));
        Some(Arrival { queue, url: url.clone(), priority })
    }

    pub fn holds(&self, entry: &QueueEntry) -> bool {
        self.entries.contains_key(&Self::key(entry))
    }

    /// Returns every queue, as at the start of a crawl.
    pub fn queues(&self) -> Vec<Arrival> {
        let mut first: BTreeMap<&QueueName, Arrival> = BTreeMap::new();
        for (queue, priority, url) in self.entries.keys() {
            let arrival = || Arrival { queue: queue.clone(), url: url.clone(), priority: *priority };
            first.entry(queue).or_insert_with(arrival);
        }
        first.into_values().collect()
    }

    pub fn domain_pages(&self, domain: &str) -> u64 {
        self.pages.iter().filter(|(name, _)| domain_of(name) == domain).map(|(_, pages)| pages).sum()
    }

    /// Queues of a domain from which pages were fetched.
    pub fn domain_asked(&self, domain: &str) -> u64 {
        self.asked.iter().filter(|name| domain_of(name) == domain).count() as u64
    }

    /// Whether a queue has used its budget of new pages.
    pub fn is_spent(&self, name: &QueueName) -> bool {
        let (pages, domain) = (self.pages.get(name).copied().unwrap_or(0), domain_of(name));
        pages >= self.budgets.0
            || self.domain_pages(&domain) >= self.budgets.1
            || (!self.asked.contains(name) && self.domain_asked(&domain) >= self.max_domain_requested)
    }
}

impl Backlog for Disk {
    type Error = Infallible;

    fn entries_of_lane(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueueEntry>,
        most: usize,
    ) -> Result<Vec<QueueEntry>, Infallible> {
        let after = after.map(Self::key);
        let of_lane = |(name, priority, _): &Key| name == queue && priority.lane() == lane;
        let of_queue = self.entries.iter().filter(|(key, _)| of_lane(key));
        let rest = of_queue.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
        let entry = |((_, priority, url), (depth, attempts)): (&Key, &(u16, u32))| QueueEntry {
            url: url.clone(),
            priority: *priority,
            depth: *depth,
            attempts: *attempts,
            target: Target::Page,
        };
        Ok(rest.take(most).map(entry).collect())
    }

    fn budget_status(&self, queue: &QueueName, _: &CanonicalUrl) -> Result<BudgetStatus, Infallible> {
        let domain = domain_of(queue);
        let count = || (self.domain_pages(&domain), self.domain_asked(&domain));
        let (domain_pages, domain_asked) =
            *self.counted.borrow_mut().entry(domain.clone()).or_insert_with(count);
        Ok(BudgetStatus {
            pages: self.pages.get(queue).copied().unwrap_or(0),
            budget: self.budgets.0,
            was_requested: self.asked.contains(queue),
            domain_pages,
            domain_budget: self.budgets.1,
            domain_requested: domain_asked,
            max_domain_requested: self.max_domain_requested,
            domain: domain.into(),
            host_priority: self.merits.get(queue).copied().unwrap_or(0),
        })
    }

    fn domain_evicted(&self, domain: &str) {
        self.counted.borrow_mut().remove(domain);
    }
}
