//! The queues on disk: scans over them, as a crawl makes them, and the queues that may remain at the end.

use super::disk::domain_of;
use super::world::{MAX_REDIRECTS, World};

impl World {
    /// Loads queues from disk in their order, while places are free; returns whether any was loaded.
    pub(super) fn sweep(&mut self) -> bool {
        if self.swept.is_none() {
            self.frontier.restart_scan();
        }
        let mut any = false;
        for arrival in self.disk.queues() {
            if self.swept.as_ref().is_some_and(|swept| arrival.queue <= *swept) {
                continue;
            }
            let host = self.host_of(&arrival.url);
            let sleeps = self.ways(host).iter().any(|host| self.dormant.contains(host));
            let spent = arrival.priority.is_new_page() && self.disk.is_spent(&arrival.queue);
            if !sleeps && !spent && !self.frontier.needs_no_scan(&arrival.queue) {
                if self.frontier.free_capacity() == 0 && !self.frontier.contains(&arrival.queue) {
                    self.frontier.mark_unadmitted();
                    return any;
                }
                self.frontier.admit(&arrival, &self.disk).unwrap();
                any = true;
            }
            self.swept = Some(arrival.queue);
        }
        self.swept = None;
        any
    }

    /// Entries that remain on disk belong to hosts that are dormant, wait for a dormant one, or have used their share.
    pub(super) fn check_the_end(&self) {
        for (name, priority, url) in self.disk.entries.keys() {
            let host = self.host_of(url);
            let spent = priority.is_new_page() && self.disk.is_spent(name);
            let leads_to_dormant = self.ways(host).iter().any(|host| self.dormant.contains(host));
            assert!(spent || leads_to_dormant, "{url} with {priority:?} was forgotten");
        }
        for (name, pages) in &self.disk.pages {
            assert!(*pages <= self.settings.budgets.0, "{name:?} had {pages} pages");
            let of_domain = self.disk.domain_pages(&domain_of(name));
            assert!(of_domain <= self.settings.budgets.1, "the domain of {name:?} had {of_domain} pages");
        }
    }

    /// The host and the hosts to which its robots.txt redirects.
    fn ways(&self, host: usize) -> Vec<usize> {
        let mut ways = vec![host];
        while let Some(next) = self.hosts[*ways.last().unwrap()].moved
            && ways.len() <= MAX_REDIRECTS as usize
        {
            ways.push(next);
        }
        ways
    }
}
