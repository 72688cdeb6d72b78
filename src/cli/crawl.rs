//! `backlinkd crawl`: a batch, and its summary.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::meter::Meter;
use super::{Ending, Setting, rank, runtime, stats, stop_on_signal};
use crate::crawl::{CrawlJob, Crawler, Figures};

/// What a batch is asked to do.
pub(super) struct Batch<'a> {
    pub seeds: &'a Path,
    pub max_pages: Option<u64>,
    pub max_seconds: Option<u64>,
    pub rank: bool,
}

pub(super) fn crawl(setting: &Setting, batch: &Batch<'_>) -> anyhow::Result<Ending> {
    let (seeds, all_good) = setting.seeds(batch.seeds)?;
    let store = setting.open_or_make()?;
    if seeds.is_empty() && store.queues()?.is_empty() {
        anyhow::bail!("{} names no URL, and no earlier crawl left any", batch.seeds.display());
    }
    let runtime = runtime()?;
    let stop = stop_on_signal(&runtime)?;
    let crawler = Crawler::new(store.clone(), &setting.config, setting.rules.clone())?;
    let job = CrawlJob {
        seeds,
        max_pages: batch.max_pages,
        max_time: batch.max_seconds.map(Duration::from_secs),
        forever: false,
    };
    let start = Instant::now();
    let figures = {
        let _meter = Meter::start(crawler.progress(), setting.quiet);
        crawler.run(&job, runtime.handle(), &stop)?
    };
    let seconds = start.elapsed().as_secs_f64();
    runtime.shutdown_background();
    store.flush().context("the index cannot be written out")?;
    if !setting.quiet {
        summary(&figures, seconds);
    }
    let stopped = stop.load(std::sync::atomic::Ordering::Relaxed);
    if batch.rank && !stopped {
        rank::rank_store(setting, &store)?;
    }
    if !setting.quiet {
        stats::print(&store.stats()?);
    }
    Ok(if all_good { Ending::Good } else { Ending::Partial })
}

fn summary(figures: &Figures, seconds: f64) {
    let rate = |amount: u64| if seconds > 0.0 { amount as f64 / seconds } else { 0.0 };
    println!("Crawled in {seconds:.1} s");
    println!("  visits            {:>12}  ({:.0}/s)", figures.pages, rate(figures.pages));
    println!("    answered        {:>12}", figures.answered);
    println!("    failed          {:>12}", figures.failed);
    println!("  not allowed       {:>12}  (by robots.txt)", figures.disallowed);
    println!("  links met         {:>12}", figures.links);
    println!("  body bytes        {:>12}  ({} on the wire)", figures.body_bytes, figures.wire_bytes);
    println!("  CPU of parsing    {:>10.1} s", figures.parse_cpu_ms as f64 / 1000.0);
    println!("  CPU of storing    {:>10.1} s", figures.store_cpu_ms as f64 / 1000.0);
}
