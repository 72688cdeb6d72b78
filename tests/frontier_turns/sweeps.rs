//! What becomes of the queues on disk: sweeps over them, as a crawl makes them, and what may be left at the end.

use super::disk::domain_of;
use super::world::{MAX_REDIRECTS, World};

impl World {
    /// Takes in queues from disk in their order, while there is room; whether any was.
    pub(super) fn sweep(&mut self) -> bool {
        if self.swept.is_none() {
            self.frontier.look_anew();
        }
        let mut any = false;
        for arrival in self.disk.queues() {
            if self.swept.as_ref().is_some_and(|swept| arrival.queue <= *swept) {
                continue;
            }
            let host = self.host_of(&arrival.url);
            let sleeps = self.ways(host).iter().any(|host| self.dormant.contains(host));
            let spent = arrival.priority.is_new_page() && self.disk.is_spent(&arrival.queue);
            if !sleeps && !spent && !self.frontier.sees_to(&arrival.queue) {
                if self.frontier.room() == 0 && !self.frontier.knows(&arrival.queue) {
                    self.frontier.leave_out();
                    return any;
                }
                self.frontier.take_in(&arrival, &self.disk).unwrap();
                any = true;
            }
            self.swept = Some(arrival.queue);
        }
        self.swept = None;
        any
    }

    /// What is left on disk belongs to hosts that are dormant, or wait for one that is, or have had their share.
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

    /// The host and those that its robots.txt leads through.
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
