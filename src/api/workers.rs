//! The threads on which answers are computed and passwords verified, at a lower priority than a crawl in the same
//! process has.
//!
//! They are the blocking threads of an async runtime of their own, so that what waits for them is woken as usual and
//! other blocking work of the process has no part in them.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Ends without waiting for what still runs.
pub struct Workers(Option<Runtime>);

impl Workers {
    /// # Errors
    /// When the system has no more threads.
    pub fn start(threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(threads)
            .thread_name("api-worker")
            .on_thread_start(crate::threads::lower_priority)
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs work on one of the threads. `None` when they have ended.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<JoinHandle<T>> {
        self.0.as_ref().map(|runtime| runtime.spawn_blocking(work))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // A runtime that is dropped waits for its threads, which no async task may do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
