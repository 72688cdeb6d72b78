//! The one way in: page records and what they change in the queue, in one atomic batch.
//!
//! The batch holds every column family's change, so a crash at any moment leaves all of a record or nothing.
//! Commits are serialised by a lock: each reads a page's former links, computes the difference
//! ([`super::diff`]) and writes it. No commit writes a day that lies after its visit, or days out of their order, even
//! if the clock was set back since the former visit ([`super::days`]).

use std::borrow::Cow;

use ahash::HashMap;
use rocksdb::WriteBatch;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::frontier::{Change, QueueName, QueuedUrl, RecrawlRules, Target};
use crate::model::{Day, FailureKind, OutlinkRecord, PageContent, PageRecord, StoredPage, Visit};
use crate::urls::{CanonicalUrl, Suffixes, Surt};

use super::changes::{ChangedDomains, page_differs};
use super::days::{DaySpan, bring_page, day_of_visit};
use super::diff::Merged;
use super::hosts::HostChanges;
use super::pairs::PairChanges;
use super::queue::Scheduled;
use super::schema::{BACKLINKS, META, OUTLINKS, PAGES, encode_sums};
use super::{Store, StoreError, diff, keys, meta, values};

/// Bytes from which on a batch takes no further record: the rows of a page's links can be some tens of megabytes.
const MOST_BATCH_BYTES: usize = 64 << 20;

/// The change a commit makes to the counters that `stats` shows.
#[derive(Clone, Copy, Debug, Default)]
struct CounterChange {
    visited: i64,
    html: i64,
    active: i64,
    external: i64,
    inactive: i64,
}

/// Records on their way into one batch. No URL may have two: the second would not see what the first changes.
pub(super) struct Stage<'a> {
    pub store: &'a Store,
    pub batch: WriteBatch,
    counters: CounterChange,
    pairs: PairChanges,
    changed: ChangedDomains,
    pub hosts: HostChanges,
    staged: FxHashSet<CanonicalUrl>,
    /// How the URLs stood in the queue.
    entries: FxHashMap<CanonicalUrl, Entry>,
    /// New pages that were stored without having been queued.
    pub unasked: Vec<CanonicalUrl>,
    recrawl: RecrawlRules,
}

/// How a URL whose record is stored stood in the queue.
#[derive(Clone, Copy, Debug)]
struct Entry {
    depth: u16,
    /// Whether it stays in the queue.
    stays: bool,
}

/// A visit on its way into the batch.
struct Visited<'a> {
    url: &'a CanonicalUrl,
    key: &'a Surt,
    old: Option<StoredPage>,
    visited: u64,
    today: Day,
}

impl Visited<'_> {
    /// The day of the page's first visit, which is no later than this one.
    fn first_day(&self) -> Day {
        self.old.as_ref().map_or(self.today, |page| page.ins_day.min(self.today))
    }
}

/// A page's links before and after a visit, as the other column families see them.
struct LinkChange<'a> {
    url: &'a CanonicalUrl,
    old: &'a [OutlinkRecord],
    new: &'a [OutlinkRecord],
    /// Former ones that are among neither.
    forgotten: &'a [OutlinkRecord],
    /// Whether what backlinks show of their page changed.
    page_changed: bool,
    page: &'a StoredPage,
}

impl<'a> Stage<'a> {
    pub fn new(store: &'a Store) -> Self {
        Self {
            store,
            batch: WriteBatch::default(),
            counters: CounterChange::default(),
            pairs: PairChanges::default(),
            changed: ChangedDomains::default(),
            hosts: HostChanges::default(),
            staged: FxHashSet::default(),
            entries: FxHashMap::default(),
            unasked: Vec::new(),
            recrawl: store.recrawl(),
        }
    }

    /// Tells how the URLs whose records come stand in the queue.
    pub fn announce(&mut self, done: &[QueuedUrl], retried: &[QueuedUrl]) {
        for (entries, stays) in [(done, false), (retried, true)] {
            for entry in entries.iter().filter(|entry| entry.target == Target::Page) {
                self.entries.insert(entry.url.clone(), Entry { depth: entry.depth, stays });
            }
        }
    }

    /// A stage for what comes after this one.
    pub fn successor(&mut self) -> Self {
        let (entries, unasked) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.unasked));
        Self { entries, unasked, ..Self::new(self.store) }
    }

    /// Whether a record of this URL must wait for the next stage, for one was added to this; or any, for this is
    /// large.
    pub fn has_no_room_for(&self, url: &CanonicalUrl) -> bool {
        self.staged.contains(url) || self.batch.size_in_bytes() >= MOST_BATCH_BYTES
    }

    /// Adds all that one record changes.
    pub fn record(&mut self, record: PageRecord) -> Result<(), StoreError> {
        self.staged.insert(record.url.clone());
        let key = Surt::from(&record.url);
        let old = self.store.read_page(key.as_bytes())?;
        if self.entries.contains_key(&record.url) {
            self.hosts.add_visit(self.store, QueueName::of_surt(key.as_bytes()), &record)?;
        }
        let today = day_of_visit(record.visited);
        let PageRecord { url, visited, visit } = record;
        let visited = Visited { url: &url, key: &key, old, visited, today };
        match visit {
            Visit::Failed(kind, cause) => self.failed(visited, kind, cause),
            Visit::NotModified => self.not_modified(visited),
            Visit::Answered(content) if content.settles_links() => self.settled(visited, *content),
            Visit::Answered(content) => self.unsettled(visited, *content),
        }
    }

    fn failed(&mut self, visit: Visited<'_>, kind: FailureKind, cause: String) -> Result<(), StoreError> {
        let first = || StoredPage { ins_day: visit.today, ..StoredPage::default() };
        let mut page = visit.old.clone().unwrap_or_else(first);
        page.failures = page.failures.saturating_add(1);
        (page.last_failure, page.cause) = (kind as u8, cause);
        self.redate(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    /// An answer that says nothing about the page's links: the code is recorded, all else stays as it was.
    fn unsettled(&mut self, visit: Visited<'_>, content: PageContent) -> Result<(), StoreError> {
        let failures = visit.old.as_ref().map_or(0, |page| page.failures).saturating_add(1);
        let (challenge, cause) = (content.challenge, content.cause.clone());
        let mut page = match &visit.old {
            Some(known) if known.upd_day != Day::default() => {
                StoredPage { status: content.status, ..known.clone() }
            }
            _ => {
                let ins_day = visit.first_day();
                // An error page is not the page, even if it is HTML.
                let shown = stored(content, &[], ins_day, visit.today);
                StoredPage { upd_day: Day::default(), html: false, ..shown }
            }
        };
        page.failures = failures;
        page.last_failure = if challenge { FailureKind::Challenge as u8 } else { 0 };
        page.cause = cause;
        self.redate(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    fn not_modified(&mut self, visit: Visited<'_>) -> Result<(), StoreError> {
        // A 304 for a page that was never settled answers a question nobody asked; there is nothing to renew.
        let Some(old) = visit.old.as_ref().filter(|page| page.upd_day != Day::default()) else {
            return Ok(());
        };
        let cause = String::new();
        let mut page =
            StoredPage { upd_day: visit.today, failures: 0, last_failure: 0, cause, ..old.clone() };
        self.redate(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    /// Brings the days of a page whose links stay as they are to its visit, and stages the links if that changes what
    /// they show.
    fn redate(&mut self, visit: &Visited<'_>, page: &mut StoredPage) -> Result<(), StoreError> {
        let span = bring_page(page, visit.today);
        let days = |page: &StoredPage| (page.ins_day, page.upd_day);
        if visit.old.as_ref().is_none_or(|old| days(old) == days(page)) {
            return Ok(());
        }
        let old = self.store.read_outlinks(visit.url, visit.key.as_bytes())?;
        let new = span.bring_all(&old);
        if matches!(new, Cow::Owned(_)) {
            self.put_links(visit, &new)?;
        }
        let (url, old, new, forgotten) = (visit.url, &old, &new, &[][..]);
        self.links(&LinkChange { url, old, new, forgotten, page_changed: true, page })
    }

    fn put_links(&mut self, visit: &Visited<'_>, links: &[OutlinkRecord]) -> Result<(), StoreError> {
        self.changed.add_outgoing(self.store.suffixes.domain_of(visit.url.host()));
        let (family, key) = (self.store.family(OUTLINKS)?, visit.key.as_bytes());
        if links.is_empty() {
            self.batch.delete_cf(family, key);
        } else {
            self.batch.put_cf(family, key, values::encode_outlinks(visit.url, links));
        }
        Ok(())
    }

    fn settled(&mut self, visit: Visited<'_>, mut content: PageContent) -> Result<(), StoreError> {
        let (url, key) = (visit.url, visit.key.as_bytes());
        let old_links = match &visit.old {
            Some(_) => self.store.read_outlinks(url, key)?,
            None => Vec::new(),
        };
        if is_gone(content.status) {
            // What the error page links to are not the page's links.
            content.links.clear();
        }
        // Neither a redirect nor word that the page is gone has an end that could be missing.
        let cut = content.cut.is_some() && (200..=299).contains(&content.status);
        let found = std::mem::take(&mut content.links);
        let ins_day = visit.first_day();
        let span = DaySpan { first: ins_day, last: visit.today };
        let Merged { links, forgotten } =
            diff::merge(url, old_links.clone(), found, span, cut, self.store.bounds);
        let mut page = stored(content, &links, ins_day, visit.today);
        if let (true, Some(old)) = (cut, visit.old.as_ref().filter(|old| old.upd_day != Day::default())) {
            keep_beyond_cut(&mut page, old);
        }
        let page_changed = visit.old.as_ref().is_none_or(|old| old.source() != page.source());
        let (old, new, forgotten) = (&old_links, &links, &forgotten);
        self.links(&LinkChange { url, old, new, forgotten, page_changed, page: &page })?;
        if links != old_links {
            self.put_links(&visit, &links)?;
        }
        let change = match &visit.old {
            Some(old) if links != old_links || shows_else(old, &page) => Change::Links,
            // The text of an error page is not the page's.
            Some(old) if old.digest == page.digest || is_gone(page.status) => Change::None,
            _ => Change::Text,
        };
        self.put_page(&visit, page, change)
    }

    /// Stores a page, and when it is visited next.
    fn put_page(
        &mut self,
        visit: &Visited<'_>,
        mut page: StoredPage,
        change: Change,
    ) -> Result<(), StoreError> {
        let (old, key) = (visit.old.as_ref(), visit.key.as_bytes());
        let entry = self.entries.get(visit.url).copied();
        if old.is_none() && entry.is_none() {
            self.unasked.push(visit.url.clone());
        }
        let change = match old {
            Some(old) if old.interval != 0 || old.next_visit != 0 => change,
            _ => Change::First,
        };
        page.visited = visit.visited;
        page.depth = entry.map_or_else(|| old.map_or(0, |page| page.depth), |entry| entry.depth);
        page.interval = old.map_or(0, |page| page.interval);
        self.store.stage_unscheduled(&mut self.batch, old.map_or(0, |page| page.next_visit), key)?;
        if entry.is_some_and(|entry| entry.stays) {
            page.next_visit = 0;
        } else {
            page.interval = self.recrawl.next(page.interval, change);
            // At 0 it would stand nowhere.
            page.next_visit = (visit.visited + u64::from(page.interval)).max(1);
            let scheduled = Scheduled { depth: page.depth, pageless: false };
            self.store.stage_scheduled(&mut self.batch, page.next_visit, key, scheduled)?;
        }
        if page_differs(old, &page) {
            self.changed.add_outgoing(self.store.suffixes.domain_of(visit.url.host()));
        }
        let html = |page: Option<&StoredPage>| i64::from(page.is_some_and(|page| page.html));
        self.counters.visited += i64::from(old.is_none());
        self.counters.html += html(Some(&page)) - html(old);
        self.batch.put_cf(self.store.family(PAGES)?, key, values::encode_page(&page));
        Ok(())
    }

    /// Backlink records, host pairs and counters after a change of a page's links.
    fn links(&mut self, change: &LinkChange<'_>) -> Result<(), StoreError> {
        self.backlinks(change)?;
        self.pairs.add(change.url, change.old, change.new);
        let count = |links: &[OutlinkRecord], which: fn(&OutlinkRecord) -> bool| {
            links.iter().filter(|link| which(link)).count() as i64
        };
        let differs = |which| count(change.new, which) - count(change.old, which);
        self.counters.active += differs(OutlinkRecord::is_active);
        self.counters.external += differs(|link| link.external && link.is_active());
        self.counters.inactive += differs(|link| !link.is_active());
        Ok(())
    }

    fn backlinks(&mut self, change: &LinkChange<'_>) -> Result<(), StoreError> {
        let suffixes = &self.store.suffixes;
        let old_counts = per_domain(change.old, suffixes);
        let new_counts = per_domain(change.new, suffixes);
        let known: HashMap<(&CanonicalUrl, u32), &OutlinkRecord> = if change.page_changed {
            HashMap::default()
        } else {
            change.old.iter().map(|link| ((&link.target, link.seq), link)).collect()
        };
        let family = self.store.family(BACKLINKS)?;
        let source = Surt::from(change.url);
        let shown = change.page.source();
        for link in change.new.iter().filter(|link| link.external) {
            let domain = suffixes.domain_of(link.target.host());
            let blpcount = new_counts.get(domain).copied().unwrap_or(0);
            let same_count = old_counts.get(domain).copied().unwrap_or(0) == blpcount;
            if same_count && known.get(&(&link.target, link.seq)) == Some(&link) {
                continue;
            }
            // A pair whose sums change has a row that changes or goes.
            self.changed.add_incoming(domain);
            let key = keys::backlink(&link.target, source.as_bytes(), link.seq);
            self.batch.put_cf(family, key, values::encode_backlink(link, blpcount, &shown));
        }
        for link in change.forgotten.iter().filter(|link| link.external) {
            self.changed.add_incoming(suffixes.domain_of(link.target.host()));
            self.batch.delete_cf(family, keys::backlink(&link.target, source.as_bytes(), link.seq));
        }
        Ok(())
    }

    /// The sums' changes; then the batch is whole, but for the numbers of the domains that it changes.
    pub fn finish(mut self) -> Result<(WriteBatch, ChangedDomains), StoreError> {
        let change = self.counters;
        let sums = [change.visited, change.html, change.active, change.external, change.inactive];
        if sums != [0; 5] {
            self.batch.merge_cf(self.store.family(META)?, meta::COUNTERS, encode_sums(&sums));
        }
        self.pairs.stage(self.store, &mut self.batch)?;
        self.hosts.stage(self.store, &mut self.batch)?;
        Ok((self.batch, self.changed))
    }
}

/// What a body that is cut does not say stays as it was.
fn keep_beyond_cut(page: &mut StoredPage, old: &StoredPage) {
    if page.title.is_empty() {
        page.title.clone_from(&old.title);
    }
    if page.description.is_empty() {
        page.description.clone_from(&old.description);
    }
    if page.canonical.is_none() {
        page.canonical.clone_from(&old.canonical);
    }
}

/// Whether a visit found something that the index shows, the links aside.
fn shows_else(old: &StoredPage, new: &StoredPage) -> bool {
    old.status != new.status
        || old.title != new.title
        || old.canonical != new.canonical
        || old.directives != new.directives
}

fn is_gone(status: u16) -> bool {
    matches!(status, 404 | 410)
}

/// Active external links per registrable domain of their target.
pub(super) fn per_domain<'a>(links: &'a [OutlinkRecord], suffixes: &Suffixes) -> FxHashMap<&'a str, u32> {
    let mut counts = FxHashMap::default();
    for link in links.iter().filter(|link| link.external && link.is_active()) {
        *counts.entry(suffixes.domain_of(link.target.host())).or_insert(0) += 1;
    }
    counts
}

fn stored(content: PageContent, links: &[OutlinkRecord], ins_day: Day, today: Day) -> StoredPage {
    let active = links.iter().filter(|link| link.is_active());
    let external = active.clone().filter(|link| link.external).count();
    StoredPage {
        status: content.status,
        content_type: content.content_type,
        charset: content.charset,
        title: content.title,
        description: content.description,
        ip: content.ip,
        place: content.place,
        directives: content.directives,
        canonical: content.canonical,
        html: content.html,
        cut: content.cut,
        tls: content.tls,
        cause: content.cause,
        digest: content.digest,
        etag: content.etag,
        last_modified: content.last_modified,
        ins_day,
        upd_day: today,
        visited: 0,
        failures: 0,
        last_failure: 0,
        depth: 0,
        next_visit: 0,
        interval: 0,
        int_links: u32::try_from(active.count() - external).unwrap_or(u32::MAX),
        ext_links: u32::try_from(external).unwrap_or(u32::MAX),
    }
}
