//! Probes: load balancers and orchestrators learn without credentials whether the server can serve.
//!
//! A probe reads the first page of the index. Any client may send any number of probes, so one reading answers all
//! probes of a while, one at a time is under way, and one that does not end holds up no other work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::store::Store;

/// Reads the index for probes.
pub struct Probe {
    store: Arc<Store>,
    /// How long a reading may take, and how long what it found counts.
    timeout: Duration,
    reading: Mutex<Reading>,
}

#[derive(Default)]
struct Reading {
    /// When the last one ended, and whether it succeeded.
    last: Option<(Instant, bool)>,
    under_way: Option<JoinHandle<bool>>,
}

impl Probe {
    pub fn new(store: &Arc<Store>, timeout: Duration) -> Self {
        Self { store: Arc::clone(store), timeout, reading: Mutex::default() }
    }

    /// Whether the index can be read in time.
    pub async fn succeeds(&self) -> bool {
        let read = tokio::time::timeout(self.timeout, self.read()).await;
        read.unwrap_or_else(|_| {
            tracing::error!("the index was not read within api.health_timeout");
            false
        })
    }

    async fn read(&self) -> bool {
        let mut reading = self.reading.lock().await;
        if let Some((at, succeeded)) = reading.last
            && at.elapsed() < self.timeout
        {
            return succeeded;
        }
        let store = &self.store;
        let under_way = reading.under_way.get_or_insert_with(|| {
            let store = Arc::clone(store);
            tokio::task::spawn_blocking(move || is_readable(&store))
        });
        // A probe that times out here leaves the reading to the next one.
        let succeeded = under_way.await.unwrap_or(false);
        *reading = Reading { last: Some((Instant::now(), succeeded)), under_way: None };
        succeeded
    }
}

fn is_readable(store: &Store) -> bool {
    let read = store.check_readable();
    if let Err(error) = &read {
        tracing::error!(%error, "the index cannot be read");
    }
    read.is_ok()
}
