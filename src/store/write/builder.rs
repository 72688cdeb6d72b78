//! Builds the batch of a commit from page records.
//!
//! The batch has no day after its visit and no days out of order, even if the clock was set back since the former
//! visit ([`super::days`]).

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};

use crate::model::{
    Day, Disposition, FailureKind, OutlinkRecord, PageContent, PageRecord, QueueName, QueuedUrl, StoredPage,
    Target, Visit,
};
use crate::policy::{Change, RecrawlRules};
use crate::store::codec::keys;
use crate::store::codec::schedule_entry::ScheduleEntry;
use crate::store::codec::sums::encode_sums;
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::{BACKLINKS, META, OUTLINKS, PAGES};
use crate::store::{Store, StoreError, codec, meta};
use crate::urls::{CanonicalUrl, Suffixes, Surt};

use super::days::{DaySpan, clamp_page, day_of_visit};
use super::diff::{MergedLinks, merge_links};
use super::host_pairs::PairChanges;
use super::hosts::HostChanges;
use super::page_record::{differs_visibly, is_gone, keep_beyond_cut, new_record};
use super::versions::{ChangedDomains, page_differs};

/// Size of a batch in bytes beyond which it takes no further record. The rows of one page's links can take tens of
/// megabytes.
const MAX_BATCH_BYTES: usize = 64 << 20;

/// The change of the counters that `stats` shows.
#[derive(Clone, Copy, Debug, Default)]
struct CounterChange {
    visited: i64,
    html: i64,
    active: i64,
    external: i64,
    inactive: i64,
}

/// Collects the changes of page records for one batch. Each URL may have one record: a second would not see the
/// changes of the first.
pub(in crate::store) struct CommitBuilder<'a> {
    pub store: &'a Store,
    pub batch: RowBatch<'a>,
    counters: CounterChange,
    pairs: PairChanges,
    changed: ChangedDomains,
    pub hosts: HostChanges,
    urls: HashSet<CanonicalUrl>,
    /// The state of the URLs in the queue.
    entries: HashMap<CanonicalUrl, QueueChange>,
    /// New pages that are stored without having been queued.
    pub unqueued: Vec<CanonicalUrl>,
    recrawl: RecrawlRules,
}

/// The state in the queue of a URL whose record is stored.
#[derive(Clone, Copy, Debug)]
struct QueueChange {
    depth: u16,
    /// Whether the URL stays in the queue.
    stays: bool,
}

/// A visit that is added to the batch.
struct PageVisit<'a> {
    url: &'a CanonicalUrl,
    key: &'a Surt,
    old: Option<StoredPage>,
    visited: u64,
    today: Day,
}

impl PageVisit<'_> {
    /// The day of the first visit to the page, at most the day of this visit.
    fn first_day(&self) -> Day {
        self.old.as_ref().map_or(self.today, |page| page.ins_day.min(self.today))
    }
}

/// The links of a page before and after a visit, as other column families see them.
struct LinkChange<'a> {
    url: &'a CanonicalUrl,
    old: &'a [OutlinkRecord],
    new: &'a [OutlinkRecord],
    /// Former links that are deleted.
    dropped: &'a [OutlinkRecord],
    /// Whether the data of the page that backlinks repeat has changed.
    page_changed: bool,
    page: &'a StoredPage,
}

impl<'a> CommitBuilder<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self {
            store,
            batch: store.batch(),
            counters: CounterChange::default(),
            pairs: PairChanges::default(),
            changed: ChangedDomains::default(),
            hosts: HostChanges::default(),
            urls: HashSet::new(),
            entries: HashMap::new(),
            unqueued: Vec::new(),
            recrawl: store.recrawl(),
        }
    }

    /// Sets the state in the queue of the URLs whose records follow.
    pub(crate) fn set_queue_state(&mut self, dispositions: &[(QueuedUrl, Disposition)]) {
        // A retry comes last, so that it wins over another entry of the same URL.
        for (wanted, stays) in [(Disposition::Fetched, false), (Disposition::Retry, true)] {
            let entries = dispositions.iter().filter(|(_, disposition)| *disposition == wanted);
            for (entry, _) in entries.filter(|(entry, _)| entry.target == Target::Page) {
                self.entries.insert(entry.url.clone(), QueueChange { depth: entry.depth, stays });
            }
        }
    }

    /// The builder for the next batch of the same commit.
    pub(crate) fn next_batch(&mut self) -> Self {
        let (entries, unqueued) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.unqueued));
        Self { entries, unqueued, ..Self::new(self.store) }
    }

    /// Whether the batch must be written before a record of this URL is added: it has one of the same URL already, or
    /// it is large.
    pub(crate) fn must_be_written_before(&self, url: &CanonicalUrl) -> bool {
        self.urls.contains(url) || self.batch.size_in_bytes() >= MAX_BATCH_BYTES
    }

    /// Adds all changes of one record.
    pub(crate) fn add_record(&mut self, record: PageRecord) -> Result<(), StoreError> {
        self.urls.insert(record.url.clone());
        let key = Surt::from(&record.url);
        let old = self.store.read_page(key.as_bytes())?;
        if self.entries.contains_key(&record.url) {
            self.hosts.add_visit(self.store, QueueName::of_surt(key.as_bytes()), &record)?;
        }
        let today = day_of_visit(record.visited);
        let PageRecord { url, visited, visit } = record;
        let visited = PageVisit { url: &url, key: &key, old, visited, today };
        match visit {
            Visit::Failed(kind, cause) => self.add_failed(visited, kind, cause),
            Visit::NotModified => self.add_not_modified(visited),
            Visit::Answered(content) if content.settles_links() => self.add_settled(visited, *content),
            Visit::Answered(content) => self.add_unsettled(visited, *content),
        }
    }

    fn add_failed(
        &mut self,
        visit: PageVisit<'_>,
        kind: FailureKind,
        cause: String,
    ) -> Result<(), StoreError> {
        let first = || StoredPage { ins_day: visit.today, ..StoredPage::default() };
        let mut page = visit.old.clone().unwrap_or_else(first);
        page.failures = page.failures.saturating_add(1);
        (page.last_failure, page.cause) = (kind.code(), cause);
        self.clamp_days(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    /// Adds a response that says nothing about the links of the page: stores the status, and keeps everything else.
    fn add_unsettled(&mut self, visit: PageVisit<'_>, content: PageContent) -> Result<(), StoreError> {
        let failures = visit.old.as_ref().map_or(0, |page| page.failures).saturating_add(1);
        let (challenge, cause) = (content.challenge, content.cause.clone());
        let mut page = match &visit.old {
            Some(known) if known.upd_day != Day::default() => {
                let mut page = known.clone();
                page.facts.status = content.facts.status;
                page
            }
            _ => {
                let ins_day = visit.first_day();
                let mut page = new_record(content, &[], ins_day, visit.today);
                page.upd_day = Day::default();
                // An error page is not the page, even if it is HTML.
                page.facts.html = false;
                page
            }
        };
        page.failures = failures;
        page.last_failure = if challenge { FailureKind::Challenge.code() } else { 0 };
        page.cause = cause;
        self.clamp_days(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    fn add_not_modified(&mut self, visit: PageVisit<'_>) -> Result<(), StoreError> {
        // A 304 for a page without a settled response answers no conditional request of this program; it confirms
        // nothing.
        let Some(old) = visit.old.as_ref().filter(|page| page.upd_day != Day::default()) else {
            return Ok(());
        };
        let cause = String::new();
        let mut page =
            StoredPage { upd_day: visit.today, failures: 0, last_failure: 0, cause, ..old.clone() };
        self.clamp_days(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    /// Clamps the days of a page whose links stay unchanged to this visit. Updates the links if that changes the data
    /// that they show.
    fn clamp_days(&mut self, visit: &PageVisit<'_>, page: &mut StoredPage) -> Result<(), StoreError> {
        let span = clamp_page(page, visit.today);
        let days = |page: &StoredPage| (page.ins_day, page.upd_day);
        if visit.old.as_ref().is_none_or(|old| days(old) == days(page)) {
            return Ok(());
        }
        let old = self.store.read_outlinks(visit.url, visit.key.as_bytes())?;
        let new = span.clamp_all(&old);
        if matches!(new, Cow::Owned(_)) {
            self.put_links(visit, &new)?;
        }
        let (url, old, new, dropped) = (visit.url, &old, &new, &[][..]);
        self.add_link_change(&LinkChange { url, old, new, dropped, page_changed: true, page })
    }

    fn put_links(&mut self, visit: &PageVisit<'_>, links: &[OutlinkRecord]) -> Result<(), StoreError> {
        self.changed.add_outgoing(self.store.suffixes.domain_of(visit.url.host()));
        let key = visit.key.as_bytes();
        if links.is_empty() {
            self.batch.delete(OUTLINKS, key)
        } else {
            self.batch.put(OUTLINKS, key, codec::encode_outlinks(visit.url, links))
        }
    }

    fn add_settled(&mut self, visit: PageVisit<'_>, mut content: PageContent) -> Result<(), StoreError> {
        let (url, key) = (visit.url, visit.key.as_bytes());
        let old_links = match &visit.old {
            Some(_) => self.store.read_outlinks(url, key)?,
            None => Vec::new(),
        };
        if is_gone(content.facts.status) {
            // The links of an error page are not the links of the page.
            content.links.clear();
        }
        // Only a 2xx response has links that a cut can remove: a redirect or a gone page does not list links in its
        // body.
        let cut = content.facts.cut.is_some() && (200..=299).contains(&content.facts.status);
        let found = std::mem::take(&mut content.links);
        let ins_day = visit.first_day();
        let span = DaySpan { first: ins_day, last: visit.today };
        let MergedLinks { links, dropped } =
            merge_links(url, old_links.clone(), found, span, cut, self.store.history_limits);
        let mut page = new_record(content, &links, ins_day, visit.today);
        if let (true, Some(old)) = (cut, visit.old.as_ref().filter(|old| old.upd_day != Day::default())) {
            keep_beyond_cut(&mut page.facts, &old.facts);
        }
        let page_changed = visit.old.as_ref().is_none_or(|old| old.source() != page.source());
        let (old, new, dropped) = (&old_links, &links, &dropped);
        self.add_link_change(&LinkChange { url, old, new, dropped, page_changed, page: &page })?;
        if links != old_links {
            self.put_links(&visit, &links)?;
        }
        let change = match &visit.old {
            Some(old) if links != old_links || differs_visibly(&old.facts, &page.facts) => Change::Links,
            // The text of an error page is not the text of the page.
            Some(old) if old.facts.digest == page.facts.digest || is_gone(page.facts.status) => Change::None,
            _ => Change::Text,
        };
        self.put_page(&visit, page, change)
    }

    /// Stores a page with the time of its next visit.
    fn put_page(
        &mut self,
        visit: &PageVisit<'_>,
        mut page: StoredPage,
        change: Change,
    ) -> Result<(), StoreError> {
        let (old, key) = (visit.old.as_ref(), visit.key.as_bytes());
        let entry = self.entries.get(visit.url).copied();
        if old.is_none() && entry.is_none() {
            self.unqueued.push(visit.url.clone());
        }
        let change = match old {
            Some(old) if old.interval != 0 || old.next_visit != 0 => change,
            _ => Change::First,
        };
        page.visited = visit.visited;
        page.depth = entry.map_or_else(|| old.map_or(0, |page| page.depth), |entry| entry.depth);
        page.interval = old.map_or(0, |page| page.interval);
        self.store.delete_scheduled(&mut self.batch, old.map_or(0, |page| page.next_visit), key)?;
        if entry.is_some_and(|entry| entry.stays) {
            page.next_visit = 0;
        } else {
            page.interval = self.recrawl.next(page.interval, change);
            // A time of 0 means that the page is not scheduled.
            page.next_visit = (visit.visited + u64::from(page.interval)).max(1);
            let scheduled = ScheduleEntry { depth: page.depth, pageless: false };
            self.store.put_scheduled(&mut self.batch, page.next_visit, key, scheduled)?;
        }
        if page_differs(old, &page) {
            self.changed.add_outgoing(self.store.suffixes.domain_of(visit.url.host()));
        }
        let html = |page: Option<&StoredPage>| i64::from(page.is_some_and(|page| page.facts.html));
        self.counters.visited += i64::from(old.is_none());
        self.counters.html += html(Some(&page)) - html(old);
        self.batch.put(PAGES, key, codec::encode_page(&page))
    }

    /// Updates backlinks, host pairs and counters after a change of a page's links.
    fn add_link_change(&mut self, change: &LinkChange<'_>) -> Result<(), StoreError> {
        self.put_backlinks(change)?;
        self.pairs.add(change.url, change.old, change.new);
        let count = |links: &[OutlinkRecord], which: fn(&OutlinkRecord) -> bool| {
            i64::try_from(links.iter().filter(|link| which(link)).count()).unwrap_or(i64::MAX)
        };
        let differs = |which| count(change.new, which) - count(change.old, which);
        self.counters.active += differs(OutlinkRecord::is_active);
        self.counters.external += differs(|link| link.external && link.is_active());
        self.counters.inactive += differs(|link| !link.is_active());
        Ok(())
    }

    fn put_backlinks(&mut self, change: &LinkChange<'_>) -> Result<(), StoreError> {
        let suffixes = &self.store.suffixes;
        let old_counts = active_links_by_domain(change.old, suffixes);
        let new_counts = active_links_by_domain(change.new, suffixes);
        let known: HashMap<(&CanonicalUrl, u32), &OutlinkRecord> = if change.page_changed {
            HashMap::new()
        } else {
            change.old.iter().map(|link| ((&link.target, link.seq), link)).collect()
        };
        let source = Surt::from(change.url);
        let shown = change.page.source();
        for link in change.new.iter().filter(|link| link.external) {
            let domain = suffixes.domain_of(link.target.host());
            let blpcount = new_counts.get(domain).copied().unwrap_or(0);
            let same_count = old_counts.get(domain).copied().unwrap_or(0) == blpcount;
            if same_count && known.get(&(&link.target, link.seq)) == Some(&link) {
                continue;
            }
            // If the sums of a pair change, one of its backlinks changes or goes.
            self.changed.add_incoming(domain);
            let key = keys::backlink(&link.target, source.as_bytes(), link.seq);
            self.batch.put(BACKLINKS, key, codec::encode_backlink(link, blpcount, &shown))?;
        }
        for link in change.dropped.iter().filter(|link| link.external) {
            self.changed.add_incoming(suffixes.domain_of(link.target.host()));
            self.batch.delete(BACKLINKS, keys::backlink(&link.target, source.as_bytes(), link.seq))?;
        }
        Ok(())
    }

    /// Adds the changes of sums and hosts. The batch is complete then, except for the change numbers of domains.
    pub(crate) fn finish(mut self) -> Result<(RowBatch<'a>, ChangedDomains), StoreError> {
        let change = self.counters;
        let sums = [change.visited, change.html, change.active, change.external, change.inactive];
        if sums != [0; 5] {
            self.batch.merge(META, meta::COUNTERS, encode_sums(&sums))?;
        }
        self.pairs.stage(&mut self.batch)?;
        self.hosts.stage(&mut self.batch)?;
        Ok((self.batch, self.changed))
    }
}

/// Numbers of active external links by registrable domain of the target.
pub(in crate::store) fn active_links_by_domain<'a>(
    links: &'a [OutlinkRecord],
    suffixes: &Suffixes,
) -> HashMap<&'a str, u32> {
    let mut counts = HashMap::new();
    for link in links.iter().filter(|link| link.external && link.is_active()) {
        *counts.entry(suffixes.domain_of(link.target.host())).or_insert(0) += 1;
    }
    counts
}
