//! Politeness as the servers see it: the frequency of requests to each host, and their URLs.

use std::collections::BTreeMap;
use std::time::Duration;

use backlinkd::config::Span;

use super::Site;
use super::oracle::url;
use crate::support::fake_web::{FakeWeb, Reply, Request};

const DELAY: Duration = Duration::from_millis(40);
const SERVICE: Duration = Duration::from_millis(15);

fn seeds(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| format!("http://{host}/")).collect()
}

/// The time between the starts of two requests, as the server sees them, is at least the duration of the first plus the
/// delay. The client cannot have begun its delay before it had the response.
fn assert_rests<K: Ord + std::fmt::Debug>(log: &[Request], key: impl Fn(&Request) -> K, delay: Duration) {
    let mut last: BTreeMap<K, &Request> = BTreeMap::new();
    for request in log {
        if let Some(before) = last.insert(key(request), request) {
            let gap = request.start.duration_since(before.start);
            let (one, other) = (&before.path, &request.path);
            assert!(gap >= delay + SERVICE, "{:?}: {other} came {gap:?} after {one}", key(request));
        }
    }
}

#[test]
fn delays_of_hosts_and_addresses_are_kept_and_robots_files_come_first() {
    let hosts = ["a.test", "b.test", "c.test", "d.test", "e.test"];
    let mut web = FakeWeb::new();
    for (number, host) in hosts.iter().enumerate() {
        web = web.host(host, &format!("127.77.2.{}", 1 + number % 2));
        let next = hosts[(number + 1) % hosts.len()];
        let body =
            format!("<a href=/1>1</a><a href=/2>2</a><a href=/no/3>3</a><a href=http://{next}/4>4</a>");
        web = web
            .page(host, "/robots.txt", Reply::text("User-agent: *\nDisallow: /no/").after(SERVICE))
            .page(host, "/*", Reply::html(&body).after(SERVICE));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.delay = Span(DELAY);
    let figures = site.crawl_all(&seeds(&hosts));
    assert_eq!((figures.visits, figures.disallowed), (5 * 4, 5));
    let log = site.web.log();
    assert_eq!(log.len(), 5 * 5);
    assert_rests(&log, |request| request.host.clone(), DELAY);
    assert_rests(&log, |request| request.at.ip(), DELAY);
    for host in hosts {
        let paths: Vec<&str> =
            log.iter().filter(|request| request.host == host).map(|request| request.path.as_str()).collect();
        assert_eq!(paths[0], "/robots.txt");
        assert_eq!(paths.iter().filter(|path| **path == "/robots.txt").count(), 1);
        assert!(paths.iter().all(|path| !path.starts_with("/no/")));
    }
    assert_eq!(site.store.snapshot().page(&url("http://a.test/no/3")).unwrap(), None);
}

#[test]
fn a_crawl_delay_is_respected_up_to_the_limit() {
    let asks = |seconds: &str| Reply::text(&format!("User-agent: *\nCrawl-delay: {seconds}")).after(SERVICE);
    let body = Reply::html("<a href=/1>1</a><a href=/2>2</a>").after(SERVICE);
    let web = FakeWeb::new()
        .host("slow.test", "127.77.3.1")
        .page("slow.test", "/robots.txt", asks("0.2"))
        .page("slow.test", "/*", body.clone())
        .host("greedy.test", "127.77.3.2")
        .page("greedy.test", "/robots.txt", asks("3600"))
        .page("greedy.test", "/*", body);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.max_crawl_delay = Span(Duration::from_millis(300));
    site.crawl_all(&seeds(&["slow.test", "greedy.test"]));
    let pages = |host: &str| -> Vec<Request> {
        site.web
            .log()
            .into_iter()
            .filter(|request| request.host == host && request.path != "/robots.txt")
            .collect()
    };
    assert_eq!((pages("slow.test").len(), pages("greedy.test").len()), (3, 3));
    assert_rests(&pages("slow.test"), |_| (), Duration::from_millis(200));
    assert_rests(&pages("greedy.test"), |_| (), Duration::from_millis(300));
}

#[test]
fn robots_files_that_redirect_to_each_other_block_no_host() {
    let mut web = FakeWeb::new();
    for (host, address, other) in [("a.test", "127.77.4.1", "b.test"), ("b.test", "127.77.4.2", "a.test")] {
        web = web
            .host(host, address)
            .page(host, "/robots.txt", Reply::redirect(301, &format!("http://{other}/robots.txt")))
            .page(host, "/", Reply::html("home"));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let site = Site::over(runtime, web);
    assert_eq!(site.crawl_all(&seeds(&["a.test", "b.test"])).visits, 2);
}

#[test]
fn a_host_with_an_unavailable_robots_file_is_not_fetched() {
    let web = FakeWeb::new()
        .host("a.test", "127.77.5.1")
        .page("a.test", "/robots.txt", Reply::status(503))
        .page("a.test", "/", Reply::html("home"))
        .host("b.test", "127.77.5.2")
        .page("b.test", "/", Reply::html("home"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    let site = Site::over(runtime, web);
    assert_eq!(site.crawl_all(&seeds(&["a.test", "b.test"])).visits, 1);
    assert!(site.web.log().iter().all(|request| request.host == "b.test" || request.path == "/robots.txt"));
    assert_eq!(site.store.stats().unwrap().queued, 1);
}
