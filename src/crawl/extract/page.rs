//! Extracts a visit record from a response: decodes, parses, adds the place of the server. Synchronous; runs
//! on the parser threads.

use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::FinalResponse;
use super::follow::FollowRules;
use crate::clock::unix_now;
use crate::config::{Config, CrawlConfig, CrawlOrder, FetchConfig, ParseConfig};
use crate::crawl::failures::{Cause, FailedRequest, Resource};
use crate::crawl::messages::Completion;
use crate::crawl::progress::{CpuTimer, Progress};
use crate::crawl::walls::challenge;
use crate::crawl::walls::redirect_chain::{self, RedirectChain};
use crate::fetch::{FetchOutcome, Reservation, Response};
use crate::geo::Geo;
use crate::lru::Lru;
use crate::model::{
    Cut, Day, DiscoveredUrl, Disposition, FailureKind, Link, LinkTag, PageContent, PageFacts, Priority,
    QueueEntry, Rel, SearchRank, Target, Visit, VisitRecord,
};
use crate::store::{RecentUrls, Store};
use crate::urls::{CanonicalUrl, UrlRules};
use crate::{parse, sniff};

/// Bytes of a node of the parse tree.
const NODE_BYTES: usize = 200;

/// The extractor of pages.
#[derive(Clone)]
pub(super) struct PageExtractor {
    crawl: CrawlConfig,
    fetch: FetchConfig,
    parse: ParseConfig,
    /// Pages of a host with the same content whose links are followed.
    max_duplicates: u32,
    rules: UrlRules,
    geo: Arc<Geo>,
    progress: Arc<Progress>,
    store: Arc<Store>,
    follow: Arc<FollowRules>,
    /// URLs that were discovered lately, and need not be reported again.
    recent_urls: Arc<RecentUrls>,
    /// Pages of a host with the same content, by a fingerprint of both.
    duplicate_counts: Arc<Mutex<Lru<u64, u32>>>,
}

impl PageExtractor {
    pub(super) fn new(
        store: &Arc<Store>,
        config: &Config,
        rules: &UrlRules,
        geo: &Arc<Geo>,
        progress: &Arc<Progress>,
        follow: &Arc<FollowRules>,
    ) -> Self {
        Self {
            crawl: config.crawl.clone(),
            fetch: config.fetch.clone(),
            parse: config.parse.clone(),
            max_duplicates: config.traps.max_duplicates,
            rules: rules.clone(),
            geo: Arc::clone(geo),
            progress: Arc::clone(progress),
            store: Arc::clone(store),
            follow: Arc::clone(follow),
            recent_urls: store.recent_urls(),
            duplicate_counts: Arc::new(Mutex::new(Lru::new(config.traps.duplicates_remembered))),
        }
    }

    pub(super) fn with_progress(&self, progress: &Arc<Progress>) -> Self {
        Self { progress: Arc::clone(progress), ..self.clone() }
    }

    pub(super) fn with_follow(&self, follow: &Arc<FollowRules>) -> Self {
        Self { follow: Arc::clone(follow), recent_urls: self.store.recent_urls(), ..self.clone() }
    }

    /// Returns the next step of the redirect chain of a page or sitemap; `None` when the visit ends with this
    /// response. The chain keeps the record of the requested URL.
    pub(super) fn next_in_chain(
        &self,
        entry: &QueueEntry,
        requested: &CanonicalUrl,
        response: &Response,
        chain: Option<&RedirectChain>,
    ) -> Option<RedirectChain> {
        let is_read = |url: &CanonicalUrl| {
            let page = self.store.page(url).ok().flatten();
            page.is_some_and(|page| page.facts.html && page.facts.status == 200)
        };
        let max_steps = self.fetch.max_chain_redirects;
        let mut next =
            redirect_chain::next_step(requested, response, chain, &self.rules, max_steps, is_read)?;
        if entry.target == Target::Page {
            let url = self.recorded_url(entry, requested);
            let visit = self.visit(&url, response, false, &mut Reservation::default());
            next.records.retain(|record| record.url != url);
            next.records.push(VisitRecord { url, visited: unix_now(), visit });
        }
        Some(next)
    }

    /// The URL of the record: the requested one without a session id.
    fn recorded_url(&self, entry: &QueueEntry, requested: &CanonicalUrl) -> CanonicalUrl {
        match requested == &entry.url {
            true => requested.clone(),
            false => self.rules.canonical(requested.as_str()).unwrap_or_else(|_| requested.clone()),
        }
    }

    /// Extracts the completion of a queued URL from its last response.
    pub(super) fn extract(&self, response: FinalResponse, reservation: &mut Reservation) -> Completion {
        let _timer = CpuTimer::start(&self.progress.parse_cpu);
        let FinalResponse { entry, requested, chain, outcome, is_conditional } = response;
        let visited = unix_now();
        let url = self.recorded_url(&entry, &requested);
        let mut visit = match outcome {
            FetchOutcome::Responded(response) => self.visit(&url, &response, is_conditional, reservation),
            FetchOutcome::Failed(kind, detail) => Visit::Failed(kind, detail),
        };
        let attempts = entry.attempts + 1;
        let failure = Cause::take(&mut visit).map(|cause| {
            let (resource, url) = (Resource::Page, &entry.url);
            FailedRequest { resource, url, attempt: attempts, cause }.report(&self.progress.failed_requests)
        });
        let is_retried = is_transient(&visit) && attempts < self.crawl.max_attempts;
        let mut discovered = self.discovered_urls(&entry, &visit);
        let mut chain_records = chain.map_or_else(Vec::new, |chain| chain.records);
        chain_records.retain(|record| record.url != url);
        for record in &chain_records {
            discovered.extend(self.discovered_urls(&entry, &record.visit));
        }
        chain_records.push(VisitRecord { url, visited, visit });
        let own = chain_records
            .iter()
            .position(|record| record.url == entry.url)
            .map(|at| chain_records.remove(at));
        let entry = QueueEntry { attempts, ..entry };
        let disposition = if is_retried { Disposition::Retry } else { Disposition::Fetched };
        Completion { entry, record: own, chain_records, discovered, failure, disposition }
    }

    /// The URLs that a page leads to and that the crawl may fetch. Links of a page with nofollow are ignored.
    /// A redirect is one step from the seed like any link, so that an endless chain of them ends too.
    fn discovered_urls(&self, entry: &QueueEntry, visit: &Visit) -> Vec<DiscoveredUrl> {
        let Visit::Responded(content) = visit else { return Vec::new() };
        let depth = entry.depth.saturating_add(1);
        if self.follow.admission.admit_depth(depth).is_err()
            || content.facts.directives.nofollow
            || self.is_duplicate(entry, content)
        {
            return Vec::new();
        }
        let targets = || content.links.iter().map(|link| &link.target).chain(&content.facts.canonical);
        let priority = self.priority(&entry.url, depth, targets().count());
        let found =
            |url: &CanonicalUrl| DiscoveredUrl { url: url.clone(), priority, depth, target: Target::Page };
        let today = Day::from_unix_seconds(unix_now());
        let is_new = |url: &&CanonicalUrl| !self.recent_urls.holds(url);
        targets().filter(is_new).filter(|url| self.follow.may_follow(url, today)).map(found).collect()
    }

    /// The priority of the targets of a page. With `crawl.order = "rank"` it is the share of the page's rank
    /// that each link carries. Targets of pages without rank come last, by their depth.
    fn priority(&self, url: &CanonicalUrl, depth: u16, targets: usize) -> Priority {
        if self.crawl.order == CrawlOrder::Breadth {
            return Priority::New(depth);
        }
        let rank = self.store.snapshot().page_rank(url).unwrap_or(SearchRank(0));
        priority_by_rank(rank, depth, targets)
    }

    /// Whether too many pages of the host had the same content.
    fn is_duplicate(&self, entry: &QueueEntry, content: &PageContent) -> bool {
        if !content.facts.html || !entry.priority.is_new_page() {
            return false;
        }
        let key = xxh3_64_with_seed(entry.url.host().as_bytes(), content.facts.digest);
        let mut duplicate_counts = self.duplicate_counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = duplicate_counts.get(&key).map_or(0, |count| *count) + 1;
        duplicate_counts.insert(key, count, 1);
        let too_many = count > self.max_duplicates;
        if too_many {
            Progress::add(&self.progress.duplicates, 1);
            tracing::debug!(url = %entry.url, count, "the links of a duplicate page are ignored");
        }
        too_many
    }

    fn visit(
        &self,
        url: &CanonicalUrl,
        response: &Response,
        conditional: bool,
        reservation: &mut Reservation,
    ) -> Visit {
        Progress::add(&self.progress.wire_bytes, response.body.len() as u64);
        let dropped = response.dropped_headers;
        if dropped > 0 {
            Progress::add(&self.progress.dropped_fields, dropped as u64);
            tracing::info!(target: "backlinkd::fetches", %url, host = url.host(), kind = "headers", dropped,
                "header fields beyond fetch.max_headers or fetch.max_header_bytes were dropped");
        }
        if response.status == 304 && conditional {
            return Visit::NotModified;
        }
        let mut content = self.content_of_head(response);
        if let Some(wall) = challenge::by_headers(response) {
            mark_challenge(&mut content, wall);
            return Visit::Responded(Box::new(content));
        }
        if let Some(tag) = LinkTag::from_redirect_status(response.status) {
            let lines: Vec<&str> = response.x_robots_tag.iter().map(String::as_str).collect();
            content.facts.directives = parse::header_directives(&lines, &self.fetch.user_agent);
            content.links.extend(self.redirect_link(url, response, tag, content.facts.directives.nofollow));
            return Visit::Responded(Box::new(content));
        }
        self.visit_body(url, response, content, reservation)
    }

    /// Decodes and parses the body of a response whose headers are read.
    fn visit_body(
        &self,
        url: &CanonicalUrl,
        response: &Response,
        mut content: PageContent,
        reservation: &mut Reservation,
    ) -> Visit {
        let wire = response.body.len();
        let cap = self.fetch.decoded_cap(wire);
        match response.decode_within(cap, |bytes| reservation.grow_for_parser(wire + bytes)) {
            Ok(body) => {
                reservation.grow_for_parser(wire + self.parse_bytes(&body.bytes));
                Progress::add(&self.progress.body_bytes, body.bytes.len() as u64);
                if content.facts.cut.is_none() {
                    (content.facts.cut, content.cause) = (body.cut, body.cause);
                }
                content.facts.digest = xxh3_64(&body.bytes);
                self.parse_html(url, response, &body.bytes, &mut content);
                if let Some(wall) = challenge::by_text(&body.bytes, content.links.len()) {
                    mark_challenge(&mut content, wall);
                }
                Visit::Responded(Box::new(content))
            }
            Err(error) => Visit::Failed(FailureKind::Decode, error.to_string()),
        }
    }

    /// Bytes that a body takes while it is parsed, with its text in UTF-8 and its tree. Each tag may create
    /// two nodes.
    fn parse_bytes(&self, body: &[u8]) -> usize {
        let tags = memchr::memchr_iter(b'<', body).count();
        3 * body.len() + NODE_BYTES * (2 * tags).min(self.parse.max_nodes)
    }

    /// The content of the status line and the headers.
    fn content_of_head(&self, response: &Response) -> PageContent {
        PageContent {
            facts: PageFacts {
                status: response.status,
                content_type: response
                    .media_type
                    .as_ref()
                    .map_or_else(String::new, |found| found.essence().to_owned()),
                ip: Some(response.ip),
                place: self.geo.place(response.ip),
                cut: response.cut,
                tls: response.tls,
                etag: response.etag.clone().unwrap_or_default(),
                last_modified: response.last_modified.clone().unwrap_or_default(),
                ..PageFacts::default()
            },
            cause: response.cause.clone(),
            ..PageContent::default()
        }
    }

    /// The one link of a redirect, unless its target cannot be fetched.
    fn redirect_link(
        &self,
        url: &CanonicalUrl,
        response: &Response,
        tag: LinkTag,
        nofollow: bool,
    ) -> Option<Link> {
        let base = self.rules.base(url)?;
        let target = self.rules.resolve(&base, response.location.as_deref()?).ok()?;
        let rel = if nofollow { Rel::PAGE_NOFOLLOW } else { Rel::NONE };
        Some(Link { target, tag, rel, anchor: String::new() })
    }

    /// Extracts title, links and the like from an HTML body. An error page has a title, but its links do not
    /// count.
    fn parse_html(&self, url: &CanonicalUrl, response: &Response, body: &[u8], content: &mut PageContent) {
        if !sniff::is_html(response.media_type.as_ref(), body) {
            return;
        }
        let x_robots_tag: Vec<&str> = response.x_robots_tag.iter().map(String::as_str).collect();
        let link_headers: Vec<&str> = response.link.iter().map(String::as_str).collect();
        let html_response = parse::HtmlResponse {
            url,
            media_type: response.media_type.as_ref(),
            x_robots_tag: &x_robots_tag,
            refresh: response.refresh.as_deref(),
            link_headers: &link_headers,
            body,
        };
        let (config, rules) = (&self.parse, &self.rules);
        let parsed = parse::parse(&html_response, config, rules, &self.fetch.user_agent);
        if is_in_share(url, content.facts.digest, config.check_share) {
            Progress::add(&self.progress.checked, 1);
            if let Err(difference) = parse::check(&html_response, &parsed, config, rules) {
                Progress::add(&self.progress.differing, 1);
                tracing::warn!(%url, difference, "scraper finds other links on this page");
            }
        }
        content.facts.charset = parsed.charset;
        content.facts.title = parsed.title;
        content.facts.description = parsed.description;
        if (200..=299).contains(&response.status) {
            content.facts.html = true;
            content.facts.directives = parsed.directives;
            content.facts.canonical = parsed.canonical;
            content.facts.cut =
                content.facts.cut.or((parsed.cut || parsed.links_dropped).then_some(Cut::Document));
            content.links = parsed.links;
        }
    }
}

/// The priority of the targets of a page with this rank: the hundredths that the share of a link lies below the
/// greatest rank. A share that is not above 0 adds the depth.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share lies between 0 and the greatest rank"
)]
fn priority_by_rank(rank: SearchRank, depth: u16, targets: usize) -> Priority {
    let share = rank.as_f64() - (targets.max(1) as f64).log2() / SearchRank::BASE.log2();
    let greatest = SearchRank::MAX.as_f64();
    let behind = ((greatest - share.clamp(0.0, greatest)) * 100.0) as u16;
    Priority::New(behind.saturating_add(if share > 0.0 { 0 } else { depth }))
}

/// Whether a retry may succeed. A server that encodes a body wrongly does so each time.
fn is_transient(visit: &Visit) -> bool {
    match visit {
        Visit::Failed(kind, _) => *kind != FailureKind::Decode,
        Visit::Responded(content) => {
            let is_error = content.facts.status >= 500 || content.facts.status == 429;
            is_error || matches!(content.facts.cut, Some(Cut::Time | Cut::Disconnect))
        }
        Visit::NotModified => false,
    }
}

/// Removes the content of a challenge, because it is not that of the page.
fn mark_challenge(content: &mut PageContent, wall: &str) {
    let PageFacts { status, ip, place, tls, content_type, .. } = std::mem::take(&mut content.facts);
    let cause = format!("a challenge of {wall} in the place of the page");
    *content = PageContent {
        facts: PageFacts { status, ip, place, tls, content_type, ..PageFacts::default() },
        challenge: true,
        cause,
        ..PageContent::default()
    };
}

/// Whether a page belongs to this share of all pages: the same one in each run, another one for each content.
fn is_in_share(url: &CanonicalUrl, digest: u64, share: f64) -> bool {
    let hash = xxh3_64_with_seed(url.as_str().as_bytes(), digest);
    share >= 1.0 || (hash as f64) < share * u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_come_by_the_share_of_rank_that_a_link_carries() {
        for (hundredths, depth, targets, right) in [
            (1_000, 3, 1, 0),
            (1_000, 3, 0, 0),
            (500, 3, 1, 500),
            (500, 3, 8, 600),
            (500, 9, 64, 700),
            // Without a share, the depth decides.
            (100, 2, 8, 1_002),
            (50, 7, 8, 1_007),
            (0, 4, 1, 1_004),
        ] {
            let priority = priority_by_rank(SearchRank(hundredths), depth, targets);
            assert_eq!(priority, Priority::New(right), "rank {hundredths}, {targets} targets");
        }
    }
}
