//! Turns of queries to be computed: few at once, so that each is quick; those that take long step aside.
//!
//! A query has one of `api.max_concurrent_queries` places. One that takes longer than `api.long_query_after` gives it back
//! while others wait, and goes on among the `api.max_long_queries`. Where these are as many as they may be, the youngest
//! long query of the client that has the most of them is stopped, for the others are nearer to their end. So a short query
//! waits for a fraction of a second at most, whatever others ask.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::fair_queue::{FairQueue, Place, QueueLimits, Refused};
use super::rate::Client;
use crate::api::ApiError;
use crate::config::ApiConfig;
use crate::query::Deadline;
use crate::threads;

/// How often those who wait look whether a query that runs has to step aside.
const LOOK: Duration = Duration::from_millis(10);

/// All turns. Clones share them.
#[derive(Clone)]
pub struct QueryTurns(Arc<Shared>);

struct Shared {
    queue: FairQueue<Client>,
    running: Mutex<Vec<Arc<Running>>>,
    long_after: Duration,
    max_long: usize,
    stopped: AtomicU64,
    refused: AtomicU64,
}

/// A query that is computed.
struct Running {
    client: Client,
    since: Instant,
    /// `None`: it is a long one, and has stepped aside.
    place: Mutex<Option<Place<Client>>>,
    deadline: Deadline,
    stopped: AtomicBool,
}

/// A query's turn, until it is dropped.
pub struct Turn {
    turns: Arc<Shared>,
    running: Arc<Running>,
}

/// What `/metrics` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnFigures {
    pub running: usize,
    pub long: usize,
    pub waiting: usize,
    /// Since the start.
    pub refused: u64,
    pub stopped: u64,
}

impl QueryTurns {
    pub fn new(config: &ApiConfig) -> Self {
        let limits = QueueLimits {
            places: concurrent_queries(config),
            places_per_client: usize::MAX,
            max_waiting: config.max_waiting_queries,
            overload_after: config.overload_after.0,
        };
        Self(Arc::new(Shared {
            queue: FairQueue::new(limits),
            running: Mutex::default(),
            long_after: config.long_query_after.0,
            max_long: long_queries(config),
            stopped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }))
    }

    /// Waits for a turn of a query that ends at `deadline`.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when no more may wait; [`ApiError::Deadline`].
    pub async fn take(&self, client: &Client, deadline: &Deadline) -> Result<Turn, ApiError> {
        let place = self.place(client, deadline).await?;
        let running = Arc::new(Running {
            client: client.clone(),
            since: Instant::now(),
            place: Mutex::new(Some(place)),
            deadline: deadline.clone(),
            stopped: AtomicBool::new(false),
        });
        self.0.running().push(Arc::clone(&running));
        Ok(Turn { turns: Arc::clone(&self.0), running })
    }

    async fn place(&self, client: &Client, deadline: &Deadline) -> Result<Place<Client>, ApiError> {
        let mut waiting = std::pin::pin!(self.0.queue.acquire(client.clone()));
        loop {
            match tokio::time::timeout(LOOK.min(deadline.left()), &mut waiting).await {
                Ok(Ok(place)) => return Ok(place),
                Ok(Err(Refused)) => {
                    self.0.refused.fetch_add(1, Ordering::Relaxed);
                    return Err(ApiError::Overloaded);
                }
                Err(_) if deadline.left().is_zero() => return Err(ApiError::Deadline),
                Err(_) => self.0.make_way(Instant::now()),
            }
        }
    }

    pub fn figures(&self) -> TurnFigures {
        let running = self.0.running();
        TurnFigures {
            running: running.len(),
            long: running.iter().filter(|query| query.is_long()).count(),
            waiting: self.0.queue.waiting(),
            refused: self.0.refused.load(Ordering::Relaxed),
            stopped: self.0.stopped.load(Ordering::Relaxed),
        }
    }
}

impl Shared {
    /// A panic elsewhere cannot leave the list half changed.
    fn running(&self) -> MutexGuard<'_, Vec<Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the queries step aside that have had their time.
    fn make_way(&self, now: Instant) {
        let running = self.running();
        let mut long = running.iter().filter(|query| query.is_long()).count();
        let mut is_kept = false;
        // In the order in which they began.
        for query in running.iter().filter(|query| !query.is_long()) {
            if now.saturating_duration_since(query.since) < self.long_after {
                continue;
            }
            if long < self.max_long {
                query.step_aside();
                long += 1;
            } else {
                is_kept = true;
            }
        }
        // One at a time: it takes a moment to end.
        if is_kept && !running.iter().any(|query| query.is_stopped()) {
            self.stop_one(&running, now);
        }
    }

    /// Stops the youngest of the long queries of the client that has the most of them.
    fn stop_one(&self, running: &[Arc<Running>], now: Instant) {
        let long =
            || running.iter().filter(|query| now.saturating_duration_since(query.since) >= self.long_after);
        let mut counts: FxHashMap<&Client, usize> = FxHashMap::default();
        for query in long() {
            *counts.entry(&query.client).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        if let Some(query) = long().filter(|query| counts.get(&query.client) == Some(&most)).last() {
            query.stop();
            self.stopped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Running {
    fn is_long(&self) -> bool {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn step_aside(&self) {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.deadline.cancel();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.running().retain(|query| !Arc::ptr_eq(query, &self.running));
    }
}

/// Queries computed at once.
pub fn concurrent_queries(config: &ApiConfig) -> usize {
    match config.max_concurrent_queries {
        0 => 2 * threads::cores(),
        queries => queries,
    }
}

/// Long queries computed at once besides.
pub fn long_queries(config: &ApiConfig) -> usize {
    match config.max_long_queries {
        0 => 4 * threads::cores(),
        queries => queries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;

    fn client(name: &str) -> Client {
        Client::User(name.into())
    }

    fn deadline() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    fn turns(max_concurrent_queries: usize, max_long_queries: usize) -> QueryTurns {
        let long_query_after = Span(Duration::from_millis(20));
        QueryTurns::new(&ApiConfig {
            max_concurrent_queries,
            max_long_queries,
            long_query_after,
            ..ApiConfig::default()
        })
    }

    #[tokio::test]
    async fn long_queries_step_aside_for_others() {
        let turns = turns(1, 2);
        let (first, second) = (deadline(), deadline());
        let a = turns.take(&client("a"), &first).await.unwrap();
        assert_eq!(turns.figures().long, 0);
        let b = turns.take(&client("b"), &second).await.unwrap();
        assert_eq!((turns.figures().long, turns.figures().running), (1, 2));
        drop(turns.take(&client("c"), &deadline()).await.unwrap());
        assert!(first.check().is_ok() && second.check().is_ok());
        drop((a, b));
        assert_eq!((turns.figures().running, turns.figures().waiting, turns.figures().stopped), (0, 0, 0));
    }

    #[tokio::test]
    async fn where_too_many_are_long_the_youngest_of_whoever_has_the_most_is_stopped() {
        let turns = turns(1, 2);
        let deadlines = [deadline(), deadline(), deadline()];
        let mut held = Vec::new();
        for (name, deadline) in ["b", "a", "a"].into_iter().zip(&deadlines) {
            held.push(turns.take(&client(name), deadline).await.unwrap());
        }
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.take(&client("c"), &deadline()).await.map(|_| ()) }
        });
        while deadlines[2].check().is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(deadlines[0].check().is_ok() && deadlines[1].check().is_ok());
        drop(held.remove(2));
        waiting.await.unwrap().unwrap();
        assert_eq!(turns.figures().stopped, 1);
        assert!(deadlines[0].check().is_ok() && deadlines[1].check().is_ok());
    }
}
