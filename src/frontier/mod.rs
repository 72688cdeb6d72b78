//! What is fetched next, and when: a pure state machine. The time is a parameter; nothing here waits.
//!
//! Each scheme, host and port has a queue of URLs ([`QueueName`]); its first URLs are held in memory (the
//! *window*), the rest stays on disk behind [`Backlog`]. A queue takes *turns* at its host's address: one turn
//! at a time per address, hence per host, and between two turns the configured delay, counted from the end of
//! the first. A turn fetches a page, or runs an *errand*: a request that other queues wait for (a robots.txt).
//!
//! ```text
//!  unresolved ─► resolving ─► ready (in its address's line) ─► turn ─► ready …
//!                    │                                          ├─► asleep until its host may be asked again
//!                    └► dormant: not in this crawl              ├─► waiting for an errand of its own
//!                                                               ├─► spent: no more pages, by the rules
//!                                                               └─► idle: nothing queued
//! ```
//!
//! Errands run whatever the state of the queue's own pages, dormancy excepted, so that two hosts whose errands
//! lead to each other do not wait for ever.
//!
//! What is left out before it is queued at all is said by [`BlockList`] (hosts, by the operator's will) and
//! [`TrapRules`] (URLs that sites make up without end).
//!
//! The shape is BUbiNG's workbench (Boldi, Marino, Santini, Vigna: "BUbiNG: Massive Crawling for the Masses"):
//! a heap of addresses by the time they may next be asked, each with its hosts; an address that is being asked is
//! out of the heap.

mod blocks;
mod queue;
mod trap;
mod url;
mod workbench;

pub use blocks::{BlockList, BlockListError};
pub use trap::{Trap, TrapRules};
pub use url::{Fate, Found, QueueName, QueuedUrl};
pub use workbench::{Frontier, FrontierRules, Next, Pause};

/// The part of the queues that is not in memory.
pub trait Backlog {
    type Error;

    /// Up to `most` URLs of a queue in its order, strictly after the URL `after`.
    ///
    /// # Errors
    /// When the queue cannot be read.
    fn queued(
        &self,
        queue: &QueueName,
        after: Option<&QueuedUrl>,
        most: usize,
    ) -> Result<Vec<QueuedUrl>, Self::Error>;

    /// URLs of the queue that were fetched, over all crawls.
    ///
    /// # Errors
    /// When the count cannot be read.
    fn fetches_of(&self, queue: &QueueName) -> Result<u64, Self::Error>;
}
