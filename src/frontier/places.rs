//! Which queues are in memory: who is taken in, who makes room for others, and who is forgotten. The policy is told in
//! [`super`].

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::time::Instant;

use super::queue::{HostQueue, Place};
use super::{Arrival, Backlog, Frontier, Priority, QueueName};
use crate::urls::CanonicalUrl;

/// Of so many places one is kept for seeds, and one more is made free while queues are left out.
const SPARED: usize = 16;

impl<E> Frontier<E> {
    /// Word that a queue has new URLs on disk. A queue that is not in memory is left out when there is no room, or
    /// when others wait on disk for a place.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn arrived<B: Backlog>(&mut self, arrival: &Arrival, backlog: &B) -> Result<(), B::Error> {
        let has_place = match arrival.priority {
            Priority::Seed => self.queues.len() < self.rules.max_queues,
            _ => !self.left_out && self.room() > 0,
        };
        if has_place || self.knows(&arrival.queue) {
            return self.take_in(arrival, backlog);
        }
        self.left_out = true;
        Ok(())
    }

    /// Takes in a queue that has URLs on disk, whoever waits.
    ///
    /// # Errors
    /// When the backlog cannot be read.
    pub fn take_in<B: Backlog>(&mut self, arrival: &Arrival, backlog: &B) -> Result<(), B::Error> {
        let Arrival { queue: name, url, priority } = arrival;
        self.queue(name, url, backlog)?;
        if let Some(queue) = self.queues.get_mut(name) {
            queue.arrive(*priority);
            if queue.place == Place::Spent && !(priority.is_new_page() && self.domains.is_spent(queue)) {
                queue.place = Place::Idle;
            }
        }
        self.offer(name);
        Ok(())
    }

    pub(super) fn queue<B: Backlog>(
        &mut self,
        name: &QueueName,
        sample: &CanonicalUrl,
        backlog: &B,
    ) -> Result<&mut HostQueue<E>, B::Error> {
        match self.queues.entry(name.clone()) {
            Entry::Occupied(entry) => Ok(entry.into_mut().as_mut()),
            Entry::Vacant(entry) => {
                let standing = backlog.standing(name, sample)?;
                self.domains.add_queue(&standing);
                Ok(entry.insert(Box::new(HostQueue::new(sample.clone(), &standing))).as_mut())
            }
        }
    }

    /// How many more queues are taken in, besides seeds.
    pub fn room(&self) -> usize {
        let others = self.rules.max_queues - self.rules.max_queues / SPARED;
        others.saturating_sub(self.queues.len())
    }

    /// Whether queues with work wait on disk for a place.
    pub fn leaves_out(&self) -> bool {
        self.left_out
    }

    /// A queue with work was found on disk for which there is no room.
    pub fn leave_out(&mut self) {
        self.left_out = true;
    }

    /// All queues on disk are looked at from the first on: whether any is left out will be seen.
    pub fn look_anew(&mut self) {
        self.left_out = false;
    }

    /// Whether a queue whose turn has come leaves memory instead, so that others have their turns.
    pub(super) fn makes_room(&self, queue: &HostQueue<E>, now: Instant) -> bool {
        self.left_out
            && self.room() <= self.rules.max_queues / SPARED
            && !queue.has_errands()
            && !queue.waits
            && queue.had_share(&self.rules, now)
    }

    /// Has a queue leave memory at its turn, when its host and its address have had their rest; or, when the fate of
    /// URLs of it is not known yet, at the turn that it is offered then.
    pub(super) fn make_room<B: Backlog>(&mut self, name: &QueueName, backlog: &B) {
        let Some(queue) = self.queues.get_mut(name) else { return };
        queue.place = Place::Idle;
        if queue.out == 0
            && let Some(queue) = self.queues.remove(name)
            && self.domains.remove_queue(&queue.domain)
        {
            backlog.left(&queue.domain);
        }
    }

    /// Forgets queues that have nothing to do, and addresses that nobody waits for. What is left of such queues is
    /// on disk. Of those that are dormant, only if there are many.
    pub fn prune<B: Backlog>(&mut self, now: Instant, backlog: &B) {
        let crowded = self.queues.len() * 2 > self.rules.max_queues;
        let domains = &mut self.domains;
        self.queues.retain(|_, queue| {
            let rested = queue.free_at.is_none_or(|at| at <= now);
            let idle = match queue.place {
                Place::Idle | Place::Spent => rested,
                Place::Dormant => crowded && rested,
                _ => false,
            };
            let keep = !idle || queue.out > 0 || queue.waits || queue.has_errands();
            if !keep && domains.remove_queue(&queue.domain) {
                backlog.left(&queue.domain);
            }
            keep
        });
        let queues = &self.queues;
        self.asleep.retain(|Reverse((_, name))| queues.contains_key(name));
        self.addresses.prune(now);
        self.shares.prune(now);
    }

    /// Whether a queue is in memory.
    pub fn knows(&self, name: &QueueName) -> bool {
        self.queues.contains_key(name)
    }

    /// Whether what a queue has on disk needs no looking at: it is in memory, and if it has no budget left, that is
    /// still so.
    pub fn sees_to(&self, name: &QueueName) -> bool {
        let sees_to = |queue: &HostQueue<E>| queue.place != Place::Spent || self.domains.is_spent(queue);
        self.queues.get(name).is_some_and(|queue| sees_to(queue))
    }

    /// Queues known.
    pub fn queues(&self) -> usize {
        self.queues.len()
    }
}
