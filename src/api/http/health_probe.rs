//! The health probe: load balancers and orchestrators learn without credentials whether the server can serve.
//!
//! A probe reads the first page of the index. Any client may send any number of probes. One read therefore answers all
//! probes for a while, only one read runs at a time, and a read that does not end blocks no other work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::store::Store;

/// Reads the index for health probes.
pub(crate) struct HealthProbe {
    store: Arc<Store>,
    /// How long a read may take, and how long its result is valid.
    timeout: Duration,
    state: Mutex<ProbeState>,
}

#[derive(Default)]
struct ProbeState {
    /// When the last read ended, and whether it succeeded.
    last: Option<(Instant, bool)>,
    running: Option<JoinHandle<bool>>,
}

impl HealthProbe {
    pub(crate) fn new(store: &Arc<Store>, timeout: Duration) -> Self {
        Self { store: Arc::clone(store), timeout, state: Mutex::default() }
    }

    /// Whether the index can be read in time.
    pub(crate) async fn is_healthy(&self) -> bool {
        let result = tokio::time::timeout(self.timeout, self.check_once()).await;
        result.unwrap_or_else(|_| {
            tracing::error!("the index was not read within api.health_timeout");
            false
        })
    }

    async fn check_once(&self) -> bool {
        let mut state = self.state.lock().await;
        if let Some((at, succeeded)) = state.last
            && at.elapsed() < self.timeout
        {
            return succeeded;
        }
        let store = &self.store;
        let running = state.running.get_or_insert_with(|| {
            let store = Arc::clone(store);
            tokio::task::spawn_blocking(move || is_readable(&store))
        });
        // A probe that times out here leaves the running read to the next probe.
        let succeeded = running.await.unwrap_or(false);
        *state = ProbeState { last: Some((Instant::now(), succeeded)), running: None };
        succeeded
    }
}

fn is_readable(store: &Store) -> bool {
    let result = store.check_readable();
    if let Err(error) = &result {
        tracing::error!(%error, "the index cannot be read");
    }
    result.is_ok()
}
