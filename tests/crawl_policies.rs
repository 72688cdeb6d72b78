//! The policies of a crawl: budgets, order, sitemaps, copies, traps, block lists, the schedule of visits, a full disk,
//! and the archive of responses.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use backlinkd::config::{CrawlOrder, Span};
use backlinkd::crawl::{Figures, Reload};
use backlinkd::fetch::StoredRobots;
use backlinkd::model::{
    DiscoveredUrl, Disposition, FailureKind, Link, LinkTag, PageContent, PageFacts, Priority, QueueEntry,
    Rel, SearchRank, SitemapGrant, Target, Visit, VisitRecord,
};
use backlinkd::policy::{BlockList, RevisitRules};
use backlinkd::store::{Commit, Store};
use backlinkd::urls::Suffixes;

use crate::pipeline::oracle::url;
use crate::pipeline::{Site, job};
use crate::store_format::write_raw;
use crate::support::fake_web::{FakeWeb, Reply};

pub fn site(web: FakeWeb) -> Site {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    Site::over(runtime, web)
}

pub fn crawl(site: &Site, seeds: &[&str]) -> Figures {
    let seeds: Vec<String> = seeds.iter().map(|seed| format!("http://{seed}")).collect();
    site.crawl(&job(&seeds), &AtomicBool::new(false))
}

/// The requested pages in order: host and path, without robots.txt files.
pub fn asked(site: &Site) -> Vec<String> {
    let log = site.web.log();
    let pages = log.iter().filter(|request| request.path != "/robots.txt");
    pages.map(|request| format!("{}{}", request.host, request.path)).collect()
}

pub fn asked_set(site: &Site) -> BTreeSet<String> {
    asked(site).into_iter().collect()
}

fn links(targets: impl IntoIterator<Item = String>) -> Reply {
    let links: Vec<String> = targets.into_iter().map(|target| format!("<a href='{target}'>x</a>")).collect();
    Reply::html(&links.join(" "))
}

/// A host whose home page links to this number of others.
fn wide(web: FakeWeb, host: &str, pages: usize) -> FakeWeb {
    web.page(host, "/", links((0..pages).map(|page| format!("/p{page}"))))
        .answer(host, "/p*", |request| Reply::html(&request.path))
}

#[test]
fn the_page_budget_of_a_host_grows_with_its_linking_domains() {
    let mut web = wide(wide(FakeWeb::new(), "lonely.test", 30), "known.test", 30);
    for fan in 0..3 {
        let target = "http://known.test/".to_owned();
        web = web.page(&format!("fan{fan}.test"), "/", links([target]));
    }
    let mut site = site(web);
    site.config.crawl.host_pages = 5;
    site.config.crawl.pages_per_linking_domain = 4;
    crawl(&site, &["fan0.test/", "fan1.test/", "fan2.test/"]);
    crawl(&site, &["lonely.test/", "known.test/"]);
    let count =
        |site: &Site, host: &str| asked_set(site).iter().filter(|page| page.starts_with(host)).count();
    // A seed does not count towards a budget; the home page of the other host was discovered before.
    assert_eq!(count(&site, "lonely.test/"), 1 + 5);
    assert_eq!(count(&site, "known.test/"), 5 + 3 * 4);
    // URLs over budget stay queued, and are fetched once others link to their host.
    site.config.crawl.host_pages = 8;
    crawl(&site, &[]);
    assert_eq!((count(&site, "lonely.test/"), count(&site, "known.test/")), (1 + 8, 8 + 3 * 4));
}

#[test]
fn a_domain_does_not_grow_by_inventing_hosts() {
    let next = |host: &str| {
        let number: u32 = host.split('.').next().and_then(|label| label[1..].parse().ok()).unwrap_or(0);
        links((1..4).map(|step| format!("http://n{}.farm.test/", 3 * number + step)))
    };
    let web = FakeWeb::new().answer("*.farm.test", "/", move |request| next(&request.host)).answer(
        "farm.test",
        "/",
        move |_| next("n0.farm.test"),
    );
    let mut site = site(web);
    site.config.crawl.domain_hosts = 12;
    site.config.crawl.max_depth = 1_000;
    crawl(&site, &["farm.test/"]);
    let hosts = asked_set(&site).len();
    assert!((6..=14).contains(&hosts), "{hosts} hosts");

    site.config.crawl.domain_hosts = 1_000;
    site.config.crawl.domain_pages = 20;
    crawl(&site, &[]);
    let hosts = asked_set(&site).len();
    assert!((20..=22).contains(&hosts), "{hosts} hosts");
}

#[test]
fn a_page_without_a_response_is_visited_although_its_entry_has_no_attempt() {
    let site = site(FakeWeb::new().page("a.test", "/", Reply::html("here")));
    let page = url("http://a.test/");
    // The state after an interrupted merge that is repeated after the page has failed.
    let (priority, target) = (Priority::New(0), Target::Page);
    let entry = QueueEntry { url: page.clone(), priority, depth: 0, attempts: 0, target };
    let record = VisitRecord {
        url: page,
        visited: 1_000_000,
        visit: Visit::Failed(FailureKind::Timeout, String::new()),
    };
    site.store
        .commit(Commit {
            records: vec![record],
            dispositions: vec![(entry, Disposition::Retry)],
            ..Commit::default()
        })
        .unwrap();
    crawl(&site, &[]);
    assert_eq!(asked(&site), ["a.test/"]);
}

#[test]
fn pages_listed_only_by_a_sitemap_are_found() {
    let map = |urls: &[&str]| {
        let entries: String = urls.iter().map(|url| format!("<url><loc>{url}</loc></url>")).collect();
        Reply::text(&format!("<?xml version='1.0'?><urlset>{entries}</urlset>"))
    };
    let web = FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::text("User-agent: *\nDisallow: /no\nSitemap: /index.xml\n"))
        .page(
            "a.test",
            "/index.xml",
            Reply::text(
                "<sitemapindex><sitemap><loc>http://a.test/one.xml</loc></sitemap>\
                 <sitemap><loc>http://a.test/no.xml</loc></sitemap></sitemapindex>",
            ),
        )
        .page("a.test", "/one.xml", map(&["http://a.test/hidden", "http://b.test/foreign", "/no/1"]))
        .page("a.test", "/hidden", Reply::html("here"))
        .page("a.test", "/", Reply::html("home"));
    let mut site = site(web);
    let figures = crawl(&site, &["a.test/"]);
    let expected = ["a.test/", "a.test/hidden", "a.test/index.xml", "a.test/one.xml"];
    assert_eq!(asked_set(&site), expected.map(str::to_owned).into());
    // The disallowed page, and the sitemap.
    assert_eq!((figures.visits, figures.sitemaps, figures.disallowed), (2, 2, 2));
    assert!(site.store.page(&url("http://a.test/one.xml")).unwrap().is_none());

    site.config.sitemaps.follow = false;
    let before = asked(&site).len();
    crawl(&site, &["a.test/"]);
    assert_eq!(asked(&site)[before..], ["a.test/"]);
}

/// A sitemap in the form in which a robots.txt declares it.
pub fn sitemap_target() -> Target {
    Target::Sitemap(Box::new(SitemapGrant::at_level(0)))
}

pub fn sitemap_of(urls: impl IntoIterator<Item = String>) -> Reply {
    let entries: String = urls.into_iter().map(|url| format!("<url><loc>{url}</loc></url>")).collect();
    Reply::text(&format!("<urlset>{entries}</urlset>"))
}

#[test]
fn sitemaps_of_a_host_are_read_up_to_the_limit() {
    // Each index lists ten more, of its own host and of another.
    let index = |path: &str| {
        let further = |number: usize| {
            let host = ["a.test", "www.a.test"][number % 2];
            format!("<sitemap><loc>http://{host}{path}{number}.xml</loc></sitemap>")
        };
        let entries: String = (0..10).map(further).collect();
        Reply::text(&format!("<sitemapindex>{entries}</sitemapindex>"))
    };
    let declared: String = (0..10).map(|number| format!("Sitemap: /s{number}.xml\n")).collect();
    let mut web = FakeWeb::new().page("a.test", "/robots.txt", Reply::text(&declared)).page(
        "a.test",
        "/",
        Reply::html("home"),
    );
    for host in ["a.test", "www.a.test"] {
        web = web.answer(host, "/s*", move |request| index(request.path.trim_end_matches(".xml")));
    }
    let mut site = site(web);
    site.config.sitemaps.max_per_host = 5;
    let figures = crawl(&site, &["a.test/"]);
    let read = |host: &str| asked(&site).iter().filter(|page| page.starts_with(host)).count();
    assert_eq!((read("a.test/s"), read("www.a.test/s")), (5, 5));
    assert_eq!(figures.sitemaps, 10);
}

#[test]
fn sitemaps_add_no_more_pages_than_the_limit_of_a_host() {
    let pages = |from: usize| (from..from + 10).map(|page| format!("http://a.test/p{page}"));
    let web = FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::text("Sitemap: /one.xml\nSitemap: /two.xml\n"))
        .page("a.test", "/one.xml", sitemap_of(pages(0)))
        .page("a.test", "/two.xml", sitemap_of(pages(10)))
        .page("a.test", "/", Reply::html("home"));
    let mut site = site(web);
    site.config.crawl.max_pages_per_host = 14;
    assert_eq!(crawl(&site, &["a.test/"]).visits, 1 + 14);
    assert_eq!(site.store.stats().unwrap().queued, 0);
}

#[test]
fn a_moved_sitemap_is_read_at_its_new_url() {
    let declared = "Sitemap: /old.xml\nSitemap: /away.xml\nSitemap: /round.xml\n";
    let web = FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::text(declared))
        .page("a.test", "/old.xml", Reply::redirect(301, "http://www.a.test/new.xml"))
        .page("www.a.test", "/new.xml", sitemap_of(["http://a.test/hidden".to_owned()]))
        .page("a.test", "/hidden", Reply::html("here"))
        // A redirect to another host, where the sitemap is valid only for this one; and an endless chain.
        .page("a.test", "/away.xml", Reply::redirect(302, "http://b.test/foreign.xml"))
        .page("b.test", "/foreign.xml", sitemap_of(["http://b.test/no".to_owned()]))
        .page("a.test", "/round.xml", Reply::redirect(307, "/round.xml"))
        .page("a.test", "/", Reply::html("home"));
    let site = site(web);
    crawl(&site, &["a.test/"]);
    let expected = [
        "a.test/",
        "a.test/away.xml",
        "a.test/hidden",
        "a.test/old.xml",
        "a.test/round.xml",
        "b.test/foreign.xml",
        "www.a.test/new.xml",
    ];
    assert_eq!(asked_set(&site), expected.map(str::to_owned).into());
    assert!(asked(&site).len() < 11, "{:?}", asked(&site));
}

#[test]
fn links_of_copies_and_links_to_blocked_hosts_are_not_followed() {
    let web = FakeWeb::new()
        .answer("dup.test", "/*", |_| {
            // Relative, so that each copy links to a deeper one.
            links(["a".to_owned(), "./x/".to_owned()])
        })
        .page("start.test", "/", links(["http://ads.test/".to_owned(), "http://dup.test/".to_owned()]))
        .page("ads.test", "/", Reply::html("ad"));
    let mut site = site(web);
    site.config.traps.max_duplicates = 4;
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "ads.test\n").unwrap();
    site.config.crawl.block_list = list.path().to_owned();
    let figures = crawl(&site, &["start.test/"]);
    assert!(!asked_set(&site).contains("ads.test/"));
    assert_eq!(figures.blocked, 1);
    let copies = asked_set(&site).iter().filter(|page| page.starts_with("dup.test")).count();
    assert!((4..=10).contains(&copies), "{copies} copies");
    assert!(figures.duplicates > 0);

    // The index has a link to it nevertheless; and a seed on the block list is not fetched either.
    assert_eq!(site.store.snapshot().outlinks(&url("http://start.test/")).unwrap().len(), 2);
    assert_eq!(crawl(&site, &["ads.test/"]).visits, 0);
    assert!(!asked_set(&site).contains("ads.test/"));
}

/// The stored robots.txt of an origin.
fn kept_robots(site: &Site, origin: &str) -> StoredRobots {
    StoredRobots::decode(&site.store.robots(origin).unwrap().unwrap()).unwrap()
}

#[test]
fn a_robots_txt_that_redirects_to_a_refused_host_is_unavailable() {
    let moved = |target: &str| Reply::redirect(301, &format!("http://{target}/robots.txt"));
    let mut web = FakeWeb::new().page("blocked.test", "/robots.txt", Reply::text(""));
    // One on the block list, one without a name, one at a refused address.
    let hosts = [("a.test", "blocked.test"), ("b.test", "no-such-host.invalid"), ("c.test", "10.0.0.1")];
    for (host, target) in hosts {
        web = web.page(host, "/robots.txt", moved(target)).answer(host, "/p*", |r| Reply::html(&r.path));
    }
    let mut site = site(web);
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), "blocked.test\n").unwrap();
    site.config.crawl.block_list = list.path().to_owned();
    // Three hosts first without a stored robots.txt, and then with a copy that is too old.
    assert_eq!(crawl(&site, &["a.test/p1", "b.test/p1", "c.test/p1"]).visits, 0);
    assert_eq!(asked(&site), [""; 0]);
    let day = 86_400;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for (host, _) in hosts {
        let origin = format!("http://{host}");
        let kept = kept_robots(&site, &origin);
        assert_eq!((kept.status, kept.fetched), (0, 0), "{host}");
        assert!(kept.failing_since + 100 > now && kept.tried == kept.failing_since, "{host}: {kept:?}");
        let (fetched, body) = (now - day - 3_600, "User-agent: *\nDisallow: /p2\n".into());
        let copy = StoredRobots { fetched, status: 200, tried: fetched, body, ..StoredRobots::default() };
        site.store.keep_robots(&origin, &copy.encode()).unwrap();
    }
    let seeds: Vec<String> =
        hosts.iter().flat_map(|(host, _)| [1, 2].map(|page| format!("{host}/p{page}"))).collect();
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    assert_eq!(crawl(&site, &seeds).visits, 3);
    let expected = hosts.map(|(host, _)| format!("{host}/p1"));
    assert_eq!(asked_set(&site), expected.into());
    for (host, _) in hosts {
        let kept = kept_robots(&site, &format!("http://{host}"));
        assert!(kept.status == 200 && kept.failing_since + 100 > now, "{host}: {kept:?}");
    }
    assert!(site.web.log().iter().all(|request| request.host != "blocked.test"));
}

#[test]
fn a_redirect_that_says_nofollow_is_recorded_but_not_followed() {
    let tag = |reply: Reply, value: &str| reply.header("X-Robots-Tag", value);
    let web = FakeWeb::new()
        .page("a.test", "/ours", tag(Reply::redirect(301, "/1"), "nofollow"))
        .page("a.test", "/none", tag(Reply::redirect(302, "/2"), "backlinkd: none"))
        .page("a.test", "/other", tag(Reply::redirect(301, "/3"), "otherbot: nofollow"))
        .page("a.test", "/index", tag(Reply::redirect(301, "/4"), "noindex"))
        .answer("a.test", "/*", |request| Reply::html(&request.path));
    let site = site(web);
    crawl(&site, &["a.test/ours", "a.test/none", "a.test/other", "a.test/index"]);
    let expected = ["ours", "none", "other", "3", "index", "4"].map(|page| format!("a.test/{page}"));
    assert_eq!(asked_set(&site), expected.into());
    for (page, nofollow) in [("ours", true), ("none", true), ("other", false), ("index", false)] {
        let links = site.store.snapshot().outlinks(&url(&format!("http://a.test/{page}"))).unwrap();
        let rels: Vec<bool> = links.iter().map(|record| record.rel == Rel::PAGE_NOFOLLOW).collect();
        assert_eq!(rels, [nofollow], "{page}");
    }
}

#[test]
fn a_page_with_a_wrong_encoding_is_not_retried_and_other_failures_are() {
    let web = FakeWeb::new()
        .page("a.test", "/gzip", Reply::html("plain").header("Content-Encoding", "gzip"))
        .page("a.test", "/utf-8", Reply::html("<a href=/x>x</a>").header("Content-Encoding", "UTF-8"))
        .page("a.test", "/short", Reply::html("short").claiming(100))
        .page("a.test", "/x", Reply::html("x"));
    let mut site = site(web);
    site.config.crawl.max_attempts = 3;
    crawl(&site, &["a.test/gzip", "a.test/utf-8", "a.test/short"]);
    let mut asked = asked(&site);
    asked.sort();
    let expected = ["gzip", "short", "short", "short", "utf-8", "x"].map(|page| format!("a.test/{page}"));
    assert_eq!(asked, expected);
}

#[test]
fn the_order_by_rank_prefers_links_from_high_ranks() {
    let mut web = FakeWeb::new().page("r.test", "/", links(["/low".to_owned(), "/high".to_owned()]));
    for (page, others) in [("low", "/l"), ("high", "/z")] {
        web =
            web.page("r.test", &format!("/{page}"), links((0..5).map(|number| format!("{others}{number}"))));
    }
    let web = web
        .answer("r.test", "/l*", |r| Reply::html(&r.path))
        .answer("r.test", "/z*", |r| Reply::html(&r.path));
    let mut site = site(web);
    site.config.crawl.order = CrawlOrder::Rank;
    let ranked = [("http://r.test/high", 900), ("http://r.test/low", 300)];
    let mut pages = ranked.into_iter().map(|(page, rank)| (url(page), SearchRank(rank)));
    let none = || std::iter::empty();
    site.store.publish_ranks(&mut pages, &mut none(), &mut none()).unwrap();
    crawl(&site, &["r.test/high", "r.test/low"]);
    let order = asked(&site);
    let place = |page: &str| order.iter().position(|asked| asked == page).unwrap();
    // In the order of addresses, /l0 precedes /z0.
    assert!((0..5).all(|n| place(&format!("r.test/z{n}")) < place("r.test/l0")), "{order:?}");
}

/// The URL of a page may also be declared as a sitemap.
#[test]
fn a_page_is_recrawled_whatever_the_result_of_a_sitemap_at_its_url() {
    let site = site(FakeWeb::new());
    let address = url("http://a.test/feed");
    let found = DiscoveredUrl::page(address.clone(), 1);
    site.store.commit(Commit { discovered: vec![found], ..Commit::default() }).unwrap();
    let queued =
        |priority, target| QueueEntry { url: address.clone(), priority, depth: 1, attempts: 1, target };
    let visit = Visit::Responded(Box::new(PageContent {
        facts: PageFacts { status: 200, ..PageFacts::default() },
        ..PageContent::default()
    }));
    let commit = Commit {
        records: vec![VisitRecord { url: address.clone(), visited: 1_000_000, visit }],
        dispositions: vec![
            (queued(Priority::New(1), Target::Page), Disposition::Fetched),
            (queued(Priority::Sitemap, sitemap_target()), Disposition::Retry),
        ],
        ..Commit::default()
    };
    site.store.commit(commit).unwrap();
    assert!(site.store.page(&address).unwrap().unwrap().next_visit > 1_000_000);
}

/// Visits at given times find given content; the changes determine the next visit.
#[test]
fn the_schedule_of_visits_follows_changes() {
    let folder = tempfile::tempdir().unwrap();
    let config = backlinkd::config::StoreConfig::default();
    let store = Store::open(folder.path(), &config, Arc::new(Suffixes::built_in().unwrap())).unwrap();
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    store.set_revisit_rules(RevisitRules { first: hours(40), min: hours(5), max: hours(100) });
    let page = url("http://a.test/");
    let visit = |at: u64, text: u64, target: &str| {
        let link = Link { target: url(target), tag: LinkTag::A, rel: Rel::NONE, anchor: String::new() };
        let content = PageContent {
            facts: PageFacts { status: 200, html: true, digest: text, ..PageFacts::default() },
            links: vec![link],
            ..PageContent::default()
        };
        let visit = Visit::Responded(Box::new(content));
        store.put(&[VisitRecord { url: page.clone(), visited: at, visit }]).unwrap();
        let stored = store.page(&page).unwrap().unwrap();
        assert_eq!(stored.next_visit, at + u64::from(stored.interval));
        assert_eq!(store.next_due().unwrap(), Some(stored.next_visit));
        stored.interval / 3_600
    };
    assert_eq!(visit(1_000_000, 1, "http://b.test/"), 40);
    assert_eq!(visit(2_000_000, 1, "http://b.test/"), 60);
    assert_eq!(visit(3_000_000, 2, "http://b.test/"), 60);
    assert_eq!(visit(4_000_000, 3, "http://c.test/"), 30);
    assert_eq!(visit(5_000_000, 4, "http://b.test/"), 15);
    assert_eq!([visit(6_000_000, 4, "http://b.test/"), visit(7_000_000, 4, "http://b.test/")], [22, 33]);
    // A due page is fetched once.
    let due = store.page(&page).unwrap().unwrap().next_visit;
    assert_eq!(store.take_due(due - 1, 10).unwrap().1, 0);
    let (arrivals, count) = store.take_due(due, 10).unwrap();
    assert_eq!((count, arrivals[0].url.as_str()), (1, "http://a.test/"));
    assert_eq!(store.take_due(due + 1_000_000, 10).unwrap().1, 0);
    assert!(store.find_entry(&page).unwrap().is_some());
}

#[test]
fn a_full_disk_stops_a_batch_before_it_fetches() {
    let mut site = site(FakeWeb::new().page("a.test", "/", Reply::html("home")));
    site.config.crawl.min_free_disk_bytes = u64::MAX;
    assert_eq!(crawl(&site, &["a.test/"]).visits, 0);
    assert_eq!(asked(&site), Vec::<String>::new());
    site.config.crawl.min_free_disk_bytes = 0;
    assert_eq!(crawl(&site, &[]).visits, 1);
}

#[test]
fn a_running_crawl_accepts_new_seeds_and_another_block_list() {
    let web = FakeWeb::new()
        .page("a.test", "/", Reply::html("a"))
        .page("b.test", "/", Reply::html("b"))
        .page("c.test", "/", Reply::html("c"));
    let site = site(web);
    let (crawler, stop) = (site.crawler(), AtomicBool::new(false));
    let job = backlinkd::crawl::CrawlJob { forever: true, ..job(&["http://a.test/".to_owned()]) };
    let wait_for = |page: &str| {
        let start = Instant::now();
        while !asked_set(&site).contains(page) {
            assert!(start.elapsed() < Duration::from_secs(20), "{page} is not asked for");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        wait_for("a.test/");
        let list = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(list.path(), "c.test\n").unwrap();
        let seeds = ["http://c.test/", "http://b.test/"].map(url).to_vec();
        crawler.reload(Reload { seeds, blocks: BlockList::read(list.path()).unwrap() });
        wait_for("b.test/");
        assert!(!asked_set(&site).contains("c.test/"));
        crawler.reload(Reload { seeds: vec![url("http://a.test/")], blocks: BlockList::default() });
        wait_for("c.test/");
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn new_seeds_are_added_to_the_former_ones() {
    let mut web = FakeWeb::new();
    for host in ["a.test", "b.test", "c.test"] {
        let links = links(["http://d.test/".to_owned(), "/more".to_owned()]);
        web = web.page(host, "/", links).page(host, "/more", Reply::html("more"));
    }
    let mut site = site(web);
    site.config.crawl.stay_on_seed_domains = true;
    let crawler = site.crawler();
    for seed in ["http://b.test/", "http://c.test/"] {
        crawler.reload(Reload { seeds: vec![url(seed)], blocks: BlockList::default() });
    }
    let job = job(&["http://a.test/".to_owned()]);
    crawler.run(&job, site.runtime.handle(), &AtomicBool::new(false)).unwrap();
    let expected = ["a.test/", "a.test/more", "b.test/", "b.test/more", "c.test/", "c.test/more"];
    assert_eq!(asked_set(&site), expected.map(str::to_owned).into());
}

/// The check of discovered URLs against the known ones takes time in proportion to the known URLs.
#[test]
fn a_stopping_crawl_leaves_discovered_urls_to_the_next() {
    let site = site(FakeWeb::new().page("a.test", "/", links(["/b".to_owned()])));
    let stop = AtomicBool::new(true);
    assert_eq!(site.crawl(&job(&["http://a.test/".to_owned()]), &stop).visits, 0);
    assert_eq!((site.store.unmerged_urls(), site.store.seen_urls()), (1, 0));
    assert_eq!(crawl(&site, &[]).visits, 2);
    assert_eq!((site.store.unmerged_urls(), site.store.seen_urls()), (0, 2));
}

#[test]
fn responses_are_archived_unchanged() {
    let web = FakeWeb::new().page("a.test", "/", links(["/b".to_owned(), "/gone".to_owned()])).page(
        "a.test",
        "/b",
        Reply::html("bee"),
    );
    let mut site = site(web);
    let folder = tempfile::tempdir().unwrap();
    site.config.crawl.warc_dir = folder.path().to_owned();
    crawl(&site, &["a.test/"]);
    let mut text = String::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        assert!(path.to_str().unwrap().ends_with(".warc.gz"), "{path:?}");
        let file = std::fs::File::open(path).unwrap();
        flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    }
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in text.lines().filter_map(|line| line.strip_prefix("WARC-Type: ")) {
        *kinds.entry(kind.trim()).or_default() += 1;
    }
    assert_eq!(kinds, [("warcinfo", 1), ("request", 4), ("response", 4)].into());
    for part in [
        "WARC-Target-URI: http://a.test/robots.txt\r\n",
        "WARC-Target-URI: http://a.test/b\r\n",
        "\r\n\r\nbee",
        "HTTP/1.1 404",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
}

/// A host's robots.txt and its failures survive a crawl.
#[test]
fn the_next_crawl_knows_robots_files_and_backed_off_hosts() {
    let web = FakeWeb::new()
        .page("a.test", "/robots.txt", Reply::text("User-agent: *\nDisallow: /x\n"))
        .page("a.test", "/", links(["/x".to_owned(), "http://broken.test/1".to_owned()]))
        .page("broken.test", "/robots.txt", Reply::status(404))
        .page("broken.test", "/1", Reply::reset());
    let mut site = site(web);
    site.config.crawl.retry_delay = Span(Duration::from_millis(1));
    site.config.crawl.max_attempts = 2;
    site.config.fetch.timeout = Span(Duration::from_secs(2));
    crawl(&site, &["a.test/"]);
    let robots = |site: &Site| site.web.log().iter().filter(|r| r.path == "/robots.txt").count();
    assert_eq!(robots(&site), 2);
    crawl(&site, &["a.test/"]);
    assert_eq!(robots(&site), 2, "a robots.txt is kept for robots.max_age");
}

#[test]
fn a_host_leaves_memory_after_its_damaged_page_is_skipped() {
    let mut site = site(FakeWeb::new().page("a.test", "/", Reply::html("a")));
    let folder = tempfile::tempdir().unwrap();
    let open = || Store::open(folder.path(), &site.config.store, site.store.suffixes().clone()).unwrap();
    let found = vec![DiscoveredUrl::page(url("http://a.test/"), 0)];
    open().commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    write_raw(folder.path(), "pages", b"test,a,)/\x01", b"\xff");
    site.store = Arc::new(open());
    assert!(site.store.page(&url("http://a.test/")).is_err());
    let (crawler, stop) = (site.crawler(), AtomicBool::new(false));
    let job = backlinkd::crawl::CrawlJob { forever: true, ..job(&[]) };
    let start = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        let wait_for_hosts = |hosts: u64| {
            while crawler.progress().figures().queues != hosts && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        wait_for_hosts(1);
        wait_for_hosts(0);
        stop.store(true, Ordering::Relaxed);
    });
    let figures = crawler.progress().figures();
    assert_eq!((figures.damaged, figures.queues), (1, 0));
    assert!(asked(&site).is_empty());
}
