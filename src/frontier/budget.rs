//! How many new pages a host and a registrable domain may still have, and from how many hosts of a domain.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::queue::HostQueue;

/// How a queue stands: what it has had, and what it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Different pages of the queue fetched, over all crawls, and how many may be.
    pub pages: u64,
    pub budget: u64,
    /// Whether the queue was ever asked for a page.
    pub was_asked: bool,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    /// The pages of all the domain's queues together. Of a domain that is known already, these and the queues asked
    /// are ignored: the frontier has counted since.
    pub domain_pages: u64,
    pub domain_budget: u64,
    /// Queues of the domain that were ever asked for a page, and how many may be. Beyond, those that were not are
    /// asked for no new page.
    pub domain_asked: u64,
    pub domain_queues: u64,
    /// How soon its host is asked among those that may be: the higher, the sooner.
    pub merit: u8,
}

impl Standing {
    /// Whether the domain has all the queues it may have, and this is none of them.
    pub fn is_one_too_many(&self) -> bool {
        !self.was_asked && self.domain_asked >= self.domain_queues
    }

    /// Whether the queue may have no new page.
    pub fn is_spent(&self) -> bool {
        self.pages >= self.budget || self.domain_pages >= self.domain_budget || self.is_one_too_many()
    }
}

#[derive(Debug)]
struct Domain {
    pages: u64,
    budget: u64,
    asked: u64,
    may_be_asked: u64,
    /// Queues of it in memory.
    queues: usize,
}

/// What the registrable domains of the queues in memory have had.
#[derive(Debug, Default)]
pub(super) struct Domains(FxHashMap<Arc<str>, Domain>);

impl Domains {
    /// A queue of the domain was taken in.
    pub fn add_queue(&mut self, standing: &Standing) {
        let new = || Domain {
            pages: standing.domain_pages,
            budget: 0,
            asked: standing.domain_asked,
            may_be_asked: 0,
            queues: 0,
        };
        self.0.entry(Arc::clone(&standing.domain)).or_insert_with(new).queues += 1;
        self.renew(standing);
    }

    /// Others may have come to link to the domain.
    pub fn renew(&mut self, standing: &Standing) {
        if let Some(domain) = self.0.get_mut(&standing.domain) {
            domain.budget = standing.domain_budget;
            domain.may_be_asked = standing.domain_queues;
        }
    }

    /// A queue of the domain was forgotten. Whether it was the last, so that nothing is counted of the domain now.
    pub fn remove_queue(&mut self, name: &str) -> bool {
        let Some(domain) = self.0.get_mut(name) else { return false };
        domain.queues -= 1;
        let is_last = domain.queues == 0;
        if is_last {
            self.0.remove(name);
        }
        is_last
    }

    /// Whether a queue may have no new page now.
    pub fn is_spent<E>(&self, queue: &HostQueue<E>) -> bool {
        let of_domain = |domain: &Domain| {
            domain.pages >= domain.budget || (!queue.is_counted && domain.asked >= domain.may_be_asked)
        };
        queue.pages >= queue.budget || self.0.get(&queue.domain).is_some_and(of_domain)
    }

    /// A URL of a queue was handed out, or is no longer under way: it is one of its domain's queues that were asked
    /// while any is, and for good once one was asked for.
    pub fn count<E>(&mut self, queue: &mut HostQueue<E>) {
        let counts = queue.was_asked || queue.out > 0;
        if let Some(domain) = self.0.get_mut(&queue.domain)
            && counts != queue.is_counted
        {
            queue.is_counted = counts;
            domain.asked = if counts { domain.asked + 1 } else { domain.asked.saturating_sub(1) };
        }
    }

    /// A new page of the domain was handed out.
    pub fn add_page(&mut self, name: &str) {
        if let Some(domain) = self.0.get_mut(name) {
            domain.pages += 1;
        }
    }

    /// It was not fetched after all.
    pub fn take_back_page(&mut self, name: &str) {
        if let Some(domain) = self.0.get_mut(name) {
            domain.pages = domain.pages.saturating_sub(1);
        }
    }
}
