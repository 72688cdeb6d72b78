//! The revisit schedule: the more often a page changes, the sooner it is visited again.
//!
//! The first interval is `crawl.recrawl_after`. After that, each visit changes the interval by its finding:
//!
//! | the visit found | interval |
//! |---|---|
//! | other links, another title, status, canonical URL or robots directive | halved |
//! | another text, with the same links | kept |
//! | the same bytes, a 304, or no usable answer | half as long again |
//!
//! The interval stays between `crawl.recrawl_min` and `crawl.recrawl_max`. Multiplicative steps find the pace
//! of a page in few visits, follow it when it changes, and need no history; Apache Nutch's adaptive schedule
//! does the same. For a page that changes at random, the two steps balance where about three visits in eight
//! find a change.
//!
//! Pages that change more often than they can be visited should not take all visits (Cho, Garcia-Molina:
//! "Effective Page Refresh Policies for Web Crawlers"). `recrawl_min` prevents that.
//!
//! A stored visit time may lie further off than any interval: the clock ran ahead, or `crawl.recrawl_max` was
//! longer then. Such a page is due earlier ([`VisitTimes::clamped_next`]).

use std::time::Duration;

use crate::config::CrawlConfig;
use crate::model::{CLOCK_ERROR, StoredPage};

/// The difference between a visit and the visit before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was no visit before.
    First,
    /// Nothing changed, or there was no usable answer.
    None,
    /// The text changed, but not the links.
    Text,
    /// Something changed that the index shows.
    Links,
}

/// The limits of the revisit interval. See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisitRules {
    pub first: Duration,
    pub min: Duration,
    pub max: Duration,
}

impl Default for RevisitRules {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self { first: 7 * day, min: day, max: 90 * day }
    }
}

impl RevisitRules {
    /// A first interval below the minimum lowers the minimum.
    pub fn new(config: &CrawlConfig) -> Self {
        Self {
            first: config.recrawl_after.0,
            min: config.recrawl_min.0.min(config.recrawl_after.0),
            max: config.recrawl_max.0,
        }
    }

    /// The longest interval, in seconds.
    pub fn longest(&self) -> u64 {
        self.max.max(self.min).as_secs()
    }

    /// Seconds until the next visit, given the seconds of the last interval.
    pub fn next_interval(&self, last: u32, change: Change) -> u32 {
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let next = match change {
            Change::First => seconds(self.first),
            Change::Links => last / 2,
            Change::Text => last,
            // At least one second more, so that a short interval grows too.
            Change::None => last.saturating_add((last / 2).max(1)),
        };
        next.min(seconds(self.max)).max(seconds(self.min))
    }

    /// The Unix time at which a page with a planned visit is visited next: see [`VisitTimes::clamped_next`].
    pub fn next_visit(&self, page: &StoredPage, now: u64) -> u64 {
        VisitTimes { next: page.next_visit, last: page.visited }.clamped_next(self.longest(), now)
    }
}

/// The stored Unix times of the next visit to a page, and of the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitTimes {
    pub next: u64,
    pub last: u64,
}

impl VisitTimes {
    /// The Unix time of the next visit. A stored time later than `longest` seconds and [`CLOCK_ERROR`] after `now`
    /// counts as `longest` after the last visit, or after `now` if that visit lies in the future.
    pub fn clamped_next(self, longest: u64, now: u64) -> u64 {
        let latest = now.saturating_add(longest).saturating_add(CLOCK_ERROR);
        if self.next <= latest { self.next } else { self.last.min(now).saturating_add(longest).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_follows_what_is_found() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let rules = RevisitRules { first: hours(100), min: hours(10), max: hours(200) };
        let mut interval = 0;
        let mut visit = |change| {
            interval = rules.next_interval(interval, change);
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
    fn no_visit_is_further_off_than_the_longest_interval() {
        const DAY: u64 = 86_400;
        let due = |next, last| {
            VisitTimes { next: next * DAY, last: last * DAY }.clamped_next(90 * DAY, 1_000 * DAY) / DAY
        };
        for (stored, last, right) in [
            (900, 893, 900),
            (1_090, 1_000, 1_090),
            // The clock may be wrong by a day.
            (1_091, 1_001, 1_091),
            (1_092, 1_000, 1_090),
            (1_092, 950, 1_040),
            (1_092, 100, 190),
            (1_407, 1_400, 1_090),
        ] {
            assert_eq!(due(stored, last), right, "{stored} after {last}");
        }
        let never = |last, longest| VisitTimes { next: u64::MAX, last }.clamped_next(longest, 9);
        assert_eq!(never(5, u64::MAX), u64::MAX, "the longest possible interval");
        assert_eq!(never(0, 0), 1, "0 is no time of a visit");
    }

    #[test]
    fn no_interval_is_too_short_to_grow() {
        let rules = RevisitRules { first: Duration::ZERO, min: Duration::ZERO, max: Duration::from_secs(9) };
        assert_eq!(rules.next_interval(0, Change::First), 0);
        assert_eq!(rules.next_interval(0, Change::None), 1);
        assert_eq!(rules.next_interval(1, Change::None), 2);
        assert_eq!(rules.next_interval(8, Change::None), 9);
    }
}
