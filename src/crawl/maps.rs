//! From a fetched sitemap to the URLs it leads to: pages, changed pages, further sitemaps.
//!
//! Which URLs a sitemap may list is said by its [`SitemapGrant`]: those of its own registrable domain, and those of the
//! hosts whose robots.txt names it, wherever it lies. What it lists counts as one link away from a seed. A page that is
//! known, and changed by its `lastmod` after its last visit, is visited again as soon as `crawl.recrawl_min` allows.
//!
//! What is read and listed counts against the allowance of a host: of the sitemap's own within the domain of a host that
//! names it, otherwise of the host that names it, which may keep its sitemaps with thousands of others on one storage
//! host.

use super::failures::{Cause, FailedRequest, Resource};
use super::messages::{End, Outcome};
use super::progress::{Progress, unix_now};
use super::reading::Reading;
use crate::fetch::{Answer, FetchOutcome, Room};
use crate::frontier::{Found, Priority, QueuedUrl, SitemapGrant, Target};
use crate::model::{Cut, Day, FailureKind, LinkTag, MediaType};
use crate::sitemap::{self, Sitemap, SitemapEntry, SitemapKind};
use crate::urls::{CanonicalUrl, host_of};

/// Links away from a seed that a page in a sitemap is.
const DEPTH: u16 = 1;

/// Times its size that a gzipped sitemap unfolds to, at most as a rule.
const UNFOLDED: usize = 40;

/// A sitemap that was fetched.
struct Source<'a> {
    url: &'a CanonicalUrl,
    grant: &'a SitemapGrant,
    /// Its registrable domain.
    domain: &'a str,
}

/// At whose expense a page is listed: the sitemap's host, or the host of this place in its grant.
#[derive(Clone, Copy)]
enum Payer {
    Own,
    Host(usize),
}

impl Reading {
    /// What became of a queued sitemap.
    pub fn sitemap(&self, queued: QueuedUrl, fetched: &FetchOutcome, room: &mut Room) -> Outcome {
        let attempts = queued.attempts + 1;
        let (found, passing, cause) = match (&queued.target, fetched) {
            (Target::Page, _) => (Vec::new(), false, None),
            (Target::Sitemap(grant), FetchOutcome::Answered(answer)) => {
                let (url, domain) = (&queued.url, self.suffixes.domain_of(queued.url.host()));
                let (found, cause) = self.answered(&Source { url, grant, domain }, answer, room);
                (found, answer.status >= 500 || answer.status == 429, cause)
            }
            (Target::Sitemap(_), FetchOutcome::Failed(kind, detail)) => {
                (Vec::new(), true, Some(Cause::new(*kind, detail)))
            }
        };
        let failure = cause.map(|cause| {
            let (resource, url) = (Resource::Sitemap, &queued.url);
            FailedRequest { resource, url, attempt: attempts, cause }.tell(&self.progress.failed_requests)
        });
        Progress::add(&self.progress.sitemaps, 1);
        let end =
            if passing && attempts < self.config.crawl.max_attempts { End::Again } else { End::Fetched };
        let queued = QueuedUrl { attempts, ..queued };
        Outcome { queued, record: None, others: Vec::new(), found, failure, end }
    }

    /// A sitemap that the robots.txt of `namer`'s host names, to be read, unless the host has none left.
    pub fn named_sitemap(&self, url: CanonicalUrl, namer: &CanonicalUrl, today: Day) -> Option<Found> {
        let grant = SitemapGrant { hosts: vec![namer.authority().into()], ..SitemapGrant::at_level(0) };
        self.to_be_read(url, grant, today)
    }

    /// What an answer leads to, and what kept it from being read, in whole or in part.
    fn answered(&self, source: &Source<'_>, answer: &Answer, room: &mut Room) -> (Vec<Found>, Option<Cause>) {
        if (200..=299).contains(&answer.status) {
            return self.listed(source, answer, room);
        }
        match LinkTag::from_redirect_status(answer.status) {
            Some(_) => (self.moved(source, answer).into_iter().collect(), None),
            None => (Vec::new(), Some(Cause::status(answer.status))),
        }
    }

    /// What a sitemap lists, and what kept it from being read, in whole or in part.
    fn listed(&self, source: &Source<'_>, answer: &Answer, room: &mut Room) -> (Vec<Found>, Option<Cause>) {
        let config = &self.config.sitemaps;
        // Taken off here is what the server put on for the way; a file that is gzipped itself is read as such.
        let wire = answer.body.len();
        let body = match answer.decode_within(config.max_bytes, |bytes| room.grow_reading(wire + bytes)) {
            Ok(body) => body,
            Err(error) => return (Vec::new(), Some(Cause::new(FailureKind::Decode, &error.to_string()))),
        };
        let words = if answer.cause.is_empty() { &body.cause } else { &answer.cause };
        let cut = body.cut.and_then(|cut| Cause::cut(cut, words));
        room.grow_reading(wire + sitemap_bytes(&body.bytes, config.max_bytes));
        let charset = answer.media_type.as_ref().and_then(MediaType::charset);
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

    fn found_in(&self, source: &Source<'_>, sitemap: Sitemap) -> Vec<Found> {
        let config = &self.config.sitemaps;
        if sitemap.is_cut {
            tracing::debug!(url = %source.url, entries = sitemap.entries.len(), "a sitemap is read in part");
        }
        let Some(base) = self.rules.base(source.url) else { return Vec::new() };
        let today = Day::from_unix_seconds(unix_now());
        let mut room = config.max_bytes;
        // Absolute URLs have room in any case; relative ones can be short, and lead to long ones.
        let mut fits = |target: &CanonicalUrl| {
            let left = room.checked_sub(target.as_str().len());
            room = left.unwrap_or(room);
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
                self.within_allowances(
                    source,
                    own.filter(|(_, page, _)| self.may_follow(page, today)).collect(),
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

    /// Where a sitemap went. Those of the deepest index may have gone somewhere too. A session id in the address stays:
    /// the server may ask for it, and no page is known by it.
    fn moved(&self, source: &Source<'_>, answer: &Answer) -> Option<Found> {
        if u32::from(source.grant.level) > self.config.sitemaps.max_depth {
            return None;
        }
        let base = self.rules.base(source.url)?;
        let target = self.rules.resolve_verbatim(&base, answer.location.as_deref()?).ok()?;
        let today = Day::from_unix_seconds(unix_now());
        if self.may_lead_to(source, &target) { self.further_sitemap(source, target, today) } else { None }
    }

    fn is_on_own_domain(&self, source: &Source<'_>, target: &CanonicalUrl) -> bool {
        self.suffixes.domain_of(target.host()) == source.domain
    }

    /// At whose expense a sitemap lists a page; `None`: it may not.
    fn payer(&self, source: &Source<'_>, page: &CanonicalUrl) -> Option<Payer> {
        if source.grant.own_domain && self.is_on_own_domain(source, page) {
            return Some(Payer::Own);
        }
        source.grant.hosts.iter().position(|host| **host == *page.authority()).map(Payer::Host)
    }

    /// Whether a sitemap may lead to one at this address. One that hosts name may lie anywhere, as it may itself: whose URLs
    /// it may list is another matter.
    fn may_lead_to(&self, source: &Source<'_>, target: &CanonicalUrl) -> bool {
        !source.grant.hosts.is_empty() || source.grant.own_domain && self.is_on_own_domain(source, target)
    }

    /// A sitemap that another leads to.
    fn further_sitemap(&self, source: &Source<'_>, url: CanonicalUrl, today: Day) -> Option<Found> {
        let SitemapGrant { level, own_domain, hosts } = source.grant;
        let own_domain = *own_domain && self.is_on_own_domain(source, &url);
        let grant = SitemapGrant { level: level.saturating_add(1), own_domain, hosts: hosts.clone() };
        self.to_be_read(url, grant, today)
    }

    /// A sitemap to read, unless it must not be fetched or all at whose expense it would be have none left.
    fn to_be_read(&self, url: CanonicalUrl, mut grant: SitemapGrant, today: Day) -> Option<Found> {
        if !self.may_follow(&url, today) || !self.is_granted(&url, &mut grant) {
            return None;
        }
        Some(Found { url, priority: Priority::Sitemap, depth: 0, target: Target::Sitemap(Box::new(grant)) })
    }

    /// Takes one more sitemap out of the allowances of those it is read for; leaves in the grant the hosts that had one
    /// left, and says whether it is to be read.
    fn is_granted(&self, url: &CanonicalUrl, grant: &mut SitemapGrant) -> bool {
        let (allowances, domain) = (&self.allowances, self.suffixes.domain_of(url.host()));
        let is_near = |host: &str| self.suffixes.domain_of(host_of(host)) == domain;
        // Entries of earlier versions tell of no host.
        let is_near_one = grant.hosts.is_empty() || grant.hosts.iter().any(|host| is_near(host));
        let own_pays = is_near_one && allowances.takes_sitemap(url.authority());
        grant.hosts.retain(|host| if is_near(host) { own_pays } else { allowances.takes_sitemap(host) });
        own_pays || !grant.hosts.is_empty() && allowances.takes_named_elsewhere(url.authority())
    }

    /// Of the pages that a sitemap lists, the first of each payer that have room in its allowance.
    fn within_allowances(
        &self,
        source: &Source<'_>,
        pages: Vec<(Payer, CanonicalUrl, SitemapEntry)>,
    ) -> Vec<Found> {
        let hosts = &source.grant.hosts;
        let place = |payer: Payer| match payer {
            Payer::Own => hosts.len(),
            Payer::Host(at) => at,
        };
        let mut left = vec![0; hosts.len() + 1];
        pages.iter().for_each(|(payer, ..)| left[place(*payer)] += 1);
        let payers = hosts.iter().map(|host| &**host).chain([source.url.authority()]);
        for (count, host) in left.iter_mut().zip(payers).filter(|(count, _)| **count > 0) {
            *count = self.allowances.take_pages(host, *count);
        }
        let mut has_room = |payer: Payer| {
            let left = &mut left[place(payer)];
            let has_room = *left > 0;
            *left -= usize::from(has_room);
            has_room
        };
        let pages = pages.into_iter().filter(|(payer, ..)| has_room(*payer));
        pages.map(|(_, page, entry)| self.listed_page(page, &entry)).collect()
    }

    fn listed_page(&self, url: CanonicalUrl, entry: &SitemapEntry) -> Found {
        let changed = |lastmod: u64| {
            let page = self.store.page(&url).ok().flatten();
            page.is_some_and(|page| page.visited < lastmod && page.visited + self.recrawl_min <= unix_now())
        };
        if entry.lastmod.is_some_and(changed) {
            return Found { url, priority: Priority::again(unix_now()), depth: DEPTH, target: Target::Page };
        }
        Found::page(url, DEPTH)
    }
}

/// Bytes that a file takes while it is read: its own, those of its entries, and those of the URLs that they lead to. A
/// file that is gzipped itself may hold far more than it has; it is not unfolded at once.
fn sitemap_bytes(file: &[u8], most: usize) -> usize {
    let text = if file.starts_with(&[0x1f, 0x8b]) { file.len().saturating_mul(UNFOLDED) } else { file.len() };
    file.len() + 2 * text.min(most)
}
