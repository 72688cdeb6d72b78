//! The rank stage: computes the IV Search Rank of every page, host and domain from the stored links.
//!
//! Input: one snapshot of the store. Output: ranks, published to the store in one step, so that readers see
//! either the old ranks or the new ones.
//!
//! - `pages` builds the page graph, and `aggregate` derives the host graph and the domain graph from it.
//! - [`pagerank`] computes the PageRank of each graph, on the equations of `system`.
//! - [`scale`] converts PageRanks to the scale from 0 to 10.
//!
//! [`rank_rows`] does all of this without a store.
//!
//! Invariants: both passes over the links read one snapshot. Equal links give bit-identical ranks, whatever
//! `rank.threads` is. The L1 error of every PageRank is proven to be within `rank.tolerance`. The stage does
//! not decide when to rank, and does not know how ranks are stored.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a graph numbers its nodes in u32, and a rank lies between 0 and 1000 hundredths"
)]

mod aggregate;
mod pages;
mod ranking;
mod system;

pub mod pagerank;
pub mod scale;

pub use ranking::{GraphSummary, Ranking, rank_rows};

use crate::config::RankConfig;
use crate::graph::GraphError;
use crate::model::SearchRank;
use crate::store::{SiteList, Store, StoreError};
use crate::threads::lower_priority;
use crate::urls::{Suffixes, Surt, SurtError};

/// The graph that is being ranked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphKind {
    Pages,
    Hosts,
    Domains,
}

/// The progress of the stage. The variants are in the order in which they occur.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RankingStage {
    /// First pass, which collects the nodes. `pages` counts the pages read so far.
    Naming { pages: u64 },
    /// Second pass, which collects the edges. `pages` counts the pages read so far.
    Linking { pages: u64 },
    /// A sweep is complete. `iteration` counts sweeps from 1; `error` estimates the L1 distance to the exact
    /// ranks.
    Ranking { graph: GraphKind, iteration: u32, error: f64 },
    /// The ranks are being written to the store.
    Publishing,
}

/// The sizes and precisions of the three ranked graphs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RankSummary {
    pub pages: GraphSummary,
    pub hosts: GraphSummary,
    pub domains: GraphSummary,
}

/// Why the ranks could not be renewed. The old ranks stay in place.
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
        "{0} occurs among the links but not among the pages, though both were read from one snapshot; check the \
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

/// Ranks all stored pages and publishes the ranks. The snapshot is taken at the start; the next ranking
/// includes what is stored later. Blocks until it is done: call it outside of async threads.
///
/// # Errors
/// [`RankError`]; the ranks published before stay in place.
pub fn rank_all(
    store: &Store,
    config: &RankConfig,
    suffixes: &Suffixes,
    progress: &(dyn Fn(RankingStage) + Sync),
) -> Result<RankSummary, RankError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(config.threads)
        .thread_name(|number| format!("rank-{number}"))
        .start_handler(|_| lower_priority())
        .build()?;
    pool.install(|| {
        let (ranking, sites) = {
            let snapshot = store.snapshot();
            let ranking = rank_rows(|| snapshot.graph(), suffixes, config, &progress)?;
            (ranking, snapshot.sites(usize::MAX, &|| Ok::<_, StoreError>(()))?)
        };
        progress(RankingStage::Publishing);
        publish(store, &ranking)?;
        publish_sites(store, sites);
        let [pages, hosts, domains] = ranking.summaries();
        Ok(RankSummary { pages, hosts, domains })
    })
}

fn publish(store: &Store, ranking: &Ranking) -> Result<(), RankError> {
    // Finds names that are not URLs before anything is published, so that no row can be missing below.
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

/// Writes the list of sites with the new ranks. The ranks are published already, so a failure is only logged: the
/// former list stays, which names the time of its state.
fn publish_sites(store: &Store, mut sites: SiteList) {
    let filled = sites.fill_ranks(&store.snapshot(), &|| Ok::<_, StoreError>(()));
    if let Err(error) = filled.and_then(|()| store.write_sites(&sites)) {
        tracing::warn!(%error, "the list of hosts and domains was not written; suggestions and domains stay as they were");
    }
}

fn check<T>(mut rows: impl Iterator<Item = Result<(T, SearchRank), RankError>>) -> Result<(), RankError> {
    rows.try_for_each(|row| row.map(drop))
}
