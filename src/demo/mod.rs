//! The demo: a small web on loopback sockets, crawled, ranked, served, and checked.
//!
//! ```text
//!  sites ─► web ─┬─► html ─► server ─► crawl ─► rank ─► API ─┬─► report: what a reader sees
//!  (description) └─► expected, ranks ─► questions ──► check
//! ```
//!
//! For those who want to see backlinkd at work without pointing it at anybody's servers, and to know that what it
//! says is true. Nothing leaves the machine: every host has a loopback address, and the configuration lets the
//! crawler connect to no other private ones. In: where to listen, and whether to stay. Out: text for people, and an
//! API to ask. With `once`, every question printed is asked over HTTP and the answer compared with what the
//! description of the web says, without help from the index.
//!
//! It is an ordinary user of the stages: it knows nothing that an operator's configuration could not say.

mod ask;
mod check;
mod expected;
mod folder;
mod html;
mod questions;
mod ranks;
mod report;
mod server;
mod sites;
mod web;

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
use crate::config::{Config, ConfigError};
use crate::crawl::{CrawlError, CrawlJob, Crawler, Figures};
use crate::query::{QueryError, Searches};
use crate::rank::{RankError, rank_all};
use crate::store::{Store, StoreError};
use crate::urls::UrlError;

use expected::Expected;
use folder::Folder;
use report::Report;
use server::Served;
use web::Web;

/// Who may ask the demo's API.
const USER: &str = "user";
const PASSWORD: &str = "password";
/// How often a waiting demo looks whether it is told to stop.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// How the demo is to run.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Where the API listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether to check the answers and end, instead of serving until told to stop.
    pub once: bool,
    /// A new or empty directory to keep the index in; `None`: a temporary one, removed at the end.
    pub data: Option<PathBuf>,
}

/// Why the demo does not work.
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
    Searches(io::Error),
    #[error("the demo cannot write what it has to say: {0}")]
    Output(#[from] io::Error),
    #[error("the demo's API did not answer {path}: {cause}")]
    Ask { path: String, cause: Box<dyn std::error::Error + Send + Sync> },
    #[error("the demo's API ended before its time; the log tells why")]
    Broken,
    #[error("{wrong} of {all} checks failed; the lines that begin with WRONG say which")]
    Wrong { wrong: usize, all: usize },
    #[error(transparent)]
    Config(#[from] ConfigError),
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

/// Runs the demo and tells about it on `out`. Blocks until it is done, or, without `once`, until `stop` is set;
/// must not be called on an async thread.
///
/// # Errors
/// [`DemoError`]; [`DemoError::Wrong`] when the index and the description of the web disagree.
pub fn run(options: &DemoOptions, out: &mut dyn Write, stop: &Arc<AtomicBool>) -> Result<(), DemoError> {
    let web = Arc::new(sites::web());
    show(&web, &web, options, out, stop)
}

/// Runs the demo of one web and checks it against the description of another; only a test gives two.
fn show(
    served: &Arc<Web>,
    described: &Web,
    options: &DemoOptions,
    out: &mut dyn Write,
    stop: &Arc<AtomicBool>,
) -> Result<(), DemoError> {
    let runtime = Runtime::new().map_err(DemoError::Threads)?;
    // First, so that an address in use is told before anything is done.
    let listener = runtime.block_on(api::bind(options.listen))?;
    let servers = runtime.block_on(Served::start(served))?;
    let folder = Folder::new(options.data.as_deref())?;
    let config = folder.prepare(&servers.overrides(served))?;
    let store = open(&config, &folder)?;
    let mut report = Report::new(out);

    report.web(served)?;
    let (figures, time) = crawl(served, &config, &store, &runtime, stop)?;
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    report.crawl(&figures, time, &store)?;
    rank_all(&store, &config.rank, store.suffixes(), &|_| ())?;
    report.ranks(&store)?;

    let at = listener.local_addr()?;
    let api = Api::start(&config, &store, listener, &runtime, stop)?;
    report.questions(at, options.once)?;
    if options.once {
        let expected = Expected::of(described);
        let mut checks = check::crawl(&expected, &figures, &store.stats()?);
        checks.push(check::second_reading(&figures));
        checks.extend(runtime.block_on(check::api(&expected, at))?);
        api.end(&runtime)?;
        report.checks(&checks)
    } else {
        api.wait(&runtime)
    }
}

/// The index, with its one user.
fn open(config: &Config, folder: &Folder) -> Result<Arc<Store>, DemoError> {
    let suffixes = Arc::new(config.urls.suffixes()?);
    let store = Store::open(&folder.index(), &config.store, suffixes)?;
    store.put_user(USER, &api::hash_password(PASSWORD)?)?;
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

/// The API at work.
struct Api {
    serving: tokio::task::JoinHandle<Result<(), ServeError>>,
    /// Ends the API when dropped.
    end: oneshot::Sender<()>,
}

impl Api {
    fn start(
        config: &Config,
        store: &Arc<Store>,
        listener: TcpListener,
        runtime: &Runtime,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, DemoError> {
        let searches =
            Searches::open(Arc::clone(store), config.search.clone()).map_err(DemoError::Searches)?;
        let state = ApiState {
            store: Arc::clone(store),
            searches: Arc::new(searches),
            suffixes: Arc::clone(store.suffixes()),
            rules: config.urls.rules(),
            config: config.api.clone(),
            auth: AuthPolicy::Users,
            activity: Arc::default(),
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

    /// Tells the API to end, and waits for it.
    fn end(self, runtime: &Runtime) -> Result<(), DemoError> {
        drop(self.end);
        runtime.block_on(self.serving).map_err(|_| DemoError::Broken)??;
        Ok(())
    }

    /// Waits until the API is told to stop.
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
        let result = show(&Arc::new(sites::web()), described, &options, &mut out, &stop);
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn one_link_served_otherwise_than_described_is_noticed() {
        let mut described = sites::web();
        let host = described.hosts.iter_mut().find(|host| host.name == "www.example.edu").unwrap();
        let page = host.pages.iter_mut().find(|page| page.path == "/news/lamp").unwrap();
        page.links[0].text = "Museum of something else";
        let (result, out) = run_with(&described);
        println!("{out}{}", result.as_ref().unwrap_err());
        assert!(matches!(result, Err(DemoError::Wrong { .. })), "{result:?}\n{out}");
        let wrong: Vec<&str> = out.lines().filter(|line| line.starts_with("   WRONG")).collect();
        assert!(wrong.iter().any(|line| line.contains("/exportbacklinks")), "{out}");
        assert!(!wrong.iter().any(|line| line.contains("/anabacklinks")), "{out}");
        assert!(out.contains("Museum of something else"), "{out}");
    }
}
