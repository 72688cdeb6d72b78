//! A queue for places in which clients take turns: who waits with one request goes before the second request of
//! another.
//!
//! In an overload ([`Overload`]) there are no more places than cores, and as many clients may wait: by Little's law, what
//! is let in then takes no longer than when all places are held and nobody waits.
//!
//! Where no more may wait, a client that waits with one request takes the place in the queue of one that waits with
//! several, or else of one that had a place more lately: so nobody comes first by asking more often.

use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use quick_cache::unsync::Cache;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use super::overload::Overload;
use crate::threads;

/// How many may hold places and wait for them.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub places: usize,
    /// Places that one client may hold.
    pub places_per_client: usize,
    pub max_waiting: usize,
    pub overload_after: Duration,
}

impl QueueLimits {
    /// Places that are given while the queue is overloaded, and clients that may wait then.
    fn overload_places(&self) -> usize {
        self.places.min(threads::cores())
    }
}

/// Clients of which it is remembered when they had a place last.
const CLIENTS_REMEMBERED: usize = 10_000;

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// A queue and its places. Clones share it.
pub struct FairQueue<C: Clone + Eq + Hash>(Arc<Shared<C>>);

struct Shared<C: Clone + Eq + Hash> {
    limits: QueueLimits,
    state: Mutex<State<C>>,
}

struct State<C: Clone + Eq + Hash> {
    /// Places held, by client and in all.
    held: FxHashMap<C, usize>,
    all_held: usize,
    /// Who waits, by client and in all. A client without anybody is not there.
    waiting: FxHashMap<C, VecDeque<oneshot::Sender<Place<C>>>>,
    all_waiting: usize,
    /// The clients that wait, the next one first.
    turns: VecDeque<C>,
    /// When clients had places last, of those that had any lately.
    served: Cache<C, Instant>,
    /// Since when somebody waits.
    waiting_since: Option<Instant>,
    overload: Overload,
}

/// A place, given back when it is dropped.
pub struct Place<C: Clone + Eq + Hash> {
    shared: Arc<Shared<C>>,
    client: C,
    /// Whether it is still to be given back.
    held: bool,
}

impl<C: Clone + Eq + Hash> Clone for FairQueue<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Clone + Eq + Hash> FairQueue<C> {
    pub fn new(limits: QueueLimits) -> Self {
        let state = State {
            held: FxHashMap::default(),
            all_held: 0,
            waiting: FxHashMap::default(),
            all_waiting: 0,
            turns: VecDeque::new(),
            served: Cache::new(CLIENTS_REMEMBERED),
            waiting_since: None,
            overload: Overload::new(limits.overload_after),
        };
        Self(Arc::new(Shared { limits, state: Mutex::new(state) }))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Refused`] when no more may wait, at once or because another client takes this one's place in the queue.
    pub async fn acquire(&self, client: C) -> Result<Place<C>, Refused> {
        let waiting = {
            let (mut state, now) = (self.0.lock(), Instant::now());
            state.note_request(&self.0, now);
            if state.all_waiting == 0 && state.may_hold(&client, &self.0.limits, now) {
                return Ok(state.hold(&self.0, client, now));
            }
            state.enter(client, &self.0, now)?
        };
        waiting.await.map_err(|_| Refused)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.0.lock().all_waiting
    }
}

impl<C: Clone + Eq + Hash> Shared<C> {
    /// A panic elsewhere cannot leave the state half changed.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Clone + Eq + Hash> State<C> {
    fn may_hold(&self, client: &C, limits: &QueueLimits, now: Instant) -> bool {
        let own = self.held.get(client).copied().unwrap_or(0);
        self.all_held < self.places(limits, now) && own < limits.places_per_client
    }

    /// Places that may be held.
    fn places(&self, limits: &QueueLimits, now: Instant) -> usize {
        if self.overload.bounds_places(now) { limits.overload_places() } else { limits.places }
    }

    /// Notes a request; begins, goes on with or ends an overload.
    fn note_request(&mut self, shared: &Arc<Shared<C>>, now: Instant) {
        if self.overload.is_due(now) {
            if self.overload.stands(self.waiting_since, now) {
                // Those who have gone do not wait.
                self.forget_those_gone();
            }
            let stands = self.overload.stands(self.waiting_since, now);
            self.overload.begin(stands, now);
            self.hand_out(shared, now);
        }
        self.overload.count_request();
    }

    fn hold(&mut self, shared: &Arc<Shared<C>>, client: C, now: Instant) -> Place<C> {
        *self.held.entry(client.clone()).or_default() += 1;
        self.all_held += 1;
        self.served.insert(client.clone(), now);
        Place { shared: Arc::clone(shared), client, held: true }
    }

    fn give_back(&mut self, client: &C) {
        self.all_held -= 1;
        if let Some(own) = self.held.get_mut(client) {
            *own -= 1;
            if *own == 0 {
                self.held.remove(client);
            }
        }
    }

    /// Puts a client into the queue.
    fn enter(
        &mut self,
        client: C,
        shared: &Arc<Shared<C>>,
        now: Instant,
    ) -> Result<oneshot::Receiver<Place<C>>, Refused> {
        let limits = &shared.limits;
        let most = match self.overload.bounds_waiting() {
            true => limits.overload_places().min(limits.max_waiting),
            false => limits.max_waiting,
        };
        if self.all_waiting >= most {
            self.forget_those_gone();
        }
        if self.all_waiting >= most {
            self.overload.count_refused();
            self.displace(&client)?;
        }
        let (sender, receiver) = oneshot::channel();
        let own = self.waiting.entry(client.clone()).or_default();
        if own.is_empty() {
            self.turns.push_back(client);
        }
        own.push_back(sender);
        self.all_waiting += 1;
        self.waiting_since.get_or_insert(now);
        // Those who waited before may have been kept by their own share alone.
        self.hand_out(shared, now);
        Ok(receiver)
    }

    /// Makes room in the queue for a client: the last request of the client that waits with the most is refused.
    fn displace(&mut self, newcomer: &C) -> Result<(), Refused> {
        let own = self.waiting.get(newcomer).map_or(0, VecDeque::len);
        let longest = self.waiting.iter().max_by_key(|(_, waiting)| waiting.len());
        let client = longest.filter(|(_, waiting)| waiting.len() > own + 1).map(|(client, _)| client.clone());
        let client = match client {
            Some(client) => client,
            None if own == 0 => self.served_after(newcomer).ok_or(Refused)?,
            None => return Err(Refused),
        };
        let waiting = self.waiting.get_mut(&client).ok_or(Refused)?;
        self.all_waiting -= usize::from(waiting.pop_back().is_some());
        if waiting.is_empty() {
            self.waiting.remove(&client);
            self.turns.retain(|turn| *turn != client);
        }
        Ok(())
    }

    /// Of the clients that wait, the one that had a place last, if that was after the newcomer had one.
    fn served_after(&self, newcomer: &C) -> Option<C> {
        let served = |client: &C| self.served.peek(client).copied();
        let latest = self.waiting.keys().max_by_key(|client| served(client))?;
        (served(latest) > served(newcomer)).then(|| latest.clone())
    }

    /// Takes those out of the queue who wait no more.
    fn forget_those_gone(&mut self) {
        self.waiting.retain(|_, waiting| {
            waiting.retain(|sender| !sender.is_closed());
            !waiting.is_empty()
        });
        self.turns.retain(|client| self.waiting.contains_key(client));
        self.all_waiting = self.waiting.values().map(VecDeque::len).sum();
        self.note_emptiness();
    }

    /// Gives free places to those whose turn it is.
    fn hand_out(&mut self, shared: &Arc<Shared<C>>, now: Instant) {
        let (mut passed, places) = (0, self.places(&shared.limits, now));
        while self.all_held < places && passed < self.turns.len() {
            let Some(client) = self.turns.pop_front() else { break };
            if !self.may_hold(&client, &shared.limits, now) {
                self.turns.push_back(client);
                passed += 1;
                continue;
            }
            let Some(waiting) = self.waiting.get_mut(&client) else { continue };
            let sender = waiting.pop_front();
            self.all_waiting -= usize::from(sender.is_some());
            if waiting.is_empty() {
                self.waiting.remove(&client);
            } else {
                self.turns.push_back(client.clone());
            }
            passed = 0;
            let Some(sender) = sender.filter(|sender| !sender.is_closed()) else { continue };
            if let Err(mut place) = sender.send(self.hold(shared, client, now)) {
                // It must not be given back by its drop, which would lock once more.
                place.held = false;
                self.give_back(&place.client);
            }
        }
        self.note_emptiness();
    }

    fn note_emptiness(&mut self) {
        if self.all_waiting == 0 {
            self.waiting_since = None;
        }
    }
}

impl<C: Clone + Eq + Hash> Drop for Place<C> {
    fn drop(&mut self) {
        if self.held {
            let mut state = self.shared.lock();
            state.give_back(&self.client);
            state.hand_out(&self.shared, Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    fn queue(places: usize, places_per_client: usize, max_waiting: usize) -> FairQueue<&'static str> {
        let overload_after = Duration::from_secs(3_600);
        FairQueue::new(QueueLimits { places, places_per_client, max_waiting, overload_after })
    }

    fn waits<T>(polled: std::task::Poll<T>) -> bool {
        polled.is_pending()
    }

    #[tokio::test]
    async fn clients_take_turns_however_many_requests_one_has() {
        let queue = queue(1, 1, 100);
        let first = queue.acquire("a").await.unwrap();
        let (mut a1, mut a2) = (pin!(queue.acquire("a")), pin!(queue.acquire("a")));
        assert!(waits(poll!(&mut a1)) && waits(poll!(&mut a2)));
        let mut b = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut b)));
        drop(first);
        let second = a1.await.unwrap();
        assert!(waits(poll!(&mut a2)) && waits(poll!(&mut b)));
        drop(second);
        drop(b.await.unwrap());
        drop(a2.await.unwrap());
        assert_eq!(queue.waiting(), 0);
        drop(queue.acquire("c").await.unwrap());
    }

    #[tokio::test]
    async fn a_share_is_kept_while_there_are_free_places() {
        let queue = queue(3, 2, 100);
        let held = [queue.acquire("a").await.unwrap(), queue.acquire("a").await.unwrap()];
        let mut third = pin!(queue.acquire("a"));
        assert!(waits(poll!(&mut third)));
        let other = queue.acquire("b").await.unwrap();
        drop(other);
        assert!(waits(poll!(&mut third)), "a place is free, but not for this client");
        drop(held);
        third.await.unwrap();
    }

    #[tokio::test]
    async fn whoever_goes_away_keeps_no_place() {
        let queue = queue(1, 1, 100);
        let first = queue.acquire("a").await.unwrap();
        {
            let mut gone = pin!(queue.acquire("b"));
            assert!(waits(poll!(&mut gone)));
        }
        let mut next = pin!(queue.acquire("c"));
        assert!(waits(poll!(&mut next)));
        drop(first);
        drop(next.await.unwrap());
        // Gone between the moment it was given a place and the moment it would have taken it.
        let first = queue.acquire("a").await.unwrap();
        {
            let mut given = pin!(queue.acquire("b"));
            assert!(waits(poll!(&mut given)));
            drop(first);
        }
        queue.acquire("c").await.unwrap();
    }

    #[tokio::test]
    async fn a_full_queue_refuses_the_client_that_has_the_most_in_it() {
        let queue = queue(1, 1, 3);
        let held = queue.acquire("a").await.unwrap();
        let mut a: Vec<_> = (0..3).map(|_| Box::pin(queue.acquire("a"))).collect();
        for waiting in &mut a {
            assert!(waits(poll!(waiting)));
        }
        assert_eq!(queue.acquire("a").await.err(), Some(Refused));
        let mut b = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut b)));
        assert_eq!(a.pop().unwrap().await.err(), Some(Refused), "its last request made room");
        let mut c = pin!(queue.acquire("c"));
        assert!(waits(poll!(&mut c)));
        // All wait with one request: one that had no place yet goes before one that has, and before no other.
        let mut d = pin!(queue.acquire("d"));
        assert!(waits(poll!(&mut d)));
        assert_eq!(a.remove(0).await.err(), Some(Refused));
        assert_eq!(queue.acquire("e").await.err(), Some(Refused));
        drop(held);
        drop(b.await.unwrap());
        drop(c.await.unwrap());
        drop(d.await.unwrap());
    }

    #[tokio::test]
    async fn a_queue_that_stands_takes_no_more_than_there_are_places() {
        let overload_after = Duration::from_millis(50);
        let limits = QueueLimits { places: 1, places_per_client: 1, max_waiting: 100, overload_after };
        let queue = FairQueue::new(limits);
        let held = queue.acquire("a").await.unwrap();
        let (mut b, mut c) = (pin!(queue.acquire("b")), pin!(queue.acquire("c")));
        assert!(waits(poll!(&mut b)) && waits(poll!(&mut c)));
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(queue.acquire("d").await.err(), Some(Refused));
        drop(held);
        drop(b.await.unwrap());
        drop(c.await.unwrap());
        let held = queue.acquire("a").await.unwrap();
        let mut b = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut b)));
        assert_eq!(queue.acquire("c").await.err(), Some(Refused), "it was overloaded a moment ago");
        drop(held);
        drop(b.await.unwrap());
        tokio::time::sleep(Duration::from_millis(110)).await;
        let _held = queue.acquire("a").await.unwrap();
        let (mut b, mut c) = (pin!(queue.acquire("b")), pin!(queue.acquire("c")));
        assert!(waits(poll!(&mut b)) && waits(poll!(&mut c)), "and is no longer");
    }

    #[tokio::test]
    async fn an_overload_leaves_one_place_for_each_core_until_it_ends() {
        let (cores, overload_after) = (threads::cores(), Duration::from_millis(300));
        let places = 4 * cores;
        let limits = QueueLimits { places, places_per_client: places, max_waiting: 1_000, overload_after };
        let (queue, mut held) = (FairQueue::new(limits), Vec::new());
        for _ in 0..places {
            held.push(queue.acquire("a").await.unwrap());
        }
        {
            let mut first = pin!(queue.acquire("a"));
            assert!(waits(poll!(&mut first)));
            tokio::time::sleep(overload_after + Duration::from_millis(10)).await;
            // As many may wait as there are cores, of which one does.
            let mut others: Vec<_> = (1..cores).map(|_| Box::pin(queue.acquire("a"))).collect();
            for other in &mut others {
                assert!(waits(poll!(other)));
            }
            assert_eq!(queue.acquire("a").await.err(), Some(Refused));
        }
        let mut next = pin!(queue.acquire("b"));
        assert!(waits(poll!(&mut next)));
        held.truncate(cores);
        assert!(waits(poll!(&mut next)), "each core has a query");
        drop(held.pop());
        drop(next.await.unwrap());
        // Nothing was refused for long: all places are given again.
        tokio::time::sleep(2 * overload_after).await;
        for _ in held.len()..places {
            held.push(queue.acquire("c").await.unwrap());
        }
    }

    #[tokio::test]
    async fn whoever_has_gone_does_not_make_a_queue_stand() {
        let overload_after = Duration::from_millis(30);
        let limits = QueueLimits { places: 1, places_per_client: 1, max_waiting: 100, overload_after };
        let queue = FairQueue::new(limits);
        let _held = queue.acquire("a").await.unwrap();
        {
            let mut gone = pin!(queue.acquire("b"));
            assert!(waits(poll!(&mut gone)));
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
        let (mut c, mut d) = (pin!(queue.acquire("c")), pin!(queue.acquire("d")));
        assert!(waits(poll!(&mut c)) && waits(poll!(&mut d)));
    }
}
