//! `backlinkd try`: a first look at one site. It crawls some pages, ranks them, and serves the page all the while.
//!
//! The crawl is as polite as any other: robots.txt, one fetch at a time, `crawl.delay` between two. It stays on the
//! registrable domain of the site. The requests carry the name of the program; `fetch.contact` is not required, because
//! the crawl ends after a few hundred pages and has its operator before it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::browser::page;
use super::site;
use crate::api::{self, ServeError};
use crate::cli::Outcome;
use crate::cli::args::Args;
use crate::cli::commands::{crawl, demo, rank, serve};
use crate::cli::context::{CliContext, runtime};
use crate::cli::control::{self, ControlServer, RequestHandler, RunningServer};
use crate::cli::process::crawl_steering::CrawlSteering;
use crate::cli::process::reload::{self, Reloader};
use crate::cli::process::signals::ShutdownSignal;
use crate::cli::terminal::progress::{ProgressDisplay, crawl_status};
use crate::crawl::{CrawlJob, Crawler};
use crate::metrics::ProcessActivity;
use crate::store::Store;
use crate::threads;
use crate::urls::CanonicalUrl;

/// Values in the place of those of the configuration file: one site, and lists that follow the crawl.
const SETTINGS: [&str; 2] = ["crawl.stay_on_seed_domains=true", "search.refresh=5s"];

/// How often a request for a ranking is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The options of a trial.
pub(super) struct TrialOptions<'a> {
    pub site: &'a str,
    pub pages: u64,
    pub listen: Option<SocketAddr>,
}

/// The arguments with [`SETTINGS`], which a `--set` of the command line overrides.
pub(super) fn arguments(args: &Args) -> Args {
    let set = SETTINGS.map(str::to_owned).into_iter().chain(args.set.iter().cloned()).collect();
    Args { set, ..args.clone() }
}

/// The context with the data directory of the trial: that of the command line, or one for each site in the user's folder
/// of caches.
pub(super) fn place(mut context: CliContext, args: &Args, site: &str) -> anyhow::Result<CliContext> {
    if !args.data_is_given {
        let url = context.rules.parse_typed(site)?;
        let folder = user_folder().unwrap_or_else(|| PathBuf::from("backlinkd-try"));
        context.data = folder.join(context.suffixes.domain_of(url.host()));
    }
    Ok(context)
}

/// `$XDG_CACHE_HOME/backlinkd/try`, or that in the home directory.
fn user_folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(Path::new(&caches).join("backlinkd").join("try"))
}

/// The running parts of a trial.
struct Trial {
    context: Arc<CliContext>,
    store: Arc<Store>,
    crawler: Arc<Crawler>,
    activity: Arc<ProcessActivity>,
    stop: ShutdownSignal,
    server: JoinHandle<Result<(), ServeError>>,
    control: Option<ControlServer>,
    runtime: Runtime,
}

pub(super) fn run(context: &Arc<CliContext>, options: &TrialOptions<'_>) -> anyhow::Result<Outcome> {
    threads::expect_crawl();
    let seed = context.rules.parse_typed(options.site)?;
    let trial = Trial::start(context, &seed, options)?;
    let outcome = trial.crawl_and_rank(&seed, options.pages)?;
    if outcome != Outcome::Success {
        // There is nothing to look at.
        trial.stop.set();
    }
    trial.serve_until_stopped()?;
    Ok(outcome)
}

impl Trial {
    /// Starts everything but the crawl, and prints the address.
    fn start(
        context: &Arc<CliContext>,
        seed: &CanonicalUrl,
        options: &TrialOptions<'_>,
    ) -> anyhow::Result<Self> {
        let store = context.open_or_create()?;
        let runtime = runtime()?;
        let stop = ShutdownSignal::on_signal(&runtime, &context.console)?;
        let listen = options.listen.unwrap_or_else(|| demo::free_address(context, "backlinkd"));
        let mut state = serve::state(context, Arc::clone(&store), Some(listen))?;
        let crawler = Arc::new(Crawler::new(Arc::clone(&store), &context.config, context.rules.clone())?);
        let activity = Arc::new(ProcessActivity::of_crawl(crawler.progress()));
        let (reload, requests) = control::reload_channel();
        let hangup = reload::listen(&runtime)?;
        Reloader::new(context, (&crawler, &store), None, std::slice::from_ref(seed))?
            .start(&runtime, hangup, requests);
        let running = Arc::new(RunningServer::with(&context.sources));
        let handler = RequestHandler::new(&store, listen, Some(reload.clone()), &running);
        let control = ControlServer::start(&runtime, &context.data, handler, &context.console);
        state.activity = Arc::clone(&activity);
        state.crawl = Some(Arc::new(CrawlSteering::new(context, &crawler, &store, &activity, reload)));
        let listener = runtime.block_on(api::bind(listen))?;
        let address = listener.local_addr()?;
        running.address.get_or_init(|| address);
        running.rankings.get_or_init(|| Arc::clone(&activity));
        let server = runtime.spawn(api::serve(state, listener, stop.clone().wait()));
        let context = Arc::clone(context);
        let trial = Self { context, store, crawler, activity, stop, server, control, runtime };
        trial.announce(address, seed, options.pages)?;
        Ok(trial)
    }

    fn announce(&self, address: SocketAddr, seed: &CanonicalUrl, pages: u64) -> anyhow::Result<()> {
        let Self { context, .. } = self;
        let site = context.suffixes.domain_of(seed.host());
        let config = &context.config;
        context.console.print(format_args!("Open {}", page(&address.to_string(), Some(site))))?;
        context.console.info(format_args!(
            "Up to {pages} pages of {site} are fetched, with {} between two of one host, as far as its robots.txt \
             allows. The index is in {}. Ctrl-C ends this.",
            config.crawl.delay,
            context.data.display()
        ));
        if config.fetch.contact.is_empty() {
            context.console.info(format_args!(
                "The site sees the name {}/{} without a contact; --set fetch.contact=URL adds one.",
                config.fetch.user_agent,
                env!("CARGO_PKG_VERSION")
            ));
        }
        Ok(())
    }

    fn crawl_and_rank(&self, seed: &CanonicalUrl, pages: u64) -> anyhow::Result<Outcome> {
        let Self { context, crawler, stop, .. } = self;
        let job = CrawlJob { seeds: vec![seed.clone()], max_pages: Some(pages), ..CrawlJob::default() };
        site::wake(&self.store, seed)?;
        let start = Instant::now();
        let figures = {
            let _display = ProgressDisplay::start(&context.console, crawl_status(crawler.progress(), false));
            crawler.run(&job, self.runtime.handle(), stop.flag())?
        };
        context.console.print_unless_quiet(crawl::summary(&figures, start.elapsed()))?;
        crawl::print_failures(context, crawler.progress())?;
        if stop.is_set() {
            return Ok(Outcome::Success);
        }
        if self.store.stats()?.html_pages == 0 {
            let why = site::explain(context, &self.store, seed)?;
            context.console.error(format_args!("backlinkd: no page of {seed} could be read.\n{why}"));
            return Ok(Outcome::Partial);
        }
        if figures.answered + figures.unchanged == 0 {
            context.console.info(site::explain(context, &self.store, seed)?);
        }
        self.rank()?;
        context.console.info(format_args!(
            "The index stays in {data}, and is served until Ctrl-C; later `backlinkd --data {data} serve` serves it.\n\
             Backlinks from other sites need a crawl of those: `backlinkd --data DIR run --seeds FILE`.",
            data = context.data.display()
        ));
        Ok(Outcome::Success)
    }

    fn rank(&self) -> anyhow::Result<()> {
        self.activity.set_ranking(true);
        let start = Instant::now();
        let ranked = rank::rank_store(&self.context, &self.store);
        self.activity.set_ranking(false);
        match &ranked {
            Ok(()) => self.activity.record_ranking(start.elapsed()),
            Err(_) => self.activity.record_failed_ranking(),
        }
        ranked
    }

    /// Serves, and ranks on request, until a signal.
    fn serve_until_stopped(self) -> anyhow::Result<()> {
        while !self.stop.is_set() && !self.server.is_finished() {
            if self.activity.take_ranking_request()
                && let Err(error) = self.rank()
            {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the ranks could not be computed; the former ones stay"
                );
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.runtime.block_on(self.server).context("the API ended early")??;
        drop(self.control);
        self.runtime.shutdown_timeout(self.context.config.crawl.drain.0);
        self.store.flush().context("the index cannot be flushed")
    }
}
