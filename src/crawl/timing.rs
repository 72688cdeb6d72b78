//! The timing constants of a crawl, each with its reason.
//!
//! Operators set politeness, timeouts and retry delays in the configuration. The values here balance the work of the
//! crawl's own threads, so no operator needs to change them.

use std::time::{Duration, Instant};

/// The longest wait of the loop for an event. It bounds the delay until the loop sees `stop`, and costs ten idle
/// passes a second.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(100);

/// How long the loop starts work before it looks at events and at `stop`. A URL that needs no request leaves all
/// conditions of that inner loop as they are, so only the time ends it.
pub(super) const DISPATCH_SLICE: Duration = Duration::from_millis(10);

/// How long one pass of the loop admits arrivals, and how long it scans queues on disk. Events of fetches wait for
/// this long at most, however many queues arrive at once.
pub(super) const INTAKE_SLICE: Duration = Duration::from_millis(10);

/// How often a crawl that runs forever looks for pages that are due. The schedule counts in seconds.
pub(super) const DUE_INTERVAL: Duration = Duration::from_secs(1);

/// How often the loop prunes the frontier and checks the free space of the disks. A pass over the frontier takes
/// time in proportion to its queues.
pub(super) const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(5);

/// How often a scan of the queues on disk starts. It finds hosts whose backoff has passed or whose budget has grown;
/// both take minutes or more.
pub(super) const SCAN_INTERVAL: Duration = Duration::from_secs(60);

/// How long a queue stays in memory after its first fetch before the frontier evicts it for a queue that waits on disk.
/// It is long, because a return costs one read of the queue and one resolution of its host.
pub(super) const MIN_RESIDENCY: Duration = Duration::from_secs(3_600);

/// The pause between two merges of an idle crawl, as a multiple of the time that the last one took. So merges take a
/// fifth of the writer's time at most.
pub(super) const MERGE_PAUSE_FACTOR: u32 = 4;

/// The least time that the writer has for its last commit after the crawl was stopped.
pub(super) const LAST_COMMIT_GRACE: Duration = Duration::from_secs(2);

/// How often a crawl that ends checks whether the writer has ended. `JoinHandle` has no join with a timeout.
pub(super) const WRITER_POLL: Duration = Duration::from_millis(10);

/// How long the writer commits one request at a time after a commit found damage. So no undamaged record fails
/// together with a damaged one.
pub(super) const SINGLE_COMMIT_PERIOD: Duration = Duration::from_secs(60);

/// How long no work starts after this machine had no open files, socket memory or ports left. A fetch usually frees
/// some within a second.
pub(super) const RESOURCE_PAUSE: Duration = Duration::from_secs(1);

/// How long a machine must have had enough resources before the next shortage is logged again.
pub(super) const SHORTAGE_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The pause between two attempts to write to a store that takes no writes.
pub(super) const WRITE_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The longest backoff of a host that a batch crawl waits for. A longer one is stored, and left to the next crawl.
pub(super) const LONGEST_BATCH_WAIT: Duration = Duration::from_secs(60);

/// How long the counts of a domain stay cached, as a multiple of the time that counting took. So counting takes one
/// percent of the loop's time for each domain at most.
pub(super) const DOMAIN_COUNTS_TTL_FACTOR: u32 = 100;

/// The least time that the counts of a domain stay cached.
pub(super) const MIN_DOMAIN_COUNTS_TTL: Duration = Duration::from_secs(5);

/// Whether `deadline` has passed.
pub(super) fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|at| Instant::now() >= at)
}
