//! Who may be fetched: robots.txt files, fetched, kept and asked (RFC 9309).
//!
//! In goes a URL; out comes a permit to fetch it, a refusal, or word that the host's robots.txt has to be
//! fetched first. [`Allowed`] can be made nowhere else, and [`super::Fetcher::fetch`] asks for one: a page cannot
//! be fetched without its robots.txt having been asked.
//!
//! The crawl stays the one place that decides when a host is spoken to. A robots.txt is therefore fetched only
//! when the crawl says so, one request at a time:
//!
//! ```text
//!  check(url) ─► Allowed(permit) ─► fetcher.fetch(permit, …)
//!             ├► Disallowed { line }        drop the URL
//!             ├► Unreachable { retry_in }   put the host off
//!             └► NeedsFetch(job) ─► wait for the turn of job.url()'s host ─► fetch(job)
//!                    ▲                                                         ├► Known: check again
//!                    └─────────────────────────── Moved(job) ◄─────────────────┘  (a redirect, often elsewhere)
//! ```
//!
//! | what came | what holds (2.3.1) |
//! |---|---|
//! | 2xx | the rules in it |
//! | redirect | the robots.txt it leads to, on any host; after `robots.max_redirects`, or without a usable target, as 4xx |
//! | other 3xx, 4xx | everything may be fetched |
//! | 5xx, no answer, an answer that cannot be decoded, an address refused | nothing may be fetched; asked again after `robots.retry_after` |
//!
//! Rules hold for one scheme, host and port, for `robots.max_age`. The cache is bounded by `robots.cache_bytes`;
//! what was used longest ago is forgotten and fetched again when needed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Fetcher;
use super::answer::Answer;
use super::failure::Failure;
use super::robots_txt::RobotsTxt;
use crate::config::RobotsConfig;
use crate::lru::Lru;
use crate::model::{FailureKind, LinkTag};
use crate::urls::{CanonicalUrl, UrlRules};

/// A permit to fetch one URL, once.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowed {
    url: CanonicalUrl,
    crawl_delay: Option<Duration>,
}

impl Allowed {
    pub fn url(&self) -> &CanonicalUrl {
        &self.url
    }

    /// The pause between two fetches that the host's robots.txt asks for, not yet bounded.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }
}

/// A request for a robots.txt, or for what one redirects to, that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotsFetch {
    /// Scheme, host and port that the rules will hold for.
    origin: Arc<str>,
    url: CanonicalUrl,
    redirects: u32,
}

impl RobotsFetch {
    /// The URL that will be asked for: the fetch takes the turn of its host.
    pub fn url(&self) -> &CanonicalUrl {
        &self.url
    }
}

/// What robots.txt says of a URL.
#[derive(Debug, PartialEq, Eq)]
pub enum RobotsAnswer {
    Allowed(Allowed),
    /// By the rule in this line of the file, from 1.
    Disallowed {
        line: u32,
    },
    /// The file could not be had, so nothing may be fetched from its host for now.
    Unreachable {
        retry_in: Duration,
    },
    /// The file is not known, or too old to go by.
    NeedsFetch(RobotsFetch),
}

/// What came of one request for a robots.txt.
#[derive(Debug, PartialEq, Eq)]
pub enum RobotsStep {
    /// [`RobotsCache::check`] can answer now.
    Known,
    /// It is elsewhere: this is the next request.
    Moved(RobotsFetch),
}

/// The robots.txt files of the hosts lately asked. Shared; every method takes `&self`.
#[derive(Debug)]
pub struct RobotsCache {
    fetcher: Arc<Fetcher>,
    config: RobotsConfig,
    rules: UrlRules,
    known: Mutex<Lru<Arc<str>, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    verdict: Verdict,
    until: Instant,
}

#[derive(Clone, Debug)]
enum Verdict {
    Rules(Arc<RobotsTxt>),
    Unreachable,
}

impl RobotsCache {
    /// A cache that fetches by `fetcher`. `rules` say which URLs a redirect may lead to.
    pub fn new(fetcher: Arc<Fetcher>, config: &RobotsConfig, rules: UrlRules) -> Self {
        let known = Mutex::new(Lru::new(config.cache_bytes));
        Self { fetcher, config: config.clone(), rules, known }
    }

    /// What is known now. Never waits.
    pub fn check(&self, url: &CanonicalUrl) -> RobotsAnswer {
        let origin: Arc<str> = Arc::from(origin(url));
        let now = Instant::now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&origin).cloned();
        match known.filter(|known| known.until > now) {
            Some(Known { verdict: Verdict::Rules(rules), .. }) => ask(&rules, url),
            Some(Known { verdict: Verdict::Unreachable, until }) => {
                RobotsAnswer::Unreachable { retry_in: until - now }
            }
            None => match CanonicalUrl::from_stored(format!("{origin}/robots.txt")) {
                Some(url) => RobotsAnswer::NeedsFetch(RobotsFetch { origin, url, redirects: 0 }),
                None => RobotsAnswer::Unreachable { retry_in: self.config.retry_after.0 },
            },
        }
    }

    /// Makes one request. The caller sees to it that the host's turn has come.
    pub async fn fetch(&self, job: RobotsFetch) -> RobotsStep {
        let verdict = match self.fetcher.get(&job.url, None, self.config.max_bytes).await {
            Ok(answer) if LinkTag::from_redirect_status(answer.status).is_some() => {
                match self.follow(&job, &answer) {
                    Some(next) => return RobotsStep::Moved(next),
                    None => Ok(RobotsTxt::default()),
                }
            }
            Ok(answer) => self.read(answer).await,
            Err(failure) => Err(failure),
        };
        self.keep(job, verdict);
        RobotsStep::Known
    }

    /// The next request after a redirect, unless there were too many or it leads nowhere.
    fn follow(&self, job: &RobotsFetch, answer: &Answer) -> Option<RobotsFetch> {
        if job.redirects >= self.config.max_redirects {
            return None;
        }
        let base = self.rules.base(&job.url)?;
        let url = self.rules.resolve(&base, answer.location.as_deref()?).ok()?;
        Some(RobotsFetch { origin: job.origin.clone(), url, redirects: job.redirects + 1 })
    }

    async fn read(&self, answer: Answer) -> Result<RobotsTxt, Failure> {
        match answer.status {
            200..=299 => {}
            300..=499 => return Ok(RobotsTxt::default()),
            status => {
                return Err(Failure::new(FailureKind::Protocol, format!("the server answered {status}")));
            }
        }
        let (cap, token) = (self.config.max_bytes, self.fetcher.token().to_owned());
        let parsed = tokio::task::spawn_blocking(move || parse(&answer, cap, &token)).await;
        parsed.unwrap_or_else(|error| Err(Failure::new(FailureKind::Decode, error.to_string())))
    }

    fn keep(&self, job: RobotsFetch, verdict: Result<RobotsTxt, Failure>) {
        let (verdict, age, weight) = match verdict {
            Ok(rules) => {
                let weight = rules.weight();
                (Verdict::Rules(Arc::new(rules)), self.config.max_age.0, weight)
            }
            Err(Failure { kind, detail }) => {
                tracing::debug!(url = %job.url, kind = kind.as_str(), detail,
                    "a robots.txt could not be had; its host is left alone for now");
                (Verdict::Unreachable, self.config.retry_after.0, 0)
            }
        };
        let weight = weight + size_of::<Known>() + 2 * job.origin.len();
        let known = Known { verdict, until: Instant::now() + age };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(job.origin, known, weight);
    }
}

/// Scheme, host and port of a URL, as it begins.
fn origin(url: &CanonicalUrl) -> &str {
    &url.as_str()[..url.as_str().len() - url.path_and_query().len()]
}

fn ask(rules: &RobotsTxt, url: &CanonicalUrl) -> RobotsAnswer {
    let decision = rules.decide(url.path_and_query());
    if decision.allowed {
        RobotsAnswer::Allowed(Allowed { url: url.clone(), crawl_delay: rules.crawl_delay() })
    } else {
        RobotsAnswer::Disallowed { line: decision.line }
    }
}

/// Reads a file of which at most `cap` bytes are taken. A line that was cut there could mean anything, and is
/// left out.
fn parse(answer: &Answer, cap: usize, token: &str) -> Result<RobotsTxt, Failure> {
    let decoded = answer.decode(cap).map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
    let end = match decoded.truncated {
        true => decoded.bytes.iter().rposition(|b| matches!(b, b'\n' | b'\r')).unwrap_or(0),
        false => decoded.bytes.len(),
    };
    Ok(RobotsTxt::parse(&decoded.bytes[..end], token))
}
