//! The cache of robots.txt files: the state of each origin, and the requests that update it.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::validity::{self, RobotsState};
use super::{
    FetchPermit, RobotsAnswer, RobotsBasis, RobotsFailure, RobotsOutcome, RobotsRequest, RobotsStatus,
    RobotsStore,
};
use crate::config::RobotsConfig;
use crate::fetch::Fetcher;
use crate::fetch::cookies::CookieJar;
use crate::fetch::failure::{Blame, Failure};
use crate::fetch::response::Response;
use crate::fetch::robots_txt::{self, RobotsTxt, whole_lines};
use crate::lru::Lru;
use crate::model::{Cut, FailureKind, LinkTag, plain_cause};
use crate::urls::{CanonicalUrl, UrlRules};

/// The robots.txt files of recently used origins. Shared; every method takes `&self`.
pub struct RobotsCache {
    fetcher: Arc<Fetcher>,
    config: RobotsConfig,
    rules: UrlRules,
    store: Option<Arc<dyn RobotsStore>>,
    cached: Mutex<Lru<Arc<str>, RobotsState>>,
}

/// A fetched copy with its rules.
struct FetchedRobots {
    status: u16,
    body: Bytes,
    rules: RobotsTxt,
    /// Why the end of the file is missing, unless it exceeds `robots.max_bytes`.
    cut: Option<RobotsFailure>,
}

impl RobotsCache {
    /// A cache that fetches through `fetcher` and persists into `store`. `rules` limit the URLs that a redirect may
    /// lead to.
    pub fn new(
        fetcher: Arc<Fetcher>,
        config: &RobotsConfig,
        rules: UrlRules,
        store: Option<Arc<dyn RobotsStore>>,
    ) -> Self {
        let cached = Mutex::new(Lru::new(config.cache_bytes));
        Self { fetcher, config: config.clone(), rules, store, cached }
    }

    /// The verdict for a URL by the current state. Never waits, except for the store.
    pub fn check(&self, url: &CanonicalUrl) -> RobotsAnswer {
        let origin: Arc<str> = Arc::from(url.origin());
        let now = since_epoch();
        if let Some(cached) = self.state(&origin)
            && let Some(left) = cached.due(&self.config, now).checked_sub(now).filter(|left| !left.is_zero())
        {
            return match cached.basis(&self.config, now) {
                RobotsBasis::Unavailable => RobotsAnswer::Unavailable { retry_in: left },
                RobotsBasis::Fresh | RobotsBasis::StaleCopy | RobotsBasis::Expired => {
                    verdict(&cached.rules, url)
                }
            };
        }
        match CanonicalUrl::from_stored(format!("{origin}/robots.txt")) {
            Some(url) => RobotsAnswer::NeedsFetch(RobotsRequest {
                origin,
                url,
                redirects: 0,
                cookies: CookieJar::default(),
            }),
            None => RobotsAnswer::Unavailable { retry_in: self.config.retry_after.0 },
        }
    }

    /// The state of the robots.txt of a URL's origin, and its verdict for the URL; `None` when it is unknown.
    pub fn known(&self, url: &CanonicalUrl) -> Option<RobotsStatus> {
        let cached = self.state(&Arc::from(url.origin()))?;
        Some(cached.describe(&self.config, url, since_epoch()))
    }

    /// The crawl delay in the robots.txt of a URL's origin, if it is known.
    pub fn crawl_delay(&self, url: &CanonicalUrl) -> Option<Duration> {
        self.state(&Arc::from(url.origin()))?.rules.crawl_delay()
    }

    /// The first `most` sitemaps that the robots.txt of a URL's origin declares, if it is known. Relative URLs, which
    /// the protocol does not allow but authors write, are resolved.
    pub fn sitemaps(&self, url: &CanonicalUrl, most: usize) -> Vec<CanonicalUrl> {
        let (Some(cached), Some(base)) = (self.state(&Arc::from(url.origin())), self.rules.base(url)) else {
            return Vec::new();
        };
        let mut seen = HashSet::new();
        let declared = cached.rules.sitemaps().iter().filter_map(|text| self.rules.resolve(&base, text).ok());
        declared.filter(|sitemap| seen.insert(sitemap.clone())).take(most).collect()
    }

    /// Records that a request is not made, for example because its host has no usable address. It counts as a request
    /// without a response.
    pub fn record_not_requested(
        &self,
        request: RobotsRequest,
        kind: FailureKind,
        why: &str,
    ) -> Arc<RobotsFailure> {
        self.record_failure(request, &Failure::new(kind, why), None, Duration::ZERO)
    }

    /// Makes one request, to the resolved address of the host. The caller ensures that the turn of the host has come.
    pub async fn fetch(&self, request: RobotsRequest) -> RobotsOutcome {
        match self.fetcher.addresses().resolve(&request.url).await {
            Ok(ip) => self.fetch_and_pass(request, ip, &|_| ()).await,
            Err(failure) => {
                RobotsOutcome::Failed(self.record_failure(request, &failure, None, Duration::ZERO))
            }
        }
    }

    /// Makes one request to a host at an address whose turn it is. Calls `on_response` with the response, if there is
    /// one, before the body is parsed.
    pub async fn fetch_and_pass(
        &self,
        request: RobotsRequest,
        ip: IpAddr,
        on_response: &(dyn Fn(&Response) + Sync),
    ) -> RobotsOutcome {
        let (cookies, max_bytes) = (Some(&request.cookies), self.config.max_bytes);
        let result = self.fetcher.fetch_without_permit(&request.url, ip, cookies, max_bytes).await;
        if let Err(failure) = &result
            && failure.blame != Blame::Host
        {
            return RobotsOutcome::NotRequested(request, failure.clone());
        }
        if let Ok(response) = &result {
            on_response(response);
        }
        let status = result.as_ref().ok().map(|response| response.status).filter(|status| *status >= 500);
        let (copy, wait) = match result {
            Ok(response) if LinkTag::from_redirect_status(response.status).is_some() => {
                match self.follow(&request, &response) {
                    Some(next) => return RobotsOutcome::Moved(next),
                    None => (Ok(no_rules(response.status)), None),
                }
            }
            Ok(response) => {
                let wait = response.retry_after;
                (self.parse_response(response).await, wait)
            }
            Err(failure) => (Err(failure), None),
        };
        match copy {
            Ok(copy) => {
                self.store_copy(request.origin, copy).map_or(RobotsOutcome::Known, RobotsOutcome::Failed)
            }
            Err(failure) => {
                let wait = wait.unwrap_or_default();
                RobotsOutcome::Failed(self.record_failure(request, &failure, status, wait))
            }
        }
    }

    /// The next request after a redirect; `None` after too many redirects or without a usable target. It uses the URL
    /// as the server wrote it, including session ids.
    fn follow(&self, request: &RobotsRequest, response: &Response) -> Option<RobotsRequest> {
        if request.redirects >= self.config.max_redirects {
            return None;
        }
        let base = self.rules.base(&request.url)?;
        let url = self.rules.resolve_verbatim(&base, response.location.as_deref()?).ok()?;
        let mut cookies = request.cookies.clone();
        cookies.take_in(&request.url, &response.headers);
        Some(RobotsRequest { origin: request.origin.clone(), url, redirects: request.redirects + 1, cookies })
    }

    async fn parse_response(&self, response: Response) -> Result<FetchedRobots, Failure> {
        match response.status {
            200..=299 => {}
            300..=499 => return Ok(no_rules(response.status)),
            status => {
                return Err(Failure::new(FailureKind::Protocol, format!("the server answered {status}")));
            }
        }
        let (config, token) = (self.config.clone(), self.fetcher.token().to_owned());
        let parsed = tokio::task::spawn_blocking(move || parse(&response, &config, &token)).await;
        parsed.unwrap_or_else(|error| Err(Failure::new(FailureKind::Decode, error.to_string())))
    }

    /// Stores a copy. Returns which part of it is missing.
    fn store_copy(&self, origin: Arc<str>, copy: FetchedRobots) -> Option<Arc<RobotsFailure>> {
        let now = since_epoch();
        let cut = copy.cut.map(Arc::new);
        let cached = RobotsState {
            rules: Arc::new(copy.rules),
            is_html: validity::is_html(&copy.body),
            fetched: Some(now),
            status: copy.status,
            tried: now,
            failing_since: None,
            failure: cut.clone(),
            retry_at: now,
        };
        if let Some(store) = &self.store {
            store.keep(&origin, &cached.to_stored(copy.body));
        }
        self.cache(origin, cached);
        cut
    }

    /// Records a failed attempt and keeps the existing copy, if any. `status` is that of an error response.
    fn record_failure(
        &self,
        request: RobotsRequest,
        failure: &Failure,
        status: Option<u16>,
        wait: Duration,
    ) -> Arc<RobotsFailure> {
        let now = since_epoch();
        // A time written by a clock that ran ahead counts as now, so that it does not extend the validity.
        let past = |at: Option<Duration>| at.map(|at| at.min(now));
        let earlier = self.state(&request.origin);
        let failing_since = past(earlier.as_ref().and_then(|cached| cached.failing_since)).unwrap_or(now);
        // Each attempt at a silent host blocks a fetch until its timeout. So each failure doubles the pause.
        let wait = if is_silence(failure.kind) { now.saturating_sub(failing_since) } else { wait };
        let pause = self.config.retry_after.0.max(wait.min(self.config.max_age.0));
        let before = earlier.as_ref().filter(|cached| cached.failing_since.is_some());
        let before = before.and_then(|cached| cached.failure.as_ref()).map_or(0, |failure| failure.attempts);
        let kind = status.map_or(failure.kind.as_str().into(), |status| format!("status-{status}"));
        let (cause, attempts) = (plain_cause(&failure.detail), before.saturating_add(1));
        let why = Arc::new(RobotsFailure { kind, cause, attempts });
        let cached = RobotsState {
            tried: now,
            failing_since: Some(failing_since),
            failure: Some(Arc::clone(&why)),
            retry_at: now + pause,
            fetched: past(earlier.as_ref().and_then(|cached| cached.fetched)),
            status: earlier.as_ref().map_or(0, |cached| cached.status),
            is_html: earlier.as_ref().is_some_and(|cached| cached.is_html),
            rules: earlier.map(|cached| cached.rules).unwrap_or_default(),
        };
        if let Some(store) = &self.store {
            let body = store.load(&request.origin).map(|stored| stored.body);
            // A copy whose rules cannot be read now is kept unchanged: without rules it would allow everything.
            if body.is_some() || cached.fetched.is_none() {
                store.keep(&request.origin, &cached.to_stored(body.unwrap_or_default()));
            }
        }
        self.cache(request.origin, cached);
        why
    }

    /// The state in memory, or else in the store.
    fn state(&self, origin: &Arc<str>) -> Option<RobotsState> {
        if let Some(cached) = self.lock().get(origin) {
            return Some(cached.clone());
        }
        let stored = self.store.as_ref()?.load(origin)?;
        let cached = RobotsState::from_stored(&stored, &self.config, self.fetcher.token());
        self.cache(origin.clone(), cached.clone());
        Some(cached)
    }

    fn cache(&self, origin: Arc<str>, cached: RobotsState) {
        let weight = cached.rules.weight() + size_of::<RobotsState>() + 2 * origin.len();
        self.lock().insert(origin, cached, weight);
    }

    fn lock(&self) -> MutexGuard<'_, Lru<Arc<str>, RobotsState>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RobotsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RobotsCache").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Time since 1970; zero for an earlier clock.
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The meaning of a missing robots.txt.
fn no_rules(status: u16) -> FetchedRobots {
    FetchedRobots { status, body: Bytes::new(), rules: RobotsTxt::default(), cut: None }
}

fn verdict(rules: &RobotsTxt, url: &CanonicalUrl) -> RobotsAnswer {
    let decision = rules.decide(url.path_and_query());
    if decision.allowed {
        RobotsAnswer::Allowed(FetchPermit { url: url.clone(), crawl_delay: rules.crawl_delay() })
    } else {
        RobotsAnswer::Disallowed { line: decision.line }
    }
}

/// Parses a file, up to `robots.max_bytes`.
fn parse(response: &Response, config: &RobotsConfig, token: &str) -> Result<FetchedRobots, Failure> {
    let decoded = response
        .decode(config.max_bytes)
        .map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
    let text = robots_txt::text(&decoded.bytes)
        .map_err(|error| Failure::new(FailureKind::Decode, error.to_string()))?;
    let lines = if decoded.cut.is_some() { whole_lines(&text) } else { &text[..] };
    let words = if response.cause.is_empty() { &decoded.cause } else { &response.cause };
    let has_rules = || lines.to_ascii_lowercase().windows(5).any(|word| word == b"allow");
    if matches!(decoded.cut, Some(Cut::Time | Cut::Disconnect | Cut::Encoding)) && !has_rules() {
        // The received part allows everything, but the missing part may not.
        return Err(Failure::new(FailureKind::Protocol, format!("it breaks off before its rules: {words}")));
    }
    let body = Bytes::copy_from_slice(lines);
    let rules = RobotsTxt::parse(&body, token, config.max_compared_bytes);
    let cut = decoded.cut.filter(|cut| *cut != Cut::Length).map(|cut| RobotsFailure {
        kind: "cut".to_owned(),
        cause: plain_cause(if words.is_empty() { cut.as_str() } else { words }),
        attempts: 1,
    });
    Ok(FetchedRobots { status: response.status, rules, body, cut })
}

/// Whether a host with such a failure does not respond.
fn is_silence(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Dns | FailureKind::Connect | FailureKind::Tls | FailureKind::Timeout => true,
        FailureKind::AddressRefused
        | FailureKind::Protocol
        | FailureKind::Decode
        | FailureKind::Challenge => false,
    }
}
