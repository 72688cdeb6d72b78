//! Decides which URL is fetched next, and when. The frontier is a pure state machine: the time is a
//! parameter, and nothing here waits.
//!
//! Each scheme, host and port has a queue of URLs ([`QueueName`]). The queue lies on disk behind [`Backlog`],
//! in two *lanes* ([`Lane`]), each in order of [`Priority`]. The first URLs of each lane are in memory (the
//! *lane buffer*). A URL is *discovered*, *queued*, *in flight*, and then *completed*.
//!
//! A host has one fetch in flight at a time, and so has an IP address. The configured delay lies between two
//! fetches, counted from the end of the first. A fetch asks for a page, a sitemap or a robots.txt. The robots.txt
//! of the host itself takes the turn of a page that needs it. A robots.txt of another host is queued there by
//! [`Frontier::queue_robots_request`].
//!
//! ```text
//!  unresolved ─► resolving ─► ready (in the line of its address) ─► in flight ─► ready …
//!                    │                                                 ├─► backing off: until its host may be asked again
//!                    └─► parked: not in this crawl                     ├─► parked
//!                                                                      └─► awaiting robots.txt of another host
//!  ready ─► idle: nothing queued; over budget: no new page allowed
//!  in flight ─► idle: its host may not be asked
//!  ready, unresolved ─► throttled: its domain, network or kind of slot is at its limit
//! ```
//!
//! The life of a queue:
//!
//! 1. [`Frontier::admit`] takes it into memory. [`Frontier::admit_if_room`] does so when there is room.
//! 2. [`NextStep::Resolve`] asks for the address of its host; [`Frontier::finish_resolution`] takes the answer.
//! 3. [`NextStep::Url`] and [`NextStep::RobotsTxt`] start a fetch; [`Frontier::finish_fetch`] ends it and sets the
//!    [`Backoff`].
//! 4. [`Frontier::complete`] takes the [`Disposition`] of the URL after the commit, or [`Frontier::requeue`] puts the
//!    URL back unfetched. [`Frontier::skip`] gives it up, because its rows on disk are damaged.
//! 5. [`Frontier::prune`] removes the queue when it has no work, or the queue is evicted when others wait on
//!    disk.
//!
//! Slow hosts do not block fast ones. A fetch that takes long gives its slot back, and a slow domain or
//! network has few fetches in flight; `concurrency` has the rules. A queue that such a limit holds back is
//! *throttled*.
//!
//! Requests for robots.txt run whatever the state of the queue's own pages, except when it is parked.
//! Otherwise two hosts whose robots.txt redirect to each other would wait for ever.
//!
//! New pages count towards two *budgets*: that of the host and that of its registrable domain. A domain also
//! has a limit of queues that may fetch new pages. It counts the queues that ever requested one; hosts
//! without an address are not among them. [`Backlog::budget_status`] reads the counts. While a domain has
//! queues in memory, the frontier itself counts what is added. A queue at the end of its budget reads it
//! again, because the budget may have grown. Budgets grow with the domains that link to a host: IRLbot's answer to
//! link farms and endless sites (Lee, Leonard, Wang, Loguinov: "IRLbot: Scaling to 6 Billion Pages and Beyond").
//!
//! Of the addresses that may be asked now, the one whose host has the greatest *host priority* comes first.
//! Equal ones come in the order in which they became free.
//!
//! Memory is bounded to [`FrontierRules::max_queues`] queues. When they are full, further queues stay
//! *unadmitted* on disk ([`Frontier::has_unadmitted`]). Then a ready queue is evicted if it has dispatched as
//! many URLs as a lane holds in memory, or one URL and [`FrontierRules::min_residency`] has passed. A queue with
//! a waiting robots.txt request stays. At that moment the delays of its host and its address have passed, so
//! eviction never cuts a delay short.
//!
//! From then on, arrivals for queues that are not in memory stay unadmitted too, until the caller has scanned
//! all queues on disk. The caller scans them in their order, admits those that fit, and goes on where it
//! stopped. So every queue is admitted in the end. A sixteenth of the queues is reserved for seeds, which
//! never wait for an eviction.
//!
//! In the code, `workbench` picks the next work, `residency` loads and evicts queues, and `completion` ends fetches
//! and resolutions.
//!
//! The structure is BUbiNG's workbench (Boldi, Marino, Santini, Vigna: "BUbiNG: Massive Crawling for the
//! Masses"): a heap of addresses by the time of their next fetch, each with its hosts. An address with a
//! fetch in flight is not in the heap.

use crate::model::{Arrival, Disposition, Lane, Priority, QueueEntry, QueueName, Target};
use crate::policy::BudgetStatus;
use crate::urls::CanonicalUrl;

mod addresses;
mod completion;
mod concurrency;
mod domain_budgets;
mod host_queue;
mod in_flight;
mod residency;
mod slot;
mod state;
mod workbench;

pub use workbench::{Backoff, Frontier, FrontierRules, NextStep};

/// The queues on disk, and the budgets.
pub trait Backlog {
    type Error;

    /// Reads up to `most` URLs of a queue's lane in its order, strictly after the URL `after`.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn entries_of_lane(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueueEntry>,
        most: usize,
    ) -> Result<Vec<QueueEntry>, Self::Error>;

    /// Reads the budget of a queue. `url` is one of its URLs.
    ///
    /// # Errors
    /// When the budget cannot be read.
    fn budget_status(&self, queue: &QueueName, url: &CanonicalUrl) -> Result<BudgetStatus, Self::Error>;

    /// The last queue of a registrable domain has left memory. From now on only the disk counts the pages of
    /// the domain.
    fn domain_evicted(&self, domain: &str);
}
