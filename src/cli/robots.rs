//! `backlinkd robots`: what a robots.txt lets a crawler fetch, and by which line.
//!
//! One row a URL, tab-separated: `allowed` or `disallowed`, the number of the line that decides or 0, and the URL as it
//! was given. A robots.txt that is asked for over HTTP means what it means to the crawl: without one everything is
//! allowed, and when it cannot be had nothing is.

use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};

use super::{Ending, Setting, runtime};
use crate::fetch::robots_txt::{self, Decision, RobotsTxt, whole_lines};
use crate::fetch::{Fetcher, KeptRobots, RobotsAnswer, RobotsCache, RobotsShelf, RobotsStep};
use crate::urls::{CanonicalUrl, SessionParams, UrlRules};

/// Answers for each URL, in the order given. `agent` is the crawler's name; what follows a slash in it, its version,
/// does not count.
pub(super) fn robots(
    setting: &Setting,
    source: &str,
    agent: Option<&str>,
    urls: &[String],
) -> anyhow::Result<Ending> {
    let agent = agent.unwrap_or(&setting.config.fetch.user_agent);
    let token = agent.split('/').next().unwrap_or_default();
    // How long a URL may be, and which session ids it loses, is the crawl's concern: the file judges the URL as given.
    let session_params = SessionParams::none();
    let rules = UrlRules { max_length: 1 << 20, session_params, ..setting.rules.clone() };
    let paths: Vec<String> = urls.iter().map(|url| path_of(url, &rules)).collect::<Result<_, _>>()?;
    let parse = |body: &[u8]| RobotsTxt::parse(body, token, setting.config.robots.max_compared_bytes);
    let robots = match rules.canonical(source) {
        Ok(url) => ask(setting, &url)?.map(|body| parse(&body)),
        Err(_) => Some(parse(&read(setting, Path::new(source))?)),
    };
    for (url, path) in urls.iter().zip(paths) {
        let decision = match &robots {
            Some(robots) => robots.decide(&path),
            None => Decision { allowed: false, line: 0 },
        };
        let verdict = if decision.allowed { "allowed" } else { "disallowed" };
        setting.console.answer(format_args!("{verdict}\t{}\t{}", decision.line, in_one_row(url)))?;
    }
    Ok(Ending::Good)
}

/// A file, or the standard input for `-`, as much of it as a crawl would read.
fn read(setting: &Setting, file: &Path) -> anyhow::Result<Vec<u8>> {
    let cap = setting.config.robots.max_bytes;
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

/// The robots.txt of a URL's scheme, host and port; `None`: it cannot be had.
fn ask(setting: &Setting, url: &CanonicalUrl) -> anyhow::Result<Option<bytes::Bytes>> {
    let fetcher = Arc::new(Fetcher::new(&setting.config.fetch).map_err(crate::crawl::CrawlError::from)?);
    let shelf = Arc::new(OneFile::default());
    let kept: Arc<dyn RobotsShelf> = shelf.clone();
    let cache = RobotsCache::new(fetcher, &setting.config.robots, setting.rules.clone(), Some(kept));
    runtime()?.block_on(async {
        if let RobotsAnswer::NeedsFetch(mut job) = cache.check(url) {
            while let RobotsStep::Moved(next) = cache.fetch(job).await {
                job = next;
            }
        }
    });
    let kept = shelf.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let body = kept.filter(|kept| kept.failing_since == 0).map(|kept| kept.body);
    if body.is_none() {
        setting.console.complain(format_args!(
            "The robots.txt of {url} cannot be had, so nothing may be fetched; -v tells why."
        ));
    }
    Ok(body)
}

/// Takes what the cache learns.
#[derive(Default)]
struct OneFile(Mutex<Option<KeptRobots>>);

impl RobotsShelf for OneFile {
    fn load(&self, _origin: &str) -> Option<KeptRobots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, _origin: &str, kept: &KeptRobots) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
    }
}

/// Path and query of what was given: a URL, or a path already. Nothing at all is the host's first page.
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

/// What was given, without the characters that end a field or a row.
fn in_one_row(url: &str) -> String {
    url.replace('\t', "%09").replace('\n', "%0A").replace('\r', "%0D")
}
