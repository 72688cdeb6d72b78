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
//! Errands run whatever the state of the queue's own pages, dormancy excepted, so that two hosts whose errands
//! lead to each other do not wait for ever.
//!
//! New pages count towards two *budgets*, the host's and its registrable domain's, which [`Backlog::standing`]
//! tells; at their end it is asked whether they have grown. Of the addresses that may be asked now, the one whose
//! host has the greatest *merit* is; hosts of equal merit in the order in which they became free. Budgets that grow
//! with the domains that link to a host are IRLbot's answer to farms and endless sites (Lee, Leonard, Wang,
//! Loguinov: "IRLbot: Scaling to 6 Billion Pages and Beyond").
//!
//! The memory is bounded: beyond [`FrontierRules::max_queues`] no queue is taken in ([`Frontier::left_out`] tells),
//! and [`Frontier::prune`] forgets those that have nothing to do.
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
mod queue;
mod recrawl;
mod trap;
mod url;
mod workbench;

pub use blocks::{BlockList, BlockListError};
pub use budget::Standing;
pub use recrawl::{Change, RecrawlRules};
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
}
