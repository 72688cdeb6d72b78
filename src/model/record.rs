//! The data that the store returns: the current pages and links, with their history.

use std::fmt;
use std::net::IpAddr;

use super::{Day, LinkTag, PageFacts, Place, Rel};
use crate::urls::CanonicalUrl;

/// IV Search Rank in hundredths, 0 to 1000; shown with two decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchRank(pub u16);

impl SearchRank {
    pub const MAX: Self = Self(1000);
    /// The base of the logarithm.
    pub const BASE: f64 = 8.0;

    /// The rank as the API's number.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl fmt::Display for SearchRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

/// A period in which a link was absent: lost on one day and, perhaps, back on a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    pub lost: Day,
    /// `None` while the link is still absent, which only the last absence of a link can be.
    pub back: Option<Day>,
}

/// Whether a link with these absences is active.
pub fn is_active(absences: &[Absence]) -> bool {
    absences.last().is_none_or(|absence| absence.back.is_some())
}

/// A page in the index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredPage {
    /// From the last conclusive response; the status is that of the last response of all.
    pub facts: PageFacts,
    /// Day of the first visit.
    pub first_day: Day,
    /// Day of the last conclusive response, or of a 304 that confirmed it.
    pub fetched_day: Day,
    /// Unix time of the last visit, successful or not.
    pub visited: u64,
    /// Consecutive visits since the last conclusive response, or since a 304 that confirmed it.
    pub failures: u32,
    /// Code of the [`crate::model::FailureKind`] of the last visit; 0 for none. An error status such as 503 has none.
    pub last_failure: u8,
    /// The cause of the last failure, in words; empty when the last visit succeeded.
    pub cause: String,
    /// Active internal and external links.
    pub int_links: u32,
    pub ext_links: u32,
    /// Distance in links from a seed.
    pub depth: u16,
    /// Unix time of the next visit; 0 while the page is queued for another attempt.
    pub next_visit: u64,
    /// Planned seconds between the last two visits.
    pub interval: u32,
}

/// The outcome of the visits to a page, without its texts. The default is a page that was never visited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageOutcome {
    /// HTTP status of the last response; 0 when there was none.
    pub status: u16,
    /// Code of the [`crate::model::FailureKind`] of the last visit; 0 for none. An error status such as 503 has none.
    pub last_failure: u8,
    /// As [`StoredPage::failures`].
    pub failures: u32,
    /// Whether the last conclusive response was parsed as HTML.
    pub html: bool,
    /// Whether its body was cut.
    pub cut: bool,
}

/// A link of a stored page, active or not.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlinkRecord {
    pub target: CanonicalUrl,
    /// Distinguishes links of one page to one target; never reused for another link.
    pub seq: u32,
    /// Position at the last fetch that saw the link, from 1.
    pub pos: u32,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: String,
    pub external: bool,
    pub first_day: Day,
    pub absences: Vec<Absence>,
}

impl OutlinkRecord {
    pub fn is_active(&self) -> bool {
        is_active(&self.absences)
    }
}

/// The facts about its source page in a backlink.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourcePage {
    pub title: String,
    pub ip: Option<IpAddr>,
    pub place: Place,
    pub int_links: u32,
    pub ext_links: u32,
    /// As [`StoredPage::fetched_day`].
    pub fetched_day: Day,
}

/// An external link, stored by its target: all columns of the `backlinks` row, except the rank of the source.
#[derive(Clone, Debug, PartialEq)]
pub struct BacklinkRecord {
    pub source: CanonicalUrl,
    pub target: CanonicalUrl,
    pub seq: u32,
    pub pos: u32,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: String,
    pub first_day: Day,
    pub absences: Vec<Absence>,
    /// Active external links from the source page to the registrable domain of the target, including this one if it
    /// is active.
    pub blpcount: u32,
    pub page: SourcePage,
}

impl BacklinkRecord {
    pub fn is_active(&self) -> bool {
        is_active(&self.absences)
    }
}

impl StoredPage {
    /// The canonical URL of the page, if it differs from its own and is honoured. A redirect or a page that is gone
    /// (404, 410) has none. `url` is the URL of the page, and `links` are its active links.
    pub fn honoured_canonical<'p, 'l>(
        &'p self,
        url: &CanonicalUrl,
        links: impl IntoIterator<Item = &'l OutlinkRecord>,
    ) -> Option<&'p CanonicalUrl> {
        let canonical = self.facts.canonical.as_ref().filter(|canonical| *canonical != url)?;
        let is_gone = matches!(self.facts.status, 404 | 410);
        let is_redirect = || links.into_iter().any(|link| link.tag.is_redirect());
        (!is_gone && !is_redirect()).then_some(canonical)
    }

    /// The facts about this page for its backlinks.
    pub fn source(&self) -> SourcePage {
        SourcePage {
            title: self.facts.title.clone(),
            ip: self.facts.ip,
            place: self.facts.place.clone(),
            int_links: self.int_links,
            ext_links: self.ext_links,
            fetched_day: self.fetched_day,
        }
    }
}
