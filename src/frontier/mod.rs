//! What is fetched next, and when: a pure state machine. The time is a parameter; nothing here waits.
//!
//! Each scheme, host and port has a queue of URLs ([`QueueName`]), on disk behind [`Backlog`], in two *lanes*
//! ([`Lane`]), each in order of [`Priority`]; their first URLs are held in memory (the *windows*). A queue takes
//! *turns* at its host's address: one turn at a time per address, hence per host, and between two turns the
//! configured delay, counted from the end of the first. A turn fetches a page, or runs an *errand*: a request that
//! other queues wait for (a robots.txt).
//!
//! ```text
//!  unresolved ─► resolving ─► ready (in its address's line) ─► turn ─► ready …
//!                    │                                          ├─► asleep until its host may be asked again
//!                    └► dormant: not in this crawl              ├─► waiting for an errand of its own
//!                                                               ├─► spent: its budget is used up
//!                                                               └─► idle: nothing queued
//! ```
//!
//! Slow hosts do not keep the others from their turns: a turn that takes long gives its place to others, and of a domain or
//! a network that is slow, few turns are under way at once; `shares` says how. A queue that could have its turn, but for
//! others of its domain or network, is *held* meanwhile.
//!
//! Errands run whatever the state of the queue's own pages, dormancy excepted, so that two hosts whose errands
//! lead to each other do not wait for ever.
//!
//! New pages count towards two *budgets*, the host's and its registrable domain's, and of a domain only so many queues
//! are asked for new pages: those that ever were asked for one, names that nobody answers for not among them.
//! [`Backlog::standing`] tells how all that stands; what comes to it while a domain has queues in memory is counted
//! here. At the end of a budget it is asked whether it has grown. Of the addresses that may be asked now, the one whose
//! host has the greatest *merit* is; hosts of equal merit in the order in which they became free. Budgets that grow
//! with the domains that link to a host are IRLbot's answer to farms and endless sites (Lee, Leonard, Wang,
//! Loguinov: "IRLbot: Scaling to 6 Billion Pages and Beyond").
//!
//! The memory is bounded: there are [`FrontierRules::max_queues`] places. [`Frontier::prune`] forgets queues that have
//! nothing to do. When there is no room, queues are left out ([`Frontier::leaves_out`] tells), and wait on disk. Those
//! in memory make room for them: one that has had its share, a window of URLs, or one URL and
//! [`FrontierRules::share`], leaves memory when its turn comes, unless errands wait for it. At that moment its host and
//! its address have had their rest, so none is cut short. From then on what arrives for queues that are not in memory
//! is left out too, until all queues on disk were looked at: whoever looks goes through them in their order, takes in
//! what there is room for ([`Frontier::take_in`]), and goes on where it stopped, so that each has its turn in the end.
//! A sixteenth of the places is for seeds only, which never wait for others to make room.
//!
//! What is left out before it is queued at all is said by [`BlockList`] (hosts, by the operator's will) and
//! [`TrapRules`] (URLs that sites make up without end).
//!
//! The shape is BUbiNG's workbench (Boldi, Marino, Santini, Vigna: "BUbiNG: Massive Crawling for the Masses"):
//! a heap of addresses by the time they may next be asked, each with its hosts; an address that is being asked is
//! out of the heap.

use crate::urls::CanonicalUrl;

mod addresses;
mod blocks;
mod budget;
mod grant;
mod places;
mod queue;
mod recrawl;
mod shares;
mod trap;
mod url;
mod workbench;

pub use blocks::{BlockList, BlockListError, BlockedName};
pub use budget::Standing;
pub use grant::SitemapGrant;
pub use recrawl::{Change, RecrawlRules, due_visit};
pub use trap::{Trap, TrapRules, permutation_key};
pub use url::{Arrival, Fate, Found, Lane, Priority, QueueName, QueuedUrl, Target};
pub use workbench::{Frontier, FrontierRules, Next, Pause};

/// The part of the queues that is not in memory.
pub trait Backlog {
    type Error;

    /// Up to `most` URLs of a queue's lane in its order, strictly after the URL `after`.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn queued(
        &self,
        queue: &QueueName,
        lane: Lane,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, Self::Error>;

    /// How a queue stands with its budgets. `url` is one of its URLs.
    ///
    /// # Errors
    /// When it cannot be read.
    fn standing(&self, queue: &QueueName, url: &CanonicalUrl) -> Result<Standing, Self::Error>;

    /// The last queue of a registrable domain left memory: nobody but the disk knows now what the domain has had.
    fn left(&self, domain: &str);
}
