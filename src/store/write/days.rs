//! Days of a page and its links, whatever the clock said when they were written.
//!
//! ```text
//!  page first visited ≤ link first seen ≤ lost < back ≤ lost < back … ≤ page last fetched ≤ page last visited
//! ```
//!
//! A clock can be wrong: a battery is empty, a virtual machine is restored, summer time is set by hand. The index does
//! not show whether the clock ran ahead at the previous visit or is behind at this one. Therefore the rule is: *the
//! visit is the present*.
//!
//! A commit moves every day of the page and its links that is later than the visit to the day of the visit. An absence
//! without a length is deleted then. So a corrected clock leaves no date in the future, a clock that was set back
//! leaves no date after its own, and the order above holds after every commit. `verify` finds rows that break the
//! order, and repairs them by the same rule.
//!
//! Pure.

use std::borrow::Cow;

use crate::model::{Absence, Day, OutlinkRecord, StoredPage};

/// The earliest valid day. Day 0 means "never" in a page and "not yet" in an absence. A clock that lost its time
/// reports it.
const EARLIEST_DAY: Day = Day(1);

/// The span of days in which all events of a page's links happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct DaySpan {
    /// The day of the first visit.
    pub first: Day,
    /// The day of the last conclusive response.
    pub last: Day,
}

/// The day of a visit that ended at this Unix time.
pub(in crate::store) fn day_of_visit(visited: u64) -> Day {
    Day::from_unix_seconds(visited).max(EARLIEST_DAY)
}

impl DaySpan {
    /// Whether the days of a link are in the span and in order.
    pub(crate) fn contains(self, link: &OutlinkRecord) -> bool {
        if link.first_day < self.first || link.first_day > self.last {
            return false;
        }
        let mut earliest = link.first_day;
        link.absences.iter().all(|&Absence { lost, back }| {
            let in_order = lost >= earliest && back.is_none_or(|back| back > lost);
            earliest = back.unwrap_or(lost);
            in_order && earliest <= self.last
        })
    }

    /// Moves the days of a link into the span, and into order.
    pub(crate) fn clamp(self, link: &mut OutlinkRecord) {
        link.first_day = link.first_day.max(self.first).min(self.last);
        let mut earliest = link.first_day;
        link.absences.retain_mut(|absence| {
            absence.lost = absence.lost.max(earliest).min(self.last);
            absence.back = absence.back.map(|back| back.max(absence.lost).min(self.last));
            let is_absence = absence.back != Some(absence.lost);
            if is_absence {
                earliest = absence.back.unwrap_or(absence.lost);
            }
            is_absence
        });
    }

    /// The links with all days in the span. Copies them only if a day is outside.
    pub(crate) fn clamp_all(self, links: &[OutlinkRecord]) -> Cow<'_, [OutlinkRecord]> {
        if links.iter().all(|link| self.contains(link)) {
            return Cow::Borrowed(links);
        }
        let mut clamped = links.to_vec();
        clamped.iter_mut().for_each(|link| self.clamp(link));
        Cow::Owned(clamped)
    }
}

/// Moves the days of the first visit and of the last conclusive response to the day of the last visit, if they are
/// later. Returns the span for the links.
pub(in crate::store) fn clamp_page(page: &mut StoredPage, last_visit: Day) -> DaySpan {
    page.fetched_day = page.fetched_day.min(last_visit);
    let last = if page.fetched_day == Day::default() { last_visit } else { page.fetched_day };
    page.first_day = page.first_day.min(last);
    DaySpan { first: page.first_day, last }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{LinkTag, Rel};
    use crate::urls::UrlRules;

    fn link(first_day: u32, absences: &[(u32, Option<u32>)]) -> OutlinkRecord {
        let absence = |&(lost, back): &(u32, Option<u32>)| Absence { lost: Day(lost), back: back.map(Day) };
        OutlinkRecord {
            target: UrlRules::default().canonical("http://b.test/").unwrap(),
            seq: 0,
            pos: 1,
            tag: LinkTag::A,
            rel: Rel::NONE,
            anchor: String::new(),
            external: true,
            first_day: Day(first_day),
            absences: absences.iter().map(absence).collect(),
        }
    }

    const SPAN: DaySpan = DaySpan { first: Day(10), last: Day(20) };

    #[test]
    fn days_after_the_last_fetch_are_moved_to_it() {
        for (found, right) in [
            (link(10, &[]), link(10, &[])),
            (link(20, &[(20, None)]), link(20, &[(20, None)])),
            (link(12, &[(12, Some(13)), (13, None)]), link(12, &[(12, Some(13)), (13, None)])),
            (link(400, &[]), link(20, &[])),
            (link(3, &[]), link(10, &[])),
            (link(12, &[(400, None)]), link(12, &[(20, None)])),
            (link(400, &[(407, None)]), link(20, &[(20, None)])),
            // Lost and back in the future: it is unknown whether the link was away at all.
            (link(12, &[(400, Some(407))]), link(12, &[])),
            (link(12, &[(15, Some(400))]), link(12, &[(15, Some(20))])),
            (link(12, &[(400, Some(407)), (410, None)]), link(12, &[(20, None)])),
            // Out of order, although each day is possible by itself.
            (link(15, &[(12, None)]), link(15, &[(15, None)])),
            (link(12, &[(18, Some(14))]), link(12, &[])),
            (link(12, &[(13, Some(18)), (15, Some(19))]), link(12, &[(13, Some(18)), (18, Some(19))])),
            (link(12, &[(15, Some(15)), (16, None)]), link(12, &[(16, None)])),
        ] {
            let mut clamped = found.clone();
            SPAN.clamp(&mut clamped);
            assert_eq!(clamped, right, "{found:?}");
            assert_eq!(SPAN.contains(&found), found == right, "{found:?}");
        }
    }

    #[test]
    fn the_first_visit_is_not_after_the_last_fetch() {
        let page = |first_day, fetched_day| StoredPage {
            first_day: Day(first_day),
            fetched_day: Day(fetched_day),
            ..StoredPage::default()
        };
        for (found, right) in [
            (page(10, 20), page(10, 20)),
            (page(400, 407), page(30, 30)),
            (page(400, 20), page(20, 20)),
            (page(10, 400), page(10, 30)),
            // Never fetched.
            (page(25, 0), page(25, 0)),
            (page(400, 0), page(30, 0)),
        ] {
            let mut clamped = found.clone();
            let span = clamp_page(&mut clamped, Day(30));
            assert_eq!(clamped, right);
            let last = if right.fetched_day == Day(0) { Day(30) } else { right.fetched_day };
            assert_eq!(span, DaySpan { first: right.first_day, last });
        }
        assert_eq!(day_of_visit(0), EARLIEST_DAY, "as a clock that lost its time says");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn clamped_links_are_in_the_span_and_in_order(
            first_day in 0u32..40,
            absences in prop::collection::vec((0u32..40, prop::option::of(1u32..40)), 0..5),
            last in 1u32..40,
            length in 0u32..40,
        ) {
            let span = DaySpan { first: Day(last.saturating_sub(length)), last: Day(last) };
            // Only the last absence may have no end.
            let mut found = link(first_day, &absences);
            let open = found.absences.len().saturating_sub(1);
            for absence in &mut found.absences[..open] {
                absence.back.get_or_insert(Day(7));
            }
            let mut clamped = found.clone();
            span.clamp(&mut clamped);
            prop_assert!(span.contains(&clamped), "{clamped:?}");
            prop_assert_eq!(clamped.is_active(), found.is_active());
            prop_assert_eq!(span.contains(&found), clamped == found);
            let again = span.clamp_all(std::slice::from_ref(&clamped));
            prop_assert!(matches!(again, Cow::Borrowed(_)));
        }
    }
}
