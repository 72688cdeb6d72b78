//! What changed on a page: its former links against those of a new visit. Pure.
//!
//! A link is told by its page, its target and a number (`seq`) among the links of that page to that target.
//! Which of a page's links is which after an edit is decided so that as few as possible are lost and found:
//! for each target, first links with the same tag and anchor text are matched in document order, then the rest
//! in document order; what is left over on the old side is lost, what is left over on the new side reappears
//! from the target's inactive links or is new. So a link that only moved keeps its first day.

use ahash::HashMap;

use crate::model::{Day, Link, OutlinkRecord, Toggle};
use crate::urls::{CanonicalUrl, same_site};

/// The page's links after the visit: the active ones in document order, then the inactive ones in their former
/// order. `old` are all links known before, active or not.
pub(super) fn merge(
    page: &CanonicalUrl,
    old: Vec<OutlinkRecord>,
    new: Vec<Link>,
    today: Day,
) -> Vec<OutlinkRecord> {
    let chosen = match_links(&old, &new);
    let seqs = new_seqs(&old, &new, &chosen);
    let mut old: Vec<Option<OutlinkRecord>> = old.into_iter().map(Some).collect();
    let mut merged = Vec::with_capacity(new.len());
    for (((link, known), seq), pos) in new.into_iter().zip(chosen).zip(seqs).zip(1u32..) {
        let known = known.and_then(|at| old.get_mut(at).and_then(Option::take));
        merged.push(match known {
            Some(known) => kept(known, link, pos, today),
            None => found(page, link, seq, pos, today),
        });
    }
    merged.extend(old.into_iter().flatten().map(|link| lost(link, today)));
    merged
}

/// For each new link that is no former one, its number among the links to its target.
fn new_seqs(old: &[OutlinkRecord], new: &[Link], chosen: &[Option<usize>]) -> Vec<u32> {
    let mut next: HashMap<&str, u32> = HashMap::default();
    next.reserve(old.len().max(new.len()));
    for link in old {
        let entry = next.entry(link.target.as_str()).or_insert(0);
        *entry = (link.seq + 1).max(*entry);
    }
    let mut seqs = vec![0; new.len()];
    let without = new.iter().zip(chosen).zip(&mut seqs).filter(|((_, known), _)| known.is_none());
    for ((link, _), seq) in without {
        let entry = next.entry(link.target.as_str()).or_insert(0);
        *seq = *entry;
        *entry += 1;
    }
    seqs
}

/// For each new link, the index of the former link that it is.
fn match_links(old: &[OutlinkRecord], new: &[Link]) -> Vec<Option<usize>> {
    let mut chosen = vec![None; new.len()];
    if old.is_empty() {
        return chosen;
    }
    let mut candidates: HashMap<&str, Vec<usize>> = HashMap::default();
    for (at, link) in old.iter().enumerate() {
        candidates.entry(link.target.as_str()).or_default().push(at);
    }
    for (want_active, want_equal) in [(true, true), (true, false), (false, true), (false, false)] {
        for (link, choice) in new.iter().zip(&mut chosen).filter(|(_, choice)| choice.is_none()) {
            let Some(left) = candidates.get_mut(link.target.as_str()) else { continue };
            let fits = |&&at: &&usize| {
                let known = &old[at];
                known.is_active() == want_active
                    && (!want_equal || (known.tag == link.tag && known.anchor == link.anchor))
            };
            if let Some(place) = left.iter().position(|at| fits(&at)) {
                *choice = Some(left.remove(place));
            }
        }
    }
    chosen
}

fn kept(mut known: OutlinkRecord, link: Link, pos: u32, today: Day) -> OutlinkRecord {
    if let Some(last) = known.toggles.last_mut()
        && last.back.is_none()
    {
        // Lost and back within one day is no absence at the resolution the index keeps.
        if last.lost >= today {
            known.toggles.pop();
        } else {
            last.back = Some(today);
        }
    }
    OutlinkRecord { pos, tag: link.tag, rel: link.rel, anchor: link.anchor, ..known }
}

fn found(page: &CanonicalUrl, link: Link, seq: u32, pos: u32, today: Day) -> OutlinkRecord {
    OutlinkRecord {
        external: !same_site(page.host(), link.target.host()),
        target: link.target,
        seq,
        pos,
        tag: link.tag,
        rel: link.rel,
        anchor: link.anchor,
        ins_day: today,
        toggles: Vec::new(),
    }
}

fn lost(mut link: OutlinkRecord, today: Day) -> OutlinkRecord {
    if link.is_active() {
        link.toggles.push(Toggle { lost: today, back: None });
    }
    link
}

#[cfg(test)]
mod tests {
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
        merge(&url("http://a.test/"), old, links, Day(day))
    }

    /// (target's last letter, seq, pos, first day, active)
    fn shape(links: &[OutlinkRecord]) -> Vec<(char, u32, u32, u32, bool)> {
        let last = |link: &OutlinkRecord| link.target.as_str().chars().last().unwrap();
        links.iter().map(|l| (last(l), l.seq, l.pos, l.ins_day.0, l.is_active())).collect()
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
        assert_eq!(third[1].toggles, [Toggle { lost: Day(5), back: Some(Day(9)) }]);
    }

    #[test]
    fn lost_and_back_on_one_day_is_no_absence() {
        let first = visit(vec![], &[(B, "one")], 1);
        let gone = visit(first, &[], 5);
        let back = visit(gone, &[(B, "one")], 5);
        assert_eq!(shape(&back), [('b', 0, 1, 1, true)]);
        assert_eq!(back[0].toggles, []);
    }

    #[test]
    fn a_seq_is_never_given_twice() {
        let first = visit(vec![], &[(B, "one"), (B, "two")], 1);
        let second = visit(first, &[], 2);
        let third = visit(second, &[(B, "x"), (B, "y"), (B, "z")], 3);
        let mut seqs: Vec<u32> = third.iter().map(|l| l.seq).collect();
        seqs.sort_unstable();
        assert_eq!(seqs, [0, 1, 2]);
        assert!(third.iter().all(OutlinkRecord::is_active));
    }
}
