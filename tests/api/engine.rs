//! Lists over random rows, compared with a slow computation.

use std::sync::LazyLock;
use std::time::Duration;

use backlinkd::api::endpoints::{
    backlinks, geolocationshort, iplist, linkedpages, linktexts, referringdomains, tagtypes, tldlist,
};
use backlinkd::model::{Absence, BacklinkRecord, Day, LinkTag, PageOutcome, Place, Rel, SourcePage};
use backlinkd::query::{
    Deadline, LinkStates, Listing, NameLookup, QueryError, RowSet, SameDomainLinks, View, Window,
};
use backlinkd::urls::Suffixes;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::oracle::{self, incoming};
use super::question::{Formula, Question, expected, question};
use super::web::url;

static SUFFIXES: LazyLock<Suffixes> = LazyLock::new(|| Suffixes::built_in().unwrap());

/// Ranks derived from names.
struct MadeUp;

fn made_up(name: &str) -> u16 {
    name.bytes().fold(7_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte))) % 5 * 243
}

impl NameLookup for MadeUp {
    fn page_ranks(&self, urls: &[&str]) -> Result<Vec<u32>, QueryError> {
        Ok(urls.iter().map(|url| made_up(url).into()).collect())
    }

    fn domain_ranks(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.page_ranks(domains)
    }

    fn refdoms(&self, pages: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.page_ranks(pages)
    }

    fn foreign_refdoms(&self, domains: &[&str]) -> Result<Vec<u32>, QueryError> {
        self.page_ranks(domains)
    }

    fn page_outcomes(&self, urls: &[&str]) -> Result<Vec<PageOutcome>, QueryError> {
        Ok(urls.iter().map(|url| PageOutcome { status: made_up(url), ..PageOutcome::default() }).collect())
    }
}

const SOURCES: &[&str] = &[
    "http://a.example.org/1",
    "http://b.example.org/",
    "https://x.co.uk/",
    "https://y.x.co.uk/p?q=ä",
    "http://192.0.2.7/",
    "http://one.github.io/",
    "http://two.github.io/",
    "http://own.example.com/",
];
const TARGETS: &[&str] = &["http://example.com/", "https://www.example.com/a", "http://example.com/b"];
const ANCHORS: &[&str] = &["", "Home", "home", "it's", "ä", "100%_x", "日本"];
const IPS: &[&str] = &["192.0.2.9", "192.0.2.10", "10.0.0.1", "2001:db8::1", "none"];

prop_compose! {
    fn record()(
        (source, target, anchor, ip) in (select(SOURCES), select(TARGETS), select(ANCHORS), select(IPS)),
        (tag, rel, ccode, country) in (
            0u8..13, 0u8..16, select(&["SE", "DE", ""][..]), select(&["Sweden", "Sverige", ""][..]),
        ),
        (pos, int_links, ext_links, blpcount) in (1u32..4, 0u32..3, 0u32..12, 1u32..3),
        (ins, upd, lost, title) in (19_780u32..19_785, 19_780u32..19_785, 0u8..4, select(&["T", "t%", ""][..])),
    ) -> BacklinkRecord {
        let absence = |back| vec![Absence { lost: Day(ins + 1), back }];
        BacklinkRecord {
            source: url(source),
            target: url(target),
            seq: 0,
            pos,
            tag: LinkTag::from_code(tag).unwrap(),
            rel: Rel::from_bits(rel),
            anchor: anchor.to_owned(),
            first_day: Day(ins),
            absences: match lost {
                0 => absence(None),
                1 => absence(Some(Day(ins + 2))),
                _ => Vec::new(),
            },
            blpcount,
            page: SourcePage {
                title: title.to_owned(),
                ip: ip.parse().ok(),
                place: Place { ccode: ccode.to_owned(), country: country.to_owned(), city: "Å".to_owned() },
                int_links,
                ext_links,
                fetched_day: Day(upd),
            },
        }
    }
}

/// A record as `exportbacklinks` shows it, with the flags and the domain that only `backlinks` has.
fn exported(record: &BacklinkRecord) -> Value {
    let page = &record.page;
    let lost = record.absences.iter().any(|absence| absence.back.is_none());
    json!({
        "nofollow": record.rel.bits() != 0,
        "ugc": record.rel.bits() & 2 != 0,
        "sponsored": record.rel.bits() & 4 != 0,
        "active": !lost,
        "country": page.place.country, "ccode": page.place.ccode, "city": page.place.city,
        "extL": page.ext_links, "intL": page.int_links, "sumL": page.ext_links + page.int_links,
        "insDate": record.first_day.to_string(), "updDate": page.fetched_day.to_string(),
        "ip": page.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        "title": page.title, "linktarget": record.target.as_str(), "backlinkpage": record.source.as_str(),
        "blpcount": record.blpcount, "pos": record.pos, "linktext": record.anchor, "tag": record.tag.as_str(),
        "sr": oracle::number(f64::from(made_up(record.source.as_str()))),
        "domain": SUFFIXES.domain_of(record.source.host()),
    })
}

/// Queries the engine; returns the shown rows and the count.
fn ask(listing: &'static Listing, question: &Question, records: &[BacklinkRecord]) -> (Value, usize) {
    let deadline = Deadline::after(Duration::from_secs(60));
    let written: Vec<String> = question.conditions.iter().map(Formula::written).collect();
    let order = question.order.iter().map(String::as_str);
    let plan = listing.plan(Some(&written.join(" and ")), order).unwrap();
    assert_eq!(plan.warnings, [""; 0]);
    let records: Vec<BacklinkRecord> =
        records.iter().filter(|record| counts(question, record)).cloned().collect();
    let base = RowSet::of_backlinks(&records, &SUFFIXES, &MadeUp, &deadline).unwrap();
    let view = View::of(listing, &base, LinkStates::Active, &MadeUp, &deadline).unwrap();
    let page = view.page(&plan, question.window, &deadline).unwrap();
    (serde_json::to_value(&page).unwrap(), page.count)
}

fn counts(question: &Question, record: &BacklinkRecord) -> bool {
    question.internal == SameDomainLinks::Include || record.source.as_str() != "http://own.example.com/"
}

fn links(question: &Question, records: &[BacklinkRecord]) -> Vec<Value> {
    let counting = records.iter().filter(|record| counts(question, record));
    counting.map(exported).filter(|row| row["active"] == true).collect()
}

fn records() -> impl Strategy<Value = Vec<BacklinkRecord>> {
    proptest::collection::vec(record(), 0..30)
}

/// A list, and the function that computes its rows from links.
#[derive(Debug)]
struct List {
    listing: &'static Listing,
    rows: fn(&[Value]) -> Vec<Value>,
    numbers: &'static [&'static str],
}

const fn list(listing: &'static Listing, rows: fn(&[Value]) -> Vec<Value>) -> List {
    List { listing, rows, numbers: &[] }
}

static LISTS: [List; 8] = [
    List { numbers: &["nr", "dsCount"], ..list(&backlinks::LISTING, incoming::backlinks) },
    list(&linktexts::LISTING, |links| incoming::linktexts(links, &SUFFIXES)),
    List {
        numbers: &["dsCount"],
        ..list(&referringdomains::LISTING, |links| {
            let rank = |domain: &str| oracle::number(f64::from(made_up(domain)));
            incoming::referring_domains(links, &SUFFIXES, rank)
        })
    },
    list(&linkedpages::LISTING, |links| incoming::linkedpages(links, &SUFFIXES)),
    list(&tagtypes::LISTING, |links| incoming::tagtypes(links, &SUFFIXES)),
    list(&iplist::LISTING, incoming::iplist),
    list(&tldlist::LISTING, |links| incoming::tldlist(links, &SUFFIXES)),
    list(&geolocationshort::LISTING, incoming::geolocationshort),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_equal_the_slow_computation(
        records in records(),
        (list, question) in (0..LISTS.len()).prop_flat_map(|at| (Just(&LISTS[at]), question(LISTS[at].listing))),
    ) {
        let rows = (list.rows)(&links(&question, &records));
        let expected = expected(rows, &question, list.listing, list.numbers);
        prop_assert_eq!(ask(list.listing, &question, &records), expected);
    }
}

/// Consecutive pages contain every row once, in one order.
#[test]
fn paging_neither_repeats_nor_drops_a_row() {
    let record = |number: u32| BacklinkRecord {
        source: url(&format!("http://s{}.example/{number}", number % 7)),
        target: url("http://example.com/"),
        seq: 0,
        pos: number % 2,
        tag: LinkTag::A,
        rel: Rel::NONE,
        anchor: format!("{}", number % 13),
        first_day: Day(19_800),
        absences: Vec::new(),
        blpcount: 1,
        page: SourcePage::default(),
    };
    let records: Vec<BacklinkRecord> = (0..100).map(record).collect();
    for List { listing, .. } in &LISTS {
        let ask = |offset, limit| {
            let window = Window { offset, limit };
            let (rows, count) = ask(
                listing,
                &Question {
                    conditions: vec![],
                    order: vec![],
                    window,
                    internal: SameDomainLinks::Include,
                    facets: vec![],
                },
                &records,
            );
            (rows.as_array().unwrap().clone(), count)
        };
        let (whole, count) = ask(0, 10_000);
        assert_eq!(whole.len(), count);
        let pieces: Vec<Value> = (0..count).step_by(3).flat_map(|offset| ask(offset, 3).0).collect();
        assert_eq!(pieces, whole);
    }
}
