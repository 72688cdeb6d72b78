//! The days that a page and its links can have, whatever the clock said when they were written.
//!
//! ```text
//!  page first visited ≤ link first seen ≤ lost < back ≤ lost < back … ≤ page last fetched ≤ page last visited
//! ```
//!
//! A clock can be wrong: a battery is empty, a virtual machine is restored, a summer time is set by hand. Nothing in
//! the index tells whether a clock ran ahead at the former visit or runs behind at this one. The rule is therefore:
//! *the visit is the present*. A commit brings every day of the page and its links that lies after the visit to the
//! visit's day, and an absence that has no length then is none. So a clock that was put right leaves no date in the
//! future, a clock that is set back leaves no date after its own, and the order above holds after every commit.
//! `verify` finds rows that break the order, and repairs them by the same rule ([`super::verify`]).
//!
//! Pure.

use std::borrow::Cow;

use crate::model::{Day, OutlinkRecord, StoredPage, Toggle};

/// The earliest day there is. Day 0 means "never" in a page and "not yet" in an absence, and it is what a clock says
/// that lost its time.
const EARLIEST: Day = Day(1);

/// The days between which everything happened to the links of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DaySpan {
    /// The first visit.
    pub first: Day,
    /// The last successful fetch.
    pub last: Day,
}

/// The day of a visit that ended at this Unix time.
pub(super) fn day_of_visit(visited: u64) -> Day {
    Day::from_unix_seconds(visited).max(EARLIEST)
}

impl DaySpan {
    /// Whether the days of a link lie in the span and in their order.
    pub fn holds(self, link: &OutlinkRecord) -> bool {
        if link.ins_day < self.first || link.ins_day > self.last {
            return false;
        }
        let mut earliest = link.ins_day;
        link.toggles.iter().all(|&Toggle { lost, back }| {
            let in_order = lost >= earliest && back.is_none_or(|back| back > lost);
            earliest = back.unwrap_or(lost);
            in_order && earliest <= self.last
        })
    }

    /// Brings the days of a link into the span, and into their order.
    pub fn bring(self, link: &mut OutlinkRecord) {
        link.ins_day = link.ins_day.max(self.first).min(self.last);
        let mut earliest = link.ins_day;
        link.toggles.retain_mut(|toggle| {
            toggle.lost = toggle.lost.max(earliest).min(self.last);
            toggle.back = toggle.back.map(|back| back.max(toggle.lost).min(self.last));
            let is_absence = toggle.back != Some(toggle.lost);
            if is_absence {
                earliest = toggle.back.unwrap_or(toggle.lost);
            }
            is_absence
        });
    }

    /// The links with their days in the span. They are copied only if one of them is not.
    pub fn bring_all(self, links: &[OutlinkRecord]) -> Cow<'_, [OutlinkRecord]> {
        if links.iter().all(|link| self.holds(link)) {
            return Cow::Borrowed(links);
        }
        let mut brought = links.to_vec();
        brought.iter_mut().for_each(|link| self.bring(link));
        Cow::Owned(brought)
    }
}

/// Brings the first visit and the last successful fetch of a page to the day of its last visit if they lie after it;
/// gives the span of its links.
pub(super) fn bring_page(page: &mut StoredPage, last_visit: Day) -> DaySpan {
    page.upd_day = page.upd_day.min(last_visit);
    let last = if page.upd_day == Day::default() { last_visit } else { page.upd_day };
    page.ins_day = page.ins_day.min(last);
    DaySpan { first: page.ins_day, last }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{LinkTag, Rel};
    use crate::urls::UrlRules;

    fn link(ins_day: u32, toggles: &[(u32, Option<u32>)]) -> OutlinkRecord {
        let toggle = |&(lost, back): &(u32, Option<u32>)| Toggle { lost: Day(lost), back: back.map(Day) };
        OutlinkRecord {
            target: UrlRules::default().canonical("http://b.test/").unwrap(),
            seq: 0,
            pos: 1,
            tag: LinkTag::A,
            rel: Rel::NONE,
            anchor: String::new(),
            external: true,
            ins_day: Day(ins_day),
            toggles: toggles.iter().map(toggle).collect(),
        }
    }

    const SPAN: DaySpan = DaySpan { first: Day(10), last: Day(20) };

    #[test]
    fn days_after_the_last_fetch_are_brought_to_it() {
        for (found, right) in [
            (link(10, &[]), link(10, &[])),
            (link(20, &[(20, None)]), link(20, &[(20, None)])),
            (link(12, &[(12, Some(13)), (13, None)]), link(12, &[(12, Some(13)), (13, None)])),
            (link(400, &[]), link(20, &[])),
            (link(3, &[]), link(10, &[])),
            (link(12, &[(400, None)]), link(12, &[(20, None)])),
            (link(400, &[(407, None)]), link(20, &[(20, None)])),
            // Lost and back in the future: nobody can tell that it was away at all.
            (link(12, &[(400, Some(407))]), link(12, &[])),
            (link(12, &[(15, Some(400))]), link(12, &[(15, Some(20))])),
            (link(12, &[(400, Some(407)), (410, None)]), link(12, &[(20, None)])),
            // Out of order, each day possible by itself.
            (link(15, &[(12, None)]), link(15, &[(15, None)])),
            (link(12, &[(18, Some(14))]), link(12, &[])),
            (link(12, &[(13, Some(18)), (15, Some(19))]), link(12, &[(13, Some(18)), (18, Some(19))])),
            (link(12, &[(15, Some(15)), (16, None)]), link(12, &[(16, None)])),
        ] {
            let mut brought = found.clone();
            SPAN.bring(&mut brought);
            assert_eq!(brought, right, "{found:?}");
            assert_eq!(SPAN.holds(&found), found == right, "{found:?}");
        }
    }

    #[test]
    fn a_page_was_visited_first_before_it_was_fetched_last() {
        let page = |ins_day, upd_day| StoredPage {
            ins_day: Day(ins_day),
            upd_day: Day(upd_day),
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
            let mut brought = found.clone();
            let span = bring_page(&mut brought, Day(30));
            assert_eq!(brought, right);
            let last = if right.upd_day == Day(0) { Day(30) } else { right.upd_day };
            assert_eq!(span, DaySpan { first: right.ins_day, last });
        }
        assert_eq!(day_of_visit(0), EARLIEST, "as a clock that lost its time says");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_was_written_is_in_order_once_it_is_brought(
            ins_day in 0u32..40,
            toggles in prop::collection::vec((0u32..40, prop::option::of(1u32..40)), 0..5),
            last in 1u32..40,
            length in 0u32..40,
        ) {
            let span = DaySpan { first: Day(last.saturating_sub(length)), last: Day(last) };
            // The last absence alone may have no end.
            let mut found = link(ins_day, &toggles);
            let open = found.toggles.len().saturating_sub(1);
            for toggle in &mut found.toggles[..open] {
                toggle.back.get_or_insert(Day(7));
            }
            let mut brought = found.clone();
            span.bring(&mut brought);
            prop_assert!(span.holds(&brought), "{brought:?}");
            prop_assert_eq!(brought.is_active(), found.is_active());
            prop_assert_eq!(span.holds(&found), brought == found);
            let again = span.bring_all(std::slice::from_ref(&brought));
            prop_assert!(matches!(again, Cow::Borrowed(_)));
        }
    }
}
