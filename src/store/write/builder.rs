//! Builds the batch of a commit from visit records.
//!
//! The batch has no day after its visit and no days out of order, even if the clock was set back since the previous
//! visit ([`super::days`]).

use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};

use crate::model::{
    Day, Disposition, FailureKind, OutlinkRecord, PageContent, QueueEntry, QueueName, StoredPage, Target,
    Visit, VisitRecord,
};
use crate::policy::{Change, RevisitRules};
use crate::store::codec::keys;
use crate::store::codec::schedule_entry::ScheduleEntry;
use crate::store::codec::sums::encode_sums;
use crate::store::db::rows::RowBatch;
use crate::store::db::schema::{BACKLINKS, META, OUTLINKS, PAGES, VISITS};
use crate::store::{Store, StoreError, codec, meta};
use crate::urls::{CanonicalUrl, Suffixes, Surt};

use super::change_numbers::{ChangedDomains, page_differs};
use super::days::{clamp_page, day_of_visit};
use super::diff::MergedLinks;
use super::history::page_history::is_marked_live;
use super::host_pairs::PairChanges;
use super::hosts::HostChanges;
use super::stored_page::{
    differs_visibly, hides_links, is_gone, page_after_failure, page_after_inconclusive,
    page_after_not_modified, page_after_response,
};

/// Size of a batch in bytes beyond which it takes no further record. The rows of one page's links can take tens of
/// megabytes.
const MAX_ROW_BATCH_BYTES: usize = 64 << 20;

/// The change of the counters that `stats` shows.
#[derive(Clone, Copy, Debug, Default)]
struct CounterChange {
    visited: i64,
    html: i64,
    active: i64,
    external: i64,
    lost: i64,
}

/// Collects the changes of visit records for one batch. Each URL may have one record: a second would not see the
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
    entry_states: HashMap<CanonicalUrl, EntryState>,
    /// New pages that are stored without having been queued.
    pub never_queued: Vec<CanonicalUrl>,
    pub revisit_rules: RevisitRules,
}

/// The state in the queue of a URL whose record is stored.
#[derive(Clone, Copy, Debug)]
struct EntryState {
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

/// The links of a page before and after a visit, as other column families see them.
pub(super) struct LinkChange<'a> {
    pub url: &'a CanonicalUrl,
    pub old: &'a [OutlinkRecord],
    pub new: &'a [OutlinkRecord],
    /// Links that are deleted.
    pub dropped: &'a [OutlinkRecord],
    /// Whether a field that backlinks copy from the page has changed.
    pub page_changed: bool,
    pub page: &'a StoredPage,
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
            entry_states: HashMap::new(),
            never_queued: Vec::new(),
            revisit_rules: store.revisit_rules(),
        }
    }

    /// Sets the state in the queue of the URLs whose records follow.
    pub(crate) fn set_queue_state(&mut self, dispositions: &[(QueueEntry, Disposition)]) {
        // A retry comes last, so that it wins over another entry of the same URL.
        for (wanted, stays) in [(Disposition::Fetched, false), (Disposition::Retry, true)] {
            let entry_states = dispositions.iter().filter(|(_, disposition)| *disposition == wanted);
            for (entry, _) in entry_states.filter(|(entry, _)| entry.target == Target::Page) {
                self.entry_states.insert(entry.url.clone(), EntryState { depth: entry.depth, stays });
            }
        }
    }

    /// The builder for the next batch of the same commit.
    pub(crate) fn next_batch(&mut self) -> Self {
        let (entry_states, never_queued) =
            (std::mem::take(&mut self.entry_states), std::mem::take(&mut self.never_queued));
        Self { entry_states, never_queued, ..Self::new(self.store) }
    }

    /// Whether the batch must be written before a record of this URL is added: it has one of the same URL already, or
    /// it is large.
    pub(crate) fn must_be_written_before(&self, url: &CanonicalUrl) -> bool {
        self.urls.contains(url) || self.batch.size_in_bytes() >= MAX_ROW_BATCH_BYTES
    }

    /// Notes a URL whose record the batch has.
    pub(super) fn note_url(&mut self, url: &CanonicalUrl) {
        self.urls.insert(url.clone());
    }

    /// Adds all changes of one record.
    pub(crate) fn add_record(&mut self, record: VisitRecord) -> Result<(), StoreError> {
        self.note_url(&record.url);
        let key = Surt::from(&record.url);
        let old = self.store.read_page(key.as_bytes())?;
        if self.entry_states.contains_key(&record.url) {
            self.hosts.add_visit(self.store, QueueName::of_surt(key.as_bytes()), &record)?;
        }
        let today = day_of_visit(record.visited);
        let VisitRecord { url, visited, visit } = record;
        let page_visit = PageVisit { url: &url, key: &key, old, visited, today };
        match visit {
            Visit::Failed(kind, cause) => self.add_failed(page_visit, kind, cause),
            Visit::NotModified => self.add_not_modified(page_visit),
            Visit::Responded(content) if content.determines_links() => {
                self.add_conclusive(page_visit, *content)
            }
            Visit::Responded(content) => self.add_inconclusive(page_visit, *content),
        }
    }

    fn add_failed(
        &mut self,
        visit: PageVisit<'_>,
        kind: FailureKind,
        cause: String,
    ) -> Result<(), StoreError> {
        let mut page = page_after_failure(visit.old.as_ref(), visit.today, kind, cause);
        self.clamp_days(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    fn add_inconclusive(&mut self, visit: PageVisit<'_>, content: PageContent) -> Result<(), StoreError> {
        let mut page = page_after_inconclusive(visit.old.as_ref(), visit.today, content);
        self.clamp_days(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    fn add_not_modified(&mut self, visit: PageVisit<'_>) -> Result<(), StoreError> {
        let Some(mut page) = page_after_not_modified(visit.old.as_ref(), visit.today) else {
            return Ok(());
        };
        self.clamp_days(&visit, &mut page)?;
        self.put_page(&visit, page, Change::None)
    }

    /// Clamps the days of a page whose links stay unchanged to this visit. Updates the links if that changes the data
    /// that they show.
    fn clamp_days(&mut self, visit: &PageVisit<'_>, page: &mut StoredPage) -> Result<(), StoreError> {
        let span = clamp_page(page, visit.today);
        let days = |page: &StoredPage| (page.first_day, page.fetched_day);
        if visit.old.as_ref().is_none_or(|old| days(old) == days(page)) {
            return Ok(());
        }
        let old = self.store.read_outlinks(visit.url, visit.key.as_bytes())?;
        let new = span.clamp_all(&old);
        if matches!(new, Cow::Owned(_)) {
            self.put_links(visit.url, visit.key, &new)?;
        }
        let (url, old, new, dropped) = (visit.url, &old, &new, &[][..]);
        self.add_link_change(&LinkChange { url, old, new, dropped, page_changed: true, page })
    }

    pub(super) fn put_links(
        &mut self,
        url: &CanonicalUrl,
        key: &Surt,
        links: &[OutlinkRecord],
    ) -> Result<(), StoreError> {
        self.changed.add_outgoing(self.store.suffixes.domain_of(url.host()));
        if links.is_empty() {
            self.batch.delete(OUTLINKS, key.as_bytes())
        } else {
            self.batch.put(OUTLINKS, key.as_bytes(), codec::encode_outlinks(url, links))
        }
    }

    fn add_conclusive(&mut self, visit: PageVisit<'_>, content: PageContent) -> Result<(), StoreError> {
        let (url, key) = (visit.url, visit.key.as_bytes());
        let old_links = match &visit.old {
            Some(_) => self.store.read_outlinks(url, key)?,
            None => Vec::new(),
        };
        let how = (visit.today, hides_links(&content.facts));
        let old = (visit.old.as_ref(), old_links.clone());
        let (page, MergedLinks { links, dropped }) =
            page_after_response(url, old, content, how, self.store.history_limits);
        let page_changed = visit.old.as_ref().is_none_or(|old| old.source() != page.source());
        let (old, new, dropped) = (&old_links, &links, &dropped);
        self.add_link_change(&LinkChange { url, old, new, dropped, page_changed, page: &page })?;
        if links != old_links {
            self.put_links(url, visit.key, &links)?;
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
        let entry = self.entry_states.get(visit.url).copied();
        if old.is_none() && entry.is_none() {
            self.never_queued.push(visit.url.clone());
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
            page.interval = self.revisit_rules.next_interval(page.interval, change);
            // A time of 0 means that the page is not scheduled.
            page.next_visit = (visit.visited + u64::from(page.interval)).max(1);
            let scheduled = ScheduleEntry { depth: page.depth, pageless: false };
            self.store.put_scheduled(&mut self.batch, page.next_visit, key, scheduled)?;
        }
        self.note_live_visit(visit, entry.is_some())?;
        self.put_page_row(visit.url, visit.key, old, &page)
    }

    /// Stores the record of a page, and counts it.
    pub(super) fn put_page_row(
        &mut self,
        url: &CanonicalUrl,
        key: &Surt,
        old: Option<&StoredPage>,
        page: &StoredPage,
    ) -> Result<(), StoreError> {
        if page_differs(old, page) {
            self.changed.add_outgoing(self.store.suffixes.domain_of(url.host()));
        }
        let html = |page: Option<&StoredPage>| i64::from(page.is_some_and(|page| page.facts.html));
        self.counters.visited += i64::from(old.is_none());
        self.counters.html += html(Some(page)) - html(old);
        self.batch.put(PAGES, key.as_bytes(), codec::encode_page(page))
    }

    /// Keeps the history of an imported page apart from a visit of the crawler, which is in the page and its links
    /// alone.
    fn note_live_visit(&mut self, visit: &PageVisit<'_>, is_queued: bool) -> Result<(), StoreError> {
        let Some(old) = &visit.old else { return Ok(()) };
        let key = visit.key.as_bytes();
        let is_newest = visit.visited >= old.visited;
        match self.store.get(VISITS, key)? {
            Some(row) if is_newest && is_marked_live(&row) => return Ok(()),
            Some(_) => {}
            None => return Ok(()),
        }
        let Some(mut history) = self.store.read_page_history(key)? else { return Ok(()) };
        if history.at_rest && !is_queued {
            // The schedule has it from now on.
            self.never_queued.push(visit.url.clone());
        }
        if !is_newest {
            // The clock was set back, so the order of the visits is unknown.
            return self.batch.delete(VISITS, key);
        }
        if history.is_only_visit() {
            history.keep_only_visit(visit.url, old, &self.store.read_outlinks(visit.url, key)?);
        }
        if history.note_live_visit() { self.batch.put(VISITS, key, history.encode()?) } else { Ok(()) }
    }

    /// Updates backlinks, host pairs and counters after a change of a page's links.
    pub(super) fn add_link_change(&mut self, change: &LinkChange<'_>) -> Result<(), StoreError> {
        self.put_backlinks(change)?;
        self.pairs.add(change.url, change.old, change.new);
        let count = |links: &[OutlinkRecord], which: fn(&OutlinkRecord) -> bool| {
            i64::try_from(links.iter().filter(|link| which(link)).count()).unwrap_or(i64::MAX)
        };
        let differs = |which| count(change.new, which) - count(change.old, which);
        self.counters.active += differs(OutlinkRecord::is_active);
        self.counters.external += differs(|link| link.external && link.is_active());
        self.counters.lost += differs(|link| !link.is_active());
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
            let key = keys::backlink_key(&link.target, source.as_bytes(), link.seq);
            self.batch.put(BACKLINKS, key, codec::encode_backlink(link, blpcount, &shown))?;
        }
        for link in change.dropped.iter().filter(|link| link.external) {
            self.changed.add_incoming(suffixes.domain_of(link.target.host()));
            self.batch.delete(BACKLINKS, keys::backlink_key(&link.target, source.as_bytes(), link.seq))?;
        }
        Ok(())
    }

    /// Adds the changes of sums and hosts. The batch is complete then, except for the change numbers of domains.
    pub(crate) fn finish(mut self) -> Result<(RowBatch<'a>, ChangedDomains), StoreError> {
        let change = self.counters;
        let sums = [change.visited, change.html, change.active, change.external, change.lost];
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
