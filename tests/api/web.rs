//! A generated web as visit records.

use std::collections::BTreeSet;

use backlinkd::model::{Link, LinkTag, PageContent, PageFacts, Place, Rel, Visit, VisitRecord};
use backlinkd::urls::{CanonicalUrl, UrlRules};

/// 2024-02-29, noon.
pub const LEAP_DAY: u64 = 1_709_208_000;
pub const DAY: u64 = 86_400;

pub fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

pub fn link(target: &str, anchor: &str) -> Link {
    Link { target: url(target), tag: LinkTag::A, rel: Rel::NONE, anchor: anchor.to_owned() }
}

/// A page with status 200 on the leap day, with an address and a place.
pub fn page(address: &str, ip: &str, ccode: &str, links: Vec<Link>) -> VisitRecord {
    let country = match ccode {
        "SE" => "Sweden",
        "DE" => "Germany",
        _ => "",
    };
    VisitRecord {
        url: url(address),
        visited: LEAP_DAY,
        visit: Visit::Responded(Box::new(PageContent {
            facts: PageFacts {
                status: 200,
                content_type: "text/html".to_owned(),
                charset: "utf-8".to_owned(),
                title: format!("Title of {address}"),
                ip: ip.parse().ok(),
                place: Place { ccode: ccode.to_owned(), country: country.to_owned(), city: String::new() },
                html: true,
                ..PageFacts::default()
            },
            links,
            ..PageContent::default()
        })),
    }
}

pub fn later(mut record: VisitRecord, days: u64) -> VisitRecord {
    record.visited += days * DAY;
    record
}

/// Pseudo-random numbers that are the same in every run (xorshift64*).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

const HOSTS: &[&str] = &[
    "example.com",
    "www.example.com",
    "shop.example.com",
    "example-shop.com",
    "example.org",
    "a.co.uk",
    "www.a.co.uk",
    "b.github.io",
    "c.github.io",
    "192.0.2.7",
    "xn--bcher-kva.example",
    "example.com:8080",
    "school.edu",
    "uni.edu.au",
    "www.uni.edu.au",
    "council.gov.uk",
];
/// The registrable domains of the random web.
pub const DOMAINS: &[&str] = &[
    "example.com",
    "example-shop.com",
    "example.org",
    "a.co.uk",
    "b.github.io",
    "c.github.io",
    "192.0.2.7",
    "xn--bcher-kva.example",
    "school.edu",
    "uni.edu.au",
    "council.gov.uk",
];
const PATHS: &[&str] = &["/", "/a", "/a/b?q=1", "/%C3%A4", "/z"];
const ANCHORS: &[&str] = &["", "Home", "home", "ä ö", "it's", "100%", "Привет"];
const IPS: &[&str] =
    &["192.0.2.7", "192.0.2.10", "10.0.0.1", "10.0.9.1", "130.1.2.3", "224.0.0.1", "2001:db8::1", "unknown"];

/// A web with every case that answers distinguish: many tags and rels, lost links, other schemes, ports, private
/// suffixes, unknown places, pages visited twice, failures.
pub fn random(seed: u64, visits: usize) -> Vec<VisitRecord> {
    let mut dice = Dice(seed);
    let address = |dice: &mut Dice| {
        let scheme = dice.pick(&["http", "https"]);
        format!("{scheme}://{}{}", dice.pick(HOSTS), dice.pick(PATHS))
    };
    (0..visits)
        .map(|visit| {
            let links = (0..dice.roll(9))
                .map(|_| {
                    let target = address(&mut dice);
                    let tag =
                        dice.pick(&[LinkTag::A, LinkTag::A, LinkTag::Aimg, LinkTag::Area, LinkTag::Iframe]);
                    let rel = dice.pick(&[Rel::NONE, Rel::NONE, Rel::NOFOLLOW, Rel::UGC, Rel::SPONSORED]);
                    Link { tag, rel, ..link(&target, dice.pick(ANCHORS)) }
                })
                .collect();
            let source = address(&mut dice);
            let mut record = page(&source, dice.pick(IPS), dice.pick(&["SE", "DE", ""]), links);
            let Visit::Responded(content) = &mut record.visit else { unreachable!() };
            content.facts.place.city = dice.pick(&["", "Here", "There"]).to_owned();
            match dice.roll(12) {
                0 => {
                    **content = PageContent {
                        facts: PageFacts { status: 404, ip: content.facts.ip, ..PageFacts::default() },
                        ..PageContent::default()
                    }
                }
                1 => {
                    let moved = Link { tag: LinkTag::Redirect301, ..link(&address(&mut dice), "") };
                    **content = PageContent {
                        facts: PageFacts { status: 301, ..PageFacts::default() },
                        links: vec![moved],
                        ..PageContent::default()
                    };
                }
                _ => {}
            }
            later(record, (visit / 10) as u64)
        })
        .collect()
}

/// Like [`random`], without a target that occurs twice on one page.
pub fn random_without_repeats(seed: u64, visits: usize) -> Vec<VisitRecord> {
    let mut records = random(seed, visits);
    for record in &mut records {
        let Visit::Responded(content) = &mut record.visit else { continue };
        let mut seen = BTreeSet::new();
        content.links.retain(|link| seen.insert(link.target.as_str().to_owned()));
    }
    records
}
