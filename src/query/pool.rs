//! The threads that queries share their larger work among: a pool of their own, of lower priority, so that no query
//! takes the cores of a crawl.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::threads::lower_priority;

/// Of the whole process, since it is the process's cores that are shared. None when its threads cannot be started.
static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();

/// Starts so many threads for the queries of this process, 0 for one per core. Without this call, the first query
/// does, for every core; with threads there already, nothing is changed.
///
/// # Errors
/// [`ThreadPoolBuildError`] when the threads cannot be started.
pub fn start_threads(threads: usize) -> Result<(), ThreadPoolBuildError> {
    if POOL.get().is_none() {
        let pool = build(threads)?;
        // Another thread may have been faster.
        let _ = POOL.set(Some(pool));
    }
    Ok(())
}

fn build(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("query-{number}"))
        .start_handler(|_| lower_priority())
        .build()
}

/// Does work whose parallel parts are to run on the queries' threads. Only for parts that are worth several threads:
/// the work itself goes to one of them.
pub(super) fn parallel<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match POOL.get_or_init(|| build(0).ok()) {
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
