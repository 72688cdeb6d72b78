//! Search ranks recomputed from `exportpages` alone, by the definition and without code of the program. Each page
//! passes its PageRank (damping 0.85, uniform teleport, dangling nodes to all) to its canonical URL, or else to the
//! distinct targets of its followed links.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use backlinkd::crawl::CrawlJob;
use backlinkd::model::{Directives, Visit, VisitRecord};
use backlinkd::rank::rank_all;
use serde_json::Value;

use super::client::{Client, encode};
use super::oracle::export;
use super::server::Server;
use super::web::{DOMAINS, Dice, random, url};
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::test_web::TestWeb;
use crate::support::true_links::lines;

const DAMPING: f64 = 0.85;
/// Half of the precision of two decimals, plus the error of an approximation.
const HALF_A_HUNDREDTH: f64 = 0.005_001;

/// The content of the exports: all URLs in them, and the targets of each page's rank.
#[derive(Default)]
struct Web {
    urls: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
    /// The exported ranks.
    ranks: BTreeMap<String, f64>,
    canonicals: usize,
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}"))
}

impl Web {
    fn of<'d>(client: &Client, domains: impl IntoIterator<Item = &'d str>) -> Self {
        let mut web = Self::default();
        for domain in domains {
            export(client, "exportpages", domain, 10_000).iter().for_each(|page| web.add(page));
        }
        web
    }

    fn add(&mut self, page: &Value) {
        let (info, mut targets) = (&page["info"], BTreeSet::new());
        let (url, canonical) = (text(info, "url").to_owned(), text(info, "canonical"));
        let robots = text(info, "robots");
        for link in ["extL", "intL"].iter().flat_map(|key| page[key].as_array().unwrap()) {
            self.urls.insert(text(link, "url").to_owned());
            if link["nofollow"] == false {
                targets.insert(text(link, "url").to_owned());
            }
            let obeyed = !robots.contains("nofollow") || link["nofollow"] == true;
            assert!(obeyed, "{url} says {robots}, but a link is followed: {link}");
        }
        if !canonical.is_empty() {
            self.canonicals += 1;
            targets = BTreeSet::from([canonical.to_owned()]);
        }
        self.urls.extend([url.clone()].into_iter().chain(targets.iter().cloned()));
        self.ranks.insert(url.clone(), info["sr"].as_f64().unwrap());
        self.edges.insert(url, targets);
    }

    /// The search rank of every URL, without rounding.
    fn recomputed(&self) -> BTreeMap<&str, f64> {
        let urls: Vec<&str> = self.urls.iter().map(String::as_str).collect();
        let place = |url: &String| urls.binary_search(&url.as_str()).unwrap();
        let edges: Vec<Vec<usize>> = self
            .urls
            .iter()
            .map(|url| self.edges.get(url).into_iter().flatten().map(place).collect())
            .collect();
        let nodes = urls.len() as f64;
        let dangling = |ranks: &[f64]| -> f64 {
            ranks.iter().zip(&edges).filter(|(_, targets)| targets.is_empty()).map(|(rank, _)| rank).sum()
        };
        let mut ranks = vec![1.0 / nodes; urls.len()];
        for _ in 0..200 {
            let everywhere = (1.0 - DAMPING + DAMPING * dangling(&ranks)) / nodes;
            let mut next = vec![everywhere; urls.len()];
            for (rank, targets) in ranks.iter().zip(&edges) {
                targets.iter().for_each(|&target| next[target] += DAMPING * rank / targets.len() as f64);
            }
            ranks = next;
        }
        let least = (1.0 - DAMPING + DAMPING * dangling(&ranks)) / nodes;
        let search_rank = |rank: &f64| ((rank / least).ln() / 8_f64.ln()).clamp(0.0, 10.0);
        urls.into_iter().zip(ranks.iter().map(search_rank)).collect()
    }

    /// Pages whose exported rank differs.
    fn differing(&self) -> Vec<String> {
        let recomputed = self.recomputed();
        let pages = self.ranks.iter().map(|(url, rank)| (url, rank, recomputed[url.as_str()]));
        pages
            .filter(|(_, rank, own)| (*rank - own).abs() > HALF_A_HUNDREDTH)
            .map(|(url, rank, own)| format!("{url}: {rank} exported, {own} recomputed"))
            .collect()
    }
}

/// Checks that the rank of every page of these domains follows from their exports, which contain all pages. Returns the
/// number of pages, and of those with a canonical URL.
pub fn agree_on_ranks<'d>(client: &Client, domains: impl IntoIterator<Item = &'d str>) -> (usize, usize) {
    let web = Web::of(client, domains);
    let differing = web.differing();
    let first = &differing[..differing.len().min(10)];
    assert!(differing.is_empty(), "{} of {}: {first:#?}", differing.len(), web.ranks.len());
    (web.ranks.len(), web.canonicals)
}

/// Every case that directs rank and could be overlooked.
fn pages() -> Vec<(&'static str, &'static str, Reply)> {
    let html = |head: &str, body: &str| Reply::html(&format!("<title>t</title>{head}<body>{body}"));
    let links =
        |targets: &[&str]| targets.iter().map(|to| format!("<a href='{to}'>x</a>")).collect::<String>();
    let canonical = |to: &str| format!("<link rel=canonical href='{to}'>");
    let robots = |words: &str| format!("<meta name=robots content='{words}'>");
    let all = [
        "/moved/1",
        "/copy/1",
        "/quiet",
        "/hidden",
        "/none",
        "/own",
        "/text",
        "/loop/a",
        "/gone",
        "/broken",
        "/refreshed",
        "/header",
        "/half",
        "http://b.test/",
        "http://never.test/x",
    ];
    vec![
        ("a.test", "/", html("", &links(&all))),
        // Chains of redirects, also across hosts.
        ("a.test", "/moved/1", Reply::redirect(301, "/moved/2")),
        ("a.test", "/moved/2", Reply::redirect(302, "http://b.test/moved")),
        ("b.test", "/moved", Reply::redirect(308, "http://a.test/end")),
        ("a.test", "/end", html("", &links(&["/", "http://b.test/"]))),
        ("a.test", "/loop/a", Reply::redirect(307, "/loop/b")),
        ("a.test", "/loop/b", Reply::redirect(303, "/loop/a")),
        // Canonicals: in a chain, in a ring, by header, to a page that was never fetched.
        ("a.test", "/copy/1", html(&canonical("/copy/2"), &links(&["/end", "http://b.test/only-here"]))),
        ("a.test", "/copy/2", html(&canonical("http://b.test/original"), &links(&["/end"]))),
        ("b.test", "/original", html(&canonical("/original"), &links(&["/ring/1", "http://a.test/"]))),
        ("b.test", "/ring/1", html(&canonical("/ring/2"), "")),
        ("b.test", "/ring/2", html(&canonical("/ring/1"), &links(&["/"]))),
        (
            "a.test",
            "/header",
            html("", &links(&["/"])).header("Link", "<http://never.test/y>; rel=\"canonical\""),
        ),
        ("a.test", "/refreshed", html("<meta http-equiv=refresh content='9;url=/end'>", &links(&["/quiet"]))),
        // Directives.
        ("a.test", "/quiet", html(&robots("nofollow"), &links(&["/end", "http://b.test/quiet"]))),
        ("a.test", "/hidden", html(&robots("noindex"), &links(&["/quiet", "http://b.test/"]))),
        ("a.test", "/none", html(&robots("none"), &links(&["/end"])).header("X-Robots-Tag", "otherbot: all")),
        ("b.test", "/quiet", html("", &links(&["/"])).header("X-Robots-Tag", "noindex, nofollow")),
        ("a.test", "/half", html(&(robots("nofollow") + &canonical("/end")), &links(&["/quiet"]))),
        // Links to the page itself, twice to one page, and some that are not followed.
        (
            "a.test",
            "/own",
            html(
                "",
                &(links(&["/own#top", "/own?", "/end", "/end", "/text", "/own?a"])
                    + "<a rel='nofollow' href=/quiet>x</a><a rel=ugc href=/end>x</a><a rel=sponsored href=/s>x</a>"),
            ),
        ),
        ("a.test", "/own?a", html("", &links(&["/own?a", "/own?b", "/own"]))),
        // Pages without rank to pass.
        ("a.test", "/text", Reply::text("http://b.test/")),
        ("a.test", "/gone", Reply::status(410).header("Content-Type", "text/html").body(canonical("/end"))),
        ("a.test", "/broken", Reply::status(404).header("Content-Type", "text/html").body(links(&["/end"]))),
        ("b.test", "/", html("", &links(&["http://a.test/own", "http://a.test/copy/1", "/quiet"]))),
        ("b.test", "/only-here", html("", "")),
    ]
}

fn crawled() -> Site {
    let mut web = FakeWeb::new().host("b.test", "127.1.0.2");
    for (host, path, reply) in pages() {
        web = web.page(host, path, reply);
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.stay_on_seed_domains = true;
    let seeds = ["http://a.test/".to_owned(), "http://b.test/".to_owned()];
    let job: CrawlJob = job(&seeds);
    site.crawl(&job, &AtomicBool::new(false));
    rank_all(&site.store, &site.config.rank, site.store.suffixes(), &|_| ()).unwrap();
    site
}

#[test]
fn ranks_follow_from_exported_pages_alone() {
    let site = crawled();
    let server = Server::of(&site.store);
    let domains = ["a.test", "b.test", "never.test"];
    let (pages, canonicals) = agree_on_ranks(&server.client, domains);
    assert_eq!((pages, canonicals), (29, 6));

    // All exported data is needed: without the canonical URLs or the followed links, the ranks differ.
    let web = Web::of(&server.client, domains);
    let mut deaf = Web { urls: web.urls.clone(), ranks: web.ranks.clone(), ..Web::default() };
    deaf.edges = web.edges.iter().filter(|(url, _)| !url.contains("/copy/")).map(owned).collect();
    assert!(deaf.differing().len() > 5, "{:?}", deaf.differing());

    // URLs that were never fetched have ranks too.
    let recomputed = web.recomputed();
    for url in ["http://never.test/x", "http://never.test/y", "http://a.test/s"] {
        let answer = server.client.json(&format!("/sr?url={}", encode(url)));
        let rank = answer["response"][0]["sr"].as_f64().unwrap();
        assert!((rank - recomputed[url]).abs() < HALF_A_HUNDREDTH, "{url}: {rank}, {}", recomputed[url]);
    }
    assert!(recomputed["http://never.test/x"] > 0.0 && recomputed["http://never.test/y"] > 0.0);
    assert_eq!(recomputed["http://a.test/s"], 0.0);
}

fn owned((url, targets): (&String, &BTreeSet<String>)) -> (String, BTreeSet<String>) {
    (url.clone(), targets.clone())
}

#[test]
fn every_format_has_the_directives_that_were_obeyed() {
    let site = crawled();
    let server = Server::of(&site.store);
    let expected = [
        ("http://a.test/copy/1", "http://a.test/copy/2", ""),
        ("http://a.test/copy/2", "http://b.test/original", ""),
        ("http://a.test/gone", "", ""),
        ("http://a.test/half", "http://a.test/end", "nofollow"),
        ("http://a.test/header", "http://never.test/y", ""),
        ("http://a.test/hidden", "", "noindex"),
        ("http://a.test/moved/1", "", ""),
        ("http://a.test/none", "", "noindex, nofollow"),
        ("http://a.test/quiet", "", "nofollow"),
        ("http://b.test/original", "", ""),
        ("http://b.test/quiet", "", "noindex, nofollow"),
        ("http://b.test/ring/2", "http://b.test/ring/1", ""),
    ];
    for (url, canonical, robots) in expected {
        let target = format!("/exportpages?url={}&fields=robots,canonical", encode(url));
        let json = server.client.json(&target);
        let info = &json["response"][0]["info"];
        assert_eq!((text(info, "canonical"), text(info, "robots")), (canonical, robots), "{url}");
        assert_eq!(info.as_object().unwrap().len(), 2);
        let robots = if robots.contains(',') { format!("\"{robots}\"") } else { robots.to_owned() };
        let csv = server.client.get(&format!("{target}&format=csv")).text();
        assert_eq!(csv, format!("robots,canonical\r\n{robots},{canonical}\r\n"), "{url}");
        let line = server.client.get(&format!("{target}&format=jsonl")).text();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json["response"][0], "{url}");
        let whole = server.client.json(&format!("/exportpages?url={}", encode(url)));
        assert_eq!(whole["response"][0]["info"]["canonical"], *canonical, "{url}");
    }
}

/// Visits of all kinds, several to a page, with canonical URLs and directives. A page's declarations before it failed,
/// moved or vanished count if the export shows them.
#[test]
fn ranks_follow_from_exports_after_any_earlier_visits() {
    for seed in 31..=36 {
        let mut dice = Dice(seed);
        let mut records = random(seed, 300);
        let urls: Vec<String> = records.iter().map(|record| record.url.as_str().to_owned()).collect();
        for record in &mut records {
            vary(record, &urls, &mut dice);
        }
        let server = Server::start(&records);
        rank_all(&server.store, &Default::default(), server.store.suffixes(), &|_| ()).unwrap();
        let (pages, canonicals) = agree_on_ranks(&server.client, DOMAINS.iter().copied());
        assert!(pages > 80 && canonicals > 15, "{pages} pages, {canonicals} canonicals");
    }
}

/// Real pages, some of which declare that they are copies, and a few that they are copies of copies.
#[test]
fn ranks_of_the_small_test_web_follow_from_its_exports() {
    let Some(truth) = lines() else { return };
    let Some(web) = TestWeb::serve_small(truth) else { return };
    let store = web.open("data");
    web.crawl(&store);
    rank_all(&store, &web.config.rank, store.suffixes(), &|_| ()).unwrap();
    let domains = store.visited_domains().unwrap();
    drop(store);
    let server = Server::over(web.stop());
    let (pages, canonicals) = agree_on_ranks(&server.client, domains.iter().map(String::as_str));
    eprintln!("{pages} pages, {canonicals} behind a canonical URL");
    assert!(pages > 2_500 && canonicals > 50, "{pages} pages, {canonicals} canonicals");
}

fn vary(record: &mut VisitRecord, urls: &[String], dice: &mut Dice) {
    let Visit::Responded(content) = &mut record.visit else { unreachable!() };
    if dice.roll(3) == 0 {
        content.facts.canonical = Some(url(&urls[dice.roll(urls.len())]));
    }
    if content.facts.status == 200 && dice.roll(8) == 0 {
        content.facts.status = dice.pick(&[403, 404, 500, 503]);
    }
    content.facts.directives = Directives { noindex: dice.roll(4) == 0, nofollow: false };
}
