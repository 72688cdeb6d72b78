//! What must hold among the links of one page. Pure.
//!
//! All targets are canonical URLs; the active links stand first, in the order of their positions, which are 1, 2, 3 …
//! without a gap; target and seq together tell one link of the page from another; a link is external when its target
//! is on another site; only the last absence of a link may be without an end; and its days lie between the first visit
//! to the page and the last, in their order.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::super::days::DaySpan;
use crate::model::OutlinkRecord;
use crate::urls::{CanonicalUrl, SessionParams, UrlRules, same_site};

const STRANGE_DAYS: &str =
    "lists of links with days before the first or after the last visit to their page, or out of order";

/// Whether a URL is written as the one spelling of it.
pub(super) fn is_canonical(url: &CanonicalUrl) -> bool {
    RULES.canonical(url.as_str()).is_ok_and(|canonical| canonical == *url)
}

/// How long a URL may be, and which parameters it keeps, was decided when it was met.
static RULES: LazyLock<UrlRules> = LazyLock::new(|| UrlRules {
    max_length: usize::MAX,
    drop_query_params: Vec::new(),
    session_params: SessionParams::none(),
});

/// The links with whatever contradicts the rest put right, and what that was first, if anything. `span`: when the page
/// was visited.
pub(super) fn sound(
    page: &CanonicalUrl,
    span: DaySpan,
    mut links: Vec<OutlinkRecord>,
) -> (Vec<OutlinkRecord>, Option<&'static str>) {
    let mut contradiction = None;
    let mut tell = |wrong: bool, what| {
        if wrong {
            contradiction.get_or_insert(what);
        }
    };
    let met = links.len();
    links.retain(|link| is_canonical(&link.target));
    tell(links.len() < met, "links to what is no canonical URL");
    tell(without_doubles(&mut links), "links that stand twice");
    for link in &mut links {
        let external = !same_site(page.host(), link.target.host());
        tell(link.external != external, "links taken for internal or external wrongly");
        link.external = external;
        let absences = link.toggles.len();
        let mut left = absences;
        link.toggles.retain(|toggle| {
            left -= 1;
            left == 0 || toggle.back.is_some()
        });
        tell(link.toggles.len() < absences, "links with absences that have no end");
        if !span.holds(link) {
            tell(true, STRANGE_DAYS);
            span.bring(link);
        }
    }
    tell(put_in_order(&mut links), "lists of links out of order");
    (links, contradiction)
}

/// Removes links that have target and seq of an earlier one; tells whether there were any.
fn without_doubles(links: &mut Vec<OutlinkRecord>) -> bool {
    let mut met: FxHashSet<(&str, u32)> = FxHashSet::default();
    let first: Vec<bool> = links.iter().map(|link| met.insert((link.target.as_str(), link.seq))).collect();
    let mut keep = first.iter();
    links.retain(|_| keep.next().is_none_or(|keep| *keep));
    links.len() < first.len()
}

/// Active links first, numbered from 1; tells whether they were not.
fn put_in_order(links: &mut [OutlinkRecord]) -> bool {
    let active = links.iter().filter(|link| link.is_active()).count();
    let is_in_order =
        links[..active].iter().zip(1u32..).all(|(link, pos)| link.is_active() && link.pos == pos);
    if !is_in_order {
        links.sort_by_key(|link| (!link.is_active(), if link.is_active() { link.pos } else { 0 }));
        links[..active].iter_mut().zip(1u32..).for_each(|(link, pos)| link.pos = pos);
    }
    !is_in_order
}

/// Active internal and external links.
pub(super) fn counts(links: &[OutlinkRecord]) -> (u32, u32) {
    let active = links.iter().filter(|link| link.is_active());
    let external = active.clone().filter(|link| link.external).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (number(active.count() - external), number(external))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Day, LinkTag, Rel, Toggle};

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
            ins_day: Day(1),
            toggles: Vec::new(),
        }
    }

    fn lost(link: OutlinkRecord) -> OutlinkRecord {
        OutlinkRecord { toggles: vec![Toggle { lost: Day(2), back: None }], ..link }
    }

    fn internal(link: OutlinkRecord) -> OutlinkRecord {
        OutlinkRecord { external: false, ..link }
    }

    const B: &str = "http://b.test/";
    const SPAN: DaySpan = DaySpan { first: Day(1), last: Day(4) };

    #[test]
    fn what_a_commit_writes_is_sound() {
        let page = url("http://a.test/");
        let links = vec![
            link(B, 1, 1),
            internal(link("http://www.a.test/x", 0, 2)),
            link(B, 0, 3),
            lost(link(B, 2, 2)),
            lost(link("http://b.test/c", 0, 1)),
        ];
        assert_eq!(sound(&page, SPAN, links.clone()), (links.clone(), None));
        assert_eq!(counts(&links), (1, 2));
        assert_eq!(sound(&page, SPAN, vec![]), (vec![], None));
    }

    #[test]
    fn contradictions_are_told_and_put_right() {
        let page = url("http://a.test/");
        let good = vec![link(B, 0, 1), link(B, 1, 2), lost(link(B, 2, 1))];
        let mut open = good.clone();
        open[0].toggles =
            vec![Toggle { lost: Day(2), back: None }, Toggle { lost: Day(3), back: Some(Day(4)) }];
        let mut closed = good.clone();
        closed[0].toggles = vec![Toggle { lost: Day(3), back: Some(Day(4)) }];
        let (mut ahead, mut brought) = (good.clone(), good.clone());
        (ahead[0].ins_day, ahead[2].toggles[0].lost) = (Day(401), Day(400));
        (brought[0].ins_day, brought[2].toggles[0].lost) = (Day(4), Day(4));
        let odd = CanonicalUrl::from_stored("http://B.test:80/../".to_owned()).unwrap();
        for (links, mended, what) in [
            (
                vec![link(B, 0, 1), link(B, 1, 2), lost(link(B, 2, 1)), link(B, 0, 3)],
                good.clone(),
                "stand twice",
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
                "no canonical URL",
            ),
            (open, closed, "no end"),
            (ahead, brought, "after the last visit"),
        ] {
            let (found, told) = sound(&page, SPAN, links);
            assert_eq!(found, mended, "{what}");
            assert!(told.unwrap().contains(what), "{what}: {told:?}");
        }
    }
}
