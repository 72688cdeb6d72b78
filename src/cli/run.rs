//! `backlinkd run`: the daemon: crawls, ranks on a schedule, serves, stops cleanly. Without anything to crawl it serves
//! all the same, and waits for seeds.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;

use super::control::{self, Control, Desk};
use super::meter::{Meter, of_crawl};
use super::pid_file::PidFile;
use super::reload::{self, Reloader};
use super::signals::Stop;
use super::{Ending, Setting, crawl, rank, runtime, seeds_list, serve};
use crate::api::{self, Activity, ServeError};
use crate::crawl::{CrawlJob, Crawler};
use crate::store::Store;

/// How often the ranking thread looks whether it is to stop.
const HEARTBEAT: Duration = Duration::from_millis(100);

pub(super) fn run(
    setting: &Arc<Setting>,
    file: Option<&Path>,
    listen: Option<SocketAddr>,
) -> anyhow::Result<Ending> {
    let (mut seeds, all_good) = setting.seeds(file)?;
    let store = setting.open_or_make()?;
    let mut state = serve::state(setting, Arc::clone(&store), listen)?;
    let runtime = runtime()?;
    let stop = Stop::on_signal(&runtime, &setting.console)?;
    let crawler = Arc::new(Crawler::new(Arc::clone(&store), &setting.config, setting.rules.clone())?);
    let hangup = reload::listen(&runtime)?;
    let _pid_file = PidFile::write(&setting.data)?;
    let (reload, requests) = control::reloads();
    let desk = Desk::new(&store, state.config.listen, Some(reload));
    let _control = Control::start(&runtime, &setting.data, desk, &setting.console);
    // From here on, `seeds add` tells this process.
    seeds.extend(seeds_list::added_since(setting, &seeds)?);
    Reloader::new(setting, &crawler, file.map(Path::to_owned), &seeds)?.start(&runtime, hangup, requests);
    let waits = crawl::has_nothing(&seeds, &store)?;
    let activity = Arc::new(Activity::of_crawl(crawler.progress()));
    state.activity = Arc::clone(&activity);
    let listener = runtime.block_on(api::bind(state.config.listen))?;
    serve::announce(setting, &state, listener.local_addr()?);
    if waits {
        setting.console.tell(format_args!(
            "There is nothing to crawl yet: the crawl begins with `backlinkd --data {} seeds add URL`.",
            setting.data.display()
        ));
    }
    let serving = api::serve(state, listener, stop.clone().stopped());
    let parts = Parts {
        server: runtime.spawn(ending_all(serving, stop.clone())),
        ranking: start_ranking(setting, &store, &stop, &activity)?,
    };
    let job = CrawlJob { seeds, forever: true, ..CrawlJob::default() };
    let start = Instant::now();
    let crawled = {
        let _meter = Meter::start(&setting.console, of_crawl(crawler.progress(), true));
        crawler.run(&job, runtime.handle(), stop.flag())
    };
    stop.set();
    let ended = parts.end(&runtime, &stop, setting.config.crawl.drain.0);
    runtime.shutdown_background();
    store.flush().context("the index cannot be written out")?;
    let figures = crawled.context("the crawl ended before its time")?;
    setting.console.report(crawl::summary(&figures, start.elapsed()))?;
    crawl::report_failures(setting, crawler.progress())?;
    ended.map(|()| if all_good { Ending::Good } else { Ending::Partial })
}

/// A daemon that does not answer any more must not crawl on as if all were well.
async fn ending_all(
    serving: impl Future<Output = Result<(), ServeError>>,
    stop: Stop,
) -> Result<(), ServeError> {
    let served = serving.await;
    stop.set();
    served
}

/// What runs beside the crawl.
struct Parts {
    server: tokio::task::JoinHandle<Result<(), ServeError>>,
    ranking: JoinHandle<()>,
}

impl Parts {
    /// Gives both what is left of `drain` to end. Neither holds anything that an end would damage: ranks are
    /// published in one step.
    fn end(self, runtime: &Runtime, stop: &Stop, drain: Duration) -> anyhow::Result<()> {
        let serving = async { tokio::time::timeout(stop.left_of(drain), self.server).await };
        match runtime.block_on(serving) {
            Ok(served) => served.context("the API ended before its time")??,
            Err(_) => tracing::warn!("requests under way were given up after crawl.drain"),
        }
        while !self.ranking.is_finished() {
            if stop.left_of(drain).is_zero() {
                tracing::warn!("the ranking under way was given up after crawl.drain; the former ranks stay");
                return Ok(());
            }
            std::thread::sleep(HEARTBEAT);
        }
        self.ranking.join().map_err(|_| anyhow!("the ranking ended before its time; the log tells why"))
    }
}

fn start_ranking(
    setting: &Arc<Setting>,
    store: &Arc<Store>,
    stop: &Stop,
    activity: &Arc<Activity>,
) -> anyhow::Result<JoinHandle<()>> {
    let (setting, store, stop) = (Arc::clone(setting), Arc::clone(store), stop.clone());
    let activity = Arc::clone(activity);
    std::thread::Builder::new()
        .name("ranking".to_owned())
        .spawn(move || rank_on_schedule(&setting, &store, &stop, &activity))
        .context("the thread that ranks cannot be started")
}

/// Ranks every `rank.interval`. What goes wrong is told, and tried again the next time: a crawl worth months must
/// not end by it.
fn rank_on_schedule(setting: &Setting, store: &Store, stop: &Stop, activity: &Activity) {
    let interval = setting.config.rank.interval.0;
    let mut next = Instant::now() + setting.config.rank.first.0;
    while !stop.is_set() {
        std::thread::sleep(HEARTBEAT);
        if Instant::now() < next {
            continue;
        }
        let start = Instant::now();
        match rank::rank_store(setting, store) {
            Ok(()) => activity.ranked(start.elapsed()),
            Err(error) => {
                activity.ranking_failed();
                tracing::error!(
                    error = format!("{error:#}"),
                    "the ranks could not be computed; the former ones stay"
                );
            }
        }
        next = Instant::now() + interval;
    }
}
