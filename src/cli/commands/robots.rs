//! `backlinkd robots`: what a robots.txt allows a crawler to fetch, and which line decides.
//!
//! Prints one row per URL, separated by tabs: `allowed` or `disallowed`, the number of the deciding line or 0, and
//! the URL as given. A robots.txt fetched over HTTP means what it means to the crawl: a missing file allows
//! everything, an unreachable one nothing.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};

use crate::cli::Outcome;
use crate::cli::context::{CliContext, runtime};
use crate::fetch::robots_txt::{self, Decision, RobotsTxt, whole_lines};
use crate::fetch::{Fetcher, RobotsAnswer, RobotsCache, RobotsOutcome, RobotsStore, StoredRobots};
use crate::urls::{CanonicalUrl, SessionParams, UrlRules};

/// Prints a row for each URL, in the given order. `agent` is the name of the crawler; a version after a slash is
/// ignored.
pub(crate) fn robots(
    context: &CliContext,
    source: &str,
    agent: Option<&str>,
    urls: &[String],
) -> anyhow::Result<Outcome> {
    let agent = agent.unwrap_or(&context.config.fetch.user_agent);
    let token = agent.split('/').next().unwrap_or_default();
    // Length limits and session ids are the concern of the crawl. Here the file judges each URL as given.
    let session_params = SessionParams::none();
    let rules = UrlRules { max_length: 1 << 20, session_params, ..context.rules.clone() };
    let paths: Vec<String> = urls.iter().map(|url| path_of(url, &rules)).collect::<Result<_, _>>()?;
    let parse = |body: &[u8]| RobotsTxt::parse(body, token, context.config.robots.max_compared_bytes);
    let robots = match rules.canonical(source) {
        Ok(url) => fetch_robots(context, &url)?.map(|body| parse(&body)),
        Err(_) => Some(parse(&read_file(context, Path::new(source))?)),
    };
    for (url, path) in urls.iter().zip(paths) {
        let decision = match &robots {
            Some(robots) => robots.decide(&path),
            None => Decision { allowed: false, line: 0 },
        };
        let verdict = if decision.allowed { "allowed" } else { "disallowed" };
        context.console.print(format_args!("{verdict}\t{}\t{}", decision.line, escape_separators(url)))?;
    }
    Ok(Outcome::Success)
}

/// Reads a file, or standard input for `-`, up to the size that a crawl reads.
fn read_file(context: &CliContext, file: &Path) -> anyhow::Result<Vec<u8>> {
    let cap = context.config.robots.max_bytes;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(cap as u64 + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(cap as u64 + 1).read_to_end(&mut bytes))
    }
    .with_context(|| {
        format!("the robots.txt {} cannot be read; give a file, - or an http(s) URL", file.display())
    })?;
    let is_cut = bytes.len() > cap;
    bytes.truncate(cap);
    let text = robots_txt::text(&bytes)
        .with_context(|| format!("the robots.txt {} cannot be read; give a text file", file.display()))?;
    Ok(if is_cut { whole_lines(&text).to_owned() } else { text.into_owned() })
}

/// The robots.txt of the origin of a URL; `None` when it is unreachable.
fn fetch_robots(context: &CliContext, url: &CanonicalUrl) -> anyhow::Result<Option<bytes::Bytes>> {
    let fetcher = Arc::new(Fetcher::new(&context.config.fetch).map_err(crate::crawl::CrawlError::from)?);
    let memory = Arc::new(MemoryStore::default());
    let store: Arc<dyn RobotsStore> = memory.clone();
    let cache = RobotsCache::new(fetcher, &context.config.robots, context.rules.clone(), Some(store));
    runtime()?.block_on(async {
        if let RobotsAnswer::NeedsFetch(mut job) = cache.check(url) {
            while let RobotsOutcome::Moved(next) = cache.fetch(job).await {
                job = next;
            }
        }
    });
    let stored = memory.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let body = stored.filter(|stored| stored.failing_since == 0).map(|stored| stored.body);
    if body.is_none() {
        context.console.error(format_args!(
            "The robots.txt of {url} is unavailable, so nothing may be fetched; -v tells why."
        ));
    }
    Ok(body)
}

/// Holds the one file that the cache stores.
#[derive(Default)]
struct MemoryStore(Mutex<Option<StoredRobots>>);

impl RobotsStore for MemoryStore {
    fn load(&self, _origin: &str) -> Option<StoredRobots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, _origin: &str, stored: &StoredRobots) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stored.clone());
    }
}

/// Path and query of the argument, a URL or already a path. An empty argument means the root of the host.
fn path_of(url: &str, rules: &UrlRules) -> anyhow::Result<String> {
    match rules.canonical(url) {
        Ok(url) => Ok(url.path_and_query().to_owned()),
        Err(_) if url.is_empty() || url.starts_with('/') => {
            Ok(url.split('#').next().unwrap_or_default().to_owned())
        }
        Err(error) => bail!(
            "\"{url}\" cannot be asked about ({error}); give an http(s) URL or a path that begins with /"
        ),
    }
}

/// The argument, with the characters escaped that would end a field or a row.
fn escape_separators(url: &str) -> String {
    url.replace('\t', "%09").replace('\n', "%0A").replace('\r', "%0D")
}
