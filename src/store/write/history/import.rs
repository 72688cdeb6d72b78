//! The door of visits from archives: in any order, of any age. See [`super`].
//!
//! A page that an import brings is not known to the crawl, unless the caller wants that: it is neither queued nor
//! scheduled nor in the seen set. So a crawl that discovers it fetches it as a new page. The plan of a page that the
//! crawl knows stays as it is.

use hashbrown::HashMap;

use crate::clock::unix_now;
use crate::model::{CLOCK_ERROR, OutlinkRecord, StoredPage, VisitRecord};
use crate::policy::Change;
use crate::store::codec::schedule_entry::ScheduleEntry;
use crate::store::db::schema::VISITS;
use crate::store::queue::sitemaps::SitemapRows;
use crate::store::write::builder::{CommitBuilder, LinkChange};
use crate::store::{Store, StoreError};
use crate::urls::{CanonicalUrl, Surt};

use super::intervals::derived_visits;
use super::page_history::{PageHistory, drop_middle};
use super::past_visit::{PastVisit, time_of};
use super::replayed_page::ReplayedPage;

/// Maximum number of unmerged URLs while pages are imported: 16 bytes of memory each.
const MAX_UNMERGED: usize = 1 << 20;

/// How visits are imported.
#[derive(Clone, Copy, Debug)]
pub struct ImportPolicy {
    /// Whether new pages are scheduled, as after a visit of the crawler. Old ones are due at once.
    pub follow: bool,
    /// The present, as Unix time. Later visits are refused, because a day in the future is an error.
    pub now: u64,
}

impl Default for ImportPolicy {
    fn default() -> Self {
        Self { follow: false, now: unix_now() }
    }
}

/// What an import did with its visits. Each visit counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Visits that are in the index now.
    pub stored: u64,
    /// Visits that it had before, with the same time and content.
    pub known: u64,
    /// Visits whose time lies in the future.
    pub in_future: u64,
    /// Visits beyond `store.max_past_visits`, earlier ones included that had to give way.
    pub beyond_limit: u64,
}

/// An imported page before its new visits.
struct ImportedPage<'a> {
    url: &'a CanonicalUrl,
    key: Surt,
    old: Option<StoredPage>,
    old_links: Vec<OutlinkRecord>,
    history: Option<PageHistory>,
}

impl Store {
    /// Stores visits of any age, in any order. Equal sets of visits give equal pages, links and counts, in any order and
    /// any division into calls. Each page is stored with all of its visits of one call, or not at all.
    ///
    /// # Errors
    /// As [`Self::commit`]. Earlier pages of the call may be stored then; the same call again stores the rest.
    pub fn import(&self, visits: &[VisitRecord], policy: ImportPolicy) -> Result<ImportCounts, StoreError> {
        let mut counts = ImportCounts::default();
        for chunk in visits.chunks(self.batch_pages) {
            self.import_chunk(chunk, policy, &mut counts)?;
            if self.unmerged_urls() >= MAX_UNMERGED {
                self.merge_discovered()?;
            }
        }
        Ok(counts)
    }

    fn import_chunk(
        &self,
        visits: &[VisitRecord],
        policy: ImportPolicy,
        counts: &mut ImportCounts,
    ) -> Result<(), StoreError> {
        let latest = policy.now.saturating_add(CLOCK_ERROR);
        let mut pages: Vec<Vec<&VisitRecord>> = Vec::with_capacity(visits.len());
        let mut places: HashMap<&CanonicalUrl, usize> = HashMap::with_capacity(visits.len());
        for visit in visits {
            if visit.visited > latest {
                counts.in_future += 1;
                continue;
            }
            let place = *places.entry(&visit.url).or_insert(pages.len());
            match pages.get_mut(place) {
                Some(page) => page.push(visit),
                None => pages.push(vec![visit]),
            }
        }
        let mut writer = self.lock_writes();
        let mut builder = CommitBuilder::new(self);
        for page in pages {
            if let Some(first) = page.first()
                && builder.must_be_written_before(&first.url)
            {
                let next = builder.next_batch();
                self.write_commit(std::mem::replace(&mut builder, next))?;
            }
            builder.import_page(&page, policy, counts)?;
        }
        let never_queued = std::mem::take(&mut builder.never_queued);
        let batch = &mut builder.batch;
        let (unmerged_row, _) =
            self.add_discovered(batch, &mut SitemapRows::default(), &writer, Vec::new(), never_queued)?;
        self.write_commit(builder)?;
        writer.confirm_unmerged_row(self, unmerged_row);
        Ok(())
    }
}

impl CommitBuilder<'_> {
    /// Adds all changes of the visits to one page.
    fn import_page(
        &mut self,
        visits: &[&VisitRecord],
        policy: ImportPolicy,
        counts: &mut ImportCounts,
    ) -> Result<(), StoreError> {
        let Some(url) = visits.first().map(|visit| &visit.url) else { return Ok(()) };
        let key = Surt::from(url);
        let old = self.store.read_page(key.as_bytes())?;
        let old_links = match old {
            Some(_) => self.store.read_outlinks(url, key.as_bytes())?,
            None => Vec::new(),
        };
        let history = self.store.read_page_history(key.as_bytes())?;
        let page = ImportedPage { url, key, old, old_links, history };
        match (visits, &page.old, &page.history) {
            (&[visit], None, None) => self.import_first_visit(&page, visit, policy, counts),
            _ => self.import_into_history(&page, visits, policy, counts),
        }
    }

    /// Adds the first visit of a page. Its history is a mark, unless it makes no page.
    fn import_first_visit(
        &mut self,
        page: &ImportedPage<'_>,
        visit: &VisitRecord,
        policy: ImportPolicy,
        counts: &mut ImportCounts,
    ) -> Result<(), StoreError> {
        let mut state = ReplayedPage::default();
        state.apply(page.url, visit.visited, PastVisit::of(visit), self.store.history_limits);
        let visits = match state.page {
            Some(_) => None,
            None => Some(vec![PastVisit::of(visit).encode(page.url, visit.visited)]),
        };
        counts.stored += 1;
        self.put_imported(page, PageHistory { visits, ..PageHistory::default() }, state, policy)
    }

    /// Adds visits to a page that has some, or several at once.
    fn import_into_history(
        &mut self,
        page: &ImportedPage<'_>,
        visits: &[&VisitRecord],
        policy: ImportPolicy,
        counts: &mut ImportCounts,
    ) -> Result<(), StoreError> {
        let limit = self.store.max_past_visits;
        let (mut known, is_derived) = page.known_visits(limit);
        let mut added: Vec<Vec<u8>> =
            visits.iter().map(|visit| PastVisit::of(visit).encode(page.url, visit.visited)).collect();
        added.sort();
        added.dedup();
        added.retain(|visit| known.binary_search(visit).is_err());
        counts.known += (visits.len() - added.len()) as u64;
        if added.is_empty() {
            return self.follow_known(page, policy);
        }
        let is_later = !is_derived && known.last() < added.first();
        known.extend_from_slice(&added);
        known.sort();
        let dropped = drop_middle(&mut known, limit);
        let lost = added.iter().filter(|visit| dropped.contains(visit)).count();
        counts.beyond_limit += dropped.len() as u64;
        counts.stored += (added.len() - lost) as u64;
        let (state, visits) = match is_later && dropped.is_empty() {
            true => (ReplayedPage { page: page.old.clone(), links: page.old_links.clone() }, &added),
            false => (ReplayedPage::default(), &known),
        };
        let state = state.replay(page.url, visits, self.store.history_limits);
        let state = state.map_err(|damage| StoreError::damaged(VISITS, page.key.as_bytes(), damage.0))?;
        let at_rest = page.history.as_ref().is_some_and(|history| history.at_rest);
        self.put_imported(
            page,
            PageHistory { at_rest, visited_live: false, visits: Some(known) },
            state,
            policy,
        )
    }

    /// Schedules a page that is at rest, if the policy says so.
    fn follow_known(&mut self, page: &ImportedPage<'_>, policy: ImportPolicy) -> Result<(), StoreError> {
        let (Some(_), Some(history), true) = (&page.old, &page.history, policy.follow) else { return Ok(()) };
        let state = ReplayedPage { page: page.old.clone(), links: page.old_links.clone() };
        self.put_imported(page, history.clone(), state, policy)
    }

    /// Writes what differs from the stored rows of a page.
    fn put_imported(
        &mut self,
        page: &ImportedPage<'_>,
        mut history: PageHistory,
        state: ReplayedPage,
        policy: ImportPolicy,
    ) -> Result<(), StoreError> {
        let (url, key, old) = (page.url, &page.key, page.old.as_ref());
        self.note_url(url);
        if let Some(mut new) = state.page {
            history.at_rest |= old.is_none();
            (new.depth, new.next_visit, new.interval) =
                old.map_or((0, 0, 0), |old| (old.depth, old.next_visit, old.interval));
            if policy.follow && history.at_rest && new.next_visit == 0 {
                history.at_rest = false;
                self.schedule_first(url, key, &mut new)?;
            }
            self.put_imported_links(page, &new, &state.links)?;
            if old != Some(&new) {
                self.put_page_row(url, key, old, &new)?;
            }
        }
        if page.history.as_ref() != Some(&history) {
            self.batch.put(VISITS, key.as_bytes(), history.encode()?)?;
        }
        Ok(())
    }

    /// Writes what differs from the stored links of a page.
    fn put_imported_links(
        &mut self,
        page: &ImportedPage<'_>,
        new: &StoredPage,
        links: &[OutlinkRecord],
    ) -> Result<(), StoreError> {
        let (url, old) = (page.url, &page.old_links);
        let page_changed = page.old.as_ref().is_none_or(|old| old.source() != new.source());
        if page_changed || old != links {
            let dropped = &links_without(old, links)[..];
            self.add_link_change(&LinkChange { url, old, new: links, dropped, page_changed, page: new })?;
        }
        if old == links { Ok(()) } else { self.put_links(url, &page.key, links) }
    }

    /// Schedules a page that the crawl does not know, as after its first visit.
    fn schedule_first(
        &mut self,
        url: &CanonicalUrl,
        key: &Surt,
        page: &mut StoredPage,
    ) -> Result<(), StoreError> {
        page.interval = self.revisit_rules.next_interval(0, Change::First);
        page.next_visit = (page.visited + u64::from(page.interval)).max(1);
        let scheduled = ScheduleEntry { depth: page.depth, pageless: false };
        self.never_queued.push(url.clone());
        self.store.put_scheduled(&mut self.batch, page.next_visit, key.as_bytes(), scheduled)
    }
}

impl ImportedPage<'_> {
    /// All visits that the index has of the page, sorted, and whether some are derived from the intervals of its links.
    fn known_visits(&self, limit: usize) -> (Vec<Vec<u8>>, bool) {
        let mut history = self.history.clone();
        if let (Some(history), Some(page)) = (&mut history, &self.old)
            && history.is_only_visit()
        {
            history.keep_only_visit(self.url, page, &self.old_links);
        }
        let is_derived = history.as_ref().is_none_or(|history| history.lacks_visits_of(self.old.as_ref()));
        let mut known = history.and_then(|history| history.visits).unwrap_or_default();
        let (Some(page), true) = (&self.old, is_derived) else { return (known, false) };
        let after = known.last().map(|visit| time_of(visit));
        let derived = derived_visits(page, &self.old_links, after, limit);
        known.extend(derived.into_iter().map(|(time, visit)| visit.encode(self.url, time)));
        known.sort();
        (known, true)
    }
}

/// The links whose target and seq no link of `other` has.
fn links_without(links: &[OutlinkRecord], other: &[OutlinkRecord]) -> Vec<OutlinkRecord> {
    let kept: hashbrown::HashSet<(&CanonicalUrl, u32)> =
        other.iter().map(|link| (&link.target, link.seq)).collect();
    links.iter().filter(|link| !kept.contains(&(&link.target, link.seq))).cloned().collect()
}
