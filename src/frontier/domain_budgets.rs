//! Budgets: how many new pages a host and its registrable domain may still have, and from how many queues of
//! the domain.

use std::sync::Arc;

use hashbrown::HashMap;

use super::host_queue::HostQueue;
use crate::policy::BudgetStatus;

#[derive(Debug)]
struct DomainBudget {
    pages: u64,
    budget: u64,
    requested: u64,
    max_requested: u64,
    /// Queues of the domain in memory.
    queues_in_memory: usize,
}

/// The budgets of the registrable domains whose queues are in memory.
#[derive(Debug, Default)]
pub(super) struct DomainBudgets(HashMap<Arc<str>, DomainBudget>);

impl DomainBudgets {
    /// Counts an admitted queue of the domain.
    pub(super) fn add_queue(&mut self, status: &BudgetStatus) {
        let new = || DomainBudget {
            pages: status.domain_pages,
            budget: 0,
            requested: status.domain_requested,
            max_requested: 0,
            queues_in_memory: 0,
        };
        self.0.entry(Arc::clone(&status.domain)).or_insert_with(new).queues_in_memory += 1;
        self.update(status);
    }

    /// Takes over the current limits: more domains may link to this one.
    pub(super) fn update(&mut self, status: &BudgetStatus) {
        if let Some(domain) = self.0.get_mut(&status.domain) {
            domain.budget = status.domain_budget;
            domain.max_requested = status.max_domain_requested;
        }
    }

    /// Uncounts a queue that left memory. Returns whether it was the last of its domain, whose counts go with
    /// it.
    pub(super) fn remove_queue(&mut self, name: &str) -> bool {
        let Some(domain) = self.0.get_mut(name) else { return false };
        domain.queues_in_memory -= 1;
        let is_last = domain.queues_in_memory == 0;
        if is_last {
            self.0.remove(name);
        }
        is_last
    }

    /// Whether a queue may have no new page now.
    pub(super) fn is_exhausted<R>(&self, queue: &HostQueue<R>) -> bool {
        let of_domain = |domain: &DomainBudget| {
            domain.pages >= domain.budget
                || (!queue.counts_as_requested && domain.requested >= domain.max_requested)
        };
        queue.pages >= queue.budget || self.0.get(&queue.domain).is_some_and(of_domain)
    }

    /// Updates whether a queue counts as a requested one of its domain. It does while it has a URL in flight,
    /// and for good once a page of it was requested.
    pub(super) fn update_requested<R>(&mut self, queue: &mut HostQueue<R>) {
        let is_requested = queue.was_requested || queue.in_flight > 0;
        if let Some(domain) = self.0.get_mut(&queue.domain)
            && is_requested != queue.counts_as_requested
        {
            queue.counts_as_requested = is_requested;
            domain.requested =
                if is_requested { domain.requested + 1 } else { domain.requested.saturating_sub(1) };
        }
    }

    /// Counts a new page that goes in flight.
    pub(super) fn add_page(&mut self, name: &str) {
        if let Some(domain) = self.0.get_mut(name) {
            domain.pages += 1;
        }
    }

    /// Uncounts a new page that was not fetched.
    pub(super) fn refund_page(&mut self, name: &str) {
        if let Some(domain) = self.0.get_mut(name) {
            domain.pages = domain.pages.saturating_sub(1);
        }
    }
}
