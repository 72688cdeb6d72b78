//! The made-up sites with their pages and links, and the days on which these come, change and go.
//!
//! The days are counted from the first day of the history. Most pages of a site lead to the museum. A few sites have
//! many pages and most have one or two, as on the web (Zipf's law).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::model::{LinkTag, Place, Rel};
use crate::urls::{CanonicalUrl, UrlError, UrlRules, is_internal};

use super::LAST_DAY;
use super::dice::Dice;
use super::voices::{NEIGHBOURS, ServerTown, SiteGenre, VOICES, Voice};

/// Sites of the made-up web.
const SITES: u32 = 300;
/// Pages of the largest site.
const MOST_PAGES: f64 = 300.0;
/// How fast the sizes of sites fall: the exponent of Zipf's law.
const EXPONENT: f64 = 0.8;
/// The days until which the first sites and pages are found, before the last year begins.
const FIRST_DAYS: u32 = 50;

/// A large site that closes.
const CLOSED_SITE: usize = 4;
/// A large site that comes back without its old links, and the day of that.
const RENEWED_SITE: usize = 2;
const RENEWAL: u32 = 355;

/// A site.
#[derive(Clone, Debug)]
pub(super) struct YearSite {
    pub name: String,
    pub home: CanonicalUrl,
    pub address: IpAddr,
    pub place: Place,
    /// The links of its home page to other sites.
    pub links: Vec<YearLink>,
    pub pages: Vec<YearPage>,
    /// The day of the first visit.
    pub born: u32,
    /// The day from which all of its pages are gone.
    pub closed: Option<u32>,
    kind: SiteGenre,
    voice: usize,
}

/// A page that is not the home page.
#[derive(Clone, Debug)]
pub(super) struct YearPage {
    pub url: CanonicalUrl,
    pub title: String,
    pub links: Vec<YearLink>,
    /// The day of the first visit.
    pub born: u32,
    /// Days between two visits.
    pub interval: u32,
    pub nofollow: bool,
    /// The day from which it is no longer the page, and what it is then.
    pub end: Option<(u32, PageEnd)>,
}

/// What becomes of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageEnd {
    Gone,
    /// It redirects to the home page.
    Redirected,
    /// It is a PDF file.
    NotHtml,
    /// Its server does not answer in time.
    Silent,
}

/// A link.
#[derive(Clone, Debug)]
pub(super) struct YearLink {
    pub target: CanonicalUrl,
    pub tag: LinkTag,
    pub rel: Rel,
    pub anchor: String,
    /// The days on which the page is without it.
    pub absent: Option<Range<u32>>,
}

/// Makes the sites.
pub(super) struct SiteMaker<'r> {
    pub rules: &'r UrlRules,
    pub dice: Dice,
}

impl SiteMaker<'_> {
    /// All sites, those with many pages first.
    ///
    /// # Errors
    /// [`UrlError`] for a name that is not valid in a URL.
    pub(super) fn sites(&mut self) -> Result<Vec<YearSite>, UrlError> {
        let mut sites = Vec::new();
        while sites.len() < SITES as usize {
            let site = self.site(sites.len())?;
            let is_taken = |other: &YearSite| is_internal(other.home.host(), site.home.host());
            if !sites.iter().any(is_taken) {
                sites.push(site);
            }
        }
        let names: Vec<_> = sites.iter().map(|site| (site.home.clone(), site.name.clone())).collect();
        for (index, site) in sites.iter_mut().enumerate() {
            self.add_pages(index, site, &names)?;
        }
        Ok(sites)
    }

    /// A site without pages.
    fn site(&mut self, index: usize) -> Result<YearSite, UrlError> {
        let mut share = self.dice.below(100);
        let voice = VOICES.iter().position(|voice| {
            let is_it = share < voice.share;
            share = share.saturating_sub(voice.share);
            is_it
        });
        let (number, voice) = (voice.unwrap_or_default(), &VOICES[voice.unwrap_or_default()]);
        let (town, town_word) = *self.dice.pick(voice.towns);
        let (kind, word, kind_word) = *self.dice.pick_early(voice.kinds);
        let [usual, universities, offices] = voice.endings;
        let ending = *self.dice.pick(match kind {
            SiteGenre::University => universities,
            SiteGenre::Office => offices,
            _ => usual,
        });
        let scheme = if self.dice.is_within(80) { "https" } else { "http" };
        let www = if self.dice.is_within(50) { "www." } else { "" };
        let home = self.url(&format!("{scheme}://{www}{town_word}-{kind_word}.{ending}/"))?;
        let (address, place) = self.server(voice);
        let is_early = index < 12 || self.dice.is_within(45);
        let born = if is_early { self.dice.below(FIRST_DAYS) } else { self.day(0) };
        let (closed, name) = (self.closing_day(index, born), format!("{town} {word}"));
        let (links, pages) = (Vec::new(), Vec::new());
        Ok(YearSite { name, home, address, place, links, pages, born, closed, kind, voice: number })
    }

    /// One of the large sites closes in summer, and some of the small ones on any day.
    fn closing_day(&mut self, index: usize, born: u32) -> Option<u32> {
        if index == CLOSED_SITE {
            return Some(300);
        }
        let closes = index > 20 && self.dice.is_within(18);
        closes.then(|| born + 30 + self.dice.below(LAST_DAY))
    }

    fn url(&self, text: &str) -> Result<CanonicalUrl, UrlError> {
        self.rules.canonical(text)
    }

    /// An address for benchmarks (RFC 2544) or documentation (RFC 3849), and its place. A quarter of the sites shares a
    /// few servers.
    fn server(&mut self, voice: &Voice) -> (IpAddr, Place) {
        let number = |dice: &mut Dice, end| u8::try_from(dice.below(end)).unwrap_or_default();
        if self.dice.is_within(4) {
            let host = u16::from(number(&mut self.dice, 200)) + 1;
            return (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host).into(), Place::default());
        }
        let (place, address) = match self.dice.is_within(25) {
            true => {
                let place: ServerTown = ("US", "United States", "Ashburn");
                (place, Ipv4Addr::new(198, 19, 200, number(&mut self.dice, 8) + 1))
            }
            false => {
                let place = *self.dice.pick_early(voice.servers);
                let city = place.2.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
                let network = city.wrapping_add(number(&mut self.dice, 3));
                (place, Ipv4Addr::new(198, 18, network, number(&mut self.dice, 250) + 1))
            }
        };
        let (ccode, country, city) = (place.0.to_owned(), place.1.to_owned(), place.2.to_owned());
        (address.into(), Place { ccode, country, city })
    }

    /// A day from `first` on. More pages come later, in a wave after an opening, and fewer in the holidays and on two
    /// days of each week.
    fn day(&mut self, first: u32) -> u32 {
        let mut day = first;
        for _ in 0..200 {
            day = first + self.dice.below((LAST_DAY + 1).saturating_sub(first));
            let season = match day {
                185..215 => 130,
                270..310 => 28,
                _ => 35 + day / 10,
            };
            let weight = if day % 7 > 4 { season / 2 } else { season };
            if self.dice.below(130) < weight {
                break;
            }
        }
        day
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number of pages is small and not negative"
    )]
    fn add_pages(
        &mut self,
        index: usize,
        site: &mut YearSite,
        names: &[(CanonicalUrl, String)],
    ) -> Result<(), UrlError> {
        let pages = (MOST_PAGES / (index as f64 + 1.0).powf(EXPONENT)) as u32 + 1;
        if self.dice.is_within(60) {
            let link = self.link_to_museum(site, site.born)?;
            site.links.push(link);
        }
        for _ in 0..2 {
            let link = self.link_to_site(site, names);
            site.links.extend(link);
        }
        for number in 0..pages {
            let page = self.page(index, site, number, names)?;
            site.pages.push(page);
        }
        Ok(())
    }

    fn page(
        &mut self,
        index: usize,
        site: &YearSite,
        number: u32,
        names: &[(CanonicalUrl, String)],
    ) -> Result<YearPage, UrlError> {
        let is_first = number == 0 || self.dice.is_within(35);
        let born = if is_first { site.born + self.dice.below(12) } else { self.day(site.born) };
        let born = born.min(LAST_DAY);
        let (subject, word) = *self.dice.pick(VOICES[site.voice].subjects);
        let url =
            self.rules.canonical(&format!("{}{}/{word}-{}", site.home, site.kind.folder(), number + 1))?;
        let mut links = Vec::new();
        if number == 0 || self.dice.is_within(90) {
            links.push(self.link_to_museum(site, born)?);
        }
        if self.dice.is_within(18) {
            links.push(self.link_to_museum(site, born)?);
        }
        if self.dice.is_within(25) {
            let (target, anchor) = *self.dice.pick_early(NEIGHBOURS);
            let target = self.rules.canonical(&format!("http://{target}"))?;
            links.push(self.link(site, target, anchor.to_owned()));
        }
        if self.dice.is_within(60) {
            links.extend(self.link_to_site(site, names));
        }
        let nofollow = site.kind == SiteGenre::Directory && self.dice.is_within(25);
        let (title, interval) = (format!("{subject} – {}", site.name), 14 + self.dice.below(28));
        let own = self.end(born);
        let closed = site.closed.map(|closed| (closed.max(born + 1), PageEnd::Gone));
        let end = own.into_iter().chain(closed).min_by_key(|(day, _)| *day);
        if index == RENEWED_SITE && born < RENEWAL {
            links.iter_mut().for_each(|link| link.absent = Some(RENEWAL..u32::MAX));
        }
        Ok(YearPage { url, title, links, born, interval, nofollow, end })
    }

    fn link_to_museum(&mut self, site: &YearSite, born: u32) -> Result<YearLink, UrlError> {
        let (target, anchor) = *self.dice.pick_early(VOICES[site.voice].anchors);
        let target = self.url(&format!("http://{target}"))?;
        let mut link = self.link(site, target, anchor.to_owned());
        if self.dice.is_within(24) {
            let lost = born + 1 + self.dice.below(LAST_DAY.saturating_sub(born));
            let back = if self.dice.is_within(15) { lost + 30 + self.dice.below(40) } else { u32::MAX };
            link.absent = Some(lost..back);
        }
        Ok(link)
    }

    /// A link to the home page of another site, mostly of a large one; `None` if that is the site itself.
    fn link_to_site(&mut self, site: &YearSite, names: &[(CanonicalUrl, String)]) -> Option<YearLink> {
        let among = self.dice.early_index(names.len()) + 1;
        let (target, name) = self.dice.pick_early(&names[..among]).clone();
        (target != site.home).then(|| self.link(site, target, name))
    }

    fn link(&mut self, site: &YearSite, target: CanonicalUrl, anchor: String) -> YearLink {
        let tag = match self.dice.below(100) {
            0..84 => LinkTag::A,
            84..96 => LinkTag::Aimg,
            96..98 => LinkTag::Area,
            _ => LinkTag::Iframe,
        };
        let rel = match site.kind {
            SiteGenre::Forum => Rel::UGC,
            SiteGenre::Shop if self.dice.is_within(40) => Rel::SPONSORED,
            SiteGenre::Newspaper if self.dice.is_within(25) => Rel::NOFOLLOW,
            SiteGenre::Blog if self.dice.is_within(4) => Rel::NOFOLLOW.with(Rel::UGC),
            _ => Rel::NONE,
        };
        YearLink { target, tag, rel, anchor, absent: None }
    }

    fn end(&mut self, born: u32) -> Option<(u32, PageEnd)> {
        let end = match self.dice.below(100) {
            0..7 => PageEnd::Gone,
            7..10 => PageEnd::Redirected,
            10..12 => PageEnd::NotHtml,
            12..14 => {
                return Some((LAST_DAY.saturating_sub(self.dice.below(30)).max(born + 1), PageEnd::Silent));
            }
            _ => return None,
        };
        Some((born + 1 + self.dice.below(LAST_DAY.saturating_sub(born)), end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::year::SEED;

    fn sites() -> Vec<YearSite> {
        let rules = UrlRules::default();
        SiteMaker { rules: &rules, dice: Dice::new(SEED) }.sites().unwrap()
    }

    #[test]
    fn the_same_sites_are_made_each_time() {
        assert_eq!(format!("{:?}", sites()), format!("{:?}", sites()));
    }

    #[test]
    fn urls_are_distinct_and_days_are_in_order() {
        let sites = sites();
        let pages = || sites.iter().flat_map(|site| &site.pages);
        let urls: BTreeSet<&str> = pages().map(|page| page.url.as_str()).collect();
        assert_eq!(urls.len(), pages().count());
        for site in &sites {
            assert!(site.born <= LAST_DAY && !site.pages.is_empty(), "{}", site.home);
            for page in &site.pages {
                assert!(page.born >= site.born && page.born <= LAST_DAY, "{}", page.url);
                assert!(page.end.is_none_or(|(end, _)| end > page.born), "{}", page.url);
                let absences = || page.links.iter().filter_map(|link| link.absent.as_ref());
                assert!(absences().all(|absent| absent.start > page.born), "{}", page.url);
                assert_eq!(page.url.host(), site.home.host());
            }
        }
        for end in [PageEnd::Gone, PageEnd::Redirected, PageEnd::NotHtml, PageEnd::Silent] {
            assert!(pages().any(|page| page.end.is_some_and(|(_, kind)| kind == end)), "{end:?}");
        }
    }

    #[test]
    fn no_address_is_that_of_a_real_server() {
        for site in sites() {
            assert!(match site.address {
                IpAddr::V4(address) => address.octets()[0] == 198 && matches!(address.octets()[1], 18 | 19),
                IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0xdb8],
            });
        }
    }
}
