//! `backlinkd rank`: computes and publishes the ranks of the stored pages.

use std::time::Instant;

use anyhow::bail;

use crate::cli::context::CliContext;
use crate::cli::process::maintenance::{Maintenance, MaintenanceLog};
use crate::cli::terminal::numbers::{grouped, row};
use crate::cli::terminal::progress::{ProgressDisplay, RankProgress, Status};
use crate::cli::{Outcome, control};
use crate::rank::{GraphSummary, rank_all};
use crate::store::{Store, StoreError};

pub(crate) fn rank(context: &CliContext) -> anyhow::Result<Outcome> {
    match context.open_unless_in_use(CliContext::open)? {
        Some(store) => rank_store(context, &store)?,
        None => rank_by_daemon(context)?,
    }
    Ok(Outcome::Success)
}

/// Lets the daemon compute the ranks: no other process may write to its data directory.
fn rank_by_daemon(context: &CliContext) -> anyhow::Result<()> {
    let start = Instant::now();
    let data = context.data.display();
    let ranked = {
        let text = format!("the daemon of {data} computes the ranks");
        let _display =
            ProgressDisplay::start(&context.console, move || Status { text: text.clone(), idle: false });
        control::rank(&context.data)?
    };
    match ranked {
        Some(true) => {
            let seconds = start.elapsed().as_secs_f64();
            context.console.print_unless_quiet(format_args!("The daemon ranked in {seconds:.1} s"))
        }
        Some(false) => bail!("the daemon could not compute the ranks, and the former ones stay; see its log"),
        // A server without a crawl.
        None => Err(StoreError::InUse(context.data.clone()).into()),
    }
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
    MaintenanceLog::record(store.directory(), Maintenance::Ranked);
    let note = |graph: &GraphSummary| format!("{} links, {} sweeps", grouped(graph.edges), graph.iterations);
    let mut text = format!("Ranked in {:.1} s", start.elapsed().as_secs_f64());
    for (name, graph) in [("pages", &summary.pages), ("hosts", &summary.hosts), ("domains", &summary.domains)]
    {
        text += &row(name, u64::from(graph.nodes), &note(graph));
    }
    context.console.print_unless_quiet(text)
}
