//! `host`, `explain` and `stats`: their output for a small web, after a batch and during a daemon.

use serde_json::Value;

use super::process::Place;
use crate::support::fake_web::{FakeWeb, Reply};

async fn web() -> FakeWeb {
    FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/robots.txt", Reply::text("User-agent: *\nCrawl-delay: 0.2\nDisallow: /no\n"))
        .page("a.test", "/", Reply::html("<a href=/yes>y</a><a href=/no>n</a><a href=http://b.test/>b</a>"))
        .page("a.test", "/yes", Reply::html("yes"))
        .page("b.test", "/", Reply::html("b"))
        .start()
        .await
}

fn explained(place: &Place, url: &str) -> Value {
    serde_json::from_str(&place.run(&["explain", url, "--json"]).with(0).out).unwrap()
}

fn reasons(explained: &Value) -> Vec<&str> {
    explained["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_gives_each_reason_why_a_url_is_not_fetched() {
    let web = web().await;
    let place = Place::at(&web);
    let blocks = place.file("blocks.txt", "b.test\n");
    let place = place.set(&format!("crawl.block_list={blocks}"));
    place.run_with(&["crawl", "--no-rank", "--seeds", "-"], "a.test\n").with(0);

    let yes = explained(&place, "http://a.test/yes");
    assert_eq!((&yes["met"], &yes["page"]["status"]), (&Value::from(true), &Value::from(200)));
    let due = reasons(&yes);
    assert!(due.len() == 1 && due[0].starts_with("Its next visit is due at 2"), "{yes}");
    assert!(yes["page"]["next_visit"].as_u64() > yes["page"]["visited"].as_u64(), "{yes}");

    let no = explained(&place, "http://a.test/no");
    assert_eq!(reasons(&no)[0], "Line 3 of robots.txt disallows it.");
    assert_eq!((&no["met"], &no["page"]), (&Value::from(true), &Value::Null));
    let robots = &no["server"]["robots"];
    assert_eq!((&robots["allowed"], &robots["line"]), (&Value::from(false), &Value::from(3)));
    assert_eq!(no["server"]["delay_seconds"], 0.2);

    let blocked = "crawl.block_list or blocks.txt names its host: the entry is b.test.";
    assert!(reasons(&explained(&place, "http://www.b.test/x")).contains(&blocked));
    let unknown = explained(&place, "http://a.test/never");
    assert_eq!(reasons(&unknown), ["It was not discovered yet: no page, sitemap or seed names it."]);
    let trap = explained(&place, "http://a.test/x/y/x/y/x/y/x/y/x/y");
    assert!(reasons(&trap)[1].starts_with("It looks like a part of a trap: "), "{trap}");

    let elsewhere =
        place.run(&["--set", "crawl.stay_on_seed_domains=true", "explain", "http://b.test/x"]).with(0);
    let stays =
        "crawl.stay_on_seed_domains is on, and b.test is no domain of a seed: links to it are not followed.";
    assert!(elsewhere.out.contains(stays), "{}", elsewhere.out);
    let here = place.run(&["--set", "crawl.stay_on_seed_domains=true", "explain", "http://a.test/x"]).with(0);
    assert!(!here.out.contains("stay_on_seed_domains"), "{}", here.out);
    let least = format!("crawl.min_free_disk_bytes={}", i64::MAX);
    let full = place.run(&["--set", &least, "explain", "http://a.test/x"]).with(0);
    assert!(full.out.contains("\nNo page is fetched now: "), "{}", full.out);
    assert!(full.out.ends_with("/data, fewer than crawl.min_free_disk_bytes.\n"), "{}", full.out);
    assert!(!here.out.contains("No page is fetched now"), "{}", here.out);

    let text = place.run(&["explain", "http://a.test/no"]).with(0).out;
    assert_eq!(text.lines().next(), Some("http://a.test/no"));
    assert!(text.contains("\n  never visited\n"), "{text}");
    assert!(text.contains("\nLine 3 of robots.txt disallows it."), "{text}");
    place.run(&["explain", "ftp://a.test/"]).with(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_and_stats_work_while_a_daemon_runs() {
    let web = web().await;
    let place = Place::at(&web);
    place.file("seeds.txt", "a.test\n");
    let mut daemon = place.start(&["run", "--listen", "127.0.0.1:0", "--seeds", "seeds.txt"]);
    daemon.address();
    daemon.waits_for("both pages", |_| web.log().iter().any(|request| request.path == "/yes"));
    daemon.waits_for("the page to be stored", |_| {
        let servers: Value =
            serde_json::from_str(&place.run(&["host", "a.test", "--json"]).with(0).out).unwrap();
        servers[0]["visits"] == 2
    });
    let servers: Value = serde_json::from_str(&place.run(&["host", "a.test", "--json"]).with(0).out).unwrap();
    let server = &servers[0];
    assert_eq!((&server["origin"], &server["queued"]), (&Value::from("http://a.test"), &Value::from(0)));
    assert_eq!((&server["failures_in_a_row"], &server["asleep_until"]), (&Value::from(0), &Value::Null));
    assert_eq!(server["failures"], serde_json::json!([]));
    let outcomes: Vec<&Value> =
        server["last_visits"].as_array().unwrap().iter().map(|visit| &visit["outcome"]).collect();
    assert_eq!(outcomes, ["200", "200"]);
    assert_eq!(
        (&server["robots"]["status"], &server["budget"]["domain"]),
        (&Value::from(200), &Value::from("a.test"))
    );
    let text = place.run(&["host", "http://a.test/no"]).with(0).out;
    assert!(text.starts_with("http://a.test\n  robots.txt   status 200 at 2"), "{text}");
    assert!(text.contains("\n  delay        0.2 s from the end"), "{text}");
    let stats: Value = serde_json::from_str(&place.run(&["stats", "--json"]).with(0).out).unwrap();
    // The page of b.test may be stored by now.
    assert!(stats["visited"] == 2 || stats["visited"] == 3, "{stats}");
    assert_eq!((&stats["links"], &stats["backlinks"]), (&Value::from(3), &Value::from(1)), "{stats}");
    let nothing = place.run(&["host", "c.test"]).with(0).out;
    assert_eq!(nothing, "Nothing of c.test was fetched, and nothing waits to be.\n");
    daemon.signal("TERM");
    daemon.end().with(0);
    // The inspection has not changed the data.
    assert_eq!(place.run(&["verify"]).with(0).out, "Nothing is wrong with the index.\n");
}
