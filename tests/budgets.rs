//! Budgets of hosts and registrable domains, and how other sites can change them: domains of many hosts, names without
//! name servers that respond, more hosts than places in memory, wrong clocks.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use backlinkd::crawl::{CrawlJob, Reload};
use backlinkd::model::{
    DiscoveredUrl, Disposition, Link, LinkTag, PageContent, PageFacts, Priority, QueueEntry, QueueName, Rel,
    Target, Visit, VisitRecord,
};
use backlinkd::policy::BlockList;
use backlinkd::store::Commit;

use crate::pipeline::oracle::url;
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};

fn site(web: FakeWeb) -> Site {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    Site::over(runtime, web)
}

fn crawl(site: &Site, seeds: &[&str]) {
    let seeds: Vec<String> = seeds.iter().map(|seed| format!("http://{seed}/")).collect();
    site.crawl(&job(&seeds), &AtomicBool::new(false));
}

/// The hosts whose pages were requested.
fn asked(site: &Site) -> BTreeSet<String> {
    let log = site.web.log();
    log.into_iter().filter(|request| request.path != "/robots.txt").map(|request| request.host).collect()
}

fn links(hosts: impl IntoIterator<Item = String>) -> Reply {
    let links: Vec<String> =
        hosts.into_iter().map(|host| format!("<a href='http://{host}/'>x</a>")).collect();
    Reply::html(&links.join(" "))
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// One fetched page from each of these hosts, with a link to one host.
fn linked(hosts: impl Iterator<Item = String>, target: &str) -> Vec<VisitRecord> {
    let target = url(&format!("http://{target}/"));
    let record = |host: String| {
        let link = Link { target: target.clone(), tag: LinkTag::A, rel: Rel::NONE, anchor: String::new() };
        let content = PageContent {
            facts: PageFacts { status: 200, html: true, ..PageFacts::default() },
            links: vec![link],
            ..PageContent::default()
        };
        let visit = Visit::Responded(Box::new(content));
        VisitRecord { url: url(&format!("http://{host}/")), visited: unix_now(), visit }
    };
    hosts.map(record).collect()
}

/// Each of many queues of one domain costs little, whatever the number of its known hosts.
#[test]
fn a_domain_of_many_hosts_delays_no_others() {
    let web = FakeWeb::new()
        .page("start.test", "/", links((0..5_000).map(|number| format!("n{number}.farm.test"))))
        .answer("*.farm.test", "/", |_| Reply::html("here"));
    let mut site = site(web);
    let records = linked((0..30_000).map(|number| format!("h{number}.farm.test")), "www.farm.test");
    let queued = |record: &VisitRecord| QueueEntry {
        url: record.url.clone(),
        priority: Priority::New(0),
        depth: 0,
        attempts: 0,
        target: Target::Page,
    };
    let dispositions = records.iter().map(|record| (queued(record), Disposition::Fetched)).collect();
    site.store.commit(Commit { records, dispositions, ..Commit::default() }).unwrap();
    site.config.crawl.domain_hosts = 30_002;
    site.config.crawl.hosts_per_linking_domain = 0;
    let start = Instant::now();
    crawl(&site, &["start.test"]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(asked(&site).len(), 3, "of the farm, what it has left");
}

#[test]
fn own_hosts_do_not_hide_the_domains_that_link_from_elsewhere() {
    let site = site(FakeWeb::new());
    let own = (0..3_000).map(|number| format!("h{number}.b.test"));
    let crowd = (0..3_000).map(|number| format!("h{number}.a.test"));
    let others = ["a.test", "www.c.test", "d.test", "alice.github.io", "bob.github.io"].map(str::to_owned);
    site.store.put(&linked(own.chain(crowd).chain(others), "www.b.test")).unwrap();
    let count = |most| site.store.linking_domains("www.b.test", false, most).unwrap();
    assert_eq!((count(100), count(2)), (5, 2));
    assert_eq!(site.store.linking_domains("b.test", true, 100).unwrap(), 5);
    assert_eq!(site.store.linking_domains("b.test", false, 100).unwrap(), 0);
}

/// A third party links to names that do not exist, before and while the existing hosts are discovered.
#[test]
fn unresolvable_names_use_no_budget_of_a_domain() {
    let dead = |from: usize| (from..from + 20).map(|number| format!("x{number}.dead.victim.test"));
    let real = |from: usize| (from..from + 3).map(|number| format!("r{number}.victim.test"));
    let web = FakeWeb::new()
        .page("one.test", "/", links(dead(0)))
        .page("two.test", "/", links(dead(20).chain(real(0)).chain(real(3))))
        .answer("*.victim.test", "/", |_| Reply::html("here"));
    let mut site = site(web);
    let mut overrides = std::fs::OpenOptions::new().append(true).open(site.web.overrides()).unwrap();
    // An address to which no request is sent.
    writeln!(overrides, "*.dead.victim.test\t10.9.9.9:80\t10.9.9.9:443").unwrap();
    site.config.crawl.domain_hosts = 4;
    site.config.crawl.hosts_per_linking_domain = 0;
    crawl(&site, &["one.test"]);
    assert_eq!(site.store.servers("victim.test").unwrap().len(), 20);
    crawl(&site, &["two.test"]);
    assert_eq!(asked(&site).iter().filter(|host| host.ends_with("victim.test")).count(), 4);
}

/// An endless number of hosts, more than the places: each gets its turn, and a new seed gets it soon.
#[test]
fn endless_hosts_leave_places_for_others() {
    let next = |path: &str| {
        let page: u64 = path.trim_start_matches('/').parse().unwrap_or(0);
        Reply::html(&format!("<a href='/{}'>x</a><a href='/{}'>x</a>", 2 * page + 1, 2 * page + 2))
    };
    let hosts: Vec<String> = (0..60).map(|number| format!("h{number}.test")).collect();
    let web = FakeWeb::new()
        .page("start.test", "/", links(hosts.clone()))
        .page("seed.test", "/", Reply::html("new"))
        .answer("*.test", "/*", move |request| next(&request.path));
    let mut site = site(web);
    site.config.crawl.hosts_in_memory = 32;
    let (crawler, stop) = (site.crawler(), AtomicBool::new(false));
    let job = CrawlJob { forever: true, ..job(&["http://start.test/".to_owned()]) };
    let comes = |holds: &dyn Fn(&BTreeSet<String>) -> bool| {
        let start = Instant::now();
        while !holds(&asked(&site)) && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        holds(&asked(&site))
    };
    let came = std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        let begun = comes(&|asked| asked.len() >= 30);
        crawler.reload(Reload { seeds: vec![url("http://seed.test/")], blocks: BlockList::default() });
        let came = [
            begun,
            comes(&|asked| asked.contains("seed.test")),
            comes(&|asked| hosts.iter().all(|host| asked.contains(host))),
        ];
        stop.store(true, Ordering::Relaxed);
        came
    });
    assert_eq!(came, [true; 3], "{:?}", asked(&site));
}

#[test]
fn no_host_waits_longer_than_the_configuration_allows() {
    let web = FakeWeb::new().answer("*.test", "/", |_| Reply::html("here"));
    let mut site = site(web);
    site.config.crawl.dead_host_retry = backlinkd::config::Span::seconds(1_000_000);
    let asleep = [("long.test", 900_000), ("wrong.test", 40_000_000)];
    let found = asleep.map(|(host, _)| DiscoveredUrl::page(url(&format!("http://{host}/")), 0)).to_vec();
    let asleep = asleep
        .map(|(host, seconds)| (QueueName::of(&url(&format!("http://{host}/"))), unix_now() + seconds))
        .to_vec();
    site.store.commit(Commit { discovered: found, backoffs: asleep, ..Commit::default() }).unwrap();
    crawl(&site, &[]);
    assert_eq!(asked(&site), BTreeSet::from(["wrong.test".to_owned()]));
}
