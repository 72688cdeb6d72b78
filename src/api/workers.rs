//! The threads on which answers are computed and passwords verified, at a lower priority than a crawl in the same
//! process has.
//!
//! They are the blocking threads of an async runtime of their own, so that what waits for them is woken as usual and
//! other blocking work of the process has no part in them.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

use super::ApiError;

/// Ends without waiting for what still runs.
pub struct Workers {
    threads: Handle,
    runtime: Option<Runtime>,
}

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
        Ok(Self { threads: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Runs work on one of the threads, from now on, whether somebody waits for its result or not.
    ///
    /// # Errors
    /// Those of the work; [`ApiError::Internal`] when it panics.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> impl Future<Output = Result<T, ApiError>> + Send {
        let working = self.threads.spawn_blocking(work);
        async { working.await.map_err(|error| ApiError::Internal(error.to_string()))? }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // A runtime that is dropped waits for its threads, which no async task may do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
