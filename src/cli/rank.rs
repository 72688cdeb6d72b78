//! `backlinkd rank`: computes and publishes ranks for what is stored.

use std::time::Instant;

use super::{Ending, Setting};
use crate::rank::{Progress, rank_all};
use crate::store::Store;

pub(super) fn rank(setting: &Setting) -> anyhow::Result<Ending> {
    let store = setting.open()?;
    rank_store(setting, &store)?;
    Ok(Ending::Good)
}

pub(super) fn rank_store(setting: &Setting, store: &Store) -> anyhow::Result<()> {
    let start = Instant::now();
    let progress = |step: Progress| tracing::debug!(?step, "ranking");
    let summary = rank_all(store, &setting.config.rank, &setting.suffixes, &progress)?;
    store.flush()?;
    if !setting.quiet {
        println!(
            "Ranked in {:.1} s\n  pages             {:>12}  ({} links, {} sweeps, error below {:.0e})",
            start.elapsed().as_secs_f64(),
            summary.pages.nodes,
            summary.pages.edges,
            summary.pages.iterations,
            setting.config.rank.tolerance,
        );
        println!("  hosts             {:>12}", summary.hosts.nodes);
        println!("  domains           {:>12}", summary.domains.nodes);
    }
    Ok(())
}
