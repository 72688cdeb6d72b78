//! `backlinkd rank`: computes and publishes ranks for what is stored.

use std::time::Instant;

use super::meter::{Meter, RankSteps};
use super::numbers::{grouped, row};
use super::{Ending, Setting};
use crate::rank::{GraphSummary, rank_all};
use crate::store::Store;

pub(super) fn rank(setting: &Setting) -> anyhow::Result<Ending> {
    let store = setting.open()?;
    rank_store(setting, &store)?;
    Ok(Ending::Good)
}

/// Ranks, shows how it is getting on, and reports what was ranked.
pub(super) fn rank_store(setting: &Setting, store: &Store) -> anyhow::Result<()> {
    let start = Instant::now();
    let summary = {
        let steps = RankSteps::default();
        let shown = steps.clone();
        let _meter = Meter::start(&setting.console, move || shown.status());
        rank_all(store, &setting.config.rank, &setting.suffixes, &|step| steps.set(step))?
    };
    store.flush()?;
    let note = |graph: &GraphSummary| format!("{} links, {} sweeps", grouped(graph.edges), graph.iterations);
    let mut text = format!("Ranked in {:.1} s", start.elapsed().as_secs_f64());
    for (name, graph) in [("pages", &summary.pages), ("hosts", &summary.hosts), ("domains", &summary.domains)]
    {
        text += &row(name, graph.nodes as u64, &note(graph));
    }
    setting.console.report(text)
}
