//! `backlinkd crawl`: a batch, and its summary.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::meter::{Meter, of_crawl};
use super::numbers::{grouped, row};
use super::signals::Stop;
use super::{Ending, Setting, failures, rank, runtime, stats};
use crate::crawl::{CrawlJob, Crawler, Figures, Progress};
use crate::model::{Day, FailureKind};
use crate::store::{Stats, Store};
use crate::urls::CanonicalUrl;

/// What a batch is asked to do.
pub(super) struct Batch<'a> {
    /// A file, besides the index's own list.
    pub seeds: Option<&'a Path>,
    pub max_pages: Option<u64>,
    pub max_seconds: Option<u64>,
    pub rank: bool,
}

pub(super) fn crawl(setting: &Setting, batch: &Batch<'_>) -> anyhow::Result<Ending> {
    let (seeds, bad) = setting.seeds(batch.seeds)?;
    let store = setting.open_or_make()?;
    if has_nothing(&seeds, &store)? {
        anyhow::bail!(
            "there is nothing to crawl: no seed, and nothing known in {}; give --seeds a file with one URL or host a \
             line, or use `backlinkd seeds add`",
            store.directory().display()
        );
    }
    let runtime = runtime()?;
    let stop = Stop::on_signal(&runtime, &setting.console)?;
    let crawler = Crawler::new(store.clone(), &setting.config, setting.rules.clone())?;
    let job = CrawlJob {
        seeds,
        former_seeds: Vec::new(),
        max_pages: batch.max_pages,
        max_time: batch.max_seconds.map(Duration::from_secs),
        forever: false,
    };
    let start = Instant::now();
    let figures = {
        let _meter = Meter::start(&setting.console, of_crawl(crawler.progress(), false));
        crawler.run(&job, runtime.handle(), stop.flag())?
    };
    let took = start.elapsed();
    store.flush().context("the index cannot be written out")?;
    setting.console.report(summary(&figures, took))?;
    report_failures(setting, crawler.progress())?;
    // Whatever comes now cannot be told to stop, so the next signal ends it: for that, stop is set.
    let stopped = stop.set();
    if batch.rank && !stopped {
        rank::rank_store(setting, &store)?;
    }
    if stopped {
        // To count the queue takes as long as it is.
        setting.console.report("Stopped by a signal, and not ranked; the next crawl goes on from here.")?;
    } else {
        let stats = store.stats()?;
        setting.console.report(stats::table(&stats))?;
        for note in notes(&job, &figures, took, &stats, store.next_due()?) {
            setting.console.report(note)?;
        }
    }
    Ok(if bad.is_empty() { Ending::Good } else { Ending::Partial })
}

/// Whether there is no URL to begin with.
pub(super) fn has_nothing(seeds: &[CanonicalUrl], store: &Store) -> anyhow::Result<bool> {
    Ok(seeds.is_empty() && store.queues(None, 1)?.is_empty() && store.is_empty()?)
}

/// Tells which requests failed, and why.
pub(super) fn report_failures(setting: &Setting, progress: &Progress) -> anyhow::Result<()> {
    match failures::table(&progress.failed_requests()) {
        table if table.is_empty() => Ok(()),
        table => setting.console.report(table),
    }
}

/// What a crawl did, for people.
pub(super) fn summary(figures: &Figures, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let rate = if seconds > 0.0 { figures.pages as f64 / seconds } else { 0.0 };
    let cpu = |milliseconds: u64| format!("{:.1} s", milliseconds as f64 / 1_000.0);
    let mut text = format!("Crawled in {seconds:.1} s");
    text += &row("visits", figures.pages, &format!("{rate:.0} a second"));
    text += &row("  answered", figures.answered, "");
    text += &row("  errors", figures.failed, &kinds(figures));
    text += &row("not allowed", figures.disallowed, "by robots.txt; not visited");
    text += &row("links met", figures.links, "");
    text += &row(
        "bytes of pages",
        figures.body_bytes,
        &format!("{} as they were sent", grouped(figures.wire_bytes)),
    );
    text + &format!(
        "\n  {:<17} {:>16}  (parsing {}, storing {})",
        "CPU time",
        cpu(figures.parse_cpu_ms + figures.store_cpu_ms),
        cpu(figures.parse_cpu_ms),
        cpu(figures.store_cpu_ms)
    )
}

/// The errors by kind, those that happened.
fn kinds(figures: &Figures) -> String {
    let kinds = FailureKind::ALL.iter().zip(figures.failures).filter(|(_, count)| *count > 0);
    let kinds: Vec<String> =
        kinds.map(|(kind, count)| format!("{} {}", grouped(count), kind.as_str())).collect();
    kinds.join(", ")
}

/// What the figures do not say of themselves: why the crawl ended where it did.
fn notes(
    job: &CrawlJob,
    figures: &Figures,
    took: Duration,
    stats: &Stats,
    next_due: Option<u64>,
) -> Vec<String> {
    let queued = grouped(stats.queued);
    let limit = if job.max_pages.is_some_and(|most| figures.pages >= most) {
        Some("--max-pages")
    } else {
        job.max_time.filter(|&most| took >= most).map(|_| "--max-seconds")
    };
    let until =
        next_due.map_or(String::new(), |time| format!("; the first is on {}", Day::from_unix_seconds(time)));
    let mut notes = Vec::new();
    if let (Some(limit), 1..) = (limit, stats.queued) {
        notes.push(format!("Ended at {limit}; URLs left for the next crawl: {queued}."));
    } else if stats.queued > 0 {
        notes.push(format!(
            "URLs left for the next crawl: {queued}. Their hosts were not found, did not answer,\n\
             answered with errors, asked for a pause, or have had their budget of pages; `backlinkd host HOST`\n\
             tells which."
        ));
    } else if figures.pages == 0 && stats.visited > 0 {
        notes.push(format!("Nothing was fetched: no page is due for another visit{until}."));
    } else if stats.visited > figures.pages {
        notes.push(format!("Known pages other than seeds are visited again when they are due{until}."));
    }
    notes
}
