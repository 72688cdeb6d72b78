//! Cores, and the priority of threads: a crawl and queries in one process share its cores, and the crawl comes first.

use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{getpriority_process, setpriority_process};

/// How nice the threads of queries and rankings are. A thread of the usual niceness gets about nine times the time of
/// one of 10, so that many queries leave the crawl its cores, and an idle machine gives them all of theirs.
pub const NICENESS: i32 = 10;

/// Whether a crawl runs in this process.
static BESIDE_CRAWL: AtomicBool = AtomicBool::new(false);

/// Cores that this process may use; one where the system does not say.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Says that a crawl runs in this process: threads that are started from now on give way to it. Where there is none,
/// they have no reason to come after what else runs on the machine.
pub fn expect_crawl() {
    BESIDE_CRAWL.store(true, Ordering::Relaxed);
}

/// Gives the calling thread, and no other, a lower priority from now on, if a crawl runs in this process. On Linux,
/// process 0 is the calling thread; elsewhere it would be the whole process, so that nothing is done there. A thread that
/// is as nice already, or may not be made so, stays as it is.
pub fn lower_priority() {
    let beside_crawl = BESIDE_CRAWL.load(Ordering::Relaxed);
    if beside_crawl
        && cfg!(target_os = "linux")
        && getpriority_process(None).is_ok_and(|nice| nice < NICENESS)
    {
        // It is a kindness to others; without it, all works as well.
        let _ = setpriority_process(None, NICENESS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_calling_thread_becomes_nicer() {
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
