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
use crate::model::Day;
use crate::sitemap::{self, SitemapEntry, SitemapKind};
use crate::urls::CanonicalUrl;

/// Links away from a seed that a page in a sitemap is.
const DEPTH: u16 = 1;

impl Reading {
    /// What became of a queued sitemap, `level` indexes away from the one that a robots.txt names.
    pub fn sitemap(&self, queued: QueuedUrl, level: u8, fetched: &FetchOutcome) -> Outcome {
        let attempts = queued.attempts + 1;
        let (found, passing) = match fetched {
            FetchOutcome::Answered(answer) if (200..=299).contains(&answer.status) => {
                (self.listed(&queued.url, level, answer), false)
            }
            FetchOutcome::Answered(answer) => (Vec::new(), answer.status >= 500 || answer.status == 429),
            FetchOutcome::Failed(..) => (Vec::new(), true),
        };
        Progress::add(&self.progress.sitemaps, 1);
        let end =
            if passing && attempts < self.config.crawl.max_attempts { End::Again } else { End::Fetched };
        Outcome { queued: QueuedUrl { attempts, ..queued }, record: None, found, end }
    }

    fn listed(&self, url: &CanonicalUrl, level: u8, answer: &Answer) -> Vec<Found> {
        let config = &self.config.sitemaps;
        // Taken off here is what the server put on for the way; a file that is gzipped itself is read as such.
        let sitemap = match answer.decode(config.max_bytes) {
            Ok(body) => sitemap::read(&body.bytes, body.truncated, config).map_err(|error| error.to_string()),
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
        let today = Day::from_unix_seconds(unix_now());
        let mut room = config.max_bytes;
        let domain = self.suffixes.domain_of(url.host());
        let own = sitemap.entries.into_iter().filter_map(|entry| {
            let target = self.rules.resolve(&base, &entry.loc).ok()?;
            let may = self.suffixes.domain_of(target.host()) == domain && self.may_follow(&target, today);
            may.then_some((target, entry))
        });
        // Absolute URLs have room in any case; relative ones can be short, and lead to long ones.
        let own = own.map_while(|(target, entry)| {
            room = room.checked_sub(target.as_str().len())?;
            Some((target, entry))
        });
        match sitemap.kind {
            SitemapKind::Urls => own.map(|(target, entry)| self.listed_page(target, &entry)).collect(),
            SitemapKind::Index if u32::from(level) < config.max_depth => {
                let further = |(url, _)| Found {
                    url,
                    priority: Priority::Sitemap,
                    depth: 0,
                    target: Target::Sitemap(level + 1),
                };
                own.take(config.max_per_host).map(further).collect()
            }
            SitemapKind::Index => Vec::new(),
        }
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
