//! Hosts that are not fetched for a while: the end of a backoff, and a block list that names a host and later does not.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backlinkd::config::Span;
use backlinkd::crawl::{CrawlJob, Reload};
use backlinkd::model::{QueueName, Target};
use backlinkd::policy::BlockList;

use crate::crawl_policies::{asked, asked_set, crawl, site};
use crate::pipeline::oracle::url;
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};

const LINKS: &str = "<a href=/1>1</a> <a href=/2>2</a>";

fn backoff_until(site: &Site, page: &str) -> u64 {
    site.store.host(&QueueName::of(&url(page))).unwrap().backoff_until
}

#[test]
fn a_good_visit_ends_the_stored_backoff_and_an_error_does_not() {
    let visits = Arc::new(AtomicUsize::new(0));
    let number = Arc::clone(&visits);
    let busy = || Reply::status(503).header("Retry-After", "3600");
    let web = FakeWeb::new()
        .answer("a.test", "/", move |_| match number.fetch_add(1, Ordering::Relaxed) {
            0 => busy(),
            1 => Reply::status(500),
            _ => Reply::html(LINKS),
        })
        .answer("a.test", "/?", |request| Reply::html(&request.path));
    let mut site = site(web);
    // No second attempt in the same crawl.
    site.config.crawl.max_attempts = 1;
    crawl(&site, &["a.test/"]);
    let until = backoff_until(&site, "http://a.test/");
    assert!(until > 0);
    crawl(&site, &["a.test/"]);
    assert_eq!(backoff_until(&site, "http://a.test/"), until, "an error is no good visit");
    // The crawl ends after the good visit, so that the next one reads the stored state.
    let one = CrawlJob { max_pages: Some(1), ..job(&["http://a.test/".to_owned()]) };
    site.crawl(&one, &AtomicBool::new(false));
    assert_eq!(backoff_until(&site, "http://a.test/"), 0);
    crawl(&site, &[]);
    assert_eq!(asked(&site), ["a.test/", "a.test/", "a.test/", "a.test/1", "a.test/2"]);
}

/// A web whose first page of `b.test` links to two others there, and which forbids one.
fn two_hosts() -> FakeWeb {
    FakeWeb::new()
        .page("b.test", "/", Reply::html(LINKS))
        .answer("b.test", "/?", |request| Reply::html(&request.path))
        .page("a.test", "/", Reply::html("a"))
        .page("c.test", "/", Reply::html("c"))
}

fn block_list(names: &str) -> tempfile::NamedTempFile {
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), names).unwrap();
    list
}

/// The URLs in the queue of `b.test`, in its order.
fn queued(site: &Site) -> Vec<String> {
    use backlinkd::model::Lane;
    let queue = QueueName::of(&url("http://b.test/"));
    let lanes = [Lane::Unbudgeted, Lane::New];
    let read = |lane| site.store.entries_of_lane(&queue, lane, None, 100).unwrap();
    let pages = lanes.into_iter().flat_map(read).filter(|entry| entry.target == Target::Page);
    pages.map(|entry| entry.url.as_str().replacen("http://b.test", "", 1)).collect()
}

#[test]
fn the_queue_of_a_host_that_is_blocked_between_two_crawls_stays_as_it_is() {
    let mut site = site(two_hosts());
    let one = CrawlJob { max_pages: Some(1), ..job(&["http://b.test/".to_owned()]) };
    site.crawl(&one, &AtomicBool::new(false));
    let before = queued(&site);
    assert_eq!(before, ["/1", "/2"]);
    let list = block_list("*.test\n");
    site.config.crawl.block_list = list.path().to_owned();
    for _ in 0..2 {
        // Each restart finds the block. A seed waits for its end too.
        let figures = crawl(&site, &["b.test/2"]);
        assert_eq!((figures.visits, site.store.next_due().unwrap().is_some()), (0, true));
        assert_eq!(queued(&site), ["/2", "/1", "/2"]);
        assert_eq!(asked(&site), ["b.test/"]);
    }
    site.config.crawl.block_list = Path::new("").to_owned();
    crawl(&site, &[]);
    assert_eq!(asked(&site), ["b.test/", "b.test/2", "b.test/1"]);
    assert_eq!(queued(&site), [""; 0]);
}

#[test]
fn due_pages_of_a_blocked_host_are_visited_once_it_is_free() {
    let mut site = site(two_hosts());
    site.config.crawl.recrawl_after = Span::seconds(1);
    site.config.crawl.recrawl_min = Span::seconds(1);
    crawl(&site, &["b.test/"]);
    std::thread::sleep(Duration::from_millis(2_100));
    let list = block_list("b.test\n");
    site.config.crawl.block_list = list.path().to_owned();
    assert_eq!(crawl(&site, &[]).visits, 0);
    assert_eq!(queued(&site).len(), 3);
    site.config.crawl.block_list = Path::new("").to_owned();
    assert_eq!(crawl(&site, &[]).visits, 3);
}

#[test]
fn a_running_crawl_holds_the_queue_of_a_blocked_host_and_goes_on_when_it_is_free() {
    let mut site = site(two_hosts());
    site.config.crawl.delay = Span::seconds(1);
    let (crawler, stop) = (site.crawler(), AtomicBool::new(false));
    let job = CrawlJob { forever: true, ..job(&["http://b.test/".to_owned()]) };
    let wait_for = |page: &str| {
        let start = Instant::now();
        while !asked_set(&site).contains(page) {
            assert!(start.elapsed() < Duration::from_secs(20), "{page} is not asked for");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| crawler.run(&job, site.runtime.handle(), &stop).unwrap());
        wait_for("b.test/");
        // The delay of the host passes before its next page is due.
        let blocks = BlockList::read(block_list("b.test\n").path()).unwrap();
        let seeds = ["http://a.test/", "http://b.test/1"].map(url).to_vec();
        crawler.reload(Reload { seeds, blocks: blocks.clone() });
        wait_for("a.test/");
        std::thread::sleep(Duration::from_millis(1_500));
        // Another reload with the same list, and a seed at the held host.
        crawler.reload(Reload { seeds: ["http://b.test/1", "http://c.test/"].map(url).to_vec(), blocks });
        wait_for("c.test/");
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(asked_set(&site).into_iter().filter(|page| page.starts_with("b.test")).count(), 1);
        assert_eq!(queued(&site), ["/1", "/1", "/2"]);
        crawler.reload(Reload { seeds: Vec::new(), blocks: BlockList::default() });
        wait_for("b.test/1");
        wait_for("b.test/2");
        stop.store(true, Ordering::Relaxed);
    });
}
