//! The rules in force while a robots.txt is unavailable, and after a restart.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use backlinkd::config::{RobotsConfig, Span};
use backlinkd::fetch::{RobotsAnswer, RobotsBasis, RobotsStatus, RobotsStore, StoredRobots};
use bytes::Bytes;

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, url};

const OLD: &str = "User-agent: *\nDisallow: /old\nSitemap: http://a.test/map.xml\n";
const NEW: &str = "User-agent: *\nDisallow: /new\n";
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

#[derive(Default)]
struct Shelf(Mutex<HashMap<String, StoredRobots>>);

impl RobotsStore for Shelf {
    fn load(&self, origin: &str) -> Option<StoredRobots> {
        self.0.lock().unwrap().get(origin).cloned()
    }

    fn keep(&self, origin: &str, kept: &StoredRobots) {
        self.0.lock().unwrap().insert(origin.to_owned(), kept.clone());
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A copy that came so long ago and was good then; with it, how long since the last try and the first failure.
fn kept(age: u64, tried: u64, failing: Option<u64>) -> StoredRobots {
    StoredRobots {
        fetched: now() - age,
        status: 200,
        tried: now() - tried,
        failing_since: failing.map_or(0, |ago| now() - ago),
        failure: None,
        body: Bytes::from(OLD),
    }
}

/// A host with this response for its robots.txt, and the stored copies.
struct Outage {
    web: FakeWeb,
    shelf: Arc<Shelf>,
}

impl Outage {
    async fn new(reply: Reply, kept: Option<StoredRobots>) -> Self {
        let web = FakeWeb::new().page("a.test", "/robots.txt", reply).start().await;
        let shelf = Arc::new(Shelf::default());
        if let Some(kept) = kept {
            shelf.keep("http://a.test", &kept);
        }
        Self { web, shelf }
    }

    /// A crawler that has just started.
    fn started(&self) -> Visitor {
        Visitor::with_shelf(&self.web.fetch_config(), &RobotsConfig::default(), Some(self.shelf.clone()))
    }

    /// A crawler's verdicts on /old and on another page, and its number of requests to the server.
    async fn says(&self) -> (RobotsAnswer, RobotsAnswer, usize) {
        let (visitor, before) = (self.started(), self.web.log().len());
        let old = visitor.ask("http://a.test/old/page").await.0;
        let other = visitor.ask("http://a.test/new/page").await.0;
        (old, other, self.web.log().len() - before)
    }

    fn kept(&self) -> StoredRobots {
        self.shelf.load("http://a.test").unwrap()
    }
}

fn is_allowed(answer: &RobotsAnswer) -> bool {
    matches!(answer, RobotsAnswer::Allowed(_))
}

#[tokio::test]
async fn a_restart_requests_no_fresh_robots_txt() {
    let outage = Outage::new(Reply::text(NEW), Some(kept(23 * HOUR, 23 * HOUR, None))).await;
    let (old, other, asked) = outage.says().await;
    assert_eq!((old, is_allowed(&other), asked), (RobotsAnswer::Disallowed { line: 2 }, true, 0));

    let outage = Outage::new(Reply::text(NEW), Some(kept(25 * HOUR, 25 * HOUR, None))).await;
    let (old, other, asked) = outage.says().await;
    assert_eq!((is_allowed(&old), other, asked), (true, RobotsAnswer::Disallowed { line: 2 }, 1));
    let kept = outage.kept();
    assert_eq!((kept.status, kept.failing_since, &kept.body[..]), (200, 0, NEW.as_bytes()));
    assert!(now() - kept.fetched < 60 && kept.tried == kept.fetched);
    // After another start, it uses the copy that was fetched before.
    assert_eq!(outage.says().await.2, 0);
}

#[tokio::test]
async fn an_earlier_copy_replaces_an_unavailable_robots_txt_for_a_day() {
    for failure in [
        Reply::status(503),
        Reply::status(500),
        Reply::reset(),
        Reply::text("User-agent: *\n").claiming(9_999),
    ] {
        let before = kept(25 * HOUR, 25 * HOUR, None);
        let outage = Outage::new(failure.clone(), Some(before.clone())).await;
        let (old, other, asked) = outage.says().await;
        assert_eq!((old, is_allowed(&other), asked), (RobotsAnswer::Disallowed { line: 2 }, true, 1));
        let kept = outage.kept();
        assert_eq!((kept.fetched, kept.status, &kept.body), (before.fetched, 200, &before.body));
        assert!(now() - kept.failing_since < 60 && now() - kept.tried < 60);
        // A restart does not request the file early, and decides as before.
        let (old, other, asked) = outage.says().await;
        assert_eq!((old, is_allowed(&other), asked), (RobotsAnswer::Disallowed { line: 2 }, true, 0));

        // 24 hours of age, and 24 hours beyond that.
        let outage = Outage::new(failure, Some(kept_failing(47 * HOUR + 3_000))).await;
        assert!(is_allowed(&outage.says().await.1));
        let outage = Outage::new(Reply::status(503), Some(kept_failing(48 * HOUR))).await;
        let (old, other, asked) = outage.says().await;
        for answer in [old, other] {
            assert!(matches!(answer, RobotsAnswer::Unavailable { .. }), "{answer:?}");
        }
        assert_eq!(asked, 1);
    }
}

/// A copy of this age whose refresh has failed ever since it was due.
fn kept_failing(age: u64) -> StoredRobots {
    kept(age, HOUR, Some(age - DAY))
}

#[tokio::test]
async fn after_thirty_days_the_last_copy_holds_and_without_one_all_is_allowed() {
    let never = |failing: u64| StoredRobots {
        tried: now() - HOUR,
        failing_since: now() - failing,
        ..StoredRobots::default()
    };
    for (kept, old_allowed, other_allowed) in [
        (never(29 * DAY + 23 * HOUR), false, false),
        (never(30 * DAY), true, true),
        (kept_failing(30 * DAY), false, false),
        (kept_failing(31 * DAY), false, true),
    ] {
        let failing_since = kept.failing_since;
        let outage = Outage::new(Reply::status(502), Some(kept)).await;
        let (old, other, asked) = outage.says().await;
        assert_eq!((is_allowed(&old), is_allowed(&other)), (old_allowed, other_allowed), "{old:?} {other:?}");
        // The file is still requested, and has been failing for as long as before.
        assert_eq!((asked, outage.kept().failing_since), (1, failing_since));
    }
}

#[tokio::test]
async fn a_robots_txt_after_an_outage_applies_at_once() {
    for (reply, status, old_allowed) in
        [(Reply::text(NEW), 200, true), (Reply::text(OLD), 200, false), (Reply::status(404), 404, true)]
    {
        let outage = Outage::new(reply, Some(kept_failing(60 * HOUR))).await;
        let (old, _, asked) = outage.says().await;
        assert_eq!((is_allowed(&old), asked), (old_allowed, 1));
        let kept = outage.kept();
        assert_eq!((kept.status, kept.failing_since), (status, 0));
        assert_eq!(kept.body.is_empty(), status == 404);
    }
}

#[tokio::test]
async fn a_longer_retry_after_is_honoured_up_to_a_day() {
    for (asked, least, most) in
        [("5", 590, 600), ("7200", 7_190, 7_200), ("999999", DAY - 10, DAY), ("later", 590, 600)]
    {
        let outage = Outage::new(Reply::status(503).header("Retry-After", asked), None).await;
        let (answer, _) = outage.started().ask("http://a.test/").await;
        let RobotsAnswer::Unavailable { retry_in } = answer else { panic!("{answer:?}") };
        assert!((least..=most).contains(&retry_in.as_secs()), "{asked}: {retry_in:?}");
    }
}

/// If no server responds, each attempt costs a fetcher its timeout.
#[tokio::test]
async fn a_host_that_does_not_respond_is_retried_less_and_less_often() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    for (failing, dead, erring) in
        [(None, 600, 600), (Some(300), 600, 600), (Some(3 * HOUR), 3 * HOUR, 600), (Some(9 * DAY), DAY, 600)]
    {
        let kept =
            failing.map(|failing| StoredRobots { fetched: 0, status: 0, ..kept(0, HOUR, Some(failing)) });
        let outage = Outage::new(Reply::status(503), kept).await;
        let retry_in = async || match outage.started().ask("http://a.test/").await.0 {
            RobotsAnswer::Unavailable { retry_in } => retry_in.as_secs(),
            answer => panic!("{answer:?}"),
        };
        let before = outage.shelf.load("http://a.test");
        let seconds = retry_in().await;
        assert!((erring - 10..=erring).contains(&seconds), "errors for {failing:?}: {seconds} s");
        if let Some(before) = before {
            outage.shelf.keep("http://a.test", &before);
        } else {
            outage.shelf.0.lock().unwrap().clear();
        }
        std::fs::write(outage.web.overrides(), format!("a.test\t{closed}\t{closed}\n")).unwrap();
        let seconds = retry_in().await;
        assert!((dead - 10..=dead + 60).contains(&seconds), "silence for {failing:?}: {seconds} s");
    }
}

#[tokio::test]
async fn a_copy_from_the_future_is_not_used() {
    let mut early = kept(0, 0, None);
    (early.fetched, early.tried) = (now() + 10 * DAY, now() + 10 * DAY);
    let outage = Outage::new(Reply::text(NEW), Some(early)).await;
    assert_eq!(outage.says().await.2, 1);
    let strange = StoredRobots { fetched: u64::MAX, tried: 1, status: 200, ..StoredRobots::default() };
    let outage = Outage::new(Reply::text(NEW), Some(strange)).await;
    outage.says().await;
}

#[tokio::test]
async fn the_stored_state_of_a_robots_txt_can_be_read() {
    let outage = Outage::new(Reply::status(503), Some(kept(25 * HOUR, 25 * HOUR, None))).await;
    let visitor = outage.started();
    assert_eq!(visitor.robots.known(&url("https://a.test/")), None);
    visitor.ask("http://a.test/").await;
    let told = visitor.robots.known(&url("http://a.test/old")).unwrap();
    assert_eq!((told.basis, told.status), (RobotsBasis::StaleCopy, 200));
    assert_eq!((told.decision.allowed, told.decision.line), (false, 2));
    assert!(told.failing_since.is_some() && told.due > now());
    // Beside a running crawler, from what it keeps.
    let beside = RobotsStatus::of(
        &outage.kept(),
        &RobotsConfig::default(),
        "backlinkd",
        &url("http://a.test/old"),
        now(),
    );
    assert_eq!((beside.basis, beside.fetched, beside.decision), (told.basis, told.fetched, told.decision));
    assert_eq!(beside.sitemaps, ["http://a.test/map.xml"]);
    let months_later = RobotsStatus::of(
        &outage.kept(),
        &RobotsConfig { unreachable_after: Span::seconds(400 * DAY), ..RobotsConfig::default() },
        "backlinkd",
        &url("http://a.test/"),
        now() + 90 * DAY,
    );
    assert_eq!((months_later.basis, months_later.decision.allowed), (RobotsBasis::Unavailable, false));
}

#[tokio::test]
async fn an_html_page_instead_of_a_robots_txt_is_recognised() {
    let page = "\u{feff}\n<!DOCTYPE html><title>Not found</title>\n<p>User-agent: *\nDisallow: /no\n";
    let web = FakeWeb::new()
        .page("html.test", "/robots.txt", Reply::html(page))
        .page("text.test", "/robots.txt", Reply::html("User-agent: *\nDisallow: /no\n"))
        .page("none.test", "/robots.txt", Reply::status(404).body(page))
        .start()
        .await;
    let visitor = Visitor::new(&web.fetch_config());
    for (host, is_html) in [("html", true), ("text", false), ("none", false)] {
        let page = format!("http://{host}.test/page");
        visitor.ask(&page).await;
        let known = visitor.robots.known(&url(&page)).unwrap();
        assert_eq!((known.is_html, known.decision.allowed), (is_html, true), "{host}");
    }
    let kept = StoredRobots { status: 200, fetched: now(), body: page.into(), ..StoredRobots::default() };
    let config = RobotsConfig::default();
    let beside = RobotsStatus::of(&kept, &config, "backlinkd", &url("http://html.test/no"), now());
    assert!(beside.is_html);
}

#[tokio::test]
async fn declared_sitemaps_are_returned_once_the_robots_txt_is_known() {
    let robots = "Sitemap: http://a.test/one.xml\nUser-agent: other\nsitemap: /two.xml?a=b\nSITEMAP: https://b.test/\n\
                  Sitemap: ftp://a.test/no\nSitemap: http://a.test/one.xml#again\nSitemap:\n";
    let web = FakeWeb::new().page("a.test", "/robots.txt", Reply::text(robots)).start().await;
    let visitor = Visitor::new(&web.fetch_config());
    assert_eq!(visitor.robots.sitemaps(&url("http://a.test/x/"), 9), []);
    visitor.ask("http://a.test/").await;
    let first = |most: usize| {
        let sitemaps = visitor.robots.sitemaps(&url("http://a.test/x/"), most);
        sitemaps.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let expected = ["http://a.test/one.xml", "http://a.test/two.xml?a=b", "https://b.test/"];
    assert_eq!(first(9), expected);
    assert_eq!(first(2), expected[..2]);
}

#[tokio::test]
async fn a_file_full_of_sitemaps_delays_no_others() {
    let lines: String = (0..28_000).map(|at| format!("Sitemap: /{at}\n")).collect();
    let web = FakeWeb::new().page("a.test", "/robots.txt", Reply::text(&lines)).start().await;
    let visitor = Visitor::new(&web.fetch_config());
    visitor.ask("http://a.test/").await;
    let start = std::time::Instant::now();
    for _ in 0..20 {
        assert_eq!(visitor.robots.sitemaps(&url("http://a.test/"), 28_000).len(), 28_000);
    }
    // Comparing each with all earlier ones would take half a second each time.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn only_encoded_copies_can_be_decoded() {
    let kept = kept(1_000, 10, Some(100));
    let bytes = kept.encode();
    assert_eq!(StoredRobots::decode(&bytes), Some(kept));
    let empty = StoredRobots::default();
    assert_eq!(StoredRobots::decode(&empty.encode()), Some(empty.clone()));
    assert_eq!(StoredRobots::decode(&empty.encode()[1..]), None);
    for end in 0..empty.encode().len() {
        assert_eq!(StoredRobots::decode(&bytes[..end]), None, "{end}");
    }
    assert_eq!(StoredRobots::decode(&[&[9], &bytes[1..]].concat()), None);
}

#[tokio::test]
async fn an_outage_is_bridged_without_a_store_as_well() {
    let start = std::time::Instant::now();
    let web = FakeWeb::new()
        .answer("a.test", "/robots.txt", move |_| match start.elapsed() < Duration::from_millis(600) {
            true => Reply::text(OLD),
            false => Reply::status(503),
        })
        .start()
        .await;
    let brief = RobotsConfig { max_age: Span(Duration::from_millis(700)), ..RobotsConfig::default() };
    let visitor = Visitor::with_robots(&web.fetch_config(), &brief);
    assert!(is_allowed(&visitor.ask("http://a.test/new").await.0));
    tokio::time::sleep(Duration::from_millis(900)).await;
    let (answer, asked) = visitor.ask("http://a.test/old").await;
    assert_eq!((answer, asked.len()), (RobotsAnswer::Disallowed { line: 2 }, 1));
}

/// A store that saves copies, but cannot read them.
#[derive(Default)]
struct Damaged(Mutex<Vec<StoredRobots>>);

impl RobotsStore for Damaged {
    fn load(&self, _origin: &str) -> Option<StoredRobots> {
        None
    }

    fn keep(&self, _origin: &str, kept: &StoredRobots) {
        self.0.lock().unwrap().push(kept.clone());
    }
}

#[tokio::test]
async fn an_unreadable_copy_is_not_replaced_by_one_without_rules() {
    let asked = AtomicUsize::new(0);
    let web = FakeWeb::new()
        .answer("a.test", "/robots.txt", move |_| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::text(OLD),
            _ => Reply::status(503),
        })
        .page("never.test", "/robots.txt", Reply::status(503))
        .start()
        .await;
    let brief = RobotsConfig { max_age: Span(Duration::from_millis(200)), ..RobotsConfig::default() };
    let shelf = Arc::new(Damaged::default());
    let visitor = Visitor::with_shelf(&web.fetch_config(), &brief, Some(shelf.clone()));
    assert!(is_allowed(&visitor.ask("http://a.test/new").await.0));
    tokio::time::sleep(Duration::from_millis(250)).await;
    let (answer, asked) = visitor.ask("http://a.test/old").await;
    assert_eq!((answer, asked.len()), (RobotsAnswer::Disallowed { line: 2 }, 1));
    let kept: Vec<(u16, Bytes)> =
        shelf.0.lock().unwrap().iter().map(|kept| (kept.status, kept.body.clone())).collect();
    assert_eq!(kept, [(200, Bytes::from(OLD))]);
    // If no copy was ever fetched, the failure is stored.
    visitor.ask("http://never.test/").await;
    let last = shelf.0.lock().unwrap().last().cloned().unwrap();
    assert!(last.status == 0 && last.failing_since > 0, "{last:?}");
}
