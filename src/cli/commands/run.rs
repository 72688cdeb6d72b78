//! `backlinkd run`: the daemon. It crawls, ranks on a schedule and serves the API until a signal stops it.
//!
//! Without anything to crawl it serves all the same, and waits for seeds.
//!
//! After some disk failures RocksDB accepts writes again only once it is reopened. Everything that uses the database
//! then ends and starts again in the same process. The time between two openings is a *session*. The listening socket
//! stays open between sessions, so a client that connects meanwhile waits for a moment.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;

use super::{crawl, rank, serve};
use crate::api::{self, ApiState, ServeError};
use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::cli::control::{self, ControlServer, RequestHandler, RunningServer};
use crate::cli::process::crawl_steering::CrawlSteering;
use crate::cli::process::listening_port::ListeningPort;
use crate::cli::process::maintenance::MaintenanceLog;
use crate::cli::process::pid_file::PidFile;
use crate::cli::process::reload::{self, Reloader};
use crate::cli::process::service;
use crate::cli::process::signals::ShutdownSignal;
use crate::cli::process::user_file::apply_user_file;
use crate::cli::terminal::progress::{ProgressDisplay, crawl_status};
use crate::crawl::{CrawlError, CrawlJob, Crawler, Figures, Progress};
use crate::metrics::ProcessActivity;
use crate::store::{Store, StoreError};
use crate::threads;
use crate::urls::CanonicalUrl;

/// How often a waiting thread checks whether it must stop.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Pause between two attempts to reopen the database.
const REOPEN_INTERVAL: Duration = Duration::from_secs(1);
/// How long a stopping daemon waits for queries that were given up but still read the database. A process that ends
/// while the threads of the database work is aborted.
const LAST_READERS_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after which such a wait is logged.
const WARN_AFTER: Duration = Duration::from_secs(2);

/// Runs the daemon. `file` is a seed file in addition to the seed list of the index.
pub(crate) fn run(
    context: &Arc<CliContext>,
    file: Option<&Path>,
    listen: Option<SocketAddr>,
) -> anyhow::Result<Outcome> {
    threads::expect_crawl();
    let (seeds, bad) = context.seeds(file)?;
    let seeds_are_valid = bad.is_empty();
    let mut store = context.open_or_create()?;
    apply_user_file(&context.config.api.user_file, &store)?;
    let runtime = runtime()?;
    let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
    let start = Instant::now();
    let mut daemon = Daemon { context, file, listen, stop, seeds, seeds_are_valid, start, shared: None };
    loop {
        if let Some(outcome) = daemon.run_session(store)? {
            return Ok(outcome);
        }
        store = match daemon.reopen() {
            Some(store) => store,
            None => return Ok(Outcome::Success),
        };
    }
}

/// The state that all sessions share.
struct Daemon<'a> {
    context: &'a Arc<CliContext>,
    file: Option<&'a Path>,
    listen: Option<SocketAddr>,
    stop: ShutdownSignal,
    seeds: Vec<CanonicalUrl>,
    seeds_are_valid: bool,
    start: Instant,
    /// `None` before the first session.
    shared: Option<SharedResources>,
}

/// The resources that the first session creates and later ones use.
struct SharedResources {
    port: Arc<ListeningPort>,
    activity: Arc<ProcessActivity>,
    _pid_file: PidFile,
}

/// The parts of a session.
struct Session {
    control: Option<ControlServer>,
    tasks: BackgroundTasks,
    crawler: Arc<Crawler>,
    runtime: Runtime,
    store: Arc<Store>,
    job: CrawlJob,
    port: Arc<ListeningPort>,
    /// Set by a signal, or by this session alone.
    stop: ShutdownSignal,
    stop_ranking: ShutdownSignal,
}

impl Session {
    fn crawl(&self, context: &CliContext) -> Result<Figures, CrawlError> {
        let status = || crawl_status(self.crawler.progress(), true);
        let _display = ProgressDisplay::start(&context.console, status());
        service::report_status(&self.runtime, status());
        service::notify_ready();
        self.crawler.run(&self.job, self.runtime.handle(), self.stop.flag())
    }
}

impl Daemon<'_> {
    /// Runs one session; `None` if the database must be reopened for another one.
    fn run_session(&mut self, store: Arc<Store>) -> anyhow::Result<Option<Outcome>> {
        let Some(session) = self.start_session(store)? else { return Ok(Some(Outcome::Success)) };
        let crawled = session.crawl(self.context);
        self.end_session(session, crawled)
    }

    /// Starts all parts of a session but the crawl; `None` if the daemon stops.
    fn start_session(&mut self, store: Arc<Store>) -> anyhow::Result<Option<Session>> {
        let context = self.context;
        let mut state = serve::state(context, Arc::clone(&store), self.listen)?;
        let runtime = runtime()?;
        let crawler = self.new_crawler(&store)?;
        let hangup = reload::listen(&runtime)?;
        let pid_file = if self.shared.is_none() { Some(PidFile::write(&context.data)?) } else { None };
        let (reload, requests) = control::reload_channel();
        let running = Arc::new(RunningServer::with(&context.sources));
        let handler = RequestHandler::new(&store, state.config.listen, Some(reload.clone()), &running);
        let control = ControlServer::start(&runtime, &context.data, handler, &context.console);
        // From here on, `seeds add` reaches this process.
        let job = self.crawl_job(crawler.progress())?;
        Reloader::new(context, (&crawler, &store), self.file.map(Path::to_owned), &self.seeds)?
            .start(&runtime, hangup, requests);
        let is_idle = crawl::has_nothing_to_crawl(&self.seeds, &store)?;
        let (port, activity) = self.bind(&runtime, &state, crawler.progress(), pid_file)?;
        state.activity = Arc::clone(&activity);
        state.crawl = Some(Arc::new(CrawlSteering::new(context, &crawler, &store, &activity, reload)));
        let Some(listener) = port.listener(&runtime)? else { return Ok(None) };
        let address = listener.local_addr()?;
        running.address.get_or_init(|| address);
        running.rankings.get_or_init(|| Arc::clone(&activity));
        if is_idle {
            context.console.info(format_args!(
                "There is nothing to crawl yet: the crawl begins with `backlinkd --data {} seeds add URL`.",
                context.data.display()
            ));
        }
        let (stop, stop_ranking) = (ShutdownSignal::default(), ShutdownSignal::default());
        self.forward_shutdown(&runtime, &port, [stop.clone(), stop_ranking.clone()]);
        let serving = api::serve(state, listener, stop.clone().wait());
        let tasks = BackgroundTasks {
            server: runtime.spawn(stop_when_done(serving, stop.clone())),
            ranking: start_ranking(context, &store, &stop_ranking, &activity)?,
        };
        Ok(Some(Session { store, runtime, crawler, control, job, port, stop, stop_ranking, tasks }))
    }

    /// Ends a session after its crawl; `None` if the database must be reopened.
    fn end_session(
        &self,
        session: Session,
        crawled: Result<Figures, CrawlError>,
    ) -> anyhow::Result<Option<Outcome>> {
        let Session { store, runtime, crawler, control, port, stop, stop_ranking, tasks, .. } = session;
        stop_ranking.set();
        match &crawled {
            Err(CrawlError::Reopen(error)) => {
                tracing::warn!(%error, "the index is reopened, so that it accepts writes again");
                tasks.wait_for_ranking(&stop);
            }
            _ => port.close(),
        }
        stop.set();
        let drain = self.context.config.crawl.drain.0;
        let ended = tasks.end(&runtime, &stop, drain);
        drop(control);
        runtime.shutdown_timeout(stop.remaining_of(drain));
        let progress = Arc::clone(crawler.progress());
        drop(crawler);
        match crawled {
            Err(CrawlError::Reopen(_)) => {
                ended?;
                self.close_for_reopening(store, drain)
            }
            crawled => {
                flush_and_close(store)?;
                self.print_summary(&crawled.context("the crawl ended early")?, &progress)?;
                let outcome = if self.seeds_are_valid { Outcome::Success } else { Outcome::Partial };
                ended.map(|()| Some(outcome))
            }
        }
    }

    /// A crawler that goes on counting where the previous session stopped.
    fn new_crawler(&self, store: &Arc<Store>) -> anyhow::Result<Arc<Crawler>> {
        let crawler = Crawler::new(Arc::clone(store), &self.context.config, self.context.rules.clone())?;
        let previous = self.shared.as_ref().and_then(|shared| shared.activity.crawl());
        Ok(Arc::new(match previous {
            Some(progress) => crawler.with_progress(Arc::clone(progress)),
            None => crawler,
        }))
    }

    /// The job of a session: all seeds in the first one, later only those that are new or were not queued.
    fn crawl_job(&mut self, progress: &Progress) -> anyhow::Result<CrawlJob> {
        let mut seeds = self.context.seeds_added_since(&self.seeds)?;
        let mut former_seeds = std::mem::take(&mut self.seeds);
        self.seeds = [&former_seeds[..], &seeds].concat();
        if self.shared.is_none() || progress.figures().unstored_seeds > 0 {
            (seeds, former_seeds) = (self.seeds.clone(), Vec::new());
        }
        Ok(CrawlJob { seeds, former_seeds, forever: true, ..CrawlJob::default() })
    }

    /// Binds the port of the API and announces it, in the first session alone.
    fn bind(
        &mut self,
        runtime: &Runtime,
        state: &ApiState,
        progress: &Arc<Progress>,
        pid_file: Option<PidFile>,
    ) -> anyhow::Result<(Arc<ListeningPort>, Arc<ProcessActivity>)> {
        let shared = match (&mut self.shared, pid_file) {
            (None, Some(pid_file)) => {
                let former = MaintenanceLog::read(&self.context.data).ranked;
                let activity = Arc::new(ProcessActivity::of_crawl(progress).with_former_ranking(former));
                let listener = runtime.block_on(api::bind(state.config.listen))?;
                serve::announce(self.context, state, listener.local_addr()?);
                let port = ListeningPort::new(listener)?;
                self.shared.insert(SharedResources { port, activity, _pid_file: pid_file })
            }
            (shared, _) => shared.as_mut().ok_or_else(|| anyhow!("the daemon has no listening socket"))?,
        };
        Ok((Arc::clone(&shared.port), Arc::clone(&shared.activity)))
    }

    /// Stops the parts of a session once the process is asked to stop.
    fn forward_shutdown(&self, runtime: &Runtime, port: &Arc<ListeningPort>, parts: [ShutdownSignal; 2]) {
        let (process, port) = (self.stop.clone(), Arc::clone(port));
        runtime.spawn(async move {
            process.wait().await;
            port.close();
            parts.iter().for_each(|part| _ = part.set());
        });
    }

    /// Closes the database, so that it can be reopened. Its files stay locked while a query still reads it, at most for
    /// `api.deadline` and `crawl.drain` together.
    fn close_for_reopening(&self, store: Arc<Store>, drain: Duration) -> anyhow::Result<Option<Outcome>> {
        let longest = self.context.config.api.deadline.0 + drain;
        if !close_when_unused(store, longest) {
            anyhow::bail!("the index cannot be reopened, because queries still read it; start again");
        }
        Ok(if self.stop.is_set() { Some(Outcome::Success) } else { None })
    }

    fn print_summary(&self, figures: &Figures, progress: &Progress) -> anyhow::Result<()> {
        self.context.console.print_unless_quiet(crawl::summary(figures, self.start.elapsed()))?;
        crawl::print_failures(self.context, progress)
    }

    /// Reopens the database, in as many attempts as needed; `None` when the daemon is asked to stop first.
    fn reopen(&self) -> Option<Arc<Store>> {
        let mut is_logged = false;
        while !self.stop.is_set() {
            match self.context.open() {
                Ok(store) => {
                    tracing::info!("pages are fetched again: the index was reopened");
                    return Some(store);
                }
                Err(error) if !is_logged => {
                    is_logged = true;
                    tracing::error!(error = format!("{error:#}"), "the index cannot be opened; retrying");
                }
                Err(_) => {}
            }
            std::thread::sleep(REOPEN_INTERVAL);
        }
        None
    }
}

/// Writes the memory of the database to disk and closes it. Where the disk refuses, nothing is lost: the database log
/// holds what was stored, and the next opening reads it.
fn flush_and_close(store: Arc<Store>) -> anyhow::Result<()> {
    match store.flush() {
        Err(error @ (StoreError::Full(_) | StoreError::OpenFiles(_) | StoreError::Corrupt(_))) => {
            tracing::warn!(%error, "the index could not be flushed; nothing that was stored is lost");
        }
        flushed => flushed.context("the index cannot be flushed")?,
    }
    close_when_unused(store, LAST_READERS_TIMEOUT);
    Ok(())
}

/// Waits until this is the last use of the database, and closes it. Returns whether that happened within the time.
fn close_when_unused(store: Arc<Store>, within: Duration) -> bool {
    let (start, mut is_logged) = (Instant::now(), false);
    while Arc::strong_count(&store) > 1 && start.elapsed() < within {
        if start.elapsed() >= WARN_AFTER && !std::mem::replace(&mut is_logged, true) {
            tracing::warn!(?within, "queries still read the index; waiting for their end");
        }
        std::thread::sleep(POLL_INTERVAL / 10);
    }
    Arc::into_inner(store).is_some()
}

/// Stops the session when the API ends: a daemon that no longer answers must not go on crawling.
async fn stop_when_done(
    serving: impl Future<Output = Result<(), ServeError>>,
    stop: ShutdownSignal,
) -> Result<(), ServeError> {
    let served = serving.await;
    stop.set();
    served
}

/// The tasks that run in parallel with the crawl.
struct BackgroundTasks {
    server: tokio::task::JoinHandle<Result<(), ServeError>>,
    ranking: JoinHandle<()>,
}

impl BackgroundTasks {
    /// Waits for the end of a ranking whose result cannot be stored, or for `stop`. Queries are answered meanwhile.
    fn wait_for_ranking(&self, stop: &ShutdownSignal) {
        while !self.ranking.is_finished() && !stop.is_set() {
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Waits for both tasks, for the rest of `drain`. Giving one up damages nothing: ranks are published in one step.
    fn end(self, runtime: &Runtime, stop: &ShutdownSignal, drain: Duration) -> anyhow::Result<()> {
        let serving = async { tokio::time::timeout(stop.remaining_of(drain), self.server).await };
        match runtime.block_on(serving) {
            Ok(served) => served.context("the API ended early")??,
            Err(_) => tracing::warn!("requests in flight were given up after crawl.drain"),
        }
        while !self.ranking.is_finished() {
            if stop.remaining_of(drain).is_zero() {
                tracing::warn!("the ranking under way was given up after crawl.drain; the former ranks stay");
                return Ok(());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.ranking.join().map_err(|_| anyhow!("the ranking ended early; see the log"))
    }
}

fn start_ranking(
    context: &Arc<CliContext>,
    store: &Arc<Store>,
    stop: &ShutdownSignal,
    activity: &Arc<ProcessActivity>,
) -> anyhow::Result<JoinHandle<()>> {
    let (context, store, stop) = (Arc::clone(context), Arc::clone(store), stop.clone());
    let activity = Arc::clone(activity);
    std::thread::Builder::new()
        .name("ranking".to_owned())
        .spawn(move || rank_on_schedule(&context, &store, &stop, &activity))
        .context("the ranking thread cannot be started")
}

/// Ranks every `rank.interval`, and on request. A failure is logged and the next ranking tries again: it must not end a crawl that has
/// run for months.
fn rank_on_schedule(context: &CliContext, store: &Store, stop: &ShutdownSignal, activity: &ProcessActivity) {
    let interval = context.config.rank.interval.0;
    let mut next = Instant::now() + context.config.rank.first.0;
    while !stop.is_set() {
        std::thread::sleep(POLL_INTERVAL);
        if !activity.take_ranking_request() && Instant::now() < next {
            continue;
        }
        let start = Instant::now();
        activity.set_ranking(true);
        let ranked = rank::rank_store(context, store);
        activity.set_ranking(false);
        match ranked {
            Ok(()) => activity.record_ranking(start.elapsed()),
            Err(error) => {
                activity.record_failed_ranking();
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
    fn closing_waits_for_the_last_reader_of_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let store = Arc::new(Store::open(folder.path(), &StoreConfig::default(), suffixes).unwrap());
        let reader = Arc::clone(&store);
        let reading = std::thread::spawn(move || {
            std::thread::sleep(WARN_AFTER + Duration::from_secs(1));
            drop(reader);
        });
        assert!(close_when_unused(store, LAST_READERS_TIMEOUT));
        reading.join().unwrap();
    }
}
