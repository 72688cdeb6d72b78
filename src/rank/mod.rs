//! The rank stage: from the stored links to the IV Search Rank of every page, host and domain.
//!
//! In goes one snapshot of the store; out go ranks, published to the store in one step, so that readers see
//! the old ranks or the new ones and never a mixture. The way: the page graph (`pages`), from it the host
//! graph and the domain graph (`sites`), of each its PageRank ([`pagerank`], on the equations of `system`),
//! and that on the scale from 0 to 10 ([`scale`]). [`rank_rows`] is all of it but the store.
//!
//! Invariants: one snapshot serves both readings of the links; equal links give equal ranks to the last bit,
//! whatever `rank.threads` says; the L1 error of every PageRank is proven to be within `rank.tolerance`. It
//! does not decide when to rank, and knows nothing of how ranks are stored.

mod pages;
mod ranking;
mod sites;
mod system;

pub mod pagerank;
pub mod scale;

pub use ranking::{GraphSummary, Ranking, rank_rows};

use crate::config::RankConfig;
use crate::graph::GraphError;
use crate::model::SearchRank;
use crate::store::{Store, StoreError};
use crate::threads::lower_priority;
use crate::urls::{Suffixes, Surt, SurtError};

/// Which of the three graphs is being ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphKind {
    Pages,
    Hosts,
    Domains,
}

/// How far the stage is, in the order in which it comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// First reading: the nodes. So many pages are read.
    Naming { pages: u64 },
    /// Second reading: the edges. So many pages are read.
    Linking { pages: u64 },
    /// A sweep, counted from 1, is done; the ranks are estimated to be that far from the exact ones, in L1.
    Ranking { graph: GraphKind, iteration: u32, error: f64 },
    /// The ranks are on their way to the store.
    Publishing,
}

/// What was ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RankSummary {
    pub pages: GraphSummary,
    pub hosts: GraphSummary,
    pub domains: GraphSummary,
}

/// Why there are no new ranks. The old ones stay.
#[derive(Debug, thiserror::Error)]
pub enum RankError {
    #[error("the ranks were not computed, as the store failed: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Key(#[from] SurtError),
    #[error("the links cannot be ranked: {0}")]
    Graph(#[from] GraphError),
    #[error(transparent)]
    PageRank(#[from] pagerank::PageRankError),
    #[error(
        "{0} was met among the links but not among the pages, though both were read from one snapshot; check the \
         database for damage, then rank again"
    )]
    Unnamed(String),
    #[error("the threads of the computation cannot be started ({0}); set rank.threads to a smaller number")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl RankError {
    fn unnamed(name: &[u8]) -> Self {
        let url = Surt::bytes_to_url(name).map(|url| url.to_string());
        Self::Unnamed(url.unwrap_or_else(|_| String::from_utf8_lossy(name).into_owned()))
    }
}

/// Ranks everything stored and publishes the ranks. Takes the store's snapshot at once; what is stored later
/// waits for the next ranking. Blocks until done: call it off the async threads.
///
/// # Errors
/// [`RankError`]; the ranks published before stay in place.
pub fn rank_all(
    store: &Store,
    config: &RankConfig,
    suffixes: &Suffixes,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<RankSummary, RankError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(config.threads)
        .thread_name(|number| format!("rank-{number}"))
        .start_handler(|_| lower_priority())
        .build()?;
    pool.install(|| {
        let ranking = {
            let snapshot = store.snapshot();
            rank_rows(|| snapshot.graph(), suffixes, config, &progress)?
        };
        progress(Progress::Publishing);
        publish(store, &ranking)?;
        let [pages, hosts, domains] = ranking.summaries();
        Ok(RankSummary { pages, hosts, domains })
    })
}

fn publish(store: &Store, ranking: &Ranking) -> Result<(), RankError> {
    // Names that are no URLs are found before anything is published; then none can be missing below.
    check(ranking.pages())?;
    check(ranking.hosts())?;
    check(ranking.domains())?;
    store.publish_ranks(
        &mut ranking.pages().flatten(),
        &mut ranking.hosts().flatten(),
        &mut ranking.domains().flatten(),
    )?;
    Ok(())
}

fn check<T>(mut rows: impl Iterator<Item = Result<(T, SearchRank), RankError>>) -> Result<(), RankError> {
    rows.try_for_each(|row| row.map(drop))
}
