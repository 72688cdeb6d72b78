//! How many new pages a host and a registrable domain may still have.

use std::sync::Arc;

use rustc_hash::FxHashMap;

/// How a queue stands: what it has had, and what it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Different pages of the queue fetched, over all crawls, and how many may be.
    pub pages: u64,
    pub budget: u64,
    /// The registrable domain of its host.
    pub domain: Arc<str>,
    /// The same of all the domain's queues together. Of a domain that is known already, the pages are ignored: the
    /// frontier has counted since.
    pub domain_pages: u64,
    pub domain_budget: u64,
    /// Queues of the domain that may be in memory and have new pages fetched; those beyond wait.
    pub domain_queues: u64,
    /// How soon its host is asked among those that may be: the higher, the sooner.
    pub merit: u8,
}

#[derive(Debug)]
struct Domain {
    pages: u64,
    budget: u64,
    /// Queues of it in memory.
    queues: usize,
}

/// What the registrable domains of the queues in memory have had.
#[derive(Debug, Default)]
pub(super) struct Domains(FxHashMap<Arc<str>, Domain>);

impl Domains {
    /// A queue of the domain was taken in.
    pub fn add_queue(&mut self, standing: &Standing) {
        let new = || Domain { pages: standing.domain_pages, budget: 0, queues: 0 };
        let domain = self.0.entry(Arc::clone(&standing.domain)).or_insert_with(new);
        domain.budget = standing.domain_budget;
        domain.queues += 1;
    }

    /// A queue of the domain was forgotten.
    pub fn remove_queue(&mut self, name: &str) {
        if let Some(domain) = self.0.get_mut(name) {
            domain.queues -= 1;
            if domain.queues == 0 {
                self.0.remove(name);
            }
        }
    }

    /// What a queue may have, given that its domain may have too many of them.
    pub fn budget(&self, standing: &Standing) -> u64 {
        let queues = self.0.get(&standing.domain).map_or(0, |domain| domain.queues as u64);
        if standing.pages == 0 && queues > standing.domain_queues { 0 } else { standing.budget }
    }

    pub fn set_budget(&mut self, name: &str, budget: u64) {
        if let Some(domain) = self.0.get_mut(name) {
            domain.budget = budget;
        }
    }

    pub fn is_spent(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|domain| domain.pages >= domain.budget)
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
