//! `backlinkd rank`: computes and publishes the ranks of the stored pages.

use std::time::Instant;

use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::terminal::numbers::{grouped, row};
use crate::cli::terminal::progress::{ProgressDisplay, RankProgress};
use crate::rank::{GraphSummary, rank_all};
use crate::store::Store;

pub(crate) fn rank(context: &CliContext) -> anyhow::Result<Outcome> {
    let store = context.open()?;
    rank_store(context, &store)?;
    Ok(Outcome::Success)
}

/// Ranks, shows the progress, and prints a summary.
pub(crate) fn rank_store(context: &CliContext, store: &Store) -> anyhow::Result<()> {
    let start = Instant::now();
    let summary = {
        let steps = RankProgress::default();
        let shown = steps.clone();
        let _display = ProgressDisplay::start(&context.console, move || shown.status());
        rank_all(store, &context.config.rank, &context.suffixes, &|step| steps.set(step))?
    };
    store.flush()?;
    let note = |graph: &GraphSummary| format!("{} links, {} sweeps", grouped(graph.edges), graph.iterations);
    let mut text = format!("Ranked in {:.1} s", start.elapsed().as_secs_f64());
    for (name, graph) in [("pages", &summary.pages), ("hosts", &summary.hosts), ("domains", &summary.domains)]
    {
        text += &row(name, u64::from(graph.nodes), &note(graph));
    }
    context.console.print_unless_quiet(text)
}
