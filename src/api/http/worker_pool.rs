//! The threads that compute responses and verify passwords. Their priority is lower than that of a crawl in the same
//! process.
//!
//! They are the blocking threads of a separate async runtime. Callers can therefore await their results, and other
//! blocking work of the process does not occupy them.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::api::ApiError;

/// The pool. Dropping it does not wait for running work.
pub(crate) struct WorkerPool {
    threads: Handle,
    runtime: Option<Runtime>,
}

impl WorkerPool {
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start(threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(threads)
            .thread_name("api-worker")
            .on_thread_start(crate::threads::lower_priority)
            .build()?;
        Ok(Self { threads: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Starts work on one of the threads. It runs to its end even if the returned future is dropped.
    ///
    /// # Errors
    /// Those of the work; [`ApiError::Internal`] when it panics.
    pub(crate) fn run<T, W>(&self, work: W) -> impl Future<Output = Result<T, ApiError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T, ApiError> + Send + 'static,
    {
        let worker = self.threads.spawn_blocking(work);
        async { worker.await.map_err(|error| ApiError::Internal(error.to_string()))? }
    }
}

impl Drop for WorkerPool {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which is not allowed in async tasks.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
