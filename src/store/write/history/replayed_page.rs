//! A page with its links as visits change it, in order of time: the replay of a history. Pure.

use crate::model::{Day, Link, OutlinkRecord, PageContent, StoredPage};
use crate::store::codec::varint::Damage;
use crate::store::write::days::{DaySpan, day_of_visit};
use crate::store::write::diff::{HistoryLimits, merge_links};
use crate::store::write::stored_page::{
    first_day_of, hides_links, page_after_failure, page_after_inconclusive, page_after_not_modified,
    page_after_response, stored_page_of,
};
use crate::urls::CanonicalUrl;

use super::past_visit::PastVisit;

/// A page and its links, active and lost. No page: it was never visited. The plan of visits is not set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::store) struct ReplayedPage {
    pub page: Option<StoredPage>,
    pub links: Vec<OutlinkRecord>,
}

impl ReplayedPage {
    /// The state after encoded visits, which are in order of time and later than those so far.
    pub(crate) fn replay(
        mut self,
        url: &CanonicalUrl,
        visits: &[Vec<u8>],
        limits: HistoryLimits,
    ) -> Result<Self, Damage> {
        for bytes in visits {
            let (time, visit) = PastVisit::decode(url, bytes)?;
            self.apply(url, time, visit, limits);
        }
        Ok(self)
    }

    /// Applies a visit that is later than those so far.
    pub(crate) fn apply(&mut self, url: &CanonicalUrl, time: u64, visit: PastVisit, limits: HistoryLimits) {
        let (old, today) = (self.page.as_ref(), day_of_visit(time));
        let page = match visit {
            PastVisit::Failed(kind, cause) => page_after_failure(old, today, kind, cause),
            PastVisit::Inconclusive(content) => page_after_inconclusive(old, today, *content),
            PastVisit::NotModified => match page_after_not_modified(old, today) {
                Some(page) => page,
                None => return,
            },
            PastVisit::Conclusive(content) => {
                let cut = hides_links(&content.facts);
                self.after_response(url, *content, (today, cut), limits)
            }
            PastVisit::Latest(page, links) => {
                let StoredPage { facts, cause, .. } = *page;
                // The stored facts and links include what a cut hides.
                let content = PageContent { facts, cause, links, challenge: false };
                self.after_response(url, content, (today, false), limits)
            }
            PastVisit::Shown(links, _) => self.after_shown(url, links, today, limits),
            PastVisit::Unsettled(stored) => page_after_failures(old, today, *stored),
        };
        self.page = Some(StoredPage { visited: time, ..page });
    }

    /// The page after a visit of which only the links are known. A lost link keeps its position, so it must be right.
    fn after_shown(
        &mut self,
        url: &CanonicalUrl,
        shown: Vec<(Link, u32)>,
        today: Day,
        limits: HistoryLimits,
    ) -> StoredPage {
        let old = self.page.as_ref();
        let facts = old.map(|page| page.facts.clone()).unwrap_or_default();
        let first_day = first_day_of(old, today);
        let span = DaySpan { first: first_day, last: today };
        let (links, positions): (Vec<Link>, Vec<u32>) = shown.into_iter().unzip();
        let known = std::mem::take(&mut self.links);
        self.links = merge_links(url, known, links, span, false, limits).links;
        self.links.iter_mut().zip(positions).for_each(|(link, pos)| link.pos = pos);
        stored_page_of(PageContent { facts, ..PageContent::default() }, &self.links, first_day, today)
    }

    fn after_response(
        &mut self,
        url: &CanonicalUrl,
        content: PageContent,
        how: (Day, bool),
        limits: HistoryLimits,
    ) -> StoredPage {
        let old = (self.page.as_ref(), std::mem::take(&mut self.links));
        let (page, merged) = page_after_response(url, old, content, how, limits);
        self.links = merged.links;
        page
    }
}

/// The page after the failures of the crawler that `stored` has.
fn page_after_failures(old: Option<&StoredPage>, today: Day, stored: StoredPage) -> StoredPage {
    let first = || StoredPage { first_day: today, ..StoredPage::default() };
    let mut page = old.cloned().unwrap_or_else(first);
    if stored.failures == 0 {
        return page;
    }
    page.failures = page.failures.max(stored.failures);
    (page.last_failure, page.cause) = (stored.last_failure, stored.cause);
    if page.fetched_day == Day::default() && stored.facts.status != 0 {
        page.facts = stored.facts;
    } else if stored.facts.status != 0 && !PageContent::status_determines_links(stored.facts.status) {
        page.facts.status = stored.facts.status;
    }
    page
}
