//! Slots for queries. Few queries run at once, so that each is quick, and long queries give way to short ones.
//!
//! A query starts in one of the `api.max_concurrent_queries` slots. If it takes longer than `api.long_query_after`
//! while others wait, it gives back its permit and continues as one of the `api.max_long_queries`. When these are full
//! too, the youngest long query of the client with the most long queries is stopped, because older ones are closer to
//! their end. A short query therefore waits a fraction of a second at most.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::client::Client;
use super::fair_queue::{FairQueue, Permit, QueueLimits, Refused};
use crate::api::ApiError;
use crate::config::ApiConfig;
use crate::metrics::QueryMetrics;
use crate::query::Deadline;
use crate::threads;

/// How often a waiting query checks whether a running one has to give way.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// All query slots. Clones share them.
#[derive(Clone)]
pub(crate) struct QuerySlots(Arc<SharedSlots>);

struct SharedSlots {
    queue: FairQueue<Client>,
    running: Mutex<Vec<Arc<RunningQuery>>>,
    long_after: Duration,
    max_long: usize,
    stopped: AtomicU64,
    refused: AtomicU64,
}

/// A query that is being computed.
struct RunningQuery {
    client: Client,
    started: Instant,
    /// `None` for a long query, which has given back its permit.
    permit: Mutex<Option<Permit<Client>>>,
    deadline: Deadline,
    stopped: AtomicBool,
}

/// The slot of a running query. Dropping it frees the slot.
pub struct QuerySlot {
    slots: Arc<SharedSlots>,
    running: Arc<RunningQuery>,
}

impl QuerySlots {
    pub(crate) fn new(config: &ApiConfig) -> Self {
        let limits = QueueLimits {
            permits: concurrent_queries(config),
            permits_per_client: usize::MAX,
            max_waiting: config.max_waiting_queries,
            overload_after: config.overload_after.0,
        };
        Self(Arc::new(SharedSlots {
            queue: FairQueue::new(limits),
            running: Mutex::default(),
            long_after: config.long_query_after.0,
            max_long: long_queries(config),
            stopped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }))
    }

    /// Waits for a slot. The query ends at `deadline`.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when the queue is full; [`ApiError::Deadline`].
    pub(crate) async fn acquire(&self, client: &Client, deadline: &Deadline) -> Result<QuerySlot, ApiError> {
        let permit = self.wait_for_permit(client, deadline).await?;
        let running = Arc::new(RunningQuery {
            client: client.clone(),
            started: Instant::now(),
            permit: Mutex::new(Some(permit)),
            deadline: deadline.clone(),
            stopped: AtomicBool::new(false),
        });
        self.0.running().push(Arc::clone(&running));
        Ok(QuerySlot { slots: Arc::clone(&self.0), running })
    }

    async fn wait_for_permit(
        &self,
        client: &Client,
        deadline: &Deadline,
    ) -> Result<Permit<Client>, ApiError> {
        let mut waiting = std::pin::pin!(self.0.queue.acquire(client.clone()));
        loop {
            match tokio::time::timeout(POLL_INTERVAL.min(deadline.remaining()), &mut waiting).await {
                Ok(Ok(permit)) => return Ok(permit),
                Ok(Err(Refused)) => {
                    self.0.refused.fetch_add(1, Ordering::Relaxed);
                    return Err(ApiError::Overloaded);
                }
                Err(_) if deadline.remaining().is_zero() => return Err(ApiError::Deadline),
                Err(_) => self.0.demote_long_queries(Instant::now()),
            }
        }
    }

    /// The numbers of queries at this moment.
    pub(crate) fn metrics(&self) -> QueryMetrics {
        let running = self.0.running();
        QueryMetrics {
            running: running.len(),
            long: running.iter().filter(|query| query.is_long()).count(),
            waiting: self.0.queue.waiting_count(),
            refused: self.0.refused.load(Ordering::Relaxed),
            stopped: self.0.stopped.load(Ordering::Relaxed),
        }
    }
}

impl SharedSlots {
    /// A panic in another thread cannot leave the list half changed.
    fn running(&self) -> MutexGuard<'_, Vec<Arc<RunningQuery>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the permits of queries that have run for `long_after`.
    fn demote_long_queries(&self, now: Instant) {
        let running = self.running();
        let mut long = running.iter().filter(|query| query.is_long()).count();
        let mut is_blocked = false;
        // Oldest first.
        for query in running.iter().filter(|query| !query.is_long()) {
            if now.saturating_duration_since(query.started) < self.long_after {
                continue;
            }
            if long < self.max_long {
                query.release_permit();
                long += 1;
            } else {
                is_blocked = true;
            }
        }
        // One query at a time is stopped, because it takes a moment to end.
        if is_blocked && !running.iter().any(|query| query.is_stopped()) {
            self.stop_youngest_long(&running, now);
        }
    }

    /// Stops the youngest long query of the client with the most long queries.
    fn stop_youngest_long(&self, running: &[Arc<RunningQuery>], now: Instant) {
        let long =
            || running.iter().filter(|query| now.saturating_duration_since(query.started) >= self.long_after);
        let mut counts: HashMap<&Client, usize> = HashMap::new();
        for query in long() {
            *counts.entry(&query.client).or_default() += 1;
        }
        let highest = counts.values().copied().max().unwrap_or(0);
        if let Some(query) = long().filter(|query| counts.get(&query.client) == Some(&highest)).last() {
            query.stop();
            self.stopped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl RunningQuery {
    fn is_long(&self) -> bool {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn release_permit(&self) {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.deadline.cancel();
    }
}

impl Drop for QuerySlot {
    fn drop(&mut self) {
        self.slots.running().retain(|query| !Arc::ptr_eq(query, &self.running));
    }
}

/// Returns how many queries run at once.
pub(crate) fn concurrent_queries(config: &ApiConfig) -> usize {
    match config.max_concurrent_queries {
        0 => 2 * threads::cores(),
        queries => queries,
    }
}

/// Returns how many long queries run at once, in addition to the others.
pub(crate) fn long_queries(config: &ApiConfig) -> usize {
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

    fn slots(max_concurrent_queries: usize, max_long_queries: usize) -> QuerySlots {
        let long_query_after = Span(Duration::from_millis(20));
        QuerySlots::new(&ApiConfig {
            max_concurrent_queries,
            max_long_queries,
            long_query_after,
            ..ApiConfig::default()
        })
    }

    #[tokio::test]
    async fn long_queries_give_way_to_others() {
        let slots = slots(1, 2);
        let (first, second) = (deadline(), deadline());
        let a = slots.acquire(&client("a"), &first).await.unwrap();
        assert_eq!(slots.metrics().long, 0);
        let b = slots.acquire(&client("b"), &second).await.unwrap();
        assert_eq!((slots.metrics().long, slots.metrics().running), (1, 2));
        drop(slots.acquire(&client("c"), &deadline()).await.unwrap());
        assert!(first.check().is_ok() && second.check().is_ok());
        drop((a, b));
        assert_eq!((slots.metrics().running, slots.metrics().waiting, slots.metrics().stopped), (0, 0, 0));
    }

    #[tokio::test]
    async fn with_too_many_long_queries_the_youngest_of_the_client_with_the_most_is_stopped() {
        let slots = slots(1, 2);
        let deadlines = [deadline(), deadline(), deadline()];
        let mut held = Vec::new();
        for (name, deadline) in ["b", "a", "a"].into_iter().zip(&deadlines) {
            held.push(slots.acquire(&client(name), deadline).await.unwrap());
        }
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.acquire(&client("c"), &deadline()).await.map(|_| ()) }
        });
        while deadlines[2].check().is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(deadlines[0].check().is_ok() && deadlines[1].check().is_ok());
        drop(held.remove(2));
        waiting.await.unwrap().unwrap();
        assert_eq!(slots.metrics().stopped, 1);
        assert!(deadlines[0].check().is_ok() && deadlines[1].check().is_ok());
    }
}
