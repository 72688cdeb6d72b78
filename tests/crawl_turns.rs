//! The end of a fetch of a host: the address that was used, and the back-off after the response or the failure.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backlinkd::config::{Ports, Span};
use backlinkd::crawl::{CrawlJob, Figures};
use backlinkd::model::QueueName;

use crate::pipeline::oracle::url;
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply, Request};
use crate::support::name_server::{DnsReply, NameServer, Zone};

const MOMENT: Duration = Duration::from_millis(100);

fn site(web: FakeWeb) -> Site {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let web = runtime.block_on(web.start());
    Site::over(runtime, web)
}

/// A crawler that resolves names with a name server.
fn site_by_names(web: FakeWeb, zone: Zone) -> (Site, NameServer) {
    let mut site = site(web);
    let server = site.runtime.block_on(zone.serve());
    site.config.fetch.host_overrides = std::path::PathBuf::new();
    site.config.fetch.nameservers = vec![server.at];
    site.config.fetch.ports = vec![Ports::ALL];
    site.config.fetch.ip_versions = vec![4];
    site.config.fetch.dns_min_ttl = Span::seconds(1);
    (site, server)
}

fn crawl(site: &Site, seeds: &[String]) -> Figures {
    site.crawl(&job(seeds), &AtomicBool::new(false))
}

fn requests(site: &Site, host: &str) -> Vec<Request> {
    site.web.log().into_iter().filter(|request| request.host == host).collect()
}

/// Remaining seconds of a host's back-off, as the next crawl will read them.
fn asleep(site: &Site, page: &str) -> u64 {
    let host = site.store.host(&QueueName::of(&url(page))).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    host.backoff_until.saturating_sub(now)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn an_address_gets_one_request_at_a_time_while_names_move_between_two() {
    let port = free_port();
    let names = ["m0.test", "m1.test", "m2.test", "m3.test", "m4.test"];
    let mut web = FakeWeb::new().on_port(port).host("one.test", "127.11.0.1").host("two.test", "127.11.0.2");
    let mut zone = Zone::default();
    for (number, name) in names.into_iter().enumerate() {
        web = web.host(name, "127.11.0.1").answer(name, "/*", |_| Reply::html("slow").after(2 * MOMENT));
        zone = zone.name(name, move |nth| {
            let ip: IpAddr = format!("127.11.0.{}", 1 + (nth + number) % 2).parse().unwrap();
            DnsReply::Addresses(vec![ip], 1)
        });
    }
    let (mut site, server) = site_by_names(web, zone);
    site.config.crawl.delay = Span(MOMENT / 2);
    let pages = names.iter().flat_map(|name| (0..6).map(move |page| format!("http://{name}:{port}/{page}")));
    let seeds: Vec<String> = pages.collect();
    let figures = crawl(&site, &seeds);
    assert_eq!((figures.visits, figures.answered), (30, 30));
    assert!(names.iter().all(|name| server.asked(name).0 > 1), "the names did not move");
    for number in [1, 2] {
        let ip: IpAddr = format!("127.11.0.{number}").parse().unwrap();
        let log: Vec<Request> = site.web.log().into_iter().filter(|request| request.at.ip() == ip).collect();
        assert!(log.len() > 5);
        for pair in log.windows(2) {
            let gap = pair[1].start.saturating_duration_since(pair[0].end.unwrap());
            assert!(gap >= MOMENT * 2 / 5, "{} after {} at {ip}: {gap:?}", pair[1].host, pair[0].host);
        }
    }
}

#[test]
fn failures_of_name_servers_do_not_count_as_failures_of_a_host() {
    let port = free_port();
    let zone = Zone::default()
        .name("broken.test", |_| DnsReply::Code(2))
        .name("gone.test", |_| DnsReply::Nothing(3, 60))
        .name("late.test", |nth| match nth {
            // Each resolution sends more than one query.
            0..6 => DnsReply::Code(2),
            _ => DnsReply::Addresses(vec!["127.11.1.1".parse().unwrap()], 60),
        });
    let web = FakeWeb::new().on_port(port).host("late.test", "127.11.1.1").page(
        "late.test",
        "/",
        Reply::html("up"),
    );
    let (mut site, server) = site_by_names(web, zone);
    site.config.crawl.retry_delay = Span(MOMENT);
    site.config.crawl.max_attempts = 6;
    let seeds = ["broken", "gone", "late"].map(|name| format!("http://{name}.test:{port}/"));
    let figures = crawl(&site, &seeds);
    assert_eq!((figures.visits, figures.answered), (1, 1), "the one whose name was found after all");
    assert!(server.asked("broken.test").0 >= 6);
    assert_eq!([asleep(&site, &seeds[0]), asleep(&site, &seeds[2])], [0, 0]);
    assert!(asleep(&site, &seeds[1]) > 80_000);
    let page = site.store.find_entry(&url(&seeds[0])).unwrap().unwrap();
    assert_eq!(page.attempts, 0);
}

#[test]
fn a_long_retry_after_ends_a_batch_and_is_respected_by_the_next() {
    let busy = Reply::status(503).header("Retry-After", "3600");
    let web = FakeWeb::new()
        .page("busy.test", "/robots.txt", Reply::status(404))
        .page("busy.test", "/*", busy)
        .page("good.test", "/", Reply::html("good"));
    let site = site(web);
    let seeds = ["http://busy.test/1", "http://busy.test/2", "http://good.test/"].map(str::to_owned);
    let start = Instant::now();
    crawl(&site, &seeds);
    assert!(start.elapsed() < Duration::from_secs(30), "the batch waited for {:?}", start.elapsed());
    assert!((3_500..=3_600).contains(&asleep(&site, &seeds[0])));
    assert_eq!(requests(&site, "busy.test").len(), 2);
    crawl(&site, &[]);
    assert_eq!(requests(&site, "busy.test").len(), 2);
}

#[test]
fn consecutive_errors_slow_a_host_down_and_a_single_one_does_not() {
    let web = FakeWeb::new()
        .page("down.test", "/robots.txt", Reply::status(404))
        .page("down.test", "/*", Reply::status(502))
        .page("full.test", "/robots.txt", Reply::status(404))
        .page("full.test", "/*", Reply::status(429));
    let mut site = site(web);
    site.config.crawl.retry_delay = Span(MOMENT);
    site.config.crawl.max_attempts = 1;
    let pages = |host: &str, count: u32| -> Vec<String> {
        (0..count).map(|page| format!("http://{host}/{page}")).collect()
    };
    crawl(&site, &[pages("down.test", 5), pages("full.test", 4)].concat());
    for (host, first) in [("down.test", 2), ("full.test", 1)] {
        let log = requests(&site, host);
        assert_eq!(log.len(), if host == "down.test" { 6 } else { 5 });
        for (nth, pair) in log.windows(2).skip(first).enumerate() {
            let gap = pair[1].start - pair[0].end.unwrap();
            assert!(gap >= MOMENT * 2_u32.pow(nth as u32), "{host}, pause {nth}: {gap:?}");
        }
    }

    let sound = FakeWeb::new()
        .answer("mixed.test", "/*", |request| match request.path.as_str() {
            "/1" | "/3" | "/5" => Reply::status(500),
            _ => Reply::html("good"),
        })
        .page("mixed.test", "/robots.txt", Reply::status(404));
    let mut site = self::site(sound);
    site.config.crawl.retry_delay = Span::seconds(50);
    site.config.crawl.max_attempts = 1;
    let start = Instant::now();
    assert_eq!(crawl(&site, &pages("mixed.test", 8)).visits, 8);
    assert!(start.elapsed() < Duration::from_secs(40), "it took {:?}", start.elapsed());
}

#[test]
fn the_crawl_delay_applies_right_after_the_robots_file() {
    let robots = Reply::text("User-agent: *\nCrawl-delay: 1\n");
    let web = FakeWeb::new()
        .host("a.test", "127.11.3.1")
        .page("a.test", "/robots.txt", robots.clone())
        .page("a.test", "/", Reply::html("home"))
        .host("b.test", "127.11.3.2")
        .page("b.test", "/robots.txt", Reply::redirect(301, "http://www.b.test/robots.txt"))
        .page("b.test", "/", Reply::html("home"))
        .host("www.b.test", "127.11.3.2")
        .page("www.b.test", "/robots.txt", robots);
    let site = site(web);
    let seeds = ["http://a.test/", "http://b.test/"].map(str::to_owned);
    assert_eq!(crawl(&site, &seeds).visits, 2);
    for (robots, host) in [("a.test", "a.test"), ("www.b.test", "b.test")] {
        let (robots, page) = (requests(&site, robots).remove(0), requests(&site, host).pop().unwrap());
        let gap = page.start - robots.end.unwrap();
        assert!(page.path == "/" && gap >= Duration::from_millis(950), "{host}: {gap:?}");
    }
}

/// A robots.txt that redirects to a host with a long back-off is requested again nevertheless.
#[test]
fn a_host_that_waits_for_a_backed_off_host_does_not_wait_as_long() {
    let busy = Reply::status(503).header("Retry-After", "7200").after(15 * MOMENT);
    let web = FakeWeb::new()
        .host("a.test", "127.11.2.1")
        .host("b.test", "127.11.2.2")
        .page("a.test", "/robots.txt", Reply::status(404))
        .page("a.test", "/", busy)
        .page("b.test", "/robots.txt", Reply::redirect(301, "http://a.test/robots.txt").after(5 * MOMENT));
    let mut site = site(web);
    site.config.robots.retry_after = Span::seconds(1);
    let (crawler, stop) = (site.crawler(), AtomicBool::new(false));
    let seeds = ["http://a.test/", "http://b.test/"].map(str::to_owned);
    let job = CrawlJob { forever: true, ..job(&seeds) };
    std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        let start = Instant::now();
        while requests(&site, "b.test").len() < 2 && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(requests(&site, "b.test").len() >= 2);
    let paths: Vec<String> = requests(&site, "a.test").into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/robots.txt", "/"]);
}

/// Threads of this process with this name.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|found| found.trim() == name).count()
}

/// Other parallel computations, such as queries, run on other threads.
#[test]
fn pages_are_parsed_while_all_other_threads_are_busy() {
    let pages = (0..20).map(|page| format!("http://a.test/{page}")).collect::<Vec<_>>();
    let mut site = site(FakeWeb::new().page("a.test", "/*", Reply::html("<a href=/0>a page</a>")));
    site.config.crawl.parse_threads = 1;
    let (crawler, stop) = (site.crawler(), AtomicBool::new(false));
    // A thread gives itself its name when it begins to run.
    let named = Instant::now();
    while threads("parse-0") == 0 {
        assert!(named.elapsed() < Duration::from_secs(10), "no thread parses");
        std::thread::sleep(Duration::from_millis(10));
    }
    let (done, busy) = std::sync::mpsc::channel::<()>();
    let busy = std::sync::Arc::new(std::sync::Mutex::new(busy));
    for _ in 0..rayon::current_num_threads() {
        let busy = busy.clone();
        rayon::spawn(move || _ = busy.lock().unwrap().recv());
    }
    let parsed = std::thread::scope(|scope| {
        let crawl = scope.spawn(|| crawler.run(&job(&pages), site.runtime.handle(), &stop).unwrap());
        let start = Instant::now();
        while !crawl.is_finished() && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let parsed = crawl.is_finished();
        drop(done);
        assert_eq!(crawl.join().unwrap().answered, 20);
        parsed
    });
    assert!(parsed, "the crawl waited for others");
}
