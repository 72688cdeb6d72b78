//! The URLs that no queue yields: those in flight, and those that are skipped.

use hashbrown::{HashMap, HashSet};

use crate::urls::CanonicalUrl;

#[derive(Debug, Default)]
pub(super) struct InFlightUrls {
    /// The value says whether the disk was read meanwhile and held the URL: its disposition is not stored
    /// yet, or it is queued once more.
    in_flight: HashMap<CanonicalUrl, bool>,
    /// URLs that stay on disk and are not fetched. A URL is here only when its rows are damaged.
    skipped: HashSet<CanonicalUrl>,
}

impl InFlightUrls {
    /// The URL goes in flight.
    pub(super) fn insert(&mut self, url: CanonicalUrl) {
        self.in_flight.insert(url, false);
    }

    /// The URL is no longer in flight. Returns whether the disk was read meanwhile and held it.
    pub(super) fn remove(&mut self, url: &CanonicalUrl) -> bool {
        self.in_flight.remove(url).unwrap_or(false)
    }

    /// Excludes a URL for good.
    pub(super) fn skip(&mut self, url: CanonicalUrl) {
        self.skipped.insert(url);
    }

    /// Whether a URL that was read from disk is not yielded.
    pub(super) fn excludes(&mut self, url: &CanonicalUrl) -> bool {
        match self.in_flight.get_mut(url) {
            Some(is_on_disk) => {
                *is_on_disk = true;
                true
            }
            None => self.skipped.contains(url),
        }
    }

    /// URLs in flight.
    pub(super) fn len(&self) -> usize {
        self.in_flight.len()
    }
}
