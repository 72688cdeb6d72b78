//! Slow hosts, crawled together with a fast one: they do not occupy the fetchers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backlinkd::config::{Ports, Span};

use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::name_server::{DnsReply, Zone};

const SLOW: usize = 120;
const GOOD: &str = "good.test";
const GOOD_PAGES: usize = 200;

/// With 8 fetchers and responses of 3 seconds, the slow hosts' robots.txt files and first pages alone would take 90
/// seconds if all fetchers waited for them.
const LATE: Duration = Duration::from_secs(3);
const MOST: Duration = Duration::from_secs(40);

/// Crawls the slow hosts with these names and addresses, and the good one. Returns the number of its pages that were
/// fetched within a time that is ample for all of them, and their duration.
fn good_pages_beside(place: impl Fn(usize) -> (String, String)) -> (usize, Duration) {
    let mut web = FakeWeb::new().host(GOOD, "127.61.0.1").page(GOOD, "/*", Reply::html("good"));
    let mut seeds = Vec::new();
    for number in 0..SLOW {
        let (host, address) = place(number);
        web = web.host(&host, &address).page(&host, "/*", Reply::html("late").after(LATE));
        seeds.extend((0..5).map(|page| format!("http://{host}/{page}")));
    }
    seeds.extend((0..GOOD_PAGES).map(|page| format!("http://{GOOD}/{page}")));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.fetchers = 8;
    site.config.crawl.slow_after = Span(Duration::from_millis(300));
    site.config.crawl.delay = Span(Duration::from_millis(5));
    site.config.crawl.drain = Span(Duration::ZERO);
    let (crawler, stop, job) = (site.crawler(), AtomicBool::new(false), job(&seeds));
    let fetched =
        || site.web.log().iter().filter(|request| request.host == GOOD && request.end.is_some()).count();
    std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        let start = Instant::now();
        while fetched() < 1 + GOOD_PAGES && start.elapsed() < MOST {
            std::thread::sleep(Duration::from_millis(20));
        }
        let (count, took) = (fetched().saturating_sub(1), start.elapsed());
        stop.store(true, Ordering::Relaxed);
        (count, took)
    })
}

#[track_caller]
fn assert_good_goes_on(place: impl Fn(usize) -> (String, String)) {
    let (pages, took) = good_pages_beside(place);
    eprintln!("{pages} of {GOOD_PAGES} pages in {took:?}");
    assert_eq!(pages, GOOD_PAGES);
}

#[test]
fn slow_hosts_of_one_domain_delay_no_others() {
    assert_good_goes_on(|number| (format!("h{number}.late.test"), format!("127.60.{number}.1")));
}

#[test]
fn slow_hosts_in_one_network_delay_no_others() {
    assert_good_goes_on(|number| (format!("late{number}.test"), format!("127.60.0.{}", 1 + number)));
}

#[test]
fn slow_hosts_of_many_domains_and_networks_delay_no_others() {
    assert_good_goes_on(|number| (format!("late{number}.test"), format!("127.60.{number}.1")));
}

const MOST_FOR_NAMES: Duration = Duration::from_secs(20);

/// The time until a fetch of a host with a known name, after this number of names without a responding name server.
/// With 4 resolvers and 3 seconds for each name, it takes over 30 seconds if all resolvers wait for them.
fn first_page_after_silent_names(name: impl Fn(usize) -> String) -> Duration {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let good = FakeWeb::new().on_port(port).host(GOOD, "127.62.0.1").page(GOOD, "/*", Reply::html("good"));
    let mut zone =
        Zone::default().name(GOOD, |_| DnsReply::Addresses(vec!["127.62.0.1".parse().unwrap()], 60));
    let mut seeds = Vec::new();
    for number in 0..SLOW {
        let name: &'static str = name(number).leak();
        zone = zone.name(name, |_| DnsReply::Silence);
        seeds.push(format!("http://{name}:{port}/"));
    }
    seeds.push(format!("http://{GOOD}:{port}/"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (web, server) = (runtime.block_on(good.start()), runtime.block_on(zone.serve()));
    let mut site = Site::over(runtime, web);
    site.config.fetch.host_overrides = std::path::PathBuf::new();
    site.config.fetch.nameservers = vec![server.at];
    site.config.fetch.ports = vec![Ports::ALL];
    site.config.fetch.connect_timeout = Span(LATE);
    site.config.crawl.resolvers = 4;
    site.config.crawl.slow_after = Span(Duration::from_millis(300));
    site.config.crawl.drain = Span(Duration::ZERO);
    let (crawler, stop, job) = (site.crawler(), AtomicBool::new(false), job(&seeds));
    std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        let start = Instant::now();
        while site.web.log().len() < 2 && start.elapsed() < MOST_FOR_NAMES {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
        start.elapsed()
    })
}

#[test]
fn unresolvable_names_do_not_occupy_the_resolvers() {
    for (what, is_one_domain) in [("of one domain", true), ("of many domains", false)] {
        let took = first_page_after_silent_names(|number| match is_one_domain {
            true => format!("h{number}.silent.test"),
            false => format!("silent{number}.test"),
        });
        eprintln!("{what}: {took:?}");
        assert!(took < MOST_FOR_NAMES, "{what}: {took:?}");
    }
}
