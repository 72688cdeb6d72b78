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
//!                    ▲                                                         ├► Known, Failed: check again
//!                    └─────────────────────────── Moved(job) ◄─────────────────┘  (a redirect, often elsewhere)
//! ```
//!
//! | what came | what holds (2.3.1) |
//! |---|---|
//! | 2xx | the rules in it |
//! | redirect | the robots.txt it leads to, on any host; after `robots.max_redirects`, or without a usable target, as 4xx |
//! | other 3xx, 4xx | everything may be fetched |
//! | 5xx, no answer, an answer that cannot be decoded or is no text, an address refused, a request not made | an earlier copy while it is not too old, else nothing may be fetched; asked again after `robots.retry_after`, or when the server says; where nobody answers, after as long as that has lasted |
//!
//! Rules hold for one scheme, host and port, for `robots.max_age`; [`standing`] says what holds when the file cannot
//! be had. The cache is bounded by `robots.cache_bytes`; what was used longest ago is forgotten, and taken from the
//! [`RobotsShelf`] or fetched again when needed.

mod kept;
mod standing;

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::Fetcher;
use super::answer::Answer;
use super::cookies::CookieJar;
use super::failure::{Blame, Failure};
use super::robots_txt::{self, RobotsTxt, whole_lines};

use crate::config::RobotsConfig;
use crate::lru::Lru;
use crate::model::{Cut, FailureKind, LinkTag, plain_cause};
use crate::urls::{CanonicalUrl, UrlRules};

pub use kept::{KeptRobots, RobotsFailure, RobotsShelf};
use standing::Known;
pub use standing::{RobotsBasis, RobotsKnown};

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
    /// Those that the redirects so far have set.
    cookies: CookieJar,
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
    /// The file could not be had, or its end is missing; [`RobotsCache::check`] answers by what is known of it, or
    /// forbids everything.
    Failed(Arc<RobotsFailure>),
    /// It is elsewhere: this is the next request.
    Moved(RobotsFetch),
    /// Nobody was asked, and not for want of an answer of the host: the request is still to be made.
    Unasked(RobotsFetch, Failure),
}

/// The robots.txt files of the hosts lately asked. Shared; every method takes `&self`.
pub struct RobotsCache {
    fetcher: Arc<Fetcher>,
    config: RobotsConfig,
    rules: UrlRules,
    shelf: Option<Arc<dyn RobotsShelf>>,
    known: Mutex<Lru<Arc<str>, Known>>,
}

/// What one round of requests brought: a copy with its rules.
struct Fetched {
    status: u16,
    body: Bytes,
    rules: RobotsTxt,
    /// Why the end of the file is missing, unless it is longer than `robots.max_bytes`.
    cut: Option<RobotsFailure>,
}

impl RobotsCache {
    /// A cache that fetches by `fetcher` and keeps on `shelf`. `rules` say which URLs a redirect may lead to.
    pub fn new(
        fetcher: Arc<Fetcher>,
        config: &RobotsConfig,
        rules: UrlRules,
        shelf: Option<Arc<dyn RobotsShelf>>,
    ) -> Self {
        let known = Mutex::new(Lru::new(config.cache_bytes));
        Self { fetcher, config: config.clone(), rules, shelf, known }
    }

    /// What is known now. Never waits, except for the shelf.
    pub fn check(&self, url: &CanonicalUrl) -> RobotsAnswer {
        let origin: Arc<str> = Arc::from(url.origin());
        let now = unix_now();
        if let Some(known) = self.find(&origin)
            && let Some(left) = known.due(&self.config, now).checked_sub(now).filter(|left| !left.is_zero())
        {
            return match known.basis(&self.config, now) {
                RobotsBasis::Undefined => RobotsAnswer::Unreachable { retry_in: left },
                RobotsBasis::Fresh | RobotsBasis::StandsIn | RobotsBasis::GivenUp => ask(&known.rules, url),
            };
        }
        match CanonicalUrl::from_stored(format!("{origin}/robots.txt")) {
            Some(url) => RobotsAnswer::NeedsFetch(RobotsFetch {
                origin,
                url,
                redirects: 0,
                cookies: CookieJar::default(),
            }),
            None => RobotsAnswer::Unreachable { retry_in: self.config.retry_after.0 },
        }
    }

    /// What is known of the robots.txt of a URL's origin, and what it says of the URL; `None`: nothing is.
    pub fn known(&self, url: &CanonicalUrl) -> Option<RobotsKnown> {
        let known = self.find(&Arc::from(url.origin()))?;
        Some(known.describe(&self.config, url, unix_now()))
    }

    /// The pause between two requests that the robots.txt of a URL's origin asks for, as far as it is known.
    pub fn crawl_delay(&self, url: &CanonicalUrl) -> Option<Duration> {
        self.find(&Arc::from(url.origin()))?.rules.crawl_delay()
    }

    /// The first `most` sitemaps that the robots.txt of a URL's origin declares, as far as it is known. Relative
    /// ones, which the protocol does not have but people write, are resolved.
    pub fn sitemaps(&self, url: &CanonicalUrl, most: usize) -> Vec<CanonicalUrl> {
        let (Some(known), Some(base)) = (self.find(&Arc::from(url.origin())), self.rules.base(url)) else {
            return Vec::new();
        };
        let mut seen = HashSet::new();
        let declared = known.rules.sitemaps().iter().filter_map(|text| self.rules.resolve(&base, text).ok());
        declared.filter(|sitemap| seen.insert(sitemap.clone())).take(most).collect()
    }

    /// Keeps that a request is not made: the URL's host has no usable address, say, or must not be asked. It counts as
    /// one that was not answered.
    pub fn failed(&self, job: RobotsFetch, kind: FailureKind, why: &str) -> Arc<RobotsFailure> {
        self.keep_failure(job, &Failure::new(kind, why), None, Duration::ZERO)
    }

    /// Makes one request, wherever the host is. The caller sees to it that the host's turn has come.
    pub async fn fetch(&self, job: RobotsFetch) -> RobotsStep {
        match self.fetcher.addresses().resolve(&job.url).await {
            Ok(at) => self.fetch_and_show(job, at, &|_| ()).await,
            Err(failure) => RobotsStep::Failed(self.keep_failure(job, &failure, None, Duration::ZERO)),
        }
    }

    /// Makes one request, of the host at an address whose turn it is; shows the answer, if one comes, before it is
    /// read.
    pub async fn fetch_and_show(
        &self,
        job: RobotsFetch,
        at: IpAddr,
        show: &(dyn Fn(&Answer) + Sync),
    ) -> RobotsStep {
        let result = self.fetcher.get(&job.url, at, Some(&job.cookies), self.config.max_bytes).await;
        if let Err(failure) = &result
            && failure.blame != Blame::Host
        {
            return RobotsStep::Unasked(job, failure.clone());
        }
        if let Ok(answer) = &result {
            show(answer);
        }
        let status = result.as_ref().ok().map(|answer| answer.status).filter(|status| *status >= 500);
        let (copy, wait) = match result {
            Ok(answer) if LinkTag::from_redirect_status(answer.status).is_some() => {
                match self.follow(&job, &answer) {
                    Some(next) => return RobotsStep::Moved(next),
                    None => (Ok(no_rules(answer.status)), None),
                }
            }
            Ok(answer) => {
                let wait = answer.retry_after;
                (self.read(answer).await, wait)
            }
            Err(failure) => (Err(failure), None),
        };
        match copy {
            Ok(copy) => self.keep(job.origin, copy).map_or(RobotsStep::Known, RobotsStep::Failed),
            Err(failure) => {
                RobotsStep::Failed(self.keep_failure(job, &failure, status, wait.unwrap_or_default()))
            }
        }
    }

    /// The next request after a redirect, unless there were too many or it leads nowhere. It is made as the server wrote
    /// it, session ids included.
    fn follow(&self, job: &RobotsFetch, answer: &Answer) -> Option<RobotsFetch> {
        if job.redirects >= self.config.max_redirects {
            return None;
        }
        let base = self.rules.base(&job.url)?;
        let url = self.rules.resolve_verbatim(&base, answer.location.as_deref()?).ok()?;
        let mut cookies = job.cookies.clone();
        cookies.take_in(&job.url, &answer.headers);
        Some(RobotsFetch { origin: job.origin.clone(), url, redirects: job.redirects + 1, cookies })
    }

    async fn read(&self, answer: Answer) -> Result<Fetched, Failure> {
        match answer.status {
            200..=299 => {}
            300..=499 => return Ok(no_rules(answer.status)),
            status => {
                return Err(Failure::new(FailureKind::Protocol, format!("the server answered {status}")));
            }
        }
        let (config, token) = (self.config.clone(), self.fetcher.token().to_owned());
        let parsed = tokio::task::spawn_blocking(move || parse(&answer, &config, &token)).await;
        parsed.unwrap_or_else(|error| Err(Failure::new(FailureKind::Decode, error.to_string())))
    }

    /// Keeps a copy; tells what of it is missing.
    fn keep(&self, origin: Arc<str>, copy: Fetched) -> Option<Arc<RobotsFailure>> {
        let now = unix_now();
        let cut = copy.cut.map(Arc::new);
        let known = Known {
            rules: Arc::new(copy.rules),
            is_html: standing::is_html(&copy.body),
            fetched: Some(now),
            status: copy.status,
            tried: now,
            failing_since: None,
            failure: cut.clone(),
            retry_at: now,
        };
        if let Some(shelf) = &self.shelf {
            shelf.keep(&origin, &known.to_kept(copy.body));
        }
        self.remember(origin, known);
        cut
    }

    /// Keeps that another try failed; the copy that is there, if any, stays. `status`: that of an answer which is an
    /// error.
    fn keep_failure(
        &self,
        job: RobotsFetch,
        failure: &Failure,
        status: Option<u16>,
        wait: Duration,
    ) -> Arc<RobotsFailure> {
        let now = unix_now();
        // What a clock that ran ahead wrote is no older than now, and does not hold longer for it.
        let past = |at: Option<Duration>| at.map(|at| at.min(now));
        let earlier = self.find(&job.origin);
        let failing_since = past(earlier.as_ref().and_then(|known| known.failing_since)).unwrap_or(now);
        let wait = match failure.kind {
            // Nobody is there, and each try holds up a fetch until it is given up: so they double the time.
            FailureKind::Dns | FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => {
                now.saturating_sub(failing_since)
            }
            FailureKind::AddressRefused
            | FailureKind::Protocol
            | FailureKind::Decode
            | FailureKind::Challenge => wait,
        };
        let pause = self.config.retry_after.0.max(wait.min(self.config.max_age.0));
        let before = earlier.as_ref().filter(|known| known.failing_since.is_some());
        let before = before.and_then(|known| known.failure.as_ref()).map_or(0, |failure| failure.attempts);
        let why = Arc::new(RobotsFailure {
            kind: status
                .map_or_else(|| failure.kind.as_str().to_owned(), |status| format!("status-{status}")),
            cause: plain_cause(&failure.detail),
            attempts: before.saturating_add(1),
        });
        let known = Known {
            tried: now,
            failing_since: Some(failing_since),
            failure: Some(Arc::clone(&why)),
            retry_at: now + pause,
            fetched: past(earlier.as_ref().and_then(|known| known.fetched)),
            status: earlier.as_ref().map_or(0, |known| known.status),
            is_html: earlier.as_ref().is_some_and(|known| known.is_html),
            rules: earlier.map(|known| known.rules).unwrap_or_default(),
        };
        if let Some(shelf) = &self.shelf {
            let body = shelf.load(&job.origin).map(|kept| kept.body);
            // A copy whose rules cannot be read now is left as it was: without them it would allow everything.
            if body.is_some() || known.fetched.is_none() {
                shelf.keep(&job.origin, &known.to_kept(body.unwrap_or_default()));
            }
        }
        self.remember(job.origin, known);
        why
    }

    /// From memory, or from the shelf.
    fn find(&self, origin: &Arc<str>) -> Option<Known> {
        if let Some(known) = self.lock().get(origin) {
            return Some(known.clone());
        }
        let kept = self.shelf.as_ref()?.load(origin)?;
        let known = Known::from_kept(&kept, &self.config, self.fetcher.token());
        self.remember(origin.clone(), known.clone());
        Some(known)
    }

    fn remember(&self, origin: Arc<str>, known: Known) {
        let weight = known.rules.weight() + size_of::<Known>() + 2 * origin.len();
        self.lock().insert(origin, known, weight);
    }

    fn lock(&self) -> MutexGuard<'_, Lru<Arc<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RobotsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RobotsCache").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Since 1970; nothing on a machine whose clock is before that.
fn unix_now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// What a robots.txt means that is not there.
fn no_rules(status: u16) -> Fetched {
    Fetched { status, body: Bytes::new(), rules: RobotsTxt::default(), cut: None }
}

fn ask(rules: &RobotsTxt, url: &CanonicalUrl) -> RobotsAnswer {
    let decision = rules.decide(url.path_and_query());
    if decision.allowed {
        RobotsAnswer::Allowed(Allowed { url: url.clone(), crawl_delay: rules.crawl_delay() })
    } else {
        RobotsAnswer::Disallowed { line: decision.line }
    }
}

/// Reads a file, of which at most `robots.max_bytes` are taken.
fn parse(answer: &Answer, config: &RobotsConfig, token: &str) -> Result<Fetched, Failure> {
    let decoded = answer
        .decode(config.max_bytes)
        .map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
    let text = robots_txt::text(&decoded.bytes)
        .map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
    let lines = if decoded.cut.is_some() { whole_lines(&text) } else { &text[..] };
    let words = if answer.cause.is_empty() { &decoded.cause } else { &answer.cause };
    let has_rules = || lines.to_ascii_lowercase().windows(5).any(|word| word == b"allow");
    if matches!(decoded.cut, Some(Cut::Time | Cut::Disconnect | Cut::Encoding)) && !has_rules() {
        // What came allows everything, and what is missing may not.
        return Err(Failure::new(FailureKind::Protocol, format!("it breaks off before its rules: {words}")));
    }
    let body = Bytes::copy_from_slice(lines);
    let rules = RobotsTxt::parse(&body, token, config.max_compared_bytes);
    let cut = decoded.cut.filter(|cut| *cut != Cut::Length).map(|cut| RobotsFailure {
        kind: "cut".to_owned(),
        cause: plain_cause(if words.is_empty() { cut.as_str() } else { words }),
        attempts: 1,
    });
    Ok(Fetched { status: answer.status, rules, body, cut })
}
