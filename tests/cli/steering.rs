//! The crawl of a daemon, seen and controlled through the API: against a small web that logs each request.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::process::{Place, Running};
use crate::api::client::{Client, Reply};
use crate::support::fake_web::{FakeWeb, Reply as PageReply};

const RUN: [&str; 3] = ["run", "--listen", "127.0.0.1:0"];
const JSON: &str = "Content-Type: application/json";
/// The pages of the wide site, besides its home.
const PAGES: usize = 40;

fn post(client: &Client, path: &str, body: &Value) -> Reply {
    client.send("POST", path, &[JSON], body.to_string().as_bytes())
}

/// The reply to a control that is accepted.
#[track_caller]
fn accepted(client: &Client, path: &str, body: &Value) -> Value {
    let reply = post(client, path, body);
    assert_eq!(reply.status, 202, "{path}: {}", reply.text());
    let reply = reply.json();
    assert_eq!(reply["status"], 202);
    reply
}

#[track_caller]
fn refused(client: &Client, path: &str, body: &Value, status: u16, text: &str) {
    let reply = post(client, path, body);
    assert_eq!(reply.status, status, "{path} {body}: {}", reply.text());
    assert!(reply.json()["error"].as_str().unwrap().contains(text), "{}", reply.text());
}

/// A site of many pages, each of which takes a while, and three sites of one page.
async fn web() -> FakeWeb {
    let links: String = (0..PAGES).map(|page| format!("<a href=/{page}>{page}</a>")).collect();
    let mut web = FakeWeb::new()
        .host("wide.test", "127.1.0.2")
        .page("wide.test", "/", PageReply::html(&links))
        .page("wide.test", "/*", PageReply::html("a page").after(Duration::from_millis(50)));
    for (at, host) in ["a.test", "b.test", "c.test"].into_iter().enumerate() {
        web = web.host(host, &format!("127.1.0.{}", at + 3)).page(host, "/", PageReply::html("a page"));
    }
    web.start().await
}

/// A daemon whose figures of the index are always the latest.
fn place(web: &FakeWeb) -> Place {
    Place::at(web).set("search.refresh=0s").set("crawl.min_free_disk_bytes=0")
}

fn crawled(web: &FakeWeb, host: &str, path: &str) -> usize {
    web.log().iter().filter(|request| request.host == host && request.path == path).count()
}

fn start(place: &Place) -> (Running, Client) {
    let mut daemon = place.start(&RUN);
    let client = Client::new(daemon.address());
    (daemon, client)
}

fn end(daemon: Running) {
    daemon.signal("TERM");
    daemon.end().with(0);
}

fn is_quiet(client: &Client) -> bool {
    client.json("/crawl")["fetchesInFlight"] == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_crawl_asks_for_nothing_and_loses_nothing() {
    let web = web().await;
    let place = place(&web);
    place.run(&["seeds", "add", "wide.test"]).with(0);
    let (mut daemon, client) = start(&place);
    daemon.waits_for("some pages", |_| web.log().len() > 5);
    assert_eq!(client.json("/crawl")["state"], "running");
    assert_eq!(accepted(&client, "/crawl/pause", &json!({}))["done"], "The crawl is paused.");
    let paused = client.json("/crawl");
    assert_eq!(paused["state"], "paused");
    assert!(paused["reason"].as_str().unwrap().contains("An operator paused the crawl"), "{paused}");
    for _ in 0..2 {
        daemon.waits_for("the end of the fetches in flight", |_| is_quiet(&client));
        // The gauge is as old as one pass of the loop.
        std::thread::sleep(Duration::from_millis(300));
    }
    let before = web.log().len();
    assert!(before < PAGES, "{before} requests: the pause came too late for this test");
    assert!(web.log().iter().all(|request| request.end.is_some()), "what was in flight is finished");

    // A seed is queued, but not asked for; the API serves, and ranks are computed.
    accepted(&client, "/crawl/seeds", &json!({ "urls": ["a.test"] }));
    let generation = client.json("/crawl")["rankGeneration"].as_u64().unwrap();
    accepted(&client, "/crawl/rank", &json!({}));
    daemon.waits_for("the ranks", |_| client.json("/crawl")["rankGeneration"].as_u64() > Some(generation));
    daemon.waits_for("the seed in the queue", |_| {
        client.json("/explain?url=a.test")["queued"]["kind"] == "seed"
    });
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(web.log().len(), before, "no request while it is paused");
    let metrics = client.get("/metrics").text();
    assert!(metrics.contains("\nbacklinkd_paused_by_operator 1\n"), "{metrics}");
    assert!(metrics.contains("\nbacklinkd_paused 0\n"), "no disk is full");
    assert_eq!(accepted(&client, "/crawl/pause", &json!({}))["done"], "The crawl was paused already.");
    assert_eq!(client.json("/crawl")["since"], paused["since"]);

    assert_eq!(accepted(&client, "/crawl/resume", &json!({}))["done"], "The crawl goes on.");
    assert_ne!(client.json("/crawl")["state"], "paused");
    assert_eq!(accepted(&client, "/crawl/resume", &json!({}))["done"], "The crawl was not paused.");
    daemon.waits_for("all pages", |_| client.json("/crawl")["fetched"] == PAGES + 2);
    daemon.waits_for("the end of the work", |_| client.json("/crawl")["state"] == "idle");
    for page in 0..PAGES {
        assert_eq!(crawled(&web, "wide.test", &format!("/{page}")), 1, "page {page}");
    }
    assert_eq!(crawled(&web, "a.test", "/"), 1);
    let after = client.json("/crawl");
    assert_eq!((&after["queued"], &after["visits"]), (&json!(0), &json!(PAGES + 2)), "{after}");
    assert_eq!(after["responses"]["2xx"], PAGES + 2);
    end(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_starts_again_is_not_paused() {
    let web = web().await;
    let place = place(&web);
    let (daemon, client) = start(&place);
    accepted(&client, "/crawl/pause", &json!({}));
    accepted(&client, "/crawl/seeds", &json!({ "urls": ["a.test"] }));
    // A paused daemon stops as usual.
    end(daemon);
    assert_eq!(crawled(&web, "a.test", "/"), 0);
    let (mut daemon, client) = start(&place);
    assert_ne!(client.json("/crawl")["state"], "paused");
    daemon.waits_for("the seed", |_| crawled(&web, "a.test", "/") == 1);
    end(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn seeds_are_crawled_blocks_hold_and_pages_are_visited_again() {
    let web = web().await;
    let place = place(&web);
    let (mut daemon, client) = start(&place);
    daemon.waits_for("nothing to do", |_| client.json("/crawl")["state"] == "idle");
    let added = accepted(&client, "/crawl/seeds", &json!({ "urls": ["a.test", "http://a.test/"] }));
    assert_eq!(added["changed"], json!(["http://a.test/"]), "{added}");
    daemon.waits_for("the seed", |_| crawled(&web, "a.test", "/") == 1);
    let again = accepted(&client, "/crawl/seeds", &json!({ "urls": ["a.test"] }));
    assert_eq!((&again["changed"], &again["unchanged"]), (&json!([]), &json!(["http://a.test/"])));
    assert_eq!(place.run(&["seeds", "list"]).with(0).out, "http://a.test/\n");
    let listed = client.json("/crawl/seeds");
    assert_eq!((&listed["response"], &listed["count"]), (&json!(["http://a.test/"]), &json!(1)));

    // A blocked host is not asked, not even for a seed.
    let blocked = accepted(&client, "/crawl/blocks", &json!({ "add": ["b.test", "*.c.test"] }));
    assert_eq!(blocked["changed"], json!(["b.test", "*.c.test"]));
    assert_eq!(client.json("/crawl/blocks")["response"], json!(["b.test", "*.c.test"]));
    accepted(&client, "/crawl/seeds", &json!({ "urls": ["b.test", "c.test"] }));
    daemon.waits_for("the seed that is not blocked", |_| crawled(&web, "c.test", "/") == 1);
    daemon.waits_for("the end of the work", |_| client.json("/crawl")["state"] == "idle");
    assert!(web.log().iter().all(|request| request.host != "b.test"));
    let free = accepted(&client, "/crawl/blocks", &json!({ "remove": ["b.test", "x.test"] }));
    assert_eq!((&free["changed"], &free["unchanged"]), (&json!(["b.test"]), &json!(["x.test"])));
    assert_eq!(place.run(&["block", "list"]).with(0).out, "*.c.test\n");

    // Visited again, long before it is due, and with the same distance from a seed.
    daemon.waits_for("the page", |_| client.json("/explain?url=a.test")["page"]["status"] == 200);
    accepted(&client, "/crawl/recrawl", &json!({ "urls": ["a.test"] }));
    daemon.waits_for("another visit", |_| crawled(&web, "a.test", "/") == 2);
    refused(
        &client,
        "/crawl/recrawl",
        &json!({ "urls": ["a.test", "b.test/x"] }),
        400,
        "http://b.test/x is neither",
    );
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(crawled(&web, "a.test", "/"), 2, "all or nothing");
    end(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recrawl_keeps_the_distance_from_the_seeds() {
    let web = FakeWeb::new()
        .page("a.test", "/", PageReply::html("<a href=/1>1</a>"))
        .page("a.test", "/1", PageReply::html("<a href=/2>2</a>"))
        .page("a.test", "/2", PageReply::html("2"))
        .start()
        .await;
    let place = place(&web).set("crawl.max_depth=1");
    place.run(&["seeds", "add", "a.test"]).with(0);
    let (mut daemon, client) = start(&place);
    let page = || client.json("/explain?url=http://a.test/1")["page"].clone();
    daemon.waits_for("the page", |_| page()["depth"] == 1);
    accepted(&client, "/crawl/recrawl", &json!({ "urls": ["http://a.test/1"] }));
    daemon.waits_for("another visit", |_| crawled(&web, "a.test", "/1") == 2);
    daemon.waits_for("the end of the work", |_| client.json("/crawl")["visits"] == 3);
    assert_eq!((page()["depth"].as_u64(), crawled(&web, "a.test", "/2")), (Some(1), 0));
    end(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn controls_refuse_what_they_cannot_use() {
    let web = web().await;
    let place = place(&web).set("api.max_urls=2");
    let (daemon, client) = start(&place);
    let reply = client.send("POST", "/crawl/pause", &[], b"{}");
    assert_eq!(reply.status, 400, "a page of another site can send this: {}", reply.text());
    for (path, body, text) in [
        ("/crawl/pause", json!({ "now": true }), "send JSON like {}"),
        ("/crawl/seeds", json!({}), "send JSON like"),
        ("/crawl/seeds", json!({ "urls": [] }), "send 1 to 2"),
        ("/crawl/seeds", json!({ "urls": ["a.test", "b.test", "c.test"] }), "send 1 to 2"),
        ("/crawl/seeds", json!({ "urls": ["a.test", "ftp://b.test/"] }), "urls[1] is \"ftp://b.test/\""),
        ("/crawl/recrawl", json!({ "urls": ["a.test"] }), "add it with POST /crawl/seeds"),
        ("/crawl/blocks", json!({ "add": ["a.test"], "remove": ["http://b.test/"] }), "names no host"),
        ("/crawl/blocks", json!({}), "send 1 to 2"),
    ] {
        refused(&client, path, &body, 400, text);
    }
    for path in ["/crawl/pause", "/crawl/resume", "/crawl/rank", "/crawl/recrawl"] {
        let reply = client.get(path);
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{path}");
    }
    assert_eq!(client.json("/crawl/seeds")["count"], 0, "all or nothing");
    assert_eq!(client.json("/crawl/blocks")["count"], 0, "all or nothing");
    assert_ne!(client.json("/crawl")["state"], "paused");
    end(daemon);
}

/// The number of errors of each kind.
fn kinds(errors: &Value) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    for error in errors["errors"].as_array().unwrap() {
        *kinds.entry(error["kind"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn the_errors_are_the_counted_failures() {
    let long = "x".repeat(2_000);
    let web = FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page(
            "a.test",
            "/",
            PageReply::html(&format!("<a href=/bad>1</a><a href=/gone>2</a><a href=/{long}>3</a>")),
        )
        .page("a.test", "/bad", PageReply::status(503))
        .page("a.test", &format!("/{long}"), PageReply::reset())
        .page("b.test", "/robots.txt", PageReply::status(500))
        .start()
        .await;
    let place = place(&web).set("crawl.max_attempts=2");
    place.run(&["seeds", "add", "a.test", "b.test", "10.0.0.1"]).with(0);
    let (mut daemon, client) = start(&place);
    daemon.waits_for("all failures", |_| {
        let crawl = client.json("/crawl");
        let failed: u64 =
            crawl["failedRequests"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        crawl["state"] == "idle" && failed >= 5 && crawl["fetched"] == 4
    });
    let (crawl, errors) = (client.json("/crawl"), client.json("/crawl/errors?limit=1000"));
    let counted: BTreeMap<String, u64> = serde_json::from_value(crawl["failedRequests"].clone()).unwrap();
    assert_eq!(kinds(&errors), counted, "{errors}");
    assert_eq!(errors["count"].as_u64().unwrap(), counted.values().sum::<u64>());
    assert!(counted.contains_key("status-503") && counted.contains_key("status-500"), "{counted:?}");
    // The metrics count the same, by resource besides.
    let metrics = client.get("/metrics").text();
    let of_metrics = metrics.lines().filter(|line| line.starts_with("backlinkd_failed_requests_total{"));
    let of_metrics: f64 =
        of_metrics.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum();
    assert_eq!(of_metrics, counted.values().sum::<u64>() as f64);
    let rows = errors["errors"].as_array().unwrap();
    assert!(rows.is_sorted_by(|a, b| a["time"].as_str() >= b["time"].as_str()), "{errors}");
    assert!(rows.iter().all(|row| row["url"].as_str().unwrap().chars().count() <= 300), "{errors}");
    assert!(rows.iter().any(|row| row["url"].as_str().unwrap().contains("xxx")), "{errors}");
    let resources: Vec<&str> = rows.iter().map(|row| row["resource"].as_str().unwrap()).collect();
    assert!(["page", "robots.txt", "address"].iter().all(|one| resources.contains(one)), "{resources:?}");
    let bad = client.json("/crawl/errors?kind=status-503");
    assert_eq!(bad["count"].as_u64(), counted.get("status-503").copied());
    assert!(bad["errors"].as_array().unwrap().iter().all(|row| row["url"] == "http://a.test/bad"), "{bad}");
    assert_eq!(client.json("/crawl/errors?limit=1&offset=1")["errors"], json!([rows[1]]));
    // Each stored visit is counted once.
    let sum = |counts: &Value| counts.as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(crawl["visits"], sum(&crawl["responses"]) + sum(&crawl["failures"]), "{crawl}");
    assert_eq!(crawl["responses"]["4xx"], 1, "{crawl}");
    end(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_errors_is_as_long_as_configured() {
    let links: String = (0..9).map(|page| format!("<a href=/{page}>{page}</a>")).collect();
    let web = FakeWeb::new()
        .page("a.test", "/", PageReply::html(&links))
        .page("a.test", "/*", PageReply::status(403))
        .start()
        .await;
    let place = place(&web).set("crawl.recent_failures=3").set("crawl.max_attempts=1");
    place.run(&["seeds", "add", "a.test"]).with(0);
    let (mut daemon, client) = start(&place);
    daemon.waits_for("all pages", |_| client.json("/crawl")["fetched"] == 10);
    let refusals = client.json("/crawl")["failedRequests"]["status-403"].as_u64().unwrap();
    let errors = client.json("/crawl/errors");
    assert!(refusals >= 9, "{refusals}");
    assert_eq!((&errors["count"], errors["errors"].as_array().unwrap().len()), (&json!(3), 3), "{errors}");
    end(daemon);
}

/// What the commands print with `--json`.
fn printed(place: &Place, command: &str, word: &str) -> Value {
    serde_json::from_str(&place.run(&[command, word, "--json"]).with(0).out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_host_and_the_list_of_hosts_agree_with_the_commands() {
    let web = FakeWeb::new()
        .host("b.test", "127.1.0.2")
        .page("a.test", "/robots.txt", PageReply::text("User-agent: *\nCrawl-delay: 0.2\nDisallow: /no\n"))
        .page(
            "a.test",
            "/",
            PageReply::html("<a href=/yes>y</a><a href=/no>n</a><a href=http://b.test/>b</a>"),
        )
        .page("a.test", "/yes", PageReply::html("yes"))
        .page("b.test", "/", PageReply::status(503))
        .start()
        .await;
    let place = place(&web).set("crawl.retry_delay=1h").set("crawl.stay_on_seed_domains=true");
    place.run(&["seeds", "add", "a.test", "b.test"]).with(0);
    let (mut daemon, client) = start(&place);
    daemon.waits_for("three visits", |_| client.json("/crawl")["fetched"] == 3);
    daemon.waits_for("the end of the work", |_| client.json("/crawl")["state"] == "idle");
    // The records of hosts are written besides.
    std::thread::sleep(Duration::from_secs(1));
    let api = |target: &str| {
        let mut answer = client.json(target);
        assert_eq!(answer.as_object_mut().unwrap().remove("status"), Some(json!(200)));
        answer
    };
    let urls = [
        "http://a.test/",
        "a.test",
        "http://a.test/no",
        "http://a.test/never",
        "http://b.test/",
        "http://c.test/",
    ];
    for url in urls {
        assert_eq!(api(&format!("/explain?url={url}")), printed(&place, "explain", url), "{url}");
    }
    for host in ["a.test", "b.test", "http://a.test/no", "c.test"] {
        let servers = printed(&place, "host", host);
        assert_eq!(api(&format!("/host?host={host}")), json!({ "servers": servers }), "{host}");
    }
    let hosts = client.json("/crawl/hosts?order[]=host");
    assert_eq!(hosts["count"], 2, "{hosts}");
    for row in hosts["hosts"].as_array().unwrap() {
        let server = &printed(&place, "host", row["host"].as_str().unwrap())[0];
        assert_eq!(
            [&row["queued"], &row["fetched"], &row["budget"], &row["delay"]],
            [
                &server["queued"],
                &server["budget"]["pages"],
                &server["budget"]["most"],
                &server["delay_seconds"]
            ],
            "{row}"
        );
        assert!(row["lastFetch"].as_str().unwrap().ends_with('Z'), "{row}");
        assert_eq!(row["state"] == "asleep", server["asleep_until"].is_u64(), "{row} {server}");
    }
    refused_get(&client, "/explain", "url is missing");
    refused_get(&client, "/explain?url=ftp://a.test/", "url cannot be used");
    refused_get(&client, "/host", "host is missing");
    refused_get(&client, "/host?host=a..b", "host cannot be used");
    refused_get(&client, "/crawl/hosts?offset=20000&limit=1", "api.max_crawl_hosts");
    end(daemon);
}

#[track_caller]
fn refused_get(client: &Client, target: &str, text: &str) {
    let reply = client.get(target);
    assert_eq!(reply.status, 400, "{target}: {}", reply.text());
    assert!(reply.json()["error"].as_str().unwrap().contains(text), "{target}: {}", reply.text());
}
