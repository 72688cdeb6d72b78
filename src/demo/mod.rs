//! The demo: a small web on loopback sockets, crawled, ranked, served, and checked.
//!
//! ```text
//!  sites ─► web ─┬─► html ─► server ─► crawl ─► year ─► rank ─► API ─┬─► report: what a reader sees
//!  (description) └─► expected, ranks ─► questions ──► check
//! ```
//!
//! The demo shows backlinkd at work without contacting the servers of others, and verifies its results. Nothing
//! leaves the machine: every host has a loopback address, and the configuration allows no other private addresses.
//! The input is the listening address, and whether to keep serving. The output is text for people, and a running API
//! with its page.
//!
//! With `once`, the index holds the crawled web alone, and every printed question is sent over HTTP. The answer is
//! compared with the description of the web, independently of the index. Otherwise a made-up year of history
//! (`year`) is added, so that the charts of the page have a shape.
//!
//! Crawl, ranks and API are used like by any operator: with nothing that a configuration could not do.

mod check;
mod expected;
mod expected_page;
mod folder;
mod html;
mod questions;
mod ranks;
mod report;
mod server;
mod sites;
mod web;
mod year;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::api::{self, ApiState, AuthPolicy, PasswordError, ServeError};
use crate::clock::unix_now;
use crate::config::{Config, ConfigError};
use crate::crawl::{CrawlError, CrawlJob, Crawler, Figures};
use crate::fetch::ServiceClientError;
use crate::query::{QueryError, SearchIndexes};
use crate::rank::{RankError, rank_all};
use crate::store::{Store, StoreError};
use crate::urls::UrlError;

use expected::Expected;
pub use folder::temporary_folder;

use folder::DemoFolder;
use report::DemoReport;
use server::DemoServers;
use web::Web;

/// Credentials for the demo's API.
const USER: &str = "user";
const PASSWORD: &str = "password";
/// How often a waiting demo checks the stop flag.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// Options of the demo.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Listening address of the API; port 0 selects a free one.
    pub listen: SocketAddr,
    /// Whether to check the answers and exit, instead of serving until the stop flag is set.
    pub once: bool,
    /// A new or empty directory for the index; `None`: a temporary one, removed at the end.
    pub data: Option<PathBuf>,
}

impl DemoOptions {
    /// The page opens without a password. The checks need one, and so do other machines.
    fn access(&self) -> AuthPolicy {
        if self.once || !self.listen.ip().is_loopback() { AuthPolicy::Users } else { AuthPolicy::Open }
    }
}

/// The reason why the demo fails.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(
        "the demo's web cannot be served on {address}: {cause}; it needs loopback addresses other than \
         127.0.0.1, which Linux has of itself and macOS after \"sudo ifconfig lo0 alias {address}\""
    )]
    Web { address: Ipv4Addr, cause: io::Error },
    #[error("the demo cannot use {directory}: {cause}; give a new or an empty directory that can be written to", directory = .directory.display())]
    Directory { directory: PathBuf, cause: io::Error },
    #[error("the demo cannot start its threads: {0}")]
    Threads(io::Error),
    #[error("the demo cannot keep its search indexes: {0}; set search.directory to a folder to write to")]
    SearchIndexes(io::Error),
    #[error("the demo cannot write what it has to say: {0}")]
    Output(#[from] io::Error),
    #[error("the demo's API did not answer {path}: {cause}")]
    Ask { path: String, cause: String },
    #[error("the demo's API ended early; see the log")]
    Broken,
    #[error("{wrong} of {all} checks failed; the lines that begin with WRONG say which")]
    Wrong { wrong: usize, all: usize },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Address(#[from] url::ParseError),
    #[error(transparent)]
    Client(#[from] ServiceClientError),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Crawl(#[from] CrawlError),
    #[error(transparent)]
    Rank(#[from] RankError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs the demo and describes it on `out`. Blocks until it is done, or, without `once`, until `stop` is set. Must
/// not be called on an async thread.
///
/// # Errors
/// [`DemoError`]; [`DemoError::Wrong`] when the index differs from the description of the web.
pub fn run(options: &DemoOptions, out: &mut dyn Write, stop: &Arc<AtomicBool>) -> Result<(), DemoError> {
    let web = Arc::new(sites::web());
    run_webs(&web, &web, options, out, stop)
}

/// Runs the demo of one web and checks it against the description of another one; only a test uses two.
fn run_webs(
    served: &Arc<Web>,
    described: &Web,
    options: &DemoOptions,
    out: &mut dyn Write,
    stop: &Arc<AtomicBool>,
) -> Result<(), DemoError> {
    let runtime = Runtime::new().map_err(DemoError::Threads)?;
    // First, so that an address in use is reported before any other work.
    let listener = runtime.block_on(api::bind(options.listen))?;
    let servers = runtime.block_on(DemoServers::start(served))?;
    let folder = DemoFolder::new(options.data.as_deref())?;
    let config = folder.prepare(&servers.overrides(served))?;
    let access = options.access();
    let store = open(&config, &folder, access)?;
    let mut report = DemoReport::new(out);

    report.web(served)?;
    let (figures, time) = crawl(served, &config, &store, &runtime, stop)?;
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    report.crawl(&figures, time, &store)?;
    if !options.once {
        report.year(year::write(&store, &config.urls.rules(), unix_now(), stop)?)?;
    }
    rank_all(&store, &config.rank, store.suffixes(), &|_| ())?;
    report.ranks(&store)?;

    let at = listener.local_addr()?;
    let api = DemoApi::start(&config, &store, listener, &runtime, (access, stop))?;
    report.questions(at, access)?;
    if !options.once {
        report.open(at)?;
        return api.wait(&runtime);
    }
    let expected = Expected::of(described);
    let checks = runtime.block_on(check::all(&expected, &figures, &store.stats()?, at))?;
    api.end(&runtime)?;
    report.checks(&checks)
}

/// Opens the index, and adds its one user if it has users.
fn open(config: &Config, folder: &DemoFolder, access: AuthPolicy) -> Result<Arc<Store>, DemoError> {
    let suffixes = Arc::new(config.urls.suffixes()?);
    let store = Store::open(&folder.index(), &config.store, suffixes)?;
    if access == AuthPolicy::Users {
        store.put_user(USER, &api::hash_password(PASSWORD)?)?;
    }
    Ok(Arc::new(store))
}

fn crawl(
    web: &Web,
    config: &Config,
    store: &Arc<Store>,
    runtime: &Runtime,
    stop: &AtomicBool,
) -> Result<(Figures, Duration), DemoError> {
    let (rules, start) = (config.urls.rules(), Instant::now());
    let seeds = web.seeds.iter().map(|seed| rules.canonical(&format!("http:{seed}")));
    let job = CrawlJob { seeds: seeds.collect::<Result<_, _>>()?, ..CrawlJob::default() };
    let crawler = Crawler::new(Arc::clone(store), config, rules)?;
    let figures = crawler.run(&job, runtime.handle(), stop)?;
    Ok((figures, start.elapsed()))
}

/// The running API.
struct DemoApi {
    serving: tokio::task::JoinHandle<Result<(), ServeError>>,
    /// Stops the API when dropped.
    end: oneshot::Sender<()>,
}

impl DemoApi {
    fn start(
        config: &Config,
        store: &Arc<Store>,
        listener: TcpListener,
        runtime: &Runtime,
        (access, stop): (AuthPolicy, &Arc<AtomicBool>),
    ) -> Result<Self, DemoError> {
        let searches = SearchIndexes::open(Arc::clone(store), config.search.clone())
            .map_err(DemoError::SearchIndexes)?;
        let state = ApiState {
            store: Arc::clone(store),
            searches: Arc::new(searches),
            suffixes: Arc::clone(store.suffixes()),
            rules: config.urls.rules(),
            config: config.api.clone(),
            settings: Arc::new(config.clone()),
            auth: access,
            activity: Arc::default(),
            crawl: None,
            host_lists: Arc::default(),
            today: api::current_day,
            is_demo: true,
        };
        let ((end, ended), stop) = (oneshot::channel(), Arc::clone(stop));
        let shutdown = async move {
            tokio::select! {
                _ = ended => {}
                () = is_set(&stop) => {}
            }
        };
        Ok(Self { serving: runtime.spawn(api::serve(state, listener, shutdown)), end })
    }

    /// Stops the API, and waits for its end.
    fn end(self, runtime: &Runtime) -> Result<(), DemoError> {
        drop(self.end);
        runtime.block_on(self.serving).map_err(|_| DemoError::Broken)??;
        Ok(())
    }

    /// Waits until the API stops.
    fn wait(self, runtime: &Runtime) -> Result<(), DemoError> {
        runtime.block_on(self.serving).map_err(|_| DemoError::Broken)??;
        Ok(())
    }
}

async fn is_set(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(HEARTBEAT).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_with(described: &Web) -> (Result<(), DemoError>, String) {
        let options = DemoOptions { listen: ([127, 0, 0, 1], 0).into(), once: true, data: None };
        let (mut out, stop) = (Vec::new(), Arc::new(AtomicBool::new(false)));
        let result = run_webs(&Arc::new(sites::web()), described, &options, &mut out, &stop);
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_link_that_differs_from_the_description_is_reported() {
        let mut described = sites::web();
        let host = described.hosts.iter_mut().find(|host| host.name == "www.example.edu").unwrap();
        let page = host.pages.iter_mut().find(|page| page.path == "/news/lamp").unwrap();
        page.links[0].text = "Museum of something else";
        let (result, out) = run_with(&described);
        assert!(matches!(result, Err(DemoError::Wrong { .. })), "{result:?}\n{out}");
        let wrong: Vec<&str> = out.lines().filter(|line| line.starts_with("   WRONG")).collect();
        assert!(wrong.iter().any(|line| line.contains("/exportbacklinks")), "{out}");
        assert!(!wrong.iter().any(|line| line.contains("/anabacklinks")), "{out}");
        assert!(out.contains("Museum of something else"), "{out}");
    }
}
