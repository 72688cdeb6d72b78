//! The thread pool of the queries. It has lower priority and is separate, so that queries take no cores from
//! a crawl.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::threads::lower_priority;

/// One pool per process, since the process's cores are shared. `None` when the threads cannot be started.
static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();

/// Starts the pool with this number of threads; 0 means one per core. Without this call the first query
/// starts one thread per core. A pool that is running stays as it is.
///
/// # Errors
/// [`ThreadPoolBuildError`] when the threads cannot be started.
pub fn start_threads(threads: usize) -> Result<(), ThreadPoolBuildError> {
    if POOL.get().is_none() {
        let pool = build_pool(threads)?;
        // Another thread may have set the pool first.
        let _ = POOL.set(Some(pool));
    }
    Ok(())
}

fn build_pool(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("query-{number}"))
        .start_handler(|_| lower_priority())
        .build()
}

/// Runs work in the pool, so that its parallel parts use the pool's threads. Only worth it for work that
/// needs several threads: the work itself moves to one of them.
pub(crate) fn parallel<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match POOL.get_or_init(|| build_pool(0).ok()) {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_work_runs_on_threads_of_its_own() {
        let name = || std::thread::current().name().map(str::to_owned).unwrap_or_default();
        let (here, there) = parallel(|| rayon::join(name, name));
        assert!(here.starts_with("query-") && there.starts_with("query-"), "{here}, {there}");
    }
}
