//! From a fetched sitemap to the URLs it leads to: pages, changed pages, further sitemaps.
//!
//! A sitemap may speak for the URLs of its own registrable domain alone. What it lists counts as one link away from
//! a seed. A page that is known, and changed by its `lastmod` after its last visit, is visited again as soon as
//! `crawl.recrawl_min` allows.

use super::messages::{End, Outcome};
use super::progress::{Progress, unix_now};
use super::reading::Reading;
use crate::fetch::{Answer, FetchOutcome};
use crate::frontier::{Found, Priority, QueuedUrl, Target};
use crate::model::{Day, LinkTag, MediaType};
use crate::sitemap::{self, SitemapEntry, SitemapKind};
use crate::urls::{Base, CanonicalUrl};

/// Links away from a seed that a page in a sitemap is.
const DEPTH: u16 = 1;

impl Reading {
    /// What became of a queued sitemap, `level` indexes and redirects away from the one that a robots.txt names.
    pub fn sitemap(&self, queued: QueuedUrl, level: u8, fetched: &FetchOutcome) -> Outcome {
        let attempts = queued.attempts + 1;
        let (found, passing) = match fetched {
            FetchOutcome::Answered(answer) if (200..=299).contains(&answer.status) => {
                (self.listed(&queued.url, level, answer), false)
            }
            FetchOutcome::Answered(answer) if LinkTag::from_redirect_status(answer.status).is_some() => {
                (self.moved(&queued.url, level, answer), false)
            }
            FetchOutcome::Answered(answer) => (Vec::new(), answer.status >= 500 || answer.status == 429),
            FetchOutcome::Failed(..) => (Vec::new(), true),
        };
        Progress::add(&self.progress.sitemaps, 1);
        let end =
            if passing && attempts < self.config.crawl.max_attempts { End::Again } else { End::Fetched };
        Outcome { queued: QueuedUrl { attempts, ..queued }, record: None, found, end }
    }

    /// A sitemap to read, unless its host has none left.
    pub fn further_sitemap(&self, url: CanonicalUrl, level: u8, today: Day) -> Option<Found> {
        let may = self.may_follow(&url, today) && self.allowances.takes_sitemap(&url);
        let (priority, target) = (Priority::Sitemap, Target::Sitemap(level));
        may.then_some(Found { url, priority, depth: 0, target })
    }

    fn listed(&self, url: &CanonicalUrl, level: u8, answer: &Answer) -> Vec<Found> {
        let config = &self.config.sitemaps;
        // Taken off here is what the server put on for the way; a file that is gzipped itself is read as such.
        let sitemap = match answer.decode(config.max_bytes) {
            Ok(body) => {
                let charset = answer.media_type.as_ref().and_then(MediaType::charset);
                sitemap::read(&body.bytes, body.cut.is_some(), charset, config)
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        let (sitemap, Some(base)) = (sitemap, self.rules.base(url)) else { return Vec::new() };
        let sitemap = match sitemap {
            Ok(sitemap) => sitemap,
            Err(reason) => {
                tracing::debug!(%url, reason, "a sitemap cannot be read");
                return Vec::new();
            }
        };
        if sitemap.is_cut {
            tracing::debug!(%url, entries = sitemap.entries.len(), "a sitemap is read in part");
        }
        let today = Day::from_unix_seconds(unix_now());
        let mut room = config.max_bytes;
        let own =
            sitemap.entries.into_iter().filter_map(|entry| Some((self.own(url, &base, &entry.loc)?, entry)));
        // Absolute URLs have room in any case; relative ones can be short, and lead to long ones.
        let own = own.map_while(|(target, entry)| {
            room = room.checked_sub(target.as_str().len())?;
            Some((target, entry))
        });
        match sitemap.kind {
            SitemapKind::Urls => {
                let mut pages: Vec<_> = own.filter(|(page, _)| self.may_follow(page, today)).collect();
                pages.truncate(self.allowances.take_pages(url, pages.len()));
                pages.into_iter().map(|(page, entry)| self.listed_page(page, &entry)).collect()
            }
            SitemapKind::Index if u32::from(level) < config.max_depth => {
                own.filter_map(|(url, _)| self.further_sitemap(url, level.saturating_add(1), today)).collect()
            }
            SitemapKind::Index => Vec::new(),
        }
    }

    /// Where a sitemap went. Those of the deepest index may have gone somewhere too.
    fn moved(&self, url: &CanonicalUrl, level: u8, answer: &Answer) -> Vec<Found> {
        if u32::from(level) > self.config.sitemaps.max_depth {
            return Vec::new();
        }
        let today = Day::from_unix_seconds(unix_now());
        let (location, base) = (answer.location.as_deref(), self.rules.base(url));
        let target = location.zip(base).and_then(|(location, base)| self.own(url, &base, location));
        target
            .and_then(|target| self.further_sitemap(target, level.saturating_add(1), today))
            .into_iter()
            .collect()
    }

    /// The URL that a sitemap refers to, if it may speak for it.
    fn own(&self, sitemap: &CanonicalUrl, base: &Base, reference: &str) -> Option<CanonicalUrl> {
        let target = self.rules.resolve(base, reference).ok()?;
        (self.suffixes.domain_of(target.host()) == self.suffixes.domain_of(sitemap.host())).then_some(target)
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
