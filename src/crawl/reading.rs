//! From an HTTP answer to a page record: decode, parse, place. Synchronous; runs on the crawl's own pool.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::Crawler;
use super::allowance::Allowances;
use super::chain::{self, Chain};
use super::challenge;
use super::failures::{Cause, FailedRequest, Resource};
use super::messages::{End, Outcome};
use super::progress::{CpuTimer, Progress, unix_now};
use crate::config::{Config, CrawlOrder};
use crate::fetch::{Answer, FetchOutcome, Room};
use crate::frontier::{BlockList, Found, Priority, QueuedUrl, Target, TrapRules};
use crate::geo::Geo;
use crate::lru::Lru;
use crate::model::{Cut, Day, FailureKind, Link, LinkTag, PageContent, PageRecord, Rel, Visit};
use crate::parse;
use crate::store::{MetLately, Store, StoreError};
use crate::urls::{CanonicalUrl, Suffixes, UrlRules};

/// Bytes that a node of a tree takes.
const NODE: usize = 200;

/// Everything that reading an answer takes. Shared by all fetches of a crawl.
pub(super) struct Reading {
    pub(super) config: Config,
    pub(super) rules: UrlRules,
    pub(super) suffixes: Arc<Suffixes>,
    geo: Arc<Geo>,
    pub(super) progress: Arc<Progress>,
    pub(super) store: Arc<Store>,
    /// Seconds between two visits of a page at least.
    pub(super) recrawl_min: u64,
    traps: TrapRules,
    blocks: BlockList,
    /// The registrable domains that the crawl stays on; `None`: it goes anywhere.
    stay_on: Option<HashSet<String>>,
    /// URLs that need not be told of again.
    lately: Arc<MetLately>,
    /// How many pages of a host had the same content, by a fingerprint of both.
    copies: Arc<Mutex<Lru<u64, u32>>>,
    pub(super) allowances: Arc<Allowances>,
}

impl Reading {
    /// # Errors
    /// When the store cannot tell which domains it holds.
    pub fn new(crawler: &Crawler, seeds: &[CanonicalUrl]) -> Result<Self, StoreError> {
        let stay_on = match (crawler.config.crawl.stay_on_seed_domains, seeds) {
            (false, _) => None,
            // A crawl that goes on without new seeds stays where the earlier ones were.
            (true, []) => Some(crawler.store.visited_domains()?),
            (true, _) => Some(HashSet::new()),
        };
        Ok(Self::on(crawler, stay_on, seeds))
    }

    /// What comes in the place of this one when there are more seeds, and other hosts that are not fetched.
    pub fn successor(&self, crawler: &Crawler, seeds: &[CanonicalUrl]) -> Self {
        Self::on(crawler, self.stay_on.clone(), seeds)
    }

    fn on(crawler: &Crawler, mut stay_on: Option<HashSet<String>>, seeds: &[CanonicalUrl]) -> Self {
        let suffixes = Arc::clone(crawler.store.suffixes());
        if let Some(domains) = &mut stay_on {
            domains.extend(seeds.iter().map(|url| suffixes.domain_of(url.host()).to_owned()));
        }
        Self {
            stay_on,
            store: Arc::clone(&crawler.store),
            lately: crawler.store.met_lately(),
            recrawl_min: crawler.recrawl.min.as_secs(),
            traps: TrapRules::new(&crawler.config.traps),
            blocks: crawler.blocks(),
            copies: Arc::clone(&crawler.copies),
            allowances: Arc::clone(&crawler.allowances),
            config: crawler.config.clone(),
            rules: crawler.rules.clone(),
            suffixes,
            geo: Arc::clone(&crawler.geo),
            progress: Arc::clone(&crawler.progress),
        }
    }

    /// Where the answer of a page or sitemap leads within its visit; `None` when the visit ends with it. What the answer
    /// says of its own URL is kept in the chain.
    pub fn next_in_chain(
        &self,
        queued: &QueuedUrl,
        asked: &CanonicalUrl,
        answer: &Answer,
        chain: Option<&Chain>,
    ) -> Option<Chain> {
        let is_read = |url: &CanonicalUrl| {
            let page = self.store.page(url).ok().flatten();
            page.is_some_and(|page| page.html && page.status == 200)
        };
        let most = self.config.fetch.max_chain_redirects;
        let mut next = chain::next(asked, answer, chain, &self.rules, most, is_read)?;
        if queued.target == Target::Page {
            let url = self.recorded_url(queued, asked);
            let visit = self.visit(&url, answer, false, &mut Room::default());
            next.records.retain(|record| record.url != url);
            next.records.push(PageRecord { url, visited: unix_now(), visit });
        }
        Some(next)
    }

    /// The URL that the index knows what was asked for by: without a session id.
    fn recorded_url(&self, queued: &QueuedUrl, asked: &CanonicalUrl) -> CanonicalUrl {
        match asked == &queued.url {
            true => asked.clone(),
            false => self.rules.canonical(asked.as_str()).unwrap_or_else(|_| asked.clone()),
        }
    }

    /// What became of a queued URL, by the answer of the URL that was asked for it last. `conditional`: whether the
    /// request carried validators.
    pub fn outcome(
        &self,
        queued: QueuedUrl,
        asked: &CanonicalUrl,
        chain: Option<Chain>,
        fetched: FetchOutcome,
        conditional: bool,
        room: &mut Room,
    ) -> Outcome {
        let _timer = CpuTimer::start(&self.progress.parse_cpu);
        let visited = unix_now();
        let url = self.recorded_url(&queued, asked);
        let mut visit = match fetched {
            FetchOutcome::Answered(answer) => self.visit(&url, &answer, conditional, room),
            FetchOutcome::Failed(kind, detail) => Visit::Failed(kind, detail),
        };
        let attempts = queued.attempts + 1;
        let failure = Cause::take(&mut visit).map(|cause| {
            let (resource, url) = (Resource::Page, &queued.url);
            FailedRequest { resource, url, attempt: attempts, cause }.tell(&self.progress.failed_requests)
        });
        let again = is_passing(&visit) && attempts < self.config.crawl.max_attempts;
        let mut found = self.found(&queued, &visit);
        let mut others = chain.map_or_else(Vec::new, |chain| chain.records);
        others.retain(|record| record.url != url);
        for record in &others {
            found.extend(self.found(&queued, &record.visit));
        }
        others.push(PageRecord { url, visited, visit });
        let own = others.iter().position(|record| record.url == queued.url).map(|at| others.remove(at));
        let queued = QueuedUrl { attempts, ..queued };
        let end = if again { End::Again } else { End::Fetched };
        Outcome { queued, record: own, others, found, failure, end }
    }

    /// The URLs that a page leads to and the crawl may go on to. A page that says nofollow is not followed. A
    /// redirect is a step from the seed like any other, so that an endless chain of them ends too.
    fn found(&self, queued: &QueuedUrl, visit: &Visit) -> Vec<Found> {
        let Visit::Answered(content) = visit else { return Vec::new() };
        let depth = queued.depth.saturating_add(1);
        if depth > self.config.crawl.max_depth || content.directives.nofollow || self.is_copy(queued, content)
        {
            return Vec::new();
        }
        let targets = || content.links.iter().map(|link| &link.target).chain(&content.canonical);
        let priority = self.priority(&queued.url, depth, targets().count());
        let found = |url: &CanonicalUrl| Found { url: url.clone(), priority, depth, target: Target::Page };
        let today = Day::from_unix_seconds(unix_now());
        let is_new = |url: &&CanonicalUrl| !self.lately.holds(url);
        targets().filter(is_new).filter(|url| self.may_follow(url, today)).map(found).collect()
    }

    /// How soon the targets of a page are fetched. By rank: by the share of the page's rank that each of its links
    /// carries; those of pages without rank come last, by their depth.
    fn priority(&self, url: &CanonicalUrl, depth: u16, targets: usize) -> Priority {
        if self.config.crawl.order == CrawlOrder::Breadth {
            return Priority::New(depth);
        }
        let rank = self.store.snapshot().page_rank(url).map_or(0.0, |rank| rank.as_f64());
        // Ranks are logarithms to the base of 8.
        let share = rank - (targets.max(1) as f64).log2() / 3.0;
        let behind = ((10.0 - share.clamp(0.0, 10.0)) * 100.0) as u16;
        Priority::New(behind.saturating_add(if share > 0.0 { 0 } else { depth }))
    }

    /// Whether too many pages of the host had the same content.
    fn is_copy(&self, queued: &QueuedUrl, content: &PageContent) -> bool {
        if !content.html || !queued.priority.is_new_page() {
            return false;
        }
        let key = xxh3_64_with_seed(queued.url.host().as_bytes(), content.digest);
        let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
        let count = copies.get(&key).map_or(0, |count| *count) + 1;
        copies.insert(key, count, 1);
        let too_many = count > self.config.traps.max_duplicates;
        if too_many {
            Progress::add(&self.progress.duplicates, 1);
            tracing::debug!(url = %queued.url, count, "the links of one more copy are not followed");
        }
        too_many
    }

    pub fn may_follow(&self, url: &CanonicalUrl, today: Day) -> bool {
        let domain = |domains: &HashSet<String>| domains.contains(self.suffixes.domain_of(url.host()));
        if !self.stay_on.as_ref().is_none_or(domain) {
            return false;
        }
        if self.blocks.blocks(url.host()) {
            Progress::add(&self.progress.blocked, 1);
            return false;
        }
        if let Some(trap) = self.traps.judge(url, today) {
            Progress::add(&self.progress.trapped, 1);
            tracing::debug!(%url, %trap, "a URL is left out");
            return false;
        }
        true
    }

    fn visit(&self, url: &CanonicalUrl, answer: &Answer, conditional: bool, room: &mut Room) -> Visit {
        Progress::add(&self.progress.wire_bytes, answer.body.len() as u64);
        let dropped = answer.dropped_headers;
        if dropped > 0 {
            Progress::add(&self.progress.dropped_fields, dropped as u64);
            tracing::info!(target: "backlinkd::fetches", %url, host = url.host(), kind = "headers", dropped,
                "header fields beyond fetch.max_headers or fetch.max_header_bytes were left out");
        }
        if answer.status == 304 && conditional {
            return Visit::NotModified;
        }
        let mut content = self.head(answer);
        if let Some(wall) = challenge::by_headers(answer) {
            mark_challenge(&mut content, wall);
            return Visit::Answered(Box::new(content));
        }
        if let Some(tag) = LinkTag::from_redirect_status(answer.status) {
            let lines: Vec<&str> = answer.x_robots_tag.iter().map(String::as_str).collect();
            content.directives = parse::header_directives(&lines, &self.config.fetch.user_agent);
            content.links.extend(self.redirect(url, answer, tag, content.directives.nofollow));
            return Visit::Answered(Box::new(content));
        }
        let wire = answer.body.len();
        match answer
            .decode_within(self.config.fetch.decoded_cap(wire), |bytes| room.grow_reading(wire + bytes))
        {
            Ok(body) => {
                room.grow_reading(wire + self.parse_bytes(&body.bytes));
                Progress::add(&self.progress.body_bytes, body.bytes.len() as u64);
                if content.cut.is_none() {
                    (content.cut, content.cause) = (body.cut, body.cause);
                }
                content.digest = xxh3_64(&body.bytes);
                self.parse(url, answer, &body.bytes, &mut content);
                if let Some(wall) = challenge::by_text(&body.bytes, content.links.len()) {
                    mark_challenge(&mut content, wall);
                }
                Visit::Answered(Box::new(content))
            }
            Err(error) => Visit::Failed(FailureKind::Decode, error.to_string()),
        }
    }

    /// Bytes that a body takes while it is parsed, with its text in UTF-8 and its tree. Each tag may bring two nodes.
    fn parse_bytes(&self, body: &[u8]) -> usize {
        let tags = memchr::memchr_iter(b'<', body).count();
        3 * body.len() + NODE * (2 * tags).min(self.config.parse.max_nodes)
    }

    /// What the status line and the headers say.
    fn head(&self, answer: &Answer) -> PageContent {
        PageContent {
            status: answer.status,
            content_type: answer
                .media_type
                .as_ref()
                .map_or_else(String::new, |found| found.essence().to_owned()),
            ip: Some(answer.ip),
            place: self.geo.place(answer.ip),
            cut: answer.cut,
            cause: answer.cause.clone(),
            tls: answer.tls,
            etag: answer.etag.clone().unwrap_or_default(),
            last_modified: answer.last_modified.clone().unwrap_or_default(),
            ..PageContent::default()
        }
    }

    /// The one link of a redirect; none when it leads to nothing that can be fetched.
    fn redirect(&self, url: &CanonicalUrl, answer: &Answer, tag: LinkTag, nofollow: bool) -> Option<Link> {
        let base = self.rules.base(url)?;
        let target = self.rules.resolve(&base, answer.location.as_deref()?).ok()?;
        let rel = if nofollow { Rel::PAGE_NOFOLLOW } else { Rel::NONE };
        Some(Link { target, tag, rel, anchor: String::new() })
    }

    /// Title, links and the like of an HTML body. An error page has a title, but its links are not the page's.
    fn parse(&self, url: &CanonicalUrl, answer: &Answer, body: &[u8], content: &mut PageContent) {
        if !parse::is_html(answer.media_type.as_ref(), body) {
            return;
        }
        let x_robots_tag: Vec<&str> = answer.x_robots_tag.iter().map(String::as_str).collect();
        let link_headers: Vec<&str> = answer.link.iter().map(String::as_str).collect();
        let document = parse::Answer {
            url,
            media_type: answer.media_type.as_ref(),
            x_robots_tag: &x_robots_tag,
            refresh: answer.refresh.as_deref(),
            link_headers: &link_headers,
            body,
        };
        let (config, rules) = (&self.config.parse, &self.rules);
        let parsed = parse::parse(&document, config, rules, &self.config.fetch.user_agent);
        if is_in_share(url, content.digest, config.check_share) {
            Progress::add(&self.progress.checked, 1);
            if let Err(difference) = parse::check(&document, &parsed, config, rules) {
                Progress::add(&self.progress.differing, 1);
                tracing::warn!(%url, difference, "a second reading of a page with scraper found other links");
            }
        }
        content.charset = parsed.charset;
        content.title = parsed.title;
        content.description = parsed.description;
        if (200..=299).contains(&answer.status) {
            content.html = true;
            content.directives = parsed.directives;
            content.canonical = parsed.canonical;
            content.cut = content.cut.or((parsed.cut || parsed.links_dropped).then_some(Cut::Document));
            content.links = parsed.links;
        }
    }
}

/// Whether a page is in a share of all pages: the same one in each run, another one for each content.
fn is_in_share(url: &CanonicalUrl, digest: u64, share: f64) -> bool {
    let hash = xxh3_64_with_seed(url.as_str().as_bytes(), digest);
    share >= 1.0 || (hash as f64) < share * u64::MAX as f64
}

/// Whether another try may bring what this one did not. A server that encodes a body wrongly does so each time.
fn is_passing(visit: &Visit) -> bool {
    match visit {
        Visit::Failed(kind, _) => *kind != FailureKind::Decode,
        Visit::Answered(content) => {
            let is_error = content.status >= 500 || content.status == 429;
            is_error || matches!(content.cut, Some(Cut::Time | Cut::Disconnect))
        }
        Visit::NotModified => false,
    }
}

/// Leaves nothing of the page that a challenge is shown in the place of.
fn mark_challenge(content: &mut PageContent, wall: &str) {
    let PageContent { status, ip, place, tls, content_type, .. } = std::mem::take(content);
    let cause = format!("a challenge of {wall} in the place of the page");
    *content = PageContent {
        status,
        ip,
        place,
        tls,
        content_type,
        challenge: true,
        cause,
        ..PageContent::default()
    };
}
