//! The names of sites in reading order, and the search by a prefix.
//!
//! The names are sorted without their `www.`, so those that begin with a text are neighbours. Names are stored in
//! punycode. A text in another script is compared with the readable form of the names whose label begins with `xn--`
//! where the text leaves ASCII.

use std::cmp::Reverse;
use std::ops::Range;

use crate::model::SearchRank;
use crate::query::{Deadline, QueryError};
use crate::store::{SiteFigures, SiteKind};
use crate::urls::{unicode_host, without_www};

const WWW: &str = "www.";
/// The beginning of a label in punycode (RFC 3490).
const PUNYCODE: &str = "xn--";

/// A site that a search finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteName<'a> {
    pub name: &'a str,
    pub kind: SiteKind,
    pub rank: SearchRank,
    pub refdoms: u32,
}

/// Names with the figures that decide their strength.
#[derive(Debug, Default)]
pub(super) struct NameList {
    text: String,
    /// The end of each name in the text.
    ends: Vec<usize>,
    kinds: Vec<SiteKind>,
    ranks: Vec<SearchRank>,
    refdoms: Vec<u32>,
}

impl NameList {
    pub(super) fn of(mut sites: Vec<SiteFigures>, deadline: &Deadline) -> Result<Self, QueryError> {
        deadline.check()?;
        sites.sort_unstable_by(|a, b| {
            (without_www(&a.name), &a.name, a.kind).cmp(&(without_www(&b.name), &b.name, b.kind))
        });
        let mut list = Self::default();
        for (at, site) in sites.iter().enumerate() {
            deadline.check_at(at)?;
            list.text.push_str(&site.name);
            list.ends.push(list.text.len());
            list.kinds.push(site.kind);
            list.ranks.push(site.rank);
            list.refdoms.push(u32::try_from(site.refdoms).map_err(|_| QueryError::TooManyRows)?);
        }
        Ok(list)
    }

    pub(super) fn strongest(
        &self,
        beginning: &str,
        limit: usize,
        deadline: &Deadline,
    ) -> Result<Vec<SiteName<'_>>, QueryError> {
        let wanted = NamePrefix::new(beginning);
        let mut found = Vec::new();
        for at in self.candidates(&wanted) {
            deadline.check_at(at)?;
            let site = self.get(at);
            if wanted.fits(site.name) {
                found.push(site);
            }
        }
        let strength = |site: &SiteName<'_>| (Reverse(site.rank), Reverse(site.refdoms), site.kind);
        let compare = |a: &SiteName<'_>, b: &SiteName<'_>| (strength(a), a.name).cmp(&(strength(b), b.name));
        if limit < found.len() {
            if limit > 0 {
                found.select_nth_unstable_by(limit - 1, compare);
            }
            found.truncate(limit);
        }
        deadline.check()?;
        found.sort_unstable_by(compare);
        Ok(found)
    }

    fn get(&self, at: usize) -> SiteName<'_> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        SiteName {
            name: &self.text[start..self.ends[at]],
            kind: self.kinds[at],
            rank: self.ranks[at],
            refdoms: self.refdoms[at],
        }
    }

    /// The names that can match: those that begin with the stored part of the text.
    fn candidates(&self, wanted: &NamePrefix) -> Range<usize> {
        let stored = wanted.stored.as_str();
        let first = self.partition(|name| name < stored);
        let last = self.partition(|name| name < stored || name.starts_with(stored));
        first..last
    }

    fn partition(&self, is_before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low.midpoint(high);
            if is_before(without_www(self.get(middle).name)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// A text that names are to begin with.
struct NamePrefix {
    /// In lower case.
    text: String,
    /// The beginning, in stored form, of all names that match, without their `www.`.
    stored: String,
}

impl NamePrefix {
    fn new(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let rest = without_www(&text);
        let stored = if WWW.starts_with(&*text) {
            // Any name with a www. begins like this.
            String::new()
        } else {
            match rest.find(|letter: char| !letter.is_ascii()) {
                None => rest.to_owned(),
                Some(end) => {
                    let label = rest[..end].rfind('.').map_or(0, |dot| dot + 1);
                    format!("{}{PUNYCODE}", &rest[..label])
                }
            }
        };
        Self { text, stored }
    }

    fn fits(&self, name: &str) -> bool {
        if self.text.is_ascii() { self.fits_form(name) } else { self.fits_form(&unicode_host(name)) }
    }

    fn fits_form(&self, name: &str) -> bool {
        let text = self.text.as_str();
        let rest = text.strip_prefix(WWW).filter(|rest| !rest.is_empty());
        name.starts_with(text)
            || without_www(name).starts_with(text)
            || rest.is_some_and(|rest| name.starts_with(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with rank and kind, out of order.
    const NAMES: [(&str, u16, SiteKind); 12] = [
        ("example.org", 320, SiteKind::Domain),
        ("www.example.org", 310, SiteKind::Host),
        ("exam.net", 500, SiteKind::Domain),
        ("shop.example.org", 20, SiteKind::Host),
        ("www.exam.net", 500, SiteKind::Host),
        ("xn--bcher-kva.example", 7, SiteKind::Domain),
        ("www.xn--bcher-kva.example", 6, SiteKind::Host),
        ("xn--mnchen-3ya.de", 8, SiteKind::Domain),
        ("shop.xn--mnchen-3ya.de", 3, SiteKind::Host),
        ("wwwexample.com", 1, SiteKind::Domain),
        ("192.0.2.7", 0, SiteKind::Domain),
        ("a.test", 0, SiteKind::Domain),
    ];

    fn list() -> NameList {
        let site = |(name, rank, kind): (&str, u16, SiteKind)| SiteFigures {
            name: name.to_owned(),
            kind,
            rank: SearchRank(rank),
            backlinks: 0,
            refdoms: 0,
            pages: 0,
            hosts: 1,
        };
        NameList::of(
            NAMES.into_iter().map(site).collect(),
            &Deadline::after(std::time::Duration::from_secs(60)),
        )
        .unwrap()
    }

    fn found(beginning: &str, limit: usize) -> Vec<String> {
        let list = list();
        let found =
            list.strongest(beginning, limit, &Deadline::after(std::time::Duration::from_secs(60))).unwrap();
        found.into_iter().map(|site| site.name.to_owned()).collect()
    }

    #[test]
    fn names_match_with_and_without_www_strongest_first() {
        assert_eq!(found("exam", 9), ["exam.net", "www.exam.net", "example.org", "www.example.org"]);
        assert_eq!(found("exam", 2), ["exam.net", "www.exam.net"]);
        assert_eq!(found("exam", 0), [""; 0]);
        assert_eq!(found(" WWW.exam", 9), ["exam.net", "www.exam.net", "example.org", "www.example.org"]);
        assert_eq!(found("www.", 9), ["www.exam.net", "www.example.org", "www.xn--bcher-kva.example"]);
        assert_eq!(
            found("ww", 9),
            ["www.exam.net", "www.example.org", "www.xn--bcher-kva.example", "wwwexample.com"]
        );
        assert_eq!(found("shop.e", 9), ["shop.example.org"]);
        assert_eq!(found("192", 9), ["192.0.2.7"]);
        assert_eq!(found("zzz", 9), [""; 0]);
    }

    #[test]
    fn names_of_other_scripts_match_as_they_are_read_and_as_they_are_stored() {
        let books = ["xn--bcher-kva.example", "www.xn--bcher-kva.example"];
        assert_eq!(found("bü", 9), books);
        assert_eq!(found("BÜCHER.ex", 9), books);
        assert_eq!(found("xn--b", 9), books);
        assert_eq!(found("www.bü", 9), books);
        assert_eq!(found("shop.mün", 9), ["shop.xn--mnchen-3ya.de"]);
        assert_eq!(found("bö", 9), [""; 0]);
    }

    /// The search equals a look at every name.
    #[test]
    fn no_match_is_missed() {
        let list = list();
        for text in ["", "w", "www", "www.e", "e", "s", "shop.", "1", "x", "xn--", "m", "ü", "a.test", "b"] {
            let wanted = NamePrefix::new(text);
            let mut slow: Vec<&str> =
                NAMES.iter().map(|(name, ..)| *name).filter(|name| wanted.fits(name)).collect();
            let mut fast: Vec<&str> = list
                .strongest(text, 99, &Deadline::after(std::time::Duration::from_secs(60)))
                .unwrap()
                .iter()
                .map(|site| site.name)
                .collect();
            slow.sort_unstable();
            fast.sort_unstable();
            assert_eq!(fast, slow, "{text}");
        }
    }
}
