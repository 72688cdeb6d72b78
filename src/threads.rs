//! CPU cores and thread priorities. A crawl and queries in one process share the cores, and the crawl comes first.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{getpriority_process, setpriority_process};

/// Niceness of query and ranking threads. A thread of default niceness gets about nine times the CPU time of a thread
/// of niceness 10. So queries leave the cores to the crawl, and use all of them when it is idle.
pub const NICENESS: i32 = 10;

/// Whether a crawl runs in this process.
static CRAWL_RUNS: AtomicBool = AtomicBool::new(false);

/// Number of cores available to this process; 1 if the system does not report it.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Declares that this process runs a crawl: threads started from now on yield to it. Without a crawl they have no
/// reason to yield to other processes.
pub fn expect_crawl() {
    CRAWL_RUNS.store(true, Ordering::Relaxed);
}

/// Lowers the priority of the calling thread, and of no other, if this process runs a crawl. On Linux, process id 0
/// means the calling thread; elsewhere it means the whole process, so this does nothing there. A thread that is
/// already as nice, or may not change its niceness, stays as it is.
pub fn lower_priority() {
    let crawl_runs = CRAWL_RUNS.load(Ordering::Relaxed);
    if crawl_runs && cfg!(target_os = "linux") && getpriority_process(None).is_ok_and(|nice| nice < NICENESS)
    {
        // An optimisation only, so an error is ignored.
        let _ = setpriority_process(None, NICENESS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_calling_thread_gets_a_lower_priority() {
        let before = getpriority_process(None).unwrap();
        expect_crawl();
        let nice = std::thread::spawn(|| {
            lower_priority();
            getpriority_process(None).unwrap()
        });
        assert_eq!(nice.join().unwrap(), before.max(NICENESS));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
