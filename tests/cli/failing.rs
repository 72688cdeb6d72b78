//! Requests that fail in every way: the log, `host`, `explain` and the end of a crawl show each cause.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::Value;

use super::process::Place;
use crate::fetch_body::gzip;
use crate::support::fake_web::{FakeWeb, Reply};

/// A failure: the requested URL, the kind, a part of the cause, and the message.
type Failing = (&'static str, &'static str, &'static str, &'static str);

const PAGE: &str = "a page could not be fetched";
const ROBOTS: &str = "a robots.txt could not be fetched";
const SITEMAP: &str = "a sitemap could not be fetched";
const ADDRESS: &str = "a host has no usable address";

const FAILING: [Failing; 14] = [
    ("http://r500.test/robots.txt", "status-500", "the server answered 500", ROBOTS),
    ("http://rraw.test/robots.txt", "protocol", "HTTP", ROBOTS),
    ("http://rgzip.test/robots.txt", "decode", "encoding", ROBOTS),
    ("http://rdead.test/robots.txt", "connect", "refused", ROBOTS),
    ("https://rtls.test/robots.txt", "tls", "", ROBOTS),
    ("http://praw.test/", "protocol", "HTTP", PAGE),
    ("http://pgzip.test/", "decode", "encoding", PAGE),
    ("http://p503.test/", "status-503", "the server answered 503", PAGE),
    ("http://p403.test/", "status-403", "the server answered 403", PAGE),
    ("http://sxml.test/map.xml", "decode", "", SITEMAP),
    ("http://sgzip.test/map.xml", "cut", "breaks off", SITEMAP),
    ("http://s404.test/map.xml", "status-404", "the server answered 404", SITEMAP),
    ("http://nowhere.invalid/", "dns", "", ADDRESS),
    ("http://refused.test/", "address-refused", "10.0.0.1", ADDRESS),
];

async fn web() -> FakeWeb {
    let broken_gzip = || Reply::html("").header("Content-Encoding", "gzip").body("this is no gzip");
    // The compressed body is long enough to decode partly before its missing end.
    let locs: String = (0..200).map(|n| format!("<url><loc>http://sgzip.test/{n}</loc></url>")).collect();
    let broken_map = gzip(format!("<urlset>{locs}</urlset>").as_bytes());
    let declaring = |host: &str| Reply::text(&format!("Sitemap: http://{host}/map.xml\n"));
    let web = FakeWeb::new()
        .page("r500.test", "/robots.txt", Reply::status(500))
        .page("rraw.test", "/robots.txt", Reply::raw("what?\x1b[2J\r\nsecond: line"))
        .page("rgzip.test", "/robots.txt", broken_gzip())
        .page("praw.test", "/", Reply::raw("what?"))
        .page("pgzip.test", "/", broken_gzip())
        .page("p503.test", "/", Reply::status(503))
        .page("p403.test", "/", Reply::status(403))
        .page("sxml.test", "/robots.txt", declaring("sxml.test"))
        .page("sxml.test", "/", Reply::html("home"))
        .page("sxml.test", "/map.xml", Reply::status(200).header("Content-Type", "text/xml").body("<what/>"))
        .page("sgzip.test", "/robots.txt", declaring("sgzip.test"))
        .page("sgzip.test", "/", Reply::html("home"))
        .page("sgzip.test", "/map.xml", Reply::status(200).body(&broken_map[..broken_map.len() - 20]))
        .page("s404.test", "/robots.txt", declaring("s404.test"))
        .page("s404.test", "/", Reply::html("home"))
        .page("good.test", "/", Reply::html("good"))
        .start()
        .await;
    let listed = std::fs::read_to_string(web.overrides()).unwrap();
    let http = listed.lines().find(|line| line.starts_with("good.test")).unwrap();
    let http = http.split('\t').nth(1).unwrap().to_owned();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut overrides = std::fs::OpenOptions::new().append(true).open(web.overrides()).unwrap();
    writeln!(overrides, "rdead.test\t{closed}\t{closed}").unwrap();
    // No TLS server listens there.
    writeln!(overrides, "rtls.test\t{http}\t{http}").unwrap();
    writeln!(overrides, "refused.test\t10.0.0.1:80\t10.0.0.1:443").unwrap();
    web
}

fn host_of(url: &str) -> &str {
    url.split('/').nth(2).unwrap()
}

fn seeds() -> String {
    let homes = FAILING.map(|(url, ..)| format!("{}/\n", url.rsplit_once('/').unwrap().0));
    homes.concat() + "http://good.test/\n"
}

fn json(place: &Place, command: &str, word: &str) -> Value {
    serde_json::from_str(&place.run(&[command, word, "--json"]).with(0).out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failed_request_is_reported_with_its_cause() {
    let web = web().await;
    let place = Place::at(&web).set("crawl.max_attempts=1").set("fetch.nameservers=127.0.0.1:9");
    let arguments =
        ["-v", "--log-format", "json", "crawl", "--seeds", "-", "--no-rank", "--max-seconds", "40"];
    let ended = place.run_with(&arguments, &seeds()).with(0);

    let lines = ended.err.lines().filter(|line| line.starts_with('{'));
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in lines.map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        if line["target"] == "backlinkd::fetches" {
            told.entry(line["url"].as_str().unwrap().to_owned()).or_default().push(line);
        }
    }
    for (url, kind, cause, message) in FAILING {
        let lines = told.remove(url).unwrap_or_default();
        // A name is resolved again after a delay.
        assert!(
            lines.len() == 1 || (message == ADDRESS && !lines.is_empty()),
            "{url}: {lines:?}\n{}",
            ended.err
        );
        let line = &lines[0];
        assert_eq!((&line["kind"], &line["message"]), (&Value::from(kind), &Value::from(message)), "{line}");
        assert_eq!(
            (&line["host"], &line["attempt"]),
            (&Value::from(host_of(url)), &Value::from(1)),
            "{line}"
        );
        let told = line["cause"].as_str().unwrap();
        assert!(told.contains(cause) && !told.is_empty() && !told.contains(char::is_control), "{line}");

        // The table at the end of the crawl.
        let resource = [(PAGE, "page"), (ROBOTS, "robots.txt"), (SITEMAP, "sitemap"), (ADDRESS, "address")];
        let resource = resource.into_iter().find(|(known, _)| *known == message).unwrap().1;
        let row = ended.out.lines().find(|line| line.starts_with(&format!("  {resource} {kind} ")));
        let row = row.unwrap_or_else(|| panic!("{resource} {kind}: {}", ended.out));
        assert!(row.contains(&format!("  {url}: {told}")), "{row}");

        // The host's own record.
        let servers = json(&place, "host", url.rsplit_once('/').unwrap().0);
        let scheme = url.split(':').next().unwrap();
        let server = servers
            .as_array()
            .unwrap()
            .iter()
            .find(|server| server["origin"].as_str().unwrap().starts_with(&format!("{scheme}:")));
        let failures = server.unwrap()["failures"].as_array().unwrap();
        let failure = failures.iter().find(|failure| failure["url"] == url).unwrap();
        assert_eq!((&failure["kind"], &failure["cause"]), (&line["kind"], &line["cause"]), "{url}");
        assert!(failure["at"].as_u64().is_some_and(|at| at > 1_700_000_000), "{failure}");
        let text = place.run(&["host", url.rsplit_once('/').unwrap().0]).with(0).out;
        assert!(text.contains(&format!(" {kind} {url}: {told}")), "{text}");

        // The URL itself, and the URL that its robots.txt blocks.
        let home = format!("{}/", url.rsplit_once('/').unwrap().0);
        let explained = json(&place, "explain", &home);
        let text = place.run(&["explain", &home]).with(0).out;
        match message {
            PAGE => {
                assert!(explained["cause"].as_str().unwrap().contains(told), "{explained}");
                assert!(
                    text.contains(&format!("\n  cause: {}", explained["cause"].as_str().unwrap())),
                    "{text}"
                );
            }
            ADDRESS => {
                assert_eq!(explained["cause"], format!("{kind}: {told}"), "{explained}");
            }
            ROBOTS => {
                let robots = &explained["server"]["robots"];
                assert_eq!(
                    (&robots["kind"], &robots["cause"]),
                    (&line["kind"], &line["cause"]),
                    "{explained}"
                );
                assert_eq!(robots["attempts"], 1);
                assert!(robots["due"].as_u64() > robots["failing_since"].as_u64(), "{robots}");
                let reason = format!(": {kind}: {told}. The next attempt is at 2");
                assert!(text.contains(&reason), "{reason}: {text}");
                let host = place.run(&["host", &home]).with(0).out;
                let row = host.lines().find(|line| line.starts_with("  failing ")).unwrap();
                assert!(row.ends_with(&format!("Z: {kind}: {told}")), "{row}");
            }
            _ => assert_eq!(explained["cause"], Value::Null, "{explained}"),
        }
    }
    assert!(told.is_empty(), "told although nothing failed: {told:?}");
    let good = json(&place, "explain", "http://good.test/");
    assert_eq!((&good["cause"], &good["server"]["failures"]), (&Value::Null, &serde_json::json!([])));
    // The text contains no key of a queue, and no control characters of a terminal.
    for text in [&ended.out, &ended.err] {
        assert!(!text.contains(",test,") && !text.contains("test,") && !text.contains('\u{1b}'), "{text}");
    }
    assert_eq!(place.run(&["verify"]).with(0).out, "Nothing is wrong with the index.\n");
}

/// A host's robots.txt that is available again, and a page that is.
#[tokio::test(flavor = "multi_thread")]
async fn a_cause_is_forgotten_after_a_success() {
    let down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let (page, robots) = (down.clone(), down.clone());
    let is_down = |flag: &std::sync::atomic::AtomicBool| flag.load(std::sync::atomic::Ordering::SeqCst);
    let web =
        FakeWeb::new()
            .answer("a.test", "/", move |_| if is_down(&page) { Reply::raw("?") } else { Reply::html("a") })
            .answer("b.test", "/robots.txt", move |_| {
                if is_down(&robots) { Reply::status(502) } else { Reply::text("") }
            })
            .page("b.test", "/", Reply::html("b"))
            .start()
            .await;
    // An unavailable robots.txt is requested again at once.
    let place = Place::at(&web)
        .set("crawl.max_attempts=1")
        .set("robots.retry_after=1s")
        .set("crawl.dead_host_retry=1s");
    let crawl =
        || place.run_with(&["crawl", "--seeds", "-", "--no-rank", "--max-seconds", "20"], "a.test\nb.test\n");
    let first = crawl().with(1);
    assert!(first.out.contains("\nRequests that failed, by kind\n"), "{}", first.out);
    let explained = |host: &str| json(&place, "explain", host);
    assert!(explained("http://a.test/")["cause"].is_string());
    assert_eq!(explained("http://b.test/")["server"]["robots"]["kind"], "status-502");
    down.store(false, std::sync::atomic::Ordering::SeqCst);
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let second = crawl().with(0);
    assert!(!second.out.contains("Requests that failed"), "{}", second.out);
    assert_eq!(explained("http://a.test/")["cause"], Value::Null);
    let robots = explained("http://b.test/")["server"]["robots"].clone();
    assert_eq!((&robots["kind"], &robots["failing_since"]), (&Value::from(""), &Value::Null));
    // The host's record keeps the earlier failure.
    assert_eq!(json(&place, "host", "http://a.test/")[0]["failures"].as_array().unwrap().len(), 1);
}
