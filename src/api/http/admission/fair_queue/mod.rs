//! A queue for permits that serves clients in turn: the first request of one client is served before the second request
//! of another.
//!
//! In an overload ([`Overload`]) the queue gives one permit for each core, and as many requests may wait. By Little's
//! law, an accepted request then takes no longer than with all permits in use and an empty queue.
//!
//! If the queue is full, a client without a waiting request displaces a request of the client with the most. If each
//! client has only one, it displaces the client that was served last. So no client gains by sending more requests.

use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use tokio::sync::oneshot;

use crate::api::http::admission::overload::Overload;
use crate::lru::Lru;
use crate::threads;

/// The limits of a queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub permits: usize,
    /// Permits that one client may hold.
    pub permits_per_client: usize,
    pub max_waiting: usize,
    pub overload_after: Duration,
}

impl QueueLimits {
    /// Permits that are given in an overload; also the number of requests that may wait then.
    fn overload_permits(&self) -> usize {
        self.permits.min(threads::cores())
    }
}

/// The number of clients whose last permit is remembered.
const REMEMBERED_CLIENTS: usize = 10_000;

/// The queue is full, or another client displaced the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// A queue and its permits. Clones share them.
pub struct FairQueue<C: Clone + Eq + Hash>(Arc<SharedQueue<C>>);

struct SharedQueue<C: Clone + Eq + Hash> {
    limits: QueueLimits,
    state: Mutex<QueueContents<C>>,
}

struct QueueContents<C: Clone + Eq + Hash> {
    /// Permits held by each client, and in all.
    held: HashMap<C, usize>,
    held_total: usize,
    /// Waiting requests by client, and in all. Clients without waiting requests have no entry.
    waiting: HashMap<C, VecDeque<oneshot::Sender<Permit<C>>>>,
    waiting_total: usize,
    /// The waiting clients in the order in which they are served.
    round_robin: VecDeque<C>,
    /// When each recent client last got a permit.
    last_served: Lru<C, Instant>,
    /// Since when the queue has not been empty.
    waiting_since: Option<Instant>,
    overload: Overload,
}

/// A permit. Dropping it returns it.
pub struct Permit<C: Clone + Eq + Hash> {
    shared: Arc<SharedQueue<C>>,
    client: C,
    /// Whether the drop has to return it.
    held: bool,
}

impl<C: Clone + Eq + Hash> Clone for FairQueue<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clone + Eq + Hash> FairQueue<C> {
    pub fn new(limits: QueueLimits) -> Self {
        let state = QueueContents {
            held: HashMap::new(),
            held_total: 0,
            waiting: HashMap::new(),
            waiting_total: 0,
            round_robin: VecDeque::new(),
            last_served: Lru::new(REMEMBERED_CLIENTS),
            waiting_since: None,
            overload: Overload::new(limits.overload_after),
        };
        Self(Arc::new(SharedQueue { limits, state: Mutex::new(state) }))
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`Refused`] when the queue is full, at once or later when another client displaces this request.
    pub async fn acquire(&self, client: C) -> Result<Permit<C>, Refused> {
        let waiting = {
            let (mut state, now) = (self.0.lock(), Instant::now());
            state.note_request(&self.0, now);
            if state.waiting_total == 0 && state.can_hold(&client, &self.0.limits, now) {
                return Ok(state.issue(&self.0, client, now));
            }
            state.enqueue(client, &self.0, now)?
        };
        waiting.await.map_err(|_| Refused)
    }

    /// The number of waiting requests.
    pub fn waiting_count(&self) -> usize {
        self.0.lock().waiting_total
    }
}

impl<C: Clone + Eq + Hash> SharedQueue<C> {
    /// A panic in another thread cannot leave the state half changed.
    fn lock(&self) -> MutexGuard<'_, QueueContents<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clone + Eq + Hash> QueueContents<C> {
    fn can_hold(&self, client: &C, limits: &QueueLimits, now: Instant) -> bool {
        let own = self.held.get(client).copied().unwrap_or(0);
        self.held_total < self.permit_limit(limits, now) && own < limits.permits_per_client
    }

    /// The number of permits that may be held now.
    fn permit_limit(&self, limits: &QueueLimits, now: Instant) -> usize {
        if self.overload.limits_permits(now) { limits.overload_permits() } else { limits.permits }
    }

    /// Records a request; begins, continues or ends an overload.
    fn note_request(&mut self, shared: &Arc<SharedQueue<C>>, now: Instant) {
        if self.overload.is_due(now) {
            if self.overload.is_standing(self.waiting_since, now) {
                // Cancelled requests do not count as waiting.
                self.remove_closed();
            }
            let is_standing = self.overload.is_standing(self.waiting_since, now);
            self.overload.begin_period(is_standing, now);
            self.issue_permits(shared, now);
        }
        self.overload.count_request();
    }

    fn issue(&mut self, shared: &Arc<SharedQueue<C>>, client: C, now: Instant) -> Permit<C> {
        *self.held.entry(client.clone()).or_default() += 1;
        self.held_total += 1;
        self.last_served.insert(client.clone(), now, 1);
        Permit { shared: Arc::clone(shared), client, held: true }
    }

    fn release(&mut self, client: &C) {
        self.held_total -= 1;
        if let Some(own) = self.held.get_mut(client) {
            *own -= 1;
            if *own == 0 {
                self.held.remove(client);
            }
        }
    }

    /// Adds a request to the queue.
    fn enqueue(
        &mut self,
        client: C,
        shared: &Arc<SharedQueue<C>>,
        now: Instant,
    ) -> Result<oneshot::Receiver<Permit<C>>, Refused> {
        let limits = &shared.limits;
        let max_waiting = match self.overload.limits_waiting() {
            true => limits.overload_permits().min(limits.max_waiting),
            false => limits.max_waiting,
        };
        if self.waiting_total >= max_waiting {
            self.remove_closed();
        }
        if self.waiting_total >= max_waiting {
            self.overload.count_refused();
            self.displace_for(&client)?;
        }
        let (sender, receiver) = oneshot::channel();
        let own = self.waiting.entry(client.clone()).or_default();
        if own.is_empty() {
            self.round_robin.push_back(client);
        }
        own.push_back(sender);
        self.waiting_total += 1;
        self.waiting_since.get_or_insert(now);
        // Earlier requests may have waited only because of their clients' own limits.
        self.issue_permits(shared, now);
        Ok(receiver)
    }

    /// Makes room for a client: refuses the last request of the client with the most waiting requests.
    fn displace_for(&mut self, newcomer: &C) -> Result<(), Refused> {
        let own = self.waiting.get(newcomer).map_or(0, VecDeque::len);
        let longest = self.waiting.iter().max_by_key(|(_, waiting)| waiting.len());
        let client = longest.filter(|(_, waiting)| waiting.len() > own + 1).map(|(client, _)| client.clone());
        let client = match client {
            Some(client) => client,
            None if own == 0 => self.latest_served_after(newcomer).ok_or(Refused)?,
            None => return Err(Refused),
        };
        let waiting = self.waiting.get_mut(&client).ok_or(Refused)?;
        self.waiting_total -= usize::from(waiting.pop_back().is_some());
        if waiting.is_empty() {
            self.waiting.remove(&client);
            self.round_robin.retain(|waiting| *waiting != client);
        }
        Ok(())
    }

    /// Returns the waiting client that was served last, if that was after the newcomer was last served.
    fn latest_served_after(&self, newcomer: &C) -> Option<C> {
        let last_served = |client: &C| self.last_served.peek(client).copied();
        let latest = self.waiting.keys().max_by_key(|client| last_served(client))?;
        (last_served(latest) > last_served(newcomer)).then(|| latest.clone())
    }

    /// Removes requests that were cancelled.
    fn remove_closed(&mut self) {
        self.waiting.retain(|_, waiting| {
            waiting.retain(|sender| !sender.is_closed());
            !waiting.is_empty()
        });
        self.round_robin.retain(|client| self.waiting.contains_key(client));
        self.waiting_total = self.waiting.values().map(VecDeque::len).sum();
        self.update_waiting_since();
    }

    /// Gives free permits to waiting requests, one client after the other.
    fn issue_permits(&mut self, shared: &Arc<SharedQueue<C>>, now: Instant) {
        let (mut passed, permits) = (0, self.permit_limit(&shared.limits, now));
        while self.held_total < permits && passed < self.round_robin.len() {
            let Some(client) = self.round_robin.pop_front() else { break };
            if !self.can_hold(&client, &shared.limits, now) {
                self.round_robin.push_back(client);
                passed += 1;
                continue;
            }
            let Some(waiting) = self.waiting.get_mut(&client) else { continue };
            let sender = waiting.pop_front();
            self.waiting_total -= usize::from(sender.is_some());
            if waiting.is_empty() {
                self.waiting.remove(&client);
            } else {
                self.round_robin.push_back(client.clone());
            }
            passed = 0;
            let Some(sender) = sender.filter(|sender| !sender.is_closed()) else { continue };
            if let Err(mut permit) = sender.send(self.issue(shared, client, now)) {
                // The drop must not return it, because it would lock the state again.
                permit.held = false;
                self.release(&permit.client);
            }
        }
        self.update_waiting_since();
    }

    fn update_waiting_since(&mut self) {
        if self.waiting_total == 0 {
            self.waiting_since = None;
        }
    }
}

impl<C: Clone + Eq + Hash> Drop for Permit<C> {
    fn drop(&mut self) {
        if self.held {
            let mut state = self.shared.lock();
            state.release(&self.client);
            state.issue_permits(&self.shared, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
