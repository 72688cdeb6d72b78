//! From pages and links to ranks: the link graph of pages, hosts and domains.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::config::RankConfig;
use backlinkd::graph::Csr;
use backlinkd::model::{Day, LinkTag, OutlinkRecord, PageFacts, Rel, SearchRank, StoredPage};
use backlinkd::rank::{GraphKind, RankError, Ranking, RankingStage, rank_rows};
use backlinkd::store::PageLinks;
use backlinkd::urls::{CanonicalUrl, Suffixes, Surt, UrlRules};
use proptest::prelude::*;

use super::oracle;

type Ranks = BTreeMap<String, u16>;

fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

fn link(target: &str, tag: LinkTag, rel: Rel) -> OutlinkRecord {
    OutlinkRecord {
        target: url(target),
        seq: 0,
        pos: 1,
        tag,
        rel,
        anchor: String::new(),
        external: true,
        first_day: Day(0),
        absences: Vec::new(),
    }
}

/// A page with status 200 that links to these URLs.
fn page(at: &str, targets: &[&str]) -> PageLinks {
    let links = targets.iter().map(|target| link(target, LinkTag::A, Rel::NONE)).collect();
    PageLinks {
        url: url(at),
        page: StoredPage {
            facts: PageFacts { status: 200, ..PageFacts::default() },
            ..StoredPage::default()
        },
        links,
    }
}

fn copied(row: &PageLinks) -> PageLinks {
    PageLinks { url: row.url.clone(), page: row.page.clone(), links: row.links.clone() }
}

fn ranking(mut rows: Vec<PageLinks>) -> Ranking {
    rows.sort_by_key(|row| Surt::from(&row.url));
    let suffixes = Suffixes::built_in().unwrap();
    let config = RankConfig { tolerance: 1e-12, ..RankConfig::default() };
    rank_rows(|| rows.iter().map(|row| Ok(copied(row))), &suffixes, &config, &|_| ()).unwrap()
}

fn pages(ranking: &Ranking) -> Ranks {
    ranking.pages().map(|row| row.map(|(url, rank)| (url.to_string(), rank.0)).unwrap()).collect()
}

fn hosts(ranking: &Ranking) -> Ranks {
    ranking.hosts().map(|row| row.map(|(host, rank)| (host, rank.0)).unwrap()).collect()
}

fn domains(ranking: &Ranking) -> Ranks {
    ranking.domains().map(|row| row.map(|(domain, rank)| (domain, rank.0)).unwrap()).collect()
}

/// The ranks of a graph of named nodes, by the dense solver and the definition of the scale.
fn expected(nodes: &BTreeSet<String>, edges: &BTreeMap<(String, String), u32>) -> Ranks {
    let id = |name: &String| nodes.iter().position(|node| node == name).unwrap() as u32;
    let triples = edges.iter().map(|((from, to), weight)| (id(from), id(to), *weight)).collect();
    let graph = Csr::from_weighted(nodes.len() as u32, triples).unwrap();
    let p = oracle::dense(&graph, 0.85);
    let dangling: f64 =
        (0..graph.nodes()).filter(|&node| graph.targets(node).is_empty()).map(|node| p[node as usize]).sum();
    let rank = |p: f64| {
        let strength = p * nodes.len() as f64 / (0.15 + 0.85 * dangling);
        (strength.ln() / 8_f64.ln() * 100.0).round().clamp(0.0, 1_000.0) as u16
    };
    nodes.iter().cloned().zip(p.into_iter().map(rank)).collect()
}

fn expected_of(names: &[&str], edges: &[(&str, &str, u32)]) -> Ranks {
    let edges =
        edges.iter().map(|(from, to, weight)| ((from.to_string(), to.to_string()), *weight)).collect();
    expected(&names.iter().map(ToString::to_string).collect(), &edges)
}

#[test]
fn rank_flows_over_distinct_followed_links_internal_and_external() {
    let mut first =
        page("http://a.com/", &["http://b.com/", "http://b.com/", "http://a.com/x", "http://a.com/"]);
    for (target, rel) in [
        ("http://n.com/", Rel::NOFOLLOW),
        ("http://u.com/", Rel::UGC),
        ("http://s.com/", Rel::SPONSORED),
        ("http://p.com/", Rel::PAGE_NOFOLLOW),
        ("http://b.com/", Rel::NOFOLLOW),
    ] {
        first.links.push(link(target, LinkTag::A, rel));
    }
    let found = ranking(vec![first, page("http://b.com/", &["http://a.com/x"])]);
    let names = ["a.com/", "a.com/x", "b.com/", "n.com/", "p.com/", "s.com/", "u.com/"];
    let names: Vec<String> = names.iter().map(|name| format!("http://{name}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (a, x, b) = (names[0], names[1], names[2]);
    assert_eq!(pages(&found), expected_of(&names, &[(a, b, 1), (a, x, 1), (a, a, 1), (b, x, 1)]));
    assert_eq!(pages(&found)["http://n.com/"], 0);
    let [pages, hosts, domains] = found.summaries();
    assert_eq!((pages.nodes, pages.edges), (7, 4));
    assert_eq!((hosts.nodes, hosts.edges, domains.nodes, domains.edges), (6, 2, 6, 2));
}

#[test]
fn redirects_and_canonicals_pass_all_their_rank() {
    let mut moved = page("http://a.com/old", &[]);
    moved.page.facts.status = 301;
    moved.links.push(link("http://a.com/new", LinkTag::Redirect301, Rel::NONE));
    moved.page.facts.canonical = Some(url("http://elsewhere.com/"));
    let mut copy = page("http://a.com/copy", &["http://b.com/", "http://c.com/"]);
    copy.page.facts.canonical = Some(url("http://canon.org/x"));
    let mut own = page("http://a.com/own", &["http://b.com/"]);
    own.page.facts.canonical = Some(url("http://a.com/own"));
    let mut gone = page("http://a.com/gone", &[]);
    gone.page = StoredPage {
        facts: PageFacts { status: 404, canonical: Some(url("http://canon.org/x")), ..gone.page.facts },
        ..gone.page
    };
    let found = ranking(vec![moved, copy, own, gone]);

    let names = [
        "http://a.com/copy",
        "http://a.com/gone",
        "http://a.com/new",
        "http://a.com/old",
        "http://a.com/own",
        "http://b.com/",
        "http://c.com/",
        "http://canon.org/x",
    ];
    let edges = [
        ("http://a.com/old", "http://a.com/new", 1),
        ("http://a.com/copy", "http://canon.org/x", 1),
        ("http://a.com/own", "http://b.com/", 1),
    ];
    assert_eq!(pages(&found), expected_of(&names, &edges));
    let sites = ["a.com", "b.com", "c.com", "canon.org"];
    let edges = [("a.com", "canon.org", 1), ("a.com", "b.com", 1)];
    assert_eq!(hosts(&found), expected_of(&sites, &edges));
}

#[test]
fn host_and_domain_edges_are_weighted_by_linking_pages() {
    let found = ranking(vec![
        // Two pages link to b.com, one of them twice; a third one on another port is separated by hosts that sort
        // between.
        page("http://a.com/1", &["http://b.com/", "http://b.com/2", "http://www.a.com/"]),
        page("http://a.com/2", &["http://b.com/", "http://c.co.uk/"]),
        page("http://a.com:8080/", &["http://b.com/"]),
        page("http://0.a.com/", &["http://b.com/", "http://shop.b.com/"]),
        page("http://192.0.2.1/", &["http://b.com/", "http://192.0.2.2/"]),
        page("http://github.io/", &["http://me.github.io/"]),
    ]);
    let hosts_there = [
        "0.a.com",
        "192.0.2.1",
        "192.0.2.2",
        "a.com",
        "b.com",
        "c.co.uk",
        "github.io",
        "me.github.io",
        "shop.b.com",
        "www.a.com",
    ];
    let host_edges = [
        ("a.com", "b.com", 3),
        ("a.com", "www.a.com", 1),
        ("a.com", "c.co.uk", 1),
        ("0.a.com", "b.com", 1),
        ("0.a.com", "shop.b.com", 1),
        ("192.0.2.1", "b.com", 1),
        ("192.0.2.1", "192.0.2.2", 1),
        ("github.io", "me.github.io", 1),
    ];
    assert_eq!(hosts(&found), expected_of(&hosts_there, &host_edges));
    let domains_there = ["192.0.2.1", "192.0.2.2", "a.com", "b.com", "c.co.uk", "github.io", "me.github.io"];
    let domain_edges = [
        ("a.com", "b.com", 4),
        ("a.com", "c.co.uk", 1),
        ("192.0.2.1", "b.com", 1),
        ("192.0.2.1", "192.0.2.2", 1),
        ("github.io", "me.github.io", 1),
    ];
    assert_eq!(domains(&found), expected_of(&domains_there, &domain_edges));
}

#[test]
fn ranks_come_in_key_order() {
    let found =
        ranking(vec![page("http://b.com/", &["http://z.a.com/", "https://b.com/", "http://a-b.com/?q"])]);
    let keys: Vec<Surt> = found.pages().map(|row| Surt::from(&row.unwrap().0)).collect();
    assert!(keys.is_sorted() && keys.len() == 4);
    let hosts: Vec<String> = found.hosts().map(|row| row.unwrap().0).collect();
    assert_eq!(hosts, ["z.a.com", "a-b.com", "b.com"]);
}

#[test]
fn an_empty_index_has_no_ranks() {
    let found = ranking(Vec::new());
    assert_eq!((found.pages().count(), found.hosts().count(), found.domains().count()), (0, 0, 0));
}

#[test]
fn progress_names_each_graph_and_errors_are_returned() {
    let suffixes = Suffixes::built_in().unwrap();
    let rows = [page("http://a.com/", &["http://b.com/"]), page("http://b.com/", &["http://a.com/"])];
    let told = std::cell::RefCell::new(Vec::new());
    let again = || rows.iter().map(|row| Ok(copied(row)));
    rank_rows(again, &suffixes, &RankConfig::default(), &|progress| {
        if let RankingStage::Ranking { graph, iteration: 1, .. } = progress {
            told.borrow_mut().push(graph);
        }
    })
    .unwrap();
    assert_eq!(told.into_inner(), [GraphKind::Pages, GraphKind::Hosts, GraphKind::Domains]);

    // Rows out of key order cannot come from a snapshot.
    let backwards = || rows.iter().rev().map(|row| Ok(copied(row)));
    let result = rank_rows(backwards, &suffixes, &RankConfig::default(), &|_| ());
    assert!(matches!(result, Err(RankError::Graph(_))));
    // Neither can rows that differ from one read to the next.
    let readings = std::cell::Cell::new(0);
    let changing = || {
        readings.set(readings.get() + 1);
        rows.iter().take(readings.get()).skip(readings.get() - 1).map(|row| {
            let mut row = copied(row);
            row.links.truncate(readings.get() - 1);
            Ok(row)
        })
    };
    let result = rank_rows(changing, &suffixes, &RankConfig::default(), &|_| ());
    assert!(matches!(&result, Err(RankError::Unnamed(url)) if url.ends_with(".com/")), "{result:?}");
}

/// One page of a small random web: its place, its links and whether they are followed, its canonical URL.
type Sketch = (usize, Vec<(usize, bool)>, Option<usize>);

fn any_sketch() -> impl Strategy<Value = Sketch> {
    const PAGES: std::ops::Range<usize> = 0..21;
    (PAGES, prop::collection::vec((PAGES, any::<bool>()), 0..6), prop::option::weighted(0.2, PAGES))
}

/// Pages on hosts that share domains, ports and parts of names.
fn place(number: usize) -> String {
    const HOSTS: [&str; 7] =
        ["a.com", "www.a.com", "a.com:81", "a-b.com", "x.co.uk", "y.x.co.uk", "198.51.100.7"];
    format!("http://{}/{}", HOSTS[number % HOSTS.len()], number / HOSTS.len())
}

fn sketched(sketch: &Sketch) -> PageLinks {
    let mut row = page(&place(sketch.0), &[]);
    for (target, followed) in &sketch.1 {
        let rel = if *followed { Rel::NONE } else { Rel::UGC };
        row.links.push(link(&place(*target), LinkTag::A, rel));
    }
    row.page.facts.canonical = sketch.2.map(|canonical| url(&place(canonical)));
    row
}

/// The graph of sites of a sketch, by the definition.
fn sites(web: &BTreeMap<usize, Sketch>, site: &dyn Fn(usize) -> String, within: bool) -> Ranks {
    let mut nodes = BTreeSet::new();
    let mut linking: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
    for (at, links, canonical) in web.values() {
        let canonical = canonical.filter(|canonical| canonical != at);
        let known = links.iter().map(|(target, _)| *target).chain(canonical).chain([*at]);
        nodes.extend(known.map(site));
        let followed = links.iter().filter(|(_, followed)| *followed).map(|(target, _)| *target);
        let targets = canonical.map_or(followed.collect(), |canonical| vec![canonical]);
        for target in targets {
            if within || site(target) != site(*at) {
                linking.entry((site(*at), site(target))).or_default().insert(*at);
            }
        }
    }
    expected(&nodes, &linking.into_iter().map(|(edge, pages)| (edge, pages.len() as u32)).collect())
}

proptest! {
    #[test]
    fn any_small_web_is_ranked_by_the_definition(sketches in prop::collection::vec(any_sketch(), 0..12)) {
        let web: BTreeMap<usize, Sketch> = sketches.into_iter().map(|sketch| (sketch.0, sketch)).collect();
        let found = ranking(web.values().map(sketched).collect());
        let suffixes = Suffixes::built_in().unwrap();
        let host = |number: usize| url(&place(number)).host().to_owned();
        prop_assert_eq!(pages(&found), sites(&web, &place, true));
        prop_assert_eq!(hosts(&found), sites(&web, &host, false));
        let domain = |number: usize| suffixes.domain_of(&host(number)).to_owned();
        prop_assert_eq!(domains(&found), sites(&web, &domain, false));
        prop_assert!(found.pages().all(|row| row.unwrap().1 <= SearchRank::MAX));
    }
}
