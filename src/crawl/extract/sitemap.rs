//! Extracts URLs from a sitemap: pages, changed pages, further sitemaps.
//!
//! The [`SitemapGrant`] says which URLs a sitemap may list: those of its own registrable domain, and those of
//! the hosts whose robots.txt names it, wherever it lies. A listed page counts as one link away from a seed.
//! A known page whose `lastmod` is later than its last visit is visited again, as soon as `crawl.recrawl_min`
//! allows.
//!
//! Sitemaps and listed pages count against the quota of a host. Within the domain of a host that names the
//! sitemap, the host of the sitemap pays. Otherwise the naming host pays, because thousands of hosts may keep
//! their sitemaps on one storage host.

use std::sync::Arc;

use super::follow::FollowRules;
use super::sitemap_quota::SitemapQuotas;
use crate::clock::unix_now;
use crate::config::{Config, SitemapsConfig};
use crate::crawl::failures::{Cause, FailedRequest, Resource};
use crate::crawl::messages::Completion;
use crate::crawl::progress::Progress;
use crate::fetch::{FetchOutcome, Reservation, Response, RobotsCache};
use crate::model::{
    Cut, Day, DiscoveredUrl, Disposition, FailureKind, LinkTag, MediaType, Priority, QueueEntry,
    SitemapGrant, Target,
};
use crate::policy::RevisitRules;
use crate::sitemap::{self, Sitemap, SitemapEntry, SitemapKind};
use crate::store::Store;
use crate::urls::{CanonicalUrl, Suffixes, UrlRules, host_of};

/// The depth of a page in a sitemap: links away from a seed.
const DEPTH: u16 = 1;

/// The usual limit of the ratio between a decompressed sitemap and its gzip file.
const GZIP_RATIO: usize = 40;

/// A fetched sitemap.
struct SitemapSource<'a> {
    url: &'a CanonicalUrl,
    grant: &'a SitemapGrant,
    /// Its registrable domain.
    domain: &'a str,
}

/// Whose quota a listed page takes: that of the host of the sitemap, or of the host at this index of the
/// grant.
#[derive(Clone, Copy)]
enum Payer {
    Own,
    Host(usize),
}

/// The extractor of sitemaps.
#[derive(Clone)]
pub(super) struct SitemapExtractor {
    config: SitemapsConfig,
    /// Failed visits after which a sitemap is given up.
    max_attempts: u32,
    /// The least seconds between two visits of a page.
    recrawl_min: u64,
    rules: UrlRules,
    suffixes: Arc<Suffixes>,
    progress: Arc<Progress>,
    store: Arc<Store>,
    follow: Arc<FollowRules>,
    quotas: Arc<SitemapQuotas>,
}

impl SitemapExtractor {
    pub(super) fn new(
        store: &Arc<Store>,
        config: &Config,
        rules: &UrlRules,
        progress: &Arc<Progress>,
        follow: &Arc<FollowRules>,
    ) -> Self {
        Self {
            config: config.sitemaps.clone(),
            max_attempts: config.crawl.max_attempts,
            recrawl_min: RevisitRules::new(&config.crawl).min.as_secs(),
            rules: rules.clone(),
            suffixes: Arc::clone(store.suffixes()),
            progress: Arc::clone(progress),
            store: Arc::clone(store),
            follow: Arc::clone(follow),
            quotas: Arc::new(SitemapQuotas::new(config)),
        }
    }

    pub(super) fn with_progress(&self, progress: &Arc<Progress>) -> Self {
        Self { progress: Arc::clone(progress), ..self.clone() }
    }

    pub(super) fn with_follow(&self, follow: &Arc<FollowRules>) -> Self {
        Self { follow: Arc::clone(follow), ..self.clone() }
    }

    /// Extracts the completion of a queued sitemap.
    pub(super) fn extract(
        &self,
        entry: QueueEntry,
        fetched: &FetchOutcome,
        reservation: &mut Reservation,
    ) -> Completion {
        let attempts = entry.attempts + 1;
        let (discovered, is_transient, cause) = match (&entry.target, fetched) {
            (Target::Page, _) => (Vec::new(), false, None),
            (Target::Sitemap(grant), FetchOutcome::Responded(response)) => {
                let (url, domain) = (&entry.url, self.suffixes.domain_of(entry.url.host()));
                let (found, cause) =
                    self.read_response(&SitemapSource { url, grant, domain }, response, reservation);
                (found, response.status >= 500 || response.status == 429, cause)
            }
            (Target::Sitemap(_), FetchOutcome::Failed(kind, detail)) => {
                (Vec::new(), true, Some(Cause::new(*kind, detail)))
            }
        };
        let failure = cause.map(|cause| {
            let (resource, url) = (Resource::Sitemap, &entry.url);
            FailedRequest { resource, url, attempt: attempts, cause }.report(&self.progress.failed_requests)
        });
        Progress::add(&self.progress.sitemaps, 1);
        let disposition = if is_transient && attempts < self.max_attempts {
            Disposition::Retry
        } else {
            Disposition::Fetched
        };
        let entry = QueueEntry { attempts, ..entry };
        Completion { entry, record: None, chain_records: Vec::new(), discovered, failure, disposition }
    }

    /// Returns entries for the sitemaps that the robots.txt of `namer`'s host declares, unless the quota of
    /// the host is used up. The quota is renewed before.
    pub(super) fn declared(&self, robots: &RobotsCache, namer: &CanonicalUrl) -> Vec<DiscoveredUrl> {
        if !self.config.follow {
            return Vec::new();
        }
        let sitemaps = robots.sitemaps(namer, self.config.max_per_host);
        let today = Day::from_unix_seconds(unix_now());
        self.quotas.renew(namer, !sitemaps.is_empty());
        let grant = || SitemapGrant { hosts: vec![namer.authority().into()], ..SitemapGrant::at_level(0) };
        sitemaps.into_iter().filter_map(|url| self.admit_sitemap(url, grant(), today)).collect()
    }

    /// Returns the URLs of a response, and why it could not be read, in whole or in part.
    fn read_response(
        &self,
        source: &SitemapSource<'_>,
        response: &Response,
        reservation: &mut Reservation,
    ) -> (Vec<DiscoveredUrl>, Option<Cause>) {
        if (200..=299).contains(&response.status) {
            return self.read_sitemap(source, response, reservation);
        }
        match LinkTag::from_redirect_status(response.status) {
            Some(_) => (self.redirected(source, response).into_iter().collect(), None),
            None => (Vec::new(), Some(Cause::status(response.status))),
        }
    }

    /// Returns the URLs of a sitemap, and why it could not be read, in whole or in part.
    fn read_sitemap(
        &self,
        source: &SitemapSource<'_>,
        response: &Response,
        reservation: &mut Reservation,
    ) -> (Vec<DiscoveredUrl>, Option<Cause>) {
        let config = &self.config;
        // This decodes the transfer only. The sitemap reader decompresses a file that is gzipped itself.
        let wire = response.body.len();
        let body = match response
            .decode_within(config.max_bytes, |bytes| reservation.grow_for_parser(wire + bytes))
        {
            Ok(body) => body,
            Err(error) => return (Vec::new(), Some(Cause::new(FailureKind::Decode, &error.to_string()))),
        };
        let words = if response.cause.is_empty() { &body.cause } else { &response.cause };
        let cut = body.cut.and_then(|cut| Cause::cut(cut, words));
        reservation.grow_for_parser(wire + sitemap_bytes(&body.bytes, config.max_bytes));
        let charset = response.media_type.as_ref().and_then(MediaType::charset);
        match sitemap::read(&body.bytes, body.cut.is_some(), charset, config) {
            Ok(sitemap) => {
                let broken =
                    || Cause::cut(Cut::Encoding, "the sitemap breaks off: what follows cannot be read");
                let cause = cut.or_else(|| sitemap.is_broken.then(broken).flatten());
                (self.found_in(source, sitemap), cause)
            }
            Err(error) => {
                let error = Cause::new(FailureKind::Decode, &error.to_string());
                (Vec::new(), Some(cut.unwrap_or(error)))
            }
        }
    }

    fn found_in(&self, source: &SitemapSource<'_>, sitemap: Sitemap) -> Vec<DiscoveredUrl> {
        let config = &self.config;
        if sitemap.is_cut {
            tracing::debug!(url = %source.url, entries = sitemap.entries.len(), "a sitemap is read in part");
        }
        let Some(base) = self.rules.base(source.url) else { return Vec::new() };
        let today = Day::from_unix_seconds(unix_now());
        let mut bytes_left = config.max_bytes;
        // Absolute URLs fit in any case. Short relative URLs can resolve to long ones.
        let mut fits = |target: &CanonicalUrl| {
            let left = bytes_left.checked_sub(target.as_str().len());
            bytes_left = left.unwrap_or(bytes_left);
            left.is_some()
        };
        let entries = sitemap
            .entries
            .into_iter()
            .filter_map(|entry| Some((self.rules.resolve(&base, &entry.loc).ok()?, entry)));
        match sitemap.kind {
            SitemapKind::Urls => {
                let own = entries.filter_map(|(page, entry)| Some((self.payer(source, &page)?, page, entry)));
                let own = own.take_while(|(_, page, _)| fits(page));
                self.within_quotas(
                    source,
                    own.filter(|(_, page, _)| self.follow.may_follow(page, today)).collect(),
                )
            }
            SitemapKind::Index if u32::from(source.grant.level) < config.max_depth => {
                let reached = entries.filter(|(target, _)| self.may_lead_to(source, target));
                let reached = reached.take_while(|(target, _)| fits(target));
                reached.filter_map(|(target, _)| self.further_sitemap(source, target, today)).collect()
            }
            SitemapKind::Index => Vec::new(),
        }
    }

    /// Returns the target of a redirect. A sitemap of the deepest level may redirect too. A session id in the
    /// target stays: the server may require it, and no page has that URL.
    fn redirected(&self, source: &SitemapSource<'_>, response: &Response) -> Option<DiscoveredUrl> {
        if u32::from(source.grant.level) > self.config.max_depth {
            return None;
        }
        let base = self.rules.base(source.url)?;
        let target = self.rules.resolve_verbatim(&base, response.location.as_deref()?).ok()?;
        let today = Day::from_unix_seconds(unix_now());
        if self.may_lead_to(source, &target) { self.further_sitemap(source, target, today) } else { None }
    }

    fn is_on_own_domain(&self, source: &SitemapSource<'_>, target: &CanonicalUrl) -> bool {
        self.suffixes.domain_of(target.host()) == source.domain
    }

    /// Whose quota a listed page takes; `None` when the sitemap may not list it.
    fn payer(&self, source: &SitemapSource<'_>, page: &CanonicalUrl) -> Option<Payer> {
        if source.grant.own_domain && self.is_on_own_domain(source, page) {
            return Some(Payer::Own);
        }
        source.grant.hosts.iter().position(|host| **host == *page.authority()).map(Payer::Host)
    }

    /// Whether a sitemap may lead to one at this URL. A sitemap that hosts name may lie anywhere, and so may
    /// those that it leads to. The grant limits the URLs that they may list.
    fn may_lead_to(&self, source: &SitemapSource<'_>, target: &CanonicalUrl) -> bool {
        !source.grant.hosts.is_empty() || source.grant.own_domain && self.is_on_own_domain(source, target)
    }

    /// Returns an entry for a sitemap that another one leads to.
    fn further_sitemap(
        &self,
        source: &SitemapSource<'_>,
        url: CanonicalUrl,
        today: Day,
    ) -> Option<DiscoveredUrl> {
        let SitemapGrant { level, own_domain, hosts } = source.grant;
        let own_domain = *own_domain && self.is_on_own_domain(source, &url);
        let grant = SitemapGrant { level: level.saturating_add(1), own_domain, hosts: hosts.clone() };
        self.admit_sitemap(url, grant, today)
    }

    /// Returns an entry for a sitemap, unless it must not be fetched or the quotas of all payers are used up.
    fn admit_sitemap(&self, url: CanonicalUrl, mut grant: SitemapGrant, today: Day) -> Option<DiscoveredUrl> {
        if !self.follow.may_follow(&url, today) || !self.take_sitemap_quota(&url, &mut grant) {
            return None;
        }
        Some(DiscoveredUrl {
            url,
            priority: Priority::Sitemap,
            depth: 0,
            target: Target::Sitemap(Box::new(grant)),
        })
    }

    /// Takes one sitemap from the quotas of its payers. The grant keeps the hosts that could pay. Returns
    /// whether the sitemap is read.
    fn take_sitemap_quota(&self, url: &CanonicalUrl, grant: &mut SitemapGrant) -> bool {
        let (quotas, domain) = (&self.quotas, self.suffixes.domain_of(url.host()));
        let is_on_its_domain = |host: &str| self.suffixes.domain_of(host_of(host)) == domain;
        // Entries of earlier versions name no host.
        let is_named_on_its_domain =
            grant.hosts.is_empty() || grant.hosts.iter().any(|host| is_on_its_domain(host));
        let own_host_pays = is_named_on_its_domain && quotas.take_sitemap(url.authority());
        grant.hosts.retain(
            |host| {
                if is_on_its_domain(host) { own_host_pays } else { quotas.take_sitemap(host) }
            },
        );
        own_host_pays || !grant.hosts.is_empty() && quotas.take_named_elsewhere(url.authority())
    }

    /// The listed pages that fit into the quotas: the first ones of each payer.
    fn within_quotas(
        &self,
        source: &SitemapSource<'_>,
        pages: Vec<(Payer, CanonicalUrl, SitemapEntry)>,
    ) -> Vec<DiscoveredUrl> {
        let hosts = &source.grant.hosts;
        let index_of = |payer: Payer| match payer {
            Payer::Own => hosts.len(),
            Payer::Host(at) => at,
        };
        let mut left = vec![0; hosts.len() + 1];
        pages.iter().for_each(|(payer, ..)| left[index_of(*payer)] += 1);
        let payers = hosts.iter().map(|host| &**host).chain([source.url.authority()]);
        for (count, host) in left.iter_mut().zip(payers).filter(|(count, _)| **count > 0) {
            *count = self.quotas.take_pages(host, *count);
        }
        let mut has_room = |payer: Payer| {
            let left = &mut left[index_of(payer)];
            let has_room = *left > 0;
            *left -= usize::from(has_room);
            has_room
        };
        let pages = pages.into_iter().filter(|(payer, ..)| has_room(*payer));
        pages.map(|(_, page, entry)| self.listed_page(page, &entry)).collect()
    }

    fn listed_page(&self, url: CanonicalUrl, entry: &SitemapEntry) -> DiscoveredUrl {
        let changed = |lastmod: u64| {
            let page = self.store.page(&url).ok().flatten();
            page.is_some_and(|page| page.visited < lastmod && page.visited + self.recrawl_min <= unix_now())
        };
        if entry.lastmod.is_some_and(changed) {
            return DiscoveredUrl {
                url,
                priority: Priority::revisit(unix_now()),
                depth: DEPTH,
                target: Target::Page,
            };
        }
        DiscoveredUrl::page(url, DEPTH)
    }
}

/// Bytes that a file takes while it is read: its own, those of its entries, and those of the URLs in them. A
/// gzipped file may hold far more, but it is decompressed in parts.
fn sitemap_bytes(file: &[u8], most: usize) -> usize {
    let text =
        if file.starts_with(&[0x1f, 0x8b]) { file.len().saturating_mul(GZIP_RATIO) } else { file.len() };
    file.len() + 2 * text.min(most)
}
