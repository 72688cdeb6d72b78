//! Invariants of the links of one page. Pure.
//!
//! - All targets are canonical URLs.
//! - Active links come first, sorted by position; the positions are 1, 2, 3 … without a gap.
//! - Target and seq together identify a link of the page.
//! - A link is external if its target is on another site.
//! - Only the last absence of a link may have no end.
//! - Days are between the first and the last visit to the page, in order.

use std::sync::LazyLock;

use hashbrown::HashSet;

use crate::model::OutlinkRecord;
use crate::store::write::days::DaySpan;
use crate::urls::{CanonicalUrl, SessionParams, UrlRules, is_internal};

const BAD_DAYS: &str =
    "lists of links with days before the first or after the last visit to their page, or out of order";

/// Whether a URL has its canonical spelling.
pub(super) fn is_canonical(url: &CanonicalUrl) -> bool {
    RULES.canonical(url.as_str()).is_ok_and(|canonical| canonical == *url)
}

/// The maximum length and the dropped parameters were decided when the URL was discovered, so this check does not
/// limit them.
static RULES: LazyLock<UrlRules> = LazyLock::new(|| UrlRules {
    max_length: usize::MAX,
    drop_query_params: Vec::new(),
    session_params: SessionParams::none(),
});

/// Repairs the links. Returns them with the first violation, if any. `span`: the days from the first to the last visit
/// of the page.
pub(super) fn repair_links(
    page: &CanonicalUrl,
    span: DaySpan,
    mut links: Vec<OutlinkRecord>,
) -> (Vec<OutlinkRecord>, Option<&'static str>) {
    let mut contradiction = None;
    let mut report = |wrong: bool, what| {
        if wrong {
            contradiction.get_or_insert(what);
        }
    };
    let before = links.len();
    links.retain(|link| is_canonical(&link.target));
    report(links.len() < before, "links to URLs that are not canonical");
    report(remove_duplicates(&mut links), "duplicate links");
    for link in &mut links {
        let external = !is_internal(page.host(), link.target.host());
        report(link.external != external, "links taken for internal or external wrongly");
        link.external = external;
        let absences = link.absences.len();
        let mut left = absences;
        link.absences.retain(|absence| {
            left -= 1;
            left == 0 || absence.back.is_some()
        });
        report(link.absences.len() < absences, "links with absences that have no end");
        if !span.contains(link) {
            report(true, BAD_DAYS);
            span.clamp(link);
        }
    }
    report(sort_links(&mut links), "lists of links out of order");
    (links, contradiction)
}

/// Removes links with target and seq of an earlier one. Returns whether there were any.
fn remove_duplicates(links: &mut Vec<OutlinkRecord>) -> bool {
    let first: Vec<bool> = {
        let mut seen: HashSet<(&str, u32)> = HashSet::new();
        links.iter().map(|link| seen.insert((link.target.as_str(), link.seq))).collect()
    };
    let mut keep = first.iter();
    links.retain(|_| keep.next().is_none_or(|keep| *keep));
    links.len() < first.len()
}

/// Sorts active links first, and numbers them from 1. Returns whether they were out of order.
fn sort_links(links: &mut [OutlinkRecord]) -> bool {
    let active = links.iter().filter(|link| link.is_active()).count();
    let is_in_order =
        links[..active].iter().zip(1u32..).all(|(link, pos)| link.is_active() && link.pos == pos);
    if !is_in_order {
        links.sort_by_key(|link| (!link.is_active(), if link.is_active() { link.pos } else { 0 }));
        links[..active].iter_mut().zip(1u32..).for_each(|(link, pos)| link.pos = pos);
    }
    !is_in_order
}

/// Numbers of active internal and external links.
pub(super) fn counts(links: &[OutlinkRecord]) -> (u32, u32) {
    let active = links.iter().filter(|link| link.is_active());
    let external = active.clone().filter(|link| link.external).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (number(active.count() - external), number(external))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Absence, Day, LinkTag, Rel};

    fn url(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    fn link(target: &str, seq: u32, pos: u32) -> OutlinkRecord {
        OutlinkRecord {
            target: url(target),
            seq,
            pos,
            tag: LinkTag::A,
            rel: Rel::NONE,
            anchor: String::new(),
            external: true,
            first_day: Day(1),
            absences: Vec::new(),
        }
    }

    fn lost(link: OutlinkRecord) -> OutlinkRecord {
        OutlinkRecord { absences: vec![Absence { lost: Day(2), back: None }], ..link }
    }

    fn internal(link: OutlinkRecord) -> OutlinkRecord {
        OutlinkRecord { external: false, ..link }
    }

    const B: &str = "http://b.test/";
    const SPAN: DaySpan = DaySpan { first: Day(1), last: Day(4) };

    #[test]
    fn links_of_a_commit_are_valid() {
        let page = url("http://a.test/");
        let links = vec![
            link(B, 1, 1),
            internal(link("http://www.a.test/x", 0, 2)),
            link(B, 0, 3),
            lost(link(B, 2, 2)),
            lost(link("http://b.test/c", 0, 1)),
        ];
        assert_eq!(repair_links(&page, SPAN, links.clone()), (links.clone(), None));
        assert_eq!(counts(&links), (1, 2));
        assert_eq!(repair_links(&page, SPAN, vec![]), (vec![], None));
    }

    #[test]
    fn violations_are_reported_and_repaired() {
        let page = url("http://a.test/");
        let good = vec![link(B, 0, 1), link(B, 1, 2), lost(link(B, 2, 1))];
        let mut open = good.clone();
        open[0].absences =
            vec![Absence { lost: Day(2), back: None }, Absence { lost: Day(3), back: Some(Day(4)) }];
        let mut closed = good.clone();
        closed[0].absences = vec![Absence { lost: Day(3), back: Some(Day(4)) }];
        let (mut ahead, mut clamped) = (good.clone(), good.clone());
        (ahead[0].first_day, ahead[2].absences[0].lost) = (Day(401), Day(400));
        (clamped[0].first_day, clamped[2].absences[0].lost) = (Day(4), Day(4));
        let odd = CanonicalUrl::from_stored("http://B.test:80/../".to_owned()).unwrap();
        for (links, repaired, what) in [
            (
                vec![link(B, 0, 1), link(B, 1, 2), lost(link(B, 2, 1)), link(B, 0, 3)],
                good.clone(),
                "duplicate links",
            ),
            (vec![internal(link(B, 0, 1)), link(B, 1, 2), lost(link(B, 2, 1))], good.clone(), "wrongly"),
            (vec![link(B, 1, 2), lost(link(B, 2, 1)), link(B, 0, 1)], good.clone(), "out of order"),
            (vec![link(B, 0, 2), link(B, 1, 7), lost(link(B, 2, 1))], good.clone(), "out of order"),
            (
                vec![
                    OutlinkRecord { target: odd, ..link(B, 9, 1) },
                    link(B, 0, 1),
                    link(B, 1, 2),
                    lost(link(B, 2, 1)),
                ],
                good.clone(),
                "not canonical",
            ),
            (open, closed, "no end"),
            (ahead, clamped, "after the last visit"),
        ] {
            let (found, reported) = repair_links(&page, SPAN, links);
            assert_eq!(found, repaired, "{what}");
            assert!(reported.unwrap().contains(what), "{what}: {reported:?}");
        }
    }
}
