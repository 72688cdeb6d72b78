//! `backlinkd crawl`: a batch crawl, and its summary.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::{rank, stats};
use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::cli::process::signals::ShutdownSignal;
use crate::cli::terminal::failure_table;
use crate::cli::terminal::numbers::{grouped, row};
use crate::cli::terminal::progress::{ProgressDisplay, crawl_status};
use crate::crawl::{CrawlJob, Crawler, Figures, Progress};
use crate::model::{Day, FailureKind};
use crate::policy::LowDisk;
use crate::store::{Stats, Store, free_bytes};
use crate::urls::CanonicalUrl;

/// The options of a batch crawl.
pub(crate) struct CrawlOptions<'a> {
    /// A seed file, in addition to the seed list of the index.
    pub seeds: Option<&'a Path>,
    pub max_pages: Option<u64>,
    pub max_seconds: Option<u64>,
    pub rank: bool,
}

pub(crate) fn crawl(context: &CliContext, options: &CrawlOptions<'_>) -> anyhow::Result<Outcome> {
    let (seeds, bad) = context.seeds(options.seeds)?;
    let store = open_with_work(context, &seeds)?;
    let runtime = runtime()?;
    let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
    let crawler = Crawler::new(store.clone(), &context.config, context.rules.clone())?;
    let job = CrawlJob {
        seeds,
        former_seeds: Vec::new(),
        max_pages: options.max_pages,
        max_time: options.max_seconds.map(Duration::from_secs),
        forever: false,
    };
    let start = Instant::now();
    let figures = {
        let _display = ProgressDisplay::start(&context.console, crawl_status(crawler.progress(), false));
        crawler.run(&job, runtime.handle(), stop.flag())?
    };
    let took = start.elapsed();
    store.flush().context("the index cannot be flushed")?;
    context.console.print_unless_quiet(summary(&figures, took))?;
    print_failures(context, crawler.progress())?;
    // The ranking cannot be interrupted, so the next signal must end the process: setting `stop` does that.
    let is_stopped = stop.set();
    if is_stopped {
        // Counting the queue takes time linear in its length.
        let stopped = "Stopped by a signal, and not ranked; the next crawl continues from here.";
        context.console.print_unless_quiet(stopped)?;
    } else {
        if options.rank {
            rank::rank_store(context, &store)?;
        }
        print_index(context, &store, &job, &figures, took)?;
    }
    let problem = if is_stopped { None } else { problem(context, &store, &figures, crawler.progress()) };
    if let Some(problem) = &problem {
        context.console.error(format_args!("backlinkd: {problem}"));
    }
    Ok(if bad.is_empty() && problem.is_none() { Outcome::Success } else { Outcome::Partial })
}

/// Why a crawl did not do what it was to do: a full disk ended it, or each of its requests failed.
fn problem(context: &CliContext, store: &Store, figures: &Figures, progress: &Progress) -> Option<String> {
    if figures.paused {
        let disk = LowDisk::find(store.directory(), &context.config.crawl, free_bytes);
        let why = disk.map_or("there were few bytes free".to_owned(), |LowDisk { directory, free }| {
            format!("{} bytes are free on the disk of {}", grouped(free), directory.display())
        });
        return Some(format!(
            "the crawl ended early: {why}, fewer than crawl.min_free_disk_bytes; free some, or lower that key"
        ));
    }
    let requests = progress.failed_requests();
    let failed: u64 = requests.iter().map(|row| row.count).sum();
    (failed > 0 && figures.answered + figures.unchanged == 0).then(|| {
        let first = requests.iter().flat_map(|row| &row.examples).next();
        let first = first.map_or(String::new(), |row| format!("; {}: {}", row.url, row.cause));
        format!("no page could be read, and {} requests failed{first}", grouped(failed))
    })
}

/// Opens the data directory, which must have work if there are no seeds.
fn open_with_work(context: &CliContext, seeds: &[CanonicalUrl]) -> anyhow::Result<Arc<Store>> {
    let store = context.open_or_create()?;
    if has_nothing_to_crawl(seeds, &store)? {
        anyhow::bail!(
            "there is nothing to crawl: no seed, and nothing known in {}; give --seeds a file with one URL or host a \
             line, or use `backlinkd seeds add`",
            store.directory().display()
        );
    }
    Ok(store)
}

/// Prints the size of the index after a crawl, and what the figures do not show.
fn print_index(
    context: &CliContext,
    store: &Store,
    job: &CrawlJob,
    figures: &Figures,
    took: Duration,
) -> anyhow::Result<()> {
    let stats = store.stats()?;
    context.console.print_unless_quiet(stats::table(&stats))?;
    for note in notes(job, figures, took, &stats, store.next_due()?) {
        context.console.print_unless_quiet(note)?;
    }
    Ok(())
}

/// Whether there is no URL to start with.
pub(crate) fn has_nothing_to_crawl(seeds: &[CanonicalUrl], store: &Store) -> anyhow::Result<bool> {
    Ok(seeds.is_empty() && store.queues(None, 1)?.is_empty() && store.is_empty()?)
}

/// Prints which requests failed, and why.
pub(crate) fn print_failures(context: &CliContext, progress: &Progress) -> anyhow::Result<()> {
    match failure_table::table(&progress.failed_requests()) {
        table if table.is_empty() => Ok(()),
        table => context.console.print_unless_quiet(table),
    }
}

/// A summary of a crawl, as text.
pub(crate) fn summary(figures: &Figures, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let rate = if seconds > 0.0 { figures.visits as f64 / seconds } else { 0.0 };
    let cpu = |milliseconds: u64| format!("{:.1} s", milliseconds as f64 / 1_000.0);
    let mut text = format!("Crawled in {seconds:.1} s");
    text += &row("visits", figures.visits, &format!("{rate:.0} a second"));
    text += &row("  answered", figures.answered, "");
    text += &row("  errors", figures.failed, &failure_kinds(figures));
    text += &row("not allowed", figures.disallowed, "by robots.txt; not visited");
    text += &row("links met", figures.links, "");
    text += &row("bytes of pages", figures.body_bytes, &format!("{} as sent", grouped(figures.wire_bytes)));
    text + &format!(
        "\n  {:<17} {:>16}  (parsing {}, storing {})",
        "CPU time",
        cpu(figures.parse_cpu_ms + figures.store_cpu_ms),
        cpu(figures.parse_cpu_ms),
        cpu(figures.store_cpu_ms)
    )
}

/// The errors by kind, without the kinds that did not occur.
fn failure_kinds(figures: &Figures) -> String {
    let failure_kinds = FailureKind::ALL.iter().zip(figures.failures).filter(|(_, count)| *count > 0);
    let failure_kinds: Vec<String> =
        failure_kinds.map(|(kind, count)| format!("{} {}", grouped(count), kind.as_str())).collect();
    failure_kinds.join(", ")
}

/// Sentences that the figures do not show: why the crawl ended where it did.
fn notes(
    job: &CrawlJob,
    figures: &Figures,
    took: Duration,
    stats: &Stats,
    next_due: Option<u64>,
) -> Vec<String> {
    let queued = grouped(stats.queued);
    let limit = if job.max_pages.is_some_and(|most| figures.visits >= most) {
        Some("--max-pages")
    } else {
        job.max_time.filter(|&most| took >= most).map(|_| "--max-seconds")
    };
    let until =
        next_due.map_or(String::new(), |time| format!("; the first is on {}", Day::from_unix_seconds(time)));
    let mut notes = Vec::new();
    if let (Some(limit), 1..) = (limit, stats.queued) {
        notes.push(format!("Ended at {limit}; URLs left for the next crawl: {queued}."));
    } else if figures.paused {
        notes.push(format!("URLs left for the next crawl: {queued}."));
    } else if stats.queued > 0 {
        notes.push(format!(
            "URLs left for the next crawl: {queued}. Their hosts were not found, did not answer,\n\
             answered with errors, asked for a pause, or have used their budget of pages; `backlinkd host HOST`\n\
             shows which."
        ));
    } else if figures.visits == 0 && stats.visited > 0 {
        notes.push(format!("Nothing was fetched: no page is due for another visit{until}."));
    } else if stats.visited > figures.visits {
        notes.push(format!("Known pages other than seeds are visited again when they are due{until}."));
    }
    notes
}
