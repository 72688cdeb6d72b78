//! `backlinkd run`: the daemon: crawls, ranks on a schedule, serves, stops cleanly.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::meter::Meter;
use super::{Ending, Setting, rank, runtime, serve, stop_on_signal, stopped};
use crate::api;
use crate::crawl::{CrawlJob, Crawler};
use crate::store::Store;

/// How often the ranking thread looks at `stop`.
const HEARTBEAT: Duration = Duration::from_millis(200);

pub(super) fn run(
    setting: &Setting,
    seeds: Option<&Path>,
    listen: Option<SocketAddr>,
) -> anyhow::Result<Ending> {
    let (seeds, all_good) = seeds.map_or(Ok((Vec::new(), true)), |file| setting.seeds(file))?;
    let store = setting.open_or_make()?;
    let state = serve::state(setting, Arc::clone(&store), listen)?;
    let runtime = runtime()?;
    let stop = stop_on_signal(&runtime)?;
    let crawler = Crawler::new(Arc::clone(&store), &setting.config, setting.rules.clone())?;
    let listener = runtime.block_on(api::bind(state.config.listen))?;
    serve::announce(&state, listener.local_addr()?);
    let server = runtime.spawn(api::serve(state, listener, stopped(Arc::clone(&stop))));
    let job = CrawlJob { seeds, forever: true, ..CrawlJob::default() };
    let crawled = std::thread::scope(|scope| {
        let ranking = scope.spawn(|| rank_on_schedule(setting, &store, &stop));
        let crawled = {
            let _meter = Meter::start(crawler.progress(), setting.quiet);
            crawler.run(&job, runtime.handle(), &stop)
        };
        stop.store(true, Ordering::Relaxed);
        let ranked =
            ranking.join().map_err(|_| anyhow!("the ranking ended before its time; the log tells why"));
        ranked.and(crawled.context("the crawl ended"))
    });
    runtime.block_on(server).context("the API ended before its time")??;
    runtime.shutdown_background();
    store.flush()?;
    crawled?;
    Ok(if all_good { Ending::Good } else { Ending::Partial })
}

/// Ranks every `rank.interval`. What goes wrong is told, and tried again the next time: a crawl worth months must
/// not end by it.
fn rank_on_schedule(setting: &Setting, store: &Store, stop: &AtomicBool) {
    let interval = setting.config.rank.interval.0;
    let mut next = Instant::now() + setting.config.rank.first.0;
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(HEARTBEAT);
        if Instant::now() < next {
            continue;
        }
        if let Err(error) = rank::rank_store(setting, store) {
            tracing::error!(
                error = format!("{error:#}"),
                "the ranks could not be computed; the former ones stay"
            );
        }
        next = Instant::now() + interval;
    }
}
