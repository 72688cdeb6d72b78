//! Compares the previous links of a page with those of a new visit. Pure.
//!
//! A link is identified by its page, its target and a number (`seq`) among the links of the page to that target. After
//! an edit, links are matched so that as few as possible are lost and found. For each target, links with the same tag
//! and anchor text are matched first, in document order; then the rest in document order. Unmatched old links are
//! lost. Unmatched new links are matched with lost links of the target, or are new. So a link that only moved
//! keeps its first day.
//!
//! Days of previous links that are later than the visit are moved to it ([`super::days`]).
//!
//! The kept history is limited ([`HistoryLimits`]), because pages with other links at every visit are common.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::model::{Absence, Day, Link, OutlinkRecord};
use crate::urls::{CanonicalUrl, is_internal};

use super::days::DaySpan;

/// Maximum bytes of the lost links of a page.
const MAX_LOST_BYTES: usize = 8 << 20;

/// Limits of the kept history.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct HistoryLimits {
    /// Maximum number of lost links of one page.
    pub lost: usize,
    /// Maximum number of absences of one link.
    pub absences: usize,
}

/// The links of a page after a visit.
pub(in crate::store) struct MergedLinks {
    /// Active links in document order, then lost links, the last lost first.
    pub links: Vec<OutlinkRecord>,
    /// Lost links beyond the limits: those lost longest ago.
    pub dropped: Vec<OutlinkRecord>,
}

/// Computes the links of a page after a visit. `old` holds all previous links, active or lost. `span` is from the first
/// visit to this one.
///
/// If the body is `cut`, the links after the last matched one may be beyond the cut. They stay active, after those of
/// the visit.
pub(in crate::store) fn merge_links(
    page: &CanonicalUrl,
    mut old: Vec<OutlinkRecord>,
    new: Vec<Link>,
    span: DaySpan,
    cut: bool,
    limits: HistoryLimits,
) -> MergedLinks {
    let today = span.last;
    old.iter_mut().filter(|link| !span.contains(link)).for_each(|link| span.clamp(link));
    let matched = match_links(&old, &new);
    let last_found = matched.iter().flatten().filter_map(|&at| old.get(at)).filter(|link| link.is_active());
    let last_found = last_found.map(|link| link.pos).max().unwrap_or(0);
    let previously_active = old.iter().filter(|link| link.is_active()).count();
    let seqs = assign_seqs(&old, &new, &matched);
    let mut old: Vec<Option<OutlinkRecord>> = old.into_iter().map(Some).collect();
    let mut merged = Vec::with_capacity(new.len());
    for (((link, known), seq), pos) in new.into_iter().zip(matched).zip(seqs).zip(1u32..) {
        let known = known.and_then(|at| old.get_mut(at).and_then(Option::take));
        merged.push(match known {
            Some(known) => kept_link(known, link, pos, today),
            None => new_link(page, link, seq, pos, today),
        });
    }
    if cut {
        let is_beyond = |link: &OutlinkRecord| link.is_active() && link.pos > last_found;
        let beyond: Vec<&OutlinkRecord> = old.iter().flatten().filter(|link| is_beyond(link)).collect();
        // Without this limit, a page that is always cut and always has other links would grow with each visit.
        let most =
            count_within_limits(page, &beyond, limits).max(previously_active.saturating_sub(merged.len()));
        let places = u32::try_from(merged.len()).unwrap_or(u32::MAX).saturating_add(1)..;
        let beyond = old.iter_mut().filter_map(|link| link.take_if(|link| is_beyond(link))).take(most);
        merged.extend(beyond.zip(places).map(|(link, pos)| OutlinkRecord { pos, ..link }));
    }
    let active = merged.len();
    // Links that were active until now come first.
    merged.extend(old.into_iter().flatten().map(|link| lost_link(link, today, limits)));
    let kept = count_within_limits(page, &merged[active..].iter().collect::<Vec<_>>(), limits);
    let dropped = merged.split_off(active + kept);
    MergedLinks { links: merged, dropped }
}

/// The number of lost links within the limits, counted from the first.
fn count_within_limits(page: &CanonicalUrl, lost: &[&OutlinkRecord], limits: HistoryLimits) -> usize {
    let mut bytes = 0;
    let fits = |link: &&&OutlinkRecord| {
        bytes += link.target.as_str().len() + link.anchor.len();
        // An external link is stored with its target too, with the URL of its page.
        bytes += if link.external { page.as_str().len() } else { 0 };
        bytes <= MAX_LOST_BYTES
    };
    lost.iter().take(limits.lost).take_while(fits).count()
}

/// Assigns a number among the links to its target to each unmatched new link. Matched links get 0.
fn assign_seqs(old: &[OutlinkRecord], new: &[Link], matched: &[Option<usize>]) -> Vec<u32> {
    let mut next: HashMap<&str, u32> = HashMap::new();
    next.reserve(old.len().max(new.len()));
    for link in old {
        let entry = next.entry(link.target.as_str()).or_insert(0);
        *entry = (link.seq + 1).max(*entry);
    }
    let mut seqs = vec![0; new.len()];
    let without = new.iter().zip(matched).zip(&mut seqs).filter(|((_, known), _)| known.is_none());
    for ((link, _), seq) in without {
        let entry = next.entry(link.target.as_str()).or_insert(0);
        *seq = *entry;
        *entry += 1;
    }
    seqs
}

/// Matches each new link with the index of a previous link. Active links are matched before lost ones, and in both
/// those with the same tag and anchor text first.
fn match_links(old: &[OutlinkRecord], new: &[Link]) -> Vec<Option<usize>> {
    let mut matched = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    // For each previous link, the next one with the same key: linked lists, consumed from the front.
    let mut next = vec![None; old.len()];
    for (active, equal) in [(true, true), (true, false), (false, true), (false, false)] {
        let like = |tag, anchor| if equal { Some((tag, anchor)) } else { None };
        let mut first = HashMap::new();
        for (at, link) in old.iter().enumerate().rev() {
            if link.is_active() == active && !taken[at] {
                next[at] = first.insert((link.target.as_str(), like(link.tag, link.anchor.as_str())), at);
            }
        }
        for (link, choice) in new.iter().zip(&mut matched).filter(|(_, choice)| choice.is_none()) {
            if first.is_empty() {
                break;
            }
            let key = (link.target.as_str(), like(link.tag, link.anchor.as_str()));
            let Entry::Occupied(mut list) = first.entry(key) else { continue };
            let at = *list.get();
            match next[at] {
                Some(next) => *list.get_mut() = next,
                None => {
                    list.remove();
                }
            }
            taken[at] = true;
            *choice = Some(at);
        }
    }
    matched
}

fn kept_link(mut known: OutlinkRecord, link: Link, pos: u32, today: Day) -> OutlinkRecord {
    if let Some(last) = known.absences.last_mut()
        && last.back.is_none()
    {
        // An absence within one day has no length at the resolution of the index.
        if last.lost >= today {
            known.absences.pop();
        } else {
            last.back = Some(today);
        }
    }
    OutlinkRecord { pos, tag: link.tag, rel: link.rel, anchor: link.anchor, ..known }
}

fn new_link(page: &CanonicalUrl, link: Link, seq: u32, pos: u32, today: Day) -> OutlinkRecord {
    OutlinkRecord {
        external: !is_internal(page.host(), link.target.host()),
        target: link.target,
        seq,
        pos,
        tag: link.tag,
        rel: link.rel,
        anchor: link.anchor,
        first_day: today,
        absences: Vec::new(),
    }
}

fn lost_link(mut link: OutlinkRecord, today: Day, limits: HistoryLimits) -> OutlinkRecord {
    if link.is_active() {
        link.absences.push(Absence { lost: today, back: None });
        while let [oldest, next, ..] = link.absences[..]
            && link.absences.len() > limits.absences
        {
            link.absences[1] = Absence { lost: oldest.lost, back: next.back };
            link.absences.remove(0);
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::model::{LinkTag, Rel};
    use crate::urls::UrlRules;

    fn url(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    fn link(target: &str, anchor: &str) -> Link {
        Link { target: url(target), tag: LinkTag::A, rel: Rel::NONE, anchor: anchor.to_owned() }
    }

    fn visit(old: Vec<OutlinkRecord>, links: &[(&str, &str)], day: u32) -> Vec<OutlinkRecord> {
        let links = links.iter().map(|(target, anchor)| link(target, anchor)).collect();
        merge_links(&url("http://a.test/"), old, links, until(day), false, LIMITS).links
    }

    const LIMITS: HistoryLimits = HistoryLimits { lost: 100, absences: 3 };

    fn until(day: u32) -> DaySpan {
        DaySpan { first: Day(1), last: Day(day) }
    }

    /// (last letter of the target, seq, pos, first day, active)
    fn shape(links: &[OutlinkRecord]) -> Vec<(char, u32, u32, u32, bool)> {
        let last = |link: &OutlinkRecord| link.target.as_str().chars().last().unwrap();
        links.iter().map(|l| (last(l), l.seq, l.pos, l.first_day.0, l.is_active())).collect()
    }

    const B: &str = "http://b.test/b";
    const C: &str = "http://b.test/c";

    #[test]
    fn a_link_that_only_moved_is_kept() {
        let first = visit(vec![], &[(B, "one"), (C, "two")], 1);
        let second = visit(first, &[(C, "new"), (C, "two"), (B, "one")], 2);
        assert_eq!(shape(&second), [('c', 1, 1, 2, true), ('c', 0, 2, 1, true), ('b', 0, 3, 1, true)]);
    }

    #[test]
    fn links_beyond_a_cut_stay_active() {
        let cut = |old: &[OutlinkRecord], links: &[(&str, &str)]| {
            let links = links.iter().map(|(target, anchor)| link(target, anchor)).collect();
            merge_links(&url("http://a.test/"), old.to_vec(), links, until(2), true, LIMITS).links
        };
        let (d, e) = ("http://b.test/d", "http://b.test/e");
        let first = visit(vec![], &[(B, ""), (C, ""), (d, "")], 1);
        assert_eq!(cut(&first, &[]), first, "nothing came");
        // One link before the cut is gone, and one behind it is not.
        let second = cut(&first, &[(C, "")]);
        assert_eq!(shape(&second), [('c', 0, 1, 1, true), ('d', 0, 2, 1, true), ('b', 0, 1, 1, false)]);
        let second = cut(&first, &[(e, ""), (B, "")]);
        let all = [('e', 0, 1, 2, true), ('b', 0, 2, 1, true), ('c', 0, 3, 1, true), ('d', 0, 4, 1, true)];
        assert_eq!(shape(&second), all);
        // The next complete visit settles them.
        let links = [(B, ""), (d, "")].map(|(target, anchor)| link(target, anchor)).to_vec();
        let third = merge_links(&url("http://a.test/"), second, links, until(3), false, LIMITS).links;
        assert_eq!(third.iter().filter(|link| link.is_active()).count(), 2);
        assert_eq!(
            third.iter().filter(|link| link.absences.last().is_some_and(|t| t.lost == Day(3))).count(),
            2
        );
    }

    #[test]
    fn a_changed_anchor_text_is_the_same_link() {
        let first = visit(vec![], &[(B, "one")], 1);
        let second = visit(first, &[(B, "uno")], 2);
        assert_eq!(shape(&second), [('b', 0, 1, 1, true)]);
        assert_eq!(second[0].anchor, "uno");
    }

    #[test]
    fn lost_links_stay_and_reappear_with_their_first_day() {
        let first = visit(vec![], &[(B, "one"), (B, "two")], 1);
        let second = visit(first, &[(B, "two")], 5);
        assert_eq!(shape(&second), [('b', 1, 1, 1, true), ('b', 0, 1, 1, false)]);
        let third = visit(second, &[(B, "two"), (B, "one")], 9);
        assert_eq!(shape(&third), [('b', 1, 1, 1, true), ('b', 0, 2, 1, true)]);
        assert_eq!(third[1].absences, [Absence { lost: Day(5), back: Some(Day(9)) }]);
    }

    #[test]
    fn lost_and_back_on_one_day_is_no_absence() {
        let first = visit(vec![], &[(B, "one")], 1);
        let gone = visit(first, &[], 5);
        let back = visit(gone, &[(B, "one")], 5);
        assert_eq!(shape(&back), [('b', 0, 1, 1, true)]);
        assert_eq!(back[0].absences, []);
    }

    #[test]
    fn a_seq_is_never_reused() {
        let first = visit(vec![], &[(B, "one"), (B, "two")], 1);
        let second = visit(first, &[], 2);
        let third = visit(second, &[(B, "x"), (B, "y"), (B, "z")], 3);
        let mut seqs: Vec<u32> = third.iter().map(|l| l.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, [0, 1, 2]);
        assert!(third.iter().all(OutlinkRecord::is_active));
    }

    #[test]
    fn lost_links_are_limited_by_number_and_by_bytes() {
        let page = url("http://a.test/");
        let name = |at: usize| format!("http://b.test/{}{at:03}", "x".repeat(7_900));
        let links: Vec<Link> = (0..120).map(|at| link(&name(at), "")).collect();
        let first = merge_links(&page, vec![], links, until(1), false, LIMITS).links;
        let second = merge_links(&page, first.clone(), vec![link(B, "")], until(2), false, LIMITS);
        assert_eq!((second.links.len(), second.dropped.len()), (1 + 100, 20));
        assert_eq!(second.links[1].target, first[0].target);
        assert_eq!(second.dropped[19].target, first[119].target);
        // Links lost earlier are dropped before links lost now.
        let third = merge_links(&page, second.links, vec![], until(3), false, LIMITS);
        assert_eq!((third.links.len(), third.links[0].target.as_str()), (100, B));
        assert_eq!(third.dropped[0].target, first[99].target);

        let links: Vec<Link> = (0..2_000).map(|at| link(&name(at), "")).collect();
        let limits = HistoryLimits { lost: 10_000, absences: 1 };
        let first = merge_links(&page, vec![], links, until(1), false, limits).links;
        let each = first[0].target.as_str().len() + page.as_str().len();
        let second = merge_links(&page, first, vec![], until(2), false, limits);
        let bytes = second.links.len() * each;
        assert!((MAX_LOST_BYTES - 2 * each..=MAX_LOST_BYTES).contains(&bytes), "{bytes}");
        assert_eq!(second.links.len() + second.dropped.len(), 2_000);
    }

    #[test]
    fn the_oldest_absences_are_joined() {
        let mut links = visit(vec![], &[(B, "one")], 1);
        for day in (10..60).step_by(10) {
            links = visit(links, &[], day);
            links = visit(links, &[(B, "one")], day + 5);
        }
        let absence = |lost, back| Absence { lost: Day(lost), back: Some(Day(back)) };
        assert_eq!(links[0].absences, [absence(10, 35), absence(40, 45), absence(50, 55)]);
        assert_eq!(shape(&links), [('b', 0, 1, 1, true)]);
    }

    /// The same matching by a scan of all remaining links for each link.
    fn match_by_full_scan(old: &[OutlinkRecord], new: &[Link]) -> Vec<Option<usize>> {
        let mut matched = vec![None; new.len()];
        let mut left: Vec<usize> = (0..old.len()).collect();
        for (active, equal) in [(true, true), (true, false), (false, true), (false, false)] {
            for (link, choice) in new.iter().zip(&mut matched).filter(|(_, choice)| choice.is_none()) {
                let fits = |&at: &usize| {
                    let known = &old[at];
                    known.target == link.target
                        && known.is_active() == active
                        && (!equal || (known.tag == link.tag && known.anchor == link.anchor))
                };
                *choice = left.iter().position(fits).map(|place| left.remove(place));
            }
        }
        matched
    }

    fn some_links() -> impl Strategy<Value = Vec<(Link, bool)>> {
        let tags = select(vec![LinkTag::A, LinkTag::Aimg]);
        let one = (select(vec![B, C]), select(vec!["", "one", "two", "three"]), tags, any::<bool>());
        let one =
            one.prop_map(|(target, anchor, tag, active)| (Link { tag, ..link(target, anchor) }, active));
        prop::collection::vec(one, 0..24)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn links_are_matched_as_by_full_scans(old in some_links(), new in some_links()) {
            let record = |(link, active): (Link, bool)| {
                let record = new_link(&url("http://a.test/"), link, 0, 1, Day(1));
                if active { record } else { lost_link(record, Day(2), LIMITS) }
            };
            let old: Vec<OutlinkRecord> = old.into_iter().map(record).collect();
            let new: Vec<Link> = new.into_iter().map(|(link, _)| link).collect();
            prop_assert_eq!(match_links(&old, &new), match_by_full_scan(&old, &new));
        }
    }

    #[test]
    fn many_links_to_one_target_are_matched_fast() {
        let visit_with = |old, text: &str| {
            let links = (0..100_000).map(|at| link(B, &format!("{text} {at}"))).collect();
            merge_links(&url("http://a.test/"), old, links, until(1), false, LIMITS).links
        };
        let first = visit_with(vec![], "one");
        let start = std::time::Instant::now();
        let second = visit_with(first, "two");
        // A scan for each link takes half a minute.
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
        assert!(second.iter().zip(0u32..).all(|(link, at)| link.seq == at && link.is_active()));
    }
}
