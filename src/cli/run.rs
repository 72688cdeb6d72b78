//! `backlinkd run`: the daemon: crawls, ranks on a schedule, serves, stops cleanly. Without anything to crawl it serves
//! all the same, and waits for seeds.
//!
//! After some failures of the disk the database writes again only when it is opened anew. Then all that uses it ends
//! and begins again in the same process: that is another *life*. Who connects meanwhile waits for a moment.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::control::{self, Control, Desk};
use super::meter::{Meter, of_crawl};
use super::pid_file::PidFile;
use super::reload::{self, Reloader};
use super::signals::Stop;
use super::{Ending, Setting, crawl, rank, runtime, seeds_list, serve};
use crate::api::{self, Activity, ServeError};
use crate::crawl::{CrawlError, CrawlJob, Crawler};
use crate::store::{Store, StoreError};
use crate::threads;
use crate::urls::CanonicalUrl;

/// How often the ranking thread looks whether it is to stop.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// Between two attempts to open the database anew.
const OPEN_AGAIN: Duration = Duration::from_secs(1);
/// How long the end of a daemon waits for answers nobody waits for any more, which read the database still: a process
/// that ends while the database's threads work is aborted.
const LAST_READERS: Duration = Duration::from_secs(30);
/// From when on that is told.
const SILENT: Duration = Duration::from_secs(2);

pub(super) fn run(
    setting: &Arc<Setting>,
    file: Option<&Path>,
    listen: Option<SocketAddr>,
) -> anyhow::Result<Ending> {
    threads::expect_crawl();
    let (seeds, bad) = setting.seeds(file)?;
    let all_good = bad.is_empty();
    let mut store = setting.open_or_make()?;
    let runtime = runtime()?;
    let stop = Stop::on_signal(&runtime, &setting.console)?;
    let mut daemon =
        Daemon { setting, file, listen, stop, seeds, all_good, start: Instant::now(), kept: None };
    loop {
        if let Some(ending) = daemon.live(store)? {
            return Ok(ending);
        }
        store = match daemon.open_again() {
            Some(store) => store,
            None => return Ok(Ending::Good),
        };
    }
}

/// What outlasts a life.
struct Daemon<'a> {
    setting: &'a Arc<Setting>,
    file: Option<&'a Path>,
    listen: Option<SocketAddr>,
    stop: Stop,
    seeds: Vec<CanonicalUrl>,
    all_good: bool,
    start: Instant,
    kept: Option<Kept>,
}

/// What the first life makes.
struct Kept {
    listener: Arc<Port>,
    activity: Arc<Activity>,
    _pid_file: PidFile,
}

/// What the API listens at through all lives. It is closed once the daemon is to stop, so that whoever connects then is
/// refused, and does not wait for nobody.
struct Port(Mutex<Option<std::net::TcpListener>>);

impl Port {
    fn of(listener: TcpListener) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self(Mutex::new(Some(listener.into_std()?)))))
    }

    /// For one life; `None` when it is closed.
    fn listener(&self) -> std::io::Result<Option<TcpListener>> {
        let port = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        port.as_ref().map(|listener| listener.try_clone().and_then(TcpListener::from_std)).transpose()
    }

    fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Daemon<'_> {
    /// One life; `None` if another is to follow.
    fn live(&mut self, store: Arc<Store>) -> anyhow::Result<Option<Ending>> {
        let setting = self.setting;
        let mut state = serve::state(setting, Arc::clone(&store), self.listen)?;
        let runtime = runtime()?;
        // Set by a signal, or by this life alone.
        let (stop, stop_ranking) = (Stop::default(), Stop::default());
        let crawler = Crawler::new(Arc::clone(&store), &setting.config, setting.rules.clone())?;
        let former = self.kept.as_ref().and_then(|kept| kept.activity.crawl());
        let crawler = Arc::new(match former {
            Some(progress) => crawler.with_progress(Arc::clone(progress)),
            None => crawler,
        });
        let hangup = reload::listen(&runtime)?;
        let pid_file = if self.kept.is_none() { Some(PidFile::write(&setting.data)?) } else { None };
        let (reload, requests) = control::reloads();
        let desk = Desk::new(&store, state.config.listen, Some(reload));
        let control = Control::start(&runtime, &setting.data, desk, &setting.console);
        // From here on, `seeds add` tells this process.
        let mut seeds = seeds_list::added_since(setting, &self.seeds)?;
        let mut former_seeds = std::mem::take(&mut self.seeds);
        self.seeds = [&former_seeds[..], &seeds].concat();
        if self.kept.is_none() || crawler.progress().figures().unqueued_seeds > 0 {
            (seeds, former_seeds) = (self.seeds.clone(), Vec::new());
        }
        Reloader::new(setting, &crawler, self.file.map(Path::to_owned), &self.seeds)?
            .start(&runtime, hangup, requests);
        let waits = crawl::has_nothing(&self.seeds, &store)?;
        let kept = match (&mut self.kept, pid_file) {
            (None, Some(pid_file)) => {
                let activity = Arc::new(Activity::of_crawl(crawler.progress()));
                let listener = runtime.block_on(api::bind(state.config.listen))?;
                serve::announce(setting, &state, listener.local_addr()?);
                let listener = Port::of(listener)?;
                self.kept.insert(Kept { listener, activity, _pid_file: pid_file })
            }
            (kept, _) => kept.as_mut().ok_or_else(|| anyhow!("the daemon has no address"))?,
        };
        state.activity = Arc::clone(&kept.activity);
        let (port, activity) = (Arc::clone(&kept.listener), Arc::clone(&kept.activity));
        let listener = {
            let _entered = runtime.enter();
            port.listener()?
        };
        let Some(listener) = listener else { return Ok(Some(Ending::Good)) };
        if waits {
            setting.console.tell(format_args!(
                "There is nothing to crawl yet: the crawl begins with `backlinkd --data {} seeds add URL`.",
                setting.data.display()
            ));
        }
        let (all, parts) = (self.stop.clone(), [stop.clone(), stop_ranking.clone()]);
        let closing = Arc::clone(&port);
        runtime.spawn(async move {
            all.stopped().await;
            closing.close();
            parts.iter().for_each(|part| _ = part.set());
        });
        let serving = api::serve(state, listener, stop.clone().stopped());
        let parts = Parts {
            server: runtime.spawn(ending_all(serving, stop.clone())),
            ranking: start_ranking(setting, &store, &stop_ranking, &activity)?,
        };
        let job = CrawlJob { seeds, former_seeds, forever: true, ..CrawlJob::default() };
        let crawled = {
            let _meter = Meter::start(&setting.console, of_crawl(crawler.progress(), true));
            crawler.run(&job, runtime.handle(), stop.flag())
        };
        let drain = setting.config.crawl.drain.0;
        stop_ranking.set();
        if let Err(CrawlError::Reopen(error)) = &crawled {
            tracing::warn!(%error, "the index is opened anew, so that it can be written to again");
            // Ranks that are being computed cannot be stored, and questions are answered meanwhile.
            while !parts.ranking.is_finished() && !stop.is_set() {
                std::thread::sleep(HEARTBEAT);
            }
        } else {
            port.close();
        }
        stop.set();
        let ended = parts.end(&runtime, &stop, drain);
        drop(control);
        runtime.shutdown_timeout(stop.left_of(drain));
        let progress = Arc::clone(crawler.progress());
        drop(crawler);
        let figures = match crawled {
            Err(CrawlError::Reopen(_)) => {
                ended?;
                // Its files are locked for as long as anybody has it open; a question may take so long.
                let longest = setting.config.api.deadline.0 + drain;
                if !closed(store, longest) {
                    anyhow::bail!("the index cannot be opened anew, for it is being read still; start again");
                }
                return Ok(if self.stop.is_set() { Some(Ending::Good) } else { None });
            }
            crawled => {
                match store.flush() {
                    // What was stored is in the log of the database, which the next opening reads.
                    Err(
                        error @ (StoreError::Full(_) | StoreError::OpenFiles(_) | StoreError::Corrupt(_)),
                    ) => {
                        tracing::warn!(%error, "the index could not be written out; nothing that was stored is lost");
                    }
                    flushed => flushed.context("the index cannot be written out")?,
                }
                closed(store, LAST_READERS);
                crawled.context("the crawl ended before its time")?
            }
        };
        setting.console.report(crawl::summary(&figures, self.start.elapsed()))?;
        crawl::report_failures(setting, &progress)?;
        ended.map(|()| Some(if self.all_good { Ending::Good } else { Ending::Partial }))
    }

    /// Opens the database anew, which may take several attempts; `None` when it is to stop before.
    fn open_again(&self) -> Option<Arc<Store>> {
        let mut told = false;
        while !self.stop.is_set() {
            match self.setting.open() {
                Ok(store) => {
                    tracing::info!("pages are fetched again: the index was opened anew");
                    return Some(store);
                }
                Err(error) if !told => {
                    told = true;
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the index cannot be opened; this is tried on"
                    );
                }
                Err(_) => {}
            }
            std::thread::sleep(OPEN_AGAIN);
        }
        None
    }
}

/// Closes the database once nobody else uses it; tells whether that came about in time.
fn closed(store: Arc<Store>, within: Duration) -> bool {
    let (start, mut told) = (Instant::now(), false);
    while Arc::strong_count(&store) > 1 && start.elapsed() < within {
        if start.elapsed() >= SILENT && !std::mem::replace(&mut told, true) {
            tracing::warn!(?within, "the index is read still; its end is waited for");
        }
        std::thread::sleep(HEARTBEAT / 10);
    }
    Arc::into_inner(store).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StoreConfig;
    use crate::urls::Suffixes;

    #[test]
    fn the_end_waits_for_who_reads_the_index_still() {
        let folder = tempfile::tempdir().unwrap();
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Arc::new(Store::open(folder.path(), &StoreConfig::default(), suffixes).unwrap());
        let reader = Arc::clone(&store);
        let reading = std::thread::spawn(move || {
            std::thread::sleep(SILENT + Duration::from_secs(1));
            drop(reader);
        });
        assert!(closed(store, LAST_READERS));
        reading.join().unwrap();
    }
}
