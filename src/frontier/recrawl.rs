//! When a page is visited again: sooner the more often it is seen to change.
//!
//! The first interval is `crawl.recrawl_after`. After that, each visit changes the interval by what it found:
//!
//! | the visit found | interval |
//! |---|---|
//! | other links, another title, status or canonical URL | halved |
//! | another text, with the same links | kept |
//! | the same bytes, a 304, or no answer to go by | half as long again |
//!
//! always between `crawl.recrawl_min` and `crawl.recrawl_max`. Multiplicative steps find a page's own pace in few
//! visits and follow it when it changes, without a history to keep; Apache Nutch's adaptive schedule does the same.
//! For a page that changes at random, halving and half-as-long-again balance where about three visits in eight
//! find it changed. (Cho, Garcia-Molina: "Effective Page Refresh Policies for Web Crawlers", on why pages that
//! change more often than they can be visited should not have all the visits: `recrawl_min` keeps them from it.)

use std::time::Duration;

/// What a visit found, against the visit before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was none before.
    First,
    /// Nothing new, or no answer to go by.
    None,
    /// Another text, but the same links.
    Text,
    /// Something that the index shows.
    Links,
}

/// The policy. See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecrawlRules {
    pub first: Duration,
    pub min: Duration,
    pub max: Duration,
}

impl Default for RecrawlRules {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self { first: 7 * day, min: day, max: 90 * day }
    }
}

impl RecrawlRules {
    /// Seconds until the next visit, given those that the last one was waited for.
    pub fn next(&self, last: u32, change: Change) -> u32 {
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let next = match change {
            Change::First => seconds(self.first),
            Change::Links => last / 2,
            Change::Text => last,
            // At least one more, so that a short interval grows too.
            Change::None => last.saturating_add((last / 2).max(1)),
        };
        next.min(seconds(self.max)).max(seconds(self.min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_follows_what_is_found() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let rules = RecrawlRules { first: hours(100), min: hours(10), max: hours(200) };
        let mut interval = 0;
        let mut visit = |change| {
            interval = rules.next(interval, change);
            interval / 360
        };
        // In tenths of an hour.
        assert_eq!(visit(Change::First), 1_000);
        assert_eq!(visit(Change::Links), 500);
        assert_eq!(visit(Change::Text), 500);
        assert_eq!(visit(Change::Links), 250);
        assert_eq!(visit(Change::None), 375);
        assert_eq!([visit(Change::Links), visit(Change::Links), visit(Change::Links)], [187, 100, 100]);
        for _ in 0..10 {
            visit(Change::None);
        }
        assert_eq!(visit(Change::None), 2_000);
    }

    #[test]
    fn no_interval_is_too_short_to_grow() {
        let rules = RecrawlRules { first: Duration::ZERO, min: Duration::ZERO, max: Duration::from_secs(9) };
        assert_eq!(rules.next(0, Change::First), 0);
        assert_eq!(rules.next(0, Change::None), 1);
        assert_eq!(rules.next(1, Change::None), 2);
        assert_eq!(rules.next(8, Change::None), 9);
    }
}
