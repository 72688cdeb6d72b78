//! The shared test web, served on loopback, and the configuration of its crawl.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use backlinkd::config::Config;
use backlinkd::crawl::{CrawlJob, Crawler, Figures};
use backlinkd::store::Store;
use backlinkd::urls::{CanonicalUrl, Suffixes, UrlRules};
use tempfile::TempDir;

use super::served_web::ServedWeb;
use super::shared;
use super::true_links::{TruePage, built_small_web, built_web};

/// See the module. It is served until it is dropped.
pub struct TestWeb {
    /// The folder in which it is built.
    pub web: PathBuf,
    /// The folder of the test, for the index, the overrides and the servers' log.
    pub folder: Arc<TempDir>,
    /// For a crawl without delays.
    pub config: Config,
    server: ServedWeb,
}

impl TestWeb {
    /// Serves the web with a log of its servers, which wait `latency` before each response with a page. `truth`: the
    /// lines of [`super::true_links::lines`], so that no host in its pages is resolved by a name server. `None`, with a
    /// message, if a requirement is missing.
    pub fn serve<L: AsRef<str>>(truth: impl Iterator<Item = L>, latency: Duration) -> Option<Self> {
        Self::serve_built(built_web()?, truth, latency)
    }

    /// Like [`Self::serve`], for the small web.
    pub fn serve_small<L: AsRef<str>>(truth: impl Iterator<Item = L>) -> Option<Self> {
        Self::serve_built(built_small_web()?, truth, Duration::ZERO)
    }

    fn serve_built<L: AsRef<str>>(
        web: PathBuf,
        truth: impl Iterator<Item = L>,
        latency: Duration,
    ) -> Option<Self> {
        let folder = Arc::new(TempDir::new().unwrap());
        let (log, latency) = (folder.path().join("access.log"), latency.as_secs_f64().to_string());
        let arguments = ["--latency", &latency, "--log", log.to_str().unwrap()];
        let server = ServedWeb::start_with(&web, true, &arguments)?;
        let named =
            truth.flat_map(|line| TruePage::read(line.as_ref()).hosts().collect::<Vec<_>>()).collect();
        std::fs::write(folder.path().join("overrides.tsv"), overrides(&web, &server, &named)).unwrap();
        let config = config(&web, folder.path());
        Some(Self { web, folder, config, server })
    }

    /// The requests to the servers, one JSON object a line.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    pub fn open(&self, directory: &str) -> Arc<Store> {
        let suffixes = Arc::new(Suffixes::built_in().unwrap());
        let directory = self.folder.path().join(directory);
        Arc::new(Store::open(&directory, &self.config.store, suffixes).unwrap())
    }

    /// The roots of its sites.
    pub fn seeds(&self) -> Vec<CanonicalUrl> {
        let rules = UrlRules::default();
        let hosts = hosts(&self.web);
        let sites = hosts.iter().filter(|row| row[3] == "site");
        sites.map(|row| rules.canonical(&format!("http://{}/", row[0])).unwrap()).collect()
    }

    /// Crawls all of it.
    pub fn crawl(&self, store: &Arc<Store>) -> Figures {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let crawler = Crawler::new(Arc::clone(store), &self.config, UrlRules::default()).unwrap();
        let job = CrawlJob { seeds: self.seeds(), ..CrawlJob::default() };
        crawler.run(&job, runtime.handle(), &AtomicBool::new(false)).unwrap()
    }

    /// Stops the servers.
    pub fn stop(self) -> Arc<TempDir> {
        drop(self.server);
        self.folder
    }
}

/// Host, address and kind of each host.
fn hosts(web: &Path) -> Vec<Vec<String>> {
    let hosts = std::fs::read_to_string(web.join("conf/hosts.tsv")).unwrap();
    hosts.lines().skip(1).map(|row| row.split('\t').map(str::to_owned).collect()).collect()
}

/// The hosts of the web at their addresses, and all other hosts in its pages at a forbidden address, so that no name is
/// resolved.
fn overrides(web: &Path, server: &ServedWeb, named: &BTreeSet<String>) -> String {
    let mut text = String::new();
    let rows = hosts(web);
    let own: BTreeMap<&str, &str> =
        rows.iter().filter(|row| row[3] != "special").map(|row| (&*row[0], &*row[1])).collect();
    for (host, address) in &own {
        writeln!(text, "{host}\t{address}:{}\t{address}:{}", server.port, server.tls_port).unwrap();
    }
    let is_name = |host: &str| !host.starts_with('[') && host.parse::<std::net::IpAddr>().is_err();
    for host in named.iter().filter(|host| !own.contains_key(host.as_str()) && is_name(host)) {
        writeln!(text, "{host}\t127.0.0.1:1\t127.0.0.1:1").unwrap();
    }
    text
}

fn config(web: &Path, folder: &Path) -> Config {
    let mut config = Config::default();
    config.crawl.delay.0 = Duration::ZERO;
    config.crawl.max_crawl_delay.0 = Duration::ZERO;
    config.fetch.user_agent = "mockbot".to_owned();
    config.fetch.host_overrides = folder.join("overrides.tsv");
    config.fetch.extra_ca = web.join("certs/ca.pem");
    config.fetch.allow_private_addresses =
        (1..=12).map(|place| format!("127.{place}.0.0/16").parse().unwrap()).collect();
    config.geo.database = shared("geo/loopback-city.mmdb").unwrap_or_default();
    config
}
