//! URLs that count as traps, and the many more that must not.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};

use backlinkd::config::TrapsConfig;
use backlinkd::model::Day;
use backlinkd::policy::{Trap, TrapRules};
use backlinkd::urls::{CanonicalUrl, SessionParams, UrlRules};
use flate2::read::GzDecoder;
use serde::de::IgnoredAny;

use crate::support::dice::Dice;
use crate::support::shared;

/// A URL under an empty list of session parameters, because a dropped parameter can no longer be a trap.
fn url(text: &str) -> CanonicalUrl {
    let session_params = SessionParams::none();
    UrlRules { session_params, ..UrlRules::default() }.canonical(text).unwrap()
}

fn today() -> Day {
    Day::parse("20260715").unwrap()
}

fn judge(text: &str) -> Option<Trap> {
    TrapRules::new(&TrapsConfig::default()).judge(&url(text), today())
}

fn name(text: &str) -> &'static str {
    judge(text).map_or("", |trap| trap.name())
}

#[test]
fn each_trap_is_detected_by_its_form_and_at_its_limit() {
    let host = |labels: usize| format!("http://{}test/", "a.".repeat(labels - 1));
    let path = |segments: usize| (0..segments).map(|n| format!("/s{n}")).collect::<String>();
    let query = |parameters: usize| (0..parameters).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    for (text, expected) in [
        ("/", ""),
        ("/a/a/a/b", ""),
        ("/a/a/a/a", "repeated_segments"),
        ("/a/x/a/y/a/z/a/", "repeated_segments"),
        ("/a/b/a/b/", ""),
        ("/a/b/a/b/a/b", "repeated_segments"),
        ("/en/x/y/z/x/y/z/x/y/z.html", ""),
        ("/en/x/y/z/x/y/z/x/y/z/", "repeated_segments"),
        ("/a/b/c/a/b/d/a/b/", ""),
        (&path(20), ""),
        (&path(21), "deep_path"),
        ("/list;jsessionid=0a1b2c3d4e5f6a7b?x=1", "session_id"),
        ("/list;JSESSIONID=0A1B2C3D4E5F!-17!x", "session_id"),
        ("/list;color=red12345678901", ""),
        ("/(S(lit3py55t21z5v55vlm25s55))/orderform.aspx", "session_id"),
        ("/(S(e))/", ""),
        ("/v?a=1&PHPSESSID=d41d8cd98f00b204e9800998ecf8427e", "session_id"),
        ("/v?ASPSESSIONIDQABC=KLMNOPQRSTUVW1XYZ", "session_id"),
        ("/v?sid=550e8400-e29b-41d4-a716-446655440000", "session_id"),
        ("/v?sid=a_1-b_2-c_3-d_4-e_5-f_6", "session_id"),
        ("/v?sid=1-2-3-4-5-6", ""),
        ("/v?sid=a1-b2.c3-d4-e5-f6-a7", ""),
        ("/v?sid=a-word-and-another", ""),
        ("/v?sid=1", ""),
        ("/v?sid=20260715", ""),
        ("/v?sid=introductions", ""),
        ("/v?side=d41d8cd98f00b204", ""),
        ("/v?color=1&size=2&brand=3", ""),
        ("/v?color=1&size=2&brand=3&Sort=4", "facets"),
        ("/v?filter[a]=1&filter%5Bb%5D=2&filter_c=3&order=4", "facets"),
        ("/v?q=1&lang=2&id=3&tab=4&page=5", ""),
        (&format!("/v?{}", query(16)), ""),
        (&format!("/v?{}", query(17)), "many_parameters"),
        (&format!("/v?{}", "x".repeat(2_000)), ""),
        (&format!("/v?{}", "x".repeat(2_001)), "long_query"),
    ] {
        assert_eq!(name(&format!("http://a.test{text}")), expected, "{text}");
    }
    assert_eq!((name(&host(10)), name(&host(11))), ("", "deep_host"));
    assert_eq!(name("http://[1:2:3:4:5:6:7:8]/"), "");
}

#[test]
fn calendars_are_followed_for_some_years_and_articles_always() {
    for (text, expected) in [
        ("/2028/12", ""),
        ("/2029/1", "calendar"),
        ("/events/2029/01/index.html", "calendar"),
        ("/events/2029/01/31/", "calendar"),
        ("/events/2029-01", "calendar"),
        ("/events/2029-01-31/", "calendar"),
        ("/1976/01/", ""),
        ("/1975/12/", "calendar"),
        ("/magazine/archive/1945/07/as-we-may-think/303881/", ""),
        ("/1851/09/18/archives/a-word.html", ""),
        ("/page/3/1975/12/", "calendar"),
        ("/calendar/2026/7/31", ""),
        ("/calendar/2026/7/32", "calendar"),
        ("/calendar/2026/13/", "calendar"),
        ("/2026/7/32", ""),
        ("/1960/13/", ""),
        ("/1960/07/4711", ""),
        ("/rfc/1945/", ""),
        ("/isbn/3110-14/", ""),
        ("/7/2/1", ""),
        ("/cal?year=2050&month=1", "calendar"),
        ("/cal?month=1&YEAR=2027", ""),
        ("/cal?m=13&y=2050x", ""),
        ("/cal?month=2050-01", "calendar"),
        ("/cal?view=x&date=1970-01-01", "calendar"),
        ("/cal?date=2026-01-01", ""),
        ("/cal?date=2026-01-01T00:00", ""),
        ("/film?year=1931", ""),
        ("/v?cal=1&month=2050-01", "calendar"),
        ("/v?date=2026-01-01&start=2050-01-01", "calendar"),
        ("/v?date=x&cal=2&day=7&ym=2026-02", ""),
        ("/v?y=1&year=2050&m=x&month=1", "calendar"),
        ("/v?year=2026&month=1&date=2050-01-01", "calendar"),
        ("/v?date=20500101", "calendar"),
        ("/v?date=20260101", ""),
        ("/v?date=20501301", ""),
        ("/v?start=20500132", ""),
        ("/v?ym=205001", "calendar"),
        ("/v?month=202601", ""),
        ("/v?month=205013", ""),
        ("/v?start=197001", ""),
    ] {
        assert_eq!(name(&format!("http://a.test{text}")), expected, "{text}");
    }
    let rules = TrapRules::new(&TrapsConfig::default());
    let later = rules.judge(&url("http://a.test/2029/1"), Day::parse("20270101").unwrap());
    assert_eq!(later, None);
}

#[test]
fn a_trap_is_described_in_a_sentence_with_its_key() {
    for (text, told) in [
        ("/a/b/a/b/a/b", "repeats \"a/b\" beyond the 3 times of traps.max_segment_repeats"),
        ("/v?PHPSESSID=d41d8cd98f00b204", "session in \"PHPSESSID\" (traps.session_params)"),
        ("/2029/1", "page for 2029-1"),
        ("/v?color=1&size=2&brand=3&sort=4", "in 4 ways, more than the 3 of traps.max_facets"),
    ] {
        let said = judge(&format!("http://a.test{text}")).unwrap().to_string();
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn a_permutation_has_the_key_of_the_first_and_nothing_else_has() {
    let key = |text: &str| backlinkd::urls::permutation_fingerprint(&url(&format!("http://a.test{text}")));
    let known = key("/p?a=1&b=2&c=3").unwrap();
    for same in ["/p?b=2&a=1&c=3", "/p?c=3&b=2&a=1"] {
        assert_eq!(key(same), Some(known), "{same}");
    }
    for other in [
        "/p?a=1&b=2&c=4",
        "/q?a=1&b=2&c=3",
        "/p?a=1&b=2",
        "/p?a=1&b=2&c=3&c=3",
        "/p?a=2&b=1&c=3",
        "/p?a=1&b=2&c",
    ] {
        assert_ne!(key(other), Some(known), "{other}");
    }
    assert_ne!(key("/p?a=1&a=2"), key("/p?a=2&a=1"), "the order of equal names may matter");
    assert_eq!((key("/p"), key("/p?a=1"), key("/p?")), (None, None, None));
}

/// The links on a page of the trap host of the test web.
fn links_of_trap_host(path: &str, dice: &mut Dice) -> Vec<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let number = |at: usize| segments[at].parse::<i64>().unwrap();
    match segments[0] {
        "calendar" => {
            let months = number(1) * 12 + number(2) - 1;
            let month = |months: i64| format!("/calendar/{}/{}", months / 12, months % 12 + 1);
            if segments.len() == 4 {
                return vec![format!("{}/{}", month(months), number(3) + 1)];
            }
            let days = (1..29).map(|day| format!("{}/{day}", month(months)));
            days.chain([month(months - 1), month(months + 1)]).collect()
        }
        "session" => {
            let id = format!("{:012x}", dice.roll() >> 16);
            vec![format!("/session?sid={id}1&PHPSESSID=1{id}")]
        }
        "deep" => vec![format!("{path}a/"), format!("{path}b/")],
        "rel" => vec![format!("{path}x/"), format!("{path}page.html/")],
        "facet" => {
            let known: BTreeMap<&str, &str> =
                query.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let mut links = Vec::new();
            for name in ["color", "size", "brand", "sort", "page"] {
                for value in ["1", "2", "3", "red"] {
                    let mut facets = known.clone();
                    facets.insert(name, value);
                    let facets: Vec<String> =
                        facets.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    links.push(format!("/facet?{}", facets.join("&")));
                }
            }
            links
        }
        other => panic!("{other}"),
    }
}

/// Some URLs of every endless space are fetched, and then the space ends without any other limit.
#[test]
fn every_endless_space_of_the_trap_host_comes_to_an_end() {
    let rules = TrapRules::new(&TrapsConfig::default());
    for (start, most) in [
        ("/calendar/2024/1", 53 * 12 * 32),
        ("/session?sid=1", 1),
        ("/deep/a/", 100),
        ("/rel/x/", 100),
        ("/facet?color=red", 821),
    ] {
        let mut dice = Dice(7);
        let mut seen = HashSet::from([start.to_owned()]);
        let mut queue = vec![start.to_owned()];
        while let Some(path) = queue.pop() {
            for link in links_of_trap_host(&path, &mut dice) {
                let is_trap = rules.judge(&url(&format!("http://trap.mock.test{link}")), today()).is_some();
                if !is_trap && seen.insert(link.clone()) {
                    queue.push(link);
                }
            }
            assert!(seen.len() <= most, "{start}: {} URLs and no end", seen.len());
        }
        assert!(start.starts_with("/session") || seen.len() > 30, "{start}: only {}", seen.len());
    }
}

/// The number of URLs, and those that count as traps: the kind, and the beginning of the URL.
fn judged(urls: impl Iterator<Item = CanonicalUrl>) -> (usize, Vec<(&'static str, String)>) {
    let rules = TrapRules::new(&TrapsConfig::default());
    let (mut count, mut traps) = (0, Vec::new());
    for url in urls {
        count += 1;
        let start = || url.as_str().chars().take(100).collect();
        traps.extend(rules.judge(&url, today()).map(|trap| (trap.name(), start())));
    }
    (count, traps)
}

#[derive(serde::Deserialize)]
struct Page {
    url: String,
    /// Tag, reference as written, and as resolved; the other columns are not needed here.
    links: Vec<(IgnoredAny, IgnoredAny, Option<String>, IgnoredAny, IgnoredAny, IgnoredAny)>,
}

#[test]
fn real_documentation_sites_are_not_traps() {
    let Some(file) = shared("web/links.jsonl.gz") else { return };
    let lines = BufReader::new(GzDecoder::new(std::fs::File::open(file).unwrap())).lines();
    let (mut pages, mut targets) = (Vec::new(), HashSet::new());
    for line in lines {
        let page: Page = serde_json::from_str(&line.unwrap()).unwrap();
        pages.push(url(&page.url));
        targets.extend(page.links.into_iter().filter_map(|link| link.2));
    }
    let (count, traps) = judged(pages.into_iter());
    assert!(count > 17_000, "{count}");
    assert!(traps.is_empty(), "no page of these sites is a trap: {traps:#?}");

    let rules = UrlRules::default();
    let (count, traps) = judged(targets.iter().filter_map(|target| rules.canonical(target).ok()));
    assert!(count > 50_000, "{count}");
    // All refused links of these sites: programs of up to eight kilobytes in the URLs of an online editor.
    assert_eq!(traps.len(), 32, "{traps:#?}");
    for (trap, url) in traps {
        assert!(
            trap == "long_query" && url.starts_with("https://play.rust-lang.org/?code="),
            "{trap}: {url}"
        );
    }
}
