//! Connections: the limit of idle ones, the effect of the limit on those in use, and a lack of open files.

use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use backlinkd::config::FetchConfig;
use backlinkd::fetch::{Blame, RobotsAnswer, RobotsOutcome};
use backlinkd::model::QueueName;

use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, url};

/// Hosts with their own addresses, which keep connections open.
fn hosts(count: usize) -> FakeWeb {
    (0..count).fold(FakeWeb::new(), |web, number| {
        let name = format!("h{number}.test");
        web.host(&name, &format!("127.9.0.{}", number + 1)).page(&name, "/", Reply::html("home"))
    })
}

/// Waits until this number of connections is open at the servers.
async fn open(web: &FakeWeb, expected: usize) {
    let start = Instant::now();
    while web.open_connections() != expected {
        assert!(start.elapsed() < Duration::from_secs(20), "{} are open", web.open_connections());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn idle_connections_are_bounded_over_all_hosts() {
    for (web, scheme) in
        [(hosts(30), "http"), (hosts(30).with_tls(), "https"), (hosts(30).with_http2(), "https")]
    {
        let web = web.start().await;
        let client = Visitor::new(&FetchConfig { max_idle_connections: 7, ..web.fetch_config() });
        for number in 0..30 {
            client.answer(&format!("{scheme}://h{number}.test/")).await;
        }
        open(&web, 7).await;
        assert_eq!(web.connections(), 30, "a host's robots.txt and its page share one");
        // The most recently used connections are kept, and used again.
        for number in 23..30 {
            client.answer(&format!("{scheme}://h{number}.test/")).await;
        }
        assert_eq!(web.connections(), 30);
        client.answer(&format!("{scheme}://h0.test/")).await;
        assert_eq!(web.connections(), 31);
        drop(client);
        open(&web, 0).await;
    }
}

#[tokio::test]
async fn a_fetch_in_flight_completes_although_its_connection_was_evicted() {
    let long = "x".repeat(3_000);
    for (web, scheme) in [(hosts(20), "http"), (hosts(20).with_tls(), "https")] {
        let slow = Reply::html(&long).dripping(10, Duration::from_millis(5));
        let web = web.host("slow.test", "127.9.1.1").page("slow.test", "/", slow).start().await;
        let client = Visitor::new(&FetchConfig { max_idle_connections: 3, ..web.fetch_config() });
        client.ask(&format!("{scheme}://slow.test/")).await;
        let page = format!("{scheme}://slow.test/");
        let others = async {
            while !web.log().iter().any(|request| request.host == "slow.test" && request.path == "/") {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            for number in 0..20 {
                client.answer(&format!("{scheme}://h{number}.test/")).await;
            }
            web.log().iter().any(|request| request.host == "slow.test" && request.end.is_none())
        };
        let (answer, was_under_way) = tokio::join!(client.answer(&page), others);
        assert_eq!(answer.body.len(), 3_000);
        assert!(was_under_way, "the others were asked meanwhile");
        open(&web, 3).await;
    }
}

/// Runs one of the tests below, which are ignored otherwise, in a process with a low limit of open files.
fn run_with_few_files(test: &str) {
    let script = format!(
        "ulimit -n 200 && exec '{}' --ignored --exact {test}",
        std::env::current_exe().unwrap().display()
    );
    let run = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let (output, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && output.contains("1 passed"), "{output}\n{errors}");
}

/// Opens files up to the limit.
fn hoard() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn a_lack_of_open_files_is_not_a_failure_of_the_host() {
    run_with_few_files("fetch_connections::few_files_for_a_fetch");
}

#[tokio::test]
#[ignore = "run in a process of its own"]
async fn few_files_for_a_fetch() {
    let web = hosts(1).start().await;
    let client = Visitor::new(&web.fetch_config());
    let page = url("http://h0.test/");
    let RobotsAnswer::NeedsFetch(robots) = client.robots.check(&page) else { panic!() };
    let hoarded = hoard();
    let step = client.robots.fetch(robots.clone()).await;
    let RobotsOutcome::NotRequested(again, failure) = step else { panic!("{step:?}") };
    assert_eq!((again, failure.blame), (robots, Blame::Machine), "{failure}");
    assert!(
        matches!(client.robots.check(&page), RobotsAnswer::NeedsFetch(_)),
        "nothing is held against the host"
    );
    drop(hoarded);
    let (answer, _) = client.ask("http://h0.test/").await;
    let RobotsAnswer::Allowed(permit) = answer else { panic!("{answer:?}") };
    // The connection to the host still exists; a connection to another address would be new.
    let at = client.fetcher.addresses().resolve(&page).await.unwrap();
    let fresh = Visitor::new(&web.fetch_config());
    let hoarded = hoard();
    let failure = fresh.fetcher.fetch(permit, at, None, None).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Machine, "{failure}");
    drop(hoarded);
    assert_eq!(fresh.answer("http://h0.test/").await.body, "home");
}

#[test]
fn a_crawl_waits_for_open_files_and_counts_no_failure() {
    run_with_few_files("fetch_connections::few_files_for_a_crawl");
}

#[test]
#[ignore = "run in a process of its own"]
fn few_files_for_a_crawl() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let hosts = ["h0.test", "h1.test", "h2.test"];
    let slow = Reply::status(404).after(Duration::from_secs(1));
    let web = hosts.iter().fold(self::hosts(3), |web, host| web.page(host, "/robots.txt", slow.clone()));
    let web = runtime.block_on(web.start());
    let mut site = Site::over(runtime, web);
    site.config.crawl.fetchers = 1;
    site.config.crawl.max_attempts = 1;
    let crawler = site.crawler();
    let figures = || crawler.progress().figures();
    let seeds = hosts.map(|host| format!("http://{host}/"));
    let (job, stop) = (job(&seeds), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let crawl = scope.spawn(|| {
            crawler.run(&job, site.runtime.handle(), &stop).inspect_err(|error| eprintln!("{error}"))
        });
        let wait_until = |what: &str, is_so: &dyn Fn() -> bool| {
            let start = Instant::now();
            while !is_so() {
                assert!(start.elapsed() < Duration::from_secs(30) && !crawl.is_finished(), "{what}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        // By then the index has opened its files.
        wait_until("a first request", &|| !site.web.log().is_empty() && figures().merges > 0);
        let (hoarded, asked) = (hoard(), figures().robots);
        wait_until("further tries", &|| figures().robots >= asked + 3);
        assert!(site.web.log().iter().all(|request| request.host == site.web.log()[0].host));
        drop(hoarded);
        let figures = crawl.join().unwrap().unwrap();
        assert_eq!((figures.visits, figures.answered), (3, 3));
    });
    for seed in &seeds {
        let host = site.store.host(&QueueName::of(&url(seed))).unwrap();
        assert_eq!(host.backoff_until, 0, "{seed}");
    }
}
