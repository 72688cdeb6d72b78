//! What holds while a robots.txt cannot be had, and after a restart.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use backlinkd::config::{RobotsConfig, Span};
use backlinkd::fetch::{KeptRobots, RobotsAnswer, RobotsBasis, RobotsKnown, RobotsShelf};
use bytes::Bytes;

use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, url};

const OLD: &str = "User-agent: *\nDisallow: /old\nSitemap: http://a.test/map.xml\n";
const NEW: &str = "User-agent: *\nDisallow: /new\n";
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

#[derive(Default)]
struct Shelf(Mutex<HashMap<String, KeptRobots>>);

impl RobotsShelf for Shelf {
    fn load(&self, origin: &str) -> Option<KeptRobots> {
        self.0.lock().unwrap().get(origin).cloned()
    }

    fn keep(&self, origin: &str, kept: &KeptRobots) {
        self.0.lock().unwrap().insert(origin.to_owned(), kept.clone());
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A copy that came so long ago and was good then; with it, how long since the last try and the first failure.
fn kept(age: u64, tried: u64, failing: Option<u64>) -> KeptRobots {
    KeptRobots {
        fetched: now() - age,
        status: 200,
        tried: now() - tried,
        failing_since: failing.map_or(0, |ago| now() - ago),
        body: Bytes::from(OLD),
    }
}

/// A host whose robots.txt answers so, and what is kept of it.
struct Outage {
    web: FakeWeb,
    shelf: Arc<Shelf>,
}

impl Outage {
    async fn new(reply: Reply, kept: Option<KeptRobots>) -> Self {
        let web = FakeWeb::new().page("a.test", "/robots.txt", reply).start().await;
        let shelf = Arc::new(Shelf::default());
        if let Some(kept) = kept {
            shelf.keep("http://a.test", &kept);
        }
        Self { web, shelf }
    }

    /// A crawler that was started just now.
    fn started(&self) -> Visitor {
        Visitor::with_shelf(&self.web.fetch_config(), &RobotsConfig::default(), Some(self.shelf.clone()))
    }

    /// What a crawler says of /old and of another page, and how often it asked the server.
    async fn says(&self) -> (RobotsAnswer, RobotsAnswer, usize) {
        let (visitor, before) = (self.started(), self.web.log().len());
        let old = visitor.ask("http://a.test/old/page").await.0;
        let other = visitor.ask("http://a.test/new/page").await.0;
        (old, other, self.web.log().len() - before)
    }

    fn kept(&self) -> KeptRobots {
        self.shelf.load("http://a.test").unwrap()
    }
}

fn is_allowed(answer: &RobotsAnswer) -> bool {
    matches!(answer, RobotsAnswer::Allowed(_))
}

#[tokio::test]
async fn a_restart_asks_no_server_for_what_is_known_and_fresh() {
    let outage = Outage::new(Reply::text(NEW), Some(kept(23 * HOUR, 23 * HOUR, None))).await;
    let (old, other, asked) = outage.says().await;
    assert_eq!((old, is_allowed(&other), asked), (RobotsAnswer::Disallowed { line: 2 }, true, 0));

    let outage = Outage::new(Reply::text(NEW), Some(kept(25 * HOUR, 25 * HOUR, None))).await;
    let (old, other, asked) = outage.says().await;
    assert_eq!((is_allowed(&old), other, asked), (true, RobotsAnswer::Disallowed { line: 2 }, 1));
    let kept = outage.kept();
    assert_eq!((kept.status, kept.failing_since, &kept.body[..]), (200, 0, NEW.as_bytes()));
    assert!(now() - kept.fetched < 60 && kept.tried == kept.fetched);
    // Started once more, it goes by what was fetched before.
    assert_eq!(outage.says().await.2, 0);
}

#[tokio::test]
async fn while_a_robots_txt_cannot_be_had_an_earlier_copy_stands_in_for_a_day() {
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
        // A restart does not ask before its time, and judges as before.
        let (old, other, asked) = outage.says().await;
        assert_eq!((old, is_allowed(&other), asked), (RobotsAnswer::Disallowed { line: 2 }, true, 0));

        // 24 hours of age and 24 hours of standing in.
        let outage = Outage::new(failure, Some(kept_failing(47 * HOUR + 3_000))).await;
        assert!(is_allowed(&outage.says().await.1));
        let outage = Outage::new(Reply::status(503), Some(kept_failing(48 * HOUR))).await;
        let (old, other, asked) = outage.says().await;
        for answer in [old, other] {
            assert!(matches!(answer, RobotsAnswer::Unreachable { .. }), "{answer:?}");
        }
        assert_eq!(asked, 1);
    }
}

/// A copy of this age whose refresh has failed ever since it was due.
fn kept_failing(age: u64) -> KeptRobots {
    kept(age, HOUR, Some(age - DAY))
}

#[tokio::test]
async fn after_thirty_days_the_last_copy_holds_and_without_one_all_is_allowed() {
    let never = |failing: u64| KeptRobots {
        tried: now() - HOUR,
        failing_since: now() - failing,
        ..KeptRobots::default()
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
        // It is still asked for, and has been failing for as long as before.
        assert_eq!((asked, outage.kept().failing_since), (1, failing_since));
    }
}

#[tokio::test]
async fn what_comes_after_an_outage_holds_at_once() {
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
async fn a_server_that_asks_for_a_longer_pause_gets_it_within_a_day() {
    for (asked, least, most) in
        [("5", 590, 600), ("7200", 7_190, 7_200), ("999999", DAY - 10, DAY), ("later", 590, 600)]
    {
        let outage = Outage::new(Reply::status(503).header("Retry-After", asked), None).await;
        let (answer, _) = outage.started().ask("http://a.test/").await;
        let RobotsAnswer::Unreachable { retry_in } = answer else { panic!("{answer:?}") };
        assert!((least..=most).contains(&retry_in.as_secs()), "{asked}: {retry_in:?}");
    }
}

/// Where nobody answers, each try costs a fetcher its time.
#[tokio::test]
async fn a_host_that_does_not_answer_is_asked_less_and_less_often() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    for (failing, dead, erring) in
        [(None, 600, 600), (Some(300), 600, 600), (Some(3 * HOUR), 3 * HOUR, 600), (Some(9 * DAY), DAY, 600)]
    {
        let kept =
            failing.map(|failing| KeptRobots { fetched: 0, status: 0, ..kept(0, HOUR, Some(failing)) });
        let outage = Outage::new(Reply::status(503), kept).await;
        let retry_in = async || match outage.started().ask("http://a.test/").await.0 {
            RobotsAnswer::Unreachable { retry_in } => retry_in.as_secs(),
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
async fn a_copy_from_the_future_is_not_gone_by() {
    let mut early = kept(0, 0, None);
    (early.fetched, early.tried) = (now() + 10 * DAY, now() + 10 * DAY);
    let outage = Outage::new(Reply::text(NEW), Some(early)).await;
    assert_eq!(outage.says().await.2, 1);
    let strange = KeptRobots { fetched: u64::MAX, tried: 1, status: 200, ..KeptRobots::default() };
    let outage = Outage::new(Reply::text(NEW), Some(strange)).await;
    outage.says().await;
}

#[tokio::test]
async fn what_is_known_can_be_told() {
    let outage = Outage::new(Reply::status(503), Some(kept(25 * HOUR, 25 * HOUR, None))).await;
    let visitor = outage.started();
    assert_eq!(visitor.robots.known(&url("https://a.test/")), None);
    visitor.ask("http://a.test/").await;
    let told = visitor.robots.known(&url("http://a.test/old")).unwrap();
    assert_eq!((told.basis, told.status), (RobotsBasis::StandsIn, 200));
    assert_eq!((told.decision.allowed, told.decision.line), (false, 2));
    assert!(told.failing_since.is_some() && told.due > now());
    // Beside a running crawler, from what it keeps.
    let beside = RobotsKnown::of(
        &outage.kept(),
        &RobotsConfig::default(),
        "backlinkd",
        &url("http://a.test/old"),
        now(),
    );
    assert_eq!((beside.basis, beside.fetched, beside.decision), (told.basis, told.fetched, told.decision));
    assert_eq!(beside.sitemaps, ["http://a.test/map.xml"]);
    let months_later = RobotsKnown::of(
        &outage.kept(),
        &RobotsConfig { unreachable_after: Span::seconds(400 * DAY), ..RobotsConfig::default() },
        "backlinkd",
        &url("http://a.test/"),
        now() + 90 * DAY,
    );
    assert_eq!((months_later.basis, months_later.decision.allowed), (RobotsBasis::Undefined, false));
}

#[tokio::test]
async fn an_html_page_in_the_place_of_a_robots_txt_is_known_as_one() {
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
    let kept = KeptRobots { status: 200, fetched: now(), body: page.into(), ..KeptRobots::default() };
    let config = RobotsConfig::default();
    let beside = RobotsKnown::of(&kept, &config, "backlinkd", &url("http://html.test/no"), now());
    assert!(beside.is_html);
}

#[tokio::test]
async fn the_sitemaps_that_a_robots_txt_declares_are_given_once_it_is_known() {
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
async fn a_file_full_of_sitemaps_holds_up_nobody() {
    let lines: String = (0..28_000).map(|at| format!("Sitemap: /{at}\n")).collect();
    let web = FakeWeb::new().page("a.test", "/robots.txt", Reply::text(&lines)).start().await;
    let visitor = Visitor::new(&web.fetch_config());
    visitor.ask("http://a.test/").await;
    let start = std::time::Instant::now();
    for _ in 0..20 {
        assert_eq!(visitor.robots.sitemaps(&url("http://a.test/"), 28_000).len(), 28_000);
    }
    // Each compared with all before it, they take half a second each time.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[test]
fn nothing_but_what_was_encoded_is_decoded() {
    let kept = kept(1_000, 10, Some(100));
    let bytes = kept.encode();
    assert_eq!(KeptRobots::decode(&bytes), Some(kept));
    let empty = KeptRobots::default();
    assert_eq!(KeptRobots::decode(&empty.encode()), Some(empty.clone()));
    assert_eq!(KeptRobots::decode(&empty.encode()[1..]), None);
    for end in 0..empty.encode().len() {
        assert_eq!(KeptRobots::decode(&bytes[..end]), None, "{end}");
    }
    assert_eq!(KeptRobots::decode(&[&[9], &bytes[1..]].concat()), None);
}

#[tokio::test]
async fn without_a_shelf_an_outage_is_bridged_as_well() {
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

/// A shelf that keeps, but finds nothing again.
#[derive(Default)]
struct Damaged(Mutex<Vec<KeptRobots>>);

impl RobotsShelf for Damaged {
    fn load(&self, _origin: &str) -> Option<KeptRobots> {
        None
    }

    fn keep(&self, _origin: &str, kept: &KeptRobots) {
        self.0.lock().unwrap().push(kept.clone());
    }
}

#[tokio::test]
async fn a_copy_that_cannot_be_read_is_not_replaced_by_one_without_rules() {
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
    // Where nothing came ever, that is kept.
    visitor.ask("http://never.test/").await;
    let last = shelf.0.lock().unwrap().last().cloned().unwrap();
    assert!(last.status == 0 && last.failing_since > 0, "{last:?}");
}
